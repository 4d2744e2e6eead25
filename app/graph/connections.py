"""Connections: the one shape that every list has, and how a page becomes one."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from app.domain.permissions import Right
from app.domain.refusals import bad_argument
from app.graph.context import Context, Info
from app.graph.declaring import PART, make, plain, resolved, shape, unannotated, value_type
from app.reading.cursors import digest, read_cursor
from app.reading.declaring import Many, Noun, Order
from app.reading.filters import Filters
from app.reading.pages import Count, Listing, Page, Window, below, read_size

Thing = TypeVar("Thing")
MAX_COUNT = 10_000
"""No count looks at more rows than this."""

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

    has_next_page: bool = plain("Whether anything comes after this page, also when paging backwards.")
    has_previous_page: bool = plain("Whether anything comes before this page, also when paging forwards.")
    start_cursor: str | None = plain("Cursor of the first element, to page backwards from; null on an empty page.")
    end_cursor: str | None = plain("Cursor of the last element, to page forwards from; null on an empty page.")


@value_type("A count that never looks at more than `upTo` rows.")
class BoundedCount:
    """A count that stops."""

    value: int = plain("How many there are, or `upTo` where there are more.")
    exact: bool = plain("Whether `value` is all of them.")


async def total_count(root: strawberry.Parent[Any], up_to: UpTo = 1000) -> BoundedCount:
    """How many elements the list has."""
    if not 1 <= up_to <= MAX_COUNT:
        raise bad_argument("upTo", f"`upTo` is 1 to {MAX_COUNT}, not {up_to}.", min=1, max=MAX_COUNT)
    count = await root.counter(up_to)
    return make(BoundedCount, value=count.value, exact=count.exact)


@value_type("An element of a list and where it stands.")
class Edge(Generic[Thing]):
    """An element of a list."""

    cursor: str = plain("Where the element stands, to page from; keep order and filters the same.")
    node: Thing = plain("The element.")


@value_type("A page of a list.")
class Connection(Generic[Thing]):
    """A page of a list."""

    edges: list[Edge[Thing]] = plain("The elements of this page with their cursors.")
    nodes: list[Thing] = plain("The elements of this page, without cursors.")
    page_info: PageInfo = plain("Where this page lies in the list.")
    counter: strawberry.Private[Callable[[int], Awaitable[Count]]]
    total_count: BoundedCount | None = resolved(
        total_count, "How many elements the whole list has; computed only if you ask.", right=PART
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


def read_window(info: Info, listing: Listing, first: Any, after: Any, last: Any, before: Any) -> Window:
    """The part of the list that is asked for. Raises BAD_ARGUMENT."""
    size, backwards = read_size(given(first), given(last), info.context.limits.max_page_size)
    positions = {
        name: read_cursor(name, cursor, listing.digest, listing.order) if given(cursor) is not None else None
        for name, cursor in (("after", after), ("before", before))
    }
    return Window(size, backwards, positions["after"], positions["before"])


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


def listing_of(name: str, asked: Asked) -> Listing:
    """The list that is asked for. Raises BAD_ARGUMENT for a filter's value."""
    chosen = asked.given or {}
    values = chosen if isinstance(chosen, Mapping) else vars(chosen)
    named = {key: value for key, value in values.items() if key in asked.filters and given(value) is not None}
    conditions = [asked.filters[key](value) for key, value in named.items()]
    order = asked.order or asked.noun.order
    rows = asked.noun.rows(asked.right).where(*asked.where, *conditions)
    return Listing(asked.noun, rows, order, digest(name, str(order.by), order.descending, named))


async def root_connection(info: Info, name: str, asked: Asked, *page: Any) -> Connection[Any]:
    """A page of a whole list."""
    listing, reader = listing_of(name, asked), info.context.reader
    window = read_window(info, listing, *page)
    return connect(listing.noun, await reader.page(listing, window), lambda up_to: reader.count(listing, up_to))


def paged(
    ask: Callable[..., Asked],
    description: str,
    *,
    right: Right,
    prepare: Callable[[Context], Awaitable[None]] | None = None,
) -> Any:
    """A field with a whole list. `ask` takes the field's own arguments and says which list; paging is added to it.

    `prepare` makes the list complete before it is read.
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
        return await root_connection(info, ask.__name__, asked, first, after, last, before)

    return resolved(unannotated(with_arguments_of(ask, resolve)), description, right=right)


def with_arguments_of(ask: Callable[..., Any], resolve: Callable[..., Any]) -> Callable[..., Any]:
    """The resolver with the arguments of `ask` in the place of its `**own`, so that Strawberry finds them."""
    paging = list(inspect.signature(resolve).parameters.values())[:-1]
    arguments = inspect.signature(ask, eval_str=True).parameters.values()
    keywords = [argument.replace(kind=inspect.Parameter.KEYWORD_ONLY) for argument in arguments]
    resolve.__signature__ = inspect.Signature([*paging, *keywords])  # type: ignore[attr-defined]
    return resolve


async def nested_connection(info: Info, edge: Many, parent: str, *page: Any) -> Connection[Any]:
    """A page below one object, read together with those below its siblings."""
    context, window = info.context, read_window(info, below(edge), *page)
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
        return await nested_connection(info, choose(**own), root.row.row_key, first, after, last, before)

    arguments = with_arguments_of(choose, resolve)
    return resolved(unannotated(arguments), description, right=edge.right or edge.target.right)
