"""Who may do what in a world: custom roles, and assignments of all roles."""

from collections.abc import Sequence

from app.domain.audit import AuditAction, made
from app.domain.permissions import CUSTOM_CEILING, PARTNER_CEILING, BuiltInRole, Permission, union
from app.domain.text import name_key
from app.domain.vocabulary import (
    AuditCategory,
    AuditOperation,
    PrincipalKind,
)
from app.operations.names import Names, refusal
from app.operations.tenants import STANDING_ASSIGNMENTS, add_members
from app.operations.work import Work
from app.storage.global_ids import global_id
from app.storage.tables import (
    Assignment,
    AssignmentGroup,
    AssignmentRoom,
    Principal,
    Role,
)
from app.storage.world_entries import AssignmentEntry, PartnershipEntry, RoleEntry


async def add_roles(work: Work, names: Names, entries: Sequence[RoleEntry]) -> None:
    """Custom roles, within what a custom role may hold (domain.md 7 #24)."""
    for entry in entries:
        customer = names.tenants[entry.customer]
        permissions = union(entry.permissions)
        check_ceiling(permissions, PARTNER_CEILING if entry.partner else CUSTOM_CEILING, entry)
        row = Role(
            tenant_id=customer.id,
            id=work.new_id(),
            partnership_id=names.partnership(entry).id if entry.partner else None,
            name=entry.name,
            name_key=name_key(entry.name),
            description=entry.description,
            permissions=permissions,
        )
        names.claim(row, entry)
        await work.store(row)
        facts = {"permissions": [str(permission.name) for permission in entry.permissions]}
        work.created(AuditCategory.ROLE, AuditAction.ROLE_CREATE, customer.id, row.name, row, **facts)


def check_ceiling(permissions: Permission, ceiling: Permission, entry: RoleEntry) -> None:
    """Raises `BadFile` for a permission that such a role cannot hold."""
    if excess := [str(permission.name) for permission in permissions & ~ceiling]:
        allowed = ", ".join(str(permission.name) for permission in ceiling)
        raise refusal(entry, "permissions", f"only {allowed}", excess[0])


async def add_assignments(work: Work, names: Names, entries: Sequence[AssignmentEntry]) -> None:
    """Who holds which role over what."""
    for entry in entries:
        partnership = names.partnership(entry) if entry.partner else None
        customer = names.tenants[entry.customer]
        role = names.find(Role, partnership.id if partnership else customer.id, entry.role, entry, "role")
        home = partnership.partner_tenant_id if partnership else customer.id
        members = names.principals(home, entry, "members")
        check_role(role, members, entry)
        if role.built_in in STANDING_ASSIGNMENTS:
            await extend(work, names, role, members, entry)
            continue
        assignment = Assignment(
            tenant_id=customer.id,
            id=work.new_id(),
            role_id=role.id,
            partnership_id=role.partnership_id,
            name=entry.name,
            name_key=name_key(entry.name),
            description=entry.description,
            notify_by_email=entry.notify_by_email,
        )
        await assign(work, names, assignment, role, members, entry)


def check_role(role: Role, members: Sequence[Principal], entry: AssignmentEntry) -> None:
    """Raises `BadFile` for what such a role cannot be assigned with (RB-15, domain.md 7 #40, TM-3)."""
    covers_all = role.built_in is BuiltInRole.MANAGER
    if entry.all_rooms not in (None, covers_all):
        raise refusal(entry, "allRooms", "true for the Manager role and for no other", entry.all_rooms)
    if role.built_in in STANDING_ASSIGNMENTS and (entry.rooms or entry.groups):
        raise refusal(entry, "rooms", f"no rooms and no groups for {role.name}", [*entry.rooms, *entry.groups])
    if role.built_in is BuiltInRole.PRIMARY_ADMIN:
        raise refusal(entry, "role", f"a role other than {role.name}, whose members its partnership names", entry.role)
    tools = [member.name for member in members if member.kind is PrincipalKind.APPLICATION]
    if role.built_in is BuiltInRole.TENANT_MANAGER and tools:
        raise refusal(entry, "members", "users and security groups", tools[0])


async def extend(work: Work, names: Names, role: Role, members: Sequence[Principal], entry: AssignmentEntry) -> None:
    """Add to the assignment that every tenant has. Raises `BadFile` for another name, or someone who is in it."""
    assignment = names.find(Assignment, role.id, entry.name, entry, "name")
    for row in await names.members(assignment):
        if row.member_id in {member.id for member in members}:
            raise refusal(entry, "members", "people who are not in it already", [*entry.members])
    await add_members(work, assignment, members)
    of_managers = role.built_in is BuiltInRole.MANAGER
    work.record(
        AuditCategory.ASSIGNMENT if of_managers else AuditCategory.USER,
        AuditOperation.UPDATE,
        AuditAction.ASSIGNMENT_UPDATE if of_managers else AuditAction.TENANT_MANAGERS_CHANGE,
        role.tenant_id,
        assignment.name,
        subject=global_id(assignment),
        changes=made(members=[member.name for member in members]),
    )


async def assign(
    work: Work,
    names: Names,
    assignment: Assignment,
    role: Role,
    members: Sequence[Principal],
    entry: PartnershipEntry | AssignmentEntry,
) -> None:
    """A new assignment with its members and its scope, on the record."""
    names.claim(assignment, entry, "partner" if isinstance(entry, PartnershipEntry) else "name")
    ours = {"tenant_id": assignment.tenant_id, "assignment_id": assignment.id}
    rooms, groups = names.rooms(assignment.tenant_id, entry), names.groups(assignment.tenant_id, entry)
    await work.store(assignment)
    await add_members(work, assignment, members)
    await work.store(
        *(AssignmentRoom(**ours, room_id=room) for room in rooms),
        *(AssignmentGroup(**ours, group_id=group) for group in groups),
    )
    facts = {"role": role.name, "members": [m.name for m in members], "rooms": len(rooms), "groups": list(entry.groups)}
    category, tenant = AuditCategory.ASSIGNMENT, assignment.tenant_id
    work.created(category, AuditAction.ASSIGNMENT_CREATE, tenant, assignment.name, assignment, **facts)
