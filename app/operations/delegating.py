"""Who gives roles to whom: where roles are changed, who may change them, and what one may grant (#25, #26, #38)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import and_
from sqlmodel import col

from app.access.derived import exceeds
from app.access.scoping import Rows, linked
from app.access.visible import visible
from app.domain.ids import GlobalId, parse_global_id
from app.domain.permissions import Permission, Right, Standing
from app.domain.refusals import Refused, RefusedTogether, forbidden, forbidden_to, not_found
from app.operations.work import Work
from app.storage.global_ids import global_id
from app.storage.tables import Assignment, AssignmentGroup, AssignmentRoom, Partnership, Role, Room, RoomGroup

Delegated = TypeVar("Delegated", Role, Assignment)
Covered = TypeVar("Covered", Room, RoomGroup)
LINKS: dict[type[Room] | type[RoomGroup], tuple[Any, Any, Permission]] = {
    Room: (AssignmentRoom, AssignmentRoom.room_id, Permission.ROOMS_VIEW),
    RoomGroup: (AssignmentGroup, AssignmentGroup.group_id, Permission.GROUPS_VIEW),
}
"""What puts each kind of thing into a scope, the link's column that names it, and what it is seen under."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where roles are changed, and locked: a customer's own, or a partnership's, seen from one of its two sides."""

    tenant_id: str
    """The customer, whose roles and whose record they are."""
    partnership: Partnership | None = None
    """The partnership that the roles belong to; None for the customer's own."""
    is_partner: bool = False
    """The viewer is of the partner's side."""

    @property
    def acting(self) -> Partnership | None:
        """The partnership in which the viewer acts as a partner."""
        return self.partnership if self.is_partner else None


# --- where ------------------------------------------------------------------------------------------------------------


async def enter(work: Work, table: type[Delegated], identifier: str, field: str) -> tuple[Delegated, Place]:
    """The role or assignment with this id and where it is, both locked, the place first.

    Whoever changes roles in one place waits here for whoever does so already. Raises `Refused` for what the viewer does
    not see, or does not see any more.
    """
    key = parse_global_id(identifier)
    acting = await work.acting_at(key.tenant, field) if key else None
    seen = await work.find(table, identifier, Standing.PARTY)
    if seen is not None:
        place = Place(seen.tenant_id, acting or await own_side(work, seen.partnership_id, field), acting is not None)
        row = await work.find(table, identifier, Standing.PARTY, lock=True)
        if row is not None:
            return row, place
    raise not_found(field)


async def own_side(work: Work, partnership_id: str | None, field: str) -> Partnership | None:
    """The partnership whose roles a customer's Manager looks at, locked; for own roles the organization is locked."""
    if partnership_id is None:
        await work.lock_tenant(work.asker.tenant_id)
        return None
    identifier = GlobalId("partnership", work.asker.tenant_id, partnership_id)
    locked = await work.find(Partnership, str(identifier), Permission.PARTNERS_MANAGE, lock=True)
    if locked is None:
        raise not_found(field)
    return locked


async def enter_new(work: Work, partnership: str | None) -> Place:
    """Where a new role shall be, locked. Raises `Refused` for whoever may not create roles there (#26, #38, CPR-6)."""
    if partnership is None:
        await work.lock_tenant(work.asker.tenant_id)
        await check_home_editor(work)
        return Place(work.asker.tenant_id)
    key = parse_global_id(partnership)
    if key is not None:
        await work.acting_at(key.tenant, "partnership")
    row = await work.obtain(Partnership, partnership, Permission.ROLES_MODIFY, "partnership")
    return Place(row.tenant_id, row, is_partner=True)


# --- who --------------------------------------------------------------------------------------------------------------


def editing(place: Place) -> Right:
    """What one needs on a role to create it or to change what it is (RB-1, CPR-6, #26)."""
    return Permission.ROLES_MODIFY if place.partnership else Standing.ROLE_EDITOR


async def check_home_editor(work: Work, *path: str) -> None:
    """Returns if the viewer edits the roles of the own organization (RB-1 to RB-3). Raises `Refused`."""
    if not await work.ask(visible(Role, Standing.ROLE_EDITOR).limit(1)):
        if not await work.holds(Permission.ROLES_MODIFY):
            raise forbidden(Permission.ROLES_MODIFY, *path)
        message = (
            "Only Managers, Global Administrators and Teams Administrators create and edit roles; you assign them."
        )
        raise forbidden_to(message, *path)


async def check_editor(work: Work, role: Role, place: Place) -> None:
    """Returns if the viewer may change what the role is. Raises `Refused`."""
    if place.partnership is None:
        await check_home_editor(work, "role")
    elif await work.find(Role, global_id(role), Permission.ROLES_MODIFY) is None:
        raise forbidden(Permission.ROLES_MODIFY, "role")


async def check_any(work: Work, row: Role | Assignment, field: str, *rights: Right) -> None:
    """Returns if the viewer holds one of these on the row. Raises `Refused`."""
    for right in rights:
        if await work.find(type(row), global_id(row), right) is not None:
            return
    raise forbidden(Permission.ROLES_MODIFY, field)


async def is_home_manager(work: Work, place: Place) -> bool:
    """A Manager, in the own organization: grants whatever a role of it may hold (#25)."""
    return place.partnership is None and await work.holds(Permission.PARTNERS_MANAGE)


async def grants_at_will(work: Work, place: Place) -> bool:
    """A Manager at home, or a primary admin: whatever is in a scope already is within what they hold (#25)."""
    if place.partnership is None:
        return await is_home_manager(work, place)
    return await work.find(Partnership, global_id(place.partnership), Standing.PRIMARY_ADMIN) is not None


# --- what -------------------------------------------------------------------------------------------------------------


async def named_rows(
    work: Work, table: type[Covered], place: Place, identifiers: Sequence[str], *path: str
) -> dict[str, Covered]:
    """The rooms or groups with these ids, each once, by where in the input they stand first.

    Raises `RefusedTogether` for what the viewer does not see, or is not the place's: as if it did not exist (#23).
    """
    found: dict[str, Covered] = {}
    problems, known = list[Refused](), set[str]()
    for number, identifier in enumerate(identifiers):
        row = await work.find(table, identifier, LINKS[table][2])
        if row is None or row.tenant_id != place.tenant_id:
            problems.append(not_found(*path, str(number)))
        elif row.id not in known:
            known.add(row.id)
            found[str(number)] = row
    if problems:
        raise RefusedTogether(problems)
    return found


async def present(work: Work, table: type[Covered], assignment: Assignment, rows: Iterable[Covered]) -> set[str]:
    """The ids of those of these that are in the assignment's scope by themselves."""
    link, names, right = LINKS[table]
    on = and_(col(link.tenant_id) == col(table.tenant_id), col(names) == col(table.id))
    here = linked(visible(table, right), link, on).where(
        col(link.tenant_id) == assignment.tenant_id,
        col(link.assignment_id) == assignment.id,
        col(table.id).in_([row.id for row in rows]),
    )
    return {row[0].id for row in await work.ask(here)}


async def beyond(
    work: Work, table: type[Covered], place: Place, permissions: Permission, rows: Mapping[str, Covered], *path: str
) -> list[Refused]:
    """Of the named rooms or groups, those over which the viewer does not hold all that is granted (#21, #25)."""
    if not rows or await is_home_manager(work, place):
        return []
    problems: dict[str, Refused] = {}
    for permission in permissions:
        within = await held_over(work, table, place, permission, rows)
        for number, row in rows.items():
            if row.id not in within:
                problems.setdefault(number, forbidden(permission, *path, number))
    return [problems[number] for number in rows if number in problems]


async def held_over(
    work: Work, table: type[Covered], place: Place, permission: Permission, rows: Mapping[str, Covered]
) -> set[str]:
    """The ids of those of these on which the viewer holds the permission."""
    these = visible(table, permission).where(
        col(table.tenant_id) == place.tenant_id, col(table.id).in_([row.id for row in rows.values()])
    )
    return {row[0] for row in await work.ask(these.with_only_columns(col(table.id)))}


async def check_grant(
    work: Work,
    place: Place,
    assignments: Rows,
    permissions: Permission,
    *path: str,
    without_rooms: Sequence[str] = (),
    without_groups: Sequence[str] = (),
) -> None:
    """Returns if the viewer holds all that is granted over everything that these assignments cover (#25).

    `without_rooms` and `without_groups` are taken out of their scopes. Raises `Refused`, naming what is missing.
    """
    if await grants_at_will(work, place):
        return
    for permission in permissions:
        if await work.ask(assignments.where(exceeds(permission, without_rooms, without_groups)).limit(1)):
            raise forbidden(permission, *path)


def assignments_of(role: Role) -> Rows:
    """The role's assignments."""
    return visible(Assignment, Standing.PARTY).where(
        col(Assignment.tenant_id) == role.tenant_id, col(Assignment.role_id) == role.id
    )
