"""What can be asked: everything a tenant owns hangs below `viewer`; `node` goes through the same visibility."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from typing import Annotated, Any

import orjson
import strawberry

from app.domain.ids import parse_global_id
from app.domain.permissions import Permission, Standing
from app.domain.refusals import bad_argument
from app.domain.vocabulary import (
    ApprovalState,
    AuditCategory,
    AuditOperation,
    AuditResult,
    EnrollmentState,
    InvitationDirection,
    InvitationState,
    PartnershipState,
    Platform,
    RoleType,
    Side,
)
from app.graph.changing import chosen
from app.graph.connections import Asked, Connection, given, otherwise, paged
from app.graph.context import Context, Info
from app.graph.declaring import (
    ANYONE,
    Outlining,
    Place,
    PlanField,
    fields_of,
    finished,
    make,
    part,
    resolved,
    shape,
    unannotated,
    value_type,
)
from app.graph.types import (
    AccessDecision,
    ApprovalRequest,
    ApprovalStates,
    Assignment,
    AuditEntry,
    Invitation,
    Limits,
    Node,
    Partnership,
    Principal,
    Role,
    Room,
    RoomGroup,
    ServiceInfo,
    Tenant,
    Terms,
    UpdateRing,
    load_node,
    named_object,
    node_slot,
    show_grant,
    unstored_principal,
)
from app.graph.vocabulary import OrderDirection, RoomOrderField
from app.operations.attempts import is_incomplete
from app.reading import selections as s
from app.reading.declaring import Noun, Order
from app.reading.filters import (
    APPROVAL_FILTERS,
    AS_CUSTOMER,
    AS_PARTNER,
    AUDIT_FILTERS,
    DIRECTORY_FILTERS,
    GROUP_FILTERS,
    INVITATION_FILTERS,
    PARTNERSHIP_FILTERS,
    RING_FILTERS,
    ROLE_FILTERS,
    ROOM_FILTERS,
    answers_invitations,
)
from app.reading.granting import decide, decide_anywhere
from app.reading.nouns import (
    APPROVAL_REQUEST,
    ASSIGNMENT,
    AUDIT_ENTRY,
    BY_CUSTOMER,
    BY_PARTNER,
    GROUP,
    INVITATION,
    PARTNERSHIP,
    PRINCIPAL,
    RING,
    ROLE,
    ROOM,
    ROOM_ORDERS,
    TENANT,
)
from app.reading.pages import Listing, Window
from app.reading.slots import Slot

MAX_NODES = 100
"""Ids in one `nodes`."""
LIMITS = tuple(field.python_name for field in fields_of(Limits))


@cache
def schema_hash(schema: Any) -> str:
    """SHA-256 of the schema as it is printed."""
    return sha256(str(schema).encode()).hexdigest()


# --- filters and orders ---------------------------------------------------------------------------------------------


@strawberry.input(description="Narrows a list of rooms. Everything given has to hold; an id you cannot see finds none.")
class RoomFilter:
    """Narrows a list of rooms."""

    customer: strawberry.ID | None = chosen("Rooms of this organization.")
    partnership: strawberry.ID | None = chosen("Rooms that this partnership reaches.")
    group: strawberry.ID | None = chosen("Rooms in this room group.")
    ring: strawberry.ID | None = chosen("Rooms in this update ring.")
    search: str | None = chosen(
        "At least 2 characters. Each word of it begins a word of the display name, account, label, nickname, building "
        "or city, in any alphabet and case; no character is special."
    )
    building: str | None = chosen("Rooms of the building with this whole name, in any case.")
    city: str | None = chosen("Rooms of the city with this whole name, in any case.")
    enrollment: list[EnrollmentState] | None = chosen("Rooms in one of these states.")
    platform: list[Platform] | None = chosen("Rooms whose device runs one of these.")


@strawberry.input(description="How a list of rooms is sorted.")
class RoomOrder:
    """How rooms are sorted."""

    field: RoomOrderField = strawberry.field(description="What to sort by; rooms that tie are sorted by id.")
    direction: OrderDirection = strawberry.field(
        default=OrderDirection.ASC, description="Which way; rooms without a value come last either way."
    )


@strawberry.input(description="Narrows a list of roles. Everything given has to hold; an id you cannot see finds none.")
class RoleFilter:
    """Narrows a list of roles."""

    customer: strawberry.ID | None = chosen("Roles about this organization's rooms.")
    partnership: strawberry.ID | None = chosen("Roles of this partnership.")
    side: Side | None = chosen("Roles for the customer's own people, or for a partner's.")
    type: RoleType | None = chosen("Built-in or custom roles.")


@strawberry.input(description="Narrows the record. Everything given has to hold; an id you cannot see finds nothing.")
class AuditFilter:
    """Narrows the record."""

    from_: date | None = strawberry.field(
        name="from", default=strawberry.UNSET, description="On this day or later, UTC."
    )
    to: date | None = chosen("On this day or earlier, UTC.")
    categories: list[AuditCategory] | None = chosen("About one of these kinds of objects.")
    operation: AuditOperation | None = chosen("Of this kind.")
    result_status: AuditResult | None = chosen("With this outcome.")
    user: strawberry.ID | None = chosen("Done by this person or tool.")
    user_tenant: strawberry.ID | None = chosen("Done by people of this organization.")
    subject: strawberry.ID | None = chosen("About this object, also one that is gone or that you can no longer see.")


Customer = Annotated[strawberry.ID | None, strawberry.argument(description="Only of this organization.")]


# --- the lists below `viewer` ---------------------------------------------------------------------------------------


def room_order(asked: RoomOrder | None) -> Order:
    """The order that is asked for."""
    if asked is None:
        return ROOM.order
    return replace(ROOM_ORDERS[asked.field.name], descending=asked.direction is OrderDirection.DESC)


def rooms(
    filter: Annotated[RoomFilter | None, strawberry.argument(description="Which rooms.")] = strawberry.UNSET,  # noqa: A002
    order_by: Annotated[RoomOrder | None, strawberry.argument(description="By name unless said.")] = strawberry.UNSET,
) -> Asked:
    """Rooms of the own tenant and of every customer."""
    return Asked(ROOM, filters=ROOM_FILTERS, given=given(filter), order=room_order(given(order_by)))


def groups(customer: Customer = strawberry.UNSET) -> Asked:
    """Room groups."""
    return Asked(GROUP, filters=GROUP_FILTERS, given={"customer": customer})


def rings(customer: Customer = strawberry.UNSET) -> Asked:
    """Update rings."""
    return Asked(RING, filters=RING_FILTERS, given={"customer": customer})


PartnershipStates = Annotated[
    list[PartnershipState] | None, strawberry.argument(description="In one of these states; `[ACTIVE]` unless said.")
]


def partners(states: PartnershipStates = strawberry.UNSET) -> Asked:
    """Partnerships of the own tenant as the customer."""
    states = otherwise(states, [PartnershipState.ACTIVE])
    return Asked(PARTNERSHIP, (AS_CUSTOMER,), PARTNERSHIP_FILTERS, {"states": states}, BY_PARTNER)


def customers(states: PartnershipStates = strawberry.UNSET) -> Asked:
    """Partnerships of the own tenant as the partner."""
    states = otherwise(states, [PartnershipState.ACTIVE])
    return Asked(PARTNERSHIP, (AS_PARTNER,), PARTNERSHIP_FILTERS, {"states": states}, BY_CUSTOMER)


def invitations(
    direction: Annotated[
        InvitationDirection | None, strawberry.argument(description="Sent or received; both unless said.")
    ] = strawberry.UNSET,
    states: Annotated[
        list[InvitationState] | None,
        strawberry.argument(description="In one of these states; `[PENDING]` unless said."),
    ] = strawberry.UNSET,
) -> Asked:
    """Invitations, newest first."""
    states = otherwise(states, [InvitationState.PENDING])
    return Asked(INVITATION, filters=INVITATION_FILTERS, given={"direction": direction, "states": states})


def roles(
    filter: Annotated[RoleFilter | None, strawberry.argument(description="Which roles.")] = strawberry.UNSET,  # noqa: A002
) -> Asked:
    """Roles of the own tenant, and of partnerships."""
    return Asked(ROLE, filters=ROLE_FILTERS, given=given(filter))


def approval_requests(states: ApprovalStates = strawberry.UNSET) -> Asked:
    """Held changes, newest first."""
    states = otherwise(states, [ApprovalState.PENDING])
    return Asked(APPROVAL_REQUEST, filters=APPROVAL_FILTERS, given={"states": states})


def audit_entries(
    filter: Annotated[AuditFilter | None, strawberry.argument(description="Which lines.")] = strawberry.UNSET,  # noqa: A002
) -> Asked:
    """The own tenant's record, newest first."""
    first, last = (given(filter.from_), given(filter.to)) if filter else (None, None)
    if first and last and first > last:
        raise bad_argument("filter.from", "`from` must not be after `to`.")
    return Asked(AUDIT_ENTRY, filters=AUDIT_FILTERS, given=given(filter))


def directory(
    search: Annotated[
        str | None,
        strawberry.argument(description="At least 2 characters; each word of it begins a word of the name."),
    ] = strawberry.UNSET,
) -> Asked:
    """Principals of the own tenant."""
    return Asked(PRINCIPAL, filters=DIRECTORY_FILTERS, given={"search": search}, right=Standing.DIRECTORY)


# --- the rest of `viewer` -------------------------------------------------------------------------------------------


async def viewer_principal(info: Info) -> Any:
    """Who asks, as stored, or, for somebody who never changed anything, as the token says."""
    viewer = info.context.viewer
    row = await info.context.row(PRINCIPAL, viewer.tenant_id, viewer.principal_id)
    return shape(PRINCIPAL, row) if row else unstored_principal(info.context.caller)


async def viewer_tenant(info: Info) -> Any:
    """The organization of who asks."""
    tenant = info.context.viewer.tenant_id
    row = await info.context.row(TENANT, tenant, tenant)
    return None if row is None else shape(TENANT, row)


async def tenant_managers(info: Info) -> Any:
    """Who answers invitations for the own tenant."""
    rows = ASSIGNMENT.rows().where(answers_invitations())
    found = await info.context.reader.page(Listing(ASSIGNMENT, rows, ASSIGNMENT.order, ""), Window(size=1))
    return shape(ASSIGNMENT, found.rows[0]) if found.rows else None


async def can(
    info: Info,
    permission: Annotated[Permission, strawberry.argument(description="What you would like to do.")],
    on: Annotated[
        strawberry.ID | None, strawberry.argument(description="To which object; to anything at all, if left out.")
    ] = strawberry.UNSET,
) -> AccessDecision:
    """May I, and which assignment says so."""
    reader, identifier = info.context.reader, given(on)
    if identifier is None:
        decision = await decide_anywhere(reader, permission)
    else:
        found = await load_node(info, identifier)
        decision = await decide(reader, permission, named_object(identifier) if found else None)
    grants = [show_grant(grant) for grant in decision.grants]
    return make(AccessDecision, allowed=decision.allowed, grants=grants, reason=decision.reason)


def plan_own(noun: Noun) -> PlanField:
    """The plan of the object that is the caller, or the caller's organization."""
    return lambda outlining, place: s.Own(noun, outlining.objects(place))


@value_type("You, and everything that you may see.")
class Viewer:
    """The caller."""

    principal: Principal = resolved(
        unannotated(viewer_principal), "Who you are.", right=ANYONE, plan=plan_own(PRINCIPAL)
    )
    tenant: Tenant = resolved(unannotated(viewer_tenant), "Your organization.", right=ANYONE, plan=plan_own(TENANT))
    rooms: Connection[Room] | None = paged(
        rooms,
        "Rooms: of your own organization and, for a partner's people, of every customer that delegated rooms.",
        right=Permission.ROOMS_VIEW,
    )
    groups: Connection[RoomGroup] | None = paged(groups, "Room groups, by name.", right=Permission.GROUPS_VIEW)
    rings: Connection[UpdateRing] | None = paged(rings, "Update rings, by name.", right=Permission.RINGS_VIEW)
    partners: Connection[Partnership] | None = paged(
        partners, "As a customer: the organizations you delegate rooms to, by name.", right=Standing.PARTY
    )
    customers: Connection[Partnership] | None = paged(
        customers, "As a partner: the organizations that delegate rooms to you, by name.", right=Standing.PARTY
    )
    invitations: Connection[Invitation] | None = paged(
        invitations, "Invitations that you may see, newest first.", right=Standing.PARTY
    )
    roles: Connection[Role] | None = paged(roles, "Roles that you may see, by name.", right=Standing.PARTY)
    approval_requests: Connection[ApprovalRequest] | None = paged(
        approval_requests,
        "Held changes: those that wait for you as a customer, and those that you or, as a primary admin, your people "
        "asked for; newest first.",
        right=Standing.PARTY,
    )
    audit_entries: Connection[AuditEntry] | None = paged(
        audit_entries,
        "Your organization's record, newest first.",
        right=Permission.AUDIT_VIEW,
        prepare=Context.complete_record,
        unless=is_incomplete,
    )
    directory: Connection[Principal] | None = paged(
        directory,
        "People, security groups and tools of your organization, to name members with; by name.",
        right=Standing.DIRECTORY,
    )
    tenant_managers: Assignment | None = resolved(
        unannotated(tenant_managers),
        "Who answers invitations for your organization.",
        right=Standing.PARTY,
        plan=lambda outlining, place: s.Sole(ASSIGNMENT, answers_invitations, outlining.objects(place)),
    )
    can: AccessDecision = resolved(can, "May you, through what, and if not, why not.", right=ANYONE, plan=finished())


# --- the root -------------------------------------------------------------------------------------------------------


async def node(
    info: Info,
    id: Annotated[strawberry.ID, strawberry.argument(description="The object's `id`.")],  # noqa: A002
) -> Any:
    """The object with this id."""
    return await load_node(info, id)


async def nodes(
    info: Info, ids: Annotated[list[strawberry.ID], strawberry.argument(description="Up to 100 ids.")]
) -> Any:
    """The objects with these ids."""
    check_ids(ids)
    return await asyncio.gather(*(load_node(info, identifier) for identifier in ids))


def check_ids(ids: Sequence[str]) -> None:
    """Returns if these are not too many. Raises BAD_ARGUMENT."""
    if len(ids) > MAX_NODES:
        raise bad_argument("ids", f"`ids` takes at most {MAX_NODES}, not {len(ids)}.", max=MAX_NODES)


def plan_node(outlining: Outlining, place: Place) -> s.ById:
    """The plan of an object that is fetched again."""

    def read(given: dict[str, Any], context: Context) -> Slot:
        return node_slot(given["id"], context)

    return s.ById(outlining.slot(place, read, per_request=True), outlining.objects(place))


def plan_nodes(outlining: Outlining, place: Place) -> s.ByIds:
    """The plan of objects that are fetched again."""

    def read(given: dict[str, Any], _: Context) -> Slot:
        check_ids(given["ids"])
        named = [identifier if named_object(identifier) else "" for identifier in given["ids"]]
        kinds = sorted({parsed.kind for each in named if (parsed := parse_global_id(each))})
        return Slot(tuple(kinds), (orjson.dumps(named).decode(),))

    return s.ByIds(outlining.slot(place, read), outlining.objects(place))


def viewer() -> Viewer:
    """The caller."""
    return make(Viewer)


def service(info: Info) -> ServiceInfo:
    """The gateway itself."""
    limits = info.context.limits
    shown = make(Limits, **{name: getattr(limits, name) for name in LIMITS})
    published = info.context.service.terms
    terms = make(Terms, version=published.version, text=published.text, url=published.url) if published else None
    name = version("partner-gateway")
    return make(ServiceInfo, version=name, schema_hash=schema_hash(info.schema), limits=shown, terms=terms)


@value_type("What can be asked.")
class Query:
    """What can be asked."""

    node: Node | None = resolved(
        unannotated(node),
        "Fetch an object again. An id that does not exist and one that you may not see are both `null`.",
        right=ANYONE,
        plan=plan_node,
    )
    nodes: list[Node | None] = resolved(
        unannotated(nodes), "Fetch up to 100 objects again, in the order of the ids.", right=ANYONE, plan=plan_nodes
    )
    viewer: Viewer | None = resolved(viewer, "You, and everything that you may see.", right=ANYONE, plan=part)
    service: ServiceInfo | None = resolved(
        service, "This gateway: its version and its limits.", right=ANYONE, plan=finished()
    )
