"""An import makes the rooms those of its pages: all at once, on the record, and nothing where nothing differs."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func
from sqlmodel import SQLModel, col, select

from app.access.scoping import unscoped
from app.access.viewer import SYSTEM
from app.domain.audit import AuditAction, entry_hash
from app.domain.refusals import CommandRefused
from app.domain.vocabulary import AuditCategory, AuditOperation, BookingType, EnrollmentState, License, Platform
from app.operations import chunks
from app.operations.importing_rooms import ImportCounts, import_rooms
from app.operations.tenants import add_tenant, find_tenant
from app.operations.work import Work
from app.storage.engines import Database
from app.storage.graph_pages import BadFile, digest
from app.storage.room_keys import RoomKeys, room_keys
from app.storage.room_pages import RoomRecord, read_rooms
from app.storage.tables import (
    Assignment,
    AssignmentRoom,
    AuditEntry,
    Invitation,
    InvitationRoom,
    Room,
    RoomGroup,
    RoomGroupRoom,
    UpdateRing,
)
from tests.operations.importing import FIRST, Importing
from tests.storage.test_room_pages import linked, page, room

WHY = "a test looks at what is stored"
CONTOSO, FABRIKAM = "contoso.example", "fabrikam.example"
SCOPES = (RoomGroupRoom, AssignmentRoom, InvitationRoom)


class Campus(Importing):
    """A database with two customers, and a clock that moves on a day with each import."""

    home = CONTOSO
    files = "rooms"

    async def load(self, *pages: object, domain: str = CONTOSO, **options: Any) -> ImportCounts:
        """Import these pages in this order."""
        reading = read_rooms(self.write(*pages))
        async with self.work(domain) as (work, tenant):
            return await import_rooms(work, tenant, reading, **options)

    async def edit(self, account: str, **columns: Any) -> None:
        """Change a room in another way than by an import."""
        async with self.work() as (work, tenant):
            found = (await work.session.exec(unscoped(select(Room).where(Room.account_key == account), WHY))).one()
            for name, value in columns.items():
                setattr(found, name, value)
            work.record(AuditCategory.ROOM, AuditOperation.UPDATE, AuditAction.ROOM_CREATE, tenant.id, account)

    async def all(self, table: type[SQLModel]) -> list[Any]:
        """Every row of a table."""
        async with self.database.writing() as session:
            return list((await session.exec(unscoped(select(table), WHY))).all())

    async def rooms(self, domain: str = CONTOSO) -> dict[str, Room]:
        """The customer's rooms by name, retired ones too."""
        async with self.database.writing() as session:
            tenant = await find_tenant(session, domain)
            found = await session.exec(unscoped(select(Room).where(Room.tenant_id == tenant.id), WHY))
            return {row.name: row for row in found}

    async def imports(self) -> list[AuditEntry]:
        """What the record says about imports, in the order of the chain."""
        entries = await self.all(AuditEntry)
        return sorted((e for e in entries if e.action == "rooms.import"), key=lambda entry: entry.sequence)

    async def everything(self) -> dict[str, list[dict[str, Any]]]:
        """All that an import could change."""
        tables = (Room, AuditEntry, *SCOPES)
        return {
            str(table.__tablename__): sorted((row.model_dump() for row in await self.all(table)), key=str)
            for table in tables
        }

    async def put_into_scopes(self, *names: str) -> None:
        """A room group, an assignment and an invitation with these rooms."""
        rooms = await self.rooms()
        async with self.work() as (work, tenant):
            of_tenant: dict[str, Any] = {"tenant_id": tenant.id}
            group = RoomGroup(**of_tenant, id=work.new_id(), name="Group", name_key=work.new_id())
            invitation = Invitation(
                **of_tenant,
                id=work.new_id(),
                partner_tenant_id=work.new_id(),
                partner_domain="partner.example",
                sent_at=work.moment,
                expires_at=work.moment,
                terms_version="1",
                terms_digest="1",
            )
            held = select(Assignment).where(Assignment.tenant_id == tenant.id, Assignment.name == "Tenant managers")
            assignment = (await work.session.exec(unscoped(held, WHY))).one()
            await work.store(group, invitation)
            ids = [rooms[name].id for name in names]
            await work.store(
                *(RoomGroupRoom(**of_tenant, group_id=group.id, room_id=id_) for id_ in ids),
                *(AssignmentRoom(**of_tenant, assignment_id=assignment.id, room_id=id_) for id_ in ids),
                *(InvitationRoom(**of_tenant, invitation_id=invitation.id, room_id=id_) for id_ in ids),
            )
            work.created(AuditCategory.ROOM_GROUP, AuditAction.GROUP_CREATE, tenant.id, "Group", group)

    async def in_scopes(self) -> list[set[str]]:
        """The ids of the rooms in room groups, assignments and invitations."""
        return [{row.room_id for row in await self.all(table)} for table in SCOPES]


@pytest.fixture
async def campus(database: Database, tmp_path: Path) -> Campus:
    async with Work.begin(database, SYSTEM, FIRST, "a test") as work:
        await add_tenant(work, name="Contoso", domains=[CONTOSO])
        await add_tenant(work, name="Fabrikam", domains=[FABRIKAM])
    return Campus(database, tmp_path)


def counts(created: int = 0, updated: int = 0, unchanged: int = 0, retired: int = 0) -> ImportCounts:
    return ImportCounts(created, updated, unchanged, retired)


def account(number: int) -> str:
    return f"room-{number}@contoso.example"


def without(row: SQLModel, *names: str) -> dict[str, Any]:
    return row.model_dump(exclude={"version", "updated_at", *names})


@asynccontextmanager
async def statements(database: Database) -> AsyncIterator[list[str]]:
    """What is sent to the database in the meantime."""
    sent: list[str] = []

    def note(_c: object, _cursor: object, sql: str, *_: object) -> None:
        sent.append(sql)

    event.listen(database.writer.sync_engine, "before_cursor_execute", note)
    yield sent
    event.remove(database.writer.sync_engine, "before_cursor_execute", note)


EVERYTHING: dict[str, Any] = {
    "address": {
        "street": "1 Main Street",
        "city": "Zürich",
        "state": "ZH",
        "postalCode": "8001",
        "countryOrRegion": "Switzerland",
    },
    "geoCoordinates": {"latitude": 47.376888, "longitude": "8.541694"},
    "nickname": "The den",
    "label": "Z-1",
    "capacity": "48",
    "building": "Main Straße",
    "floorNumber": -1,
    "floorLabel": "LG",
    "isWheelChairAccessible": False,
    "bookingType": "reserved",
    "tags": ["Video", "Quiet"],
}


# New rooms


async def test_a_new_room_has_what_the_page_says_and_starts_like_every_new_room(campus: Campus) -> None:
    assert await campus.load(page(room(1, **EVERYTHING))) == counts(created=1)

    (stored,) = (await campus.rooms()).values()
    (general,) = [r for r in await campus.all(UpdateRing) if r.name == "General" and r.tenant_id == stored.tenant_id]
    keys = room_keys(
        name="Room 1", account=account(1), label="Z-1", nickname="The den", building="Main Straße", city="Zürich"
    )
    assert stored.model_dump() == {
        "tenant_id": stored.tenant_id,
        "id": stored.id,
        "version": 1,
        "created_at": campus.now,
        "updated_at": campus.now,
        "retired_at": None,
        "graph_id": "id-1",
        "account": account(1),
        "name": "Room 1",
        "label": "Z-1",
        "nickname": "The den",
        "country_or_region": "Switzerland",
        "state": "ZH",
        "city": "Zürich",
        "postal_code": "8001",
        "street": "1 Main Street",
        "campus": None,
        "building": "Main Straße",
        "floor": "-1",
        "floor_label": "LG",
        "latitude": 47.376888,
        "longitude": 8.541694,
        "time_zone": None,
        "capacity": 48,
        "tags": ["Video", "Quiet"],
        "wheelchair_accessible": False,
        "booking_type": BookingType.RESERVED,
        "platform": Platform.OTHER,
        "device_manufacturer": None,
        "license": License.NONE,
        "enrollment": EnrollmentState.ONBOARDING,
        "ring_id": general.id,
        **keys,
    }


async def test_new_rooms_may_be_enrolled_and_those_that_are_there_stay_as_they_are(campus: Campus) -> None:
    await campus.load(page(room(1)))
    await campus.load(page(room(1, label="new"), room(2)), enrolled=True)

    rooms = await campus.rooms()
    assert rooms["Room 1"].enrollment is EnrollmentState.ONBOARDING
    assert rooms["Room 2"].enrollment is EnrollmentState.ENROLLED


async def test_files_may_come_in_any_order(campus: Campus) -> None:
    pages = [linked(room(1), room(2), skip=2), linked(room(3), skip=3), page(room(4))]
    await campus.load(*pages[::-1], retire_missing=True)
    before = await campus.everything()

    for order in permutations(pages):
        assert await campus.load(*order, retire_missing=True) == counts(unchanged=4)

    assert await campus.everything() == before
    assert set(await campus.rooms()) == {"Room 1", "Room 2", "Room 3", "Room 4"}


async def test_rooms_of_another_customer_are_left_alone(campus: Campus) -> None:
    await campus.load(page(room(1), room(2)), domain=FABRIKAM)
    before = await campus.rooms(FABRIKAM)

    assert await campus.load(page(room(1, label="ours")), retire_missing=True) == counts(created=1)

    assert await campus.rooms(FABRIKAM) == before
    assert (await campus.rooms())["Room 1"].id != before["Room 1"].id


# The same again


async def test_a_second_import_changes_nothing_and_writes_nothing(campus: Campus) -> None:
    pages = [page(room(1, **EVERYTHING), room(2)), page(room(3))]
    await campus.load(*pages)
    before = await campus.everything()

    async with statements(campus.database) as sent:
        assert await campus.load(*pages) == counts(unchanged=3)

    assert await campus.everything() == before
    assert [sql for sql in sent if not sql.startswith(("SELECT", "BEGIN"))] == []


CHANGES: list[dict[str, Any]] = [
    {"displayName": "Another"},
    {"emailAddress": "another@contoso.example"},
    {"emailAddress": account(1).upper()},
    {"nickname": None},
    {"label": "z-1"},
    {"capacity": 49},
    {"building": None},
    {"floorNumber": 0},
    {"floorLabel": "lg"},
    {"isWheelChairAccessible": None},
    {"bookingType": "standard"},
    {"tags": ["Quiet", "Video"]},
    {"tags": []},
    {"geoCoordinates": EVERYTHING["geoCoordinates"] | {"latitude": 47.376889}},
    {"geoCoordinates": EVERYTHING["geoCoordinates"] | {"longitude": None}},
    *({"address": EVERYTHING["address"] | {name: None}} for name in EVERYTHING["address"]),
]


async def test_any_field_that_differs_makes_a_new_version(campus: Campus) -> None:
    await campus.load(page(room(1, **EVERYTHING), room(2)))
    first = await campus.rooms()

    for number, change in enumerate(CHANGES, 1):
        pages = page(room(1, **EVERYTHING | change), room(2))
        assert await campus.load(pages) == counts(updated=1, unchanged=1), change

        after = {stored.graph_id: stored for stored in (await campus.rooms()).values()}
        changed = after["id-1"]
        assert after["id-2"] == first["Room 2"]
        assert (changed.version, changed.updated_at) == (2 * number, campus.now)
        assert (changed.id, changed.created_at) == (first["Room 1"].id, first["Room 1"].created_at)
        assert as_read(changed) == asdict(read_rooms(campus.write(pages)).records[0]), change
        assert changed.model_dump(include=set(RoomKeys.__annotations__)) == keys_of(changed), change

        assert await campus.load(page(room(1, **EVERYTHING), room(2))) == counts(updated=1, unchanged=1)
        assert without((await campus.rooms())["Room 1"]) == without(first["Room 1"])


def as_read(stored: Room) -> dict[str, Any]:
    """What a page says about a room that is stored so."""
    return stored.model_dump(include={f.name for f in fields(RoomRecord)}) | {"tags": tuple(stored.tags)}


def keys_of(stored: Room) -> RoomKeys:
    """The keys that follow from what is stored."""
    return room_keys(
        name=stored.name,
        account=stored.account,
        label=stored.label,
        nickname=stored.nickname,
        building=stored.building,
        city=stored.city,
    )


async def test_what_graph_does_not_say_is_kept(campus: Campus) -> None:
    await campus.load(page(room(1), room(2)))
    await campus.put_into_scopes("Room 1")
    (staging,) = [r for r in await campus.all(UpdateRing) if r.name == "Staging" and r.tenant_id == await own(campus)]
    kept = {
        "ring_id": staging.id,
        "campus": "North",
        "time_zone": "Europe/Zurich",
        "platform": Platform.ANDROID,
        "device_manufacturer": "Maker",
        "license": License.PRO,
        "enrollment": EnrollmentState.UNENROLLED,
    }
    await campus.edit(account(1), **kept)
    scopes = await campus.in_scopes()

    assert await campus.load(page(room(1, label="new"), room(2))) == counts(updated=1, unchanged=1)

    changed = (await campus.rooms())["Room 1"]
    assert changed.label == "new"
    assert {name: getattr(changed, name) for name in kept} == kept
    assert await campus.in_scopes() == scopes == [{changed.id}] * 3


async def own(campus: Campus) -> str:
    async with campus.database.writing() as session:
        return (await find_tenant(session, CONTOSO)).id


# Which room is which


async def test_a_room_without_a_graph_id_is_known_by_its_account_and_takes_the_id(campus: Campus) -> None:
    await campus.load(page(room(1)))
    await campus.edit(account(1), graph_id=None)
    before = (await campus.rooms())["Room 1"]

    assert await campus.load(page(room(1, emailAddress=account(1).upper()))) == counts(updated=1)

    after = (await campus.rooms())["Room 1"]
    assert (after.id, after.graph_id, after.account) == (before.id, "id-1", account(1).upper())


async def test_a_room_that_was_made_anew_in_graph_is_known_by_its_account(campus: Campus) -> None:
    await campus.load(page(room(1)))
    before = (await campus.rooms())["Room 1"]

    assert await campus.load(page(room(1, id="id-9")), retire_missing=True) == counts(updated=1)

    after = (await campus.rooms())["Room 1"]
    assert (after.id, after.graph_id, after.retired_at) == (before.id, "id-9", None)


async def test_the_graph_id_is_asked_before_the_account(campus: Campus) -> None:
    await campus.load(page(room(1)))
    before = (await campus.rooms())["Room 1"]

    moved, new = room(1, emailAddress=account(9)), room(2, emailAddress=account(1))
    assert await campus.load(page(new, moved)) == counts(created=1, updated=1)

    after = await campus.rooms()
    assert (after["Room 1"].id, after["Room 1"].account) == (before.id, account(9))
    assert (after["Room 2"].graph_id, after["Room 2"].account) == ("id-2", account(1))


async def test_rooms_may_exchange_their_accounts(campus: Campus) -> None:
    await campus.load(page(*map(room, (1, 2, 3))))
    now = {number: number for number in (1, 2, 3)}

    for turn in [(2, 1, 3), (3, 2, 1), (1, 3, 2), (3, 2, 1), (2, 1, 3), (1, 2, 3)]:
        before = await campus.rooms()
        moved = {number for number, other in enumerate(turn, 1) if now[number] != other}
        now = dict(enumerate(turn, 1))
        pages = page(*(room(number, emailAddress=account(other)) for number, other in now.items()))
        assert await campus.load(pages) == counts(updated=len(moved), unchanged=3 - len(moved))

        for number, other in now.items():
            was, stored = before[f"Room {number}"], (await campus.rooms())[f"Room {number}"]
            assert (stored.id, stored.account, stored.account_key) == (was.id, account(other), account(other))
            assert stored.version == was.version + (number in moved)


async def test_an_account_of_two_rooms_is_refused_and_nothing_is_written(campus: Campus) -> None:
    await campus.load(page(room(1), room(2), room(3)))
    rooms, before = await campus.rooms(), await campus.everything()
    ids = {name: f"room_{stored.tenant_id}_{stored.id}" for name, stored in rooms.items()}

    with pytest.raises(BadFile) as refused:
        await campus.load(page(room(3, label="new"), room(4)), page(room(5), room(1, emailAddress=account(2))))

    assert str(refused.value) == (
        'rooms-2.json: entry 2 ("Room 1"): emailAddress: expected an account that no other room has, '
        f'got "{account(2)}" of "Room 2" ({ids["Room 2"]}), which is on none of these pages; '
        f'by its id this is "Room 1" ({ids["Room 1"]})'
    )
    assert await campus.everything() == before


async def test_a_room_registered_by_hand_keeps_its_account(campus: Campus) -> None:
    await campus.load(page(room(1), room(2)))
    await campus.edit(account(2), graph_id=None)
    before = await campus.everything()

    with pytest.raises(BadFile, match='of "Room 2"'):
        await campus.load(page(room(1, emailAddress=account(2))), retire_missing=True)

    assert await campus.everything() == before


async def test_a_retired_room_gives_up_its_account_and_is_the_same_when_it_is_back_with_another(campus: Campus) -> None:
    await campus.load(page(room(1), room(2)))
    before = await campus.rooms()
    taken = room(1, emailAddress=account(2))

    assert await campus.load(page(taken), retire_missing=True) == counts(updated=1, retired=1)
    assert await campus.load(page(taken), retire_missing=True) == counts(unchanged=1)
    assert (await campus.rooms())["Room 1"].account_key == account(2)

    assert await campus.load(page(taken, room(2, emailAddress=account(9)))) == counts(updated=1, unchanged=1)
    back = (await campus.rooms())["Room 2"]
    assert (back.id, back.retired_at, back.account_key) == (before["Room 2"].id, None, account(9))


async def test_a_room_that_was_retired_before_gives_up_its_account_without_a_new_version(campus: Campus) -> None:
    await campus.load(page(room(1), room(2)))
    await campus.load(page(room(1)), retire_missing=True)
    before = (await campus.rooms())["Room 2"]

    assert await campus.load(page(room(1, emailAddress=account(2)))) == counts(updated=1)

    after = await campus.rooms()
    assert after["Room 1"].account_key == account(2)
    assert after["Room 2"].model_dump(exclude={"account_key"}) == before.model_dump(exclude={"account_key"})


# Rooms that are gone


async def test_a_room_that_is_missing_is_retired_and_leaves_every_scope(campus: Campus) -> None:
    await campus.load(page(*map(room, range(1, 5))))
    await campus.edit(account(4), graph_id=None)
    await campus.put_into_scopes("Room 1", "Room 2", "Room 4")
    before = await campus.rooms()

    assert await campus.load(page(room(1)), retire_missing=True) == counts(unchanged=1, retired=2)

    after = await campus.rooms()
    for name in ("Room 2", "Room 3"):
        assert (after[name].retired_at, after[name].updated_at, after[name].version) == (campus.now, campus.now, 2)
        assert without(after[name], "retired_at") == without(before[name], "retired_at")
    assert [after[name] for name in ("Room 1", "Room 4")] == [before[name] for name in ("Room 1", "Room 4")]
    assert await campus.in_scopes() == [{after["Room 1"].id, after["Room 4"].id}] * 3


async def test_what_is_missing_stays_unless_it_is_to_be_retired(campus: Campus) -> None:
    await campus.load(page(room(1), room(2)))
    await campus.put_into_scopes("Room 2")
    before = await campus.everything()

    assert await campus.load(page(room(1))) == counts(unchanged=1)

    assert await campus.everything() == before


async def test_a_retired_room_is_not_retired_again(campus: Campus) -> None:
    await campus.load(page(room(1), room(2)))
    await campus.load(page(room(1)), retire_missing=True)
    before = await campus.everything()

    assert await campus.load(page(room(1)), retire_missing=True) == counts(unchanged=1)

    assert await campus.everything() == before


async def test_a_list_with_gaps_retires_nothing(campus: Campus) -> None:
    await campus.load(page(room(1), room(2)))
    before = await campus.everything()

    with pytest.raises(BadFile, match="not a complete set of pages"):
        await campus.load(linked(room(1), skip=1), retire_missing=True)

    assert await campus.everything() == before


@pytest.mark.parametrize("entry", [room(2), room(2, id="id-9")], ids=["by its Graph id", "by its account"])
async def test_a_room_that_is_back_is_the_same_room_in_no_scope(campus: Campus, entry: dict[str, Any]) -> None:
    await campus.load(page(room(1), room(2)))
    await campus.put_into_scopes("Room 1", "Room 2")
    before = await campus.rooms()
    await campus.load(page(room(1)), retire_missing=True)

    assert await campus.load(page(room(1), entry)) == counts(updated=1, unchanged=1)

    back = (await campus.rooms())["Room 2"]
    assert (back.id, back.retired_at, back.version) == (before["Room 2"].id, None, 3)
    assert (back.updated_at, back.created_at) == (campus.now, before["Room 2"].created_at)
    assert await campus.in_scopes() == [{before["Room 1"].id}] * 3


async def test_a_room_that_was_put_into_a_scope_while_it_was_retired_comes_back_in_none(campus: Campus) -> None:
    await campus.load(page(room(1), room(2)))
    await campus.load(page(room(1)), retire_missing=True)
    await campus.put_into_scopes("Room 1", "Room 2")

    await campus.load(page(room(1), room(2)))

    assert await campus.in_scopes() == [{(await campus.rooms())["Room 1"].id}] * 3


# The time zone


async def test_a_time_zone_is_that_of_every_room_in_the_files(campus: Campus) -> None:
    await campus.load(page(room(1), room(2)))

    pages = page(room(2), room(3))
    assert await campus.load(pages, time_zone="Europe/Zurich") == counts(created=1, updated=1)
    assert await campus.load(pages, time_zone="Europe/Zurich") == counts(unchanged=2)
    assert await campus.load(pages) == counts(unchanged=2)

    zones = {name: stored.time_zone for name, stored in (await campus.rooms()).items()}
    assert zones == {"Room 1": None, "Room 2": "Europe/Zurich", "Room 3": "Europe/Zurich"}


async def test_what_is_no_time_zone_is_refused(campus: Campus) -> None:
    before = await campus.everything()

    for name in ("Europe/Zürich", "europe/zurich", "W. Europe Standard Time", "../Europe/Zurich", ""):
        with pytest.raises(CommandRefused, match="is not an IANA time zone such as Europe/Zurich"):
            await campus.load(page(room(1)), time_zone=name)

    assert await campus.everything() == before


# The record


async def test_an_import_is_one_line_of_the_record_with_counts_and_digest(campus: Campus) -> None:
    await campus.load(page(room(1), room(2)), page(room(3)))
    await campus.load(page(room(1, label="new"), room(3)), retire_missing=True)

    expected = digest(read_rooms(campus.write(page(room(1), room(2)), page(room(3)))).pages)
    first, second = await campus.imports()
    assert (first.category, first.operation) == (AuditCategory.ROOM, AuditOperation.CREATE)
    assert (first.object_name, first.subject, first.user_id) == ("3 rooms in 2 files", None, None)
    assert {line["field"]: line["after"] for line in first.changes} == {
        "created": "3",
        "updated": "0",
        "unchanged": "0",
        "retired": "0",
        "digest": expected,
    }
    assert second.operation is AuditOperation.UPDATE
    assert {line["field"]: line["after"] for line in second.changes} | {"digest": ""} == {
        "created": "0",
        "updated": "1",
        "unchanged": "1",
        "retired": "1",
        "digest": "",
    }


async def test_the_chain_holds_after_imports(campus: Campus) -> None:
    await campus.load(page(room(1), room(2)))
    await campus.load(page(room(1)), retire_missing=True)
    await campus.load(page(room(1), room(2)))

    entries = [entry for entry in await campus.all(AuditEntry) if entry.tenant_id == await own(campus)]
    chain = sorted(entries, key=lambda entry: entry.sequence)
    assert [entry.action for entry in chain[-3:]] == ["rooms.import"] * 3
    assert [entry.sequence for entry in chain] == list(range(1, len(chain) + 1))
    assert [entry.previous_hash for entry in chain] == [None, *(entry.hash for entry in chain[:-1])]
    assert [entry.hash for entry in chain] == [entry_hash(entry) for entry in chain]


async def test_an_import_that_fails_midway_leaves_nothing(campus: Campus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 1)
    await campus.load(page(room(1)))
    before = await campus.everything()

    def fail(done: int) -> None:
        if done:
            raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError):
        await campus.load(page(room(1, label="new"), room(2), room(3)), on_progress=fail)

    assert await campus.everything() == before


# Many rooms


async def test_progress_adds_up_to_the_rooms_that_were_read(campus: Campus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 2)
    told: list[int] = []

    await campus.load(page(*map(room, range(1, 6))), on_progress=told.append)
    assert told == [0, 2, 2, 1]

    told.clear()
    changed = [room(number, label="new") for number in (1, 2, 3)]
    await campus.load(page(*changed, room(4), room(6)), retire_missing=True, on_progress=told.append)
    assert told == [1, 2, 1, 1]


async def test_every_chunk_is_written(campus: Campus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 2)
    everyone = range(1, 8)

    assert await campus.load(page(*map(room, everyone))) == counts(created=7)
    turned = [room(number, emailAddress=account(number % 7 + 1)) for number in everyone]
    assert await campus.load(page(*turned)) == counts(updated=7)
    assert await campus.load(page(*turned)) == counts(unchanged=7)
    assert await campus.load(page(), retire_missing=True) == counts(retired=7)
    assert await campus.load(page(*map(room, everyone))) == counts(updated=7)
    assert {stored.account_key for stored in (await campus.rooms()).values()} == set(map(account, everyone))


def many(numbers: Iterable[int], **fields: Any) -> dict[str, Any]:
    return page(*(room(number, **fields) for number in numbers))


async def test_the_number_of_statements_does_not_grow_with_the_rooms(campus: Campus) -> None:
    async def steps(size: int, domain: str) -> list[int]:
        """How many statements it takes to create, change, retire and bring back this many rooms."""
        numbers, taken = range(1, size + 1), []
        imports: list[Callable[[], Any]] = [
            lambda: campus.load(many(numbers), domain=domain),
            lambda: campus.load(many(numbers, label="new"), domain=domain),
            lambda: campus.load(many([]), domain=domain, retire_missing=True),
            lambda: campus.load(many(numbers), domain=domain),
        ]
        for run in imports:
            async with statements(campus.database) as sent:
                await run()
            taken.append(len(sent))
        return taken

    assert await steps(2, CONTOSO) == await steps(200, FABRIKAM)


async def test_two_imports_at_once_follow_each_other(campus: Campus) -> None:
    reading = read_rooms(campus.write(page(*map(room, range(1, 300)))))

    async def load(moment: datetime) -> ImportCounts:
        async with Work.begin(campus.database, SYSTEM, moment, "a test") as work:
            return await import_rooms(work, await find_tenant(work.session, CONTOSO), reading)

    found = await asyncio.gather(load(FIRST), load(FIRST + timedelta(seconds=1)))

    assert sorted(found, key=str) == [counts(unchanged=299), counts(created=299)]
    assert len(await campus.imports()) == 1
    async with campus.database.writing() as session:
        assert (await session.exec(unscoped(select(func.count(col(Room.id))), WHY))).one() == 299
