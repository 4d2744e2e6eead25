"""What each side settles about a partnership: what the customer approves by hand, and who answers for the partner."""

from collections.abc import Mapping, Sequence

from sqlalchemy import and_
from sqlmodel import col, delete

from app.access.scoping import linked
from app.access.visible import visible
from app.domain.audit import AuditAction, changed
from app.domain.change_control import mode_of, with_modes
from app.domain.permissions import BuiltInRole, Permission, Standing
from app.domain.refusals import ErrorCode, Refused, RefusedTogether, check_version, not_found
from app.domain.vocabulary import AuditCategory, AuditOperation, ChangeEvent, ChangeMode, PartnershipState
from app.operations.answering import own_members
from app.operations.inviting import keep
from app.operations.tenants import add_members
from app.operations.work import Work
from app.storage.global_ids import global_id
from app.storage.tables import Assignment, AssignmentMember, Partnership, Principal, Role


async def set_change_control(
    work: Work, *, partnership: str, expected_version: int, change_control: Mapping[ChangeEvent, ChangeMode]
) -> Partnership:
    """Choose what the customer approves by hand from now on; what is already held stays so (domain.md 7 #17).

    Events that are not named stay as they are. Raises `Refused`.
    """
    row = await work.obtain(Partnership, partnership, Permission.PARTNERS_MANAGE, "partnership")
    check_version(row.version, expected_version)
    if row.state is PartnershipState.REMOVED:
        message = "The partnership has ended."
        details = {"state": row.state.value, "allowed": [PartnershipState.ACTIVE.value]}
        raise Refused(ErrorCode.INVALID_STATE, message, ("input", "partnership"), **details)
    before, after = row.manual_events, with_modes(row.manual_events, change_control)
    if after != before:
        row.manual_events, row.version = after, row.version + 1
        work.record(
            AuditCategory.PARTNER_INVITATION,
            AuditOperation.UPDATE,
            AuditAction.CHANGE_CONTROL_SET,
            row.tenant_id,
            "Change control",
            subject=global_id(row),
            changes=[line for e in change_control for line in changed(e.name, mode_of(e, before), mode_of(e, after))],
        )
    return row


async def set_tenant_managers(
    work: Work, *, expected_version: int, add: Sequence[str], remove: Sequence[str]
) -> Assignment:
    """Choose who answers invitations for the viewer's tenant (TM-1 to TM-6); there need not be anybody.

    Raises `Refused` for whoever is no Manager, `RefusedTogether` for members that cannot be.
    """
    await work.require(Permission.PARTNERS_MANAGE)
    row = await own_tenant_managers(work)
    check_version(row.version, expected_version)
    present = await members_of(work, row)
    problems: list[Refused] = []
    named = await keep(problems, own_members(work, add, "addMembers")) or []
    going = await keep(problems, leaving(work, remove, present)) or []
    if problems:
        raise RefusedTogether(problems)
    coming = [each for each in named if each.id not in present]
    if coming or going:
        await add_members(work, row, coming)
        await drop_members(work, row, going)
        row.version += 1
        record_members(work, row, present, coming, going)
    return row


async def own_tenant_managers(work: Work) -> Assignment:
    """The Tenant manager assignment of the viewer's tenant, locked."""
    roles = visible(Role, Standing.PARTY).where(
        col(Role.tenant_id) == work.asker.tenant_id, col(Role.built_in) == BuiltInRole.TENANT_MANAGER
    )
    mine = visible(Assignment, Standing.PARTY).where(
        col(Assignment.tenant_id) == work.asker.tenant_id,
        col(Assignment.role_id).in_(roles.with_only_columns(col(Role.id))),
    )
    row: Assignment = (await work.ask(mine.with_for_update(of=Assignment)))[0][0]
    return row


async def members_of(work: Work, assignment: Assignment) -> dict[str, Principal]:
    """Who holds an assignment of the viewer's tenant, by id."""
    on = and_(
        col(AssignmentMember.member_tenant_id) == col(Principal.tenant_id),
        col(AssignmentMember.member_id) == col(Principal.id),
    )
    members = linked(visible(Principal, Standing.NAMED), AssignmentMember, on).where(
        col(AssignmentMember.tenant_id) == assignment.tenant_id, col(AssignmentMember.assignment_id) == assignment.id
    )
    return {row[0].id: row[0] for row in await work.ask(members)}


async def leaving(work: Work, identifiers: Sequence[str], present: Mapping[str, Principal]) -> list[Principal]:
    """Members to take away, each once, removed ones too; one who is none already is left alone.

    Raises `RefusedTogether` for whoever is not of the viewer's tenant.
    """
    found, problems = {}, list[Refused]()
    for place, identifier in enumerate(identifiers):
        row = await work.find(Principal, identifier, Standing.NAMED)
        if row is None or row.tenant_id != work.asker.tenant_id:
            problems.append(not_found("removeMembers", str(place)))
        elif row.id in present:
            found[row.id] = row
    if problems:
        raise RefusedTogether(problems)
    return list(found.values())


async def drop_members(work: Work, assignment: Assignment, members: Sequence[Principal]) -> None:
    """Take the assignment from these."""
    await work.session.exec(
        delete(AssignmentMember).where(
            col(AssignmentMember.tenant_id) == assignment.tenant_id,
            col(AssignmentMember.assignment_id) == assignment.id,
            col(AssignmentMember.member_tenant_id) == work.asker.tenant_id,
            col(AssignmentMember.member_id).in_([member.id for member in members]),
        )
    )


def record_members(
    work: Work,
    assignment: Assignment,
    present: Mapping[str, Principal],
    coming: Sequence[Principal],
    going: Sequence[Principal],
) -> None:
    """A change of Tenant managers is one of users in the partner's own record (domain.md 7 #60)."""
    gone = {member.id for member in going}
    before = sorted(member.name for member in present.values())
    after = sorted([m.name for m in present.values() if m.id not in gone] + [m.name for m in coming])
    work.record(
        AuditCategory.USER,
        AuditOperation.UPDATE,
        AuditAction.TENANT_MANAGERS_CHANGE,
        assignment.tenant_id,
        assignment.name,
        subject=global_id(assignment),
        changes=changed("members", ", ".join(before) or None, ", ".join(after) or None),
    )
