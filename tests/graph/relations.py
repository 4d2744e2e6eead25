"""What belongs together in a database, read past every rule: the one half of "relationship ∩ what is seen".

`due` answers for each edge of the graph which objects lie at its other end, whoever asks; what a person should get is
that, without what the person does not see.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlmodel import SQLModel, select

from app.access.scoping import unscoped
from app.domain.ids import GlobalId
from app.domain.permissions import BuiltInRole, Permission, Standing
from app.domain.vocabulary import PartnershipState
from app.storage.engines import Database
from app.storage.global_ids import global_id
from app.storage.tables import (
    ApprovalRequest,
    Assignment,
    AssignmentGroup,
    AssignmentMember,
    AssignmentRoom,
    AuditEntry,
    GroupMember,
    Invitation,
    InvitationGroup,
    InvitationRoom,
    Partnership,
    Principal,
    Role,
    Room,
    RoomGroup,
    RoomGroupRoom,
    Tenant,
    UpdateRing,
)
from tests.access_cases import TABLES, Atlas, read_cases

LINKS: tuple[type[SQLModel], ...] = (
    AssignmentGroup,
    AssignmentMember,
    AssignmentRoom,
    GroupMember,
    InvitationGroup,
    InvitationRoom,
    RoomGroupRoom,
)
SEEN_UNDER = {
    "rooms": Permission.ROOMS_VIEW,
    "groups": Permission.GROUPS_VIEW,
    "rings": Permission.RINGS_VIEW,
    "partnerships": Standing.PARTY,
    "invitations": Standing.PARTY,
    "roles": Standing.PARTY,
    "assignments": Standing.PARTY,
    "approvalRequests": Standing.PARTY,
    "principals": Standing.NAMED,
    "tenants": Standing.NAMED,
    "auditEntries": Permission.AUDIT_VIEW,
}
"""The right under which the graph shows each table of the access cases."""
Edge = Callable[["Relations", Any], set[str]]


@dataclass(frozen=True)
class Relations:
    """A database's rows, and what each of them is linked to."""

    atlas: Atlas
    links: dict[type[SQLModel], list[Any]]
    rows: dict[str, Any]
    """Global id → row."""

    @classmethod
    async def of(cls, database: Database) -> "Relations":
        """The relations in this database."""
        atlas = await Atlas.of(database)
        async with database.writing() as session:
            links = {
                table: list(await session.exec(unscoped(select(table), "tests know everything"))) for table in LINKS
            }
        return cls(atlas, links, {global_id(row): row for table in TABLES.values() for row in atlas.rows[table]})

    def seen(self, person: str) -> dict[type[SQLModel], set[str]]:
        """What the access cases say that this person sees, by table."""
        cases = [case for case in read_cases()[person] if SEEN_UNDER[case.noun] is case.right]
        return {case.table: self.atlas.ids(case) for case in cases}

    def due(self, kind: str, field: str, identifier: str) -> set[str]:
        """Everything at the other end of this edge of this object."""
        return EDGES[kind, field](self, self.rows[identifier])

    def row(self, table: type[SQLModel], tenant: str, key: str | None) -> set[str]:
        """The id of the one row with this key."""
        return {global_id(row) for row in self.atlas.rows[table] if (row.tenant_id, row.id) == (tenant, key)}

    def linked(self, link: type[SQLModel], target: type[SQLModel], row: Any, mine: str, theirs: str) -> set[str]:
        """The ids of rows that a link table puts beside this one."""
        beside = {
            (each.tenant_id, getattr(each, theirs))
            for each in self.links[link]
            if (each.tenant_id, getattr(each, mine)) == (row.tenant_id, row.id)
        }
        return {global_id(each) for each in self.atlas.rows[target] if (each.tenant_id, each.id) in beside}

    def in_groups(self, groups: set[str]) -> set[str]:
        """The rooms of these room groups."""
        return {
            room
            for group in groups
            for room in self.linked(RoomGroupRoom, Room, self.rows[group], "group_id", "room_id")
        }

    def scope(self, assignment: Any) -> set[str]:
        """The rooms in an assignment's scope, by themselves and in groups."""
        return self.due("Assignment", "rooms", global_id(assignment)) | self.in_groups(
            self.due("Assignment", "groups", global_id(assignment))
        )

    def offered(self, invitation: Any) -> set[str]:
        """The rooms that an invitation offers, by themselves and in groups."""
        by_room = self.linked(InvitationRoom, Room, invitation, "invitation_id", "room_id")
        return by_room | self.in_groups(self.due("Invitation", "groups", global_id(invitation)))

    def delegated(self, partnership: Any) -> set[str]:
        """The rooms that a partnership reaches; none once it has ended."""
        if partnership.state is not PartnershipState.ACTIVE:
            return set()
        return self.scope(self.rows[str(GlobalId("assignment", partnership.tenant_id, partnership.delegation_id))])

    def reaching(self, room: Any) -> set[str]:
        """The partnerships that reach a room."""
        return {global_id(each) for each in self.atlas.rows[Partnership] if global_id(room) in self.delegated(each)}

    def members(self, assignment: Any) -> set[str]:
        """Who is named as a member of an assignment, of whatever tenant."""
        named = {
            (each.member_tenant_id, each.member_id)
            for each in self.links[AssignmentMember]
            if (each.tenant_id, each.assignment_id) == (assignment.tenant_id, assignment.id)
        }
        return {global_id(each) for each in self.atlas.rows[Principal] if (each.tenant_id, each.id) in named}

    def held_by(self, tenant: str, principal: str) -> Iterator[Any]:
        """The assignments that somebody holds, in person or through a group, where they still count."""
        groups = {
            each.group_id for each in self.links[GroupMember] if (each.tenant_id, each.member_id) == (tenant, principal)
        }
        held = {
            (each.tenant_id, each.assignment_id)
            for each in self.links[AssignmentMember]
            if each.member_tenant_id == tenant and each.member_id in groups | {principal}
        }
        for row in self.atlas.rows[Assignment]:
            partnership = self.atlas.partnerships.get(row.partnership_id)
            counts = partnership.state is PartnershipState.ACTIVE if partnership else row.tenant_id == tenant
            if (row.tenant_id, row.id) in held and counts:
                yield row


def tenant(identifier: str | None) -> set[str]:
    """The id of an organization, if there is one."""
    return {str(GlobalId("tenant", identifier, identifier))} if identifier else set()


def those(table: type[SQLModel], column: str) -> Edge:
    """The rows of a table that name this one."""
    return lambda all_, row: {
        global_id(each)
        for each in all_.atlas.rows[table]
        if (each.tenant_id, getattr(each, column)) == (row.tenant_id, row.id)
    }


def one(table: type[SQLModel], column: str, tenant_column: str = "tenant_id") -> Edge:
    """The row of a table that this one names."""
    return lambda all_, row: all_.row(table, getattr(row, tenant_column), getattr(row, column))


def owner(_: Relations, row: Any) -> set[str]:
    """The organization that owns the row."""
    return tenant(row.tenant_id)


def partner(_: Relations, row: Any) -> set[str]:
    """The organization on the other side."""
    return tenant(row.partner_tenant_id)


def subject(_: Relations, row: Any) -> set[str]:
    """What a line of the record, or a held change, is about."""
    return {row.subject} if row.subject else set()


def customer_of_role(_: Relations, row: Role) -> set[str]:
    """Whose rooms a role is about: nobody's for the one that answers invitations."""
    return set() if row.built_in is BuiltInRole.TENANT_MANAGER else tenant(row.tenant_id)


EDGES: dict[tuple[str, str], Edge] = {
    ("Room", "customer"): owner,
    ("Room", "ring"): one(UpdateRing, "ring_id"),
    ("Room", "groups"): lambda all_, row: all_.linked(RoomGroupRoom, RoomGroup, row, "room_id", "group_id"),
    ("Room", "delegatedTo"): Relations.reaching,
    ("RoomGroup", "customer"): owner,
    ("RoomGroup", "rooms"): lambda all_, row: all_.linked(RoomGroupRoom, Room, row, "group_id", "room_id"),
    ("UpdateRing", "customer"): owner,
    ("UpdateRing", "rooms"): those(Room, "ring_id"),
    ("Partnership", "customer"): owner,
    ("Partnership", "partner"): partner,
    ("Partnership", "rooms"): Relations.delegated,
    ("Partnership", "roles"): those(Role, "partnership_id"),
    ("Partnership", "primaryAdmins"): one(Assignment, "delegation_id"),
    ("Partnership", "approvalRequests"): those(ApprovalRequest, "partnership_id"),
    ("Invitation", "customer"): owner,
    ("Invitation", "partner"): partner,
    ("Invitation", "rooms"): Relations.offered,
    ("Invitation", "groups"): lambda all_, row: all_.linked(
        InvitationGroup, RoomGroup, row, "invitation_id", "group_id"
    ),
    ("Invitation", "sentBy"): one(Principal, "sent_by_id"),
    ("Invitation", "partnership"): one(Partnership, "partnership_id"),
    ("Role", "customer"): customer_of_role,
    ("Role", "partnership"): one(Partnership, "partnership_id"),
    ("Role", "assignments"): those(Assignment, "role_id"),
    ("Assignment", "role"): one(Role, "role_id"),
    ("Assignment", "members"): Relations.members,
    ("Assignment", "rooms"): lambda all_, row: all_.linked(AssignmentRoom, Room, row, "assignment_id", "room_id"),
    ("Assignment", "groups"): lambda all_, row: all_.linked(
        AssignmentGroup, RoomGroup, row, "assignment_id", "group_id"
    ),
    ("ApprovalRequest", "partnership"): one(Partnership, "partnership_id"),
    ("ApprovalRequest", "requestedBy"): one(Principal, "requester_id", "requester_tenant_id"),
    ("ApprovalRequest", "subject"): subject,
    ("ApprovalRequest", "decidedBy"): one(Principal, "decider_id", "decider_tenant_id"),
    ("User", "tenant"): owner,
    ("SecurityGroup", "tenant"): owner,
    ("Application", "tenant"): owner,
    ("AuditEntry", "tenant"): owner,
    ("AuditEntry", "subject"): subject,
    ("AuditEntry", "user"): one(Principal, "user_id", "user_tenant_id"),
    ("AuditEntry", "userTenant"): lambda _, row: tenant(row.user_tenant_id),
    ("AuditEntry", "approvedBy"): one(Principal, "approved_by_id"),
    ("AuditEntry", "approval"): one(ApprovalRequest, "approval_id"),
}
"""Every edge from one object to others, as the domain understands it."""
NOUNS: dict[str, type[SQLModel]] = {
    **{
        table.__name__: table
        for table in (
            *(Room, RoomGroup, UpdateRing, Partnership, Invitation, Role, Assignment, ApprovalRequest),
            *(Tenant, AuditEntry),
        )
    },
    **dict.fromkeys(("User", "SecurityGroup", "Application"), Principal),
}
"""The graph's type of each object → its table."""
