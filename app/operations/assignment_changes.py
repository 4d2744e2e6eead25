"""Changes of an assignment: who has a role, and over which rooms (RB-9 to RB-15, ROOM-1 to ROOM-4, PA-5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from pydantic.alias_generators import to_camel
from sqlmodel import col, delete

from app.access.scoping import Rows
from app.access.visible import visible
from app.domain.audit import AuditAction, Changes, changed, told
from app.domain.permissions import NOTHING, BuiltInRole, Permission, Standing
from app.domain.refusals import Refused, RefusedTogether, check_version, invalid_input
from app.domain.roles import built_in, read_description
from app.domain.vocabulary import AuditOperation, ChangeEvent
from app.operations.answering import own_members
from app.operations.assignments import (
    ASSIGNED_ADMINS,
    EVERYTHING,
    TENANT_MANAGERS,
    WITHOUT_TOOLS,
    Moved,
    check_left,
    cover,
    record,
    role_of,
)
from app.operations.commands import Command, Prepared, Results
from app.operations.delegating import (
    Covered,
    Place,
    assignments_of,
    beyond,
    check_any,
    check_grant,
    enter,
    named_rows,
    present,
)
from app.operations.inviting import keep
from app.operations.managing import drop_members, leaving, members_of
from app.operations.naming import free_name, take, write
from app.operations.primary_admins import FIXED, SCOPE, WHO, check_fields
from app.operations.tenants import add_members
from app.operations.work import Work
from app.storage.tables import Assignment, AssignmentGroup, AssignmentRoom, Principal, Role, Room, RoomGroup


@dataclass(frozen=True, slots=True)
class Edit:
    """What would change of an assignment."""

    values: Mapping[str, Any]
    lines: Changes
    members: Moved[Principal]
    rooms: Moved[Room]
    groups: Moved[RoomGroup]

    @property
    def changes(self) -> Changes:
        """Everything, line by line."""
        parts = (("members", self.members), ("rooms", self.rooms), ("groups", self.groups))
        return self.lines + [line for field, moved in parts for line in moved.lines(field)]

    @property
    def is_wider(self) -> bool:
        """Somebody would get more than before."""
        return bool(self.members.coming or self.rooms.coming or self.groups.coming)


class UpdateAssignment(Command):
    """Change an assignment's words, its members and its scope."""

    event: ClassVar[ChangeEvent] = ChangeEvent.ROLES_MODIFY

    assignment: str
    expected_version: int | None = None
    name: str | None = None
    description: str | None = None
    notify_by_email: bool | None = None
    add_rooms: tuple[str, ...] = ()
    remove_rooms: tuple[str, ...] = ()
    add_groups: tuple[str, ...] = ()
    remove_groups: tuple[str, ...] = ()
    add_members: tuple[str, ...] = ()
    remove_members: tuple[str, ...] = ()

    @classmethod
    def facts(cls, subject: Any) -> Mapping[str, str | None]:
        """The assignment's present words; what is added and removed is never overtaken."""
        words = {"name": subject.name, "description": subject.description}
        return words | {"notify_by_email": told(subject.notify_by_email)}

    async def prepare(self, work: Work) -> Prepared:
        """What would change. Raises `Refused`, or `RefusedTogether` for what is wrong with the input."""
        row, place = await enter(work, Assignment, self.assignment, "assignment")
        role = await role_of(work, row)
        await self.check_changer(work, row, role, place)
        check_version(row.version, self.expected_version)
        edit = await self.read(work, row, role, place)
        await check_left(work, row, role, edit.members.coming, edit.members.going, "removeMembers")
        is_holdable = bool(edit.is_wider or edit.lines) and role.built_in is not BuiltInRole.PRIMARY_ADMIN
        return Prepared(place.acting, row, row.name, edit.changes, partial(apply, work, row, edit), is_holdable)

    async def check_changer(self, work: Work, row: Assignment, role: Role, place: Place) -> None:
        """Returns if the viewer may change what is asked for. Raises `Refused` or `RefusedTogether`."""
        if role.built_in is BuiltInRole.TENANT_MANAGER:
            raise built_in(TENANT_MANAGERS, "assignment")
        if role.built_in is BuiltInRole.PRIMARY_ADMIN and place.partnership is not None:
            given = [field for field in WHO if getattr(self, field) not in ((), None)]
            return await check_fields(work, place.partnership, given)
        return await check_any(work, row, "assignment", Permission.ROLES_MODIFY)

    async def read(self, work: Work, row: Assignment, role: Role, place: Place) -> Edit:
        """What is asked for, as far as it changes anything. Raises `Refused` or `RefusedTogether`."""
        is_admins = role.built_in is BuiltInRole.PRIMARY_ADMIN
        granted = NOTHING if is_admins else role.permissions
        problems = self.wrong_scope(role)
        values = await self.words(work, row, role, problems)
        members = await keep(problems, self.moved_members(work, row, role)) or Moved()
        rooms = await keep(problems, moved(work, Room, row, place, granted, self.add_rooms, self.remove_rooms))
        groups = await keep(problems, moved(work, RoomGroup, row, place, granted, self.add_groups, self.remove_groups))
        if problems or rooms is None or groups is None:
            raise RefusedTogether(problems)
        edit = Edit(values, [line for name in values for line in line_of(row, name, values)], members, rooms, groups)
        if edit.is_wider:
            gone = {"without_rooms": [each.id for each in rooms.going]}
            gone |= {"without_groups": [each.id for each in groups.going]}
            await check_grant(work, place, this(row), granted, "assignment", **gone)
        return edit

    def wrong_scope(self, role: Role) -> list[Refused]:
        """The Manager role has no scope to change (#40)."""
        if role.built_in is not BuiltInRole.MANAGER:
            return []
        return [invalid_input(EVERYTHING, to_camel(field), maximum=0) for field in SCOPE if getattr(self, field)]

    async def words(self, work: Work, row: Assignment, role: Role, problems: list[Refused]) -> dict[str, Any]:
        """The new values of what is said about the assignment; what is wrong with them is kept."""
        given, values = self.model_fields_set, dict[str, Any]()
        if "name" in given:
            free = free_name(work, assignments_of(role), Assignment, self.name, "name", but=row.id)
            values["name"] = await keep(problems, free)
        if "description" in given:
            values["description"] = take(problems, read_description, self.description, "description")
        if "notify_by_email" in given:
            values["notify_by_email"] = self.notify_by_email
            if self.notify_by_email is None:
                problems.append(invalid_input("Say true or false.", "notifyByEmail"))
        values = {name: value for name, value in values.items() if value != getattr(row, name)}
        if role.built_in is BuiltInRole.PRIMARY_ADMIN:
            problems += [built_in(ASSIGNED_ADMINS, name) for name in values if name in FIXED]
        return values

    async def moved_members(self, work: Work, row: Assignment, role: Role) -> Moved[Principal]:
        """Who would hold it from now on, and who no more. Raises `RefusedTogether`."""
        problems = list[Refused]()
        there = await members_of(work, row)
        tools = role.built_in not in WITHOUT_TOOLS
        named = await keep(problems, own_members(work, self.add_members, "addMembers", with_tools=tools)) or []
        going = await keep(problems, leaving(work, self.remove_members, there)) or []
        if problems:
            raise RefusedTogether(problems)
        return Moved([each for each in named if each.id not in there], going)


async def moved(
    work: Work,
    table: type[Covered],
    row: Assignment,
    place: Place,
    granted: Permission,
    add: Sequence[str],
    remove: Sequence[str],
) -> Moved[Covered]:
    """What would come into the scope, if the viewer may grant this over it, and what would go.

    Raises `RefusedTogether`.
    """
    word = "Rooms" if table is Room else "Groups"
    problems = list[Refused]()
    named: dict[str, Covered] = await keep(problems, named_rows(work, table, place, add, f"add{word}")) or {}
    gone: dict[str, Covered] = await keep(problems, named_rows(work, table, place, remove, f"remove{word}")) or {}
    both = list(named.values()) + list(gone.values())
    there = await present(work, table, row, both)
    coming = {number: each for number, each in named.items() if each.id not in there}
    problems += await beyond(work, table, place, granted, coming, f"add{word}")
    if problems:
        raise RefusedTogether(problems)
    return Moved(list(coming.values()), [each for each in gone.values() if each.id in there])


def line_of(row: Assignment, name: str, values: Mapping[str, Any]) -> Changes:
    """The change of one value."""
    return changed(name, getattr(row, name), values[name])


def this(row: Assignment) -> Rows:
    """The assignment, as the viewer sees it."""
    return visible(Assignment, Standing.PARTY).where(
        col(Assignment.tenant_id) == row.tenant_id, col(Assignment.id) == row.id
    )


async def apply(work: Work, row: Assignment, edit: Edit) -> Results:
    """Change the assignment, on the customer's record."""
    changes = edit.changes
    if changes:
        await add_members(work, row, edit.members.coming)
        await drop_members(work, row, edit.members.going)
        await cover(work, row, edit.rooms.coming, edit.groups.coming)
        await uncover(work, row, edit.rooms.going, edit.groups.going)
        write(row, edit.values)
        record(work, row, AuditOperation.UPDATE, AuditAction.ASSIGNMENT_UPDATE, changes)
    return {"assignment": row}


async def uncover(work: Work, row: Assignment, rooms: Sequence[Room], groups: Sequence[RoomGroup]) -> None:
    """Take these out of the scope."""
    for link, column, rows in (
        (AssignmentRoom, AssignmentRoom.room_id, rooms),
        (AssignmentGroup, AssignmentGroup.group_id, groups),
    ):
        ours = (col(link.tenant_id) == row.tenant_id, col(link.assignment_id) == row.id)
        await work.session.exec(delete(link).where(*ours, col(column).in_([each.id for each in rows])))
