"""Deleting the beginning of a record for good, so that what is left can still be verified."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from sqlmodel import col, delete, func, select

from app.access.scoping import unscoped
from app.access.viewer import SYSTEM
from app.domain.audit import READABLE, AuditAction, changed
from app.domain.heads import SIGNATURE, Kind, state
from app.domain.moments import print_instant
from app.domain.refusals import CommandRefused
from app.domain.vocabulary import AuditCategory, AuditOperation
from app.operations.tenants import COMMANDS, find_tenant
from app.operations.work import Work, lock_heads, witness
from app.storage.append_only import purging
from app.storage.engines import Database
from app.storage.notary import Notary
from app.storage.rights import check_owner
from app.storage.tables import AuditAnchor, AuditEntry, Tenant


@dataclass(frozen=True)
class Purge:
    """The entries of one tenant that can go: the first of its chain, up to the last before a day."""

    tenant: Tenant
    before: date
    sequence: int
    hash: str
    count: int


async def find_purge(work: Work, domain: str, before: date) -> Purge:
    """What would be deleted. Raises `CommandRefused` where that is nothing, or could still be read."""
    latest = (work.moment - READABLE).date()
    if before > latest:
        raise CommandRefused(f"entries can be read for {READABLE.days} days: --before is {latest} at the latest")
    tenant = await find_tenant(work.session, domain)
    of_tenant, midnight = col(AuditEntry.tenant_id) == tenant.id, datetime.combine(before, time(), UTC)
    kept = select(func.min(AuditEntry.sequence)).where(of_tenant, col(AuditEntry.creation_time) >= midnight)
    first_kept = (await work.session.exec(unscoped(kept, COMMANDS))).one()
    old = [of_tenant] if first_kept is None else [of_tenant, col(AuditEntry.sequence) < first_kept]
    count = (
        await work.session.exec(unscoped(select(func.count()).select_from(AuditEntry).where(*old), COMMANDS))
    ).one()
    last = select(AuditEntry).where(*old).order_by(col(AuditEntry.sequence).desc()).limit(1)
    found = (await work.session.exec(unscoped(last, COMMANDS))).first()
    if found is None:
        raise CommandRefused(f"nothing in the record of {tenant.name} is from before {before}")
    return Purge(tenant, before, found.sequence, found.hash, count)


async def purge(
    database: Database, notary: Notary, domain: str, before: date, moment: datetime, request_id: str, *, is_sure: bool
) -> Purge:
    """Delete the tenant's entries from before this day, leave a signed anchor in their place, and record it.

    All in one transaction, by the owner of the tables. Raises `CommandRefused`, with their number unless it is sure.
    """
    async with Work.begin(database, SYSTEM, moment, request_id) as work:
        await check_owner(await work.session.connection())
        tenant = await find_tenant(work.session, domain)
        await lock_heads(work.session, [tenant.id])  # before the table, as every other change
        found = await find_purge(work, domain, before)
        if not is_sure:
            raise CommandRefused(f"{found.count} entries of {tenant.name} would be deleted for good; say --yes")
        anchor = state(Kind.ANCHOR, tenant.id, found.sequence, found.hash, print_instant(moment))
        await delete_entries(work, found)
        await work.store(AuditAnchor(**of(found), moment=moment, signature=str(notary.sign(anchor)[SIGNATURE])))
        record(work, found)
    witness(notary, [anchor])
    return found


async def delete_entries(work: Work, found: Purge) -> None:
    """Past the triggers, which are there again when it is done."""
    gone = delete(AuditEntry).where(
        col(AuditEntry.tenant_id) == found.tenant.id, col(AuditEntry.sequence) <= found.sequence
    )
    async with purging(await work.session.connection()):
        await work.session.exec(gone)


def of(found: Purge) -> dict[str, Any]:
    """Which entry is the last that went."""
    return {"tenant_id": found.tenant.id, "sequence": found.sequence, "hash": found.hash}


def record(work: Work, found: Purge) -> None:
    """Say in the record that its beginning was purged."""
    facts = {
        "entries": str(found.count),
        "up_to_sequence": str(found.sequence),
        "before": found.before.isoformat(),
    }
    changes = [change for name, value in facts.items() for change in changed(name, None, value)]
    settings, delete_ = AuditCategory.SETTINGS, AuditOperation.DELETE
    work.record(settings, delete_, AuditAction.AUDIT_PURGE, found.tenant.id, found.tenant.name, changes=changes)
