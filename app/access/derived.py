"""What follows from rows that the viewer sees: links, counts, names to sort by, and the reasons for a permission.

Nothing here widens what `visible` shows: a link is joined to visible rows on both ends, and the rest is said only of a
row that `visible` answered.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Subquery, and_, func, not_, or_, select, true, tuple_, union, union_all
from sqlalchemy.orm import aliased
from sqlmodel import SQLModel, col

from app.access.scoping import Rows, rule
from app.access.viewer import MOMENT
from app.access.visible import (
    condition,
    has_role,
    held,
    held_as_partner,
    held_at_home,
    held_everywhere,
    is_in_group,
    reach,
    scopes_of,
)
from app.domain.permissions import Permission
from app.domain.vocabulary import ApprovalState, PartnershipState, PrincipalKind
from app.storage.dialects import Gathered, is_listed
from app.storage.tables import (
    ApprovalRequest,
    Assignment,
    AssignmentGroup,
    AssignmentMember,
    AssignmentRoom,
    Domain,
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
)


def offered_room_count() -> ColumnElement[int]:
    """How many rooms an invitation offers now, for both sides; the invitee learns the number and nothing else (#45)."""
    of_invitation = and_(
        col(InvitationRoom.tenant_id) == col(Invitation.tenant_id),
        col(InvitationRoom.invitation_id) == col(Invitation.id),
    )
    by_room: Rows = select(col(InvitationRoom.room_id)).where(of_invitation)
    by_group: Rows = (
        select(col(RoomGroupRoom.room_id))
        .select_from(InvitationGroup)
        .join(RoomGroupRoom, is_in_group(col(InvitationGroup.tenant_id), col(InvitationGroup.group_id)))
        .where(
            col(InvitationGroup.tenant_id) == col(Invitation.tenant_id),
            col(InvitationGroup.invitation_id) == col(Invitation.id),
        )
    )
    rooms: Rows = select(func.count()).where(
        col(Room.tenant_id) == col(Invitation.tenant_id),
        col(Room.retired_at).is_(None),
        or_(col(Room.id).in_(rule(by_room, Invitation)), col(Room.id).in_(rule(by_group, Invitation))),
    )
    return rule(rooms, Invitation).scalar_subquery()


def domains_of(tenant_id: Any) -> ColumnElement[str]:
    """The verified domains of a visible organization, as a JSON array in order."""
    names: Rows = select(col(Domain.name).label("value")).where(col(Domain.tenant_id) == tenant_id)
    return Gathered(rule(names, Tenant).order_by(col(Domain.name)).scalar_subquery())


def name_of(tenant_id: Any, *of: type[SQLModel]) -> ColumnElement[str]:
    """What the name of a side of a visible partnership sorts by; both sides are visible with it."""
    other = aliased(Tenant)
    return rule(select(col(other.name_key)).where(col(other.id) == tenant_id), *of).scalar_subquery()


Restrict = Callable[[Any, Any], ColumnElement[bool]]
"""A condition on the columns that hold a tenant and a key."""


def anything(*_: Any) -> ColumnElement[bool]:
    """No condition."""
    return true()


def delegated_rooms(of_partnership: Restrict = anything, of_room: Restrict = anything) -> Subquery:
    """A link between active partnerships and the rooms that they reach: (tenant_id, partnership_id, room_id).

    A link shows nothing by itself; join it to what `visible` answers on both ends. A room that is delegated by itself
    and in a group comes more than once.
    """
    delegations: Rows = select(
        col(Partnership.tenant_id),
        col(Partnership.id).label("partnership_id"),
        col(Partnership.delegation_id).label("assignment_id"),
    ).where(
        col(Partnership.state) == PartnershipState.ACTIVE,
        of_partnership(col(Partnership.tenant_id), col(Partnership.id)),
    )
    ways = [
        select(way.c.tenant_id, way.c.partnership_id, way.c.room_id).where(of_room(way.c.tenant_id, way.c.room_id))
        for way in scopes_of(rule(delegations))
    ]
    return union_all(*(rule(way) for way in ways)).subquery()


def offered_rooms(of_invitation: Restrict = anything) -> Subquery:
    """A link between invitations and the rooms that they offer now: (tenant_id, invitation_id, room_id), some twice."""
    by_room: Rows = select(
        col(InvitationRoom.tenant_id), col(InvitationRoom.invitation_id), col(InvitationRoom.room_id)
    ).where(of_invitation(col(InvitationRoom.tenant_id), col(InvitationRoom.invitation_id)))
    by_group: Rows = (
        select(col(InvitationGroup.tenant_id), col(InvitationGroup.invitation_id), col(RoomGroupRoom.room_id))
        .join(RoomGroupRoom, is_in_group(col(InvitationGroup.tenant_id), col(InvitationGroup.group_id)))
        .where(of_invitation(col(InvitationGroup.tenant_id), col(InvitationGroup.invitation_id)))
    )
    return union_all(rule(by_room), rule(by_group)).subquery()


def exceeds(permission: Permission, without_rooms: Sequence[str], without_groups: Sequence[str]) -> ColumnElement[bool]:
    """A visible assignment covers something on which the viewer does not hold the permission (domain.md 7 #25).

    What is taken out of its scope does not count. A group counts by itself, since its rooms change (#22), and the
    permission has to be held at all, since some need no room (#29).
    """
    holding = held_as_partner(permission).subquery()
    here = tuple_(col(Assignment.tenant_id), col(Assignment.partnership_id))
    at_home = and_(col(Assignment.partnership_id).is_(None), not_(held(permission)))
    as_partner = and_(
        col(Assignment.partnership_id).is_not(None),
        here.not_in(rule(select(holding.c.tenant_id, holding.c.partnership_id))),
    )
    over_all = and_(col(Assignment.all_rooms), not_(held_everywhere(permission)))
    rooms = in_scope(Room, AssignmentRoom, col(AssignmentRoom.room_id), without_rooms)
    groups = in_scope(RoomGroup, AssignmentGroup, col(AssignmentGroup.group_id), without_groups)
    live = rooms.where(col(Room.retired_at).is_(None), not_(condition(Room, permission)))
    return or_(
        at_home, as_partner, over_all, live.exists(), groups.where(not_(condition(RoomGroup, permission))).exists()
    )


def in_scope(table: Any, link: Any, named: Any, without: Sequence[str]) -> Rows:
    """The rooms, or the groups, that an assignment names, but for these."""
    of_assignment = and_(
        col(link.tenant_id) == col(Assignment.tenant_id), col(link.assignment_id) == col(Assignment.id)
    )
    rows: Rows = select(col(table.id)).join(link, and_(col(link.tenant_id) == col(table.tenant_id), named == table.id))
    return rule(rows, Assignment).where(of_assignment, named.not_in(without))


def grants_held() -> Rows:
    """Every assignment that the viewer holds, with the names and permissions that explain it."""
    home, partner = held_at_home(None).subquery(), held_as_partner(None).subquery()
    mine = union(
        rule(select(home.c.tenant_id, home.c.assignment_id)), rule(select(partner.c.tenant_id, partner.c.assignment_id))
    ).subquery()
    named: Rows = select(
        col(Assignment.tenant_id),
        col(Assignment.id).label("assignment_id"),
        col(Assignment.name).label("assignment_name"),
        col(Assignment.partnership_id),
        col(Assignment.all_rooms),
        col(Role.name).label("role_name"),
        col(Role.permissions),
    ).join(Role, has_role())
    of_mine = and_(mine.c.tenant_id == col(Assignment.tenant_id), mine.c.assignment_id == col(Assignment.id))
    return rule(named.join(mine, of_mine).order_by(col(Role.name_key), col(Assignment.name_key), col(Assignment.id)))


def rooms_reached(room_ids: ColumnElement[str]) -> Rows:
    """Which of the viewer's scoped assignments reach which of these rooms: (tenant_id, room_id, assignment_id)."""
    scope = reach(None)
    reached = select(scope.c.tenant_id, scope.c.room_id, scope.c.assignment_id)
    return rule(reached.where(is_listed(scope.c.room_id, room_ids)).distinct())


def is_open() -> ColumnElement[bool]:
    """The held change can still be decided."""
    return and_(col(ApprovalRequest.state) == ApprovalState.PENDING, col(ApprovalRequest.expires_at) > MOMENT)


@dataclass(frozen=True, slots=True)
class EndedCounts:
    """How much ends with a partnership."""

    rooms: int
    roles: int
    assignments: int
    people: int
    open_approvals: int


def ended_columns() -> list[ColumnElement[int]]:
    """How much would end with a visible partnership, as columns beside its own, named as in `EndedCounts`."""
    ours = and_(
        col(Assignment.tenant_id) == col(Partnership.tenant_id), col(Assignment.partnership_id) == col(Partnership.id)
    )
    scope = delegated_rooms()
    is_live = and_(
        col(Room.tenant_id) == scope.c.tenant_id, col(Room.id) == scope.c.room_id, col(Room.retired_at).is_(None)
    )
    rooms = (
        select(func.count(col(Room.id).distinct()))
        .select_from(scope)
        .join(Room, is_live)
        .where(scope.c.tenant_id == col(Partnership.tenant_id), scope.c.partnership_id == col(Partnership.id))
    )
    roles = select(func.count()).where(
        col(Role.tenant_id) == col(Partnership.tenant_id), col(Role.partnership_id) == col(Partnership.id)
    )
    is_member = and_(
        col(AssignmentMember.tenant_id) == col(Assignment.tenant_id),
        col(AssignmentMember.assignment_id) == col(Assignment.id),
    )
    members = select(col(AssignmentMember.member_tenant_id), col(AssignmentMember.member_id)).join(
        Assignment, is_member
    )
    in_group = and_(
        col(GroupMember.tenant_id) == col(AssignmentMember.member_tenant_id),
        col(GroupMember.group_id) == col(AssignmentMember.member_id),
    )
    through = (
        select(col(GroupMember.tenant_id), col(GroupMember.member_id))
        .join(AssignmentMember, in_group)
        .join(Assignment, is_member)
    )
    anyone = union(rule(members.where(ours), Partnership), rule(through.where(ours), Partnership)).subquery()
    is_user = and_(
        col(Principal.tenant_id) == anyone.c.member_tenant_id,
        col(Principal.id) == anyone.c.member_id,
        col(Principal.kind) == PrincipalKind.USER,
        col(Principal.removed_at).is_(None),
    )
    people = select(func.count()).select_from(anyone).join(Principal, is_user)
    held = select(func.count()).where(
        col(ApprovalRequest.tenant_id) == col(Partnership.tenant_id),
        col(ApprovalRequest.partnership_id) == col(Partnership.id),
        is_open(),
    )
    counted: dict[str, Rows] = {
        "rooms": rooms,
        "roles": roles,
        "assignments": select(func.count()).where(ours),
        "people": people,
        "open_approvals": held,
    }
    return [rule(each, Partnership).scalar_subquery().label(name) for name, each in counted.items()]
