"""The partner's side of an invitation: accept it, naming the primary admins, or decline it."""

from collections.abc import Sequence

from sqlalchemy import and_
from sqlmodel import col, select

from app.access.scoping import unscoped
from app.domain.audit import AuditAction, changed
from app.domain.ids import GlobalId
from app.domain.permissions import BuiltInRole, Permission, Standing
from app.domain.refusals import (
    ErrorCode,
    Refused,
    RefusedTogether,
    check_version,
    forbidden,
    forbidden_to,
    invalid_input,
    not_found,
)
from app.domain.text import name_key
from app.domain.vocabulary import AuditCategory, AuditOperation, InvitationState, PrincipalKind, UserType
from app.operations.settling import record_end, settle
from app.operations.tenants import add_members, built_in_role
from app.operations.work import Work
from app.storage.global_ids import global_id
from app.storage.tables import (
    Assignment,
    AssignmentGroup,
    AssignmentRoom,
    GroupMember,
    Invitation,
    InvitationGroup,
    InvitationRoom,
    Partnership,
    Principal,
)

WHO_ANSWERS = "The invited organization answers: its Managers, Global Administrators and Tenant managers."
NO_GUESTS = "Guests and tools cannot answer; somebody who is at home in the invited organization can."
ASSIGNED_ADMINS = "Assigned admins"
"""The name of the Primary admin role's one assignment, whose scope is what the customer delegated (ROOM-1)."""
UNSEEN = "what was offered becomes what is delegated, unseen by who accepts"


async def received(work: Work, identifier: str) -> Invitation:
    """The invitation that the viewer may answer, whatever became of it. Raises `Refused`.

    Guests and applications look at most: a link between two organizations is made by a person of the invited one.
    """
    row = await work.find(Invitation, identifier, Standing.ADDRESSEE)
    if row is None and await work.find(Invitation, identifier, Standing.PARTY) is None:
        raise not_found("invitation")
    if row is None:
        raise forbidden(Permission.INVITATIONS_ANSWER, "invitation", message=WHO_ANSWERS)
    if not await is_at_home(work):
        raise forbidden_to(NO_GUESTS, "invitation")
    return row


async def is_at_home(work: Work) -> bool:
    """Whether the viewer is a person of its tenant: no guest, by its token or in the directory, and no tool."""
    viewer = work.asker
    if viewer.kind is not PrincipalKind.USER or work.is_guest:
        return False
    stored = await work.find(Principal, str(GlobalId("user", viewer.tenant_id, viewer.principal_id)), Standing.NAMED)
    return stored is None or stored.user_type is not UserType.GUEST


async def decline_invitation(work: Work, *, invitation: str, expected_version: int | None = None) -> Invitation:
    """Decline for good; the customer would have to invite again (ACC-8, ACC-9). Raises `Refused`."""
    row = await received(work, invitation)
    check_version(row.version, expected_version)
    moved = {"state": InvitationState.DECLINED, "answered_at": work.moment, "closed_at": work.moment}
    await settle(work, row, Standing.ADDRESSEE, **moved)
    record_end(work, row, AuditAction.INVITATION_DECLINE)
    return row


async def accept_invitation(
    work: Work, *, invitation: str, primary_admins: Sequence[str], expected_version: int | None = None
) -> tuple[Invitation, Partnership]:
    """Link the two organizations and name the primary admins; the first who accepts wins (ACC-4 to ACC-7).

    The acceptor gets nothing by accepting. Raises `Refused`, or `RefusedTogether` for primary admins that cannot be.
    """
    row = await received(work, invitation)
    check_version(row.version, expected_version)
    admins = await own_members(work, primary_admins, "primaryAdmins")
    partnership = Partnership(
        tenant_id=row.tenant_id,
        id=work.new_id(),
        partner_tenant_id=row.partner_tenant_id,
        delegation_id=work.new_id(),
        manual_events=row.manual_events,
        established_at=work.moment,
    )
    moved = {"state": InvitationState.ACCEPTED, "answered_at": work.moment, "closed_at": work.moment}
    await settle(work, row, Standing.ADDRESSEE, **moved)
    if not await users_among(work, admins):
        raise Refused(
            ErrorCode.LAST_PRIMARY_ADMIN, "Name at least one person, or a group with one.", ("input", "primaryAdmins")
        )
    await work.store(partnership)
    row.partnership_id = partnership.id
    await delegate(work, row, partnership, admins)
    return row, partnership


async def own_members(work: Work, identifiers: Sequence[str], *path: str, with_tools: bool = False) -> list[Principal]:
    """Users and security groups of the viewer's tenant, perhaps also tools, each once. Raises `RefusedTogether`."""
    found, problems = {}, list[Refused]()
    for place, identifier in enumerate(identifiers):
        row = await work.find(Principal, identifier, Standing.DIRECTORY)
        if row is None:
            problems.append(not_found(*path, str(place)))
        elif row.kind is PrincipalKind.APPLICATION and not with_tools:
            problems.append(invalid_input("Name people or security groups, not tools.", *path, str(place)))
        else:
            found[row.id] = row
    if problems:
        raise RefusedTogether(problems)
    return list(found.values())


async def users_among(work: Work, members: Sequence[Principal]) -> int:
    """How many users these are whom nobody has removed, groups counted by their stored members (domain.md 7 #34)."""
    groups = [member.id for member in members if member.kind is PrincipalKind.GROUP]
    users = {member.id for member in members if member.kind is PrincipalKind.USER and member.removed_at is None}
    inside = select(GroupMember.member_id).join(
        Principal, and_(col(Principal.tenant_id) == GroupMember.tenant_id, col(Principal.id) == GroupMember.member_id)
    )
    of_groups = inside.where(
        GroupMember.tenant_id == work.asker.tenant_id,
        col(GroupMember.group_id).in_(groups),
        Principal.kind == PrincipalKind.USER,
    )
    return len(
        users.union(await work.session.exec(unscoped(of_groups, "a head count, of groups that the viewer named")))
    )


async def delegate(work: Work, invitation: Invitation, partnership: Partnership, admins: Sequence[Principal]) -> None:
    """The Primary admin role, and its assignment over what was offered, on the customer's record."""
    role = built_in_role(work, partnership.tenant_id, BuiltInRole.PRIMARY_ADMIN, partnership.id)
    await work.store(role)
    assignment = Assignment(
        tenant_id=partnership.tenant_id,
        id=partnership.delegation_id,
        role_id=role.id,
        partnership_id=partnership.id,
        name=ASSIGNED_ADMINS,
        name_key=name_key(ASSIGNED_ADMINS),
    )
    await work.store(assignment)
    await add_members(work, assignment, admins)
    rooms, groups = await offered(work, invitation)
    ours = {"tenant_id": assignment.tenant_id, "assignment_id": assignment.id}
    await work.store(*(AssignmentRoom(**ours, room_id=room) for room in rooms))
    await work.store(*(AssignmentGroup(**ours, group_id=group) for group in groups))
    work.record(
        AuditCategory.PARTNER_INVITATION,
        AuditOperation.UPDATE,
        AuditAction.INVITATION_ACCEPT,
        invitation.tenant_id,
        invitation.partner_domain,
        subject=global_id(invitation),
        changes=changed("state", InvitationState.PENDING, InvitationState.ACCEPTED),
    )
    facts = {"role": role.name, "members": [each.name for each in admins], "rooms": len(rooms), "groups": len(groups)}
    action, tenant = AuditAction.ASSIGNMENT_CREATE, assignment.tenant_id
    work.created(AuditCategory.ASSIGNMENT, action, tenant, assignment.name, assignment, **facts)


async def offered(work: Work, invitation: Invitation) -> tuple[Sequence[str], Sequence[str]]:
    """The ids of the rooms and groups that an invitation offers one by one; the invitee never sees them."""
    found = []
    for link, what in ((InvitationRoom, InvitationRoom.room_id), (InvitationGroup, InvitationGroup.group_id)):
        ids = select(what).where(link.tenant_id == invitation.tenant_id, link.invitation_id == invitation.id)
        found.append((await work.session.exec(unscoped(ids, UNSEEN))).all())
    return found[0], found[1]
