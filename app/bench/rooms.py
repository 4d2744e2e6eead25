"""Rooms by the thousand: in buildings all over the world, each in a group with its neighbours."""

from collections.abc import Sequence
from datetime import timedelta

import orjson

from app.bench.loading import Row
from app.bench.making import Maker, Organization
from app.bench.places import PLACES, Place
from app.domain.audit import AuditAction
from app.domain.moments import print_instant
from app.domain.text import name_key
from app.domain.vocabulary import (
    AuditCategory,
    AuditOperation,
    BookingType,
    EnrollmentState,
    License,
    Platform,
)
from app.storage.room_keys import room_keys
from app.storage.tables import Room, RoomGroup, RoomGroupRoom

ROOMS_PER_BUILDING, ROOMS_PER_FLOOR = 100, 20
GENERAL = 1
"""Place of the ring that most rooms are in."""
CAPACITIES = (None, 2, 4, 4, 6, 8, 8, 10, 12, 14, 20, 30, 60, 120)
TAGS = ("display", "whiteboard", "camera", "quiet", "daylight", "catering")
MAKERS = (None, "Fabrikam Devices", "Tailspin Audio", "Litware")
CHANGED_WITHIN = timedelta(days=90)
COLUMNS = (
    "tenant_id", "id", "version", "created_at", "updated_at", "graph_id", "account", "name", "label", "nickname",
    "country_or_region", "city", "postal_code", "street", "campus", "building", "floor", "floor_label", "latitude",
    "longitude", "time_zone", "capacity", "tags", "wheelchair_accessible", "booking_type", "platform",
    "device_manufacturer", "license", "enrollment", "ring_id",
    "name_key", "account_key", "search_key", "city_key", "building_key",
)  # fmt: skip


def place_of(index: int) -> tuple[Place, str]:
    """The city and the building of a room."""
    number = index // ROOMS_PER_BUILDING
    place = PLACES[number % len(PLACES)]
    return place, place.buildings[number // len(PLACES) % len(place.buildings)]


def floor_of(index: int) -> int:
    """The floor of a room."""
    return index % ROOMS_PER_BUILDING // ROOMS_PER_FLOOR


def name_of(index: int) -> str:
    """What a room is called."""
    place, building = place_of(index)
    return f"{place.room} {building} {floor_of(index)}.{index % ROOMS_PER_FLOOR + 1:02d}"


def room_id(maker: Maker, customer: Organization, index: int) -> str:
    """The id of a room."""
    return maker.ids.of("room", customer.domain, index)


def group_id(maker: Maker, customer: Organization, index: int) -> str:
    """The id of a room group."""
    return maker.ids.of("group of rooms", customer.domain, index)


async def add_rooms(maker: Maker, customer: Organization, count: int, group_size: int) -> None:
    """So many rooms, each in a group of this size with its neighbours."""
    rings, groups = await maker.rings(customer), range(-(-count // group_size))
    await maker.loader.load(Room, COLUMNS, (room_row(maker, customer, rings, index) for index in range(count)))
    columns = ("tenant_id", "id", "version", "name", "name_key")
    await maker.loader.load(RoomGroup, columns, (group_row(maker, customer, index, group_size) for index in groups))
    await maker.loader.load(
        RoomGroupRoom,
        ("tenant_id", "group_id", "room_id"),
        (
            (customer.id, group_id(maker, customer, index // group_size), room_id(maker, customer, index))
            for index in range(count)
        ),
    )
    put_import_on_record(maker, customer, count)


def put_import_on_record(maker: Maker, customer: Organization, count: int) -> None:
    """Put a line in the customer's record: its rooms were imported."""
    category, action = AuditCategory.ROOM, AuditAction.ROOMS_IMPORT
    maker.work.record(category, AuditOperation.CREATE, action, customer.id, f"{count} rooms in 1 files")


def group_row(maker: Maker, customer: Organization, index: int, size: int) -> Row:
    """A room group, called by where its first room is."""
    place, building = place_of(index * size)
    name = f"{place.city}, {building} ({index + 1})"
    return customer.id, group_id(maker, customer, index), 1, name, name_key(name)


def room_row(maker: Maker, customer: Organization, rings: Sequence[str], index: int) -> Row:
    """A room in the order of `COLUMNS`. Some know less about themselves than others."""
    draw, (place, building), floor = maker.random, place_of(index), floor_of(index)
    name, account = name_of(index), f"room-{index + 1:07d}@{customer.domain}"
    label = f"{index // ROOMS_PER_BUILDING + 1:03d}-{floor}{index % ROOMS_PER_FLOOR + 1:02d}"
    changed = maker.work.moment - draw.random() * CHANGED_WITHIN
    keys = room_keys(name=name, account=account, label=label, nickname=None, building=building, city=place.city)
    return (
        customer.id,
        room_id(maker, customer, index),
        draw.randint(1, 9),
        print_instant(maker.work.moment - CHANGED_WITHIN),
        print_instant(changed),
        maker.ids.of("room in Graph", customer.domain, index),
        account,
        name,
        label,
        None,
        place.country,
        place.city,
        f"{10_000 + index // ROOMS_PER_BUILDING % 90_000}",
        f"{place.street} {index // ROOMS_PER_BUILDING % 90 + 1}",
        place.city,
        building,
        str(floor),
        f"{floor}. OG" if floor else "EG",
        round(place.latitude + draw.uniform(-0.05, 0.05), 6),
        round(place.longitude + draw.uniform(-0.05, 0.05), 6),
        place.time_zone,
        draw.choice(CAPACITIES),
        orjson.dumps(draw.sample(TAGS, draw.randint(0, 3))).decode(),
        draw.choice((True, False, None)),
        draw.choice(list(BookingType)).value,
        draw.choice(list(Platform)).value,
        draw.choice(MAKERS),
        draw.choice(list(License)).value,
        draw.choice(list(EnrollmentState)).value,
        rings[GENERAL] if draw.random() < 0.8 else draw.choice(rings),
        keys["name_key"],
        keys["account_key"],
        keys["search_key"],
        keys["city_key"],
        keys["building_key"],
    )
