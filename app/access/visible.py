"""What a caller may see: `visible(Table, right)`, and one rule a table.

Every list, count, look-up by id, nested level and id inside an input starts with `visible`, so that they cannot
disagree. The viewer, the moment and the directory permissions are bind parameters; nothing here branches on them.

Three ideas carry the rules:

- *held*: the viewer's assignments whose role grants a permission, in the own tenant or in an active partnership;
- *reach*: pairs of an assignment and a room in its scope, for a partner cut down to what the customer delegated.
  Permissions and rooms are never united separately (RB-14): a pair either exists or does not;
- *party*: which side of a partnership or invitation the viewer is on (domain.md 2.6).
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Subquery,
    and_,
    false,
    not_,
    or_,
    select,
    tuple_,
    union,
    union_all,
)
from sqlalchemy.orm import aliased
from sqlmodel import SQLModel, col

from app.access.scoping import Rows, rows_of, rule
from app.access.viewer import AUDIT_SINCE, MOMENT, VIEWER_DIRECTORY, VIEWER_PRINCIPAL, VIEWER_TENANT
from app.domain.permissions import PARTNER_CEILING, BuiltInRole, Permission, Right, Standing
from app.domain.vocabulary import InvitationState, PartnershipState
from app.storage.dialects import unindexed
from app.storage.tables import (
    ApprovalRequest,
    Assignment,
    AssignmentGroup,
    AssignmentMember,
    AssignmentRoom,
    AuditEntry,
    GroupMember,
    Invitation,
    Partnership,
    Principal,
    Role,
    Room,
    RoomGroup,
    RoomGroupRoom,
    Tenant,
    UpdateRing,
)

Condition = ColumnElement[bool]


@cache
def visible(table: type[SQLModel], right: Right) -> Rows:
    """Every row of the table on which the viewer of the request holds the right.

    Run it with `binds(viewer, moment)`. A table without a rule, or a right that means nothing on it, has no rows.
    """
    return rows_of(table).where(condition(table, right))


def condition(table: type[SQLModel], right: Right) -> Condition:
    """The rule of a table for a right, as a condition on its row."""
    decide = RULES.get(table)
    return decide(right) if decide else false()


def ways(table: type[SQLModel], right: Right) -> list[Rows]:
    """The rows of `visible` once more, in parts: each row is in exactly one of them.

    A list of rooms is found fastest by the tenant where the viewer holds all, else by what is in reach, and no
    database finds both in one select. A look-up by id needs none of this.
    """
    if table is not Room or not isinstance(right, Permission):
        return [visible(table, right)]
    everything, rooms = all_rooms(right), rows_of(table)
    reached = [*reach_at_home(right), *reach_within(widest_as_partner(right))]
    scope, is_live = union_all(*reached).subquery(), col(Room.retired_at).is_(None)
    in_reach = tuple_(col(Room.tenant_id), col(Room.id)).in_(rule(select(scope.c.tenant_id, scope.c.room_id)))
    return [rooms.where(is_live, everything), rooms.where(is_live, in_reach, not_(everything))]


def named(table: type[SQLModel], right: Right, other: type[SQLModel]) -> Rows:
    """The rows of `visible` once more, for who takes only those that visible rows of the other table name.

    Where to be named by these is to be visible, nothing is asked of a row: its rule asks for just such a row again.
    """
    if (table, other) not in SEEN_WITH:
        return visible(table, right)
    return rows_of(table)


def there_is(rows: Rows) -> Condition:
    """There is one of these rows, asked anew for each row that it is asked of, by its key.

    An offset, be it none, keeps PostgreSQL from gathering all rows that there are for anybody, to look among them.
    """
    return rows.offset(0).exists()


# --- held: the viewer's assignments ---------------------------------------------------------------------------------


def directory_grants(permission: Permission) -> Condition:
    """A directory role of the home tenant contains the permission (domain.md 2.3)."""
    return VIEWER_DIRECTORY.op("&")(permission.value) != 0


def own_groups() -> Rows:
    """The security groups that the viewer is in, as the directory stores them."""
    mine = and_(col(GroupMember.tenant_id) == VIEWER_TENANT, col(GroupMember.member_id) == VIEWER_PRINCIPAL)
    return rule(select(col(GroupMember.group_id)).where(mine))


def memberships() -> Subquery:
    """The assignments of which the viewer is a member, in person or through a group. Identity is (tenant, id).

    The two are looked up apart: together, each of them by its key, is what no database does with an `or`.
    """
    in_person = col(AssignmentMember.member_id) == VIEWER_PRINCIPAL
    through_group = col(AssignmentMember.member_id).in_(own_groups())
    members: Rows = select(col(AssignmentMember.tenant_id), col(AssignmentMember.assignment_id)).where(
        col(AssignmentMember.member_tenant_id) == VIEWER_TENANT
    )
    return union(*(rule(members.where(way)) for way in (in_person, through_group))).subquery()


def has_role() -> Condition:
    """The role that the assignment grants."""
    return and_(col(Role.tenant_id) == col(Assignment.tenant_id), col(Role.id) == col(Assignment.role_id))


def is_active_partner() -> Condition:
    """The viewer's tenant is the partner of a partnership that nobody has removed."""
    return and_(col(Partnership.partner_tenant_id) == VIEWER_TENANT, col(Partnership.state) == PartnershipState.ACTIVE)


@cache
def all_held() -> CTE:
    """The viewer's assignments and what they grant: found once in a statement, asked often.

    One at a customer has its partnership, and the assignment that says what the customer delegated; one in the own
    tenant has neither.
    """
    mine = memberships()
    is_mine = and_(col(Assignment.tenant_id) == mine.c.tenant_id, col(Assignment.id) == mine.c.assignment_id)
    in_partnership = and_(
        col(Partnership.tenant_id) == col(Assignment.tenant_id),
        col(Partnership.id) == col(Assignment.partnership_id),
        is_active_partner(),
    )
    assignments: Rows = select(
        col(Assignment.tenant_id),
        col(Assignment.id).label("assignment_id"),
        col(Assignment.all_rooms),
        col(Partnership.id).label("partnership_id"),
        col(Partnership.delegation_id),
        permissions(),
    )
    at_home = and_(col(Assignment.tenant_id) == VIEWER_TENANT, col(Assignment.partnership_id).is_(None))
    found = assignments.select_from(mine).join(Assignment, is_mine).join(Role, has_role())
    joined = found.outerjoin(Partnership, in_partnership)
    return rule(joined.where(or_(at_home, col(Partnership.id).is_not(None)))).cte("held")


def permissions() -> Any:
    """What the assignment's role grants."""
    return col(Role.permissions).label("permissions")


def held_at_home(permission: Permission | None) -> Rows:
    """The viewer's assignments in the own tenant that grant the permission; None asks for no particular one."""
    found = all_held()
    held_ones: Rows = select(found.c.tenant_id, found.c.assignment_id, found.c.all_rooms)
    return rule(held_ones.where(found.c.partnership_id.is_(None), grants(found, permission)))


def held_as_partner(permission: Permission | None) -> Rows:
    """The viewer's assignments at customers that grant the permission; None asks for no particular one."""
    found = all_held()
    held_ones: Rows = select(found.c.tenant_id, found.c.assignment_id, found.c.partnership_id, found.c.delegation_id)
    return rule(held_ones.where(found.c.partnership_id.is_not(None), grants(found, permission)))


def widest_as_partner(permission: Permission) -> Rows:
    """The same but for those that add no room: who holds the permission on the delegation itself reaches all that was
    delegated. Only for rooms in reach; the assignments that are left out still are the viewer's.
    """
    found, delegation = all_held(), all_held().alias()
    of_it = and_(
        delegation.c.tenant_id == found.c.tenant_id,
        delegation.c.assignment_id == found.c.delegation_id,
        delegation.c.permissions.op("&")(permission.value) != 0,
    )
    adds_nothing = rule(select(delegation.c.tenant_id), found).where(of_it).exists()
    return held_as_partner(permission).where(or_(found.c.assignment_id == found.c.delegation_id, not_(adds_nothing)))


def grants(found: CTE, permission: Permission | None) -> Condition:
    """The assignment grants the permission; None asks for no particular one."""
    if permission is None:
        return found.c.assignment_id.is_not(None)
    return found.c.permissions.op("&")(permission.value) != 0


def held(permission: Permission) -> Condition:
    """The viewer holds the permission in the own tenant, wherever (domain.md 7 #29)."""
    return or_(directory_grants(permission), held_at_home(permission).exists())


def held_everywhere(permission: Permission) -> Condition:
    """The viewer holds the permission over all of the own tenant: a Manager, or a directory role."""
    over_all = all_held().c.all_rooms
    return or_(directory_grants(permission), held_at_home(permission).where(over_all).exists())


def takes_part(tenant: Any, partnership_id: Any, permission: Permission | None, *of: Any) -> Condition:
    """The viewer has an assignment in this partnership, one that grants the permission if one is asked for."""
    found = all_held()
    here = and_(found.c.tenant_id == tenant, found.c.partnership_id == partnership_id)
    return there_is(rule(select(found.c.tenant_id), *of).where(here, grants(found, permission)))


# --- reach: pairs of assignment and room ----------------------------------------------------------------------------


def scopes_of(assignments: Rows) -> tuple[Subquery, Subquery]:
    """These assignments, once for each room in their scope: rooms named one by one, and those of groups, which are
    resolved now (domain.md 7 #22).
    """
    held_ones = assignments.subquery()
    tenant, assignment_id = held_ones.c.tenant_id, held_ones.c.assignment_id
    by_room = select(*held_ones.c, col(AssignmentRoom.room_id)).join(
        AssignmentRoom,
        and_(col(AssignmentRoom.tenant_id) == tenant, col(AssignmentRoom.assignment_id) == assignment_id),
    )
    by_group = (
        select(*held_ones.c, col(RoomGroupRoom.room_id))
        .join(
            AssignmentGroup,
            and_(col(AssignmentGroup.tenant_id) == tenant, col(AssignmentGroup.assignment_id) == assignment_id),
        )
        .join(RoomGroupRoom, is_in_group(tenant, col(AssignmentGroup.group_id)))
    )
    return rule(by_room).subquery(), rule(by_group).subquery()


def is_in_group(tenant: Any, group: Any) -> Condition:
    """The row of room_group_rooms belongs to this group."""
    return and_(col(RoomGroupRoom.tenant_id) == tenant, col(RoomGroupRoom.group_id) == group)


def covers(tenant: Any, assignment_id: Any, room_id: Any, *of: Any) -> Condition:
    """The room is in the scope of the assignment: the same as to be in `scopes_of`, asked of one room."""
    by_room = select(col(AssignmentRoom.room_id)).where(
        col(AssignmentRoom.tenant_id) == tenant,
        col(AssignmentRoom.assignment_id) == assignment_id,
        col(AssignmentRoom.room_id) == room_id,
    )
    by_group = (
        select(col(AssignmentGroup.group_id))
        .join(RoomGroupRoom, is_in_group(col(AssignmentGroup.tenant_id), col(AssignmentGroup.group_id)))
        .where(
            col(AssignmentGroup.tenant_id) == tenant,
            col(AssignmentGroup.assignment_id) == assignment_id,
            col(RoomGroupRoom.room_id) == room_id,
        )
    )
    return or_(there_is(rule(by_room, *of)), there_is(rule(by_group, *of)))


def is_delegated(assignments: Any, room_id: Any, *of: Any) -> Condition:
    """The customer delegated the room to the partnership of the assignment, by itself or in a group (PA-3, CPR-4,
    ROOM-5); the delegation itself is what was delegated.
    """
    itself = assignments.c.assignment_id == assignments.c.delegation_id
    return or_(itself, covers(assignments.c.tenant_id, assignments.c.delegation_id, room_id, *of))


def reach_at_home(permission: Permission | None) -> list[Rows]:
    """The rooms of the own tenant that scoped assignments reach, each with the assignment."""
    return [rule(pairs(scope)) for scope in scopes_of(held_at_home(permission))]


def reach_as_partner(permission: Permission | None) -> list[Rows]:
    """The rooms of customers that the viewer's assignments reach: their own scope ∩ what was delegated."""
    return reach_within(held_as_partner(permission))


def reach_within(assignments: Rows) -> list[Rows]:
    """The rooms in the scope of these assignments at customers that were delegated."""
    return [rule(pairs(scope).where(is_delegated(scope, scope.c.room_id, scope))) for scope in scopes_of(assignments)]


def pairs(scope: Subquery) -> Rows:
    """Assignments and rooms."""
    return select(scope.c.tenant_id, scope.c.assignment_id, scope.c.room_id)


def reach(permission: Permission | None) -> Subquery:
    """Every (assignment, room) through which the viewer holds the permission; whole tenants come on top. A room that
    was retired is still in here.
    """
    return union_all(*reach_at_home(permission), *reach_as_partner(permission)).subquery()


def is_reached(permission: Permission, tenant: Any, room_id: Any, of: Any) -> Condition:
    """A room, in a row of the table `of`, is in the viewer's reach: the same as to be in `reach`, asked of one room."""
    found = all_held()
    at_home, delegated = found.c.partnership_id.is_(None), is_delegated(found, room_id, found, of)
    return there_is(reaching(permission, tenant, room_id, of).where(or_(at_home, delegated)))


def is_reached_as_partner(permission: Permission, tenant: Any, room_id: Any, of: Any) -> Condition:
    """The same, through an assignment at a customer: to one in the own tenant nothing was delegated."""
    delegated = is_delegated(all_held(), room_id, all_held(), of)
    return there_is(reaching(permission, tenant, room_id, of).where(delegated))


def reaching(permission: Permission, tenant: Any, room_id: Any, of: Any) -> Rows:
    """The viewer's assignments that grant the permission and have the room in their scope."""
    found = all_held()
    here = and_(found.c.tenant_id == tenant, grants(found, permission))
    return rule(select(found.c.tenant_id), of).where(here, covers(tenant, found.c.assignment_id, room_id, found, of))


def is_in_scope(scopes: Subquery) -> Condition:
    """The row of assignment_groups belongs to one of these assignments."""
    return and_(
        scopes.c.tenant_id == col(AssignmentGroup.tenant_id),
        scopes.c.assignment_id == col(AssignmentGroup.assignment_id),
    )


def groups_at_home(permission: Permission) -> Rows:
    """The room groups of the own tenant that scoped assignments name."""
    scopes = held_at_home(permission).subquery()
    groups = select(col(AssignmentGroup.tenant_id), col(AssignmentGroup.group_id)).select_from(scopes)
    return rule(groups.join(AssignmentGroup, is_in_scope(scopes)))


def groups_as_partner(permission: Permission) -> Rows:
    """The room groups of customers that the viewer's assignments name, of those that were delegated as groups."""
    scopes, delegated = held_as_partner(permission).subquery(), aliased(AssignmentGroup)
    groups = select(col(AssignmentGroup.tenant_id), col(AssignmentGroup.group_id)).select_from(scopes)
    is_delegated = and_(
        col(delegated.tenant_id) == scopes.c.tenant_id,
        col(delegated.assignment_id) == scopes.c.delegation_id,
        col(delegated.group_id) == col(AssignmentGroup.group_id),
    )
    return rule(groups.join(AssignmentGroup, is_in_scope(scopes)).join(delegated, is_delegated))


# --- the rules ------------------------------------------------------------------------------------------------------


def room(right: Right) -> Condition:
    """All rooms of the own tenant, or those that an assignment reaches. A retired room is in no scope (#58)."""
    if not isinstance(right, Permission):
        return false()
    in_reach = is_reached(right, col(Room.tenant_id), col(Room.id), Room)
    return and_(col(Room.retired_at).is_(None), or_(all_rooms(right), in_reach))


def all_rooms(right: Permission) -> Condition:
    """A room of the own tenant, of which the viewer holds the permission over everything."""
    return and_(col(Room.tenant_id) == VIEWER_TENANT, held_everywhere(right))


def room_group(right: Right) -> Condition:
    """At home all groups or those in an own scope, as a partner those in an own scope that were delegated as groups;
    to look at also groups that hold a room in reach (#31).
    """
    if not isinstance(right, Permission):
        return false()
    this = tuple_(col(RoomGroup.tenant_id), col(RoomGroup.id))
    ways = [
        and_(col(RoomGroup.tenant_id) == VIEWER_TENANT, held_everywhere(right)),
        this.in_(groups_at_home(right)),
        this.in_(groups_as_partner(right)),
    ]
    if right is Permission.GROUPS_VIEW:
        in_reach = is_reached(right, col(Room.tenant_id), col(Room.id), Room)
        rooms = select(col(RoomGroupRoom.room_id)).join(Room, is_live()).where(is_in_this_group(), in_reach)
        ways.append(there_is(rule(rooms, RoomGroup)))
    return or_(*ways)


def is_live() -> Condition:
    """The row of rooms is the one of room_group_rooms, and nobody has retired it."""
    same = and_(col(Room.tenant_id) == col(RoomGroupRoom.tenant_id), col(Room.id) == col(RoomGroupRoom.room_id))
    return and_(same, col(Room.retired_at).is_(None))


def is_in_this_group() -> Condition:
    """The row of room_group_rooms belongs to the row of room_groups."""
    return is_in_group(col(RoomGroup.tenant_id), col(RoomGroup.id))


def update_ring(right: Right) -> Condition:
    """At home whoever holds the permission anywhere (#29). A partner sees the rings of a customer at whom it holds
    the permission on a room, and may change a ring only if it reaches every room in it (#30).
    """
    if not isinstance(right, Permission):
        return false()
    at_home = and_(col(UpdateRing.tenant_id) == VIEWER_TENANT, held(right))
    rooms = rule(select(col(Room.id)), UpdateRing).where(
        col(Room.tenant_id) == col(UpdateRing.tenant_id), col(Room.retired_at).is_(None)
    )
    in_ring = rooms.where(col(Room.ring_id) == col(UpdateRing.id))
    inside = is_reached_as_partner(right, col(Room.tenant_id), col(Room.id), Room)
    if right is Permission.RINGS_VIEW:
        return or_(at_home, holds_on_a_room(right))
    return or_(at_home, and_(there_is(in_ring), not_(there_is(in_ring.where(not_(inside))))))


def holds_on_a_room(right: Permission) -> Condition:
    """As a partner, the viewer holds the permission on a live room of the ring's owner."""
    ways = [way.subquery() for way in reach_as_partner(right)]
    same = [and_(col(Room.tenant_id) == way.c.tenant_id, col(Room.id) == way.c.room_id) for way in ways]
    found = (
        rule(select(way.c.room_id).join(Room, is_it), UpdateRing).where(
            way.c.tenant_id == col(UpdateRing.tenant_id), col(Room.retired_at).is_(None)
        )
        for way, is_it in zip(ways, same, strict=True)
    )
    return or_(*(there_is(rooms) for rooms in found))


def partnership(right: Right) -> Condition:
    """A customer sees all of its own by permission; the partner's side only active ones (#33, domain.md 2.6)."""
    tenant, key = col(Partnership.tenant_id), col(Partnership.id)
    if right is Standing.PARTY:
        as_partner = or_(takes_part(tenant, key, None, Partnership), held(Permission.INVITATIONS_ANSWER))
        return or_(partnership(Permission.PARTNERS_VIEW), and_(is_active_partner(), as_partner))
    if right is Standing.PRIMARY_ADMIN:
        found = all_held()
        is_it = and_(found.c.tenant_id == tenant, found.c.assignment_id == col(Partnership.delegation_id))
        return and_(is_active_partner(), there_is(rule(select(found.c.tenant_id), Partnership).where(is_it)))
    if right is Standing.ADDRESSEE:
        return and_(is_active_partner(), held(Permission.INVITATIONS_ANSWER))
    if right is Standing.PARTNER_MANAGER:
        return and_(is_active_partner(), held(Permission.PARTNERS_MANAGE))
    if not isinstance(right, Permission):
        return false()
    if right in PARTNER_CEILING:
        return takes_part(tenant, key, right, Partnership)
    return and_(tenant == VIEWER_TENANT, held(right))


def invitation(right: Right) -> Condition:
    """A customer sees all that it sent; the invited side only what can still be answered (ACC-1, ACC-10)."""
    if right is Standing.PARTY:
        return or_(invitation(Permission.PARTNERS_VIEW), invitation(Permission.INVITATIONS_ANSWER))
    if right is Standing.ADDRESSEE:
        return and_(col(Invitation.partner_tenant_id) == VIEWER_TENANT, held(Permission.INVITATIONS_ANSWER))
    if right is Permission.INVITATIONS_ANSWER:
        pending = and_(col(Invitation.state) == InvitationState.PENDING, col(Invitation.expires_at) > MOMENT)
        return and_(invitation(Standing.ADDRESSEE), pending)
    if right in (Permission.PARTNERS_VIEW, Permission.PARTNERS_MANAGE):
        return and_(col(Invitation.tenant_id) == VIEWER_TENANT, held(right))
    return false()


def of_active_partnership(*conditions: Condition) -> Condition:
    """The role belongs to a partnership that nobody has removed."""
    this = and_(col(Partnership.tenant_id) == col(Role.tenant_id), col(Partnership.id) == col(Role.partnership_id))
    is_active = col(Partnership.state) == PartnershipState.ACTIVE
    return there_is(rule(select(col(Partnership.id)), Role).where(this, is_active, *conditions))


def edits_roles() -> Condition:
    """The viewer creates and edits roles of the own tenant: a Manager or a directory role, but nobody to whom a custom
    role gives ROLES_MODIFY, who only assigns them (RB-1, RB-2, #26).
    """
    return or_(directory_grants(Permission.ROLES_MODIFY), held(Permission.PARTNERS_MANAGE))


def role(right: Right) -> Condition:
    """Who sees and who changes roles (domain.md 2.6, #26, #38).

    Under PARTY also what may only be looked at: who answers invitations sees the own Tenant manager role and who the
    Primary admins are. PARTNERS_MANAGE is the customer's Manager, who sees and ends its partners' roles.
    """
    permission = Permission.ROLES_MODIFY if right is Permission.ROLES_MODIFY else Permission.ROLES_VIEW
    at_home = col(Role.tenant_id) == VIEWER_TENANT
    own = and_(at_home, col(Role.partnership_id).is_(None))
    to_customer = and_(at_home, held(Permission.PARTNERS_MANAGE), of_active_partnership())
    if right is Standing.ROLE_EDITOR:
        return and_(own, edits_roles())
    if right is Permission.PARTNERS_MANAGE:
        return to_customer
    if right not in (Standing.PARTY, permission):
        return false()
    is_tenant_manager = col(Role.built_in) == BuiltInRole.TENANT_MANAGER
    plain = and_(own, or_(col(Role.built_in).is_(None), not_(is_tenant_manager)))
    as_partner = takes_part(col(Role.tenant_id), col(Role.partnership_id), permission, Role)
    ways = [and_(plain, held(permission)), as_partner]
    if right is Standing.PARTY:
        answers = held(Permission.INVITATIONS_ANSWER)
        is_primary_admin = col(Role.built_in) == BuiltInRole.PRIMARY_ADMIN
        names_admins = and_(is_primary_admin, answers, of_active_partnership(is_active_partner()))
        ways += [to_customer, names_admins, and_(at_home, is_tenant_manager, answers)]
    return or_(*ways)


def assignment(right: Right) -> Condition:
    """An assignment is seen, and changed, with its role."""
    roles = select(col(Role.id)).where(has_role(), role(right))
    return there_is(rule(roles, Assignment))


def approval_request(right: Right) -> Condition:
    """Held changes: for who decides them at the customer, for who asked, and for that customer's primary admins."""
    if right is Permission.APPROVALS_DECIDE:
        return and_(col(ApprovalRequest.tenant_id) == VIEWER_TENANT, held(right))
    if right is Standing.REQUESTER:
        asked = and_(
            col(ApprovalRequest.requester_tenant_id) == VIEWER_TENANT,
            col(ApprovalRequest.requester_id) == VIEWER_PRINCIPAL,
        )
        return and_(asked, of_partnership(Standing.PARTY))
    if right is Standing.PARTY:
        return or_(
            approval_request(Permission.APPROVALS_DECIDE),
            approval_request(Standing.REQUESTER),
            of_partnership(Standing.PRIMARY_ADMIN),
        )
    return false()


def of_partnership(right: Right) -> Condition:
    """The held change belongs to a partnership on which the viewer holds the right."""
    this = and_(
        col(Partnership.tenant_id) == col(ApprovalRequest.tenant_id),
        col(Partnership.id) == col(ApprovalRequest.partnership_id),
    )
    return there_is(rule(select(col(Partnership.id)), ApprovalRequest).where(this, partnership(right)))


def directory(right: Right) -> Condition:
    """Principals of the own tenant that nobody has removed, for whoever may name members (domain.md 2.6)."""
    if right is not Standing.DIRECTORY:
        return false()
    names_members = or_(
        held(Permission.INVITATIONS_ANSWER),
        held(Permission.ROLES_MODIFY),
        held_as_partner(Permission.ROLES_MODIFY).exists(),
    )
    return and_(col(Principal.tenant_id) == VIEWER_TENANT, col(Principal.removed_at).is_(None), names_members)


def principal(right: Right) -> Condition:
    """Oneself, the directory one may pick from, and whoever a visible assignment, invitation or entry names."""
    if right is not Standing.NAMED:
        return directory(right)
    tenant, key = col(Principal.tenant_id), col(Principal.id)
    oneself = and_(tenant == VIEWER_TENANT, key == VIEWER_PRINCIPAL)
    same = and_(
        col(Assignment.tenant_id) == col(AssignmentMember.tenant_id),
        col(Assignment.id) == col(AssignmentMember.assignment_id),
    )
    members = select(col(AssignmentMember.member_id)).join(Assignment, same)
    is_a_member = rule(members, Principal).where(
        col(AssignmentMember.member_tenant_id) == tenant,
        col(AssignmentMember.member_id) == key,
        assignment(Standing.PARTY),
    )
    sent = rule(select(col(Invitation.id)), Principal).where(
        col(Invitation.tenant_id) == tenant, col(Invitation.sent_by_id) == key, invitation(Standing.PARTY)
    )
    held_ones = rule(select(col(ApprovalRequest.id)), Principal).where(
        approval_request(Standing.PARTY),
        or_(
            and_(col(ApprovalRequest.requester_tenant_id) == tenant, col(ApprovalRequest.requester_id) == key),
            and_(col(ApprovalRequest.decider_tenant_id) == tenant, col(ApprovalRequest.decider_id) == key),
        ),
    )
    entries = rule(select(col(AuditEntry.id)), Principal).where(audit_entry(Permission.AUDIT_VIEW))
    acted = entries.where(col(AuditEntry.user_tenant_id) == tenant, col(AuditEntry.user_id) == key)
    approved = entries.where(col(AuditEntry.tenant_id) == tenant, col(AuditEntry.approved_by_id) == key)
    naming = (is_a_member, sent, held_ones, acted, approved)
    return or_(oneself, directory(Standing.DIRECTORY), *(there_is(rows) for rows in naming))


def tenant(right: Right) -> Condition:
    """The own organization, and the other side of every visible partnership and invitation."""
    if right is not Standing.NAMED:
        return false()
    shared = [
        rule(select(col(table.tenant_id)), Tenant).where(
            or_(col(table.tenant_id) == col(Tenant.id), col(table.partner_tenant_id) == col(Tenant.id)),
            condition(table, Standing.PARTY),
        )
        for table in (Partnership, Invitation)
    ]
    return or_(col(Tenant.id) == VIEWER_TENANT, *(there_is(rows) for rows in shared))


def audit_entry(right: Right) -> Condition:
    """The last 180 days of the own tenant's record, for its Managers (AUD-3, AUD-6, domain.md 7 #62 and #63)."""
    if right is not Permission.AUDIT_VIEW:
        return false()
    is_recent = unindexed(col(AuditEntry.creation_time)) >= AUDIT_SINCE
    return and_(col(AuditEntry.tenant_id) == VIEWER_TENANT, is_recent, held(right))


SEEN_WITH: frozenset[tuple[type[SQLModel], type[SQLModel]]] = frozenset(
    {
        (Assignment, Role),
        (Role, Assignment),
        (Principal, Assignment),
        (Principal, Invitation),
        (Principal, ApprovalRequest),
        (Principal, AuditEntry),
        (Tenant, Partnership),
        (Tenant, Invitation),
    }
)
"""Whose rows are visible because visible rows of the other table name them: what the rules of the first ones say."""

RULES: dict[type[SQLModel], Callable[[Right], Condition]] = {
    Room: room,
    RoomGroup: room_group,
    UpdateRing: update_ring,
    Partnership: partnership,
    Invitation: invitation,
    Role: role,
    Assignment: assignment,
    ApprovalRequest: approval_request,
    Principal: principal,
    Tenant: tenant,
    AuditEntry: audit_entry,
}
