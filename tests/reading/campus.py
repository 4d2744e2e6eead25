"""A customer with rooms as a test wants them, written past every operation; its Global Administrator asks."""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from app.access.tripwire import WORK
from app.access.viewer import Viewer
from app.domain.ids import GlobalId
from app.domain.permissions import DirectoryRole, Permission
from app.domain.text import name_key, search_key
from app.domain.vocabulary import (
    AuditCategory,
    AuditOperation,
    AuditResult,
    PartnershipState,
    PrincipalKind,
)
from app.storage import tables
from app.storage.engines import Database
from tests.access.worlds import blank

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
Row = tuple[type[SQLModel], dict[str, Any]]


def key(kind: int, number: int = 0) -> str:
    """The id of the thing with this number, of a kind of things; ids sort by number."""
    return str(UUID(int=kind << 64 | number))


TENANT, ADMINISTRATOR, RING = key(1), key(2), key(3)
ROOM, GROUP, ROLE, ASSIGNMENT, PARTNER, PARTNERSHIP, ENTRY, PERSON = range(10, 18)
VIEWER = Viewer(TENANT, ADMINISTRATOR, PrincipalKind.USER, frozenset({DirectoryRole.GLOBAL_ADMINISTRATOR}))


def id_of(kind: str, number: str) -> str:
    """What clients call something that the tenant owns."""
    return str(GlobalId(kind, TENANT, number))


def row(table: type[SQLModel], **values: Any) -> Row:
    return table, blank(table) | values


def named(name: str) -> dict[str, str]:
    return {"name": name, "name_key": name_key(name)}


@dataclass(frozen=True)
class Place:
    """A room as a test draws it."""

    number: int
    name: str = "Room"
    capacity: int | None = None
    updated: int = 0
    """Seconds before now."""
    retired: bool = False
    groups: frozenset[int] = frozenset()
    label: str | None = None
    nickname: str | None = None
    building: str | None = None
    city: str | None = None

    @property
    def id(self) -> str:
        return key(ROOM, self.number)

    @property
    def account(self) -> str:
        return f"{self.number}@campus.example"

    @property
    def texts(self) -> list[str]:
        """What a search looks through."""
        found = (self.name, self.account, self.label, self.nickname, self.building, self.city)
        return [text for text in found if text is not None]

    def row(self) -> Row:
        return row(
            tables.Room,
            tenant_id=TENANT,
            id=self.id,
            **named(self.name),
            account=self.account,
            account_key=name_key(self.account),
            search_key=search_key(self.texts),
            label=self.label,
            nickname=self.nickname,
            building=self.building,
            building_key=self.building and name_key(self.building),
            city=self.city,
            city_key=self.city and name_key(self.city),
            capacity=self.capacity,
            ring_id=RING,
            created_at=NOW,
            updated_at=NOW - timedelta(seconds=self.updated),
            retired_at=NOW if self.retired else None,
        )


def ground() -> Iterator[Row]:
    """What every campus stands on: the tenant, its administrator, a ring."""
    yield row(tables.Tenant, id=TENANT, **named("Campus"), created_at=NOW)
    yield person(ADMINISTRATOR, "Administrator")
    days = {"rollout_days": 1, "test_days": 1, "deferment_days": 0}
    yield row(tables.UpdateRing, tenant_id=TENANT, id=RING, **named("General"), position=1, **days)


def person(number: str, name: str, tenant: str = TENANT) -> Row:
    return row(
        tables.Principal,
        tenant_id=tenant,
        id=number,
        kind=PrincipalKind.USER,
        **named(name),
        search_key=search_key([name]),
        created_at=NOW,
    )


def groups_of(places: Iterable[Place], count: int) -> Iterator[Row]:
    """That many room groups, and which of the rooms are in them."""
    for group in range(count):
        yield row(tables.RoomGroup, tenant_id=TENANT, id=key(GROUP, group), **named(f"Group {group}"))
    for place in places:
        for group in place.groups:
            yield row(tables.RoomGroupRoom, tenant_id=TENANT, group_id=key(GROUP, group), room_id=place.id)


def entry(number: int, moment: datetime, **values: Any) -> Row:
    """A line of the record; nobody looks at the chain here."""
    defaults: dict[str, Any] = {
        "category": AuditCategory.ROOM,
        "operation": AuditOperation.UPDATE,
        "result_status": AuditResult.SUCCESSFUL,
        "action": "room.update",
        "object_name": "",
        "request_id": "",
        "hash": "",
    }
    this = {"tenant_id": TENANT, "id": key(ENTRY, number), "sequence": number, "creation_time": moment}
    return row(tables.AuditEntry, **(this | defaults | values))


def of_everything(count: int) -> Iterator[Row]:
    """That many rooms, groups, people, roles, partners and lines of the record, each linked to all that it can be."""
    everywhere = frozenset(range(count))
    places = [Place(number, f"Room {number}", groups=everywhere) for number in range(count)]
    yield from (place.row() for place in places)
    yield from groups_of(places, count)
    yield from (person(key(PERSON, number), f"Person {number}") for number in range(count))
    for number in range(count):
        partner, partnership = key(PARTNER, number), key(PARTNERSHIP, number)
        yield row(tables.Tenant, id=partner, **named(f"Partner {number}"), may_be_partner=True, created_at=NOW)
        yield row(
            tables.Partnership,
            tenant_id=TENANT,
            id=partnership,
            partner_tenant_id=partner,
            state=PartnershipState.ACTIVE,
            delegation_id=key(ASSIGNMENT, count + number),
            established_at=NOW,
        )
        yield from role(number, f"Role {number}", None, count)
        yield from role(count + number, f"Role {number}", partnership, count)
        actor = {"user_tenant_id": TENANT, "user_id": key(PERSON, number)}
        yield entry(number + 1, NOW, subject=id_of("room", places[number].id), **actor)


def role(number: int, name: str, partnership: str | None, count: int) -> Iterator[Row]:
    """A role with one assignment, of all people over all groups and rooms."""
    this = {"tenant_id": TENANT, "partnership_id": partnership, **named(name)}
    yield row(tables.Role, **this, id=key(ROLE, number), permissions=Permission.ROOMS_VIEW)
    yield row(tables.Assignment, **this, id=key(ASSIGNMENT, number), role_id=key(ROLE, number))
    of_this = {"tenant_id": TENANT, "assignment_id": key(ASSIGNMENT, number)}
    for other in range(count):
        member = {"member_tenant_id": TENANT, "member_id": key(PERSON, other)}
        yield row(tables.AssignmentMember, **of_this, **member)
        yield row(tables.AssignmentRoom, **of_this, room_id=key(ROOM, other))
        yield row(tables.AssignmentGroup, **of_this, group_id=key(GROUP, other))


async def write(connection: AsyncConnection, rows: Iterable[Row]) -> None:
    """Insert rows of whatever tables, in an order that their foreign keys allow."""
    by_table: dict[str, list[dict[str, Any]]] = {}
    for table, values in rows:
        by_table.setdefault(str(table.__tablename__), []).append(values)
    for target in tables.metadata.sorted_tables:
        if target.name in by_table:
            await connection.execute(insert(target), by_table[target.name])


@asynccontextmanager
async def changing(database: Database) -> AsyncIterator[AsyncConnection]:
    """A connection that may write, past every operation; committed at the end."""
    async with database.writer.connect() as connection:
        await connection.execution_options(**{WORK: True})
        async with connection.begin():
            yield connection
