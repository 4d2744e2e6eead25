"""Giving roles to people: assignments, their members and their scope (RB-6, RB-9 to RB-15, domain.md 7 #21 to #25)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel
from sqlmodel import col, delete

from app.access.visible import visible
from app.domain.audit import AuditAction, Changes, changed, made
from app.domain.permissions import BuiltInRole, Permission, Standing
from app.domain.refusals import ErrorCode, Refused, RefusedTogether, check_version, forbidden, invalid_input
from app.domain.roles import built_in, read_description
from app.domain.text import name_key
from app.domain.vocabulary import AuditCategory, AuditOperation, ChangeEvent
from app.operations.answering import own_members, users_among
from app.operations.commands import Command, Prepared, Results
from app.operations.delegating import (
    Place,
    assignments_of,
    beyond,
    check_any,
    enter,
    is_home_manager,
    named_rows,
)
from app.operations.inviting import keep
from app.operations.managing import members_of
from app.operations.naming import free_name, take
from app.operations.tenants import add_members
from app.operations.work import Work
from app.storage.global_ids import global_id
from app.storage.tables import (
    Assignment,
    AssignmentGroup,
    AssignmentMember,
    AssignmentRoom,
    Principal,
    Role,
    Room,
    RoomGroup,
)

Thing = TypeVar("Thing", Principal, Room, RoomGroup)
TENANT_MANAGERS = "Tenant managers are chosen with `setTenantManagers` and no other way."
ASSIGNED_ADMINS = "The Primary admin role has one assignment, which is neither doubled nor renamed nor deleted."
EVERYTHING = "The Manager role always covers every room and group; it takes no scope."
WITHOUT_TOOLS = (BuiltInRole.MANAGER, BuiltInRole.PRIMARY_ADMIN)
"""Roles that only people hold."""
INSTEAD = "name somebody else first, or in the same change."
LAST = {
    BuiltInRole.MANAGER: (ErrorCode.LAST_MANAGER, f"Nobody would be left as Manager; {INSTEAD}"),
    BuiltInRole.PRIMARY_ADMIN: (ErrorCode.LAST_PRIMARY_ADMIN, f"Nobody would be left as primary admin; {INSTEAD}"),
}
"""Roles that somebody always has (#41, PA-4)."""


@dataclass(frozen=True, slots=True)
class Moved(Generic[Thing]):
    """What comes into an assignment, and what goes out of it."""

    coming: Sequence[Thing] = ()
    going: Sequence[Thing] = ()

    def lines(self, field: str) -> Changes:
        """One line for each."""
        added = [line for each in self.coming for line in changed(field, None, each.name)]
        return added + [line for each in self.going for line in changed(field, each.name, None)]


# --- a new one -----------------------------------------------------------------------------------------------------


class NewAssignment(BaseModel, frozen=True, extra="forbid"):
    """What an assignment is made of."""

    name: str
    description: str | None = None
    notify_by_email: bool = False
    members: tuple[str, ...]
    rooms: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """An assignment that could be made."""

    row: Assignment
    members: Moved[Principal]
    rooms: Moved[Room]
    groups: Moved[RoomGroup]

    @property
    def contents(self) -> Changes:
        """Who and what is in it."""
        return self.members.lines("members") + self.rooms.lines("rooms") + self.groups.lines("groups")

    @property
    def changes(self) -> Changes:
        """Everything about it."""
        row = self.row
        facts = {"name": row.name, "description": row.description, "notify_by_email": row.notify_by_email}
        return made(**facts, all_rooms=row.all_rooms or None) + self.contents


class CreateAssignment(NewAssignment, Command):
    """Give a role to members over a scope."""

    event: ClassVar[ChangeEvent] = ChangeEvent.ROLES_MODIFY

    role: str

    async def prepare(self, work: Work) -> Prepared:
        """Who would get what. Raises `Refused`, or `RefusedTogether` for what is wrong with the input."""
        role, place = await enter(work, Role, self.role, "role")
        if role.built_in in (BuiltInRole.TENANT_MANAGER, BuiltInRole.PRIMARY_ADMIN):
            is_admins = role.built_in is BuiltInRole.PRIMARY_ADMIN
            raise built_in(ASSIGNED_ADMINS if is_admins else TENANT_MANAGERS, "role")
        await check_any(work, role, "role", Permission.ROLES_MODIFY)
        if role.built_in is BuiltInRole.MANAGER and not await is_home_manager(work, place):
            raise forbidden(Permission.PARTNERS_MANAGE, "role")
        new = await draft(work, self, role, place)

        async def apply() -> Results:
            await make(work, new)
            return {"assignment": new.row}

        return Prepared(place.acting, role, new.row.name, new.changes, apply)


async def draft(work: Work, asked: NewAssignment, role: Role, place: Place, *path: str) -> Draft:
    """The assignment that is asked for, if the viewer may grant all of it. Raises `RefusedTogether`.

    `path` is where in the input it stands.
    """
    problems = wrong_parts(asked, role, *path)
    name = await keep(problems, free_name(work, assignments_of(role), Assignment, asked.name, *path, "name"))
    description = take(problems, read_description, asked.description, *path, "description")
    tools = role.built_in not in WITHOUT_TOOLS
    members = await keep(problems, own_members(work, asked.members, *path, "members", with_tools=tools))
    rooms = await keep(problems, named_rows(work, Room, place, asked.rooms, *path, "rooms")) or {}
    groups = await keep(problems, named_rows(work, RoomGroup, place, asked.groups, *path, "groups")) or {}
    problems += await beyond(work, Room, place, role.permissions, rooms, *path, "rooms")
    problems += await beyond(work, RoomGroup, place, role.permissions, groups, *path, "groups")
    if problems or name is None or members is None:
        raise RefusedTogether(problems)
    row = Assignment(
        tenant_id=role.tenant_id,
        id=work.new_id(),
        role_id=role.id,
        partnership_id=role.partnership_id,
        name=name,
        name_key=name_key(name),
        description=description,
        all_rooms=role.built_in is BuiltInRole.MANAGER,
        notify_by_email=asked.notify_by_email,
    )
    return Draft(row, Moved(members), Moved(list(rooms.values())), Moved(list(groups.values())))


def wrong_parts(asked: NewAssignment, role: Role, *path: str) -> list[Refused]:
    """Nobody, or nothing that they would hold the role over; everything is the Manager's (RB-12, RB-15, #40)."""
    problems = []
    if not asked.members:
        problems.append(invalid_input("Name at least one member.", *path, "members", minimum=1))
    scope = {"rooms": asked.rooms, "groups": asked.groups}
    if role.built_in is BuiltInRole.MANAGER:
        problems += [invalid_input(EVERYTHING, *path, field, maximum=0) for field, named in scope.items() if named]
    elif not any(scope.values()):
        problems.append(invalid_input("Name at least one room or room group.", *path, "rooms", minimum=1))
    return problems


async def make(work: Work, new: Draft) -> None:
    """Store the assignment, on the customer's record."""
    row = new.row
    await work.store(row)
    await add_members(work, row, new.members.coming)
    await cover(work, row, new.rooms.coming, new.groups.coming)
    record(work, row, AuditOperation.CREATE, AuditAction.ASSIGNMENT_CREATE, new.changes)


async def cover(work: Work, row: Assignment, rooms: Sequence[Room], groups: Sequence[RoomGroup]) -> None:
    """Put these into the scope."""
    ours = {"tenant_id": row.tenant_id, "assignment_id": row.id}
    await work.store(*(AssignmentRoom(**ours, room_id=room.id) for room in rooms))
    await work.store(*(AssignmentGroup(**ours, group_id=group.id) for group in groups))


def record(work: Work, row: Assignment, operation: AuditOperation, action: AuditAction, changes: Changes) -> None:
    """Put what happens to an assignment in the customer's record."""
    subject = global_id(row)
    work.record(AuditCategory.ASSIGNMENT, operation, action, row.tenant_id, row.name, subject=subject, changes=changes)


# --- the end of one ------------------------------------------------------------------------------------------------


async def delete_assignment(work: Work, *, assignment: str, expected_version: int | None = None) -> str:
    """Take an assignment away from everybody; the answer is the id it had (CPR-5, #38, #41). Raises `Refused`."""
    row, _ = await enter(work, Assignment, assignment, "assignment")
    role = await role_of(work, row)
    if role.built_in is BuiltInRole.TENANT_MANAGER:
        raise built_in(TENANT_MANAGERS, "assignment")
    if role.built_in is BuiltInRole.PRIMARY_ADMIN:
        raise built_in(ASSIGNED_ADMINS, "assignment")
    await check_any(work, row, "assignment", Permission.ROLES_MODIFY, Permission.PARTNERS_MANAGE)
    check_version(row.version, expected_version)
    await check_left(work, row, role, [], list((await members_of(work, row)).values()), "assignment")
    await erase(work, row)
    return assignment


async def erase(work: Work, row: Assignment) -> None:
    """Delete an assignment with its members and its scope, on the customer's record."""
    record(work, row, AuditOperation.DELETE, AuditAction.ASSIGNMENT_DELETE, [])
    tenant_id, assignment_id = row.tenant_id, row.id
    for link in (AssignmentMember, AssignmentRoom, AssignmentGroup):
        ours = (col(link.tenant_id) == tenant_id, col(link.assignment_id) == assignment_id)
        await work.session.exec(delete(link).where(*ours))
    await work.session.exec(
        delete(Assignment).where(col(Assignment.tenant_id) == tenant_id, col(Assignment.id) == assignment_id)
    )


async def role_of(work: Work, row: Assignment) -> Role:
    """The role that an assignment gives, which is seen with it."""
    roles = visible(Role, Standing.PARTY).where(col(Role.tenant_id) == row.tenant_id, col(Role.id) == row.role_id)
    role: Role = (await work.ask(roles))[0][0]
    return role


async def check_left(
    work: Work, row: Assignment, role: Role, coming: Sequence[Principal], going: Sequence[Principal], *path: str
) -> None:
    """Returns if somebody still has a role that somebody always has, groups counted by their members (#34, #41, PA-4).

    A Global Administrator may leave the own organization without Managers. Raises `Refused`.
    """
    if not going or role.built_in not in LAST:
        return
    if role.built_in is BuiltInRole.MANAGER and Permission.PARTNERS_MANAGE in work.asker.directory:
        return
    gone, left = {each.id for each in going}, list(coming)
    for (each,) in await work.ask(assignments_of(role)):
        members = await members_of(work, each)
        left += [member for member in members.values() if each.id != row.id or member.id not in gone]
    if not await users_among(work, left):
        code, message = LAST[role.built_in]
        raise Refused(code, message, ("input", *path))
