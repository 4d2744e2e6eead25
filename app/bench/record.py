"""A long record: an unbroken chain of what the customer's and its partners' people did."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import cast

import orjson

from app.bench.loading import Row
from app.bench.making import Maker, Organization
from app.bench.rooms import name_of, put_import_on_record, room_id
from app.domain.audit import AuditAction, Changes, as_text, changed
from app.domain.ids import GlobalId
from app.domain.vocabulary import AuditCategory, AuditOperation, AuditResult
from app.operations.seeding_partners import ASSIGNED_ADMINS
from app.operations.work import append, lock_heads
from app.storage.tables import AuditEntry, AuditHead, Partnership

DAYS = timedelta(days=90)
"""How long the record is."""
SYSTEM_ACTS, ASSIGNMENTS, PARTNERSHIPS, FAILURES = 0.02, 0.08, 0.10, 0.95
"""Bounds of a number drawn from 0 to 1: up to the first it is an import, and so on; the rest are rooms. Beyond the last
the change failed.
"""


@dataclass(slots=True)
class Line:
    """A line of the record, made a hundred times as fast as a row of SQLAlchemy's."""

    tenant_id: str
    id: str
    creation_time: datetime
    category: AuditCategory
    operation: AuditOperation
    action: str
    object_name: str
    request_id: str
    subject: str | None = None
    changes: Changes = field(default_factory=list)
    user_tenant_id: str | None = None
    user_id: str | None = None
    result_status: AuditResult = AuditResult.SUCCESSFUL
    approved_by_id: str | None = None
    approval_id: str | None = None
    count: int = 1
    sequence: int = 0
    previous_hash: str | None = None
    hash: str = ""


COLUMNS = tuple(column.name for column in fields(Line))
NUMBERS = {"count", "sequence"}


@dataclass(frozen=True)
class Delegated:
    """A partner with the places of the rooms that it has."""

    partner: Organization
    row: Partnership
    rooms: range


async def add_entries(
    maker: Maker, customer: Organization, rooms: int, delegated: Sequence[Delegated], total: int
) -> None:
    """Entries until the customer's record has so many, the last of them an import."""
    head = (await lock_heads(maker.work.session, [customer.id]))[customer.id]
    count = max(total - head.sequence - 1, 0)
    rows = (chained(head, line) for line in lines(maker, customer, rooms, delegated, count))
    await maker.loader.load(AuditEntry, COLUMNS, rows)
    put_import_on_record(maker, customer, rooms)


def chained(head: AuditHead, line: Line) -> Row:
    """The line in its place at the end of the chain, in the order of `COLUMNS`."""
    append(head, cast("AuditEntry", line))
    return tuple(stored(name, getattr(line, name)) for name in COLUMNS)


def stored(name: str, value: object) -> object:
    """A value as the database has it."""
    if name == "changes":
        return orjson.dumps(value).decode()
    return value if name in NUMBERS else as_text(value)


def lines(
    maker: Maker, customer: Organization, rooms: int, delegated: Sequence[Delegated], count: int
) -> Iterator[Line]:
    """So many lines, oldest first."""
    first, step = maker.work.moment - DAYS, DAYS / max(count, 1)
    for number in range(count):
        line = Line(
            customer.id,
            maker.ids.of("entry", number),
            first + number * step,
            AuditCategory.ROOM,
            AuditOperation.UPDATE,
            AuditAction.ROOM_UPDATE.value,
            "",
            maker.ids.of("request", number).replace("-", ""),
        )
        fill_in(maker, customer, rooms, delegated, line)
        yield line


def fill_in(maker: Maker, customer: Organization, rooms: int, delegated: Sequence[Delegated], line: Line) -> None:
    """Say what was done, and by whom: somebody of the customer about as often as somebody of a partner."""
    draw = maker.random
    kind, by = draw.random(), draw.choice(delegated) if delegated and draw.random() < 0.5 else None
    if kind < SYSTEM_ACTS:
        line.action, line.object_name = AuditAction.ROOMS_IMPORT.value, f"{rooms} rooms"
        return
    line.user_tenant_id = by.partner.id if by else customer.id
    line.user_id = draw.choice(by.partner.users).id if by else customer.manager
    if kind >= FAILURES:
        line.result_status = AuditResult.FAILED
    about = draw.choice(delegated) if delegated else None
    if about and kind < ASSIGNMENTS:
        line.category, line.action = AuditCategory.ASSIGNMENT, AuditAction.ASSIGNMENT_UPDATE.value
        line.object_name, line.subject = (
            ASSIGNED_ADMINS,
            str(GlobalId("assignment", customer.id, about.row.delegation_id)),
        )
    elif about and kind < PARTNERSHIPS:
        line.category, line.action = AuditCategory.PARTNER_INVITATION, AuditAction.CHANGE_CONTROL_SET.value
        line.object_name, line.subject = (
            about.partner.tenant.name,
            str(GlobalId("partnership", customer.id, about.row.id)),
        )
    else:
        room = draw.choice(by.rooms) if by else draw.randrange(rooms)
        line.object_name, line.subject = (
            name_of(room),
            str(GlobalId("room", customer.id, room_id(maker, customer, room))),
        )
        line.changes = changed("capacity", draw.randint(2, 20), draw.randint(2, 20))
