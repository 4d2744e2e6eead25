"""Random small worlds in which the rules matter, and how one is written to a database.

Ids repeat from tenant to tenant (every tenant has a room `r0` and a user `u0`), so that a rule that forgets a tenant is
found. Most things are shared: few rooms, many assignments, everybody a member of something.

A world is read from a tape of random bytes. Drawn choice by choice, four worlds in five would be a copy of the one
before with a few choices repeated, as Hypothesis likes to do; bytes are fresh every time, and shrink as well.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeVar

from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st
from sqlalchemy import String, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from app.domain.permissions import (
    CUSTOM_CEILING,
    NOTHING,
    PARTNER_CEILING,
    BuiltInRole,
    DirectoryRole,
    Permission,
    union,
)
from app.domain.vocabulary import (
    AuditCategory,
    AuditOperation,
    AuditResult,
    InvitationState,
    PartnershipState,
    PrincipalKind,
)
from app.storage import tables
from tests.access.policy import (
    ApprovalRequest,
    Asker,
    Assignment,
    AuditEntry,
    Invitation,
    Key,
    Partnership,
    Principal,
    Role,
    Room,
    RoomGroup,
    UpdateRing,
    World,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TENANTS = ("A", "B", "C", "D")
UNREGISTERED = "Z"
TAPE = 1024
"""Bytes; the largest worlds take about 750."""
INSTANT = timedelta(microseconds=1)
AGES = (timedelta(0), timedelta(days=180), timedelta(days=180) + INSTANT)
"""Of an entry of the record: new, just readable, and just not any more."""
AROUND_NOW = (timedelta(days=1), INSTANT, timedelta(0), -INSTANT, timedelta(days=-1))
HISTORIES = ((True,), (True,), (False,), (False, True), (False, False, True), ())
"""Partnerships between one pair, whether active, oldest first; two of them cannot be active at once."""
CLOSED = [state for state in InvitationState if state is not InvitationState.PENDING]
CUSTOMER_ROLES = (BuiltInRole.MANAGER, BuiltInRole.SITE_LEAD, BuiltInRole.SITE_TECHNICIAN, BuiltInRole.TENANT_MANAGER)

Thing = TypeVar("Thing")


class Tape:
    """Choices, read from bytes; once they are used up, the first of everything."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def below(self, bound: int) -> int:
        """A number from 0 to below the bound, which a few more bits than it needs make even enough."""
        size = (bound.bit_length() + 11) // 8
        taken, self.data = self.data[:size], self.data[size:]
        return int.from_bytes(taken) % bound

    def up_to(self, most: int) -> range:
        """So many times."""
        return range(self.below(most + 1))

    def chance(self, of: int) -> bool:
        """True once in so many times."""
        return self.below(of) == of - 1

    def one(self, things: Sequence[Thing]) -> Thing:
        return things[self.below(len(things))]

    def some(self, things: Sequence[Thing], *, of: int = 2) -> list[Thing]:
        """A subset that takes every second, fourth or eighth thing."""
        mask = self.below(1 << len(things))
        while of > 2:
            mask, of = mask & self.below(1 << len(things)), of // 2
        return [thing for i, thing in enumerate(things) if mask >> i & 1]


def some_permissions(tape: Tape, ceiling: Permission) -> Permission:
    """An arbitrary subset of what a custom role may hold."""
    return union(tape.some(list(ceiling), of=tape.one((2, 4))))


def name_principals(tape: Tape, tenant: str) -> list[Principal]:
    """Users, an application, and security groups that overlap, a few of them removed though rows still name them."""
    groups = [f"g{i}" for i in tape.up_to(2)]
    kinds = {f"u{i}": PrincipalKind.USER for i in range(1 + tape.below(2))}
    if tape.chance(3):
        kinds["app"] = PrincipalKind.APPLICATION
    removed = tape.some([*kinds, *groups], of=8)
    actors = [
        Principal(tenant, name, kind, frozenset(tape.some(groups)), name in removed) for name, kind in kinds.items()
    ]
    return [*actors, *(Principal(tenant, group, PrincipalKind.GROUP, removed=group in removed) for group in groups)]


def build(tape: Tape, tenant: str) -> tuple[list[Room], list[RoomGroup], list[UpdateRing]]:
    """Rooms, a few of them retired though links still point at them, in overlapping groups and in rings."""
    names = [f"r{i}" for i in tape.up_to(8)]
    retired, in_ring = tape.some(names, of=4), tape.some(names)
    rooms = [Room(tenant, name, f"k{int(name in in_ring)}", name in retired) for name in names]
    groups = [RoomGroup(tenant, f"h{i}", frozenset(tape.some(names))) for i in tape.up_to(3)]
    return rooms, groups, [UpdateRing(tenant, f"k{i}") for i in range(3)]


class Making:
    """A world as it grows."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.world = World(NOW, list(TENANTS[: 2 + tape.below(3)]))
        for tenant in self.world.tenants:
            self.world.principals.extend(name_principals(tape, tenant))
            rooms, groups, rings = build(tape, tenant)
            self.world.rooms.extend(rooms)
            self.world.room_groups.extend(groups)
            self.world.rings.extend(rings)

    def others(self, tenant: str) -> list[str]:
        return [other for other in self.world.tenants if other != tenant]

    def principals(self, tenant: str) -> list[str]:
        return [each.id for each in self.world.principals if each.tenant == tenant]

    def next_id(self, letters: str, tenant: str, things: Sequence[Any]) -> str:
        """Numbered by tenant and letters, so that ids repeat from tenant to tenant."""
        return f"{letters}{sum(1 for each in things if each.tenant == tenant and each.id.startswith(letters))}"

    def members(self, tenant: str) -> frozenset[Key]:
        """Principals of a tenant; rarely also a stray one of another tenant, who must gain nothing by it."""
        members: set[Key] = {(tenant, each) for each in self.tape.some(self.principals(tenant))}
        if self.tape.chance(6):
            stranger = self.tape.one(self.others(tenant))
            members.add((stranger, self.tape.one(self.principals(stranger))))
        return frozenset(members)

    def add_role(self, tenant: str, permissions: Permission, *, of: str | None, built_in: BuiltInRole | None) -> Role:
        role = Role(tenant, self.next_id("e", tenant, self.world.roles), permissions, of, built_in)
        self.world.roles.append(role)
        return role

    def add_assignment(
        self, role: Role, members: frozenset[Key], letters: str, *, scoped: bool, all_rooms: bool
    ) -> Assignment:
        """Over rooms and groups, which may be none, may overlap and may be retired."""
        rooms = [each.id for each in self.world.rooms if each.tenant == role.tenant]
        groups = [each.id for each in self.world.room_groups if each.tenant == role.tenant]
        assignment = Assignment(
            role.tenant,
            self.next_id(letters, role.tenant, self.world.assignments),
            role.id,
            role.partnership,
            all_rooms,
            members,
            frozenset(self.tape.some(rooms, of=self.tape.one((2, 4, 8)))) if scoped else frozenset(),
            frozenset(self.tape.some(groups, of=self.tape.one((2, 4)))) if scoped else frozenset(),
        )
        self.world.assignments.append(assignment)
        return assignment

    def settle(self, tenant: str) -> None:
        """The tenant's own roles and who holds them."""
        roles = [self.add_role(tenant, role.permissions, of=None, built_in=role) for role in CUSTOMER_ROLES]
        roles += [
            self.add_role(tenant, some_permissions(self.tape, CUSTOM_CEILING), of=None, built_in=None)
            for _ in self.tape.up_to(2)
        ]
        for _ in self.tape.up_to(5):
            role = self.tape.one(roles)
            is_everywhere = role.built_in is BuiltInRole.MANAGER or (not role.built_in and self.tape.chance(4))
            is_scoped = not is_everywhere and role.built_in is not BuiltInRole.TENANT_MANAGER
            self.add_assignment(role, self.members(tenant), "s", scoped=is_scoped, all_rooms=is_everywhere)

    def link(self, customer: str, partner: str) -> None:
        """A history of partnerships, at most the last one active, each with what the partner's people hold in it.

        A stray `all_rooms` gives a partner nothing: its rooms are those that the customer named. Assignments are
        numbered by partner, so that one partner's people hold namesakes at several customers, delegations too.
        """
        letters = f"s{partner}"
        for active in self.tape.one(HISTORIES):
            this = self.next_id("p", customer, self.world.partnerships)
            admins = self.add_role(customer, PARTNER_CEILING, of=this, built_in=BuiltInRole.PRIMARY_ADMIN)
            delegation = self.add_assignment(
                admins, self.members(partner), letters, scoped=True, all_rooms=self.tape.chance(8)
            )
            self.world.partnerships.append(Partnership(customer, this, partner, active, delegation.id))
            for _ in self.tape.up_to(2):
                role = self.add_role(customer, some_permissions(self.tape, PARTNER_CEILING), of=this, built_in=None)
                for _ in self.tape.up_to(2):
                    self.add_assignment(
                        role, self.members(partner), letters, scoped=True, all_rooms=self.tape.chance(8)
                    )

    def invite(self, customer: str) -> None:
        """Invitations in all states, whose time is over, just over, or not yet; one open for each partner."""
        people = [None, *(each for each in self.principals(customer) if each.startswith("u"))]
        open_to: set[str] = set()
        for _ in self.tape.up_to(4):
            partner = self.tape.one(self.others(customer))
            is_open = partner not in open_to and self.tape.chance(2)
            open_to |= {partner} if is_open else set()
            state = InvitationState.PENDING if is_open else self.tape.one(CLOSED)
            self.world.invitations.append(
                Invitation(
                    customer,
                    self.next_id("i", customer, self.world.invitations),
                    partner,
                    state,
                    NOW + self.tape.one(AROUND_NOW),
                    self.tape.one(people),
                )
            )

    def hold(self, customer: str) -> None:
        """Held changes in any of the customer's partnerships, by people of the partner, some decided."""
        for partnership in [each for each in self.world.partnerships if each.tenant == customer]:
            askers = [(partnership.partner, each) for each in self.principals(partnership.partner)]
            deciders = [None, *((customer, each) for each in self.principals(customer)), *askers]
            for _ in self.tape.up_to(1) if askers else ():
                this = self.next_id("q", customer, self.world.approval_requests)
                self.world.approval_requests.append(
                    ApprovalRequest(customer, this, partnership.id, self.tape.one(askers), self.tape.one(deciders))
                )

    def act(self, tenant: str) -> None:
        """Entries of a tenant's record, by its own people, by partners, and by the system."""
        partners = {each.partner for each in self.world.partnerships if each.tenant == tenant}
        people: list[Key] = [(side, each) for side in sorted({tenant, *partners}) for each in self.principals(side)]
        approvers = [None, *self.principals(tenant)]
        for _ in self.tape.up_to(3):
            this = self.next_id("a", tenant, self.world.audit_entries)
            age = AGES[len(self.world.audit_entries) % len(AGES)]
            self.world.audit_entries.append(
                AuditEntry(tenant, this, self.tape.one([None, *people]), self.tape.one(approvers), age)
            )


def read_world(tape: Tape) -> World:
    """A small world: two to four tenants, any of them customer, partner or both."""
    making = Making(tape)
    tenants = making.world.tenants
    for tenant in tenants:
        making.settle(tenant)
    for customer in tenants:
        for partner in tape.some(making.others(customer)):
            making.link(customer, partner)
    for tenant in tenants:
        making.invite(tenant)
        making.act(tenant)
        making.hold(tenant)
    return making.world


def read_askers(tape: Tape, world: World) -> list[Asker]:
    """Everyone who might ask: all people and applications, and a stranger that nothing is stored of.

    Some come with directory roles, which a token of an application could claim too.
    """
    actors = [(each.tenant, each.id, each.kind) for each in world.principals if each.kind is not PrincipalKind.GROUP]
    strangers = [(tape.one([*world.tenants, UNREGISTERED]), "u9", PrincipalKind.USER)]
    askers = []
    for tenant, name, kind in [*actors, *strangers]:
        roles = tape.some(list(DirectoryRole), of=4) if tape.chance(4) else []
        askers.append(Asker(tenant, name, kind, frozenset(roles)))
    return askers


def read(data: bytes) -> tuple[World, list[Asker]]:
    tape = Tape(data)
    world = read_world(tape)
    return world, read_askers(tape, world)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[World, list[Asker]]:
    """A small world, with everyone who might ask."""
    return read(draw(st.binary(min_size=TAPE, max_size=TAPE)))


def sample_worlds(count: int, number: int) -> list[tuple[World, list[Asker]]]:
    """That many worlds with their people, the same ones every time for the same number."""
    sample: list[tuple[World, list[Asker]]] = []

    @seed(number)
    @settings(max_examples=count, phases=[Phase.generate])
    @given(worlds())
    def collect(example: tuple[World, list[Asker]]) -> None:
        sample.append(example)

    collect()
    return sample


# --- writing a world ------------------------------------------------------------------------------------------------


@cache
def blank(table: type[SQLModel]) -> dict[str, Any]:
    """The defaults of a table, which a Core insert would not know; other text that has to be there is empty."""
    columns = tables.metadata.tables[str(table.__tablename__)].columns
    empty = {column.name: "" for column in columns if not column.nullable and isinstance(column.type, String)}
    known = {name: value for name, value in table.model_construct().model_dump().items() if value is not None}
    return {**dict.fromkeys(columns.keys()), **empty, **known}


def row(table: type[SQLModel], **values: Any) -> tuple[type[SQLModel], dict[str, Any]]:
    return table, {**blank(table), **values}


def named(tenant: str, key: str) -> dict[str, str]:
    """The key, and a name made of it."""
    return {"tenant_id": tenant, "id": key, "name": key, "name_key": key}


def rows(world: World) -> Iterator[tuple[type[SQLModel], dict[str, Any]]]:
    """Every row of a world."""
    for tenant in world.tenants:
        yield row(tables.Tenant, id=tenant, name=tenant, name_key=tenant, created_at=NOW)
    yield from directory_rows(world)
    yield from room_rows(world)
    yield from partnership_rows(world)
    yield from role_rows(world)
    yield from request_rows(world)
    for number, entry in enumerate(world.audit_entries):
        user_tenant, user = entry.user or (None, None)
        yield row(
            tables.AuditEntry,
            tenant_id=entry.tenant,
            id=entry.id,
            sequence=number,
            creation_time=NOW - entry.age,
            category=AuditCategory.ROOM,
            operation=AuditOperation.UPDATE,
            action="room.update",
            result_status=AuditResult.SUCCESSFUL,
            user_tenant_id=user_tenant,
            user_id=user,
            approved_by_id=entry.approved_by,
        )


def directory_rows(world: World) -> Iterator[tuple[type[SQLModel], dict[str, Any]]]:
    for each in world.principals:
        removed_at = NOW if each.removed else None
        yield row(
            tables.Principal, **named(each.tenant, each.id), kind=each.kind, created_at=NOW, removed_at=removed_at
        )
        for group in each.groups:
            yield row(tables.GroupMember, tenant_id=each.tenant, group_id=group, member_id=each.id)


def room_rows(world: World) -> Iterator[tuple[type[SQLModel], dict[str, Any]]]:
    for number, ring in enumerate(world.rings):
        days = {"rollout_days": 1, "test_days": 1, "deferment_days": 0}
        yield row(tables.UpdateRing, **named(ring.tenant, ring.id), position=number % 9 + 1, **days)
    for room in world.rooms:
        yield row(
            tables.Room,
            **named(room.tenant, room.id),
            account=room.id,
            account_key=room.id,
            ring_id=room.ring,
            created_at=NOW,
            updated_at=NOW,
            retired_at=NOW if room.retired else None,
        )
    for group in world.room_groups:
        yield row(tables.RoomGroup, **named(group.tenant, group.id))
        for member in group.rooms:
            yield row(tables.RoomGroupRoom, tenant_id=group.tenant, group_id=group.id, room_id=member)


def partnership_rows(world: World) -> Iterator[tuple[type[SQLModel], dict[str, Any]]]:
    for each in world.partnerships:
        yield row(
            tables.Partnership,
            tenant_id=each.tenant,
            id=each.id,
            partner_tenant_id=each.partner,
            state=PartnershipState.ACTIVE if each.active else PartnershipState.REMOVED,
            delegation_id=each.delegation,
            established_at=NOW,
            removed_at=None if each.active else NOW,
        )
    for invitation in world.invitations:
        yield row(
            tables.Invitation,
            tenant_id=invitation.tenant,
            id=invitation.id,
            partner_tenant_id=invitation.partner,
            partner_domain="partner.example",
            state=invitation.state,
            sent_at=NOW - timedelta(days=1),
            sent_by_id=invitation.sent_by,
            expires_at=invitation.expires_at,
            closed_at=None if invitation.state is InvitationState.PENDING else NOW,
        )


def request_rows(world: World) -> Iterator[tuple[type[SQLModel], dict[str, Any]]]:
    for request in world.approval_requests:
        decider_tenant, decider = request.decider or (None, None)
        yield row(
            tables.ApprovalRequest,
            tenant_id=request.tenant,
            id=request.id,
            partnership_id=request.partnership,
            event=Permission.ROOMS_MODIFY,
            mutation="updateRoom",
            digest=request.id,
            requester_tenant_id=request.requester[0],
            requester_id=request.requester[1],
            requested_at=NOW,
            expires_at=NOW,
            decider_tenant_id=decider_tenant,
            decider_id=decider,
        )


def role_rows(world: World) -> Iterator[tuple[type[SQLModel], dict[str, Any]]]:
    for role in world.roles:
        yield row(
            tables.Role,
            **named(role.tenant, role.id),
            partnership_id=role.partnership,
            built_in=role.built_in,
            permissions=role.permissions | NOTHING,
        )
    for each in world.assignments:
        yield row(
            tables.Assignment,
            **named(each.tenant, each.id),
            role_id=each.role,
            partnership_id=each.partnership,
            all_rooms=each.all_rooms,
        )
        this = {"tenant_id": each.tenant, "assignment_id": each.id}
        for tenant, member in each.members:
            yield row(tables.AssignmentMember, **this, member_tenant_id=tenant, member_id=member)
        for room in each.rooms:
            yield row(tables.AssignmentRoom, **this, room_id=room)
        for group in each.groups:
            yield row(tables.AssignmentGroup, **this, group_id=group)


async def write(connection: AsyncConnection, world: World) -> None:
    """Insert every row of a world; the connection needs the option `work`, or no tripwire."""
    by_table: dict[str, list[dict[str, Any]]] = {}
    for table, values in rows(world):
        by_table.setdefault(str(table.__tablename__), []).append(values)
    for target in tables.metadata.sorted_tables:
        if target.name in by_table:
            await connection.execute(insert(target), by_table[target.name])
