"""Stored memberships are what follows from the directory, whatever came and went, and in whatever order."""

import random
import re
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, event, insert, update
from sqlmodel import col

from app.access.viewer import SYSTEM
from app.domain.audit import AuditAction
from app.domain.vocabulary import AuditCategory, AuditOperation, PrincipalKind
from app.operations.memberships import Moves, flatten
from app.operations.tenants import add_tenant
from app.operations.work import NothingRecorded, Work
from app.storage.engines import Database
from app.storage.principal_keys import principal_keys
from app.storage.tables import DirectMember, GroupMember, Principal
from tests.operations.chains import everything

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
HERE, ELSEWHERE = (str(UUID(int=number)) for number in (1, 2))
GROUPS, PEOPLE = range(10, 16), range(20, 27)
STEPS = 80
Pair = tuple[str, str]


def key(number: int) -> str:
    return str(UUID(int=number))


EVERYBODY = [key(number) for number in (*GROUPS, *PEOPLE)]


@dataclass
class Directory:
    """What a directory says, and what follows by walking through it: nothing of it is shared with the gateway."""

    kinds: dict[str, PrincipalKind] = field(default_factory=dict)
    """Of everybody that is stored."""
    removed: set[str] = field(default_factory=set)
    direct: set[Pair] = field(default_factory=set)

    def is_here(self, who: str) -> bool:
        return who in self.kinds and who not in self.removed

    def walk(self, group: str, seen: set[str]) -> Iterator[str]:
        """Everybody in the group who can act, as one finds them by looking into each group once."""
        seen.add(group)
        for _, member in (pair for pair in self.direct if pair[0] == group and self.is_here(pair[1])):
            if self.kinds[member] is not PrincipalKind.GROUP:
                yield member
            elif member not in seen:
                yield from self.walk(member, seen)

    def follows(self) -> set[Pair]:
        groups = [each for each, kind in self.kinds.items() if kind is PrincipalKind.GROUP and self.is_here(each)]
        return {(group, member) for group in groups for member in self.walk(group, set())}


async def store(work: Work, tenant: str, number: int, kind: PrincipalKind) -> None:
    name = f"principal-{number}"
    row = {
        "tenant_id": tenant,
        "id": key(number),
        "kind": kind,
        "name": name,
        "created_at": NOW,
        **principal_keys(name=name),
    }
    await (await work.session.connection()).execute(insert(Principal), row)


async def stored(database: Database, tenant: str = HERE) -> set[Pair]:
    rows = await everything(database, GroupMember, col(GroupMember.tenant_id) == tenant)
    return {(row.group_id, row.member_id) for row in rows}


def put_on_record(work: Work) -> None:
    work.record(AuditCategory.USER, AuditOperation.UPDATE, AuditAction.USER_ADD, HERE, "a test")


async def settle(database: Database, *statements: Any, changed: Collection[str] | None = EVERYBODY) -> Moves:
    """Change what the directory says, and let what follows follow, told that these changed; or let it not."""
    async with Work.begin(database, SYSTEM, NOW, "a test") as work:
        for statement in statements:
            await (await work.session.connection()).execute(statement)
        put_on_record(work)
        return Moves(0, 0) if changed is None else await flatten(work, HERE, changed)


def says(group: int, *members: int, tenant: str = HERE) -> Any:
    rows = [{"tenant_id": tenant, "group_id": key(group), "member_id": key(member)} for member in members]
    return insert(DirectMember).values(rows)


def unsays(group: int, member: int) -> Any:
    return delete(DirectMember).where(
        col(DirectMember.tenant_id) == HERE,
        col(DirectMember.group_id) == key(group),
        col(DirectMember.member_id) == key(member),
    )


def marks(number: int, moment: datetime | None) -> Any:
    this = (col(Principal.tenant_id) == HERE, col(Principal.id) == key(number))
    return update(Principal).where(*this).values(removed_at=moment)


def pairs(**members: list[int]) -> set[Pair]:
    """`g10=[20]`: 20 is in the group 10."""
    return {(key(int(group[1:])), key(member)) for group, those in members.items() for member in those}


@pytest.fixture
async def database(database: Database) -> Database:
    """Two organizations whose directories have the same ids."""
    async with Work.begin(database, SYSTEM, NOW, "a test") as work:
        for tenant, domain in ((HERE, "here.example"), (ELSEWHERE, "elsewhere.example")):
            await add_tenant(work, name=domain, domains=[domain], tenant_id=tenant)
            for number in GROUPS:
                await store(work, tenant, number, PrincipalKind.GROUP)
            for number in PEOPLE:
                await store(work, tenant, number, PrincipalKind.APPLICATION if number == 26 else PrincipalKind.USER)
    return database


async def test_members_of_nested_groups_are_members(database: Database) -> None:
    await settle(database, says(10, 11, 20), says(11, 12), says(12, 21, 26))

    assert await stored(database) == pairs(g10=[20, 21, 26], g11=[21, 26], g12=[21, 26])


async def test_who_is_in_a_group_in_two_ways_stays_until_both_are_gone(database: Database) -> None:
    await settle(database, says(10, 11, 12, 20), says(11, 20), says(12, 20))

    assert await settle(database, unsays(11, 20)) == Moves(0, 1)
    assert await settle(database, unsays(12, 20)) == Moves(0, 1)
    assert await stored(database) == pairs(g10=[20])
    assert await settle(database, unsays(10, 20)) == Moves(0, 1)
    assert await stored(database) == set()


async def test_circles_of_groups_have_everybody_in_each_and_come_apart_again(database: Database) -> None:
    await settle(database, says(10, 11, 20), says(11, 12, 21), says(12, 10, 12, 22))
    assert await stored(database) == pairs(g10=[20, 21, 22], g11=[20, 21, 22], g12=[20, 21, 22])

    await settle(database, unsays(12, 10))

    assert await stored(database) == pairs(g10=[20, 21, 22], g11=[21, 22], g12=[22])


async def test_nothing_passes_through_a_removed_group_until_it_is_restored(database: Database) -> None:
    before = pairs(g10=[20], g11=[20], g12=[20])
    await settle(database, says(10, 11), says(11, 12), says(12, 20))

    await settle(database, marks(11, NOW))
    assert await stored(database) == pairs(g12=[20])

    await settle(database, marks(11, None))
    assert await stored(database) == before


async def test_a_removed_person_is_in_no_group_until_restored(database: Database) -> None:
    await settle(database, says(10, 11, 21), says(11, 20))

    await settle(database, marks(20, NOW))
    assert await stored(database) == pairs(g10=[21])

    await settle(database, marks(20, None))
    assert await stored(database) == pairs(g10=[20, 21], g11=[20])


async def test_who_is_not_stored_counts_once_they_are(database: Database) -> None:
    await settle(database, says(10, 11), says(11, 99))
    assert await stored(database) == set()

    async with Work.begin(database, SYSTEM, NOW, "a test") as work:
        await store(work, HERE, 99, PrincipalKind.USER)
        put_on_record(work)
        assert await flatten(work, HERE, []) == Moves(2, 0)

    assert await stored(database) == pairs(g10=[99], g11=[99])


async def test_another_organizations_groups_are_left_alone(database: Database) -> None:
    """Ids repeat from tenant to tenant here; nothing may cross."""
    others = [{"tenant_id": ELSEWHERE, "group_id": key(10), "member_id": key(member)} for member in (20, 24)]
    elsewhere = says(11, 21, tenant=ELSEWHERE), insert(GroupMember).values(others)
    await settle(database, says(10, 11), says(11, 20), *elsewhere)

    await settle(database, unsays(11, 20))

    assert await stored(database) == set()
    assert await stored(database, ELSEWHERE) == pairs(g10=[20, 24])


async def test_what_is_settled_is_not_written_again(database: Database) -> None:
    await settle(database, says(10, 11), says(11, 20))

    async with Work.begin(database, SYSTEM, NOW, "a test") as work:
        assert await flatten(work, HERE, EVERYBODY) == Moves(0, 0)
        assert not work.has_written


async def test_what_follows_is_a_change_like_any_other(database: Database) -> None:
    async def unrecorded() -> None:
        async with Work.begin(database, SYSTEM, NOW, "a test") as work:
            assert await flatten(work, HERE, EVERYBODY) == Moves(1, 0)

    await settle(database, says(10, 20), changed=None)
    with pytest.raises(NothingRecorded):
        await unrecorded()

    assert await stored(database) == set()


async def test_groups_that_nothing_changed_around_are_not_looked_at(database: Database) -> None:
    await settle(database, says(10, 11), says(11, 12), says(12, 20), says(13, 14), says(14, 21))
    wrong = [{"tenant_id": HERE, "group_id": key(group), "member_id": key(25)} for group in (10, 13)]

    assert await settle(database, insert(GroupMember).values(wrong), says(12, 22), changed=[key(12)]) == Moves(3, 1)
    assert await stored(database) == pairs(g10=[20, 22], g11=[20, 22], g12=[20, 22], g13=[21, 25], g14=[21])

    assert await settle(database, changed=[key(21)]) == Moves(0, 1)
    assert await stored(database) == pairs(g10=[20, 22], g11=[20, 22], g12=[20, 22], g13=[21], g14=[21])


@pytest.mark.parametrize("engine", ["sqlite"])
async def test_members_are_looked_up_group_by_group_in_sqlite(database: Database) -> None:
    """Where it takes every member of the tenant, and looks through all groups for each, a large one takes minutes."""
    sent: list[tuple[str, Any]] = []
    note = lambda _c, _cursor, sql, bound, *_: sent.append((sql, bound))  # noqa: E731
    event.listen(database.writer.sync_engine, "before_cursor_execute", note)

    await settle(database, says(10, 11), says(11, 20))

    event.remove(database.writer.sync_engine, "before_cursor_execute", note)
    written = [each for each in sent if each[0].startswith(("DELETE FROM group_members", "INSERT INTO group_members"))]
    with closing(sqlite3.connect(database.url.database or "")) as opened:
        plans = [
            " ".join(row[3] for row in opened.execute(f"EXPLAIN QUERY PLAN {sql}", bound)) for sql, bound in written
        ]
    assert [re.findall(r"SEARCH direct_members .*?\((.*?)\)", plan) for plan in plans] == 2 * [
        ["tenant_id=? AND group_id=?"]
    ]


async def test_random_directories_are_flattened_as_one_walks_through_them(database: Database) -> None:
    chance = random.Random(20261123)
    said = Directory({key(number): PrincipalKind.GROUP for number in GROUPS})
    said.kinds |= {key(number): PrincipalKind.USER for number in PEOPLE} | {key(26): PrincipalKind.APPLICATION}
    sizes = set()
    for _ in range(STEPS):
        changes, changed = [], set[str]()
        for _ in range(chance.randint(1, 4)):
            group, member = chance.choice(GROUPS), chance.choice([*GROUPS, *PEOPLE, 98])
            pair = key(group), key(member)
            changes.append(unsays(group, member) if pair in said.direct else says(group, member))
            said.direct ^= {pair}
            changed.add(key(group))
        if chance.random() < 0.4:
            number = chance.choice([*GROUPS, *PEOPLE])
            said.removed ^= {key(number)}
            changed.add(key(number))
            changes.append(marks(number, NOW if key(number) in said.removed else None))
        before = await stored(database)

        moves = await settle(database, *changes, changed=changed)

        after = said.follows()
        assert await stored(database) == after
        assert moves == Moves(len(after - before), len(before - after))
        sizes.add(len(after))
    assert len(sizes) > STEPS / 5
