"""The world that the five documents are asked in: one customer, its rooms, its partners and a long record."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.access.viewer import Viewer
from app.bench.delegations import delegate, members_of
from app.bench.loading import Progress, settle, tell_nobody
from app.bench.making import SEED, Maker, Organization
from app.bench.places import PARTNERS
from app.bench.record import Delegated, add_entries
from app.bench.rooms import add_rooms, room_id
from app.bench.seeded_ids import SeededIds
from app.domain.ids import GlobalId
from app.storage.engines import Database

MADE_BEFORE, ENDS_BEFORE = timedelta(days=100), timedelta(minutes=5)
"""How long before the bench the organizations were added, and the last line of the record was written."""
GROUPS_PER_SCOPE = 5
"""Room groups that a partner's rooms are in."""


@dataclass(frozen=True)
class Sizes:
    """How much of everything there is. Each is a count."""

    rooms: int = 10_000
    partners: int = 20
    rooms_per_partner: int = 500
    custom_roles: int = 4
    """Of each partner, beside the Primary admins."""
    people: int = 25
    """Of each organization."""
    audit_entries: int = 100_000

    @property
    def group_size(self) -> int:
        """Rooms in each group."""
        return max(self.rooms_per_partner // GROUPS_PER_SCOPE, 1)

    def window(self, partner: int) -> range:
        """Places of the rooms that a partner has; partners share rooms only where there are not enough."""
        start = partner * self.rooms_per_partner % max(self.rooms - self.rooms_per_partner + 1, 1)
        return range(start, min(start + self.rooms_per_partner, self.rooms))


QUICK = Sizes(rooms=400, partners=4, rooms_per_partner=50, people=10, audit_entries=600)
"""For a look whether everything works."""


@dataclass(frozen=True)
class World:
    """Who asks in it, and for what."""

    manager: Viewer
    """The customer's Manager."""
    admin: Viewer
    """A Primary admin of the first partner."""
    room: str
    """The global id of a room that this partner has."""


async def make_world(database: Database, sizes: Sizes, now: datetime, on_progress: Progress = tell_nobody) -> World:
    """All of it, in a database that has its tables and nothing else."""
    ids = SeededIds(now - MADE_BEFORE, SEED)
    async with Maker.begin(database, ids.moment, ids, on_progress) as maker:
        customer = await maker.organization("Contoso", "customer", sizes.people)
        await add_rooms(maker, customer, sizes.rooms, sizes.group_size)
        delegated = [await add_partner(maker, customer, sizes, number) for number in range(sizes.partners)]
    async with Maker.begin(database, now - ENDS_BEFORE, ids, on_progress) as later:
        await add_entries(later, customer, sizes.rooms, delegated, sizes.audit_entries)
    await settle(database)
    first = delegated[0]
    room = str(GlobalId("room", customer.id, room_id(maker, customer, first.rooms[len(first.rooms) // 2])))
    admin = Viewer(first.partner.id, members_of(first.partner, 0)[0].id)
    return World(Viewer(customer.id, customer.manager), admin, room)


async def add_partner(maker: Maker, customer: Organization, sizes: Sizes, number: int) -> Delegated:
    """A partner with its rooms."""
    name, rooms = PARTNERS[number % len(PARTNERS)], sizes.window(number)
    partner = await maker.organization(name, f"partner-{number + 1:02d}", sizes.people, is_partner=True)
    row = await delegate(maker, customer, partner, rooms, sizes.group_size, sizes.custom_roles)
    return Delegated(partner, row, rooms)
