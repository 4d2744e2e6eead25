"""Connections: the one shape that every list has, and how a page becomes one."""

import inspect
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from app.domain.permissions import Right
from app.domain.refusals import bad_argument
from app.graph.context import Context, Info
from app.graph.declaring import (
    PART,
    Outlining,
    Place,
    always,
    make,
    plain,
    resolved,
    shape,
    unannotated,
    value_type,
)
from app.reading import selections as s
from app.reading.cursors import digest, read_cursor
from app.reading.declaring import Many, Noun, Order
from app.reading.filters import Filters, as_literals
from app.reading.pages import Count, Listing, Page, Window, below, read_size
from app.reading.slots import ListAsked, PageAsked, Slot, page_slot

Thing = TypeVar("Thing")
DEFAULT_COUNT, MAX_COUNT = 1_000, 10_000
"""No count looks at more rows than this; where nothing is said, it stops after the first."""

First = Annotated[
    int | None,
    strawberry.argument(description="How many from the start, 1 to 100; 50 when neither `first` nor `last` is given."),
]
After = Annotated[str | None, strawberry.argument(description="Only what comes after this cursor of the same list.")]
Last = Annotated[int | None, strawberry.argument(description="How many from the end, 1 to 100; not with `first`.")]
Before = Annotated[str | None, strawberry.argument(description="Only what comes before this cursor of the same list.")]
UpTo = Annotated[
    int, strawberry.argument(description="Stop counting here, 1 to 10,000; `exact` is false where there are more.")
]


@value_type("Where a page lies in its list.")
class PageInfo:
    """Where a page lies in its list."""

    has_next_page: bool = plain(
        "Whether anything comes after this page, also when paging backwards.", plan=always(s.InfoPart("has_next"))
    )
    has_previous_page: bool = plain(
        "Whether anything comes before this page, also when paging forwards.", plan=always(s.InfoPart("has_previous"))
    )
    start_cursor: str | None = plain(
        "Cursor of the first element, to page backwards from; null on an empty page.", plan=always(s.InfoPart("start"))
    )
    end_cursor: str | None = plain(
        "Cursor of the last element, to page forwards from; null on an empty page.", plan=always(s.InfoPart("end"))
    )


@value_type("A count that never looks at more than `upTo` rows.")
class BoundedCount:
    """A count that stops."""

    value: int = plain("How many there are, or `upTo` where there are more.", plan=always(s.CountPart("value")))
    exact: bool = plain("Whether `value` is all of them.", plan=always(s.CountPart("exact")))


async def total_count(root: strawberry.Parent[Any], up_to: UpTo = DEFAULT_COUNT) -> BoundedCount:
    """How many elements the list has."""
    count = await root.counter(count_bound(up_to))
    return make(BoundedCount, value=count.value, exact=count.exact)


def count_bound(up_to: int) -> int:
    """Where a count stops. Raises BAD_ARGUMENT."""
    if not 1 <= up_to <= MAX_COUNT:
        raise bad_argument("upTo", f"`upTo` is 1 to {MAX_COUNT}, not {up_to}.", min=1, max=MAX_COUNT)
    return up_to


def plan_count(outlining: Outlining, place: Place) -> s.Count:
    """The plan of a count."""
    slot = outlining.slot(place, lambda given, _: Slot(count_bound(given.get("up_to", DEFAULT_COUNT))))
    return s.Count(slot, outlining.fields(place))


@value_type("An element of a list and where it stands.")
class Edge(Generic[Thing]):
    """An element of a list."""

    cursor: str = plain(
        "Where the element stands, to page from; keep order and filters the same.", plan=always(s.Cursor())
    )
    node: Thing = plain("The element.", plan=lambda outlining, place: s.Node(outlining.objects(place)))


@value_type("A page of a list.")
class Connection(Generic[Thing]):
    """A page of a list."""

    edges: list[Edge[Thing]] = plain(
        "The elements of this page with their cursors.",
        plan=lambda outlining, place: s.Edges(outlining.fields(place)),
    )
    nodes: list[Thing] = plain(
        "The elements of this page, without cursors.",
        plan=lambda outlining, place: s.Nodes(outlining.objects(place)),
    )
    page_info: PageInfo = plain(
        "Where this page lies in the list.", plan=lambda outlining, place: s.Info(outlining.fields(place))
    )
    counter: strawberry.Private[Callable[[int], Awaitable[Count]]]
    total_count: BoundedCount | None = resolved(
        total_count, "How many elements the whole list has; computed only if you ask.", right=PART, plan=plan_count
    )


def connect(noun: Noun, page: Page, counter: Callable[[int], Awaitable[Count]]) -> Connection[Any]:
    """The connection that shows a page."""
    nodes = [shape(noun, row) for row in page.rows]
    cursors = [page.cursor(row) for row in page.rows]
    info = make(
        PageInfo,
        has_next_page=page.has_next,
        has_previous_page=page.has_previous,
        start_cursor=cursors[0] if cursors else None,
        end_cursor=cursors[-1] if cursors else None,
    )
    edges = [make(Edge, cursor=cursor, node=node) for cursor, node in zip(cursors, nodes, strict=True)]
    return make(Connection, edges=edges, nodes=nodes, page_info=info, counter=counter)


def given(value: Any) -> Any:
    """An argument's value, None where it was left out."""
    return None if value is strawberry.UNSET else value


def otherwise(value: Any, default: Any) -> Any:
    """An argument's value, or what stands for one that was left out or null."""
    return default if given(value) is None else value


Paging = Mapping[str, Any]
"""`first`, `after`, `last` and `before`, as far as they are given."""


def read_window(context: Context, digest: str, order: Order, paging: Paging) -> Window:
    """The part of the list that is asked for. Raises BAD_ARGUMENT."""
    first, after, last, before = (given(paging.get(name)) for name in PAGING)
    size, backwards = read_size(first, last, context.limits.max_page_size)
    positions = {
        name: None if cursor is None else read_cursor(name, cursor, digest, order)
        for name, cursor in (("after", after), ("before", before))
    }
    return Window(size, backwards, **positions)


@dataclass(frozen=True, slots=True)
class Asked:
    """A whole list: which noun, narrowed by what, sorted how."""

    noun: Noun
    where: tuple[Any, ...] = ()
    filters: Filters = field(default_factory=dict)
    given: Any = None
    """The values of the filters: an input object, or a mapping."""
    order: Order | None = None
    right: Right | None = None


@lru_cache(64)
def spelled(by: Any) -> str:
    """What a list is sorted by, as it tells lists apart."""
    return str(by)


def list_of(name: str, asked: Asked) -> tuple[ListAsked, str, Hashable]:
    """The list that is asked for, its digest, and what tells its statement from others'. Raises BAD_ARGUMENT."""
    chosen = asked.given or {}
    values = chosen if isinstance(chosen, Mapping) else vars(chosen)
    named = {key: value for key, value in values.items() if key in asked.filters and given(value) is not None}
    order = asked.order or asked.noun.order
    filters = tuple((asked.filters[key], asked.filters[key].read(value)) for key, value in named.items())
    place = (name, spelled(order.by), order.descending)
    listed = ListAsked(asked.noun, asked.where, asked.right, order, filters)
    return listed, digest(*place, named), (*place, *named)


async def root_connection(info: Info, name: str, asked: Asked, paging: Paging) -> Connection[Any]:
    """A page of a whole list."""
    listed, list_digest, _ = list_of(name, asked)
    listing, reader = listing_of(listed, list_digest), info.context.reader
    window = read_window(info.context, list_digest, listing.order, paging)
    return connect(listing.noun, await reader.page(listing, window), lambda up_to: reader.count(listing, up_to))


def listing_of(listed: ListAsked, list_digest: str) -> Listing:
    """The list for this very request."""
    conditions = [*listed.where, *(as_literals(filter_, meant) for filter_, meant in listed.filters)]
    rows = listed.noun.rows(listed.right).where(*conditions)
    parts = tuple(part.where(*conditions) for part in listed.noun.ways(listed.right))
    return Listing(listed.noun, rows, listed.order, list_digest, parts=parts, is_narrowed=bool(listed.filters))


PAGING = ("first", "after", "last", "before")


def apart(arguments: Mapping[str, Any]) -> tuple[Paging, dict[str, Any]]:
    """A field's arguments: those that page, and its own."""
    own = {name: value for name, value in arguments.items() if name not in PAGING}
    return {name: arguments[name] for name in PAGING if name in arguments}, own


def paged(
    ask: Callable[..., Asked],
    description: str,
    *,
    right: Right,
    prepare: Callable[[Context], Awaitable[None]] | None = None,
    unless: Callable[[], Any] | None = None,
) -> Any:
    """A field with a whole list. `ask` takes the field's own arguments and says which list; paging is added to it.

    `prepare` makes the list complete before it is read; there is something to prepare only if what `unless` says holds.
    """

    async def resolve(
        info: Info,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        last: Last = strawberry.UNSET,
        before: Before = strawberry.UNSET,
        **own: Any,
    ) -> Any:
        asked = ask(**own)
        if prepare is not None:
            await prepare(info.context)
        paging = {"first": first, "after": after, "last": last, "before": before}
        return await root_connection(info, ask.__name__, asked, paging)

    def read(arguments: dict[str, Any], context: Context) -> Slot:
        paging, own = apart(arguments)
        listed, list_digest, place = list_of(ask.__name__, ask(**own))
        return page_slot(PageAsked(listed, read_window(context, list_digest, listed.order, paging), list_digest), place)

    def plan(outlining: Outlining, place: Place) -> s.Whole:
        return s.Whole(outlining.slot(place, read), outlining.fields(place), unless)

    return resolved(unannotated(with_arguments_of(ask, resolve)), description, right=right, plan=plan)


def with_arguments_of(ask: Callable[..., Any], resolve: Callable[..., Any]) -> Callable[..., Any]:
    """The resolver with the arguments of `ask` in the place of its `**own`, so that Strawberry finds them."""
    paging = list(inspect.signature(resolve).parameters.values())[:-1]
    arguments = inspect.signature(ask, eval_str=True).parameters.values()
    keywords = [argument.replace(kind=inspect.Parameter.KEYWORD_ONLY) for argument in arguments]
    resolve.__signature__ = inspect.Signature([*paging, *keywords])  # type: ignore[attr-defined]
    return resolve


async def nested_connection(info: Info, edge: Many, parent: tuple[str, str], paging: Paging) -> Connection[Any]:
    """A page below one object, read together with those below its siblings."""
    context, listing = info.context, below(edge)
    window = read_window(context, listing.digest, listing.order, paging)
    found = await context.page(edge, window, parent)
    return connect(edge.target, found, lambda up_to: context.count(edge, up_to, parent))


def many(edge: Many, description: str, narrow: Callable[..., Many] | None = None) -> Any:
    """A field with the objects that belong to this one; `narrow` takes the field's own arguments, if it has some."""
    choose: Callable[..., Many] = narrow or (lambda: edge)

    async def resolve(
        root: strawberry.Parent[Any],
        info: Info,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        last: Last = strawberry.UNSET,
        before: Before = strawberry.UNSET,
        **own: Any,
    ) -> Any:
        paging = {"first": first, "after": after, "last": last, "before": before}
        parent = (root.row.row_tenant, root.row.row_key)
        return await nested_connection(info, choose(**own), parent, paging)

    def read(arguments: dict[str, Any], context: Context) -> Slot:
        paging, own = apart(arguments)
        chosen = choose(**own)
        listing = below(chosen)
        window = read_window(context, listing.digest, listing.order, paging)
        return page_slot(PageAsked(chosen, window, listing.digest), (chosen.name,))

    def plan(outlining: Outlining, place: Place) -> s.Below:
        return s.Below(outlining.slot(place, read), outlining.fields(place))

    arguments = with_arguments_of(choose, resolve)
    return resolved(unannotated(arguments), description, right=edge.right or edge.target.right, plan=plan)
