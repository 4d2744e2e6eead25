"""The customer's side of an invitation: send it, or take it back."""

import hashlib
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlmodel import SQLModel, col, select

from app.access.derived import offered_room_count
from app.access.scoping import Rows, unscoped
from app.access.visible import visible
from app.domain.audit import AuditAction, changed
from app.domain.change_control import with_modes
from app.domain.domains import NotADomain, normalize_domain
from app.domain.invitations import MAX_DAYS, MIN_DAYS, expiry
from app.domain.permissions import NOTHING, Permission, Standing
from app.domain.refusals import ErrorCode, Refused, RefusedTogether, check_version, forbidden, invalid_input, not_found
from app.domain.vocabulary import (
    AuditCategory,
    AuditOperation,
    ChangeEvent,
    ChangeMode,
    InvitationState,
    PartnershipState,
)
from app.operations.settling import record_end, settle
from app.operations.work import Work
from app.storage.global_ids import global_id
from app.storage.tables import (
    Domain,
    Invitation,
    InvitationGroup,
    InvitationRoom,
    Partnership,
    Room,
    RoomGroup,
    Tenant,
)

Step = TypeVar("Step")
Owned = TypeVar("Owned", Room, RoomGroup)
NOT_INVITABLE = "No organization with this domain can be invited."
"""The same for an unknown domain and for one that is not eligible, so that nobody can list the tenants."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the operator publishes for customers to agree to."""

    version: str
    text: str
    url: str | None = None

    @property
    def digest(self) -> str:
        """SHA-256 over what was agreed to."""
        return hashlib.sha256(f"{self.version}\n{self.text}".encode()).hexdigest()


async def invite_partner(
    work: Work,
    *,
    partner_domain: str,
    expires_in_days: int,
    rooms: Sequence[str],
    groups: Sequence[str],
    change_control: Mapping[ChangeEvent, ChangeMode],
    agreed_terms_version: str,
    terms: Terms | None,
) -> Invitation:
    """An invitation to the organization of this domain (INV-1 to INV-8, domain.md 7 #2 to #11).

    Raises `Refused` for whoever is no Manager of a customer, and where one is open or the two are linked;
    `RefusedTogether` for everything that is wrong with the input.
    """
    await work.require(Permission.PARTNERS_MANAGE)
    problems = [*wrong_days(expires_in_days), *wrong_terms(agreed_terms_version, terms)]
    if not rooms and not groups:
        problems.append(nothing_offered())
    partner = await keep(problems, invitable(work, partner_domain))
    offered = await keep(problems, offered_rows(work, Room, Permission.ROOMS_VIEW, rooms, "rooms")) or []
    grouped = await keep(problems, offered_rows(work, RoomGroup, Permission.GROUPS_VIEW, groups, "groups")) or []
    if problems or partner is None or terms is None:
        raise RefusedTogether(problems)
    await clear_the_way(work, partner)
    invitation = Invitation(
        tenant_id=work.asker.tenant_id,
        id=work.new_id(),
        partner_tenant_id=partner.id,
        partner_domain=normalize_domain(partner_domain),
        sent_at=work.moment,
        sent_by_id=work.asker.principal_id,
        expires_at=expiry(work.moment, expires_in_days),
        manual_events=with_modes(NOTHING, change_control),
        terms_version=terms.version,
        terms_digest=terms.digest,
    )
    await work.store_caller()
    await work.store(invitation)
    await offer(work, invitation, offered, grouped)
    facts = {
        "partner": partner.name,
        "expires_at": invitation.expires_at,
        "rooms": len(offered),
        "groups": len(grouped),
    }
    work.created(
        AuditCategory.PARTNER_INVITATION,
        AuditAction.INVITATION_SEND,
        invitation.tenant_id,
        invitation.partner_domain,
        invitation,
        **facts,
    )
    return invitation


def wrong_days(days: int) -> list[Refused]:
    """Days out of bounds (INV-3)."""
    if MIN_DAYS <= days <= MAX_DAYS:
        return []
    message = f"An invitation can be answered for {MIN_DAYS} to {MAX_DAYS} whole days."
    return [invalid_input(message, "expiresInDays", minimum=MIN_DAYS, maximum=MAX_DAYS)]


def wrong_terms(agreed: str, terms: Terms | None) -> list[Refused]:
    """Other terms than those that are published now (INV-6, domain.md 7 #11)."""
    if terms is not None and agreed == terms.version:
        return []
    message = (
        f"These are not the current terms, which are version {terms.version}; read them in `service.terms`."
        if terms
        else "Nobody can be invited yet: whoever operates this gateway has not published terms to agree to."
    )
    return [invalid_input(message, "agreedTermsVersion")]


async def keep(problems: list[Refused], step: Awaitable[Step]) -> Step | None:
    """What a step answers; what it refuses is kept with the other problems of the input."""
    try:
        return await step
    except Refused as refused:
        problems.append(refused)
    except RefusedTogether as refused:
        problems.extend(refused.refusals)
    return None


async def invitable(work: Work, typed: str) -> Tenant:
    """The organization that may be a partner and has verified this domain."""
    try:
        domain = normalize_domain(typed)
    except NotADomain as refused:
        raise invalid_input(str(refused), "partnerDomain") from None
    owner = select(Tenant).join(Domain).where(col(Domain.name) == domain)
    found = (await work.session.exec(unscoped(owner, "a domain is looked up for whom no relation exists yet"))).first()
    if found is not None and found.id == work.asker.tenant_id:
        raise invalid_input("An organization cannot invite itself.", "partnerDomain")
    if found is None or not found.may_be_partner:
        raise invalid_input(NOT_INVITABLE, "partnerDomain")
    return found


async def offered_rows(
    work: Work, table: type[Owned], permission: Permission, identifiers: Sequence[str], field: str
) -> list[Owned]:
    """The rows with these ids, each once. Raises `RefusedTogether` for ids that are not the customer's own to offer."""
    found, problems = {}, list[Refused]()
    for place, identifier in enumerate(identifiers):
        row = await work.find(table, identifier, permission)
        if row is None:
            problems.append(not_found(field, str(place)))
        elif row.tenant_id != work.asker.tenant_id:
            problems.append(forbidden(Permission.PARTNERS_MANAGE, field, str(place)))
        else:
            found[row.id] = row
    if problems:
        raise RefusedTogether(problems)
    return list(found.values())


async def clear_the_way(work: Work, partner: Tenant) -> None:
    """Make room for a new invitation: a lapsed one is closed, an open one or a partnership is in the way (#5).

    Invitations of one customer are sent one after the other, under a lock on the customer. The earlier invitation is
    looked at first, and locked, so that one that is accepted meanwhile is met as the partnership that it became.
    """
    await work.lock_tenant(work.asker.tenant_id)
    sent = between(Invitation, partner).where(col(Invitation.closed_at).is_(None)).with_for_update(of=Invitation)
    for (earlier,) in await work.ask(sent):
        if earlier.expires_at > work.moment:
            raise conflict(f"An invitation to {partner.name} is already open.", earlier)
        lapse(work, earlier)
    for (partnership,) in await work.ask(
        between(Partnership, partner).where(col(Partnership.state) == PartnershipState.ACTIVE)
    ):
        raise conflict(f"{partner.name} is already a partner.", partnership)


def between(table: type[Invitation] | type[Partnership], partner: Tenant) -> Rows:
    """What the viewer's organization, as a customer, has with this partner."""
    own = visible(table, Permission.PARTNERS_MANAGE)
    return own.where(col(table.partner_tenant_id) == partner.id)


def conflict(message: str, existing: SQLModel) -> Refused:
    """Something that is already there is in the way."""
    return Refused(ErrorCode.CONFLICT, message, ("input", "partnerDomain"), existing_id=global_id(existing))


def lapse(work: Work, invitation: Invitation) -> None:
    """Close an invitation whose time is over, as the system (domain.md 7 #60)."""
    before = invitation.state
    invitation.state, invitation.closed_at = InvitationState.EXPIRED, work.moment
    invitation.version += 1
    work.record(
        AuditCategory.PARTNER_INVITATION,
        AuditOperation.UPDATE,
        AuditAction.INVITATION_EXPIRE,
        invitation.tenant_id,
        invitation.partner_domain,
        subject=global_id(invitation),
        changes=changed("state", before, invitation.state),
        by_system=True,
    )


async def offer(work: Work, invitation: Invitation, rooms: Sequence[Room], groups: Sequence[RoomGroup]) -> None:
    """Put the rooms and groups into the invitation. Raises `Refused` if there is not one room among them (#10)."""
    own = {"tenant_id": invitation.tenant_id, "invitation_id": invitation.id}
    await work.store(*(InvitationRoom(**own, room_id=room.id) for room in rooms))
    await work.store(*(InvitationGroup(**own, group_id=group.id) for group in groups))
    counted = visible(Invitation, Standing.PARTY).where(col(Invitation.id) == invitation.id)
    if not (await work.ask(counted.with_only_columns(offered_room_count())))[0][0]:
        raise nothing_offered()


def nothing_offered() -> Refused:
    """There is no room in the invitation (domain.md 7 #10)."""
    return invalid_input("Offer at least one room, or a room group that has one.", "rooms", minimum=1)


async def revoke_invitation(work: Work, *, invitation: str, expected_version: int | None = None) -> Invitation:
    """Take an invitation back while it is pending (domain.md 7 #9). Raises `Refused`."""
    row = await work.obtain(Invitation, invitation, Permission.PARTNERS_MANAGE, "invitation")
    check_version(row.version, expected_version)
    await settle(work, row, Permission.PARTNERS_VIEW, state=InvitationState.REVOKED, closed_at=work.moment)
    record_end(work, row, AuditAction.INVITATION_REVOKE)
    return row
