"""Every table. What a tenant owns has `tenant_id` first in its primary key, unique constraints and foreign keys.

What links two tenants (partnership, invitation, members) is owned by the customer and names the other side by
(tenant, id) without a foreign key across, so that the same schema can be distributed by tenant.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Integer
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from app.domain.permissions import NOTHING, BuiltInRole, Permission
from app.domain.text import KEY_LENGTH
from app.domain.vocabulary import (
    ApprovalState,
    AuditCategory,
    AuditOperation,
    AuditResult,
    BookingType,
    EnrollmentState,
    InvitationState,
    License,
    PartnershipState,
    Platform,
    PrincipalKind,
    Side,
    UserType,
)
from app.storage.columns import PermissionSet, document, instant, text, word

metadata = SQLModel.metadata
metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

UUID_LENGTH = 36
NAME_LENGTH = 256
GLOBAL_ID_LENGTH = 128


def key() -> Any:
    """A part of a primary key: a UUID as text."""
    return Field(primary_key=True, sa_type=text(UUID_LENGTH))


def link(*, nullable: bool = False) -> Any:
    """A UUID that names a row elsewhere."""
    return Field(default=None, nullable=nullable, sa_type=text(UUID_LENGTH))


def words(length: int | None = NAME_LENGTH, *, nullable: bool = False) -> Any:
    """Text for people, or a key made from it."""
    return Field(default=None, nullable=nullable, sa_type=text(length))


def folded(*, nullable: bool = False) -> Any:
    """What `fold` makes of a text: for sorting, comparing and uniqueness."""
    return words(KEY_LENGTH, nullable=nullable)


def one_of(kind: Any, default: Any = None, *, nullable: bool = False) -> Any:
    """A member of a closed set of words."""
    return Field(default=default, nullable=nullable, sa_type=word(kind))


def moment(*, nullable: bool = False) -> Any:
    """An instant."""
    return Field(default=None, nullable=nullable, sa_type=instant())


def to(table: str, *columns: str, tenant: str = "tenant_id") -> ForeignKeyConstraint:
    """A foreign key to a row of the same tenant."""
    return ForeignKeyConstraint([tenant, *columns], [f"{table}.tenant_id", f"{table}.id"], ondelete="RESTRICT")


def of_tenant() -> ForeignKeyConstraint:
    """A foreign key to the tenant that owns the row."""
    return ForeignKeyConstraint(["tenant_id"], ["tenants.id"], ondelete="RESTRICT")


class Tenant(SQLModel, table=True):
    """An organization: a customer, a partner, or both."""

    __tablename__ = "tenants"
    __table_args__ = (Index(None, "name_key"),)

    id: str = key()
    name: str = words()
    name_key: str = folded()
    may_be_partner: bool = False
    created_at: datetime = moment()


class Domain(SQLModel, table=True):
    """A verified domain; a domain belongs to one tenant in all the world."""

    __tablename__ = "domains"
    __table_args__ = (of_tenant(), Index(None, "tenant_id", "name"))

    name: str = Field(primary_key=True, sa_type=text(253))
    tenant_id: str = link()


class Principal(SQLModel, table=True):
    """A user, security group or application of a tenant's directory; `id` is Entra's object id.

    One that the directory has removed is kept: what it did has an author, and restored it is the same one again.
    """

    __tablename__ = "principals"
    __table_args__ = (
        of_tenant(),
        Index(None, "tenant_id", "name_key", "id"),
    )

    tenant_id: str = key()
    id: str = key()
    kind: PrincipalKind = one_of(PrincipalKind)
    name: str = words()
    name_key: str = folded()
    search_key: str = words(None)
    user_principal_name: str | None = words(nullable=True)
    user_type: UserType | None = one_of(UserType, nullable=True)
    created_at: datetime = moment()
    removed_at: datetime | None = moment(nullable=True)


class DirectMember(SQLModel, table=True):
    """What the directory says of a security group: this user, application or group is in it, itself.

    There is no foreign key to the member, since the directory may name somebody who is stored later. Nothing is decided
    by this; it is what `GroupMember` follows from.
    """

    __tablename__ = "direct_members"
    __table_args__ = (to("principals", "group_id"), Index(None, "tenant_id", "member_id"))

    tenant_id: str = key()
    group_id: str = key()
    member_id: str = key()


class GroupMember(SQLModel, table=True):
    """A user's or application's membership in a security group, itself or through groups in the group."""

    __tablename__ = "group_members"
    __table_args__ = (
        to("principals", "group_id"),
        to("principals", "member_id"),
        Index(None, "tenant_id", "member_id"),
    )

    tenant_id: str = key()
    group_id: str = key()
    member_id: str = key()


class UpdateRing(SQLModel, table=True):
    """An ordered step of a tenant's software rollout (domain.md 6.3)."""

    __tablename__ = "update_rings"
    __table_args__ = (
        of_tenant(),
        Index("uq_update_rings_name", "tenant_id", "name_key", unique=True),
        CheckConstraint("position between 1 and 9", name="position"),
    )

    tenant_id: str = key()
    id: str = key()
    version: int = 1
    name: str = words()
    name_key: str = folded()
    description: str | None = words(1024, nullable=True)
    position: int
    rollout_days: int
    test_days: int
    deferment_days: int
    preconfigured: bool = False


class Room(SQLModel, table=True):
    """A meeting room. A retired one is kept, so that it is the same room when it comes back (domain.md 7 #58)."""

    __tablename__ = "rooms"
    __table_args__ = (
        of_tenant(),
        to("update_rings", "ring_id"),
        Index("uq_rooms_graph_id", "tenant_id", "graph_id", unique=True),
        Index("uq_rooms_account", "tenant_id", "account_key", unique=True),
        Index(None, "tenant_id", "name_key", "id"),
        Index(None, "tenant_id", "updated_at", "id"),
        Index(None, "tenant_id", "capacity", "id"),
        Index(None, "tenant_id", "ring_id"),
        CheckConstraint("capacity >= 0", name="capacity"),
    )

    tenant_id: str = key()
    id: str = key()
    version: int = 1
    created_at: datetime = moment()
    updated_at: datetime = moment()
    retired_at: datetime | None = moment(nullable=True)
    graph_id: str | None = words(nullable=True)
    account: str = words()
    account_key: str = folded()
    name: str = words()
    name_key: str = folded()
    label: str | None = words(nullable=True)
    nickname: str | None = words(nullable=True)
    search_key: str = words(None)
    country_or_region: str | None = words(nullable=True)
    state: str | None = words(nullable=True)
    city: str | None = words(nullable=True)
    city_key: str | None = folded(nullable=True)
    postal_code: str | None = words(nullable=True)
    street: str | None = words(nullable=True)
    campus: str | None = words(nullable=True)
    building: str | None = words(nullable=True)
    building_key: str | None = folded(nullable=True)
    floor: str | None = words(nullable=True)
    floor_label: str | None = words(nullable=True)
    latitude: float | None = None
    longitude: float | None = None
    time_zone: str | None = words(nullable=True)
    capacity: int | None = None
    tags: list[str] = Field(default_factory=list, sa_type=document())
    wheelchair_accessible: bool | None = None
    booking_type: BookingType = one_of(BookingType, BookingType.UNKNOWN)
    platform: Platform = one_of(Platform, Platform.OTHER)
    device_manufacturer: str | None = words(nullable=True)
    license: License = one_of(License, License.NONE)
    enrollment: EnrollmentState = one_of(EnrollmentState, EnrollmentState.ONBOARDING)
    ring_id: str = link()


class RoomGroup(SQLModel, table=True):
    """A named set of rooms (domain.md 6.2)."""

    __tablename__ = "room_groups"
    __table_args__ = (of_tenant(), Index("uq_room_groups_name", "tenant_id", "name_key", unique=True))

    tenant_id: str = key()
    id: str = key()
    version: int = 1
    name: str = words()
    name_key: str = folded()


class RoomGroupRoom(SQLModel, table=True):
    """A room's place in a room group."""

    __tablename__ = "room_group_rooms"
    __table_args__ = (to("room_groups", "group_id"), to("rooms", "room_id"), Index(None, "tenant_id", "room_id"))

    tenant_id: str = key()
    group_id: str = key()
    room_id: str = key()


class Partnership(SQLModel, table=True):
    """The standing link between a customer (the owner of the row) and a partner."""

    __tablename__ = "partnerships"
    __table_args__ = (
        of_tenant(),
        Index(
            "uq_partnerships_active",
            "tenant_id",
            "partner_tenant_id",
            unique=True,
            sqlite_where=sql("state = 'ACTIVE'"),
            postgresql_where=sql("state = 'ACTIVE'"),
        ),
        Index(None, "partner_tenant_id", "tenant_id"),
    )

    tenant_id: str = key()
    id: str = key()
    partner_tenant_id: str = link()
    state: PartnershipState = one_of(PartnershipState, PartnershipState.ACTIVE)
    version: int = 1
    delegation_id: str = link()
    """The "Assigned admins" assignment, whose scope is everything the partner can reach. No foreign key: the
    assignment already has one to this row, and the two are made in one transaction."""
    manual_events: Permission = Field(default=NOTHING, sa_type=PermissionSet)
    """The change events that the customer approves by hand; all others are automatic."""
    established_at: datetime = moment()
    removed_at: datetime | None = moment(nullable=True)
    removed_by_side: Side | None = one_of(Side, nullable=True)


class Invitation(SQLModel, table=True):
    """A customer's offer to one partner domain."""

    __tablename__ = "invitations"
    __table_args__ = (
        of_tenant(),
        to("principals", "sent_by_id"),
        to("partnerships", "partnership_id"),
        Index(
            "uq_invitations_open",
            "tenant_id",
            "partner_tenant_id",
            unique=True,
            sqlite_where=sql("closed_at is null"),
            postgresql_where=sql("closed_at is null"),
        ),
        Index(None, "partner_tenant_id", "sent_at"),
        Index(None, "tenant_id", "sent_at", "id"),
    )

    tenant_id: str = key()
    id: str = key()
    partner_tenant_id: str = link()
    partner_domain: str = words(253)
    state: InvitationState = one_of(InvitationState, InvitationState.PENDING)
    version: int = 1
    sent_at: datetime = moment()
    sent_by_id: str | None = link(nullable=True)
    expires_at: datetime = moment()
    answered_at: datetime | None = moment(nullable=True)
    closed_at: datetime | None = moment(nullable=True)
    manual_events: Permission = Field(default=NOTHING, sa_type=PermissionSet)
    terms_version: str = words()
    terms_digest: str = words(64)
    partnership_id: str | None = link(nullable=True)


class InvitationRoom(SQLModel, table=True):
    """A room that an invitation offers."""

    __tablename__ = "invitation_rooms"
    __table_args__ = (to("invitations", "invitation_id"), to("rooms", "room_id"), Index(None, "tenant_id", "room_id"))

    tenant_id: str = key()
    invitation_id: str = key()
    room_id: str = key()


class InvitationGroup(SQLModel, table=True):
    """A room group that an invitation offers, live."""

    __tablename__ = "invitation_groups"
    __table_args__ = (
        to("invitations", "invitation_id"),
        to("room_groups", "group_id"),
        Index(None, "tenant_id", "group_id"),
    )

    tenant_id: str = key()
    invitation_id: str = key()
    group_id: str = key()


class Role(SQLModel, table=True):
    """A set of permissions: the tenant's own, or, with a partnership, a partner's role within this customer."""

    __tablename__ = "roles"
    __table_args__ = (
        of_tenant(),
        to("partnerships", "partnership_id"),
        Index(
            "uq_roles_own_name",
            "tenant_id",
            "name_key",
            unique=True,
            sqlite_where=sql("partnership_id is null"),
            postgresql_where=sql("partnership_id is null"),
        ),
        Index(
            "uq_roles_partner_name",
            "tenant_id",
            "partnership_id",
            "name_key",
            unique=True,
            sqlite_where=sql("partnership_id is not null"),
            postgresql_where=sql("partnership_id is not null"),
        ),
    )

    tenant_id: str = key()
    id: str = key()
    partnership_id: str | None = link(nullable=True)
    built_in: BuiltInRole | None = one_of(BuiltInRole, nullable=True)
    version: int = 1
    name: str = words(100)
    name_key: str = folded()
    description: str | None = words(1024, nullable=True)
    permissions: Permission = Field(sa_type=PermissionSet)


class Assignment(SQLModel, table=True):
    """Grants a role to members over a scope."""

    __tablename__ = "assignments"
    __table_args__ = (
        of_tenant(),
        to("roles", "role_id"),
        to("partnerships", "partnership_id"),
        Index("uq_assignments_name", "tenant_id", "role_id", "name_key", unique=True),
        Index(None, "tenant_id", "partnership_id"),
    )

    tenant_id: str = key()
    id: str = key()
    role_id: str = link()
    partnership_id: str | None = link(nullable=True)
    """The role's partnership, repeated so that a scope is found without the role."""
    version: int = 1
    name: str = words(100)
    name_key: str = folded()
    description: str | None = words(1024, nullable=True)
    all_rooms: bool = False
    notify_by_email: bool = False


class AssignmentMember(SQLModel, table=True):
    """Who holds an assignment: a principal of the owner's tenant, or of the partner's for a partner role."""

    __tablename__ = "assignment_members"
    __table_args__ = (to("assignments", "assignment_id"), Index(None, "member_tenant_id", "member_id"))

    tenant_id: str = key()
    assignment_id: str = key()
    member_tenant_id: str = key()
    member_id: str = key()


class AssignmentRoom(SQLModel, table=True):
    """A room in an assignment's scope."""

    __tablename__ = "assignment_rooms"
    __table_args__ = (to("assignments", "assignment_id"), to("rooms", "room_id"), Index(None, "tenant_id", "room_id"))

    tenant_id: str = key()
    assignment_id: str = key()
    room_id: str = key()


class AssignmentGroup(SQLModel, table=True):
    """A room group in an assignment's scope."""

    __tablename__ = "assignment_groups"
    __table_args__ = (
        to("assignments", "assignment_id"),
        to("room_groups", "group_id"),
        Index(None, "tenant_id", "group_id"),
    )

    tenant_id: str = key()
    assignment_id: str = key()
    group_id: str = key()


class ApprovalRequest(SQLModel, table=True):
    """A partner's change that the customer holds until it is decided."""

    __tablename__ = "approval_requests"
    __table_args__ = (
        of_tenant(),
        to("partnerships", "partnership_id"),
        Index(
            "uq_approval_requests_open",
            "tenant_id",
            "partnership_id",
            "requester_id",
            "digest",
            unique=True,
            sqlite_where=sql("decided_at is null"),
            postgresql_where=sql("decided_at is null"),
        ),
        Index(None, "tenant_id", "requested_at", "id"),
        Index(None, "tenant_id", "partnership_id", "requested_at"),
        Index(None, "requester_tenant_id", "requester_id"),
    )

    tenant_id: str = key()
    id: str = key()
    version: int = 1
    partnership_id: str = link()
    state: ApprovalState = one_of(ApprovalState, ApprovalState.PENDING)
    event: Permission = Field(sa_type=PermissionSet)
    mutation: str = words(64)
    command: dict[str, Any] = Field(default_factory=dict, sa_type=document())
    """The validated input, done as it is when the request is approved."""
    digest: str = words(64)
    """What tells one held change from another."""
    requester_tenant_id: str = link()
    requester_id: str = link()
    requested_at: datetime = moment()
    expires_at: datetime = moment()
    subject: str | None = words(GLOBAL_ID_LENGTH, nullable=True)
    subject_name: str = words(None)
    changes: list[dict[str, str | None]] = Field(default_factory=list, sa_type=document())
    decided_at: datetime | None = moment(nullable=True)
    decider_tenant_id: str | None = link(nullable=True)
    """Null where nobody decided: its time was over, or the partnership ended."""
    decider_id: str | None = link(nullable=True)
    comment: str | None = words(1024, nullable=True)
    failure: str | None = words(None, nullable=True)


class AuditEntry(SQLModel, table=True):
    """One line of a tenant's record; `hash` covers it and the hash before it."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        of_tenant(),
        Index("uq_audit_entries_sequence", "tenant_id", "sequence", unique=True),
        Index(None, "tenant_id", "creation_time", "sequence"),
        Index(None, "tenant_id", "user_tenant_id", "user_id"),
        Index(
            None,
            "tenant_id",
            "approved_by_id",
            sqlite_where=sql("approved_by_id is not null"),
            postgresql_where=sql("approved_by_id is not null"),
        ),
    )

    tenant_id: str = key()
    id: str = key()
    sequence: int
    creation_time: datetime = moment()
    category: AuditCategory = one_of(AuditCategory)
    operation: AuditOperation = one_of(AuditOperation)
    action: str = words(64)
    result_status: AuditResult = one_of(AuditResult)
    object_name: str = words(None)
    subject: str | None = words(GLOBAL_ID_LENGTH, nullable=True)
    user_tenant_id: str | None = link(nullable=True)
    """Null where the system acted."""
    user_id: str | None = link(nullable=True)
    approved_by_id: str | None = link(nullable=True)
    approval_id: str | None = link(nullable=True)
    """The held change that was approved, where there is one."""
    count: int = 1
    changes: list[dict[str, str | None]] = Field(default_factory=list, sa_type=document())
    request_id: str = words(64)
    previous_hash: str | None = words(64, nullable=True)
    hash: str = words(64)


class AuditHead(SQLModel, table=True):
    """The end of a tenant's chain, locked by whoever appends to it."""

    __tablename__ = "audit_heads"
    __table_args__ = (of_tenant(),)

    tenant_id: str = key()
    sequence: int = Field(default=0, sa_type=Integer)
    hash: str | None = words(64, nullable=True)


class RefusalCount(SQLModel, table=True):
    """How often somebody was refused one change of one object in one minute, after the first time.

    The first is in the tenant's record at once; these become one more line when the minute is over (domain.md 7 #61).
    """

    __tablename__ = "refusal_counts"
    __table_args__ = (of_tenant(),)

    tenant_id: str = key()
    user_tenant_id: str = key()
    user_id: str = key()
    action: str = Field(primary_key=True, sa_type=text(64))
    subject: str = Field(primary_key=True, sa_type=text(GLOBAL_ID_LENGTH))
    minute: datetime = Field(primary_key=True, sa_type=instant())
    count: int = 0
    category: AuditCategory = one_of(AuditCategory)
    operation: AuditOperation = one_of(AuditOperation)
    object_name: str = words(None)
    error: str = words(32)
    """Why, the last time."""
    refused_at: datetime = moment()
    """When, the last time."""
    request_id: str = words(64)


class AuditAnchor(SQLModel, table=True):
    """Where an operator purged the beginning of a tenant's chain: its last purged entry, signed."""

    __tablename__ = "audit_anchors"
    __table_args__ = (of_tenant(),)

    tenant_id: str = key()
    sequence: int = Field(primary_key=True, sa_type=Integer)
    hash: str = words(64)
    moment: datetime = moment()
    signature: str = words(128)


class IdempotencyRecord(SQLModel, table=True):
    """What a change answered, so that the same request again is answered alike and not done twice."""

    __tablename__ = "idempotency_records"
    __table_args__ = (of_tenant(), Index(None, "tenant_id", "created_at"))

    tenant_id: str = key()
    principal_id: str = key()
    mutation: str = Field(primary_key=True, sa_type=text(64))
    idempotency_key: str = Field(primary_key=True, sa_type=text(128))
    input_digest: str = words(64)
    results: dict[str, Any] = Field(default_factory=dict, sa_type=document())
    created_at: datetime = moment()


LINK_TABLES = frozenset(
    table.__tablename__
    for table in (
        GroupMember,
        RoomGroupRoom,
        InvitationRoom,
        InvitationGroup,
        AssignmentMember,
        AssignmentRoom,
        AssignmentGroup,
    )
)
"""Rows that only say that two things belong together."""
