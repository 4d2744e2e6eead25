"""What the names in a world file mean: rows of the database, and whatever was seeded before."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic.alias_generators import to_camel
from sqlmodel import SQLModel, col, select

from app.access.scoping import unscoped
from app.domain.refusals import CommandRefused
from app.domain.text import name_key
from app.domain.vocabulary import PartnershipState, PrincipalKind
from app.operations.tenants import find_tenant
from app.operations.work import Work
from app.storage.graph_pages import BadFile, shown
from app.storage.tables import (
    ApprovalRequest,
    Assignment,
    AssignmentMember,
    GroupMember,
    Invitation,
    Partnership,
    Principal,
    Role,
    Room,
    RoomGroup,
    Tenant,
    UpdateRing,
)
from app.storage.world_entries import Entry, World

Row = TypeVar("Row", bound=SQLModel)
NAMED_TABLES: tuple[type[SQLModel], ...] = (
    Principal,
    UpdateRing,
    RoomGroup,
    Partnership,
    Invitation,
    Role,
    Assignment,
    ApprovalRequest,
)
WORDS = {
    Principal: "a person, security group or application",
    UpdateRing: "an update ring",
    RoomGroup: "a room group",
    Partnership: "a partnership",
    Invitation: "an invitation",
    Role: "a role",
    Assignment: "an assignment",
}
TENANT_FIELDS = ("tenant", "customer", "partner")


def refusal(entry: Entry, field: str, expected: str, got: object) -> BadFile:
    """Why the file is refused: where, what was expected, what is there."""
    return BadFile([f"{entry.place}: {to_camel(field)}: expected {expected}, got {shown(got)}"])


def keys_of(row: Any) -> list[tuple[str, str]]:
    """Whose the row is, and what it is called there."""
    match row:
        case Principal():
            return [(row.tenant_id, row.name_key), (row.tenant_id, row.id)]
        case Partnership() | Invitation():
            return [(row.tenant_id, f"{row.partner_tenant_id} {row.state.value}")]
        case Role():
            return [(row.partnership_id or row.tenant_id, row.name_key)]
        case Assignment():
            return [(row.role_id, row.name_key)]
        case ApprovalRequest():
            return [(row.partnership_id, row.id)]
        case _:
            return [(row.tenant_id, row.name_key)]


class Names:
    """The tenants that a world speaks of, and everything in them that has a name."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.tenants: dict[str, Tenant] = {}
        self._rows: defaultdict[tuple[type[SQLModel], str, str], list[Any]] = defaultdict(list)
        self._rooms: dict[tuple[str, str], str | None] = {}

    async def load(self, world: World) -> None:
        """Learn the names in every tenant that the world mentions. Raises `BadFile` for a domain that nobody has."""
        for entry in world.entries():
            for field in TENANT_FIELDS:
                domain = getattr(entry, field, None)
                if domain is not None and domain not in self.tenants:
                    await self._load_tenant(entry, field, domain)

    async def _load_tenant(self, entry: Entry, field: str, domain: str) -> None:
        try:
            tenant = await find_tenant(self.work.session, domain)
        except CommandRefused:
            raise refusal(entry, field, "a domain of a tenant that is there or in these files", domain) from None
        is_known = tenant.id in {known.id for known in self.tenants.values()}
        self.tenants[domain] = tenant
        if not is_known:
            await self._load_rows(tenant.id)

    async def _load_rows(self, tenant_id: str) -> None:
        for table in NAMED_TABLES:
            for row in await self.read(select(table).where(table.tenant_id == tenant_id)):  # type: ignore[attr-defined]
                self.add(row)
        rooms = select(Room.account_key, Room.id, Room.retired_at).where(col(Room.tenant_id) == tenant_id)
        for account, room, retired in await self.read(rooms):
            self._rooms[tenant_id, account] = None if retired else room

    async def read(self, statement: Any) -> Iterable[Any]:
        """What this select answers, seen as the system."""
        found: Iterable[Any] = await self.work.session.exec(unscoped(statement, "a world is seeded for no viewer"))
        return found

    def add(self, row: SQLModel) -> None:
        """Let the row be known by its name."""
        for owner, key in keys_of(row):
            self._rows[type(row), owner, key].append(row)

    def claim(self, row: SQLModel, entry: Entry, field: str = "name") -> None:
        """Let a new row be known by its name. Raises `BadFile` if something is called so already."""
        if any(self._rows.get((type(row), owner, key)) for owner, key in keys_of(row)):
            raise refusal(entry, field, "something new", f"{getattr(entry, field)}, which is already there")
        self.add(row)

    def known(self, table: type[Row], owner: str, name: str) -> list[Row]:
        """The rows that are called so."""
        return self._rows.get((table, owner, name), []) or self._rows.get((table, owner, name_key(name)), [])

    def find(self, table: type[Row], owner: str, name: str, entry: Entry, field: str) -> Row:
        """The one row that is called so. Raises `BadFile` if there is none, or more than one."""
        rows = self.known(table, owner, name)
        if len(rows) == 1:
            return rows[0]
        what = f"the name of {WORDS[table]} of the right tenant" if not rows else "a name that only one has, or its id"
        raise refusal(entry, field, what, name)

    def all(self, table: type[Row], owner: str) -> list[Row]:
        """Everything of this kind that the owner has."""
        rows = (row for (kind, of, _), found in self._rows.items() for row in found if kind is table and of == owner)
        return list({row.id: row for row in rows}.values())

    def partnership(self, entry: Any) -> Partnership:
        """The active partnership of the entry's customer and partner. Raises `BadFile` if there is none."""
        customer, partner = self.tenants[entry.customer], self.tenants[entry.partner]
        for row in self.partnerships(customer.id, partner.id):
            if row.state is PartnershipState.ACTIVE:
                return row
        raise refusal(entry, "partner", f"a partner of {customer.name}", entry.partner)

    def partnerships(self, customer_id: str, partner_id: str) -> list[Partnership]:
        """All between these two, the active one first."""
        states = (PartnershipState.ACTIVE, PartnershipState.REMOVED)
        return [row for state in states for row in self.known(Partnership, customer_id, f"{partner_id} {state.value}")]

    def claim_room(self, tenant_id: str, room: Room, entry: Entry) -> None:
        """Let a new room be known by its account. Raises `BadFile` if there was ever one with it."""
        if (tenant_id, room.account_key) in self._rooms:
            raise refusal(entry, "account", "a new one", f"{room.account}, which is already there")
        self._rooms[tenant_id, room.account_key] = room.id

    def rooms(self, tenant_id: str, entry: Any) -> list[str]:
        """The ids of the rooms that the entry names. Raises `BadFile` for one that is not there, or retired."""
        for account in entry.rooms:
            if self._rooms.get((tenant_id, name_key(account))) is None:
                raise refusal(entry, "rooms", "accounts of rooms of the right tenant", account)
        found = (self._rooms[tenant_id, name_key(account)] for account in entry.rooms)
        return list(dict.fromkeys(room for room in found if room))

    def groups(self, tenant_id: str, entry: Any) -> list[str]:
        """The ids of the room groups that the entry names. Raises `BadFile` for one that is not there."""
        found = (self.find(RoomGroup, tenant_id, name, entry, "groups").id for name in entry.groups)
        return list(dict.fromkeys(found))

    def principals(self, tenant_id: str, entry: Any, field: str) -> list[Principal]:
        """Those whom this field of the entry names. Raises `BadFile` for someone who is not there."""
        found = (self.find(Principal, tenant_id, name, entry, field) for name in getattr(entry, field))
        return list({row.id: row for row in found}.values())

    async def members(self, assignment: Assignment) -> Iterable[AssignmentMember]:
        """Who holds the assignment."""
        return await self.read(
            select(AssignmentMember).where(
                col(AssignmentMember.tenant_id) == assignment.tenant_id,
                col(AssignmentMember.assignment_id) == assignment.id,
            )
        )

    async def users(self, members: Iterable[Principal]) -> set[str]:
        """The ids of the users among these and in their groups (domain.md 7 #34)."""
        in_groups = (
            select(Principal)
            .join(
                GroupMember,
                (col(GroupMember.tenant_id) == Principal.tenant_id) & (GroupMember.member_id == Principal.id),
            )
            .where(col(GroupMember.group_id).in_([member.id for member in members]))
        )
        everyone = [*members, *await self.read(in_groups)]
        return {each.id for each in everyone if each.kind is PrincipalKind.USER and each.removed_at is None}
