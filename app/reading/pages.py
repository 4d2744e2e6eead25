"""Pages of a noun: from `visible` to rows, for a whole list or for many parents at once.

A page asks for one row more than it shows, so that it knows whether there is a next one without counting. A page for
many parents is one statement, whatever their number.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    FromClause,
    Row,
    and_,
    bindparam,
    func,
    join,
    literal,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from app.access.scoping import Rows, linked, links
from app.config import DEFAULT_PAGE_SIZE
from app.domain.refusals import bad_argument
from app.reading.cursors import Position, beyond, digest, sorting, write_cursor
from app.reading.declaring import Many, Noun, Order, Restrict
from app.storage.columns import text
from app.storage.dialects import are_listed, is_any_of, unindexed

PARENTS = bindparam("parents", type_=text())
Binds = dict[str, Any]
RowKey = tuple[str, str]
"""A row's tenant, and its key within it."""
STATEMENTS = 128
"""Statements of each kind that are kept; they hold no decision and no viewer."""
KEYS = bindparam("keys", type_=text())


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a list is asked for."""

    size: int = DEFAULT_PAGE_SIZE
    backwards: bool = False
    after: Position | None = None
    before: Position | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A list: rows of a noun, narrowed and sorted. The digest tells it from other lists in its cursors."""

    noun: Noun
    rows: Rows
    order: Order
    digest: str
    tenant: Any = None
    parent: Any = None
    """Which parent a row belongs to, where the list is that of several."""
    parts: tuple[Rows, ...] = ()
    """The same rows in parts, if the list is found faster so."""
    is_narrowed: bool = False
    """Whether a client said which rows."""

    @property
    def options(self) -> dict[str, Any]:
        """How its statements are run. Those that clients put together are not kept compiled: there are thousands, each
        takes some 400 kB, and whoever asks again is answered by a plan.
        """
        return {"compiled_cache": None} if self.is_narrowed else {}

    @property
    def apart(self) -> list["Listing"]:
        """The parts as lists, or the list as the one part that it has."""
        return [replace(self, rows=rows, parts=()) for rows in self.parts] or [self]


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in the list's order, and whether there are more on either side."""

    rows: Sequence[Row[Any]]
    has_next: bool
    has_previous: bool
    digest: str

    def cursor(self, row: Row[Any]) -> str:
        """Where the row stands in its list."""
        return write_cursor(self.digest, Position(row.sort_value, row.row_key))


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows there are, or `value` with `exact` false where there are more than were counted."""

    value: int
    exact: bool


def page_size(argument: str, asked: int | None, most: int) -> int | None:
    """`first` or `last` within its bounds. Raises BAD_ARGUMENT, naming them."""
    if asked is not None and not 1 <= asked <= most:
        raise bad_argument(argument, f"`{argument}` is 1 to {most}, not {asked}.", min=1, max=most)
    return asked


def read_size(first: int | None, last: int | None, most: int) -> tuple[int, bool]:
    """How many rows are asked for, and whether from the end. Raises BAD_ARGUMENT."""
    if first is not None and last is not None:
        raise bad_argument("last", "Give `first` or `last`, not both.")
    size = page_size("first", first, most) or page_size("last", last, most) or min(DEFAULT_PAGE_SIZE, most)
    return size, last is not None


def sort_value(order: Order) -> ColumnElement[Any]:
    """What a row is sorted by, as it is stored, for its cursor."""
    return (order.by if order.number else type_coerce(order.by, text())).label("sort_value")


def children(edge: Many, rows: Rows, restrict: Restrict, parents: FromClause | None = None) -> "Listing":
    """The list at the other end of an edge, out of these rows, of the parents that are meant together.

    Where `parents` are rows, each with a key of its own, the condition is asked of them, and the list is found from
    there on.
    """
    target = edge.target
    order, name = edge.order or target.order, digest(edge.name)
    if edge.derive is not None:
        derived = edge.derive(restrict)
        link = select(derived.tenant, derived.parent, derived.child).distinct().subquery()
        tenant, parent, child = link.c
        on = and_(tenant == target.tenant, child == target.key)
        return Listing(target, rows.select_from(join(link, target.table, on)), order, name, tenant, parent)
    tenant = edge.parent.class_.tenant_id
    is_meant = restrict(tenant, edge.parent)
    found = None if parents is None else join(parents, edge.link or target.table, is_meant)
    if edge.link is not None:
        on = and_(tenant == target.tenant, edge.child == target.key) if edge.on is None else edge.on
        rows = linked(rows, edge.link, on, found)
    elif found is not None:
        rows = rows.select_from(found)
    return Listing(target, rows if parents is not None else rows.where(is_meant), order, name, tenant, edge.parent)


def children_of(edge: Many, tenant: Any, key: Any) -> "Listing":
    """The same of one parent, a visible row. Where its tenant is theirs, they are found by their keys, each once, and
    then sorted.
    """
    rows = named_targets(edge)

    def is_it(tenant_column: Any, key_column: Any) -> ColumnElement[bool]:
        return and_(tenant_column == tenant, key_column == key)

    if edge.derive is not None:
        derived = edge.derive(is_it)
        keys = select(derived.child)
    elif edge.child is not None:
        keys = links(edge.link, edge.child, is_it(edge.link.tenant_id, edge.parent))
    else:
        return children(edge, rows, is_it)
    target, order = edge.target, edge.order or edge.target.order
    found = rows.where(target.tenant == tenant, is_any_of(target.key, keys))
    return Listing(target, found, replace(order, by=unindexed(order.by)), digest(edge.name))


def visible_targets(edge: Many) -> Rows:
    """The visible rows at the other end of an edge, not yet narrowed to any parent."""
    return narrowed(edge, edge.target.rows(edge.right))


def named_targets(edge: Many) -> Rows:
    """The same for who narrows them to parents that are visible rows themselves."""
    return visible_targets(edge) if edge.right else narrowed(edge, edge.target.named_by(edge.source))


def narrowed(edge: Many, rows: Rows) -> Rows:
    """Those of the rows that belong to the edge's list."""
    return rows if edge.where is None else rows.where(edge.where)


def inside(listing: Listing, window: Window) -> Rows:
    """The rows of the list between the window's cursors."""
    rows, order, key = listing.rows, listing.order, listing.noun.key
    if window.after:
        rows = rows.where(beyond(order, key, window.after, backwards=False))
    if window.before:
        rows = rows.where(beyond(order, key, window.before, backwards=True))
    return rows


def outside(listing: Listing, window: Window) -> list[tuple[str, Rows]]:
    """The rows of the list that lie beyond the window's cursors, on each side that has one."""
    order, key, sides = listing.order, listing.noun.key, []
    if window.after:
        sides.append(("previous", listing.rows.where(beyond(order, key, window.after, backwards=True, inclusive=True))))
    if window.before:
        sides.append(("next", listing.rows.where(beyond(order, key, window.before, backwards=False, inclusive=True))))
    return sides


def turn(rows: Sequence[Row[Any]], window: Window, beyond_cursors: set[str], digest: str) -> Page:
    """A page from the rows that were fetched, one more than it shows if there are more."""
    shown, more = rows[: window.size], len(rows) > window.size
    ordered = list(reversed(shown)) if window.backwards else shown
    has_next = "next" in beyond_cursors if window.backwards else more or "next" in beyond_cursors
    has_previous = more or "previous" in beyond_cursors if window.backwards else "previous" in beyond_cursors
    return Page(ordered, has_next, has_previous, digest)


def page_statement(listing: Listing, window: Window) -> Rows:
    """The rows of a page, and one more, put together of those of the list's parts."""
    columns = [*listing.noun.columns, sort_value(listing.order)]
    order = sorting(listing.order, listing.noun.key, backwards=window.backwards)
    pages = [
        inside(part, window).order_by(*order).with_only_columns(*columns).limit(window.size + 1)
        for part in listing.apart
    ]
    if len(pages) == 1:
        return pages[0]
    rows = union_all(*(select(*page.subquery().c) for page in pages)).subquery()
    again = sorting(replace(listing.order, by=rows.c.sort_value), rows.c.row_key, backwards=window.backwards)
    found: Rows = select(*rows.c).order_by(*again).limit(window.size + 1)
    return found


async def read_page(connection: AsyncConnection, listing: Listing, window: Window, binds: Binds) -> Page:
    """One page of a list, in one statement, and one more where a cursor leaves something behind."""
    return await fetch_page(connection, page_statement(listing, window), listing, window, binds)


async def fetch_page(
    connection: AsyncConnection, statement: Rows, listing: Listing, window: Window, binds: Binds
) -> Page:
    """The page that the statement answers."""
    rows = (await connection.execute(statement, binds, execution_options=listing.options)).all()
    found = {
        name
        for part in listing.apart
        for name, some in outside(part, window)
        if await is_any(connection, some.with_only_columns(listing.noun.key).limit(1), binds, listing.options)
    }
    return turn(rows, window, found, listing.digest)


async def is_any(connection: AsyncConnection, rows: Rows, binds: Binds, options: Binds | None = None) -> bool:
    """Whether there are any of these rows."""
    return (await connection.execute(rows, binds, execution_options=options)).first() is not None


async def count_rows(connection: AsyncConnection, listing: Listing, up_to: int, binds: Binds) -> Count:
    """How many rows the list has, looking at no more than `up_to` and one."""
    some = [part.rows.with_only_columns(listing.noun.key).limit(up_to + 1).subquery() for part in listing.apart]
    counts = (select(func.count()).select_from(each).scalar_subquery() for each in some)
    counted = await connection.execute(select(sum(counts, literal(0))), binds, execution_options=listing.options)
    return bounded(counted.scalar_one(), up_to)


def bounded(found: int, up_to: int) -> Count:
    """A count that stopped after `up_to`."""
    return Count(min(found, up_to), found <= up_to)


# --- below many parents at once --------------------------------------------------------------------------------------


@cache
def below(edge: Many) -> Listing:
    """The list at the other end of an edge, for the bound parents together."""
    return children(edge, visible_targets(edge), lambda tenant, key: are_listed(tenant, key, PARENTS))


@lru_cache(STATEMENTS)
def alone_statement(edge: Many, window: Window) -> Rows:
    """A page below one parent: the database can stop after it instead of numbering the whole list."""
    return page_statement(below(edge), window)


@lru_cache(STATEMENTS)
def pages_statement(edge: Many, window: Window) -> Rows:
    """A page below each parent, one row more than it shows, in the parents' order."""
    listing = below(edge)
    order = sorting(listing.order, listing.noun.key, backwards=window.backwards)
    place = func.row_number().over(partition_by=(listing.tenant, listing.parent), order_by=order).label("place")
    columns = [*listing.noun.columns, sort_value(listing.order), *parent_of(listing), place]
    placed = inside(listing, window).with_only_columns(*columns).subquery()
    shown: Rows = select(*placed.c).where(placed.c.place <= window.size + 1)
    return shown.order_by(placed.c.parent_tenant, placed.c.parent_key, placed.c.place)


@lru_cache(STATEMENTS)
def counts_statement(edge: Many, up_to: int) -> Rows:
    """How many rows each parent has, looking at no more than `up_to` and one of each."""
    listing = below(edge)
    place = func.row_number().over(partition_by=(listing.tenant, listing.parent)).label("place")
    placed = listing.rows.with_only_columns(*parent_of(listing), place).subquery()
    parent = (placed.c.parent_tenant, placed.c.parent_key)
    counted: Rows = select(*parent, func.count()).where(placed.c.place <= up_to + 1)
    return counted.group_by(*parent)


def parent_of(listing: Listing) -> list[ColumnElement[Any]]:
    """Which parent a row belongs to."""
    return [listing.tenant.label("parent_tenant"), listing.parent.label("parent_key")]


def with_parents(binds: Binds, parents: Sequence[RowKey]) -> Binds:
    """The parents bound as one parameter."""
    return binds | {PARENTS.key: orjson.dumps(parents).decode()}


async def read_pages(
    connection: AsyncConnection, edge: Many, window: Window, parents: Sequence[RowKey], binds: Binds
) -> list[Page]:
    """A page of each parent's list, in one statement for all of them, and one more for each cursor."""
    binds, listing = with_parents(binds, parents), below(edge)
    if len(parents) == 1:
        return [await fetch_page(connection, alone_statement(edge, window), listing, window, binds)]
    fetched: dict[RowKey, list[Row[Any]]] = defaultdict(list)
    for row in await connection.execute(pages_statement(edge, window), binds):
        fetched[row.parent_tenant, row.parent_key].append(row)
    found: dict[RowKey, set[str]] = defaultdict(set)
    for name, rows in outside(listing, window):
        some = rows.with_only_columns(*parent_of(listing)).distinct()
        for tenant, key in await connection.execute(some, binds):
            found[tenant, key].add(name)
    return [turn(fetched[parent], window, found[parent], listing.digest) for parent in parents]


async def count_each(
    connection: AsyncConnection, edge: Many, up_to: int, parents: Sequence[RowKey], binds: Binds
) -> list[Count]:
    """How many rows each parent's list has, in one statement for all of them."""
    rows = await connection.execute(counts_statement(edge, up_to), with_parents(binds, parents))
    found: dict[RowKey, int] = {(tenant, key): count for tenant, key, count in rows}
    return [bounded(found.get(parent, 0), up_to) for parent in parents]


# --- by key ----------------------------------------------------------------------------------------------------------


@cache
def look_up_statement(noun: Noun) -> Rows:
    """The visible rows of a noun with one of the bound keys."""
    return noun.rows().where(are_listed(noun.tenant, noun.key, KEYS)).with_only_columns(*noun.columns)


async def look_up(
    connection: AsyncConnection, noun: Noun, keys: Sequence[RowKey], binds: Binds
) -> list[Row[Any] | None]:
    """The rows with these keys, None for each that does not exist or is not visible."""
    rows = await connection.execute(
        look_up_statement(noun), binds | {KEYS.key: orjson.dumps(sorted(set(keys))).decode()}
    )
    found = {(row.row_tenant, row.row_key): row for row in rows}
    return [found.get(key) for key in keys]
