"""Every list is the same kind of connection: pages by cursor that outlive changes, bounds, and counts on request."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlmodel import col

from app.domain.text import name_key
from app.storage.engines import Database
from app.storage.tables import Room
from tests.access_cases import Atlas
from tests.graph.asking import FIELD_BY_FIELD, Asker, ask
from tests.graph.counting import counted
from tests.reading.campus import GROUP, NOW, VIEWER, Place, changing, ground, groups_of, id_of, key, write

PAGE = "nodes { ... on Node { id } } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
ROOMS = f"""
query Rooms($first: Int, $after: String, $last: Int, $before: String, $filter: RoomFilter, $orderBy: RoomOrder) {{
  viewer {{ rooms(first: $first, after: $after, last: $last, before: $before, filter: $filter, orderBy: $orderBy) {{
    {PAGE}
  }} }}
}}"""
LISTS = ("rooms", "groups", "rings", "partners", "customers", "invitations", "roles", "auditEntries", "directory")


async def build(database: Database, *places: Place, groups: int = 0) -> Asker:
    """A campus with these rooms, and its administrator."""
    async with changing(database) as connection:
        await write(connection, [*ground(), *(place.row() for place in places), *groups_of(places, groups)])
    return Asker(database, VIEWER, NOW)


def numbered(count: int, **values: Any) -> list[Place]:
    return [Place(number, f"Room {number:03}", **values) for number in range(count)]


async def rooms(asker: Asker, **asked: Any) -> Any:
    return (await asker.data(ROOMS, **asked))["viewer"]["rooms"]


async def refusal(asker: Asker, query: str, **asked: Any) -> dict[str, Any]:
    """The extensions of the only error of an answer."""
    answer = await asker.answer(query, **asked)
    (error,) = answer["errors"]
    extensions: dict[str, Any] = error["extensions"]
    return extensions


def named(atlas: Atlas, name: str) -> str:
    """The id of the only thing of the demo world that is called so."""
    (found,) = [key for key, each in atlas.names.items() if each == name]
    return found


def ids(page: Any) -> list[str]:
    return [each["id"] for each in page["nodes"]]


def ids_of(places: Sequence[Place]) -> list[str]:
    return [id_of("room", place.id) for place in places]


# --- the shape ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LISTS)
async def test_nodes_are_those_of_the_edges_and_the_ends_have_the_cursors(world: Database, name: str) -> None:
    shape = (
        "nodes { ... on Node { id } } edges { cursor node { ... on Node { id } } } pageInfo { startCursor endCursor }"
    )
    viewer = (await ask(world, "contoso-manager").data(f"{{ viewer {{ {name} {{ {shape} }} }} }}"))["viewer"]
    page = viewer[name]

    cursors = [each["cursor"] for each in page["edges"]] or [None]

    assert page["nodes"] == [each["node"] for each in page["edges"]]
    assert page["pageInfo"] == {"startCursor": cursors[0], "endCursor": cursors[-1]}
    assert len(set(cursors)) == len(cursors)


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_in_which_nothing_is_visible_is_empty_and_not_null(world: Database, name: str) -> None:
    viewer = await ask(world, "contoso-nobody").data(
        f"{{ viewer {{ {name} {{ {PAGE} totalCount {{ value exact }} }} }} }}"
    )

    nowhere = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    empty = {"nodes": [], "edges": [], "pageInfo": nowhere, "totalCount": {"value": 0, "exact": True}}
    assert viewer == {"viewer": {name: empty}}


# --- where a page lies ----------------------------------------------------------------------------------------------


async def test_page_info_is_true_for_every_combination_of_arguments(database: Database) -> None:
    places = numbered(3)
    asker = await build(database, *places)
    whole = ids_of(places)
    cursors = [each["cursor"] for each in (await rooms(asker))["edges"]]
    ends = [None, *range(len(places))]
    asked = list(product(("first", "last"), range(1, 5), ends, ends))

    pages = await many_pages(asker, asked, cursors)

    for (side, size, after, before), page in zip(asked, pages, strict=True):
        inside = whole[0 if after is None else after + 1 : before]
        shown = inside[:size] if side == "first" else inside[-size:]
        place = whole.index(shown[0]) if shown else None
        has_previous = after is not None if place is None else place > 0
        has_next = before is not None if place is None else place + len(shown) < len(whole)
        assert ids(page) == shown, (side, size, after, before)
        assert page["pageInfo"]["hasPreviousPage"] == has_previous, (side, size, after, before)
        assert page["pageInfo"]["hasNextPage"] == has_next, (side, size, after, before)


async def many_pages(asker: Asker, asked: Sequence[tuple[str, int, int | None, int | None]], cursors: list[str]) -> Any:
    """The pages with these arguments, many in one document."""
    fields = []
    for number, (side, size, after, before) in enumerate(asked):
        ends = [f'{name}: "{cursors[at]}"' for name, at in (("after", after), ("before", before)) if at is not None]
        fields.append(f"p{number}: rooms({', '.join([f'{side}: {size}', *ends])}) {{ {PAGE} }}")
    found: dict[str, Any] = {}
    for start in range(0, len(fields), 25):
        found |= (await asker.data(f"{{ viewer {{ {' '.join(fields[start : start + 25])} }} }}"))["viewer"]
    return [found[f"p{number}"] for number in range(len(asked))]


# --- sizes ----------------------------------------------------------------------------------------------------------


async def test_a_page_has_fifty_elements_unless_said_and_a_hundred_at_most(database: Database) -> None:
    places = numbered(101, groups=frozenset({0}))
    asker = await build(database, *places, groups=1)
    below = (
        f'{{ node(id: "{id_of("roomgroup", key(GROUP))}") {{ ... on RoomGroup {{ rooms {{ nodes {{ id }} }} }} }} }}'
    )

    assert ids(await rooms(asker)) == ids_of(places[:50])
    assert ids(await rooms(asker, first=None, last=None)) == ids_of(places[:50])
    assert ids(await rooms(asker, first=100)) == ids_of(places[:100])
    assert ids(await rooms(asker, last=100)) == ids_of(places[1:])
    assert ids(await rooms(asker, first=None, last=1)) == ids_of(places[100:])
    assert ids((await asker.data(below))["node"]["rooms"]) == ids_of(places[:50])


@pytest.mark.parametrize("size", (0, -1, 101, 2**31 - 1, -(2**31)))
@pytest.mark.parametrize("argument", ("first", "last"))
async def test_a_size_out_of_bounds_is_refused_and_the_bounds_are_said(
    world: Database, atlas: Atlas, argument: str, size: int
) -> None:
    asker, group = ask(world, "contoso-manager"), named(atlas, "contoso.example: Germany")
    below = f'{{ node(id: "{group}") {{ ... on RoomGroup {{ rooms({argument}: {size}) {{ nodes {{ id }} }} }} }} }}'

    due = {"code": "BAD_ARGUMENT", "argument": argument, "min": 1, "max": 100}
    assert await refusal(asker, ROOMS, **{argument: size}) == due
    assert await refusal(asker, below) == due


async def test_first_and_last_together_are_refused(world: Database) -> None:
    asker = ask(world, "contoso-manager")

    assert await refusal(asker, ROOMS, first=1, last=1) == {"code": "BAD_ARGUMENT", "argument": "last"}


# --- cursors that outlive changes -----------------------------------------------------------------------------------

RENAMED = "Room 004 and a half"


async def add(database: Database, *places: Place) -> None:
    async with changing(database) as connection:
        await write(connection, [place.row() for place in places])


async def remove(database: Database, place: Place) -> None:
    async with changing(database) as connection:
        await connection.execute(delete(Room).where(col(Room.id) == place.id))


async def rename(database: Database, place: Place, name: str) -> None:
    async with changing(database) as connection:
        values = {"name": name, "name_key": name_key(name)}
        await connection.execute(update(Room).where(col(Room.id) == place.id).values(values))


async def test_a_cursor_outlives_its_row(database: Database) -> None:
    places = numbered(6)
    asker = await build(database, *places)
    cursor = (await rooms(asker, first=3))["pageInfo"]["endCursor"]

    await remove(database, places[2])

    after, before = await rooms(asker, after=cursor), await rooms(asker, before=cursor)
    assert ids(after) == ids_of(places[3:])
    assert after["pageInfo"]["hasPreviousPage"] is True
    assert ids(before) == ids_of(places[:2])
    assert before["pageInfo"]["hasNextPage"] is True


async def test_page_info_is_true_when_everything_on_one_side_is_gone(database: Database) -> None:
    places = numbered(3)
    asker = await build(database, *places)
    cursor = (await rooms(asker, first=1))["pageInfo"]["endCursor"]

    await remove(database, places[0])

    page = await rooms(asker, after=cursor)
    assert ids(page) == ids_of(places[1:])
    assert page["pageInfo"]["hasPreviousPage"] is False


async def test_what_is_added_between_pages_shows_up_once_where_it_belongs(database: Database) -> None:
    places = [Place(number, f"Room {number}") for number in range(10, 16)]
    asker = await build(database, *places)
    cursor = (await rooms(asker, first=3))["pageInfo"]["endCursor"]
    earlier, same_name_earlier = Place(20, "Room 11 b"), Place(1, "Room 12")
    same_name_later, later = Place(21, "Room 12"), Place(2, "Room 12 b")

    await add(database, earlier, same_name_earlier, same_name_later, later)

    assert ids(await rooms(asker, after=cursor)) == ids_of([same_name_later, later, *places[3:]])
    assert ids(await rooms(asker, before=cursor)) == ids_of([*places[:2], earlier, same_name_earlier])


async def test_a_renamed_room_moves_and_the_pages_stay_where_they_are(database: Database) -> None:
    places = numbered(6)
    asker = await build(database, *places)
    cursor = (await rooms(asker, first=3))["pageInfo"]["endCursor"]

    await rename(database, places[2], RENAMED)
    await rename(database, places[5], "A room")

    assert ids(await rooms(asker, after=cursor)) == ids_of([places[3], places[4], places[2]])
    assert ids(await rooms(asker, before=cursor)) == ids_of([places[5], places[0], places[1]])


# --- cursors that are not of this list ------------------------------------------------------------------------------

NOT_CURSORS = (
    "",
    "garbage",
    "null",
    "🏢",
    "x" * 10_000,
    "000000000000_-_00000000-0000-0000-0000-000000000000",
    "b1946ac92492_61_00000000-0000-7000-8000-000000000000",
)


@pytest.mark.parametrize("argument", ("after", "before"))
@pytest.mark.parametrize("cursor", NOT_CURSORS)
async def test_what_is_no_cursor_is_refused(world: Database, argument: str, cursor: str) -> None:
    asker = ask(world, "contoso-manager")

    assert await refusal(asker, ROOMS, **{argument: cursor}) == {"code": "BAD_ARGUMENT", "argument": argument}


FORGED_NAMES = {
    "a NUL": "610062",
    "half a byte": "6",
    "no hexadecimal": "zz",
    "no UTF-8": "ff",
    "half a surrogate pair": "eda080",
    "upper case": "6A",
    "no value": "-",
    "a wrong sign": "--",
}
FORGED_NUMBERS = {
    "nothing": "",
    "a word": "many",
    "a fraction": "1.5",
    "too large for a database": str(2**31),
    "too small for a database": str(-(2**31) - 1),
    "larger than any integer": "9" * 30,
    "more digits than Python reads": "9" * 5_000,
    "a sign": "+8",
    "a zero before it": "08",
    "a space": " 8",
    "an underscore": "1_0",
    "digits of another alphabet": "８",
    "infinity": "inf",
    "a NUL": "8\0",
}


@pytest.mark.parametrize("argument", ("after", "before"))
@pytest.mark.parametrize("forged", FORGED_NAMES.values(), ids=FORGED_NAMES)
async def test_a_forged_name_in_a_cursor_is_refused(world: Database, argument: str, forged: str) -> None:
    asker = ask(world, "contoso-manager")
    digest, _, identifier = (await rooms(asker))["pageInfo"]["endCursor"].split("_")

    cursor = f"{digest}_{forged}_{identifier}"

    assert await refusal(asker, ROOMS, **{argument: cursor}) == {"code": "BAD_ARGUMENT", "argument": argument}


@pytest.mark.parametrize("forged", FORGED_NUMBERS.values(), ids=FORGED_NUMBERS)
async def test_a_forged_number_in_a_cursor_is_refused(world: Database, forged: str) -> None:
    asker, order = ask(world, "contoso-manager"), {"field": "CAPACITY"}
    digest, _, identifier = (await rooms(asker, orderBy=order))["pageInfo"]["startCursor"].split("_")

    cursor = f"{digest}_{forged.encode().hex()}_{identifier}"

    assert await refusal(asker, ROOMS, after=cursor, orderBy=order) == {"code": "BAD_ARGUMENT", "argument": "after"}


@pytest.mark.parametrize("change", (str.upper, lambda cursor: cursor + "\n", lambda cursor: f" {cursor}"))
async def test_a_cursor_written_in_another_way_is_refused(world: Database, change: Any) -> None:
    asker = ask(world, "contoso-manager")
    cursor = (await rooms(asker))["pageInfo"]["endCursor"]

    assert await refusal(asker, ROOMS, after=change(cursor)) == {"code": "BAD_ARGUMENT", "argument": "after"}


OTHER_LISTS = {
    "another order": {"orderBy": {"field": "UPDATED_AT"}},
    "another direction": {"orderBy": {"field": "NAME", "direction": "DESC"}},
    "a filter": {"filter": {"platform": ["WINDOWS"]}},
    "a search": {"filter": {"search": "zü"}},
}


@pytest.mark.parametrize("other", OTHER_LISTS.values(), ids=OTHER_LISTS)
async def test_a_cursor_of_another_order_or_filter_is_refused(world: Database, other: dict[str, Any]) -> None:
    asker = ask(world, "contoso-manager")
    cursor = (await rooms(asker))["pageInfo"]["startCursor"]
    others = (await rooms(asker, **other))["pageInfo"]["startCursor"]

    assert await refusal(asker, ROOMS, after=cursor, **other) == {"code": "BAD_ARGUMENT", "argument": "after"}
    assert await refusal(asker, ROOMS, after=others) == {"code": "BAD_ARGUMENT", "argument": "after"}
    (error,) = (await asker.answer(ROOMS, after=others))["errors"]
    assert "another list" in error["message"]


SAME_LIST: tuple[dict[str, Any], ...] = (
    {},
    {"filter": None},
    {"filter": {}},
    {"filter": {"search": None, "platform": None}},
    {"orderBy": None},
    {"orderBy": {"field": "NAME"}},
    {"orderBy": {"field": "NAME", "direction": "ASC"}},
)


@pytest.mark.parametrize("spelled", SAME_LIST)
async def test_a_cursor_is_of_its_list_however_the_list_is_spelled(world: Database, spelled: dict[str, Any]) -> None:
    asker = ask(world, "contoso-manager")
    whole = await rooms(asker)

    page = await rooms(asker, after=whole["pageInfo"]["startCursor"], **spelled)

    assert ids(page) == ids(whole)[1:]


async def test_every_list_has_cursors_of_its_own(world: Database, atlas: Atlas) -> None:
    asker = ask(world, "contoso-manager")
    germany, ring = named(atlas, "contoso.example: Germany"), named(atlas, "contoso.example: General")
    lists = {
        **{
            name: f"viewer {{ list: {name}%s {{ {PAGE} }} }}"
            for name in ("rooms", "groups", "rings", "roles", "directory")
        },
        "invitations": f"viewer {{ list: invitations(states: [ACCEPTED, REVOKED]) {{ {PAGE} }} }}",
        "of the group": f'viewer: node(id: "{germany}") {{ ... on RoomGroup {{ list: rooms%s {{ {PAGE} }} }} }}',
        "of the ring": f'viewer: node(id: "{ring}") {{ ... on UpdateRing {{ list: rooms%s {{ {PAGE} }} }} }}',
    }
    found = {
        name: (await asker.data(f"{{ {query.replace('%s', '')} }}"))["viewer"]["list"]["pageInfo"]["endCursor"]
        for name, query in lists.items()
    }

    for (name, query), (owner, cursor) in product(lists.items(), found.items()):
        if "%s" in query and name != owner:
            asked = f"{{ {query.replace('%s', f'(after: {chr(34)}{cursor}{chr(34)})')} }}"
            assert await refusal(asker, asked) == {"code": "BAD_ARGUMENT", "argument": "after"}, (name, owner)


async def test_a_cursor_of_one_parents_list_is_a_place_in_those_of_its_siblings(database: Database) -> None:
    both, one = frozenset({0, 1}), frozenset({1})
    places = [Place(number, f"Room {number}", groups=both if number % 2 else one) for number in range(6)]
    asker = await build(database, *places, groups=2)
    query = (
        f"query Groups($after: String) {{ viewer {{ groups {{ nodes {{ rooms(after: $after) {{ {PAGE} }} }} }} }} }}"
    )
    whole = (await asker.data(query))["viewer"]["groups"]["nodes"]

    cursor = whole[1]["rooms"]["edges"][2]["cursor"]

    after = (await asker.data(query, after=cursor))["viewer"]["groups"]["nodes"]
    assert [ids(each["rooms"]) for each in after] == [ids_of([places[3], places[5]]), ids_of(places[3:])]


# --- counts ---------------------------------------------------------------------------------------------------------


def counting(up_to: int | None = None, page: str = "") -> str:
    argument = "" if up_to is None else f"(upTo: {up_to})"
    return f"{{ viewer {{ rooms{page} {{ totalCount{argument} {{ value exact }} }} }} }}"


@pytest.mark.parametrize("up_to, value, exact", ((1, 1, False), (23, 23, False), (24, 24, True), (10_000, 24, True)))
async def test_a_count_looks_no_further_than_it_is_told(world: Database, up_to: int, value: int, exact: bool) -> None:
    asker = ask(world, "contoso-manager")

    for page in ("", "(first: 1)", "(last: 1)"):
        counted_rooms = (await asker.data(counting(up_to, page)))["viewer"]["rooms"]["totalCount"]
        assert counted_rooms == {"value": value, "exact": exact}


async def test_a_count_stops_at_a_thousand_unless_said(database: Database) -> None:
    asker = await build(database, *numbered(1_001))

    assert (await asker.data(counting()))["viewer"]["rooms"]["totalCount"] == {"value": 1_000, "exact": False}
    assert (await asker.data(counting(1_001)))["viewer"]["rooms"]["totalCount"] == {"value": 1_001, "exact": True}


@pytest.mark.parametrize("up_to", (0, -1, 10_001, 2**31 - 1))
async def test_a_count_out_of_bounds_is_refused_and_the_bounds_are_said(
    world: Database, atlas: Atlas, up_to: int
) -> None:
    asker, group = ask(world, "contoso-manager"), named(atlas, "contoso.example: Germany")
    below = f'{{ node(id: "{group}") {{ ... on RoomGroup {{ rooms {{ totalCount(upTo: {up_to}) {{ value }} }} }} }} }}'

    due = {"code": "BAD_ARGUMENT", "argument": "upTo", "min": 1, "max": 10_000}
    assert await refusal(asker, counting(up_to)) == due
    assert await refusal(asker, below) == due


async def test_a_count_is_of_the_whole_list_and_not_of_the_page(world: Database) -> None:
    asker = ask(world, "contoso-manager")
    cursor = (await rooms(asker, first=10))["pageInfo"]["endCursor"]

    page = f'(first: 2, after: "{cursor}", filter: null)'

    assert (await asker.data(counting(page=page)))["viewer"]["rooms"]["totalCount"] == {"value": 24, "exact": True}


async def test_nothing_is_counted_unless_asked(world: Database) -> None:
    asker = replace(ask(world, "contoso-manager"), engine=FIELD_BY_FIELD)
    one_level = "{ viewer { rooms { nodes { id } %s } } }"
    two_levels = "{ viewer { groups { nodes { rooms { nodes { id } %s } } } } }"

    for query in (one_level, two_levels):
        with counted(world) as without:
            await asker.data(query % "")
        with counted(world) as skipped:
            await asker.data(query % "totalCount @skip(if: true) { value }")
        with counted(world) as counting_too:
            await asker.data(query % "totalCount { value }")

        assert len(counting_too) == len(without) + 1
        assert len(skipped) == len(without)
        assert not [statement for statement in without if "count(" in statement.lower()]
