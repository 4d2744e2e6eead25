"""The rooms on pages as Graph's `GET /places/microsoft.graph.room` answers them (domain.md D9)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.domain.text import name_key
from app.domain.vocabulary import BookingType
from app.storage.graph_pages import MAX_WHOLE, Entry, Page, Reading, read_pages

ROOM_TYPE = "microsoft.graph.room"


@dataclass(frozen=True, slots=True)
class RoomRecord:
    """What a page says about one room, named like the columns that it is stored in."""

    graph_id: str
    account: str
    account_key: str
    """What no two rooms of a tenant share, whatever case their accounts are written in."""
    name: str
    nickname: str | None
    label: str | None
    country_or_region: str | None
    state: str | None
    city: str | None
    postal_code: str | None
    street: str | None
    building: str | None
    floor: str | None
    floor_label: str | None
    latitude: float | None
    longitude: float | None
    capacity: int | None
    tags: tuple[str, ...]
    wheelchair_accessible: bool | None
    booking_type: BookingType


def read_rooms(paths: Sequence[Path], on_progress: Callable[[Page], object] = lambda _: None) -> Reading[RoomRecord]:
    """Every room of these files, no two with the same id or account. `on_progress` is called after each file.

    Raises `BadFile`, whose message names file, entry, field and what was expected.
    """
    unique = {"id": lambda room: room.graph_id, "emailAddress": lambda room: room.account_key}
    return read_pages(paths, read_room, unique, on_progress)


def read_room(entry: Entry) -> RoomRecord:
    """The room in this entry; what is wrong with it is noted there."""
    entry.check_type(ROOM_TYPE)  # a room list has an id, a name and an account, too
    address, coordinates = entry.inner("address"), entry.inner("geoCoordinates")
    account, floor = entry.required("emailAddress"), entry.whole("floorNumber", -MAX_WHOLE)
    return RoomRecord(
        graph_id=entry.required("id"),
        account=account,
        account_key=name_key(account),
        name=entry.required("displayName"),
        nickname=entry.text("nickname"),
        label=entry.text("label"),
        country_or_region=address.text("countryOrRegion"),
        state=address.text("state"),
        city=address.text("city"),
        postal_code=address.text("postalCode"),
        street=address.text("street"),
        building=entry.text("building"),
        floor=None if floor is None else str(floor),
        floor_label=entry.text("floorLabel"),
        latitude=coordinates.number("latitude", -90, 90),
        longitude=coordinates.number("longitude", -180, 180),
        capacity=entry.whole("capacity"),
        tags=entry.texts("tags"),
        wheelchair_accessible=read_accessibility(entry),
        booking_type=read_booking_type(entry),
    )


def read_accessibility(entry: Entry) -> bool | None:
    """Whether a wheelchair gets in; Graph's reference and its examples spell the field differently."""
    here, there = entry.flag("isWheelChairAccessible"), entry.flag("isWheelchairAccessible")
    return there if here is None else here


def read_booking_type(entry: Entry) -> BookingType:
    """How the room is booked.

    A word that is none of Graph's three is refused: Graph's list is closed (it lacks the member that announces others),
    so the word is a mistake, and storing UNKNOWN for it would silently undo what the last import knew.
    """
    return entry.word("bookingType", BookingType) or BookingType.UNKNOWN
