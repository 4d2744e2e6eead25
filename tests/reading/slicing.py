"""What a page has to be, said once more without SQL: the whole list in memory, sorted and cut."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cmp_to_key

from app.domain.moments import print_instant
from app.domain.text import name_key
from app.reading.cursors import Position
from app.reading.pages import Window
from tests.reading.campus import NOW, Place


@dataclass(frozen=True)
class Sorting:
    """What rooms are sorted by, and which way."""

    field: str = "NAME"
    descending: bool = False

    def position(self, place: Place) -> Position:
        updated = print_instant(NOW - timedelta(seconds=place.updated))
        return Position(
            {"NAME": name_key(place.name), "UPDATED_AT": updated, "CAPACITY": place.capacity}[self.field], place.id
        )

    def compare(self, one: Position, other: Position) -> int:
        """Negative where one stands before the other: nulls last both ways, then the value, then the id."""
        if (one.sort is None) != (other.sort is None):
            return 1 if one.sort is None else -1
        mine, theirs = (one.sort or 0, one.key), (other.sort or 0, other.key)
        if isinstance(one.sort, str):
            mine, theirs = (str(one.sort), one.key), (str(other.sort), other.key)
        smaller = (mine > theirs) - (mine < theirs)
        return -smaller if self.descending else smaller

    def whole(self, places: Sequence[Place]) -> list[Position]:
        """Where each room stands that is not retired, in order."""
        return sorted((self.position(each) for each in places if not each.retired), key=cmp_to_key(self.compare))


@dataclass(frozen=True)
class Slice:
    """The keys on a page, and whether anything comes after and before it."""

    keys: list[str]
    has_next: bool
    has_previous: bool


def cut(whole: Sequence[Position], sorting: Sorting, window: Window) -> Slice:
    """The part of the list that the window shows. An empty page lies where its cursors are."""
    after, before = window.after, window.before
    inside = [
        each
        for each in whole
        if (after is None or sorting.compare(each, after) > 0) and (before is None or sorting.compare(each, before) < 0)
    ]
    shown = inside[-window.size :] if window.backwards else inside[: window.size]
    if shown:
        return Slice([each.key for each in shown], shown[-1] != whole[-1], shown[0] != whole[0])
    has_next = before is not None and any(sorting.compare(each, before) >= 0 for each in whole)
    has_previous = after is not None and any(sorting.compare(each, after) <= 0 for each in whole)
    return Slice([], has_next, has_previous)
