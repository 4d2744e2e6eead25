"""Refused changes on the record of whose object it was, if the caller sees the object (AUD-9, domain.md 7 #61)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlmodel import SQLModel, col

from app.access.obtaining import find_seen
from app.access.scoping import rule
from app.access.viewer import MOMENT, SYSTEM, VIEWER_TENANT, Viewer, binds
from app.access.visible import held, visible
from app.domain.audit import ATTEMPTS, Attempt, changed
from app.domain.moments import minute_of
from app.domain.permissions import Permission, Standing
from app.domain.refusals import Refused
from app.domain.vocabulary import AuditResult
from app.operations.counting import is_first, take_out, waiting_tenants
from app.operations.work import Work, lock_heads
from app.storage.engines import Database
from app.storage.global_ids import global_id
from app.storage.tables import ApprovalRequest, Invitation, Partnership, RefusalCount, Tenant

MINUTE_LENGTH = len("2026-11-23T09:30")


def is_incomplete() -> ColumnElement[bool]:
    """Something of a minute that is over is still only counted of the record that the viewer may read."""
    is_over = func.substr(col(RefusalCount.minute), 1, MINUTE_LENGTH) < func.substr(MOMENT, 1, MINUTE_LENGTH)
    waiting = select(col(RefusalCount.count)).where(col(RefusalCount.tenant_id) == VIEWER_TENANT, is_over)
    return and_(rule(waiting).exists(), held(Permission.AUDIT_VIEW))


IS_INCOMPLETE = select(is_incomplete())


async def record_refusal(work: Work, mutation: str, values: Mapping[str, Any], refused: Refused) -> None:
    """Put a refused attempt on the record, in a change of its own: the first of a minute at once, others by number.

    Nothing is written, and nobody stored, where the caller does not see what it was about.
    """
    attempt = ATTEMPTS[mutation]
    row = await about(work, attempt, values, refused)
    if row is None:
        return
    count = await as_count(work, attempt, row, refused)
    await work.store_caller()
    await lock_heads(work.session, [count.tenant_id])
    if await is_first(work.session, count):
        place = (attempt.category, attempt.operation, attempt.action, count.tenant_id, count.object_name)
        changes = changed("error", None, refused.code)
        work.record(*place, subject=count.subject, changes=changes, result=AuditResult.FAILED)


async def about(work: Work, attempt: Attempt, values: Mapping[str, Any], refused: Refused) -> SQLModel | None:
    """What the attempt was about, if the caller sees it.

    It is what the input names, else what was in the way of something new, else the caller's organization.
    """
    named = values.get(attempt.about or "")
    if named is not None:
        return await find_seen(work.session, work.binds, named)
    existing = refused.details.get("existing_id")
    seen = None if existing is None else await find_seen(work.session, work.binds, str(existing))
    return seen or await organization(work, work.asker.tenant_id)


async def organization(work: Work, tenant_id: str) -> Tenant:
    """The caller's organization, or the other side of something that the caller sees."""
    tenant: Tenant = (await work.ask(visible(Tenant, Standing.NAMED).where(col(Tenant.id) == tenant_id)))[0][0]
    return tenant


async def as_count(work: Work, attempt: Attempt, row: Any, refused: Refused) -> RefusalCount:
    """The attempt as it is counted."""
    return RefusalCount(
        tenant_id=row.id if isinstance(row, Tenant) else row.tenant_id,
        user_tenant_id=work.asker.tenant_id,
        user_id=work.asker.principal_id,
        action=attempt.action.value,
        subject=global_id(row),
        minute=minute_of(work.moment),
        category=attempt.category,
        operation=attempt.operation,
        object_name=await name_of(work, row),
        error=refused.code.value,
        refused_at=work.moment,
        request_id=work.request_id,
    )


async def name_of(work: Work, row: Any) -> str:
    """What entries about this object call it."""
    if isinstance(row, Partnership):
        return (await organization(work, row.partner_tenant_id)).name
    if isinstance(row, ApprovalRequest):
        return row.subject_name
    return str(row.partner_domain if isinstance(row, Invitation) else row.name)


async def complete_record(database: Database, viewer: Viewer, moment: datetime, request_id: str) -> None:
    """Write out what was counted in minutes that are over, before the viewer reads the record of its organization.

    Nothing is written for a viewer who may not read it.
    """
    async with database.reading() as connection:
        is_due = (await connection.execute(IS_INCOMPLETE, binds(viewer, moment))).scalar_one()
    if is_due:
        async with Work.begin(database, SYSTEM, moment, request_id) as work:
            await write_out(work, [viewer.tenant_id], minute_of(moment))


async def write_out_all(database: Database, moment: datetime) -> None:
    """Write out everything that is only counted, in a gateway that stops."""
    async with Work.begin(database, SYSTEM, moment, "stop") as work:
        await write_out(work, await waiting_tenants(work.session), None)


async def write_out(work: Work, tenants: list[str], before: datetime | None) -> None:
    """Put what is counted in these tenants' records, of minutes before this one, if one is given."""
    await lock_heads(work.session, tenants)
    work.entries += await take_out(work.session, tenants, work.moment, before)
