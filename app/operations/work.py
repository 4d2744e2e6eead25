"""One change: everything or nothing, and never without a line in the record (architecture rules 2, 3 and 6)."""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

import sqlalchemy
from sqlalchemy import Row, event
from sqlalchemy.engine import Connection
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.access.obtaining import Table, ask, find, obtain
from app.access.scoping import Rows, unscoped
from app.access.tripwire import WORK
from app.access.viewer import Actor, Caller, Viewer, binds
from app.access.visible import held, visible
from app.domain.audit import AuditAction, Changes, entry_hash, made
from app.domain.heads import Kind, Statement, state
from app.domain.ids import new_id
from app.domain.moments import minute_of, print_instant
from app.domain.permissions import Permission, Right, Standing
from app.domain.refusals import forbidden, not_found
from app.domain.vocabulary import AuditCategory, AuditOperation, AuditResult, PartnershipState, UserType
from app.operations.counting import take_out
from app.storage.dialects import insert_if_absent
from app.storage.engines import Database
from app.storage.global_ids import global_id
from app.storage.notary import Notary
from app.storage.principal_keys import principal_keys
from app.storage.tables import AuditEntry, AuditHead, IdempotencyRecord, Partnership, Principal, RefusalCount, Tenant

log = logging.getLogger("gateway.record")
UNRECORDED = frozenset({IdempotencyRecord.__tablename__, RefusalCount.__tablename__})
"""Tables whose rows change nothing for anybody."""
ACTS = "the record names whoever acts, so they have to be stored"


class NothingRecorded(Exception):
    """A change without an audit entry, which is not committed: a defect of this program."""


@dataclass
class Work:
    """One change by one viewer at one moment. `begin` it as a context: leaving it commits, an exception undoes."""

    session: AsyncSession
    viewer: Actor
    moment: datetime
    request_id: str
    caller: Caller | None = None
    """What the token says of the viewer, who is stored with the first change."""
    entries: list[AuditEntry] = field(default_factory=list)
    has_written: bool = False
    approver: Viewer | None = None
    """Who approved the change that is made here in the name of who asked for it."""
    approval_id: str | None = None
    """The held change that was approved."""
    notary: Notary | None = None

    @classmethod
    @asynccontextmanager
    async def begin(
        cls, database: Database, viewer: Actor, moment: datetime, request_id: str, caller: Caller | None = None
    ) -> AsyncIterator[Self]:
        """A change that is committed together with its audit entries when the context is left, or not at all.

        Raises `NothingRecorded` on leaving if rows were written and nothing was recorded.
        """
        async with database.writing() as session:
            work = cls(session, viewer, moment, request_id, caller, notary=database.notary)
            await work.watch()
            yield work
            await work.commit()

    @property
    def asker(self) -> Viewer:
        """The viewer of a change that somebody asked for. Raises TypeError for a command's."""
        if not isinstance(self.viewer, Viewer):
            raise TypeError("nobody asked for this change")
        return self.viewer

    @property
    def is_guest(self) -> bool:
        """The token says that the viewer is a guest of the tenant."""
        return self.caller is not None and self.caller.guest

    @property
    def dialect(self) -> str:
        """The database's kind, for the few statements that differ."""
        return str(self.session.get_bind().dialect.name)

    @property
    def binds(self) -> dict[str, Any]:
        """What statements made from `visible` are run with."""
        return binds(self.asker, self.moment)

    async def find(self, table: type[Table], identifier: str, right: Right, *, lock: bool = False) -> Table | None:
        """The row with this global id on which the viewer holds the right, or None."""
        return await find(self.session, self.binds, table, identifier, right, lock=lock)

    async def obtain(self, table: type[Table], identifier: str, permission: Permission, *path: str) -> Table:
        """The row, locked for this change. Raises `Refused`: NOT_FOUND or FORBIDDEN, at this place of the input."""
        return await obtain(self.session, self.binds, table, identifier, permission, *path)

    async def holds(self, permission: Permission) -> bool:
        """Whether the viewer holds the permission in the own tenant, wherever."""
        return bool((await self.ask(sqlalchemy.select(held(permission))))[0][0])

    async def require(self, permission: Permission) -> None:
        """Returns if the viewer holds the permission in the own tenant. Raises `Refused` with FORBIDDEN."""
        if not await self.holds(permission):
            raise forbidden(permission)

    async def ask(self, statement: Rows) -> Sequence[Row[Any]]:
        """The rows of a statement made from `visible`, as the viewer sees them."""
        return await ask(self.session, statement, self.binds)

    async def acting_at(self, customer_id: str, *path: str) -> Partnership | None:
        """The partnership in which the viewer acts at this customer, locked; None in the viewer's own tenant.

        Every change by a partner's people starts here, so that a removal, a decision about a held change and a change
        of rights are made one after the other. Raises `Refused` with NOT_FOUND if no partnership holds any more, at
        this place of the input.
        """
        if customer_id == self.asker.tenant_id:
            return None
        mine = visible(Partnership, Standing.PARTY).where(
            col(Partnership.tenant_id) == customer_id,
            col(Partnership.partner_tenant_id) == self.asker.tenant_id,
            col(Partnership.state) == PartnershipState.ACTIVE,
        )
        locked = mine.with_for_update(of=Partnership, key_share=True).execution_options(populate_existing=True)
        if not (found := await self.ask(locked)):
            raise not_found(*path)
        partnership: Partnership = found[0][0]
        return partnership

    def on_behalf(self, requester: Viewer, approval_id: str) -> Self:
        """The same change, made for who asked for it and now is approved by this viewer; what it records is apart."""
        apart: list[AuditEntry] = []
        return replace(self, viewer=requester, caller=None, entries=apart, approver=self.asker, approval_id=approval_id)

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
        by_system: bool = False,
    ) -> None:
        """Put a line in this tenant's record. It gets its place in the chain when the change is committed."""
        user = None if by_system or not isinstance(self.viewer, Viewer) else self.viewer
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
            approved_by_id=self.approver.principal_id if self.approver else None,
            approval_id=self.approval_id,
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

    async def watch(self) -> None:
        """Tell the tripwire whose connection this is, and notice rows written on it in whatever way."""
        connection = await self.session.connection(execution_options={WORK: True})

        def notice(_c: Connection, cursor: Any, _s: str, _p: object, context: Any, _many: bool) -> None:
            is_change = context.isinsert or context.isupdate or context.isdelete
            table = getattr(context.compiled.statement, "table", None) if is_change else None
            self.has_written |= bool(is_change and cursor.rowcount and getattr(table, "name", None) not in UNRECORDED)

        event.listen(connection.sync_connection, "after_cursor_execute", notice)

    async def commit(self) -> None:
        """Put the entries into their chains and commit. Raises `NothingRecorded`."""
        await self.session.flush()
        if self.entries:
            await self.store_caller()
        if self.has_written and not self.entries:
            raise NothingRecorded("a change has to be on the record")
        heads = await lock_heads(self.session, {entry.tenant_id for entry in self.entries})
        self.entries[:0] = await take_out(self.session, heads, self.moment, before=minute_of(self.moment))
        for entry in self.entries:
            append(heads[entry.tenant_id], entry)
        self.session.add_all(self.entries)
        await self.session.commit()
        if self.notary and heads:
            await asyncio.to_thread(witness, self.notary, [state_of(head, self.moment) for head in heads.values()])

    async def lock_tenant(self, tenant_id: str) -> None:
        """Let no other change that locks this tenant go on beside this one (architecture: the parent row).

        Others may still make rows of the tenant: one that holds an object would wait here for who waits for the object.
        """
        row = select(Tenant).where(Tenant.id == tenant_id).with_for_update(key_share=True)
        await self.session.exec(unscoped(row, "a lock shows nothing"))

    async def store_caller(self) -> None:
        """Store who makes the change, if only the token knew them, so that rows can name them.

        Of two first changes at once, one stores the caller and the other waits for it.
        """
        if self.caller is None:
            return
        viewer = self.caller.viewer
        known = select(Principal.id).where(Principal.tenant_id == viewer.tenant_id, Principal.id == viewer.principal_id)
        if not (await self.session.exec(unscoped(known, ACTS))).first():
            values = as_stored(self.caller, self.moment).model_dump()
            await self.session.exec(insert_if_absent(Principal, self.dialect).values(values))


def as_stored(caller: Caller, moment: datetime) -> Principal:
    """Somebody whom only the token tells about, as the directory stores them."""
    viewer, name, sign_in = caller.viewer, caller.display_name, caller.user_principal_name
    return Principal(
        tenant_id=viewer.tenant_id,
        id=viewer.principal_id,
        kind=viewer.kind,
        name=name,
        user_principal_name=sign_in,
        user_type=UserType.GUEST if caller.guest else UserType.MEMBER,
        created_at=moment,
        **principal_keys(name=name, user_principal_name=sign_in),
    )


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


def state_of(head: AuditHead, moment: datetime) -> Statement:
    """The statement that the chain ends here."""
    return state(Kind.HEAD, head.tenant_id, head.sequence, head.hash, print_instant(moment))


def witness(notary: Notary, statements: Iterable[Statement]) -> None:
    """Sign and file what was committed. It has happened, so a failure is logged, and the next statement covers it."""
    for statement in statements:
        try:
            notary.file(notary.sign(statement))
        except Exception as problem:  # noqa: BLE001 - whatever it is, the change is committed
            where = {"tenant": statement["tenant"], "sequence": statement["sequence"]}
            log.error("no signed head could be written", extra=where | {"error": type(problem).__name__})  # noqa: TRY400


async def witness_all(database: Database, moment: datetime) -> None:
    """Sign and file where every chain ends now."""
    if database.notary is None:
        return
    async with database.writing() as session:
        heads = select(AuditHead).where(col(AuditHead.sequence) > 0)
        found = await session.exec(unscoped(heads, "a command signs where all chains end"))
        statements = [state_of(head, moment) for head in found]
    await asyncio.to_thread(witness, database.notary, statements)
