"""Whatever an entry of the record is about, the floor says of it what the gateway says, to everybody."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import and_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.bench.world import World
from app.config import Settings
from app.domain.audit import READABLE
from app.domain.ids import GlobalId
from app.domain.permissions import Permission
from app.domain.vocabulary import AuditCategory, AuditOperation, AuditResult, PrincipalKind
from app.reading.nouns import NODES
from app.storage.engines import Database
from app.storage.tables import (
    Assignment,
    AssignmentGroup,
    AssignmentMember,
    AssignmentRoom,
    AuditEntry,
    Partnership,
    Principal,
    Role,
    Room,
    RoomGroup,
    RoomGroupRoom,
)
from app.web.development_issuer import DevelopmentIssuer
from tests.bench.test_floor import IDS, Both, opened
from tests.conftest import ENGINES, Databases
from tests.graph.asking import PEOPLE, viewer_of
from tests.graph.relations import Relations
from tests.world import SEEDED_AT, Worlds

SIZE = 100
"""Entries that are read."""
OLD, RECENT, NEWEST = 1_000_000, 2_000_000, 3_000_000
"""Sequences of entries that are added to every record."""
ACTED, APPROVED, LONG_AGO = "acted", "approved", "acted and approved long ago"
"""Whom the directory has removed, one each in every organization: nothing but what they did can show them."""
TENANTS = sorted({viewer_of(name).tenant_id for name in PEOPLE})
NEIGHBOUR = dict(zip(TENANTS, [*TENANTS[1:], TENANTS[0]], strict=True))
"""Whose people act in the record of each."""
TELLING = (
    "contoso-global-admin",
    "contoso-role-keeper",
    "fabrikam-manager",
    "northwind-manager",
    "northwind-admin",
    "northwind-helpdesk",
    "northwind-nobody",
    "northwind-tool",
    "adatum-manager",
    "adatum-nobody",
    "tailspin-manager",
    "tailspin-admin",
)
"""Who are enough to find every condition that a statement lacks; on PostgreSQL the gateway takes long for each."""
CONTOSO, NORTHWIND = (viewer_of(name).tenant_id for name in ("contoso-nobody", "northwind-nobody"))


@dataclass(frozen=True)
class Page:
    """Both over the demo world, where the newest entries of every record are about these."""

    both: Both
    subjects: Sequence[str]

    async def seen(self, person: str) -> set[str]:
        """Which of them the person is shown, by both alike."""
        floor, gateway = await self.both.answers("audit", viewer_of(person))
        assert floor.decode() == gateway.decode()
        entries = orjson.loads(floor)["data"]["viewer"]["auditEntries"]["nodes"]
        newest = zip(reversed(self.subjects), entries, strict=False)
        return {subject for subject, entry in newest if entry["subject"] is not None}


@pytest.fixture(scope="module")
async def pages_of(
    worlds: dict[str, Worlds], databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, list[Page]]]:
    issuer = DevelopmentIssuer(tmp_path_factory.mktemp("issuer"), Settings().token_scope)
    world = World(viewer_of("contoso-manager"), viewer_of("northwind-admin"), "")
    async with AsyncExitStack() as stack:
        made: dict[str, list[Page]] = {}
        for engine in ENGINES:
            async with Database(await databases.copy(engine, "subjects", worlds[engine].template)) as database:
                await arrange(database)
                subjects = subjects_of(await Relations.of(database))
            for start in range(0, len(subjects), SIZE):
                address, page = (
                    await databases.copy(engine, f"subjects-{start}", "subjects"),
                    subjects[start : start + SIZE],
                )
                await write(address, page)
                both = await stack.enter_async_context(opened(address, world, issuer))
                made.setdefault(engine, []).append(Page(both, page))
        yield made


@pytest.fixture
def pages(engine: str, pages_of: dict[str, list[Page]]) -> list[Page]:
    return pages_of[engine]


async def arrange(database: Database) -> None:
    """What the demo world has none of, and rules are about."""
    async with database.writing() as session:
        for tenant in TENANTS:
            who = [each.principal_id for each in map(viewer_of, PEOPLE) if each.tenant_id == tenant]
            await assign(session, Scope(tenant, "reads", Permission.AUDIT_VIEW), *who)
            session.add_all(removed(tenant, name) for name in (ACTED, APPROVED, LONG_AGO))
            session.add(entry(tenant, OLD, SEEDED_AT - READABLE - timedelta(days=1), (tenant, LONG_AGO), LONG_AGO))
            session.add(entry(tenant, RECENT, SEEDED_AT, (NEIGHBOUR[tenant], ACTED), APPROVED))
        await add_scopes(session)
        await session.commit()


@dataclass(frozen=True)
class Scope:
    """What an assignment is made of, whether or not a rule would let anybody make it."""

    tenant: str
    name: str
    permissions: Permission
    rooms: Sequence[str] = ()
    groups: Sequence[str] = ()
    partnership: Partnership | None = None


async def assign(session: AsyncSession, scope: Scope, *members: str) -> None:
    """A role of its own and an assignment of it, with these members."""
    tenant, made = scope.tenant, IDS.of("scope", scope.name)
    side, of = (scope.partnership.partner_tenant_id, scope.partnership.id) if scope.partnership else (tenant, None)
    name: dict[str, Any] = {"name": scope.name, "name_key": scope.name}
    session.add(Role(tenant_id=tenant, id=made, partnership_id=of, permissions=scope.permissions, **name))
    await session.flush()
    session.add(Assignment(tenant_id=tenant, id=made, role_id=made, partnership_id=of, **name))
    await session.flush()
    for member in members:
        session.add(AssignmentMember(tenant_id=tenant, assignment_id=made, member_tenant_id=side, member_id=member))
    include(session, tenant, made, scope.rooms, scope.groups)


def include(session: AsyncSession, tenant: str, assignment: str, rooms: Sequence[str], groups: Sequence[str]) -> None:
    """Let an assignment reach these, which are called so."""
    link = {"tenant_id": tenant, "assignment_id": assignment}
    session.add_all(AssignmentRoom(**link, room_id=IDS.of(name)) for name in rooms)
    session.add_all(AssignmentGroup(**link, group_id=IDS.of(name)) for name in groups)


async def add_scopes(session: AsyncSession) -> None:
    """Two people without other rights, at home and at a customer: what they reach is retired or was not delegated."""
    is_it = and_(col(Partnership.tenant_id) == CONTOSO, col(Partnership.partner_tenant_id) == NORTHWIND)
    partnership = (await session.exec(select(Partnership).where(is_it))).one()
    some_room = (await session.exec(select(Room).where(col(Room.tenant_id) == CONTOSO).limit(1))).one()
    for name in ("live room", "retired room"):
        retired_at = SEEDED_AT if name == "retired room" else None
        own = {"id": IDS.of(name), "account": name, "account_key": name, "graph_id": None, "retired_at": retired_at}
        session.add(Room(**some_room.model_dump() | own))
    for name in ("of live", "of retired", "empty", "delegated"):
        session.add(RoomGroup(tenant_id=CONTOSO, id=IDS.of(name), name=name, name_key=name))
    await session.flush()
    for name in ("live", "retired"):
        link = {"group_id": IDS.of(f"of {name}"), "room_id": IDS.of(f"{name} room")}
        session.add(RoomGroupRoom(tenant_id=CONTOSO, **link))
    include(session, CONTOSO, partnership.delegation_id, ["retired room"], ["delegated"])
    sees, groups = Permission.GROUPS_VIEW | Permission.RINGS_VIEW, ["empty", "delegated"]
    at_home = Scope(CONTOSO, "at home", Permission.GROUPS_VIEW, ["retired room"], groups)
    await assign(session, at_home, viewer_of("contoso-nobody").principal_id)
    as_partner = Scope(CONTOSO, "as partner", sees, ["live room", "retired room"], groups, partnership)
    await assign(session, as_partner, viewer_of("northwind-nobody").principal_id)


def removed(tenant: str, name: str) -> Principal:
    known: dict[str, Any] = {"kind": PrincipalKind.USER, "name": name, "name_key": name, "search_key": name}
    return Principal(tenant_id=tenant, id=IDS.of(name), created_at=SEEDED_AT, removed_at=SEEDED_AT, **known)


async def write(address: str, subjects: Sequence[str]) -> None:
    """Let the newest entries of every record be about these."""
    async with Database(address) as database, database.writing() as session:
        for tenant in TENANTS:
            for place, subject in enumerate(subjects):
                session.add(entry(tenant, NEWEST + place, SEEDED_AT, (NEIGHBOUR[tenant], ACTED), APPROVED, subject))
        await session.commit()


def entry(
    tenant: str, sequence: int, moment: datetime, by: tuple[str, str], approved_by: str, subject: str | None = None
) -> AuditEntry:
    side, name = by
    return AuditEntry(
        tenant_id=tenant,
        id=IDS.of("entry", tenant, sequence),
        sequence=sequence,
        creation_time=moment,
        category=AuditCategory.ROOM,
        operation=AuditOperation.UPDATE,
        action="roomUpdate",
        result_status=AuditResult.SUCCESSFUL,
        object_name="something",
        subject=subject,
        user_tenant_id=side,
        user_id=IDS.of(name),
        approved_by_id=IDS.of(approved_by),
        request_id="request",
        hash="",
    )


def subjects_of(relations: Relations) -> list[str]:
    """Everything there is, but of each record only an old entry and a recent one, and some ids that name nothing."""
    entries = [IDS.of("entry", tenant, which) for tenant in TENANTS for which in (OLD, RECENT)]
    found = [each for each in relations.rows if not each.startswith("auditentry_") or each[-36:] in entries]
    nothing = [str(GlobalId(kind, TENANTS[0], IDS.of("nothing"))) for kind in NODES if kind != "tenant"]
    nobody = [each.replace("user_", "application_") for each in found if each.startswith("user_")][:3]
    return [*sorted(found), *nothing, *nobody, f"tenant_{IDS.of('nothing')}"]


@pytest.mark.parametrize(
    ("engine", "person"),
    [*(("sqlite", each) for each in PEOPLE), *(("postgresql", each) for each in TELLING)],
    indirect=["engine"],
)
async def test_what_an_entry_is_about_is_said_alike(person: str, pages: list[Page]) -> None:
    seen = set[str]().union(*[await page.seen(person) for page in pages])

    tenant = viewer_of(person).tenant_id
    for name, expected in (ACTED, {NEIGHBOUR[tenant]}), (APPROVED, {tenant}), (LONG_AGO, set()):
        assert {side for side in TENANTS if f"user_{side}_{IDS.of(name)}" in seen} == expected


async def test_of_every_kind_something_is_seen_and_something_is_not(pages: list[Page]) -> None:
    """Else the test above would compare nothing."""
    seen = set[str]().union(*[await page.seen("contoso-manager") for page in pages])
    unseen = {subject for page in pages for subject in page.subjects} - seen

    assert {kind_of(each) for each in seen} == {kind_of(each) for each in unseen} == NODES.keys()


def kind_of(subject: str) -> str:
    return subject.partition("_")[0]
