"""An import makes the directory what its pages say: all at once, on the record, and nothing where nothing differs."""

import asyncio
import json
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col

from app.access.recognizing import RemovedPrincipal, UnknownApplication, recognize
from app.access.viewer import SYSTEM, Caller, Viewer, binds
from app.access.visible import visible
from app.domain.audit import AuditAction
from app.domain.permissions import Permission
from app.domain.vocabulary import AuditCategory, AuditOperation, PrincipalKind, UserType
from app.operations import chunks, importing_directory
from app.operations.importing_directory import ImportCounts, Imported, import_directory
from app.operations.tenants import add_tenant, find_tenant
from app.operations.work import Work
from app.storage.directory_pages import read_directory
from app.storage.engines import Database
from app.storage.graph_pages import BadFile, digest
from app.storage.principal_keys import principal_keys
from app.storage.tables import (
    Assignment,
    AssignmentMember,
    AuditEntry,
    DirectMember,
    GroupMember,
    Principal,
    Room,
)
from tests.operations.chains import check_chain, everything
from tests.operations.importing import FIRST, Importing
from tests.operations.test_importing_rooms import statements
from tests.operations.test_memberships import Directory, Pair, pairs
from tests.storage.test_directory_pages import REMOVED, delta, gone, groups, key, member, named, page, user
from tests.world import SEEDED_AT, WORLD_FILES

HERE, THERE = "partner.example", "customer.example"
WRITABLE = (Principal, DirectMember, GroupMember, AssignmentMember, AuditEntry)
"""All that an import could change."""


class Partner(Importing):
    """A database with two organizations, and a clock that moves on a day with each import."""

    home = HERE
    files = "page"

    async def load(self, *pages: object, domain: str = HERE, **options: Any) -> Imported:
        """Import these pages in this order."""
        directory = read_directory(self.write(*pages))
        async with self.work(domain) as (work, tenant):
            return await import_directory(work, tenant, directory, **options)

    async def tenant_id(self, domain: str = HERE) -> str:
        async with self.database.writing() as session:
            return (await find_tenant(session, domain)).id

    async def principals(self, domain: str = HERE) -> dict[str, Principal]:
        """The organization's principals by id, removed ones too."""
        found = await everything(self.database, Principal, col(Principal.tenant_id) == await self.tenant_id(domain))
        return {row.id: row for row in found}

    async def pairs(self, table: type[DirectMember | GroupMember] = GroupMember, domain: str = HERE) -> set[Pair]:
        """Who is in which group: in effect, or as the directory says it."""
        found = await everything(self.database, table, col(table.tenant_id) == await self.tenant_id(domain))
        return {(row.group_id, row.member_id) for row in found}

    async def everything(self) -> dict[str, list[dict[str, Any]]]:
        """All that an import could change."""
        tables = [await everything(self.database, table) for table in WRITABLE]
        return {str(i): sorted((row.model_dump() for row in rows), key=str) for i, rows in enumerate(tables)}

    async def imports(self) -> list[AuditEntry]:
        """What the record says about imports, in the order of the chain; every chain is whole."""
        chain = await check_chain(self.database, await self.tenant_id())
        return [entry for entry in chain if entry.action == "directory.import"]


@pytest.fixture
async def partner(database: Database, tmp_path: Path) -> Partner:
    async with Work.begin(database, SYSTEM, FIRST, "a test") as work:
        await add_tenant(work, name="Partner", domains=[HERE])
        await add_tenant(work, name="Customer", domains=[THERE])
    return Partner(database, tmp_path)


def of_objects(imported: Imported) -> tuple[int, int, int, int]:
    """How many were created, updated, left unchanged and removed."""
    counts = imported.counts
    return counts.created, counts.updated, counts.unchanged, counts.removed


def of_members(imported: Imported) -> tuple[int, int, int, int]:
    """How many members were added and removed, and what was gained and lost in effect."""
    counts = imported.counts
    return counts.members_added, counts.members_removed, counts.gained, counts.lost


def tools(*entries: Any) -> dict[str, Any]:
    return page(*entries, of="servicePrincipals")


# Who is new


async def test_users_groups_and_tools_are_stored_with_what_the_pages_say(partner: Partner) -> None:
    imported = await partner.load(
        page(user(1, displayName="Überraschung"), user(2, userType="Guest", userPrincipalName=None)),
        groups(delta(3, member(1), member(4, "servicePrincipal"))),
        tools(named(4)),
    )

    assert of_objects(imported) == (4, 0, 0, 0)
    assert of_members(imported) == (2, 0, 2, 0)
    stored = await partner.principals()
    assert stored[key(1)].model_dump() == {
        "tenant_id": await partner.tenant_id(),
        "id": key(1),
        "kind": PrincipalKind.USER,
        "name": "Überraschung",
        "user_principal_name": "user-1@partner.example",
        "user_type": UserType.MEMBER,
        "created_at": partner.now,
        "removed_at": None,
        **principal_keys(name="Überraschung", user_principal_name="user-1@partner.example"),
    }
    seen = {number: (row.kind, row.name, row.user_principal_name, row.user_type) for number, row in stored.items()}
    assert seen[key(2)] == (PrincipalKind.USER, "User 2", None, UserType.GUEST)
    assert seen[key(3)] == (PrincipalKind.GROUP, "Object 3", None, None)
    assert seen[key(4)] == (PrincipalKind.APPLICATION, "Object 4", None, None)
    assert await partner.pairs() == pairs(g3=[1, 4])


async def test_a_registered_service_principal_may_ask_until_it_is_removed(partner: Partner) -> None:
    tool = Viewer(await partner.tenant_id(), key(4), PrincipalKind.APPLICATION)
    with pytest.raises(UnknownApplication):
        await recognize(partner.database, tool)

    await partner.load(tools(named(4)))
    await recognize(partner.database, tool)

    await partner.load(tools(gone(4)))
    with pytest.raises(RemovedPrincipal):
        await recognize(partner.database, tool)


async def test_ids_in_upper_case_are_the_same_ids(partner: Partner) -> None:
    one = "abcdef01-0000-0000-0000-00000000000a"
    await partner.load(page(user(1, id=one.upper())), groups(delta(2, member(1, "user", id=one.upper()))))

    imported = await partner.load(page(user(1, id=one)))

    assert of_objects(imported) == (0, 0, 1, 0)
    assert await partner.pairs() == {(key(2), one)}


async def test_another_organizations_directory_is_left_alone(partner: Partner) -> None:
    pages = page(user(1), user(2)), groups(delta(3, member(1)))
    for domain in (HERE, THERE):
        await partner.load(*pages, domain=domain)
    before = [
        await partner.principals(THERE),
        await partner.pairs(DirectMember, THERE),
        await partner.pairs(domain=THERE),
    ]

    await partner.load(page(user(1, displayName="Ours"), gone(2)), groups(named(3, members=[])), tools(named(4)))

    assert await partner.pairs(DirectMember) == await partner.pairs() == set()
    after = [
        await partner.principals(THERE),
        await partner.pairs(DirectMember, THERE),
        await partner.pairs(domain=THERE),
    ]
    assert after == before


# The same again, and in another order


PAGES = (
    page(user(1), user(2, userType="Guest"), gone(9)),
    groups(delta(3, member(1), member(4, "group")), named(5, members=[member(2), member(3, "group")])),
    groups(delta(3, member(2), member(8)), delta(4, member(6, "servicePrincipal"), member(7, "device"))),
    tools(named(6)),
)


async def test_a_second_import_changes_nothing_and_records_nothing(partner: Partner) -> None:
    await partner.load(*PAGES)
    before = await partner.everything()

    imported = await partner.load(*PAGES)

    assert imported.counts == ImportCounts(0, 0, 7, 0, 0, 0, 0, 0)
    assert await partner.everything() == before
    assert len(await partner.imports()) == 1


async def test_files_may_come_together_in_any_order(partner: Partner) -> None:
    await partner.load(*PAGES)
    before = await partner.everything()

    for order in permutations(PAGES):
        imported = await partner.load(*order)
        assert not imported.counts.is_change
        assert (imported.unknown_members, len(await partner.imports())) == (1, 1)
    assert await partner.everything() == before


async def test_files_may_come_one_after_the_other_in_any_order(partner: Partner) -> None:
    """What groups say of members that are not there yet is kept until they are."""
    direct, effective = pairs(g3=[1, 2, 4, 8], g4=[6], g5=[2, 3]), pairs(g3=[1, 2, 6], g4=[6], g5=[1, 2, 6])
    orders = list(permutations(PAGES))
    for order in (orders[0], *orders[7::8], orders[-1]):
        async with Work.begin(partner.database, SYSTEM, FIRST, "a test") as work:
            made = await add_tenant(work, name="Another", domains=[f"t{len(partner.moments)}.example"])
        domain = f"t{len(partner.moments)}.example"

        for each in order:
            await partner.load(each, domain=domain)

        assert await partner.pairs(DirectMember, domain) == direct
        assert await partner.pairs(domain=domain) == effective
        assert set(await partner.principals(domain)) == set(map(key, range(1, 7))), made.name


# What differs


@pytest.mark.parametrize(
    "change",
    [
        {"displayName": "Another"},
        {"displayName": "user 1"},
        {"userPrincipalName": "another@partner.example"},
        {"userPrincipalName": None},
        {"userType": "Guest"},
        {"userType": None},
    ],
)
async def test_any_field_that_differs_is_updated(partner: Partner, change: dict[str, Any]) -> None:
    await partner.load(page(user(1), user(2)))
    before = await partner.principals()

    assert of_objects(await partner.load(page(user(1, **change), user(2)))) == (0, 1, 1, 0)

    after = await partner.principals()
    assert after[key(2)] == before[key(2)]
    names = {"displayName": "name", "userPrincipalName": "user_principal_name", "userType": "user_type"}
    values = {names[name]: UserType(value) if value == "Guest" else value for name, value in change.items()}
    assert after[key(1)].created_at == before[key(1)].created_at
    assert {name: getattr(after[key(1)], name) for name in values} == values
    found = after[key(1)].model_dump(include={"name_key", "search_key"})
    assert found == principal_keys(name=after[key(1)].name, user_principal_name=after[key(1)].user_principal_name)

    assert of_objects(await partner.load(page(user(1), user(2)))) == (0, 1, 1, 0)
    assert await partner.principals() == before


async def test_what_a_delta_leaves_out_stays(partner: Partner) -> None:
    await partner.load(page(user(1, userType="Guest"), user(2)), groups(delta(3, member(1))))

    imported = await partner.load(page({"id": key(1), "displayName": "Another"}, {"id": key(2)}), groups(named(3)))

    assert of_objects(imported) == (0, 1, 2, 0)
    changed = (await partner.principals())[key(1)]
    assert (changed.name, changed.user_principal_name) == ("Another", "user-1@partner.example")
    assert changed.user_type is UserType.GUEST
    assert await partner.pairs() == pairs(g3=[1])


async def test_whoever_a_token_told_of_before_is_updated_and_not_doubled(partner: Partner) -> None:
    await store_by_token(partner, "As in the token")
    before = (await partner.principals())[key(1)]

    imported = await partner.load(page(user(1, userType="Guest")), groups(delta(2, member(1))))

    assert of_objects(imported) == (1, 1, 0, 0)
    after = (await partner.principals())[key(1)]
    assert (before.name, after.name) == ("As in the token", "User 1")
    assert (after.user_type, after.created_at) == (UserType.GUEST, before.created_at)
    assert await partner.pairs() == pairs(g2=[1])


async def store_by_token(partner: Partner, name: str) -> None:
    """The first change by somebody whom nobody stored."""
    tenant_id = await partner.tenant_id()
    caller = Caller(Viewer(tenant_id, key(1)), name, None)
    async with Work.begin(partner.database, caller.viewer, FIRST, "a test", caller) as work:
        work.record(AuditCategory.USER, AuditOperation.UPDATE, AuditAction.USER_ADD, tenant_id, name)


async def test_whoever_a_token_tells_of_meanwhile_is_updated_and_not_doubled(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL lets the other change go first; SQLite's waits for the import."""
    write, others = importing_directory.write_principals, list[asyncio.Task[None]]()

    async def meanwhile(*arguments: Any) -> None:
        others.append(asyncio.create_task(store_by_token(partner, "As in the token")))
        await asyncio.wait(others, timeout=0.5)
        await write(*arguments)

    monkeypatch.setattr(importing_directory, "write_principals", meanwhile)
    imported = await partner.load(page(user(1)), groups(delta(2, member(1))))
    await others[0]

    assert of_objects(imported) == (2, 0, 0, 0)
    assert (await partner.principals())[key(1)].name == "User 1"
    assert await partner.pairs() == pairs(g2=[1])


# Members


async def test_members_that_nobody_stored_are_counted_and_count_once_they_are_stored(partner: Partner) -> None:
    imported = await partner.load(groups(delta(1, member(2), member(3)), delta(4, member(2), member(1, "group"))))
    assert (imported.unknown_members, of_members(imported)) == (2, (4, 0, 0, 0))

    imported = await partner.load(page(user(2)))

    assert (imported.unknown_members, of_members(imported)) == (1, (0, 0, 2, 0))
    assert await partner.pairs() == pairs(g1=[2], g4=[2])


async def test_an_expanded_list_is_whole_and_a_delta_is_not(partner: Partner) -> None:
    await partner.load(page(user(1), user(2)), groups(delta(3, member(1), member(2)), delta(4, member(1), member(2))))

    imported = await partner.load(groups(named(3, members=[member(2)]), delta(4, member(2, "user", **REMOVED))))
    assert of_members(imported) == (0, 2, 0, 2)
    assert await partner.pairs() == pairs(g3=[2], g4=[1])

    await partner.load(groups(named(3, members=[]), delta(4, member(2))))
    assert await partner.pairs() == pairs(g4=[1, 2])


async def test_a_large_group_may_be_spread_over_many_pages(partner: Partner) -> None:
    people = range(100, 400)
    pages = [groups(delta(1, *map(member, people[at : at + 50]))) for at in range(0, len(people), 50)]

    imported = await partner.load(*pages, page(*map(user, people)))

    assert of_members(imported) == (300, 0, 300, 0)


async def test_nested_groups_count_and_stop_counting_through_their_members(partner: Partner) -> None:
    await partner.load(page(user(1), user(2)), groups(delta(3, member(4, "group")), delta(4, member(1), member(2))))
    assert await partner.pairs() == pairs(g3=[1, 2], g4=[1, 2])

    await partner.load(groups(delta(4, member(1, "user", **REMOVED))))
    assert await partner.pairs() == pairs(g3=[2], g4=[2])

    await partner.load(groups(delta(3, member(4, "group", **REMOVED))))
    assert await partner.pairs() == pairs(g4=[2])


async def test_circles_of_groups_are_imported(partner: Partner) -> None:
    circle = groups(delta(3, member(4, "group")), delta(4, member(3, "group"), member(1), member(4, "group")))

    await partner.load(page(user(1)), circle)

    assert await partner.pairs() == pairs(g3=[1], g4=[1])


# Who is gone


async def test_who_is_absent_is_not_removed(partner: Partner) -> None:
    await partner.load(page(user(1), user(2)), groups(delta(3, member(1))), tools(named(4)))
    before = await partner.everything()

    for nothing in (page(), page(user(2)), groups(), groups(named(3)), tools()):
        await partner.load(nothing)

    assert await partner.everything() == before


@pytest.mark.parametrize("reason", ["changed", "deleted", "another"])
async def test_who_is_removed_is_in_no_group_and_has_all_of_it_again_when_restored(
    partner: Partner, reason: str
) -> None:
    """Graph keeps the groups of who was deleted and may be restored, and tells of no membership then."""
    await partner.load(page(user(1), user(2)), groups(delta(3, member(1), member(2))))
    await give_role(partner, key(1))
    before = await partner.principals()

    imported = await partner.load(page({"id": key(1), "@removed": {"reason": reason}}))

    assert (of_objects(imported), of_members(imported)) == ((0, 0, 0, 1), (0, 0, 0, 1))
    assert await partner.pairs() == pairs(g3=[2])
    removed = (await partner.principals())[key(1)]
    assert removed.removed_at == partner.now
    assert removed.model_dump(exclude={"removed_at"}) == before[key(1)].model_dump(exclude={"removed_at"})
    assert of_objects(await partner.load(page(gone(1)))) == (0, 0, 1, 0)

    imported = await partner.load(page({"id": key(1)}))
    assert (of_objects(imported), of_members(imported)) == ((0, 1, 0, 0), (0, 0, 1, 0))
    assert await partner.principals() == before
    (assigned,) = await everything(partner.database, AssignmentMember)
    assert assigned.member_id == key(1)


async def give_role(partner: Partner, principal: str) -> None:
    """Make somebody a Tenant manager, in person."""
    tenant_id = await partner.tenant_id()
    managers = col(Assignment.tenant_id) == tenant_id, col(Assignment.name) == "Tenant managers"
    (assignment,) = await everything(partner.database, Assignment, *managers)
    ours = {"tenant_id": tenant_id, "assignment_id": assignment.id, "member_tenant_id": tenant_id}
    async with partner.work() as (work, _):
        await work.store(AssignmentMember(**ours, member_id=principal))
        work.record(AuditCategory.USER, AuditOperation.UPDATE, AuditAction.ASSIGNMENT_UPDATE, tenant_id, "a test")


async def test_a_removed_group_has_nobody_and_passes_nobody_on(partner: Partner) -> None:
    await partner.load(page(user(1)), groups(delta(3, member(4, "group")), delta(4, member(1))))

    imported = await partner.load(groups({"id": key(4), "@removed": {"reason": "changed"}}))
    assert (of_objects(imported), of_members(imported)) == ((0, 0, 0, 1), (0, 0, 0, 2))

    await partner.load(groups(named(4)))
    assert await partner.pairs() == pairs(g3=[1], g4=[1])


async def test_who_is_gone_before_they_came_is_left_out(partner: Partner) -> None:
    before = await partner.everything()

    assert of_objects(await partner.load(page(gone(1)), groups(gone(2)))) == (0, 0, 2, 0)

    assert await partner.everything() == before


# What is refused


@pytest.mark.parametrize(
    "pages, expected",
    [
        (
            (page(user(1), {"id": key(2), "displayName": "Newcomer"}),),
            'page-1.json: entry 2 ("Newcomer"): userType: expected member, guest or null for somebody new',
        ),
        (
            (page({"id": key(2), "userType": "Member"}),),
            f'page-1.json: entry 1 ("{key(2)}"): displayName: expected text for somebody new, got nothing',
        ),
        (
            (groups({"id": key(2)}),),
            f'page-1.json: entry 1 ("{key(2)}"): displayName: expected text for somebody new, got nothing',
        ),
        (
            (groups(named(9)),),
            'page-1.json: entry 1 ("Object 9"): id: expected that of a user, as it is stored, got a group',
        ),
        (
            (tools(gone(9)),),
            f'page-1.json: entry 1 ("{key(9)}"): id: expected that of a user, as it is stored, got a service principal',
        ),
    ],
)
async def test_what_cannot_be_is_named_and_nothing_is_written(
    partner: Partner, pages: tuple[Any, ...], expected: str
) -> None:
    await partner.load(page(user(9)))
    before = await partner.everything()

    with pytest.raises(BadFile) as refused:
        await partner.load(*pages)

    assert [line.startswith(expected) for line in refused.value.problems] == [True]
    assert await partner.everything() == before


async def test_an_import_that_fails_midway_leaves_nothing(partner: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 1)
    changes = delta(3, member(11), member(1, "user", **REMOVED))
    pages = page(user(1, displayName="new"), user(11), gone(2)), groups(changes)
    steps = list[int]()
    for domain in (HERE, THERE):
        await partner.load(*PAGES, domain=domain)
    await partner.load(*pages, domain=THERE, on_progress=steps.append)
    before = await partner.everything()

    for last in range(1, len(steps)):
        left = [0] * last

        def fail(_: int, left: list[int] = left) -> None:
            if not left:
                raise RuntimeError("the disk is full")
            left.pop()

        with pytest.raises(RuntimeError):
            await partner.load(*pages, on_progress=fail)

    assert len(steps) > 5
    assert await partner.everything() == before


# What an import leaves to do


@dataclass
class Northwind:
    """The demo's partner, which administers rooms of two customers."""

    database: Database
    folder: Path

    async def load(self, *pages: object, domain: str = "northwind.example") -> Imported:
        return await Partner(self.database, self.folder, [SEEDED_AT]).load(*pages, domain=domain)

    async def rooms(self, principal: str) -> set[str]:
        """The rooms that somebody sees."""
        viewer = Viewer(NORTHWIND, principal)
        async with self.database.reading() as connection:
            found = await connection.execute(visible(Room, Permission.ROOMS_VIEW), binds(viewer, SEEDED_AT))
            return {row.account for row in found}

    async def last(self) -> AuditEntry:
        """The end of Northwind's record."""
        return (await check_chain(self.database, NORTHWIND))[-1]


def ids_of(section: str) -> dict[str, str]:
    """The ids of the demo world by name."""
    worlds = [json.loads(path.read_text()) for path in WORLD_FILES]
    return {entry["name"]: entry["id"] for each in worlds for entry in each.get(section, []) if "id" in entry}


IDS = ids_of("people") | ids_of("securityGroups") | ids_of("applications")
NORTHWIND, TEAM = ids_of("tenants")["Northwind"], IDS["northwind-fabrikam-team"]
ADMIN, FABRIKAM_ADMIN, MANAGER = (IDS[f"northwind-{name}"] for name in ("admin", "fabrikam-admin", "manager"))


@pytest.fixture
async def northwind(own_world: Database, tmp_path: Path) -> Northwind:
    return Northwind(own_world, tmp_path)


def out(principal: str) -> dict[str, Any]:
    return member(0, "user", id=principal, **REMOVED)


def team(*members: Any) -> dict[str, Any]:
    return groups({"id": TEAM, "members@delta": list(members)})


async def test_rights_come_and_go_with_groups_in_groups(northwind: Northwind) -> None:
    seen = await northwind.rooms(FABRIKAM_ADMIN)
    assert len(seen) == 4
    await northwind.load(page(user(1)), groups(delta(2, member(1))), team(member(2, "group")))
    assert await northwind.rooms(key(1)) == seen

    await northwind.load(groups(delta(2, member(1, "user", **REMOVED))))
    assert await northwind.rooms(key(1)) == set()

    await northwind.load(groups(delta(2, member(1))))
    await northwind.load(team(member(2, "group", **REMOVED)))
    assert await northwind.rooms(key(1)) == set()


async def test_a_primary_admin_role_without_a_user_is_reported_and_not_blocked_34(northwind: Northwind) -> None:
    imported = await northwind.load(team(out(FABRIKAM_ADMIN), out(ADMIN)))

    assert list(map(str, imported.vacancies)) == ["Primary admin at Fabrikam"]
    entry = await northwind.last()
    assert {"field": "without_a_user", "before": None, "after": "Primary admin at Fabrikam"} in entry.changes
    assert await northwind.rooms(FABRIKAM_ADMIN) == set()

    again = await northwind.load(team(out(FABRIKAM_ADMIN), out(ADMIN)), page({"id": MANAGER, "displayName": "Boss"}))
    assert again.vacancies == []
    assert "without_a_user" not in {line["field"] for line in (await northwind.last()).changes}


async def test_as_long_as_one_user_is_left_nothing_is_reported_34(northwind: Northwind) -> None:
    await northwind.load(page(user(1)), groups(delta(2, member(1))), team(member(2, "group")))
    imported = await northwind.load(team(out(FABRIKAM_ADMIN), out(ADMIN)))
    assert imported.vacancies == []

    imported = await northwind.load(groups(delta(2, member(1, "user", **REMOVED), member(5)), named(5, members=[])))
    assert list(map(str, imported.vacancies)) == ["Primary admin at Fabrikam"]


async def test_a_tool_is_no_primary_admin_34(northwind: Northwind) -> None:
    tool = member(0, "servicePrincipal", id=IDS["northwind-tool"])

    imported = await northwind.load(team(out(FABRIKAM_ADMIN), out(ADMIN), tool))

    assert list(map(str, imported.vacancies)) == ["Primary admin at Fabrikam"]


async def test_the_last_manager_and_an_admin_in_person_are_reported_when_they_are_removed_34_and_41(
    northwind: Northwind,
) -> None:
    removed = page(*({"id": each, **REMOVED} for each in (MANAGER, ADMIN)))

    imported = await northwind.load(removed)

    assert list(map(str, imported.vacancies)) == [
        "Primary admin at Contoso",
        "Teams Rooms Pro Manager at Northwind",
    ]
    (line,) = [line for line in (await northwind.last()).changes if line["field"] == "without_a_user"]
    assert line["after"] == "Primary admin at Contoso, Teams Rooms Pro Manager at Northwind"


async def test_what_ended_needs_no_admin_any_more(northwind: Northwind) -> None:
    imported = await northwind.load(page({"id": IDS["tailspin-admin"], **REMOVED}), domain="tailspin.example")

    assert (imported.counts.removed, imported.vacancies) == (1, [])


# The record


async def test_an_import_is_one_line_of_the_record_with_counts_and_digest(partner: Partner) -> None:
    await partner.load(*PAGES)
    await partner.load(page(user(1, displayName="new"), gone(2)), groups(delta(3, member(8, "user", **REMOVED))))

    expected = digest(read_directory(partner.write(*PAGES)).pages)
    first, second = await partner.imports()
    assert (first.category, first.operation) == (AuditCategory.USER, AuditOperation.CREATE)
    assert (first.subject, first.user_id) == (None, None)
    assert first.object_name == "3 users, 3 groups and 1 service principal in 4 files"
    counts = asdict(ImportCounts(6, 0, 1, 0, 7, 0, 7, 0))
    assert {line["field"]: line["after"] for line in first.changes} == {
        **{name: str(count) for name, count in counts.items()},
        "digest": expected,
    }
    assert second.operation is AuditOperation.UPDATE
    counts = asdict(ImportCounts(0, 1, 1, 1, 0, 1, 0, 2))
    assert {line["field"]: line["after"] for line in second.changes} | {"digest": ""} == {
        **{name: str(count) for name, count in counts.items()},
        "digest": "",
    }


# Many


async def test_progress_adds_up_to_what_was_read_and_one_step_more(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 2)
    pages = page(*map(user, range(1, 6))), groups(delta(7, *map(member, range(1, 4))))

    for _ in range(2):
        told: list[int] = []
        await partner.load(*pages, on_progress=told.append)
        assert sum(told) == len(read_directory(partner.write(*pages))) + 1 == 10
        assert told[-1] == 1


async def test_every_chunk_is_written(partner: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 2)
    numbers = range(1, 8)
    everybody, inside = page(*map(user, numbers)), groups(delta(9, *map(member, numbers)))

    assert of_objects(await partner.load(everybody, inside)) == (8, 0, 0, 0)
    assert len(await partner.pairs()) == 7
    assert of_objects(await partner.load(page(*(user(n, displayName="new") for n in numbers)))) == (0, 7, 0, 0)
    assert {row.name for row in (await partner.principals()).values()} == {"new", "Object 9"}
    assert of_members(await partner.load(groups(named(9, members=[])))) == (0, 7, 0, 7)
    assert of_objects(await partner.load(page(*map(gone, numbers)))) == (0, 0, 0, 7)
    assert of_objects(await partner.load(everybody)) == (0, 7, 0, 0)


async def test_the_number_of_statements_does_not_grow_with_the_directory(partner: Partner) -> None:
    async def steps(size: int, domain: str) -> list[int]:
        """How many statements it takes to create, change, remove and restore this many."""
        numbers, taken = range(100, 100 + size), []
        nested = [delta(10 + n, member(9, "group")) for n in range(size // 10)]
        new = [user(number, displayName="new") for number in numbers]
        imports: list[Callable[[], Any]] = [
            lambda: partner.load(
                page(*map(user, numbers)), groups(delta(9, *map(member, numbers)), *nested), domain=domain
            ),
            lambda: partner.load(page(*new), groups(named(9, members=[])), domain=domain),
            lambda: partner.load(page(*map(gone, numbers)), groups(delta(9, *map(member, numbers))), domain=domain),
            lambda: partner.load(page(*map(user, numbers)), groups(named(9)), domain=domain),
        ]
        for run in imports:
            async with statements(partner.database) as sent:
                await run()
            taken.append(len(sent))
        return taken

    assert await steps(10, HERE) == await steps(300, THERE)


async def test_two_imports_at_once_follow_each_other(partner: Partner) -> None:
    numbers = range(100, 300)
    directory = read_directory(
        partner.write(page(*map(user, numbers)), groups(delta(1, *map(member, numbers)), delta(2, member(1, "group"))))
    )

    async def load(moment: datetime) -> Imported:
        async with Work.begin(partner.database, SYSTEM, moment, "a test") as work:
            return await import_directory(work, await find_tenant(work.session, HERE), directory)

    found = await asyncio.gather(load(FIRST), load(FIRST + timedelta(seconds=1)))

    assert sorted(of_objects(each) for each in found) == [(0, 0, 202, 0), (202, 0, 0, 0)]
    assert sorted(of_members(each) for each in found) == [(0, 0, 0, 0), (201, 0, 400, 0)]
    assert len(await partner.imports()) == 1


# Anything after anything


STEPS = 50


class Story:
    """Random answers of Graph, and what a directory is after each, by walking through it."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.said = Directory()
        self.names: dict[str, str] = {}

    def next_round(self) -> list[dict[str, Any]]:
        """Pages that say something, in any order; what they say is true from now on."""
        people = [self.tell(number) for number in self.some(range(20, 30))]
        those = [self.tell_group(number) for number in self.some(range(10, 16))]
        machines = [self.tell(number) for number in self.some(range(30, 33))]
        cut = self.chance.randint(0, len(people))
        pages = [page(*people[:cut]), page(*people[cut:]), groups(*those), tools(*machines)]
        self.chance.shuffle(pages)
        return pages

    def some(self, numbers: range) -> list[int]:
        return self.chance.sample(numbers, self.chance.randint(0, 4) if len(numbers) > 4 else self.chance.randint(0, 1))

    def kind(self, number: int) -> PrincipalKind:
        return [PrincipalKind.GROUP, PrincipalKind.USER, PrincipalKind.APPLICATION][number // 10 - 1]

    def tell(self, number: int) -> dict[str, Any]:
        """Somebody: as they are called now, or that they are gone."""
        who = key(number)
        if self.chance.random() < 0.3:
            self.said.removed |= {who} & self.said.kinds.keys()
            return gone(number)
        self.said.removed -= {who}
        is_new = who not in self.said.kinds
        self.said.kinds[who] = self.kind(number)
        if not is_new and self.chance.random() < 0.3:
            return {"id": who}
        self.names[who] = self.chance.choice(["One", "Two", "Drei"])
        fields: dict[str, Any] = {"displayName": self.names[who]}
        return {"id": who, **fields} | ({"userType": "Member"} if self.kind(number) is PrincipalKind.USER else {})

    def tell_group(self, number: int) -> dict[str, Any]:
        """A group, perhaps with all of its members, or with what changed of them."""
        entry, group = self.tell(number), key(number)
        if "@removed" in entry:
            return entry
        inside = {each: self.chance.random() < 0.6 for each in self.chance.sample(range(10, 34), 4)}
        how = self.chance.choice(["members", "members@delta", "nothing"])
        if how == "members":
            self.said.direct = {pair for pair in self.said.direct if pair[0] != group}
            inside = {each: True for each, is_in in inside.items() if is_in}
        if how != "nothing":
            self.said.direct |= {(group, key(each)) for each, is_in in inside.items() if is_in}
            self.said.direct -= {(group, key(each)) for each, is_in in inside.items() if not is_in}
            words = {10: "group", 20: "user", 30: "servicePrincipal"}
            entry[how] = [
                member(each, words[each // 10 * 10], **({} if is_in else REMOVED)) for each, is_in in inside.items()
            ]
        return entry


async def test_whatever_follows_whatever_the_directory_is_what_was_said_last(partner: Partner) -> None:
    story, followed = Story(random.Random(20261124)), 0
    for _ in range(STEPS):
        pages, before = story.next_round(), await partner.pairs()

        imported = await partner.load(*pages)

        after = story.said.follows()
        stored = await partner.principals()
        assert await partner.pairs(DirectMember) == story.said.direct
        assert await partner.pairs() == after
        assert {row.id: row.kind for row in stored.values()} == story.said.kinds
        assert {row.id: row.name for row in stored.values()} == story.names
        assert {row.id for row in stored.values() if row.removed_at} == story.said.removed
        assert of_members(imported)[2:] == (len(after - before), len(before - after))
        assert imported.unknown_members == len({inside for _, inside in story.said.direct} - story.said.kinds.keys())
        followed += len(after)

        assert not (await partner.load(*pages)).counts.is_change
    assert followed > STEPS
