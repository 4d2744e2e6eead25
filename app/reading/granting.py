"""Why the viewer holds something: assignments and directory roles, by name, so that it needs no right on roles."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from app.access.viewer import Viewer
from app.domain.ids import GlobalId
from app.domain.permissions import Permission, union
from app.domain.vocabulary import PrincipalKind
from app.reading.declaring import Noun
from app.reading.nouns import ROOM
from app.reading.reader import Reader

RoomKey = tuple[str, str]
"""Tenant and key of a room."""


@dataclass(frozen=True, slots=True)
class Granted:
    """One reason why the viewer holds permissions: an assignment, or, without one, a directory role."""

    role_name: str
    assignment_name: str | None
    permissions: Permission


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether the viewer may, through what, and a sentence that says it."""

    allowed: bool
    grants: Sequence[Granted]
    reason: str


def from_directory(viewer: Viewer) -> list[Granted]:
    """What the directory roles of the home tenant give."""
    if viewer.kind is not PrincipalKind.USER:
        return []
    return [Granted(role.label, None, role.permissions) for role in sorted(viewer.directory_roles)]


def from_assignment(row: Row[Any]) -> Granted:
    """What an assignment gives."""
    return Granted(row.role_name, row.assignment_name, row.permissions)


async def grants_on_rooms(reader: Reader, rooms: Sequence[RoomKey]) -> list[list[Granted]]:
    """For each visible room, given as (tenant, key), everything through which the viewer holds a permission on it."""
    held = await reader.grants_held()
    reached: dict[RoomKey, set[str]] = defaultdict(set)
    for row in await reader.rooms_reached([key for _, key in rooms]):
        reached[row.tenant_id, row.room_id].add(row.assignment_id)
    return [_grants_on_room(reader.viewer, held, reached[room], room[0]) for room in rooms]


def _grants_on_room(viewer: Viewer, held: Sequence[Row[Any]], through: set[str], tenant: str) -> list[Granted]:
    at_home = from_directory(viewer) if tenant == viewer.tenant_id else []
    ours = (row for row in held if row.tenant_id == tenant)
    covers = (row for row in ours if row.assignment_id in through or (row.all_rooms and row.partnership_id is None))
    return [*at_home, *(from_assignment(row) for row in covers)]


def permissions_of(grants: Sequence[Granted]) -> Permission:
    """Everything that these grants give together, on one and the same object."""
    return union(grant.permissions for grant in grants)


async def decide_anywhere(reader: Reader, permission: Permission) -> Decision:
    """Whether the viewer holds the permission on anything at all."""
    granted = [*from_directory(reader.viewer), *(from_assignment(row) for row in await reader.grants_held())]
    return _decision(granted, permission, "somewhere", "anywhere")


async def decide(reader: Reader, permission: Permission, on: tuple[Noun, GlobalId] | None) -> Decision:
    """Whether the viewer holds the permission on this very object; None stands for one that is not visible."""
    if on is None:
        return Decision(allowed=False, grants=[], reason="There is nothing with this id that you can see.")
    noun, key = on[0], (on[1].tenant, on[1].key)
    is_held = await reader.holds(noun, key, permission)
    grants = await _grants_on(reader, noun, key, permission) if is_held else []
    return _decision(grants, permission, "on this room" if noun is ROOM else "on this object")


async def _grants_on(reader: Reader, noun: Noun, key: tuple[str, str], permission: Permission) -> list[Granted]:
    """What is held where the object belongs, and, since invitations come from elsewhere, at home for answering them."""
    if noun is ROOM:
        return (await grants_on_rooms(reader, [key]))[0]
    home = reader.viewer.tenant_id
    owners = {key[0], home} if permission is Permission.INVITATIONS_ANSWER else {key[0]}
    at_home = from_directory(reader.viewer) if home in owners else []
    return [*at_home, *(from_assignment(row) for row in await reader.grants_held() if row.tenant_id in owners)]


def _decision(granted: Sequence[Granted], permission: Permission, where: str, nowhere: str = "") -> Decision:
    grants = [grant for grant in granted if permission in grant.permissions]
    if not grants:
        return Decision(allowed=False, grants=[], reason=f"Nothing gives you {permission.name} {nowhere or where}.")
    names = ", ".join(dict.fromkeys(grant.role_name for grant in grants))
    return Decision(allowed=True, grants=grants, reason=f"{permission.name} {where} through {names}.")
