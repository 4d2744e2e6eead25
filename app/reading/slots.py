"""What one request says in the arguments of a document: forms, which are part of a statement, and values to bind."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from app.domain.permissions import Right
from app.reading.cursors import Position
from app.reading.declaring import Many, Noun, Order
from app.reading.filters import Filter, Meant
from app.reading.pages import Window


@dataclass(frozen=True, slots=True)
class Slot:
    """What stands in one place. Requests with equal forms in all places share a statement."""

    form: Any
    """Hashable."""
    values: tuple[Any, ...] = ()
    says: Any = None
    """What the statement of this form is written from."""


@dataclass(frozen=True, slots=True)
class ListAsked:
    """A whole list: which noun, narrowed by what, sorted how."""

    noun: Noun
    where: tuple[Any, ...]
    right: Right | None
    order: Order
    filters: tuple[tuple[Filter, Meant], ...]


@dataclass(frozen=True, slots=True)
class PageAsked:
    """A page of a whole list, or of what is at the other end of an edge."""

    listed: ListAsked | Many
    window: Window
    digest: str

    filtered_from = 5
    """Where the values of filters begin: after the digest and two positions."""


def page_slot(asked: PageAsked, name: Hashable) -> Slot:
    """The slot of a page; `name` tells its list from all others that could stand there."""
    window, listed = asked.window, asked.listed
    filters = listed.filters if isinstance(listed, ListAsked) else ()
    form = (name, window.size, window.backwards, form_of(window.after), form_of(window.before))
    values = (asked.digest, *values_of(window.after), *values_of(window.before))
    meant = tuple(meant for _, meant in filters)
    said = tuple(value for each in meant for value in each.values)
    return Slot((*form, *(each.form for each in meant)), (*values, *said), asked)


def form_of(at: Position | None) -> str | None:
    """What of a position is part of the statement."""
    if at is None:
        return None
    return "null" if at.sort is None else "value"


def values_of(at: Position | None) -> tuple[Any, Any]:
    """What of a position is bound."""
    return (None, None) if at is None else (at.sort, at.key)
