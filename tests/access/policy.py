"""Who sees what, said a second time: by loops over a small world in memory, straight from the text of the domain.

It shares no rule with `app.access`. The numbers are those of the domain's paragraphs and of its list of choices (#).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.domain.permissions import BuiltInRole, DirectoryRole, Permission, Right, Standing
from app.domain.vocabulary import InvitationState, PrincipalKind

Key = tuple[str, str]
"""What a thing is known by: its tenant and its id. Ids alone repeat from tenant to tenant."""


@dataclass(frozen=True)
class Principal:
    """A user, security group or application, and the security groups that it is in."""

    tenant: str
    id: str
    kind: PrincipalKind = PrincipalKind.USER
    groups: frozenset[str] = frozenset()
    removed: bool = False


@dataclass(frozen=True)
class Room:
    tenant: str
    id: str
    ring: str
    retired: bool = False


@dataclass(frozen=True)
class RoomGroup:
    tenant: str
    id: str
    rooms: frozenset[str] = frozenset()


@dataclass(frozen=True)
class UpdateRing:
    tenant: str
    id: str


@dataclass(frozen=True)
class Partnership:
    """`tenant` is the customer; `delegation` the assignment whose scope is all that the partner was given."""

    tenant: str
    id: str
    partner: str
    active: bool
    delegation: str


@dataclass(frozen=True)
class Invitation:
    tenant: str
    id: str
    partner: str
    state: InvitationState
    expires_at: datetime
    sent_by: str | None = None


@dataclass(frozen=True)
class Role:
    tenant: str
    id: str
    permissions: Permission
    partnership: str | None = None
    built_in: BuiltInRole | None = None


@dataclass(frozen=True)
class Assignment:
    tenant: str
    id: str
    role: str
    partnership: str | None = None
    all_rooms: bool = False
    members: frozenset[Key] = frozenset()
    rooms: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ApprovalRequest:
    tenant: str
    id: str
    partnership: str
    requester: Key
    decider: Key | None = None


@dataclass(frozen=True)
class AuditEntry:
    tenant: str
    id: str
    user: Key | None = None
    approved_by: str | None = None
    age: timedelta = timedelta(0)


@dataclass(frozen=True)
class World:
    """Everything that is stored, at one moment."""

    now: datetime
    tenants: list[str]
    principals: list[Principal] = field(default_factory=list)
    rooms: list[Room] = field(default_factory=list)
    room_groups: list[RoomGroup] = field(default_factory=list)
    rings: list[UpdateRing] = field(default_factory=list)
    partnerships: list[Partnership] = field(default_factory=list)
    invitations: list[Invitation] = field(default_factory=list)
    roles: list[Role] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    approval_requests: list[ApprovalRequest] = field(default_factory=list)
    audit_entries: list[AuditEntry] = field(default_factory=list)

    def __repr__(self) -> str:
        """One line a thing: a failing example is read by people."""
        things = [thing for stored in vars(self).values() if isinstance(stored, list) for thing in stored]
        return "\n".join(["a world of", *map(told, things), ""])

    def _repr_pretty_(self, printer: Any, _: bool) -> None:
        printer.text(repr(self))


def told(thing: Any) -> str:
    """What a thing is, without what goes without saying."""
    if isinstance(thing, str):
        return f"Tenant {thing}"
    said = {name: sorted(value) if isinstance(value, frozenset) else value for name, value in vars(thing).items()}
    unsaid = {"tenant", "id", "permissions" if said.get("built_in") else ""}
    words = [f"{name}={value}" for name, value in said.items() if value and name not in unsaid]
    return " ".join([type(thing).__name__, thing.tenant, thing.id, *words])


@dataclass(frozen=True)
class Asker:
    """Who asks, as a token says it; everything else about this one is stored, or is not."""

    tenant: str
    id: str
    kind: PrincipalKind = PrincipalKind.USER
    directory_roles: frozenset[DirectoryRole] = frozenset()


ANSWERING: dict[Right, Permission] = {
    Standing.ADDRESSEE: Permission.INVITATIONS_ANSWER,
    Standing.PARTNER_MANAGER: Permission.PARTNERS_MANAGE,
}
"""Who does something in every active partnership of the own organization as the partner, by a right at home (#35)."""


class Policy:
    """What one asker sees of one world."""

    def __init__(self, world: World, asker: Asker) -> None:
        self.world = world
        self.asker = asker
        self.tenant = asker.tenant
        self.me = (asker.tenant, asker.id)
        self.names_of_me = {self.me} | {
            (stored.tenant, group)
            for stored in world.principals
            if (stored.tenant, stored.id) == self.me
            for group in stored.groups
        }
        self.roles_by_key = {(role.tenant, role.id): role for role in world.roles}
        self.assignments_by_key = {(assignment.tenant, assignment.id): assignment for assignment in world.assignments}
        self.my_assignments = [each for each in world.assignments if each.members & self.names_of_me]
        self.my_partnerships = {
            (each.tenant, each.id): each for each in world.partnerships if each.active and each.partner == self.tenant
        }

    def sees(self, table: str, right: Right) -> set[Key]:
        """The keys of the rows of a table that the asker sees under a right."""
        return LOOKS[table](self, right)

    # --- what is held ------------------------------------------------------------------------------------------------

    def grants(self, assignment: Assignment, permission: Permission | None) -> bool:
        """Whether the assignment's role contains the permission; None is contained in every role."""
        return permission is None or permission in self.roles_by_key[assignment.tenant, assignment.role].permissions

    def at_home(self, permission: Permission) -> list[Assignment]:
        """One's assignments in the own tenant that grant the permission. Roles never cross (#47)."""
        own = [each for each in self.my_assignments if each.tenant == self.tenant and each.partnership is None]
        return [each for each in own if self.grants(each, permission)]

    def as_partner(self, permission: Permission | None) -> list[Assignment]:
        """One's assignments at customers that grant the permission; a removed partnership does not exist (#33)."""
        found = []
        for assignment in self.my_assignments:
            if assignment.partnership is not None:
                partnership = (assignment.tenant, assignment.partnership)
                if partnership in self.my_partnerships and self.grants(assignment, permission):
                    found.append(assignment)
        return found

    def by_directory(self, permission: Permission) -> bool:
        """Whether an Entra role of this user grants it in the home tenant (2.3); applications hold none."""
        if self.asker.kind is not PrincipalKind.USER:
            return False
        return any(permission in role.permissions for role in self.asker.directory_roles)

    def holds_at_home(self, permission: Permission) -> bool:
        """Powers that are not about a room come with any own assignment (#29)."""
        return self.by_directory(permission) or bool(self.at_home(permission))

    def holds_over_all(self, permission: Permission) -> bool:
        """Over the whole own tenant: a directory role, or an assignment over all rooms (RB-15)."""
        return self.by_directory(permission) or any(each.all_rooms for each in self.at_home(permission))

    # --- where it is held --------------------------------------------------------------------------------------------

    def live_rooms(self, tenant: str) -> set[Key]:
        """A retired room is gone: it drops out of every scope and every list (#58)."""
        return {(room.tenant, room.id) for room in self.world.rooms if room.tenant == tenant and not room.retired}

    def scope(self, assignment: Assignment) -> set[Key]:
        """The rooms of an assignment, its groups resolved now (RB-12, #22)."""
        named = {(assignment.tenant, room) for room in assignment.rooms}
        for group in self.world.room_groups:
            if group.tenant == assignment.tenant and group.id in assignment.groups:
                named |= {(group.tenant, room) for room in group.rooms}
        return named & self.live_rooms(assignment.tenant)

    def rooms_at_home(self, permission: Permission) -> set[Key]:
        """Rooms of the own tenant: each permission only on its own assignment's scope (RB-14, #21)."""
        rooms = self.live_rooms(self.tenant) if self.holds_over_all(permission) else set()
        for assignment in self.at_home(permission):
            rooms |= self.scope(assignment)
        return rooms

    def rooms_as_partner(self, permission: Permission) -> set[Key]:
        """Rooms of customers: an assignment's scope, as far as the customer delegated it (PA-3, CPR-4, ROOM-5, #23)."""
        rooms = set()
        for assignment in self.as_partner(permission):
            partnership = self.my_partnerships[assignment.tenant, assignment.partnership or ""]
            delegation = self.assignments_by_key[partnership.tenant, partnership.delegation]
            rooms |= self.scope(assignment) & self.scope(delegation)
        return rooms

    # --- rooms, groups, rings ----------------------------------------------------------------------------------------

    def look_at_rooms(self, right: Right) -> set[Key]:
        if not isinstance(right, Permission):
            return set()
        return self.rooms_at_home(right) | self.rooms_as_partner(right)

    def look_at_room_groups(self, right: Right) -> set[Key]:
        """Those in an own scope, abroad if delegated as groups; to look at, also those with a room to look at (#31)."""
        if not isinstance(right, Permission):
            return set()
        named = {(each.tenant, group) for each in self.at_home(right) for group in each.groups}
        for each in self.as_partner(right):
            delegation = self.assignments_by_key[each.tenant, self.my_partnerships[self.of(each)].delegation]
            named |= {(each.tenant, group) for group in each.groups & delegation.groups}
        rooms = self.look_at_rooms(right) if right is Permission.GROUPS_VIEW else set()
        seen = set()
        for group in self.world.room_groups:
            is_own = group.tenant == self.tenant and self.holds_over_all(right)
            shares_a_room = any((group.tenant, room) in rooms for room in group.rooms)
            if is_own or (group.tenant, group.id) in named or shares_a_room:
                seen.add((group.tenant, group.id))
        return seen

    def look_at_update_rings(self, right: Right) -> set[Key]:
        """A partner may look where it has a room, and change only what alters no room of anybody else (#29, #30)."""
        if not isinstance(right, Permission):
            return set()
        rooms = self.rooms_as_partner(right)
        customers = {tenant for tenant, _ in rooms}
        seen = set()
        for ring in self.world.rings:
            members = {(r.tenant, r.id) for r in self.world.rooms if r.tenant == ring.tenant and r.ring == ring.id}
            members &= self.live_rooms(ring.tenant)
            is_own = ring.tenant == self.tenant and self.holds_at_home(right)
            is_whole = bool(members) and members <= rooms
            if is_own or is_whole or (right is Permission.RINGS_VIEW and ring.tenant in customers):
                seen.add((ring.tenant, ring.id))
        return seen

    # --- what links two organizations --------------------------------------------------------------------------------

    def look_at_partnerships(self, right: Right) -> set[Key]:
        """The customer in all states; the partner active ones, for holders and for who answers invitations (2.6)."""
        if right is Standing.PARTY:
            seen = self.look_at_partnerships(Permission.PARTNERS_VIEW)
            seen |= {(each.tenant, each.partnership or "") for each in self.as_partner(None)}
            return seen | (set(self.my_partnerships) if self.holds_at_home(Permission.INVITATIONS_ANSWER) else set())
        if right in ANSWERING:
            return set(self.my_partnerships) if self.holds_at_home(ANSWERING[right]) else set()
        if right is Standing.PRIMARY_ADMIN:
            return {(each.tenant, each.partnership or "") for each in self.as_partner(None) if self.is_of_admins(each)}
        if not isinstance(right, Permission):
            return set()
        if right in BuiltInRole.PRIMARY_ADMIN.permissions:
            return {(each.tenant, each.partnership or "") for each in self.as_partner(right)}
        own = {(each.tenant, each.id) for each in self.world.partnerships if each.tenant == self.tenant}
        return own if self.holds_at_home(right) else set()

    def of(self, assignment: Assignment) -> Key:
        """The partnership of a partner's assignment."""
        return assignment.tenant, assignment.partnership or ""

    def is_of_admins(self, assignment: Assignment) -> bool:
        """Whether the assignment is one of the built-in Primary admin role."""
        return self.roles_by_key[assignment.tenant, assignment.role].built_in is BuiltInRole.PRIMARY_ADMIN

    def look_at_invitations(self, right: Right) -> set[Key]:
        """The customer in all states; the invited side what can still be answered (2.6, ACC-1, #6)."""
        if right is Standing.PARTY:
            sent = self.look_at_invitations(Permission.PARTNERS_VIEW)
            return sent | self.look_at_invitations(Permission.INVITATIONS_ANSWER)
        if right is Standing.ADDRESSEE:
            return self.received_invitations()
        if not isinstance(right, Permission) or not self.holds_at_home(right):
            return set()
        seen = set()
        for invitation in self.world.invitations:
            is_open = invitation.state is InvitationState.PENDING and self.world.now < invitation.expires_at
            to_answer = right is Permission.INVITATIONS_ANSWER and invitation.partner == self.tenant and is_open
            is_own = right is not Permission.INVITATIONS_ANSWER and invitation.tenant == self.tenant
            if to_answer or is_own:
                seen.add((invitation.tenant, invitation.id))
        return seen

    def received_invitations(self) -> set[Key]:
        """All that ever reached the own organization, for who answers: an answer can come too late (ACC-10)."""
        if not self.holds_at_home(Permission.INVITATIONS_ANSWER):
            return set()
        return {(each.tenant, each.id) for each in self.world.invitations if each.partner == self.tenant}

    # --- roles and their assignments ---------------------------------------------------------------------------------

    def look_at_roles(self, right: Right) -> set[Key]:
        """Own roles and those of one's partnerships; under PARTY also what one may know but not change (2.6)."""
        if right is Standing.PARTY:
            return self.look_at_roles(Permission.ROLES_VIEW) | self.roles_to_know()
        if right is Standing.ROLE_EDITOR:
            return self.roles_to_edit()
        if right is Permission.PARTNERS_MANAGE:
            return self.roles_of_partners()
        if not isinstance(right, Permission):
            return set()
        partnerships = {(each.tenant, each.partnership) for each in self.as_partner(right)}
        seen = set()
        for role in self.world.roles:
            is_plain = role.partnership is None and role.built_in is not BuiltInRole.TENANT_MANAGER
            is_own = is_plain and role.tenant == self.tenant and self.holds_at_home(right)
            if is_own or (role.tenant, role.partnership) in partnerships:
                seen.add((role.tenant, role.id))
        return seen

    def roles_to_know(self) -> set[Key]:
        """What a Manager sees of partners, and what Managers and Tenant managers see as a partner (#37, #38)."""
        answers = self.holds_at_home(Permission.INVITATIONS_ANSWER)
        seen = self.roles_of_partners()
        for role in self.world.roles:
            partnership = (role.tenant, role.partnership or "")
            is_admin_role = role.built_in is BuiltInRole.PRIMARY_ADMIN and partnership in self.my_partnerships
            is_manager_role = role.built_in is BuiltInRole.TENANT_MANAGER and role.tenant == self.tenant
            if answers and (is_admin_role or is_manager_role):
                seen.add((role.tenant, role.id))
        return seen

    def roles_of_partners(self) -> set[Key]:
        """A Manager sees and ends the roles of the own organization's partners (#38)."""
        active = {(each.tenant, each.id) for each in self.world.partnerships if each.active}
        mine = [each for each in self.world.roles if each.tenant == self.tenant]
        is_manager = self.holds_at_home(Permission.PARTNERS_MANAGE)
        return {(each.tenant, each.id) for each in mine if is_manager and (each.tenant, each.partnership) in active}

    def roles_to_edit(self) -> set[Key]:
        """Own roles, for Managers and whom a directory role lets; a custom role only lets one assign (#26)."""
        edits = self.holds_at_home(Permission.PARTNERS_MANAGE) or self.by_directory(Permission.ROLES_MODIFY)
        mine = [each for each in self.world.roles if each.tenant == self.tenant and each.partnership is None]
        return {(each.tenant, each.id) for each in mine if edits}

    def look_at_assignments(self, right: Right) -> set[Key]:
        """An assignment is seen with its role."""
        roles = self.look_at_roles(right)
        return {(each.tenant, each.id) for each in self.world.assignments if (each.tenant, each.role) in roles}

    def look_at_approval_requests(self, right: Right) -> set[Key]:
        """Who decides at the customer; who asked and still takes part; primary admins of that customer (2.6)."""
        if right is Standing.PARTY:
            administered = self.look_at_partnerships(Standing.PRIMARY_ADMIN)
            seen = self.look_at_approval_requests(Permission.APPROVALS_DECIDE)
            seen |= self.look_at_approval_requests(Standing.REQUESTER)
            requests = self.world.approval_requests
            return seen | {
                (each.tenant, each.id) for each in requests if (each.tenant, each.partnership) in administered
            }
        if right is Standing.REQUESTER:
            takes_part = self.look_at_partnerships(Standing.PARTY) & set(self.my_partnerships)
            mine = [each for each in self.world.approval_requests if each.requester == self.me]
            return {(each.tenant, each.id) for each in mine if (each.tenant, each.partnership) in takes_part}
        if right is not Permission.APPROVALS_DECIDE or not self.holds_at_home(right):
            return set()
        return {(each.tenant, each.id) for each in self.world.approval_requests if each.tenant == self.tenant}

    # --- people, organizations, the record ---------------------------------------------------------------------------

    def look_at_principals(self, right: Right) -> set[Key]:
        """The directory for who may name members, without who was removed from it; and whoever a row that one sees
        names (2.6).
        """
        stored = {(each.tenant, each.id) for each in self.world.principals}
        if right is Standing.DIRECTORY:
            own = {key for key in stored if key[0] == self.tenant and self.may_name_members()}
            return own - {(each.tenant, each.id) for each in self.world.principals if each.removed}
        if right is not Standing.NAMED:
            return set()
        return stored & ({self.me} | self.look_at_principals(Standing.DIRECTORY) | self.named_principals())

    def may_name_members(self) -> bool:
        """roles:modify anywhere, or INVITATIONS_ANSWER."""
        modifies = self.holds_at_home(Permission.ROLES_MODIFY) or self.as_partner(Permission.ROLES_MODIFY)
        return bool(modifies) or self.holds_at_home(Permission.INVITATIONS_ANSWER)

    def named_principals(self) -> set[Key]:
        """Members of assignments, senders of invitations, and who asked, decided, acted or approved."""
        named: set[Key] = set()
        for key in self.look_at_assignments(Standing.PARTY):
            named |= self.assignments_by_key[key].members
        invitations = self.look_at_invitations(Standing.PARTY)
        for invitation in self.world.invitations:
            if (invitation.tenant, invitation.id) in invitations and invitation.sent_by:
                named.add((invitation.tenant, invitation.sent_by))
        requests = self.look_at_approval_requests(Standing.PARTY)
        for request in self.world.approval_requests:
            if (request.tenant, request.id) in requests:
                named |= {request.requester} | ({request.decider} if request.decider else set())
        entries = self.look_at_audit_entries(Permission.AUDIT_VIEW)
        for entry in self.world.audit_entries:
            if (entry.tenant, entry.id) in entries:
                named |= {entry.user} if entry.user else set()
                named |= {(entry.tenant, entry.approved_by)} if entry.approved_by else set()
        return named

    def look_at_tenants(self, right: Right) -> set[Key]:
        """The own organization, and both sides of every partnership and invitation that the asker sees (2.6)."""
        if right is not Standing.NAMED:
            return set()
        named = {self.tenant}
        partnerships, invitations = self.look_at_partnerships(right.PARTY), self.look_at_invitations(right.PARTY)
        for partnership in self.world.partnerships:
            if (partnership.tenant, partnership.id) in partnerships:
                named |= {partnership.tenant, partnership.partner}
        for invitation in self.world.invitations:
            if (invitation.tenant, invitation.id) in invitations:
                named |= {invitation.tenant, invitation.partner}
        return {(tenant, tenant) for tenant in self.world.tenants if tenant in named}

    def look_at_audit_entries(self, right: Right) -> set[Key]:
        """180 days of the own tenant's record, for its Managers; partners see no customer's (AUD-3, AUD-6, #63)."""
        if right is not Permission.AUDIT_VIEW or not self.holds_at_home(Permission.AUDIT_VIEW):
            return set()
        recent = [each for each in self.world.audit_entries if each.age <= timedelta(days=180)]
        return {(each.tenant, each.id) for each in recent if each.tenant == self.tenant}


LOOKS: dict[str, Callable[[Policy, Right], set[Key]]] = {
    "Room": Policy.look_at_rooms,
    "RoomGroup": Policy.look_at_room_groups,
    "UpdateRing": Policy.look_at_update_rings,
    "Partnership": Policy.look_at_partnerships,
    "Invitation": Policy.look_at_invitations,
    "ApprovalRequest": Policy.look_at_approval_requests,
    "Role": Policy.look_at_roles,
    "Assignment": Policy.look_at_assignments,
    "Principal": Policy.look_at_principals,
    "Tenant": Policy.look_at_tenants,
    "AuditEntry": Policy.look_at_audit_entries,
}
