"""The nouns: what can be read, from which columns, under which right, and how it hangs together."""

from dataclasses import replace
from functools import cache
from typing import Any

from sqlalchemy import and_, case, func, not_, type_coerce
from sqlmodel import col

from app.access.derived import delegated_rooms, domains_of, name_of, offered_room_count, offered_rooms
from app.access.viewer import MOMENT, VIEWER_TENANT
from app.domain.permissions import BuiltInRole, Permission, Standing
from app.domain.vocabulary import ApprovalState, InvitationState, RoleType, Side
from app.reading.declaring import Derived, Many, Noun, Order, Restrict
from app.storage.columns import word
from app.storage.global_ids import KIND_OF_PRINCIPAL
from app.storage.tables import (
    ApprovalRequest,
    Assignment,
    AssignmentGroup,
    AssignmentMember,
    AssignmentRoom,
    AuditEntry,
    Invitation,
    InvitationGroup,
    Partnership,
    Principal,
    Role,
    Room,
    RoomGroup,
    RoomGroupRoom,
    Tenant,
    UpdateRing,
)


def by_name(table: Any) -> Order:
    """Sorted by name, alike in every database."""
    return Order(col(table.name_key))


def at_home_only(tenant: Any, column: Any) -> Any:
    """The column for rows of the viewer's own tenant, null for all others."""
    return case((tenant == VIEWER_TENANT, column))


def same(link: Any, target: Any, key: str) -> Any:
    """A row of the link table belongs to a row of the target."""
    return and_(link.tenant_id == target.tenant_id, getattr(link, key) == target.id)


TENANT = Noun(
    "tenant",
    Tenant,
    Standing.NAMED,
    tenant=col(Tenant.id),
    key=col(Tenant.id),
    plain={"display_name": col(Tenant.name), "domains": domains_of(col(Tenant.id))},
    order=by_name(Tenant),
)

PRINCIPAL = Noun(
    "principal",
    Principal,
    Standing.NAMED,
    tenant=col(Principal.tenant_id),
    key=col(Principal.id),
    plain={
        "kind": col(Principal.kind),
        "display_name": col(Principal.name),
        "user_principal_name": at_home_only(col(Principal.tenant_id), col(Principal.user_principal_name)),
    },
    order=by_name(Principal),
)
PRINCIPAL_KINDS = {name: kind for kind, name in KIND_OF_PRINCIPAL.items()}
"""Principals are one noun with three kinds of global ids."""

ROOM = Noun(
    "room",
    Room,
    Permission.ROOMS_VIEW,
    tenant=col(Room.tenant_id),
    key=col(Room.id),
    plain={
        "version": col(Room.version),
        "updated_at": col(Room.updated_at),
        "display_name": col(Room.name),
        "account": col(Room.account),
        "country_or_region": col(Room.country_or_region),
        "state": col(Room.state),
        "city": col(Room.city),
        "postal_code": col(Room.postal_code),
        "street": col(Room.street),
        "campus": col(Room.campus),
        "building": col(Room.building),
        "floor": col(Room.floor),
        "floor_label": col(Room.floor_label),
        "latitude": col(Room.latitude),
        "longitude": col(Room.longitude),
        "time_zone": col(Room.time_zone),
        "capacity": col(Room.capacity),
        "platform": col(Room.platform),
        "device_manufacturer": col(Room.device_manufacturer),
        "license": col(Room.license),
        "enrollment": col(Room.enrollment),
        "label": col(Room.label),
        "nickname": col(Room.nickname),
        "tags": col(Room.tags),
        "wheelchair_accessible": col(Room.wheelchair_accessible),
        "booking_type": col(Room.booking_type),
    },
    order=by_name(Room),
)
ROOM_ORDERS = {
    "NAME": by_name(Room),
    "UPDATED_AT": Order(col(Room.updated_at)),
    "CAPACITY": Order(col(Room.capacity), nullable=True, number=True),
}

GROUP = Noun(
    "roomgroup",
    RoomGroup,
    Permission.GROUPS_VIEW,
    tenant=col(RoomGroup.tenant_id),
    key=col(RoomGroup.id),
    plain={"version": col(RoomGroup.version), "display_name": col(RoomGroup.name)},
    order=by_name(RoomGroup),
)

RING = Noun(
    "updatering",
    UpdateRing,
    Permission.RINGS_VIEW,
    tenant=col(UpdateRing.tenant_id),
    key=col(UpdateRing.id),
    plain={
        "version": col(UpdateRing.version),
        "name": col(UpdateRing.name),
        "description": col(UpdateRing.description),
        "order": col(UpdateRing.position),
        "rollout_days": col(UpdateRing.rollout_days),
        "test_days": col(UpdateRing.test_days),
        "deferment_days": col(UpdateRing.deferment_days),
        "preconfigured": col(UpdateRing.preconfigured),
    },
    order=by_name(UpdateRing),
)

PARTNERSHIP = Noun(
    "partnership",
    Partnership,
    Standing.PARTY,
    tenant=col(Partnership.tenant_id),
    key=col(Partnership.id),
    plain={
        "version": col(Partnership.version),
        "state": col(Partnership.state),
        "established_at": col(Partnership.established_at),
        "removed_at": col(Partnership.removed_at),
        "removed_by_side": col(Partnership.removed_by_side),
        "manual_events": col(Partnership.manual_events),
    },
    order=Order(col(Partnership.established_at), descending=True),
)
BY_PARTNER = Order(name_of(col(Partnership.partner_tenant_id), Partnership))
BY_CUSTOMER = Order(name_of(col(Partnership.tenant_id), Partnership))

IS_LAPSED = and_(col(Invitation.state) == InvitationState.PENDING, col(Invitation.expires_at) <= MOMENT)
INVITATION_STATE = type_coerce(
    case((IS_LAPSED, InvitationState.EXPIRED.value), else_=col(Invitation.state)), word(InvitationState)
)
"""An invitation that nobody answered in time reads as expired from that instant on (domain.md 7 #6)."""

INVITATION = Noun(
    "invitation",
    Invitation,
    Standing.PARTY,
    tenant=col(Invitation.tenant_id),
    key=col(Invitation.id),
    plain={
        "version": col(Invitation.version),
        "state": INVITATION_STATE,
        "partner_domain": col(Invitation.partner_domain),
        "sent_at": col(Invitation.sent_at),
        "expires_at": col(Invitation.expires_at),
        "room_count": offered_room_count(),
        "manual_events": col(Invitation.manual_events),
        "terms_version": col(Invitation.terms_version),
        "answered_at": col(Invitation.answered_at),
    },
    order=Order(col(Invitation.sent_at), descending=True),
)

IS_FOR_ANSWERING = func.coalesce(col(Role.built_in), "") == BuiltInRole.TENANT_MANAGER.value
"""The Tenant manager role, which belongs to a partner and to no customer."""
IS_CUSTOMERS = and_(col(Role.partnership_id).is_(None), not_(IS_FOR_ANSWERING))
"""A role of the customer itself."""

ROLE = Noun(
    "role",
    Role,
    Standing.PARTY,
    tenant=col(Role.tenant_id),
    key=col(Role.id),
    plain={
        "version": col(Role.version),
        "name": col(Role.name),
        "description": col(Role.description),
        "type": type_coerce(
            case((col(Role.built_in).is_(None), RoleType.CUSTOM.value), else_=RoleType.BUILT_IN.value), word(RoleType)
        ),
        "side": type_coerce(case((IS_CUSTOMERS, Side.CUSTOMER.value), else_=Side.PARTNER.value), word(Side)),
        "permissions": col(Role.permissions),
    },
    order=by_name(Role),
)

ASSIGNMENT = Noun(
    "assignment",
    Assignment,
    Standing.PARTY,
    tenant=col(Assignment.tenant_id),
    key=col(Assignment.id),
    plain={
        "version": col(Assignment.version),
        "name": col(Assignment.name),
        "description": col(Assignment.description),
        "all_rooms": col(Assignment.all_rooms),
        "notify_by_email": col(Assignment.notify_by_email),
    },
    order=by_name(Assignment),
)

IS_OVERDUE = and_(col(ApprovalRequest.state) == ApprovalState.PENDING, col(ApprovalRequest.expires_at) <= MOMENT)
APPROVAL_STATE = type_coerce(
    case((IS_OVERDUE, ApprovalState.EXPIRED.value), else_=col(ApprovalRequest.state)), word(ApprovalState)
)
"""A held change that nobody decided in time reads as expired from that instant on (domain.md 7 #15)."""

APPROVAL_REQUEST = Noun(
    "approvalrequest",
    ApprovalRequest,
    Standing.PARTY,
    tenant=col(ApprovalRequest.tenant_id),
    key=col(ApprovalRequest.id),
    plain={
        "version": col(ApprovalRequest.version),
        "state": APPROVAL_STATE,
        "event": col(ApprovalRequest.event),
        "mutation": col(ApprovalRequest.mutation),
        "requested_at": col(ApprovalRequest.requested_at),
        "expires_at": col(ApprovalRequest.expires_at),
        "subject_id": col(ApprovalRequest.subject),
        "changes": col(ApprovalRequest.changes),
        "decided_at": col(ApprovalRequest.decided_at),
        "comment": col(ApprovalRequest.comment),
        "failure": col(ApprovalRequest.failure),
    },
    order=Order(col(ApprovalRequest.requested_at), descending=True),
)

AUDIT_ENTRY = Noun(
    "auditentry",
    AuditEntry,
    Permission.AUDIT_VIEW,
    tenant=col(AuditEntry.tenant_id),
    key=col(AuditEntry.id),
    plain={
        "sequence": col(AuditEntry.sequence),
        "creation_time": col(AuditEntry.creation_time),
        "category": col(AuditEntry.category),
        "operation": col(AuditEntry.operation),
        "action": col(AuditEntry.action),
        "result_status": col(AuditEntry.result_status),
        "object_name": col(AuditEntry.object_name),
        "subject_id": col(AuditEntry.subject),
        "count": col(AuditEntry.count),
        "changes": col(AuditEntry.changes),
        "request_id": col(AuditEntry.request_id),
        "hash": col(AuditEntry.hash),
        "previous_hash": col(AuditEntry.previous_hash),
    },
    order=Order(col(AuditEntry.sequence), descending=True, number=True),
)

NOUNS = (TENANT, PRINCIPAL, ROOM, GROUP, RING, PARTNERSHIP, INVITATION, ROLE, ASSIGNMENT, APPROVAL_REQUEST, AUDIT_ENTRY)
NODES = {noun.kind: noun for noun in NOUNS if noun is not PRINCIPAL} | dict.fromkeys(PRINCIPAL_KINDS, PRINCIPAL)
"""Which noun each kind of global id names."""

# --- edges to one row -----------------------------------------------------------------------------------------------

PRINCIPAL.one("tenant", TENANT, tenant=col(Principal.tenant_id), key=col(Principal.tenant_id))
ROOM.one("customer", TENANT, tenant=col(Room.tenant_id), key=col(Room.tenant_id))
ROOM.one("ring", RING, tenant=col(Room.tenant_id), key=col(Room.ring_id))
GROUP.one("customer", TENANT, tenant=col(RoomGroup.tenant_id), key=col(RoomGroup.tenant_id))
RING.one("customer", TENANT, tenant=col(UpdateRing.tenant_id), key=col(UpdateRing.tenant_id))
PARTNERSHIP.one("customer", TENANT, tenant=col(Partnership.tenant_id), key=col(Partnership.tenant_id))
PARTNERSHIP.one("partner", TENANT, tenant=col(Partnership.partner_tenant_id), key=col(Partnership.partner_tenant_id))
PARTNERSHIP.one("primary_admins", ASSIGNMENT, tenant=col(Partnership.tenant_id), key=col(Partnership.delegation_id))
INVITATION.one("customer", TENANT, tenant=col(Invitation.tenant_id), key=col(Invitation.tenant_id))
INVITATION.one("partner", TENANT, tenant=col(Invitation.partner_tenant_id), key=col(Invitation.partner_tenant_id))
INVITATION.one("sent_by", PRINCIPAL, tenant=col(Invitation.tenant_id), key=col(Invitation.sent_by_id))
INVITATION.one("partnership", PARTNERSHIP, tenant=col(Invitation.tenant_id), key=col(Invitation.partnership_id))
ROLE.one("customer", TENANT, tenant=col(Role.tenant_id), key=case((not_(IS_FOR_ANSWERING), col(Role.tenant_id))))
ROLE.one("partnership", PARTNERSHIP, tenant=col(Role.tenant_id), key=col(Role.partnership_id))
ASSIGNMENT.one("role", ROLE, tenant=col(Assignment.tenant_id), key=col(Assignment.role_id))
APPROVAL_REQUEST.one(
    "partnership", PARTNERSHIP, tenant=col(ApprovalRequest.tenant_id), key=col(ApprovalRequest.partnership_id)
)
APPROVAL_REQUEST.one(
    "requested_by", PRINCIPAL, tenant=col(ApprovalRequest.requester_tenant_id), key=col(ApprovalRequest.requester_id)
)
APPROVAL_REQUEST.one(
    "decided_by", PRINCIPAL, tenant=col(ApprovalRequest.decider_tenant_id), key=col(ApprovalRequest.decider_id)
)
AUDIT_ENTRY.one("approval", APPROVAL_REQUEST, tenant=col(AuditEntry.tenant_id), key=col(AuditEntry.approval_id))
AUDIT_ENTRY.one("user", PRINCIPAL, tenant=col(AuditEntry.user_tenant_id), key=col(AuditEntry.user_id))
AUDIT_ENTRY.one("approved_by", PRINCIPAL, tenant=col(AuditEntry.tenant_id), key=col(AuditEntry.approved_by_id))
AUDIT_ENTRY.one("user_tenant", TENANT, tenant=col(AuditEntry.user_tenant_id), key=col(AuditEntry.user_tenant_id))
AUDIT_ENTRY.one("tenant", TENANT, tenant=col(AuditEntry.tenant_id), key=col(AuditEntry.tenant_id))

# --- edges to many rows ---------------------------------------------------------------------------------------------


def rooms_of_partnerships(restrict: Restrict) -> Derived:
    """The rooms that partnerships reach."""
    link = delegated_rooms(of_partnership=restrict)
    return Derived(link, link.c.tenant_id, link.c.partnership_id, link.c.room_id)


def partnerships_of_rooms(restrict: Restrict) -> Derived:
    """The partnerships that reach rooms."""
    link = delegated_rooms(of_room=restrict)
    return Derived(link, link.c.tenant_id, link.c.room_id, link.c.partnership_id)


def rooms_of_invitations(restrict: Restrict) -> Derived:
    """The rooms that invitations offer."""
    link = offered_rooms(restrict)
    return Derived(link, link.c.tenant_id, link.c.invitation_id, link.c.room_id)


GROUP.many("rooms", ROOM, parent=col(RoomGroupRoom.group_id), link=RoomGroupRoom, child=col(RoomGroupRoom.room_id))
ROOM.many(
    "groups",
    GROUP,
    parent=col(RoomGroupRoom.room_id),
    link=RoomGroupRoom,
    child=col(RoomGroupRoom.group_id),
)
RING.many("rooms", ROOM, parent=col(Room.ring_id))
PARTNERSHIP.many("rooms", ROOM, derive=rooms_of_partnerships)
PARTNERSHIP.many("approval_requests", APPROVAL_REQUEST, parent=col(ApprovalRequest.partnership_id))
PARTNERSHIP.many("roles", ROLE, parent=col(Role.partnership_id))
ROOM.many(
    "delegated_to",
    PARTNERSHIP,
    derive=partnerships_of_rooms,
    right=Permission.PARTNERS_VIEW,
    order=BY_PARTNER,
)
INVITATION.many("rooms", ROOM, derive=rooms_of_invitations)
INVITATION.many(
    "groups",
    GROUP,
    parent=col(InvitationGroup.invitation_id),
    link=InvitationGroup,
    child=col(InvitationGroup.group_id),
)


@cache
def approval_requests_in(states: frozenset[ApprovalState]) -> Many:
    """The held changes of a partnership that are in one of these states."""
    edge, chosen = PARTNERSHIP.manys["approval_requests"], sorted(states)
    return replace(edge, name=f"{edge.name} {' '.join(chosen)}", where=APPROVAL_STATE.in_(chosen))


ROLE.many("assignments", ASSIGNMENT, parent=col(Assignment.role_id))
ASSIGNMENT.many(
    "members",
    PRINCIPAL,
    parent=col(AssignmentMember.assignment_id),
    link=AssignmentMember,
    on=and_(
        col(AssignmentMember.member_tenant_id) == col(Principal.tenant_id),
        col(AssignmentMember.member_id) == col(Principal.id),
    ),
)
ASSIGNMENT.many(
    "rooms",
    ROOM,
    parent=col(AssignmentRoom.assignment_id),
    link=AssignmentRoom,
    child=col(AssignmentRoom.room_id),
)
ASSIGNMENT.many(
    "groups",
    GROUP,
    parent=col(AssignmentGroup.assignment_id),
    link=AssignmentGroup,
    child=col(AssignmentGroup.group_id),
)
