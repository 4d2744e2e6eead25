"""Refusals that wait, outside of the chain, to become one line of the record (domain.md 7 #61).

Whoever touches the counts of a tenant holds the end of its chain, so that they are touched one after the other.
"""

from collections.abc import Collection
from datetime import datetime

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.access.scoping import unscoped
from app.domain.audit import changed
from app.domain.ids import new_id
from app.domain.vocabulary import AuditResult
from app.storage.tables import AuditEntry, RefusalCount

KEY = ("tenant_id", "user_tenant_id", "user_id", "action", "subject", "minute")
WRITTEN_BY_WHOEVER = "whoever comes next writes out what is counted, and sees nothing of it"


async def is_first(session: AsyncSession, refused: RefusalCount) -> bool:
    """Whether it is the first such refusal in its minute; if not, it is counted."""
    same = select(RefusalCount).filter_by(**{name: getattr(refused, name) for name in KEY})
    before = (await session.exec(unscoped(same, "a refusal is counted, for nobody to see yet"))).first()
    if before is None:
        session.add(refused)
        return True
    before.count += 1
    before.error, before.refused_at, before.request_id = refused.error, refused.refused_at, refused.request_id
    return False


async def waiting_tenants(session: AsyncSession) -> list[str]:
    """The tenants of whose records something is still only counted."""
    tenants = select(RefusalCount.tenant_id).distinct()
    return list(await session.exec(unscoped(tenants, WRITTEN_BY_WHOEVER)))


async def take_out(
    session: AsyncSession, tenants: Collection[str], moment: datetime, before: datetime | None
) -> list[AuditEntry]:
    """A line for each count of these tenants, which is thereby gone; of minutes before this one, if one is given."""
    if not tenants:
        return []
    counted = delete(RefusalCount).where(col(RefusalCount.tenant_id).in_(tenants))
    due = counted if before is None else counted.where(col(RefusalCount.minute) < before)
    rows = (await session.exec(due.returning(RefusalCount))).scalars().all()
    return [as_entry(row, new_id(moment)) for row in sorted(rows, key=lambda row: row.refused_at) if row.count]


def as_entry(refused: RefusalCount, identifier: str) -> AuditEntry:
    """The line for what was counted, at the time of the last."""
    return AuditEntry(
        tenant_id=refused.tenant_id,
        id=identifier,
        sequence=0,
        creation_time=refused.refused_at,
        category=refused.category,
        operation=refused.operation,
        action=refused.action,
        result_status=AuditResult.FAILED,
        object_name=refused.object_name,
        subject=refused.subject,
        user_tenant_id=refused.user_tenant_id,
        user_id=refused.user_id,
        count=refused.count,
        changes=changed("error", None, refused.error),
        request_id=refused.request_id,
    )
