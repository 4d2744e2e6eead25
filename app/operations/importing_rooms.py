"""Rooms as the customer's Microsoft Graph lists them: stored all together, on one line of the record, or not at all.

A room is known by its Graph id, and where no room has the id, by its account. What Graph does not say (ring, groups,
enrollment, license, device) is never changed. Only rooms that differ are written, a chunk at a time.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from operator import attrgetter
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import Row, Update, bindparam, delete, insert, literal, update
from sqlmodel import col, select

from app.access.scoping import unscoped
from app.domain.audit import AuditAction, made
from app.domain.ids import GlobalId
from app.domain.refusals import CommandRefused
from app.domain.rings import GENERAL
from app.domain.text import name_key
from app.domain.vocabulary import AuditCategory, AuditOperation, EnrollmentState, License, Platform
from app.domain.wording import counted
from app.operations.chunks import CHUNK, Columns, Progress, write
from app.operations.work import Work
from app.storage.graph_pages import Place, Problems, Reading, check_complete, digest, shown
from app.storage.room_keys import room_keys
from app.storage.room_pages import RoomRecord
from app.storage.tables import AssignmentRoom, InvitationRoom, Room, RoomGroupRoom, Tenant, UpdateRing, metadata

COMMAND = "an import acts for no viewer"
STARTS = {False: EnrollmentState.ONBOARDING, True: EnrollmentState.ENROLLED}
"""Where a new room stands, by whether it is said to be enrolled."""
ROOMS = metadata.tables[str(Room.__tablename__)]
SCOPES = (RoomGroupRoom, AssignmentRoom, InvitationRoom)
"""The tables by which a room is in a scope."""
IMPORTED = tuple(field.name for field in fields(RoomRecord))
said = attrgetter(*(name for name in IMPORTED if name != "tags"))
"""What is compared of a record and a room; tags are a tuple in the one and a list in the other."""


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """What became of the rooms; a retired one that is back counts as updated."""

    created: int
    updated: int
    unchanged: int
    retired: int


@dataclass(frozen=True, slots=True)
class Known:
    """A stored room, and what the files say about it, or else about the room that has its account now."""

    id: str
    name: str
    graph_id: str | None
    account_key: str
    is_retired: bool
    record: RoomRecord | None
    differs: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import has to do; rooms that are there already by their ids."""

    created: list[RoomRecord]
    updated: list[tuple[str, RoomRecord]]
    unchanged: int
    retired: list[str]
    parked: list[str]
    """Rooms that give up their account, which another may need before they have a new one."""
    leaves_scopes: bool

    @property
    def counts(self) -> ImportCounts:
        """How much that is."""
        return ImportCounts(len(self.created), len(self.updated), self.unchanged, len(self.retired))


async def import_rooms(
    work: Work,
    tenant: Tenant,
    reading: Reading[RoomRecord],
    *,
    time_zone: str | None = None,
    enrolled: bool = False,
    retire_missing: bool = False,
    on_progress: Progress = lambda _: None,
) -> ImportCounts:
    """Store what was read about this tenant's rooms; `on_progress` is told how many more of them are done.

    The time zone is that of every room in the files, `enrolled` is said of new ones. With `retire_missing`, a room that
    has a Graph id and is on no page is retired; one without was registered by hand and never on the list.
    Raises `BadFile` for an account that another room has, and for a list with gaps if rooms are to be retired by it;
    `CommandRefused` for a time zone that there is not.
    """
    check_time_zone(time_zone)
    if retire_missing:
        check_complete(reading.pages)
    await work.lock_tenant(tenant.id)  # imports into one tenant follow each other
    rooms = [room async for room in read_known(work, tenant, reading, time_zone)]
    plan = make_plan(tenant, reading, rooms, retire_missing)
    on_progress(plan.unchanged)
    given = {"time_zone": time_zone} if time_zone else {}
    await retire(work, tenant, plan)
    await change(work, tenant, plan, given, on_progress)
    await create(work, tenant, plan, given | {"enrollment": STARTS[enrolled]}, on_progress)
    put_on_record(work, tenant, reading, plan.counts)
    return plan.counts


def check_time_zone(name: str | None) -> None:
    """Raises `CommandRefused` for a name that the IANA database does not have in this spelling."""
    if name is not None and name not in available_timezones():
        raise CommandRefused(f"{shown(name)} is not an IANA time zone such as Europe/Zurich")


# What there is, and what is to be done


async def read_known(
    work: Work, tenant: Tenant, reading: Reading[RoomRecord], time_zone: str | None
) -> AsyncIterator[Known]:
    """All rooms of the tenant, retired ones too, compared with the files as they are read, to hold little of them."""
    by_id = {record.graph_id: record for record in reading.records}
    by_account = {record.account_key: record for record in reading.records}
    compared = (ROOMS.c[name] for name in ("id", "retired_at", "time_zone", *IMPORTED))
    rooms = select(*compared).where(ROOMS.c.tenant_id == tenant.id).execution_options(yield_per=CHUNK)
    connection = await work.session.connection()
    async for room in await connection.stream(unscoped(rooms, COMMAND)):
        record = by_id.get(room.graph_id) or by_account.get(room.account_key)
        differs = record is not None and is_different(room, record, time_zone)
        yield Known(room.id, room.name, room.graph_id, room.account_key, bool(room.retired_at), record, differs)


def is_different(room: Row[Any], record: RoomRecord, time_zone: str | None) -> bool:
    """Whether the room is not stored as the files have it."""
    if room.retired_at is not None or time_zone not in (None, room.time_zone):
        return True
    return bool(said(room) != said(record) or room.tags != list(record.tags))


def make_plan(tenant: Tenant, reading: Reading[RoomRecord], rooms: Sequence[Known], retire_missing: bool) -> Plan:
    """What makes the stored rooms those of the files. Raises `BadFile` if two would have one account."""
    matched, missing = match(rooms)
    retired = [room for room in missing if retire_missing and room.graph_id and not room.is_retired]
    gone = {room.id for room in missing if room.is_retired} | {room.id for room in retired}
    robbed = [room for room in missing if room.record]
    refuse_taken(tenant, reading, matched, [room for room in robbed if room.id not in gone])
    changed = [(room, room.record) for room in matched.values() if room.record and room.differs]
    moved = [room.id for room, record in changed if room.account_key != record.account_key]
    return Plan(
        created=[record for record in reading.records if record.graph_id not in matched],
        updated=[(room.id, record) for room, record in changed],
        unchanged=len(matched) - len(changed),
        retired=[room.id for room in retired],
        parked=[*moved, *(room.id for room in robbed)],
        leaves_scopes=bool(retired) or any(room.is_retired for room, _ in changed),
    )


def match(rooms: Sequence[Known]) -> tuple[dict[str, Known], list[Known]]:
    """By Graph id the room that each record is about, and the rooms that no record is about.

    The room with the record's Graph id comes first, else it is the one with its account, which takes the Graph id.
    """
    matched = {room.graph_id: room for room in rooms if room.record and room.record.graph_id == room.graph_id}
    missing = [room for room in rooms if not room.record or matched.setdefault(room.record.graph_id, room) is not room]
    return matched, missing


def refuse_taken(
    tenant: Tenant, reading: Reading[RoomRecord], matched: dict[str, Known], holders: Sequence[Known]
) -> None:
    """Raises `BadFile` for accounts that the files give to one room while another keeps them, naming both."""
    held = {room.account_key: room for room in holders}
    problems = Problems()
    for place, record in zip(places(reading), reading.records, strict=True) if held else ():
        if holder := held.get(record.account_key):
            other, this = named(tenant, holder), named(tenant, matched[record.graph_id])
            got = f"{shown(record.account)} of {other}, which is on none of these pages; by its id this is {this}"
            problems.add(place, f"emailAddress: expected an account that no other room has, got {got}")
    problems.settle()


def places(reading: Reading[RoomRecord]) -> Iterator[Place]:
    """Where each record was read."""
    names = (record.name for record in reading.records)
    return (Place(page.file, number, next(names)) for page in reading.pages for number in range(1, page.entries + 1))


def named(tenant: Tenant, room: Known) -> str:
    """The room as a message says it."""
    return f"{shown(room.name)} ({GlobalId('room', tenant.id, room.id)})"


# Doing it


async def retire(work: Work, tenant: Tenant, plan: Plan) -> None:
    """Let go of rooms and of accounts. No retired room is in a scope, so none that comes back is (domain.md 7 #58)."""
    parked = one_room(tenant).values(account_key=literal(" ") + ROOMS.c.id)  # no account's key begins with a space
    await write(work, parked, plan.parked, lambda room: {"room": room})
    retired = one_room(tenant).values(version=ROOMS.c.version + 1, updated_at=work.moment, retired_at=work.moment)
    await write(work, retired, plan.retired, lambda room: {"room": room})
    for scope in SCOPES if plan.leaves_scopes else ():
        of_tenant = select(ROOMS.c.id).where(ROOMS.c.tenant_id == tenant.id, ROOMS.c.retired_at.is_not(None))
        left = delete(scope).where(col(scope.tenant_id) == tenant.id, col(scope.room_id).in_(of_tenant))
        await (await work.session.connection()).execute(unscoped(left, COMMAND))


async def change(work: Work, tenant: Tenant, plan: Plan, given: Columns, on_progress: Progress) -> None:
    """Bring rooms that differ, or are back, in line with the files."""
    changed = one_room(tenant).values(version=ROOMS.c.version + 1, updated_at=work.moment, retired_at=None, **given)
    await write(work, changed, plan.updated, lambda pair: {"room": pair[0], **columns(pair[1])}, on_progress)


async def create(work: Work, tenant: Tenant, plan: Plan, given: Columns, on_progress: Progress) -> None:
    """Add the rooms that are new, with what is true of every new room."""
    dates = {"created_at": work.moment, "updated_at": work.moment}
    device = {"platform": Platform.OTHER, "license": License.NONE, "ring_id": await general_ring(work, tenant)}
    common = {"tenant_id": tenant.id, "version": 1, **dates, **device, **given}
    added = insert(ROOMS).values(common)
    await write(work, added, plan.created, lambda record: {"id": work.new_id(), **columns(record)}, on_progress)


async def general_ring(work: Work, tenant: Tenant) -> str:
    """The ring that new rooms are in (RING-1)."""
    name = name_key(GENERAL.name)
    general = select(UpdateRing.id).where(col(UpdateRing.tenant_id) == tenant.id, col(UpdateRing.name_key) == name)
    return (await work.session.exec(unscoped(general, COMMAND))).one()


def columns(record: RoomRecord) -> Columns:
    """The columns of a room that the files say, and the keys that follow from them."""
    keys = room_keys(
        name=record.name,
        account=record.account,
        label=record.label,
        nickname=record.nickname,
        building=record.building,
        city=record.city,
    )
    return {name: getattr(record, name) for name in IMPORTED} | keys


def one_room(tenant: Tenant) -> Update:
    """A change of one room of the tenant, bound as `room`."""
    return update(ROOMS).where(ROOMS.c.tenant_id == tenant.id, ROOMS.c.id == bindparam("room"))


def put_on_record(work: Work, tenant: Tenant, reading: Reading[RoomRecord], counts: ImportCounts) -> None:
    """One line for the whole import; none if nothing was changed, since the record is of changes."""
    if not counts.created + counts.updated + counts.retired:
        return
    operation = AuditOperation.CREATE if counts.created else AuditOperation.UPDATE
    facts = made(**asdict(counts), digest=digest(reading.pages))
    work.record(AuditCategory.ROOM, operation, AuditAction.ROOMS_IMPORT, tenant.id, summary(reading), changes=facts)


def summary(reading: Reading[RoomRecord]) -> str:
    """How much was read."""
    return f"{counted(len(reading.records), 'room')} in {counted(len(reading.pages), 'file')}"
