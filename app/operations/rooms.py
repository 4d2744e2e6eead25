"""What can be changed about a room without moving it between groups and rings (domain.md 7 #68)."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from app.domain.audit import AuditAction, Changes, changed, told
from app.domain.permissions import Permission
from app.domain.refusals import Refused, RefusedTogether, check_version, invalid_input, not_found
from app.domain.text import CONTROL
from app.domain.vocabulary import AuditCategory, AuditOperation, ChangeEvent
from app.operations.commands import Command, Prepared, Results
from app.operations.naming import take
from app.operations.work import Work
from app.storage.global_ids import global_id
from app.storage.graph_pages import MAX_WHOLE
from app.storage.room_keys import room_keys
from app.storage.tables import NAME_LENGTH, Room

MAX_SEATS = MAX_WHOLE
MAX_TAGS = 100
"""Tags of one room, which are always answered whole."""
PLACES = (
    "country_or_region",
    "state",
    "city",
    "postal_code",
    "street",
    "campus",
    "building",
    "floor",
    "floor_label",
)
"""What is written about where a room is; coordinates and time zone are the device's own (domain.md 6.1)."""
TEXTS = ("label", "nickname")


class NewLocation(BaseModel, frozen=True, extra="forbid"):
    """Where a room is from now on; what is not given stays."""

    country_or_region: str | None = None
    state: str | None = None
    city: str | None = None
    postal_code: str | None = None
    street: str | None = None
    campus: str | None = None
    building: str | None = None
    floor: str | None = None
    floor_label: str | None = None


class UpdateRoom(Command):
    """Changes of a room's location, capacity, label, nickname and tags."""

    event: ClassVar[ChangeEvent] = ChangeEvent.ROOMS_MODIFY

    room: str
    expected_version: int | None = None
    label: str | None = None
    nickname: str | None = None
    capacity: int | None = None
    tags: list[str] | None = None
    location: NewLocation | None = None

    @classmethod
    def facts(cls, subject: Any) -> Mapping[str, str | None]:
        """The room's present values."""
        named = {name: told(getattr(subject, name)) for name in (*TEXTS, "capacity", "tags")}
        return named | {f"location.{name}": getattr(subject, name) for name in PLACES}

    async def prepare(self, work: Work) -> Prepared:
        """What would change of the room. Raises `Refused`, or `RefusedTogether` for what is wrong with the input."""
        seen = await work.find(Room, self.room, Permission.ROOMS_VIEW)
        if seen is None:
            raise not_found("room")
        partnership = await work.acting_at(seen.tenant_id, "room")
        room = await work.obtain(Room, self.room, Permission.ROOMS_MODIFY, "room")
        check_version(room.version, self.expected_version)
        values = self.checked()
        changes = [line for name, value in values.items() for line in self.change(room, name, value)]

        async def apply() -> Results:
            if changes:
                write(work, room, values, changes)
            return {"room": room}

        return Prepared(partnership, room, room.name, changes, apply)

    @staticmethod
    def change(room: Room, name: str, value: Any) -> Changes:
        """The line of one field, if it changes."""
        field = f"location.{name}" if name in PLACES else name
        return changed(field, getattr(room, name), value)

    def checked(self) -> dict[str, Any]:
        """The new values by the room's columns. Raises `RefusedTogether`."""
        place = self.location.model_fields_set if self.location else frozenset[str]()
        given: dict[str, tuple[str, ...]] = {
            name: (name,) for name in (*TEXTS, "capacity", "tags") if name in self.model_fields_set
        }
        given |= {name: ("location", name) for name in PLACES if name in place}
        problems: list[Refused] = []
        if "location" in self.model_fields_set and self.location is None:
            problems.append(invalid_input("A room has a location; clear its parts one by one.", "location"))
        values = {}
        for name, path in given.items():
            value = getattr(self.location if name in place else self, name)
            values[name] = take(problems, CHECKS.get(name, check_text), value, *path)
        if problems:
            raise RefusedTogether(problems)
        return values


def check_text(value: str | None, *path: str) -> str | None:
    """The text without outer spaces, None for a blank one. Raises `Refused`."""
    text = (value or "").strip()
    if len(text) > NAME_LENGTH or CONTROL.search(text):
        raise invalid_input(f"One line of at most {NAME_LENGTH} characters.", *map(to_camel, path), maximum=NAME_LENGTH)
    return text or None


def check_capacity(value: int | None, *path: str) -> int | None:
    """A number of seats. Raises `Refused`."""
    if value is not None and not 0 <= value <= MAX_SEATS:
        raise invalid_input(f"A room has 0 to {MAX_SEATS} seats.", *path, minimum=0, maximum=MAX_SEATS)
    return value


def check_tags(value: list[str] | None, *path: str) -> list[str]:
    """The tags, each once and in their order. Raises `Refused` at the first that is not accepted."""
    tags = [check_text(tag, *path, str(place)) for place, tag in enumerate(value or [])]
    if len(tags) > MAX_TAGS:
        raise invalid_input(f"A room has at most {MAX_TAGS} tags.", *path, maximum=MAX_TAGS)
    return list(dict.fromkeys(tag for tag in tags if tag))


CHECKS: dict[str, Callable[..., Any]] = {"capacity": check_capacity, "tags": check_tags}


def write(work: Work, room: Room, values: Mapping[str, Any], changes: Changes) -> None:
    """Change the room, and the keys that follow from it, on its owner's record."""
    for name, value in values.items():
        setattr(room, name, value)
    keyed = {name: getattr(room, name) for name in ("name", "account", "label", "nickname", "building", "city")}
    for name, key in room_keys(**keyed).items():
        setattr(room, name, key)
    room.version, room.updated_at = room.version + 1, work.moment
    work.record(
        AuditCategory.ROOM,
        AuditOperation.UPDATE,
        AuditAction.ROOM_UPDATE,
        room.tenant_id,
        room.name,
        subject=global_id(room),
        changes=changes,
    )
