"""The floor answers what the gateway answers, byte for byte and to everybody, so that comparing them is fair."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import and_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.applications import Starlette

from app.access.tripwire import arm
from app.access.viewer import Viewer
from app.bench.benches import find_digests
from app.bench.floor.serving import create_floor, path_of
from app.bench.floor.statements import FOLDER as FILES
from app.bench.floor.statements import STATEMENTS
from app.bench.making import SEED
from app.bench.queries import QUERIES, QueryName
from app.bench.seeded_ids import SeededIds
from app.bench.world import MADE_BEFORE, Sizes, World, make_world
from app.config import Settings
from app.domain.permissions import BuiltInRole, DirectoryRole, Permission
from app.main import create_app
from app.operations.seeding_partners import ASSIGNED_ADMINS
from app.storage.engines import Database
from app.storage.tables import (
    Assignment,
    AssignmentGroup,
    AssignmentMember,
    AssignmentRoom,
    Partnership,
    Role,
    Room,
    Tenant,
)
from app.web.development_issuer import DevelopmentIssuer
from app.web.tokens import Claims
from tests.bench.test_world import NOW
from tests.conftest import ENGINES, Databases

SIZES = Sizes(rooms=300, partners=3, rooms_per_partner=60, people=10, audit_entries=400)
IDS = SeededIds(NOW - MADE_BEFORE, SEED)
CUSTOMER, PARTNER = IDS.of("tenant", "customer"), IDS.of("tenant", "partner-01")
NOWHERE = IDS.of("tenant", "nowhere")


def room(index: int) -> str:
    return IDS.of("room", "customer.example", index)


def user(name: str) -> Viewer:
    label = name.rsplit("-", 2)[0]
    return Viewer(IDS.of("tenant", label), IDS.of("user", name))


def with_role(role: DirectoryRole, label: str = "customer") -> Viewer:
    return Viewer(IDS.of("tenant", label), IDS.of("nobody", role), directory_roles=frozenset({role}))


ADMIN, MANAGER = user("partner-01-technician-1"), Viewer(CUSTOMER, IDS.of("manager", "customer"))
LEAD, BLIND = user("customer-technician-1"), user("customer-planner-3")
STRANGE_ROOMS: dict[int, dict[str, object]] = {
    5: {"retired_at": NOW},
    51: {"name": 'A "quoted" \\ room\u0001\n\u007f 🏢', "building": None, "capacity": None},
}
PEOPLE = {
    "the Manager, who is also a site lead": MANAGER,
    "a Primary admin": ADMIN,
    "a Primary admin through a group": user("partner-01-planner-3"),
    "a member of custom roles": user("partner-01-technician-6"),
    "a Primary admin of another partner": user("partner-02-technician-1"),
    "a Primary admin of a partner that was removed": user("partner-03-technician-1"),
    "a site lead of the customer": LEAD,
    "somebody whose role shows no rooms": BLIND,
    "somebody of the customer without a role": user("customer-auditor-10"),
    "somebody of nowhere": Viewer(NOWHERE, IDS.of("user", "nobody")),
    "the partner's Manager": Viewer(PARTNER, IDS.of("manager", "partner-01")),
    "a global administrator": with_role(DirectoryRole.GLOBAL_ADMINISTRATOR),
    "a global reader": with_role(DirectoryRole.GLOBAL_READER),
    "a Teams administrator": with_role(DirectoryRole.TEAMS_ADMINISTRATOR),
    "a global reader of the partner": with_role(DirectoryRole.GLOBAL_READER, "partner-01"),
}
ASKED = [(name, person) for name in QUERIES for person in PEOPLE if name != "node"]
ROOMS = {
    "one that is delegated by itself": room(50),
    "one that is delegated in a group": room(3),
    "one of another partner": room(70),
    "one that is retired": room(5),
    "one with a strange name": room(51),
    "one that only a custom role names": room(75),
    "one of the partner that was removed": room(130),
    "one that does not exist": IDS.of("room", "elsewhere", 1),
}


async def arrange(address: str) -> None:
    """Add what the bench's world has none of, and every rule is about."""
    async with Database(address) as database, database.writing() as session:
        session.add(Tenant(id=NOWHERE, name="Nowhere", name_key="nowhere", created_at=NOW))
        for index, values in STRANGE_ROOMS.items():
            await session.exec(update(Room).where(col(Room.id) == room(index)).values(values))
        removed = IDS.of("partnership", "customer.example", "partner-03.example")
        await session.exec(update(Partnership).where(col(Partnership.id) == removed).values(state="REMOVED"))
        is_lead = and_(col(Role.tenant_id) == CUSTOMER, col(Role.built_in) == BuiltInRole.SITE_LEAD)
        await assign(session, (await session.exec(select(Role).where(is_lead))).one(), LEAD, MANAGER)
        reports = Permission.REPORTS_VIEW | Permission.ROLES_VIEW
        blind = Role(
            tenant_id=CUSTOMER, id=IDS.of("test", "blind"), name="Blind", name_key="blind", permissions=reports
        )
        session.add(blind)
        await session.flush()
        await assign(session, blind, BLIND)
        await name_a_room_that_was_not_delegated(session)
        await session.commit()


async def assign(session: AsyncSession, role: Role, *members: Viewer) -> None:
    """Give a role of the customer to its people, over a group and a room."""
    made = IDS.of("test", role.name)
    session.add(Assignment(tenant_id=CUSTOMER, id=made, role_id=role.id, name="Site", name_key="site"))
    await session.flush()
    link = {"tenant_id": CUSTOMER, "assignment_id": made}
    for member in members:
        session.add(AssignmentMember(**link, member_tenant_id=CUSTOMER, member_id=member.principal_id))
    session.add(AssignmentGroup(**link, group_id=IDS.of("group of rooms", "customer.example", 9)))
    session.add(AssignmentRoom(**link, room_id=room(200)))


async def name_a_room_that_was_not_delegated(session: AsyncSession) -> None:
    """In the scope of each custom role of a partner."""
    partnership = IDS.of("partnership", "customer.example", "partner-01.example")
    custom = and_(col(Assignment.partnership_id) == partnership, col(Assignment.name) != ASSIGNED_ADMINS)
    for assignment in await session.exec(select(Assignment.id).where(custom)):
        session.add(AssignmentRoom(tenant_id=CUSTOMER, assignment_id=assignment, room_id=room(75)))


@dataclass(frozen=True)
class Both:
    """The floor and the gateway over one database."""

    world: World
    floor: httpx.AsyncClient
    gateway: httpx.AsyncClient
    issuer: DevelopmentIssuer

    async def answers(self, name: str, viewer: Viewer, room_id: str | None = None) -> tuple[bytes, bytes]:
        query = QUERIES[QueryName(name)]
        variables = query.variables(self.world) if room_id is None else {"id": room_id}
        floor = await self.floor.get(path_of(name, viewer, str(variables.get("id", ""))))
        body = {"query": query.document, "variables": variables}
        headers = {"Authorization": f"Bearer {self.token(viewer)}"}
        gateway = await self.gateway.post("/graphql", json=body, headers=headers)
        assert floor.status_code == gateway.status_code == 200, (floor.text, gateway.text)
        return floor.content, gateway.content

    def token(self, viewer: Viewer) -> str:
        until = NOW + timedelta(hours=1)
        names: dict[str, Any] = {"display_name": "somebody", "user_principal_name": None, "guest": False}
        who = (viewer.tenant_id, viewer.principal_id, viewer.kind, viewer.directory_roles)
        claims = Claims(*who, **names, expires_at=until)
        return self.issuer.token(claims, NOW)


@asynccontextmanager
async def opened(address: str, world: World, issuer: DevelopmentIssuer) -> AsyncIterator[Both]:
    """Both, until the context ends."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(address))
        floor = create_floor(address, await find_digests(address, world, issuer.folder), lambda: NOW)
        await stack.enter_async_context(floor.router.lifespan_context(floor))
        gateway = create_app(Settings(), arm(database), issuer.verifier, lambda: NOW)
        clients = [await stack.enter_async_context(client_of(each)) for each in (floor, gateway)]
        yield Both(world, clients[0], clients[1], issuer)


def client_of(app: Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bench")


@pytest.fixture(scope="module")
async def both_of(
    migrated: dict[str, str], databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, Both]]:
    issuer = DevelopmentIssuer(tmp_path_factory.mktemp("issuer"), Settings().token_scope)
    async with AsyncExitStack() as stack:
        made = {}
        for engine in ENGINES:
            address = await databases.copy(engine, "floor", "template")
            async with Database(address) as database:
                world = await make_world(arm(database), SIZES, NOW)
            await arrange(address)
            made[engine] = await stack.enter_async_context(opened(address, world, issuer))
        yield made


@pytest.fixture
def both(engine: str, both_of: dict[str, Both]) -> Both:
    return both_of[engine]


@pytest.mark.parametrize("name, person", ASKED)
async def test_the_floor_answers_the_same_bytes(name: str, person: str, both: Both) -> None:
    floor, gateway = await both.answers(name, PEOPLE[person])

    assert floor.decode() == gateway.decode()


@pytest.mark.parametrize("person", PEOPLE)
async def test_the_floor_looks_up_the_same_rooms(person: str, both: Both) -> None:
    found = {which: await both.answers("node", PEOPLE[person], f"room_{CUSTOMER}_{ROOMS[which]}") for which in ROOMS}

    assert {which: floor.decode() for which, (floor, _) in found.items()} == {
        which: gateway.decode() for which, (_, gateway) in found.items()
    }


@pytest.mark.parametrize("identifier", ["", "room", "room_1_2", f"room_{CUSTOMER}", f"Room_{CUSTOMER}_{room(3)}"])
async def test_the_floor_looks_up_nothing_by_what_is_no_id_of_a_room(identifier: str, both: Both) -> None:
    floor, gateway = await both.answers("node", ADMIN, identifier)

    assert floor == gateway == b'{"data":{"node":null}}'


async def test_what_is_compared_differs_from_person_to_person(both: Both) -> None:
    """Else the tests above would compare empty answers."""
    seen = {person: (await both.answers("rooms", viewer))[0].count(b'"id":"room_') for person, viewer in PEOPLE.items()}

    assert seen["the Manager, who is also a site lead"] == seen["a global reader"] == 50
    assert seen["a Primary admin"] == seen["a Primary admin through a group"] == 50
    assert 0 < seen["a member of custom roles"] < 50
    assert 0 < seen["a site lead of the customer"] < 50
    assert seen["a Primary admin of a partner that was removed"] == 0
    assert seen["somebody of the customer without a role"] == seen["somebody of nowhere"] == 0
    roles = {
        person: (await both.answers("nested", viewer))[0].count(b'"id":"role_') for person, viewer in PEOPLE.items()
    }
    assert roles["the Manager, who is also a site lead"] == roles["a global administrator"] == 2 * 5
    assert roles["a global reader"] == roles["a Primary admin"] == 0
    entries = {
        person: (await both.answers("audit", viewer))[0].count(b'"sequence"') for person, viewer in PEOPLE.items()
    }
    assert entries["the Manager, who is also a site lead"] == entries["a global administrator"] == 100
    assert entries["a global reader"] == entries["a Primary admin"] == 0


async def test_both_engines_answer_the_same(both_of: dict[str, Both]) -> None:
    for name, query in QUERIES.items():
        answers = {(await both.answers(name, query.viewer(both.world)))[0] for both in both_of.values()}
        assert len(answers) == 1, name


def test_every_document_has_a_statement_on_each_engine() -> None:
    assert STATEMENTS.keys() == QUERIES.keys()
    for statement in STATEMENTS.values():
        assert all(statement.text(engine) for engine in ENGINES)


@pytest.mark.parametrize("path", sorted(FILES.glob("*/*.sql")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_numbers_in_a_statement_are_those_of_the_permissions(path: Path) -> None:
    """Each file says in its head what they are."""
    head, _, body = path.read_text().partition("WITH")

    said = {int(number): name for number, name in re.findall(r"(\d+) (?:is )?([A-Z]+_[A-Z_]+)", head)}
    used = {int(number) for number in re.findall(r"& (\d+)", body)}
    assert used == said.keys()
    assert all(Permission[name].value == number for number, name in said.items())
