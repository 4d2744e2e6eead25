"""Pages put together are the list: without gaps, without duplicates, and true about what lies on either side."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from app.access.tripwire import WORK
from app.access.viewer import binds
from app.reading.cursors import Position
from app.reading.nouns import GROUP, ROOM, ROOM_ORDERS
from app.reading.pages import Count, Listing, Page, Window, count_each, count_rows, read_page, read_pages
from app.storage.engines import Database
from tests.reading.campus import GROUP as GROUP_IDS
from tests.reading.campus import NOW, TENANT, VIEWER, Place, ground, groups_of, key, write
from tests.reading.slicing import Slice, Sorting, cut

EXAMPLES = settings(max_examples=40)
NAMES = (
    "",
    "a",
    "A",
    "b",
    "Berlin",
    "berlin",
    "BERLIN 2",
    "ß",
    "ss",
    "ẞ",
    "Zürich",
    "ΕΛΛΆΔΑ",
    "ελλάδα",
    "Київ",
    "会議室",
    "🏢",
    "￿",
    "%",
    "_",
    "'",
)
"""Few enough that many rooms have the same, from every range in which bytes and characters could sort differently."""
GROUPS = 4
SORTINGS = [Sorting(field, descending) for field in ROOM_ORDERS for descending in (False, True)]


@st.composite
def campuses(draw: st.DrawFn) -> list[Place]:
    """Up to twelve rooms with ties, nulls and retired ones, each in some groups."""
    numbers = draw(st.lists(st.integers(0, 30), max_size=12, unique=True))
    return [
        Place(
            number,
            draw(st.sampled_from(NAMES)),
            draw(st.none() | st.sampled_from((0, 1, 12, 2**31 - 1))),
            draw(st.integers(0, 2)),
            draw(st.integers(0, 7)) == 0,
            draw(st.frozensets(st.integers(0, GROUPS - 1))),
        )
        for number in numbers
    ]


@st.composite
def windows(draw: st.DrawFn, places: Sequence[Place], sorting: Sorting) -> Window:
    """Any part of a list, between cursors of rooms that are there, gone, or were called something else."""
    ghosts = [Place(31), *(replace(place, name=draw(st.sampled_from(NAMES))) for place in places)]
    positions = st.none() | st.sampled_from([*places, *ghosts]).map(sorting.position)
    return Window(draw(st.integers(1, 14)), draw(st.booleans()), draw(positions), draw(positions))


def listing(sorting: Sorting) -> Listing:
    """All rooms that the viewer sees, sorted so."""
    order = replace(ROOM_ORDERS[sorting.field], descending=sorting.descending)
    return Listing(ROOM, ROOM.rows(), order, "list")


def shown(page: Page) -> Slice:
    """What the page shows, to be compared."""
    return Slice([row.row_key for row in page.rows], page.has_next, page.has_previous)


BINDS: dict[str, Any] = dict(binds(VIEWER, NOW))


async def on(database: Database, places: Sequence[Place], read: Callable[[AsyncConnection], Awaitable[None]]) -> None:
    """Read a campus with these rooms, of which nothing is left afterwards."""
    async with database.writer.connect() as connection:
        await connection.execution_options(**{WORK: True})
        async with connection.begin() as transaction:
            await write(connection, [*ground(), *(place.row() for place in places), *groups_of(places, GROUPS)])
            await read(connection)
            await transaction.rollback()


@EXAMPLES
@given(st.data(), campuses())
async def test_any_part_of_a_list_is_what_cutting_the_whole_list_gives(
    database: Database, data: st.DataObject, places: list[Place]
) -> None:
    sorting = data.draw(st.sampled_from(SORTINGS))
    asked = data.draw(st.lists(windows(places, sorting), min_size=4, max_size=4))

    async def read(connection: AsyncConnection) -> None:
        whole = sorting.whole(places)
        for window in asked:
            page = await read_page(connection, listing(sorting), window, BINDS)

            assert shown(page) == cut(whole, sorting, window)
            assert [(row.sort_value, row.row_key) for row in page.rows] == [
                (each.sort, each.key) for each in whole if each.key in shown(page).keys
            ]

    await on(database, places, read)


@EXAMPLES
@given(campuses(), st.sampled_from(SORTINGS), st.integers(1, 5), st.booleans())
async def test_pages_put_together_are_the_whole_list(
    database: Database, places: list[Place], sorting: Sorting, size: int, backwards: bool
) -> None:
    async def read(connection: AsyncConnection) -> None:
        pages: list[list[str]] = []
        window: Window | None = Window(size, backwards)
        while window:
            page = await read_page(connection, listing(sorting), window, BINDS)
            pages.append([row.row_key for row in page.rows])
            assert len(pages) <= len(places) + 1
            window = following(page, window)

        put_together = [key for page in (reversed(pages) if backwards else pages) for key in page]
        assert put_together == [each.key for each in sorting.whole(places)]
        assert all(pages[:-1])

    await on(database, places, read)


def following(page: Page, window: Window) -> Window | None:
    """Where a client goes on, made of nothing but what the page says."""
    if window.backwards:
        first = page.rows[0] if page.has_previous else None
        return first and replace(window, before=Position(first.sort_value, first.row_key))
    last = page.rows[-1] if page.has_next else None
    return last and replace(window, after=Position(last.sort_value, last.row_key))


@EXAMPLES
@given(st.data(), campuses())
async def test_pages_below_many_parents_are_those_below_each_alone(
    database: Database, data: st.DataObject, places: list[Place]
) -> None:
    edge, sorting = GROUP.manys["rooms"], Sorting()
    asked = data.draw(st.lists(windows(places, sorting), min_size=2, max_size=2))
    parents = [(TENANT, key(GROUP_IDS, group)) for group in data.draw(st.permutations(range(GROUPS)))]

    async def read(connection: AsyncConnection) -> None:
        for window in asked:
            together = await read_pages(connection, edge, window, parents, BINDS)

            for parent, page in zip(parents, together, strict=True):
                (alone,) = await read_pages(connection, edge, window, [parent], BINDS)
                whole = sorting.whole(
                    [each for each in places if parent[1] in {key(GROUP_IDS, g) for g in each.groups}]
                )
                assert shown(page) == shown(alone) == cut(whole, sorting, window)

    await on(database, places, read)


@EXAMPLES
@given(campuses(), st.integers(1, 12))
async def test_counts_stop_where_they_are_told(database: Database, places: list[Place], up_to: int) -> None:
    edge, parents = GROUP.manys["rooms"], [(TENANT, key(GROUP_IDS, group)) for group in range(GROUPS)]

    async def read(connection: AsyncConnection) -> None:
        sizes = [sum(group in each.groups and not each.retired for each in places) for group in range(GROUPS)]
        size = sum(not each.retired for each in places)

        assert await count_rows(connection, listing(Sorting()), up_to, BINDS) == bounded(size, up_to)
        assert await count_each(connection, edge, up_to, parents, BINDS) == [bounded(each, up_to) for each in sizes]

    await on(database, places, read)


def bounded(size: int, up_to: int) -> Count:
    return Count(size, exact=True) if size <= up_to else Count(up_to, exact=False)
