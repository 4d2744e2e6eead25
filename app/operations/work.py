"""One change: everything or nothing, and never without a line in the record (architecture rules 2, 3 and 6)."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.access.scoping import unscoped
from app.access.tripwire import WORK
from app.access.viewer import Actor, Viewer
from app.domain.audit import AuditAction, Changes, entry_hash, made
from app.domain.ids import new_id
from app.domain.vocabulary import AuditCategory, AuditOperation, AuditResult
from app.storage.engines import Database
from app.storage.global_ids import global_id
from app.storage.tables import AuditEntry, AuditHead


class NothingRecorded(Exception):
    """A change without an audit entry, which is not committed: a defect of this program."""


@dataclass
class Work:
    """One change by one viewer at one moment. `begin` it as a context: leaving it commits, an exception undoes."""

    session: AsyncSession
    viewer: Actor
    moment: datetime
    request_id: str
    entries: list[AuditEntry] = field(default_factory=list)
    has_written: bool = False

    @classmethod
    @asynccontextmanager
    async def begin(cls, database: Database, viewer: Actor, moment: datetime, request_id: str) -> AsyncIterator[Self]:
        """A change that is committed together with its audit entries when the context is left, or not at all.

        Raises `NothingRecorded` on leaving if rows were written and nothing was recorded.
        """
        async with database.writing() as session:
            work = cls(session, viewer, moment, request_id)
            await work._watch()
            yield work
            await work._commit()

    def new_id(self) -> str:
        """An id for something made in this change."""
        return new_id(self.moment)

    async def store(self, *rows: SQLModel) -> None:
        """Write these rows now, so that rows which name them can follow."""
        self.session.add_all(rows)
        await self.session.flush()

    def record(
        self,
        category: AuditCategory,
        operation: AuditOperation,
        action: AuditAction,
        tenant_id: str,
        object_name: str,
        *,
        subject: str | None = None,
        changes: Changes | None = None,
        result: AuditResult = AuditResult.SUCCESSFUL,
        approved_by_id: str | None = None,
    ) -> None:
        """Put a line in this tenant's record. It gets its place in the chain when the change is committed."""
        user = self.viewer if isinstance(self.viewer, Viewer) else None
        entry = AuditEntry(
            tenant_id=tenant_id,
            id=self.new_id(),
            sequence=0,
            creation_time=self.moment,
            category=category,
            operation=operation,
            action=action.value,
            result_status=result,
            object_name=object_name,
            subject=subject,
            user_tenant_id=user.tenant_id if user else None,
            user_id=user.principal_id if user else None,
            approved_by_id=approved_by_id,
            changes=changes or [],
            request_id=self.request_id,
        )
        self.entries.append(entry)

    def created(
        self, category: AuditCategory, action: AuditAction, tenant_id: str, name: str, row: SQLModel, **fields: object
    ) -> None:
        """Put the making of this row in the record, with these facts about it."""
        subject, changes = global_id(row), made(**fields)
        self.record(category, AuditOperation.CREATE, action, tenant_id, name, subject=subject, changes=changes)

    async def _watch(self) -> None:
        """Tell the tripwire whose connection this is, and notice rows written on it in whatever way."""
        connection = await self.session.connection(execution_options={WORK: True})

        def notice(_c: Connection, cursor: Any, _s: str, _p: object, context: Any, _many: bool) -> None:
            is_change = context.isinsert or context.isupdate or context.isdelete
            self.has_written |= bool(is_change and cursor.rowcount)

        event.listen(connection.sync_connection, "after_cursor_execute", notice)

    async def _commit(self) -> None:
        await self.session.flush()
        if self.has_written and not self.entries:
            raise NothingRecorded("a change has to be on the record")
        heads = await lock_heads(self.session, {entry.tenant_id for entry in self.entries})
        for entry in self.entries:
            append(heads[entry.tenant_id], entry)
        self.session.add_all(self.entries)
        await self.session.commit()


async def lock_heads(session: AsyncSession, tenants: Collection[str]) -> dict[str, AuditHead]:
    """The ends of these tenants' chains, which nobody else moves until the transaction ends.

    They are locked in the order of tenant ids, last of all locks of a change, so that two changes cannot wait for each
    other. SQLite needs no lock here: its one writer holds the whole database since BEGIN IMMEDIATE.
    """
    heads = select(AuditHead).where(col(AuditHead.tenant_id).in_(tenants)).order_by(col(AuditHead.tenant_id))
    locked = heads.with_for_update().execution_options(populate_existing=True)
    found = await session.exec(unscoped(locked, "every change appends to the chains of the tenants it concerns"))
    return {head.tenant_id: head for head in found}


def append(head: AuditHead, entry: AuditEntry) -> None:
    """Give the entry the next place in the chain, and move the chain's end to it."""
    entry.sequence, entry.previous_hash = head.sequence + 1, head.hash
    entry.hash = entry_hash(entry)
    head.sequence, head.hash = entry.sequence, entry.hash
