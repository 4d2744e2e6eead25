"""Worlds of growing sizes: larger tenants, larger scopes, and more customers of one partner."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial

from app.access.viewer import Viewer
from app.bench.delegations import delegate, members_of
from app.bench.loading import Progress, settle
from app.bench.making import SEED, Maker, Organization
from app.bench.rooms import add_rooms, name_of, room_id
from app.bench.seeded_ids import SeededIds
from app.bench.world import GROUPS_PER_SCOPE, MADE_BEFORE
from app.domain.ids import GlobalId
from app.storage.engines import Database

PEOPLE = 5
"""Of each organization."""


class Axis(StrEnum):
    """What grows."""

    TENANT = "tenant"
    """Rooms of the customer; the partner who asks has as many of them as before."""
    WHOLE = "whole"
    """Rooms of the organization, asked by its Manager, who sees all of them."""
    SCOPE = "scope"
    """Rooms of the partner who asks, of one and the same customer."""
    CUSTOMERS = "customers"
    """Customers of the partner who asks, each with as many rooms."""


@dataclass(frozen=True)
class Stage:
    """One size along an axis, who asks there, and what for."""

    axis: Axis
    size: int
    viewer: Viewer
    room: str
    """The global id of a room that they see."""
    search: str
    """A word that the names of some of their rooms begin with."""


@dataclass(frozen=True)
class GrowthSizes:
    """How far everything grows. Each is a count."""

    tenants: Sequence[int] = (10_000, 100_000, 1_000_000)
    """Rooms of a customer, of which a partner has `scope`."""
    scope: int = 500
    scopes: Sequence[int] = (10, 500, 50_000)
    """Rooms of several partners of one customer, which has twice as many as the largest."""
    customers: Sequence[int] = (1, 20, 500)
    """Customers of one partner."""
    each: int = 20
    """Rooms that each of them delegates to it, of twice as many."""

    @property
    def group_size(self) -> int:
        """Rooms in each room group."""
        return max(self.scope // GROUPS_PER_SCOPE, 1)


QUICK_GROWTH = GrowthSizes(tenants=(500, 2_000), scope=50, scopes=(10, 200), customers=(1, 4), each=10)
"""For a look whether everything works."""
Make = Callable[[Maker], Awaitable[list["Asker"]]]


@dataclass(frozen=True)
class Asker:
    """Somebody who asks at one size, with a room that they see."""

    axis: Axis
    size: int
    viewer: Viewer
    customer: Organization
    place: int
    """Of the room."""


@dataclass(frozen=True)
class Growth:
    """What is made in one database."""

    name: str
    make: Make

    async def fill(self, database: Database, now: datetime, on_progress: Progress) -> list[Stage]:
        """Who asks in it, once it is made."""
        ids = SeededIds(now - MADE_BEFORE, SEED)
        async with Maker.begin(database, ids.moment, ids, on_progress) as maker:
            askers = await self.make(maker)
        await settle(database)
        return [stage_of(maker, asker) for asker in askers]


def growths(sizes: GrowthSizes) -> Iterator[Growth]:
    """What is made in each of the databases."""
    for rooms in sizes.tenants:
        yield Growth(f"tenant_{rooms}", partial(make_tenant, sizes=sizes, rooms=rooms))
    if sizes.scopes:
        yield Growth("scopes", partial(make_scopes, sizes=sizes))
    if sizes.customers:
        yield Growth("customers", partial(make_customers, sizes=sizes))


async def make_tenant(maker: Maker, sizes: GrowthSizes, rooms: int) -> list[Asker]:
    """A customer with so many rooms, and a partner in the middle of them."""
    customer = await maker.organization("Contoso", "customer", PEOPLE)
    await add_rooms(maker, customer, rooms, sizes.group_size)
    middle = range((rooms - sizes.scope) // 2, (rooms + sizes.scope) // 2)
    admin = await add_partner(maker, customer, "partner", middle, sizes.group_size)
    manager = Viewer(customer.id, customer.manager)
    place = middle[len(middle) // 2]
    return [Asker(Axis.TENANT, rooms, admin, customer, place), Asker(Axis.WHOLE, rooms, manager, customer, place)]


async def make_scopes(maker: Maker, sizes: GrowthSizes) -> list[Asker]:
    """A customer with a partner for each size of a scope."""
    customer = await maker.organization("Contoso", "customer", PEOPLE)
    await add_rooms(maker, customer, 2 * max(sizes.scopes), sizes.group_size)
    return [
        Asker(
            Axis.SCOPE,
            size,
            await add_partner(maker, customer, f"partner-{size}", range(size), sizes.group_size),
            customer,
            size // 2,
        )
        for size in sizes.scopes
    ]


async def make_customers(maker: Maker, sizes: GrowthSizes) -> list[Asker]:
    """A partner for each number of customers, with those."""
    return [await add_customers(maker, sizes.each, number) for number in sizes.customers]


async def add_customers(maker: Maker, each: int, number: int) -> Asker:
    """A partner with so many customers, who delegate to the same people."""
    partner = await maker.organization("Blue House", f"partner-of-{number}", PEOPLE, is_partner=True)
    for place in range(number):
        customer = await maker.organization(f"Contoso {place + 1}", f"customer-{number}-{place + 1}", PEOPLE)
        await add_rooms(maker, customer, 2 * each, each)
        await delegate(maker, customer, partner, range(each), each, 0)
    return Asker(Axis.CUSTOMERS, number, admin_of(partner), customer, each // 2)


async def add_partner(maker: Maker, customer: Organization, label: str, rooms: range, group_size: int) -> Viewer:
    """A partner of the customer that has these rooms. Its Primary admin."""
    partner = await maker.organization("Blue House", label, PEOPLE, is_partner=True)
    await delegate(maker, customer, partner, rooms, group_size, 0)
    return admin_of(partner)


def admin_of(partner: Organization) -> Viewer:
    """Its Primary admin at every customer."""
    return Viewer(partner.id, members_of(partner, 0)[0].id)


def stage_of(maker: Maker, asker: Asker) -> Stage:
    """What is asked for at this size."""
    room = GlobalId("room", asker.customer.id, room_id(maker, asker.customer, asker.place))
    return Stage(asker.axis, asker.size, asker.viewer, str(room), name_of(asker.place).split()[0])
