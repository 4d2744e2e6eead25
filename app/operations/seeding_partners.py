"""What links two tenants in a world: partnerships, also ended ones, and invitations in every state."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from app.domain.audit import AuditAction, Changes, made
from app.domain.permissions import BuiltInRole, union
from app.domain.text import name_key
from app.domain.vocabulary import (
    AuditCategory,
    AuditOperation,
    InvitationState,
    PartnershipState,
    PrincipalKind,
)
from app.operations.names import Names, refusal
from app.operations.seeding_rights import assign
from app.operations.tenants import built_in_role
from app.operations.work import Work
from app.storage.global_ids import global_id
from app.storage.tables import (
    Assignment,
    Invitation,
    InvitationGroup,
    InvitationRoom,
    Partnership,
    Principal,
    Role,
    Tenant,
)
from app.storage.world_entries import InvitationEntry, PartnershipEntry

ASSIGNED_ADMINS = "Assigned admins"
"""The one assignment of the Primary admin role; its scope is all that the partner can reach (domain.md 1)."""
ANSWERS = {
    InvitationState.ACCEPTED: (AuditOperation.UPDATE, AuditAction.INVITATION_ACCEPT),
    InvitationState.DECLINED: (AuditOperation.DELETE, AuditAction.INVITATION_DECLINE),
    InvitationState.REVOKED: (AuditOperation.DELETE, AuditAction.INVITATION_REVOKE),
    InvitationState.EXPIRED: (AuditOperation.UPDATE, AuditAction.INVITATION_EXPIRE),
}
"""What an invitation's end is on the record (domain.md 7 #60)."""


def at(work: Work, when: timedelta | datetime) -> datetime:
    """The instant that the file means."""
    return work.moment + when if isinstance(when, timedelta) else when


# --- partnerships ---------------------------------------------------------------------------------------------------


async def add_partnerships(work: Work, names: Names, entries: Sequence[PartnershipEntry]) -> None:
    """Every partnership with its Primary admin role and that role's one assignment, also those that have ended."""
    for entry in entries:
        customer, partner = names.tenants[entry.customer], names.tenants[entry.partner]
        check_partner(customer, partner, entry)
        row = Partnership(
            tenant_id=customer.id,
            id=work.new_id(),
            partner_tenant_id=partner.id,
            state=PartnershipState.REMOVED if entry.removed else PartnershipState.ACTIVE,
            delegation_id=work.new_id(),
            manual_events=union(event.value for event in entry.manual),
            established_at=at(work, entry.established_at),
            removed_at=at(work, entry.removed.at) if entry.removed else None,
            removed_by_side=entry.removed.side if entry.removed else None,
        )
        names.claim(row, entry, "partner")
        role = built_in_role(work, customer.id, BuiltInRole.PRIMARY_ADMIN, row.id)
        names.add(role)
        await work.store(row)
        await work.store(role)
        record_partnership(work, row, role, partner)
        await delegate(work, names, row, role, entry)


def check_partner(customer: Tenant, partner: Tenant, entry: PartnershipEntry | InvitationEntry) -> None:
    """Raises `BadFile` unless the one may be the other's partner (domain.md 7 #3, #4)."""
    if customer.id == partner.id or not partner.may_be_partner:
        raise refusal(entry, "partner", "another tenant that may be a partner", entry.partner)


async def delegate(work: Work, names: Names, row: Partnership, role: Role, entry: PartnershipEntry) -> None:
    """The assignment that says what is delegated, and to whom."""
    admins = await primary_admins(names, row, entry)
    assignment = Assignment(
        tenant_id=row.tenant_id,
        id=row.delegation_id,
        role_id=role.id,
        partnership_id=row.id,
        name=ASSIGNED_ADMINS,
        name_key=name_key(ASSIGNED_ADMINS),
    )
    await assign(work, names, assignment, role, admins, entry)


async def primary_admins(names: Names, row: Partnership, entry: PartnershipEntry) -> list[Principal]:
    """Whom the partner named. Raises `BadFile` if the partnership is active and no user is among them (PA-4)."""
    admins = names.principals(row.partner_tenant_id, entry, "primary_admins")
    if tools := [admin.name for admin in admins if admin.kind is PrincipalKind.APPLICATION]:
        raise refusal(entry, "primaryAdmins", "users and security groups", tools[0])
    if row.state is PartnershipState.ACTIVE and not await names.users(admins):
        raise refusal(
            entry, "primaryAdmins", "at least one user, groups counted by their members", [*entry.primary_admins]
        )
    return admins


def record_partnership(work: Work, row: Partnership, role: Role, partner: Tenant) -> None:
    """Accepting is an update of the invitation; removing deletes it together with the role (domain.md 7 #60)."""
    category, subject = AuditCategory.PARTNER_INVITATION, global_id(row)
    facts = made(partner=partner.name, established_at=row.established_at.isoformat())
    done: list[tuple[AuditOperation, AuditAction, Changes]] = [
        (AuditOperation.UPDATE, AuditAction.PARTNERSHIP_ESTABLISH, facts)
    ]
    if row.removed_at and row.removed_by_side:
        facts = made(removed_at=row.removed_at.isoformat(), removed_by_side=row.removed_by_side.value)
        done.append((AuditOperation.DELETE, AuditAction.PARTNERSHIP_REMOVE, facts))
    for operation, action, changes in done:
        work.record(category, operation, action, row.tenant_id, partner.name, subject=subject, changes=changes)
    if row.removed_at:
        deleted = (AuditCategory.ROLE, AuditOperation.DELETE, AuditAction.ROLE_DELETE)
        work.record(*deleted, row.tenant_id, role.name, subject=global_id(role))


# --- invitations ----------------------------------------------------------------------------------------------------


async def add_invitations(work: Work, names: Names, entries: Sequence[InvitationEntry]) -> None:
    """Every invitation in the state that it came to; one PENDING may be past its time."""
    for entry in entries:
        customer, partner = names.tenants[entry.customer], names.tenants[entry.partner]
        check_partner(customer, partner, entry)
        sent_at = at(work, entry.sent_at)
        row = Invitation(
            tenant_id=customer.id,
            id=work.new_id(),
            partner_tenant_id=partner.id,
            partner_domain=entry.partner,
            state=entry.state,
            sent_at=sent_at,
            sent_by_id=entry.sent_by and names.find(Principal, customer.id, entry.sent_by, entry, "sentBy").id,
            expires_at=sent_at + timedelta(days=entry.expires_in_days),
            manual_events=union(event.value for event in entry.manual),
            terms_version=entry.terms_version,
            terms_digest=hashlib.sha256(entry.terms_version.encode()).hexdigest(),
        )
        names.claim(row, entry, "partner")
        close(work, names, row, entry)
        await work.store(row)
        rooms = await offer(work, names, row, entry)
        record_invitation(work, row, rooms)


def close(work: Work, names: Names, row: Invitation, entry: InvitationEntry) -> None:
    """Fill in how the invitation ended, if it did. Raises `BadFile` where the file tells only half of it."""
    is_answer = row.state in ANSWERS and row.state is not InvitationState.EXPIRED
    if is_answer != (entry.answered_at is not None):
        raise refusal(entry, "answeredAt", "an instant for what was answered and for nothing else", row.state.value)
    if entry.answered_at is not None:
        row.answered_at = row.closed_at = at(work, entry.answered_at)
    if row.state is InvitationState.EXPIRED:
        row.closed_at = row.expires_at
    linked = names.partnerships(row.tenant_id, row.partner_tenant_id)
    if row.state is InvitationState.PENDING and any(other.state is PartnershipState.ACTIVE for other in linked):
        raise refusal(entry, "partner", "a tenant that is not a partner already", entry.partner)
    if row.state is InvitationState.ACCEPTED:
        if not linked:
            raise refusal(entry, "partner", "a tenant with a partnership, as it accepted", entry.partner)
        row.partnership_id = linked[0].id


async def offer(work: Work, names: Names, row: Invitation, entry: InvitationEntry) -> list[str]:
    """The rooms and groups that the invitation offers. Raises `BadFile` if it offers nothing (domain.md 7 #10)."""
    ours = {"tenant_id": row.tenant_id, "invitation_id": row.id}
    rooms, groups = names.rooms(row.tenant_id, entry), names.groups(row.tenant_id, entry)
    if not rooms and not groups:
        raise refusal(entry, "rooms", "at least one room or group", [])
    await work.store(
        *(InvitationRoom(**ours, room_id=room) for room in rooms),
        *(InvitationGroup(**ours, group_id=group) for group in groups),
    )
    return [*entry.rooms, *entry.groups]


def record_invitation(work: Work, row: Invitation, offered: list[str]) -> None:
    """Sent, and what became of it."""
    category, name = AuditCategory.PARTNER_INVITATION, row.partner_domain
    facts = {"expires_at": row.expires_at.isoformat(), "offered": offered}
    work.created(category, AuditAction.INVITATION_SEND, row.tenant_id, name, row, **facts)
    if row.state in ANSWERS:
        work.record(category, *ANSWERS[row.state], row.tenant_id, name, subject=global_id(row))
