"""The object types. Almost every field is a plain attribute; only edges, counts and grants are more."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from types import SimpleNamespace
from typing import Annotated, Any

import strawberry

from app.access.viewer import Caller
from app.domain.change_control import mode_of
from app.domain.ids import GlobalId, parse_global_id
from app.domain.permissions import Permission, Standing
from app.domain.vocabulary import (
    ApprovalState,
    AuditCategory,
    AuditOperation,
    AuditResult,
    BookingType,
    ChangeEvent,
    ChangeMode,
    EnrollmentState,
    InvitationState,
    License,
    PartnershipState,
    Platform,
    RoleType,
    Side,
)
from app.graph.connections import Connection, many, otherwise
from app.graph.context import Context, Info
from app.graph.declaring import (
    PART,
    Outlining,
    Place,
    always,
    fields_of,
    finished,
    make,
    noun_type,
    one,
    part,
    plain,
    resolved,
    shape,
    shaped,
    unannotated,
    value_type,
)
from app.graph.vocabulary import DomainName, GrantSource
from app.operations.holding import is_overtaken
from app.reading import selections as s
from app.reading.declaring import Many, Noun
from app.reading.granting import Granted, permissions_of
from app.reading.nouns import (
    APPROVAL_REQUEST,
    ASSIGNMENT,
    AUDIT_ENTRY,
    GROUP,
    INVITATION,
    NODES,
    PARTNERSHIP,
    PRINCIPAL,
    RING,
    ROLE,
    ROOM,
    TENANT,
    approval_requests_in,
)
from app.reading.slots import Slot

ID = "Opaque and stable; pass it to `node`, to filters and to mutations."
VERSION = "Counts the changes of this object; pass it back as `expectedVersion` when you change it."


@strawberry.interface(description="Anything with an id that `node` can fetch again.")
class Node:
    """Anything with an id."""

    id: strawberry.ID = plain(ID)
    row: strawberry.Private[Any]


def named_object(identifier: str) -> tuple[Noun, GlobalId] | None:
    """The noun and key that an id names, whether or not there is such a thing."""
    parsed = parse_global_id(identifier)
    noun = NODES.get(parsed.kind) if parsed else None
    return (noun, parsed) if noun and parsed else None


def node_slot(identifier: str, context: Context) -> Slot:
    """What an id says to a plan. Its caller need not be stored, so that a plan without their row answers nothing."""
    named = named_object(identifier)
    if named is None:
        return Slot(None)
    key = named[1]
    return Slot((key.kind, identifier == own_id(context.caller)), (key.tenant, key.key))


async def load_node(info: Info, identifier: str) -> Any:
    """The object with this id; None for an id that is malformed, unknown, or of something that is not visible."""
    named = named_object(identifier)
    if named is None:
        return None
    noun, key = named
    row = await info.context.row(noun, key.tenant, key.key)
    if row is None and identifier != own_id(info.context.caller):
        return None
    found = shape(noun, row) if row else unstored_principal(info.context.caller)
    return found if found.id == identifier else None


def own_id(caller: Caller) -> str:
    """What a person who asks is called, stored or not; an application is always stored."""
    return str(GlobalId("user", caller.viewer.tenant_id, caller.viewer.principal_id))


def unstored_principal(caller: Caller) -> User:
    """A person that only the token tells about, who asks."""
    tenant = caller.viewer.tenant_id
    row = SimpleNamespace(tenant_tenant=tenant, tenant_key=tenant)
    names = {"display_name": caller.display_name, "user_principal_name": caller.user_principal_name}
    return make(User, id=own_id(caller), row=row, **names)


# --- grants ---------------------------------------------------------------------------------------------------------


@value_type("Why you hold something. Names only, so that it needs no permission on roles.")
class Grant:
    """One reason why the caller holds permissions."""

    source: GrantSource = plain("Whether an assignment or a directory role gives it.")
    role_name: str = plain("Name of the role.")
    assignment_name: str | None = plain("Name of the assignment; null for a directory role.")
    permissions: list[Permission] = plain("Everything that this role gives.")


@value_type("Whether you may do something, and why.")
class AccessDecision:
    """An answer of `can`."""

    allowed: bool = plain("Whether you may.")
    grants: list[Grant] = plain("What gives you the permission; empty when nothing does.")
    reason: str = plain("The answer as a sentence for a person.")


def show_grant(granted: Granted) -> Grant:
    """A grant as clients see it."""
    source = GrantSource.ASSIGNMENT if granted.assignment_name is not None else GrantSource.DIRECTORY_ROLE
    return make(
        Grant,
        source=source,
        role_name=granted.role_name,
        assignment_name=granted.assignment_name,
        permissions=list(granted.permissions),
    )


# --- organizations and people ---------------------------------------------------------------------------------------


@noun_type(TENANT, "An organization: a customer that owns rooms, a partner that manages them, or both.")
class Tenant(Node):
    """An organization."""

    display_name: str = plain("The organization's name.")
    domains: list[DomainName] = plain("Its verified domains, in order.")


@noun_type(PRINCIPAL, "A person in an organization's directory.", kind="user")
class User(Node):
    """A person."""

    display_name: str = plain("The person's name.")
    user_principal_name: str | None = plain("Sign-in name; null for people of other organizations.")
    tenant: Tenant | None = one(PRINCIPAL, "tenant", "The person's organization.")


@noun_type(PRINCIPAL, "A security group in an organization's directory.", kind="securitygroup")
class SecurityGroup(Node):
    """A security group."""

    display_name: str = plain("The group's name.")
    tenant: Tenant | None = one(PRINCIPAL, "tenant", "The group's organization.")


@noun_type(
    PRINCIPAL,
    "An unattended tool of an organization: a registered service principal. It holds only what assignments give it.",
    kind="application",
)
class Application(Node):
    """An unattended tool."""

    display_name: str = plain("The tool's name.")
    tenant: Tenant | None = one(PRINCIPAL, "tenant", "The tool's organization.")


Principal = Annotated[
    User | SecurityGroup | Application,
    strawberry.union("Principal", description="Who can act or be a member: a person, a group or a tool."),
]


# --- rooms ----------------------------------------------------------------------------------------------------------


@value_type("Where a room is.")
class Location:
    """Where a room is."""

    country_or_region: str | None = plain("Country or region.")
    state: str | None = plain("State or province.")
    city: str | None = plain("City.")
    postal_code: str | None = plain("Postal code.")
    street: str | None = plain("Street and number.")
    campus: str | None = plain("Campus.")
    building: str | None = plain("Building.")
    floor: str | None = plain("Floor, as a number where there is one.")
    floor_label: str | None = plain("What the floor is called, such as `LG`.")
    latitude: float | None = plain("Degrees north, -90 to 90.")
    longitude: float | None = plain("Degrees east, -180 to 180.")
    time_zone: str | None = plain("IANA time zone, such as `Europe/Zurich`.")


LOCATION = tuple(field.python_name for field in fields_of(Location))


def show_location(row: Any) -> Location:
    """The location in a room's row."""
    return make(Location, **{name: getattr(row, name) for name in LOCATION})


async def viewer_permissions(root: strawberry.Parent[Any], info: Info) -> list[Permission]:
    """What the viewer may do with the room."""
    return list(permissions_of(await info.context.grants(root.row.row_tenant, root.row.row_key)))


async def visible_through(root: strawberry.Parent[Any], info: Info) -> list[Grant]:
    """The grants that show the room."""
    grants = await info.context.grants(root.row.row_tenant, root.row.row_key)
    return [show_grant(grant) for grant in grants if Permission.ROOMS_VIEW in grant.permissions]


@noun_type(ROOM, "A meeting room: its account and the devices behind it.")
class Room(Node):
    """A meeting room."""

    version: int = plain(VERSION)
    updated_at: datetime = plain("When the room last changed.")
    display_name: str = plain("The room's name.")
    account: str = plain("The room's resource account, an e-mail address.")
    location: Location = shaped(show_location, "Where the room is.", plan=part)
    capacity: int | None = plain("Number of seats; null where unknown.")
    platform: Platform = plain("What the room's device runs.")
    device_manufacturer: str | None = plain("Who made the device.")
    license: License = plain("The license of the room's account.")
    enrollment: EnrollmentState = plain("Where the room stands with the service.")
    customer: Tenant = one(ROOM, "customer", "The organization that owns the room.")
    ring: UpdateRing | None = one(ROOM, "ring", "The update ring the room is in; null if you may not see rings.")
    groups: Connection[RoomGroup] | None = many(ROOM.manys["groups"], "The room groups that it is in.")
    viewer_permissions: list[Permission] = resolved(
        viewer_permissions,
        "Everything that your roles give you over this room, so that a page can hide what would be refused.",
        right=Permission.ROOMS_VIEW,
        plan=finished("row_tenant", "row_key"),
    )
    visible_through: list[Grant] = resolved(
        visible_through,
        "Through what you see this room.",
        right=Permission.ROOMS_VIEW,
        plan=finished("row_tenant", "row_key"),
    )
    delegated_to: Connection[Partnership] | None = many(
        ROOM.manys["delegated_to"], "The active partnerships that reach this room, for those who may see partners."
    )
    label: str | None = plain("Short code on the door or in plans.")
    nickname: str | None = plain("What people call the room.")
    tags: list[str] = plain("Free words about the room.")
    wheelchair_accessible: bool | None = plain("Whether it can be reached in a wheelchair; null where unknown.")
    booking_type: BookingType = plain("How the room is booked.")


@noun_type(GROUP, "A named set of rooms. You see only those of its rooms that you may see.")
class RoomGroup(Node):
    """A named set of rooms."""

    version: int = plain(VERSION)
    display_name: str = plain("The group's name, unique within the organization.")
    customer: Tenant = one(GROUP, "customer", "The organization that owns the group.")
    rooms: Connection[Room] | None = many(GROUP.manys["rooms"], "The rooms in the group that you may see.")


@noun_type(RING, "A step of an organization's software rollout; every room is in exactly one.")
class UpdateRing(Node):
    """A step of the software rollout."""

    version: int = plain(VERSION)
    name: str = plain("The ring's name, unique within the organization.")
    description: str | None = plain("What the ring is for.")
    order: int = plain("Its place in the rollout, 1 (first) to 9 (last).")
    rollout_days: int = plain("Days over which the ring's rooms are updated.")
    test_days: int = plain("Days after the rollout before the next ring starts.")
    deferment_days: int = plain("Days from the start of the first ring until this one starts.")
    preconfigured: bool = plain("Whether every organization has it; such a ring cannot be deleted.")
    customer: Tenant = one(RING, "customer", "The organization that owns the ring.")
    rooms: Connection[Room] | None = many(RING.manys["rooms"], "The rooms in the ring that you may see.")


# --- partnerships ---------------------------------------------------------------------------------------------------


@value_type("What happens to one kind of a partner's changes.")
class ChangeControlRule:
    """What happens to one kind of change."""

    event: ChangeEvent = plain("The kind of change.")
    mode: ChangeMode = plain("Whether it is applied at once or held for approval.")


def show_change_control(row: Any) -> list[ChangeControlRule]:
    """The mode of every event, from the set of those held by hand."""
    return [make(ChangeControlRule, event=event, mode=mode_of(event, row.manual_events)) for event in ChangeEvent]


@value_type("How much ends with a partnership.")
class EndedCounts:
    """How much ends."""

    rooms: int = plain("Rooms that the partner could reach.")
    roles: int = plain("Roles of the partner within this customer.")
    assignments: int = plain("Assignments of those roles.")
    people: int = plain("People who held one, groups counted by their members.")
    open_approvals: int = plain("Held changes that nobody had decided about.")


@value_type("What would end, and the word to end it with.")
class RemovalImpact:
    """What would end."""

    counts: EndedCounts = plain("How much would end.")
    confirmation: str = plain("Send it within ten minutes; valid for you and this partnership alone.")


ENDED = tuple(field.python_name for field in fields_of(EndedCounts))


def show_ended(counts: Any) -> EndedCounts:
    """The numbers as clients see them."""
    read = counts.__getitem__ if isinstance(counts, Mapping) else partial(getattr, counts)
    return make(EndedCounts, **{name: read(name) for name in ENDED})


async def removal_impact(root: strawberry.Parent[Any], info: Info) -> Any:
    """What would end with this partnership, for those who may end it."""
    context, row = info.context, root.row
    counts = await context.reader.ended_counts(row.row_tenant, row.row_key)
    if counts is None:
        return None
    confirmation = context.service.confirmations.give(context.viewer, row.row_key, context.moment)
    return make(RemovalImpact, counts=show_ended(counts), confirmation=confirmation)


ApprovalStates = Annotated[
    list[ApprovalState] | None, strawberry.argument(description="In one of these states; `[PENDING]` unless said.")
]


def in_states(states: ApprovalStates = strawberry.UNSET) -> Many:
    """The held changes in these states."""
    return approval_requests_in(frozenset(otherwise(states, [ApprovalState.PENDING])))


@noun_type(
    PARTNERSHIP,
    "The standing link between a customer and a partner. It has no bond with the person who accepted it. To the "
    "partner's side a removed partnership does not exist; the customer keeps it without rooms and roles.",
)
class Partnership(Node):
    """The standing link between a customer and a partner."""

    version: int = plain(VERSION)
    state: PartnershipState = plain("Whether it still holds.")
    customer: Tenant = one(PARTNERSHIP, "customer", "The organization that owns the rooms.")
    partner: Tenant = one(PARTNERSHIP, "partner", "The organization they are delegated to.")
    established_at: datetime = plain("When the invitation was accepted.")
    removed_at: datetime | None = plain("When it ended; null while it holds.")
    removed_by_side: Side | None = plain("Which side ended it; null while it holds.")
    rooms: Connection[Room] | None = many(
        PARTNERSHIP.manys["rooms"],
        "Everything this partner can reach, the scope of its Primary admin role; of it, what you may see.",
    )
    roles: Connection[Role] | None = many(PARTNERSHIP.manys["roles"], "The partner's roles within this customer.")
    primary_admins: Assignment | None = one(
        PARTNERSHIP, "primary_admins", "Who the partner's primary admins are; null if you may not see it."
    )
    change_control: list[ChangeControlRule] = shaped(
        show_change_control,
        "For each kind of change whether the customer holds it for approval.",
        plan=finished("manual_events"),
    )
    approval_requests: Connection[ApprovalRequest] | None = many(
        PARTNERSHIP.manys["approval_requests"],
        "Held changes of this partnership that you may see, newest first.",
        narrow=in_states,
    )
    removal_impact: RemovalImpact | None = resolved(
        unannotated(removal_impact),
        "What would end if this partnership ended now; null unless you may end it.",
        right=Permission.PARTNERS_MANAGE,
        plan=finished("row_tenant", "row_key"),
    )


@noun_type(
    INVITATION,
    "A customer's offer to one partner domain. The invited side sees it only while it can be answered, and of the "
    "rooms only their number.",
)
class Invitation(Node):
    """A customer's offer."""

    version: int = plain(VERSION)
    state: InvitationState = plain("What became of it; `EXPIRED` is computed from the clock.")
    customer: Tenant = one(INVITATION, "customer", "The organization that invited.")
    partner_domain: DomainName = plain("The domain that was invited.")
    partner: Tenant = one(INVITATION, "partner", "The organization that the domain belongs to.")
    sent_at: datetime = plain("When it was sent.")
    expires_at: datetime = plain("From this instant on it can no longer be answered.")
    room_count: int = plain("How many rooms are offered now; room groups are counted as they are now.")
    rooms: Connection[Room] | None = many(
        INVITATION.manys["rooms"], "The offered rooms, by themselves or in a group. Empty for the invited side."
    )
    groups: Connection[RoomGroup] | None = many(
        INVITATION.manys["groups"], "The offered room groups. Empty for the invited side."
    )
    change_control: list[ChangeControlRule] = shaped(
        show_change_control,
        "For each kind of change whether the customer would hold it for approval.",
        plan=finished("manual_events"),
    )
    terms_version: str = plain("The version of the terms that the customer agreed to.")
    sent_by: Principal | None = one(INVITATION, "sent_by", "Who sent it.")
    answered_at: datetime | None = plain("When it was accepted or declined; null while it was not.")
    partnership: Partnership | None = one(INVITATION, "partnership", "What came of it, if it was accepted.")


# --- roles ----------------------------------------------------------------------------------------------------------


@noun_type(ROLE, "A set of permissions that assignments give to people.")
class Role(Node):
    """A set of permissions."""

    version: int = plain(VERSION)
    name: str = plain("The role's name, unique among its owner's roles.")
    description: str | None = plain("What the role is for.")
    type: RoleType = plain("Whether it is built in or custom.")
    side: Side = plain("Whether it is for the customer's own people or for a partner's.")
    customer: Tenant | None = one(
        ROLE, "customer", "Whose rooms it is about; null for the role that answers invitations."
    )
    partnership: Partnership | None = one(
        ROLE, "partnership", "The partnership it belongs to; null for a customer's own."
    )
    permissions: list[Permission] = shaped(
        lambda row: list(row.permissions),
        "Everything that it allows.",
        plan=always(s.Plain("permissions", several=True)),
    )
    assignments: Connection[Assignment] | None = many(ROLE.manys["assignments"], "Who has it, and over which rooms.")


@noun_type(ASSIGNMENT, "Gives a role to members over a scope of rooms.")
class Assignment(Node):
    """Gives a role to members."""

    version: int = plain(VERSION)
    name: str = plain("The assignment's name, unique among those of its role.")
    description: str | None = plain("What it is for.")
    role: Role | None = one(ASSIGNMENT, "role", "The role that it gives.")
    members: Connection[Principal] | None = many(
        ASSIGNMENT.manys["members"], "Who holds it: people, security groups, tools."
    )
    all_rooms: bool = plain("Whether it covers every room of the organization.")
    rooms: Connection[Room] | None = many(
        ASSIGNMENT.manys["rooms"], "The rooms named in its scope one by one; of them, what you may see."
    )
    groups: Connection[RoomGroup] | None = many(
        ASSIGNMENT.manys["groups"], "The room groups in its scope; of them, what you may see."
    )
    notify_by_email: bool = plain("Whether its members get service e-mail about the rooms in its scope.")


# --- held changes ---------------------------------------------------------------------------------------------------


@value_type("One field that a change touched.")
class FieldChange:
    """One field that a change touched."""

    field: str = plain("The field's name, such as `expiresAt` or `location.floorLabel`.")
    before: str | None = plain("What it was; null if it had no value.")
    after: str | None = plain("What it became; null if it lost its value.")


def show_changes(row: Any) -> list[FieldChange]:
    """The changes of an audit entry, field by field."""
    return [
        make(FieldChange, field=in_camel_case(c["field"]), before=c.get("before"), after=c.get("after"))
        for c in row.changes
    ]


def in_camel_case(field: str) -> str:
    """A field's name as the graph spells it, level by level, such as `location.floorLabel`; words in capitals stay."""
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), field)


def named_by_subject(outlining: Outlining, place: Place) -> s.Named:
    """The plan of what a held change, or a line of the record, is about."""
    return s.Named("subject_id", outlining.objects(place))


async def subject_of(root: strawberry.Parent[Any], info: Info) -> Any:
    """What a held change, or a line of the record, is about."""
    return None if root.row.subject_id is None else await load_node(info, root.row.subject_id)


async def is_stale(root: strawberry.Parent[Any], info: Info) -> bool:
    """Whether what a held change would change was changed meanwhile, or is gone."""
    row = root.row
    if row.state is not ApprovalState.PENDING:
        return False
    named = named_object(row.subject_id)
    subject = await info.context.row(named[0], named[1].tenant, named[1].key) if named else None
    return is_overtaken(row.mutation, row.changes, subject)


@noun_type(
    APPROVAL_REQUEST,
    "A partner's change that the customer holds for approval. When it is approved, everything is checked again, the "
    "requester's rights included, and then it is done in the requester's name.",
)
class ApprovalRequest(Node):
    """A held change."""

    version: int = plain(VERSION)
    state: ApprovalState = plain("What became of it; `EXPIRED` is computed from the clock.")
    event: ChangeEvent = shaped(
        lambda row: ChangeEvent(row.event), "The kind of change.", plan=always(s.Plain("event"))
    )
    partnership: Partnership = one(APPROVAL_REQUEST, "partnership", "The partnership it belongs to.")
    requested_by: Principal | None = one(APPROVAL_REQUEST, "requested_by", "Who asked for it.")
    requested_at: datetime = plain("When it was asked for.")
    expires_at: datetime = plain("From this instant on nobody can decide about it any more.")
    subject: Node | None = resolved(
        unannotated(subject_of),
        "What it is about; null if it is gone or you may not see it.",
        right=Standing.NAMED,
        plan=named_by_subject,
    )
    changes: list[FieldChange] = shaped(show_changes, "What would change, field by field.", plan=finished("changes"))
    stale: bool = resolved(
        unannotated(is_stale),
        "Whether approving it would fail because a field it changes, or its subject, is no longer as it was; false "
        "once it is decided.",
        right=PART,
        plan=finished("state", "subject_id", "mutation", "changes"),
    )
    decided_by: Principal | None = one(APPROVAL_REQUEST, "decided_by", "Who decided; null while nobody did.")
    decided_at: datetime | None = plain("When it was decided; null while it was not.")
    comment: str | None = plain("What who decided said about it.")
    failure: str | None = plain("Why it could not be done when it was approved; null unless it failed.")


# --- the record -----------------------------------------------------------------------------------------------------


@noun_type(AUDIT_ENTRY, "One line of an organization's record. Append-only: `hash` covers it and `previousHash`.")
class AuditEntry(Node):
    """One line of the record."""

    sequence: int = plain("Its number in the organization's record, from 1 and without gaps.")
    creation_time: datetime = plain("When it happened.")
    category: AuditCategory = plain("The kind of object acted on.")
    operation: AuditOperation = plain("The kind of operation.")
    action: str = plain("What was done, in one word such as `rooms.import`.")
    result_status: AuditResult = plain("How it went.")
    object_name: str = plain("Name of the object at that time.")
    subject: Node | None = resolved(
        unannotated(subject_of),
        "The object itself; null if it is gone or you may not see it.",
        right=Standing.NAMED,
        plan=named_by_subject,
    )
    user: Principal | None = one(AUDIT_ENTRY, "user", "Who acted; null for the system.")
    user_tenant: Tenant | None = one(AUDIT_ENTRY, "user_tenant", "Organization of who acted; null for the system.")
    approved_by: Principal | None = one(AUDIT_ENTRY, "approved_by", "Who approved it, if it was held for approval.")
    approval: ApprovalRequest | None = one(AUDIT_ENTRY, "approval", "The held change it came from, if it was held.")
    tenant: Tenant = one(AUDIT_ENTRY, "tenant", "The organization acted on.")
    count: int = plain("How many like it this line stands for.")
    changes: list[FieldChange] = shaped(show_changes, "What changed, field by field.", plan=finished("changes"))
    request_id: str = plain(
        "The request that did it, as answered in `X-Request-Id`; for an operator's command, the command."
    )
    hash: str = plain("SHA-256 over this line and `previousHash`.")
    previous_hash: str | None = plain("`hash` of the line before; null for the first.")


# --- the service ----------------------------------------------------------------------------------------------------


@value_type("What one document may ask for.")
class Limits:
    """What one document may ask for."""

    max_depth: int = plain("Levels of fields, the root field being 1.")
    max_aliases: int = plain("Aliases.")
    max_tokens: int = plain("Words and signs.")
    max_nodes: int = plain("Objects that its connections can answer together.")
    max_page_size: int = plain("Largest `first` or `last`.")


@value_type("What a customer agrees to when it invites a partner.")
class Terms:
    """What a customer agrees to."""

    version: str = plain("Names these terms; send it as `agreedTermsVersion`.")
    text: str = plain("The terms.")
    url: str | None = plain("Where they can be read at length.")


@value_type("This gateway.")
class ServiceInfo:
    """The gateway itself."""

    version: str = plain("Version of the gateway.")
    schema_hash: str = plain("SHA-256 of the schema; changes whenever the schema does.")
    limits: Limits = plain("What one document may ask for.")
    terms: Terms | None = plain("What a customer agrees to when it invites; null while none are published.")
