"""Reading a database past every rule, to see what a change left behind."""

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any

import orjson
from sqlalchemy import CompoundSelect, Text, cast, literal, true, union_all
from sqlmodel import SQLModel, col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.access.scoping import unscoped
from app.domain.vocabulary import AuditResult
from app.storage.engines import Database
from app.storage.tables import AuditEntry, AuditHead, RefusalCount, metadata


async def everything(database: Database, table: type[SQLModel], *conditions: Any) -> Sequence[Any]:
    """All rows of the table, as they were committed."""
    async with AsyncSession(database.readers, expire_on_commit=False) as session:
        return (await session.exec(unscoped(select(table).where(*conditions), "tests know everything"))).all()


async def counts(database: Database) -> dict[str, int]:
    """How many rows every table has."""
    async with database.reading() as connection:
        statements = {name: select(func.count()).select_from(table) for name, table in metadata.tables.items()}
        return {
            name: (await connection.execute(unscoped(count, "tests know everything"))).scalar_one()
            for name, count in statements.items()
        }


async def stored(database: Database) -> dict[str, list[str]]:
    """Every row of every table, but for what a refused attempt leaves on the record (AUD-9)."""
    async with database.reading() as connection:
        found: dict[str, list[str]] = {name: [] for name in metadata.tables if name not in OF_REFUSALS}
        for name, row in await connection.execute(all_rows(connection.dialect.name)):
            found[name].append(row)
    return {name: sorted(rows) for name, rows in found.items()}


OF_REFUSALS = {AuditHead.__tablename__, RefusalCount.__tablename__}


@cache
def all_rows(dialect: str) -> CompoundSelect[Any]:
    """The name of a table with each of its rows, as one text that tells every value from every other."""
    whole = func.json_array if dialect == "sqlite" else func.row
    is_done = {AuditEntry.__tablename__: col(AuditEntry.result_status) == AuditResult.SUCCESSFUL}
    asked = [
        select(literal(name), cast(whole(*table.columns), Text)).where(is_done.get(name, true()))
        for name, table in metadata.tables.items()
        if name not in OF_REFUSALS
    ]
    return unscoped(union_all(*asked), "tests know everything")


async def attempts(database: Database) -> list[AuditEntry]:
    """Every line about a refused attempt, the oldest first."""
    failed = col(AuditEntry.result_status) == AuditResult.FAILED
    return sorted(await everything(database, AuditEntry, failed), key=lambda entry: (entry.tenant_id, entry.sequence))


async def check_chain(database: Database, tenant_id: str) -> list[AuditEntry]:
    """The tenant's record in its order; fails unless it is whole, by arithmetic that is not the gateway's."""
    entries = sorted(
        await everything(database, AuditEntry, col(AuditEntry.tenant_id) == tenant_id), key=lambda e: e.sequence
    )
    (head,) = await everything(database, AuditHead, col(AuditHead.tenant_id) == tenant_id)

    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
    assert [entry.previous_hash for entry in entries] == [None, *(entry.hash for entry in entries[:-1])]
    assert [entry.hash for entry in entries] == [hash_by_hand(entry) for entry in entries]
    assert (head.sequence, head.hash) == (len(entries), entries[-1].hash if entries else None)
    return entries


def hash_by_hand(entry: AuditEntry) -> str:
    fields = {
        "version": "1",
        "tenant_id": entry.tenant_id,
        "id": entry.id,
        "sequence": f"{entry.sequence}",
        "creation_time": f"{entry.creation_time:%Y-%m-%dT%H:%M:%S.%f}Z",
        "category": entry.category.value,
        "operation": entry.operation.value,
        "action": entry.action,
        "result_status": entry.result_status.value,
        "object_name": entry.object_name,
        "subject": entry.subject,
        "user_tenant_id": entry.user_tenant_id,
        "user_id": entry.user_id,
        "approved_by_id": entry.approved_by_id,
        "approval_id": entry.approval_id,
        "count": f"{entry.count}",
        "changes": entry.changes,
        "request_id": entry.request_id,
        "previous_hash": entry.previous_hash,
    }
    return hashlib.sha256(orjson.dumps(dict(sorted(fields.items())), option=orjson.OPT_SORT_KEYS)).hexdigest()
