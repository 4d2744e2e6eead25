"""Partnerships as they grow in practice: whole groups of rooms beside rooms one by one, and roles within them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypedDict

from app.bench.making import Maker, Organization
from app.bench.rooms import group_id, room_id
from app.domain.audit import AuditAction
from app.domain.permissions import BuiltInRole, Permission
from app.domain.text import name_key
from app.domain.vocabulary import AuditCategory
from app.operations.seeding_partners import ASSIGNED_ADMINS, record_partnership
from app.operations.tenants import add_members, built_in_role
from app.storage.tables import (
    Assignment,
    AssignmentGroup,
    AssignmentRoom,
    Partnership,
    Principal,
    Role,
)

CUSTOM_ROLES = {
    "Help desk": Permission.ROOMS_VIEW | Permission.TICKETS_VIEW | Permission.TICKETS_UPDATE,
    "Monitoring": Permission.ROOMS_VIEW | Permission.REPORTS_VIEW,
    "Updates": Permission.ROOMS_VIEW | Permission.ROOMS_MODIFY | Permission.RINGS_VIEW | Permission.RINGS_MODIFY,
    "Access": Permission.ROOMS_VIEW | Permission.GROUPS_VIEW | Permission.ROLES_VIEW | Permission.ROLES_MODIFY,
}
LINES = ("First line", "Second line")
"""Each custom role is assigned twice."""
GROUPED, EVERY = 0.6, 10
"""Part of a scope that is delegated as groups; of its rooms, every tenth is also named by itself."""
NARROW = 10
"""A custom role's assignment names one room in so many of those that are named one by one."""


class Named(TypedDict):
    """Columns that hold a name."""

    name: str
    name_key: str


@dataclass(frozen=True)
class Scope:
    """What is delegated: places of groups, and of rooms, among those of the customer."""

    groups: Sequence[int]
    rooms: Sequence[int]

    @classmethod
    def over(cls, rooms: range, group_size: int) -> "Scope":
        """These rooms: some of their groups that lie within, and the other rooms one by one."""
        whole = range(-(-rooms.start // group_size), rooms.stop // group_size)
        groups = whole[: round(len(whole) * GROUPED)]
        grouped = {room for group in groups for room in range(group * group_size, (group + 1) * group_size)}
        return cls(groups, [room for room in rooms if room not in grouped or room % EVERY == 0])

    def part(self, number: int) -> "Scope":
        """A smaller scope within this one, the same for the same number."""
        groups = [self.groups[number % len(self.groups)]] if self.groups else []
        return Scope(groups, self.rooms[number % NARROW :: NARROW] or self.rooms[:1])


async def delegate(
    maker: Maker, customer: Organization, partner: Organization, rooms: range, group_size: int, custom_roles: int
) -> Partnership:
    """An active partnership over these rooms, with its Primary admins and its custom roles."""
    work, scope = maker.work, Scope.over(rooms, group_size)
    row = Partnership(
        tenant_id=customer.id,
        id=maker.ids.of("partnership", customer.domain, partner.domain),
        partner_tenant_id=partner.id,
        delegation_id=maker.ids.of("delegation", customer.domain, partner.domain),
        established_at=work.moment,
    )
    admins = built_in_role(work, customer.id, BuiltInRole.PRIMARY_ADMIN, row.id)
    await work.store(row)
    await work.store(admins)
    record_partnership(work, row, admins, partner.tenant)
    first = Assignment(
        tenant_id=customer.id, id=row.delegation_id, role_id=admins.id, partnership_id=row.id, **called(ASSIGNED_ADMINS)
    )
    await assign(maker, customer, first, members_of(partner, 0), scope)
    for number, (name, permissions) in enumerate(roles(custom_roles)):
        await add_role(maker, customer, partner, row, scope, number, name, permissions)
    return row


def roles(count: int) -> Iterator[tuple[str, Permission]]:
    """So many custom roles; after the usual ones they repeat with a number."""
    kinds = list(CUSTOM_ROLES.items())
    for number in range(count):
        name, permissions = kinds[number % len(kinds)]
        yield f"{name} {number + 1}" if number >= len(kinds) else name, permissions


async def add_role(
    maker: Maker,
    customer: Organization,
    partner: Organization,
    row: Partnership,
    scope: Scope,
    number: int,
    name: str,
    permissions: Permission,
) -> None:
    """A custom role of the partnership, assigned over parts of what is delegated."""
    work, tenant = maker.work, customer.id
    role = Role(tenant_id=tenant, id=work.new_id(), partnership_id=row.id, permissions=permissions, **called(name))
    await work.store(role)
    work.created(AuditCategory.ROLE, AuditAction.ROLE_CREATE, tenant, role.name, role)
    for line, title in enumerate(LINES):
        place = number * len(LINES) + line
        made = Assignment(tenant_id=tenant, id=work.new_id(), role_id=role.id, partnership_id=row.id, **called(title))
        await assign(maker, customer, made, members_of(partner, place + 1), scope.part(place))


async def assign(
    maker: Maker, customer: Organization, assignment: Assignment, members: Sequence[Principal], scope: Scope
) -> None:
    """A new assignment with its members and its scope, on the record."""
    work, tenant = maker.work, customer.id
    await work.store(assignment)
    await add_members(work, assignment, members)
    rooms = ((tenant, assignment.id, room_id(maker, customer, room)) for room in scope.rooms)
    await maker.loader.load(AssignmentRoom, ("tenant_id", "assignment_id", "room_id"), rooms)
    groups = ((tenant, assignment.id, group_id(maker, customer, group)) for group in scope.groups)
    await maker.loader.load(AssignmentGroup, ("tenant_id", "assignment_id", "group_id"), groups)
    name, action = assignment.name, AuditAction.ASSIGNMENT_CREATE
    work.created(AuditCategory.ASSIGNMENT, action, tenant, name, assignment, rooms=len(scope.rooms))


def members_of(partner: Organization, place: int) -> list[Principal]:
    """A person and a security group of the partner, or two people where it has no groups."""
    person = partner.users[place % len(partner.users)]
    others = partner.groups or partner.users[-1:]
    return [person, others[place % len(others)]]


def called(name: str) -> Named:
    """A name and what follows from it."""
    return Named(name=name, name_key=name_key(name))
