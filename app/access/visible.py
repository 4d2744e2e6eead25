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
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Subquery,
    and_,
    false,
    not_,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import aliased
from sqlmodel import SQLModel, col

from app.access.scoping import Rows, rule, scoped
from app.access.viewer import AUDIT_SINCE, MOMENT, VIEWER_DIRECTORY, VIEWER_PRINCIPAL, VIEWER_TENANT
from app.domain.permissions import PARTNER_CEILING, BuiltInRole, Permission, Right, Standing
from app.domain.vocabulary import InvitationState, PartnershipState
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


def visible(table: type[SQLModel], right: Right) -> Rows:
    """Every row of the table on which the viewer of the request holds the right.

    Run it with `binds(viewer, moment)`. A table without a rule, or a right that means nothing on it, has no rows.
    """
    return scoped(select(table).where(condition(table, right)), frozenset({str(table.__tablename__)}))


def condition(table: type[SQLModel], right: Right) -> Condition:
    """The rule of a table for a right, as a condition on its row."""
    decide = RULES.get(table)
    return decide(right) if decide else false()


# --- held: the viewer's assignments ---------------------------------------------------------------------------------


def grants(permission: Permission | None) -> Condition:
    """The role contains the permission; None asks for no particular one."""
    if permission is None:
        return col(Role.id).is_not(None)
    return col(Role.permissions).op("&")(permission.value) != 0


def directory_grants(permission: Permission) -> Condition:
    """A directory role of the home tenant contains the permission (domain.md 2.3)."""
    return VIEWER_DIRECTORY.op("&")(permission.value) != 0


def own_groups() -> Rows:
    """The security groups that the viewer is in, as the directory stores them."""
    mine = and_(col(GroupMember.tenant_id) == VIEWER_TENANT, col(GroupMember.member_id) == VIEWER_PRINCIPAL)
    return rule(select(col(GroupMember.group_id)).where(mine))


def is_member() -> Condition:
    """The viewer is a member of the assignment, in person or through a group. Identity is (tenant, id)."""
    in_person = col(AssignmentMember.member_id) == VIEWER_PRINCIPAL
    through_group = col(AssignmentMember.member_id).in_(own_groups())
    members = select(col(AssignmentMember.tenant_id), col(AssignmentMember.assignment_id)).where(
        col(AssignmentMember.member_tenant_id) == VIEWER_TENANT, or_(in_person, through_group)
    )
    return tuple_(col(Assignment.tenant_id), col(Assignment.id)).in_(rule(members))


def has_role() -> Condition:
    """The role that the assignment grants."""
    return and_(col(Role.tenant_id) == col(Assignment.tenant_id), col(Role.id) == col(Assignment.role_id))


def is_active_partner() -> Condition:
    """The viewer's tenant is the partner of a partnership that nobody has removed."""
    return and_(col(Partnership.partner_tenant_id) == VIEWER_TENANT, col(Partnership.state) == PartnershipState.ACTIVE)


def held_at_home(permission: Permission | None) -> Rows:
    """The viewer's assignments in the own tenant."""
    assignments: Rows = select(
        col(Assignment.tenant_id), col(Assignment.id).label("assignment_id"), col(Assignment.all_rooms)
    )
    at_home = and_(col(Assignment.tenant_id) == VIEWER_TENANT, col(Assignment.partnership_id).is_(None))
    return rule(assignments.join(Role, has_role()).where(at_home, is_member(), grants(permission)))


def held_as_partner(permission: Permission | None) -> Rows:
    """The viewer's assignments at customers, each with the assignment that says what the customer delegated."""
    in_partnership = and_(
        col(Partnership.tenant_id) == col(Assignment.tenant_id),
        col(Partnership.id) == col(Assignment.partnership_id),
    )
    assignments: Rows = select(
        col(Assignment.tenant_id),
        col(Assignment.id).label("assignment_id"),
        col(Partnership.id).label("partnership_id"),
        col(Partnership.delegation_id),
    )
    joined = assignments.join(Role, has_role()).join(Partnership, in_partnership)
    return rule(joined.where(is_active_partner(), is_member(), grants(permission)))


def held(permission: Permission) -> Condition:
    """The viewer holds the permission in the own tenant, wherever (domain.md 7 #29)."""
    return or_(directory_grants(permission), held_at_home(permission).exists())


def held_everywhere(permission: Permission) -> Condition:
    """The viewer holds the permission over all of the own tenant: a Manager, or a directory role."""
    return or_(directory_grants(permission), held_at_home(permission).where(col(Assignment.all_rooms)).exists())


# --- reach: pairs of assignment and room ----------------------------------------------------------------------------


def scope_of(assignments: Rows) -> Subquery:
    """These assignments, once for each room in their scope; groups are resolved now (domain.md 7 #22)."""
    held_ones = assignments.subquery()
    tenant, assignment = held_ones.c.tenant_id, held_ones.c.assignment_id
    by_room = (
        select(*held_ones.c, col(AssignmentRoom.room_id))
        .join(
            AssignmentRoom,
            and_(col(AssignmentRoom.tenant_id) == tenant, col(AssignmentRoom.assignment_id) == assignment),
        )
        .join(Room, is_live(tenant, col(AssignmentRoom.room_id)))
    )
    by_group = (
        select(*held_ones.c, col(RoomGroupRoom.room_id))
        .join(
            AssignmentGroup,
            and_(col(AssignmentGroup.tenant_id) == tenant, col(AssignmentGroup.assignment_id) == assignment),
        )
        .join(RoomGroupRoom, is_in_group(tenant, col(AssignmentGroup.group_id)))
        .join(Room, is_live(tenant, col(RoomGroupRoom.room_id)))
    )
    return union_all(rule(by_room), rule(by_group)).subquery()


def is_live(tenant: Any, room: Any) -> Condition:
    """The row of rooms is this room, and nobody has retired it."""
    return and_(col(Room.tenant_id) == tenant, col(Room.id) == room, col(Room.retired_at).is_(None))


def is_in_group(tenant: Any, group: Any) -> Condition:
    """The row of room_group_rooms belongs to this group."""
    return and_(col(RoomGroupRoom.tenant_id) == tenant, col(RoomGroupRoom.group_id) == group)


def is_delegated(scope: Subquery) -> Condition:
    """The customer delegated the room to this partnership, by itself or in a group (PA-3, CPR-4, ROOM-5)."""
    by_room = select(col(AssignmentRoom.room_id)).where(
        col(AssignmentRoom.tenant_id) == scope.c.tenant_id,
        col(AssignmentRoom.assignment_id) == scope.c.delegation_id,
        col(AssignmentRoom.room_id) == scope.c.room_id,
    )
    by_group = (
        select(col(RoomGroupRoom.room_id))
        .join(AssignmentGroup, is_in_group(col(AssignmentGroup.tenant_id), col(AssignmentGroup.group_id)))
        .where(
            col(AssignmentGroup.tenant_id) == scope.c.tenant_id,
            col(AssignmentGroup.assignment_id) == scope.c.delegation_id,
            col(RoomGroupRoom.room_id) == scope.c.room_id,
        )
    )
    return or_(rule(by_room, scope).exists(), rule(by_group, scope).exists())


def reach_at_home(permission: Permission | None) -> Rows:
    """The rooms of the own tenant that scoped assignments reach, each with the assignment."""
    scope = scope_of(held_at_home(permission))
    return rule(select(scope.c.tenant_id, scope.c.assignment_id, scope.c.room_id))


def reach_as_partner(permission: Permission | None) -> Rows:
    """The rooms of customers that the viewer's assignments reach: their own scope ∩ what was delegated."""
    scope = scope_of(held_as_partner(permission))
    return rule(select(scope.c.tenant_id, scope.c.assignment_id, scope.c.room_id).where(is_delegated(scope)))


def reach(permission: Permission | None) -> Subquery:
    """Every (assignment, room) through which the viewer holds the permission; whole tenants come on top."""
    return union_all(reach_at_home(permission), reach_as_partner(permission)).subquery()


def reached(permission: Permission) -> Rows:
    """The same as pairs of tenant and room."""
    scope = reach(permission)
    return rule(select(scope.c.tenant_id, scope.c.room_id))


def is_in_scope(scopes: Subquery) -> Condition:
    """The row of assignment_groups belongs to one of these assignments."""
    return and_(
        scopes.c.tenant_id == col(AssignmentGroup.tenant_id),
        scopes.c.assignment_id == col(AssignmentGroup.assignment_id),
    )


def groups_at_home(permission: Permission) -> Rows:
    """The room groups of the own tenant that scoped assignments name."""
    scopes = held_at_home(permission).subquery()
    groups = select(col(AssignmentGroup.tenant_id), col(AssignmentGroup.group_id))
    return rule(groups.join(scopes, is_in_scope(scopes)))


def groups_as_partner(permission: Permission) -> Rows:
    """The room groups of customers that the viewer's assignments name, of those that were delegated as groups."""
    scopes, delegated = held_as_partner(permission).subquery(), aliased(AssignmentGroup)
    groups = select(col(AssignmentGroup.tenant_id), col(AssignmentGroup.group_id))
    is_delegated = and_(
        col(delegated.tenant_id) == scopes.c.tenant_id,
        col(delegated.assignment_id) == scopes.c.delegation_id,
        col(delegated.group_id) == col(AssignmentGroup.group_id),
    )
    return rule(groups.join(scopes, is_in_scope(scopes)).join(delegated, is_delegated))


# --- the rules ------------------------------------------------------------------------------------------------------


def room(right: Right) -> Condition:
    """All rooms of the own tenant, or those that an assignment reaches. A retired room is in no scope (#58)."""
    if not isinstance(right, Permission):
        return false()
    at_home = and_(col(Room.tenant_id) == VIEWER_TENANT, held_everywhere(right))
    in_reach = tuple_(col(Room.tenant_id), col(Room.id)).in_(reached(right))
    return and_(col(Room.retired_at).is_(None), or_(at_home, in_reach))


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
        room_in_reach = tuple_(col(RoomGroupRoom.tenant_id), col(RoomGroupRoom.room_id)).in_(reached(right))
        ways.append(
            this.in_(rule(select(col(RoomGroupRoom.tenant_id), col(RoomGroupRoom.group_id)).where(room_in_reach)))
        )
    return or_(*ways)


def update_ring(right: Right) -> Condition:
    """At home whoever holds the permission anywhere (#29). A partner sees the rings of a customer at whom it holds
    the permission on a room, and may change a ring only if it reaches every room in it (#30).
    """
    if not isinstance(right, Permission):
        return false()
    at_home = and_(col(UpdateRing.tenant_id) == VIEWER_TENANT, held(right))
    scope = reach_as_partner(right).subquery()
    rooms = rule(select(col(Room.id)), UpdateRing).where(
        col(Room.tenant_id) == col(UpdateRing.tenant_id),
        col(Room.ring_id) == col(UpdateRing.id),
        col(Room.retired_at).is_(None),
    )
    as_partner: Condition = col(UpdateRing.tenant_id).in_(rule(select(scope.c.tenant_id)))
    if right is not Permission.RINGS_VIEW:
        inside = tuple_(col(Room.tenant_id), col(Room.id)).in_(rule(select(scope.c.tenant_id, scope.c.room_id)))
        as_partner = and_(as_partner, rooms.exists(), not_(rooms.where(not_(inside)).exists()))
    return or_(at_home, as_partner)


def partnership(right: Right) -> Condition:
    """A customer sees all of its own by permission; the partner's side only active ones (#33, domain.md 2.6)."""
    if right is Standing.PARTY:
        mine = held_as_partner(None).subquery()
        takes_part = tuple_(col(Partnership.tenant_id), col(Partnership.id)).in_(
            rule(select(mine.c.tenant_id, mine.c.partnership_id))
        )
        as_partner = and_(is_active_partner(), or_(takes_part, held(Permission.INVITATIONS_ANSWER)))
        return or_(partnership(Permission.PARTNERS_VIEW), as_partner)
    if right is Standing.PRIMARY_ADMIN:
        mine = held_as_partner(None).subquery()
        admins = rule(select(mine.c.tenant_id, mine.c.assignment_id))
        return and_(is_active_partner(), tuple_(col(Partnership.tenant_id), col(Partnership.delegation_id)).in_(admins))
    if right is Standing.ADDRESSEE:
        return and_(is_active_partner(), held(Permission.INVITATIONS_ANSWER))
    if right is Standing.PARTNER_MANAGER:
        return and_(is_active_partner(), held(Permission.PARTNERS_MANAGE))
    if not isinstance(right, Permission):
        return false()
    if right in PARTNER_CEILING:
        holding = held_as_partner(right).subquery()
        return tuple_(col(Partnership.tenant_id), col(Partnership.id)).in_(
            rule(select(holding.c.tenant_id, holding.c.partnership_id))
        )
    return and_(col(Partnership.tenant_id) == VIEWER_TENANT, held(right))


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


def active_partnerships(*conditions: Condition) -> Rows:
    """Partnerships that nobody has removed."""
    return rule(
        select(col(Partnership.tenant_id), col(Partnership.id)).where(
            col(Partnership.state) == PartnershipState.ACTIVE, *conditions
        )
    )


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
    at_home, of_partnership = (
        col(Role.tenant_id) == VIEWER_TENANT,
        tuple_(col(Role.tenant_id), col(Role.partnership_id)),
    )
    own = and_(at_home, col(Role.partnership_id).is_(None))
    to_customer = and_(at_home, of_partnership.in_(active_partnerships()), held(Permission.PARTNERS_MANAGE))
    if right is Standing.ROLE_EDITOR:
        return and_(own, edits_roles())
    if right is Permission.PARTNERS_MANAGE:
        return to_customer
    if right not in (Standing.PARTY, permission):
        return false()
    is_tenant_manager = col(Role.built_in) == BuiltInRole.TENANT_MANAGER
    plain = and_(own, or_(col(Role.built_in).is_(None), not_(is_tenant_manager)))
    holding = held_as_partner(permission).subquery()
    as_partner = of_partnership.in_(rule(select(holding.c.tenant_id, holding.c.partnership_id)))
    ways = [and_(plain, held(permission)), as_partner]
    if right is Standing.PARTY:
        answers = held(Permission.INVITATIONS_ANSWER)
        names_admins = and_(
            col(Role.built_in) == BuiltInRole.PRIMARY_ADMIN,
            of_partnership.in_(active_partnerships(is_active_partner())),
            answers,
        )
        ways += [to_customer, names_admins, and_(at_home, is_tenant_manager, answers)]
    return or_(*ways)


def assignment(right: Right) -> Condition:
    """An assignment is seen, and changed, with its role."""
    roles = rule(select(col(Role.tenant_id), col(Role.id)).where(role(right)))
    return tuple_(col(Assignment.tenant_id), col(Assignment.role_id)).in_(roles)


def approval_request(right: Right) -> Condition:
    """Held changes: for who decides them at the customer, for who asked, and for that customer's primary admins."""
    if right is Permission.APPROVALS_DECIDE:
        return and_(col(ApprovalRequest.tenant_id) == VIEWER_TENANT, held(right))
    partnerships = tuple_(col(ApprovalRequest.tenant_id), col(ApprovalRequest.partnership_id))
    if right is Standing.REQUESTER:
        takes_part = select(col(Partnership.tenant_id), col(Partnership.id)).where(partnership(Standing.PARTY))
        asked = and_(
            col(ApprovalRequest.requester_tenant_id) == VIEWER_TENANT,
            col(ApprovalRequest.requester_id) == VIEWER_PRINCIPAL,
        )
        return and_(asked, partnerships.in_(rule(takes_part)))
    if right is Standing.PARTY:
        administered = select(col(Partnership.tenant_id), col(Partnership.id)).where(
            partnership(Standing.PRIMARY_ADMIN)
        )
        return or_(
            approval_request(Permission.APPROVALS_DECIDE),
            approval_request(Standing.REQUESTER),
            partnerships.in_(rule(administered)),
        )
    return false()


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
    assignments = rule(select(col(Assignment.tenant_id), col(Assignment.id)).where(assignment(Standing.PARTY)))
    is_a_member = rule(select(col(AssignmentMember.member_id)), Principal).where(
        col(AssignmentMember.member_tenant_id) == tenant,
        col(AssignmentMember.member_id) == key,
        tuple_(col(AssignmentMember.tenant_id), col(AssignmentMember.assignment_id)).in_(assignments),
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
    acted = rule(select(col(AuditEntry.id)), Principal).where(
        audit_entry(Permission.AUDIT_VIEW),
        or_(
            and_(col(AuditEntry.user_tenant_id) == tenant, col(AuditEntry.user_id) == key),
            and_(col(AuditEntry.tenant_id) == tenant, col(AuditEntry.approved_by_id) == key),
        ),
    )
    named = (is_a_member, sent, held_ones, acted)
    return or_(oneself, directory(Standing.DIRECTORY), *(rows.exists() for rows in named))


def tenant(right: Right) -> Condition:
    """The own organization, and the other side of every visible partnership and invitation."""
    if right is not Standing.NAMED:
        return false()
    sides = [
        rule(select(side).where(condition(table, Standing.PARTY)))
        for table in (Partnership, Invitation)
        for side in (col(table.tenant_id), col(table.partner_tenant_id))
    ]
    return or_(col(Tenant.id) == VIEWER_TENANT, *(col(Tenant.id).in_(side) for side in sides))


def audit_entry(right: Right) -> Condition:
    """The last 180 days of the own tenant's record, for its Managers (AUD-3, AUD-6, domain.md 7 #62 and #63)."""
    if right is not Permission.AUDIT_VIEW:
        return false()
    is_recent = col(AuditEntry.creation_time) >= AUDIT_SINCE
    return and_(col(AuditEntry.tenant_id) == VIEWER_TENANT, is_recent, held(right))


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
