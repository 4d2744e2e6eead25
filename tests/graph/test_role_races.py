"""Changes of roles started together: somebody is always primary admin and Manager, and no name is given twice.

Two gateways over one database race, so that SQLite's writers really meet.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import col, delete, insert, select

from app.access.scoping import unscoped
from app.access.tripwire import arm
from app.domain.permissions import BuiltInRole
from app.domain.vocabulary import AuditResult, PartnershipState
from app.operations import assignments, naming
from app.operations.work import Work
from app.storage.engines import Database
from app.storage.global_ids import global_id
from app.storage.tables import Assignment, AssignmentMember, GroupMember, Partnership, Role
from tests.graph.asking import Asker, ask, viewer_of
from tests.graph.partnering import codes, do
from tests.graph.relating import TESTS, again, done, meddle, room, security_group, tenant, user
from tests.graph.role_giving import (
    CONTOSO,
    CREATE,
    CREATE_ROLE,
    DELETE,
    UPDATE,
    admins_of,
    assignment,
    of,
    partner_id,
    role,
)
from tests.graph.test_races import LONG, deferred, in_turn
from tests.operations.chains import check_chain, everything

TEAM = security_group("northwind-fabrikam-team")
MANAGER = BuiltInRole.MANAGER.label
Round = Callable[["Gateways", int], Awaitable[None]]


@pytest.fixture
def rounds(engine: str, is_long: bool) -> int:
    return LONG[engine] if is_long else 25


class Gateways:
    """Two gateways over one database, and who asks them."""

    def __init__(self, here: Database, there: Database) -> None:
        self.here, self.there = here, there

    def at(self, number: int, person: str) -> Asker:
        """A person at one of the two gateways."""
        return replace(ask(self.here, person), database=(self.here, self.there)[number])

    async def hold(self, row: Assignment, *members: str) -> Assignment:
        """The assignment, held by exactly these from now on."""
        this = (col(AssignmentMember.tenant_id) == row.tenant_id, col(AssignmentMember.assignment_id) == row.id)
        link = {"tenant_id": row.tenant_id, "assignment_id": row.id}
        keys = [member.split("_")[1:] for member in members]
        links = [insert(AssignmentMember).values(**link, member_tenant_id=whose, member_id=key) for whose, key in keys]
        await meddle(self.here, delete(AssignmentMember).where(*this), *links)
        found: Assignment = await again(self.here, row)
        return found

    async def users(self, *assignments: Assignment) -> set[str]:
        """Who holds one of these, groups resolved."""
        ids = col(AssignmentMember.assignment_id).in_([row.id for row in assignments])
        held = {each.member_id for each in await everything(self.here, AssignmentMember, ids)}
        inside = await everything(self.here, GroupMember, col(GroupMember.group_id).in_(held))
        return held - {TEAM.rpartition("_")[2]} | {each.member_id for each in inside}


@pytest.fixture
async def gateways(own_world: Database) -> AsyncIterator[Gateways]:
    async with Database(own_world.url.render_as_string(hide_password=False)) as there:
        yield Gateways(own_world, arm(there))


async def broken_rounds(one_round: Round, gateways: Gateways, what: str) -> int:
    """How many of 25 rounds end as they must not."""
    broken = 0
    with deferred(gateways.here, gateways.there):
        for number in range(25):
            try:
                await one_round(gateways, number)
            except AssertionError:
                broken += 1
    print(f"\n{what} without the guard: {broken} of 25 rounds broken")  # noqa: T201
    return broken


def slow(step: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """The step, and a moment in which others go on."""

    async def run(*arguments: Any, **named: Any) -> Any:
        done = await step(*arguments, **named)
        await asyncio.sleep(0.02)
        return done

    return run


async def nothing(*_: object, **__: object) -> None:
    """No lock."""


async def unlocked(work: Work, customer_id: str, *_: str) -> Partnership:
    """As `acting_at`, without waiting for anybody."""
    acting = (col(Partnership.tenant_id) == customer_id, col(Partnership.partner_tenant_id) == work.asker.tenant_id)
    active = col(Partnership.state) == PartnershipState.ACTIVE
    return (await work.session.exec(unscoped(select(Partnership).where(*acting, active), TESTS))).one()


def never_locking(find: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """As `find`, without waiting for anybody."""

    async def run(*arguments: Any, lock: bool = False) -> Any:
        return await find(*arguments)

    return run


# --- primary admins -------------------------------------------------------------------------------------------------


async def two_primary_admins(gateways: Gateways, number: int) -> None:
    """One round: two primary admins, one of them in every other round through a group, remove each other."""
    through_group = bool(number % 2)
    name = "northwind-fabrikam-admin" if through_group else "northwind-nobody"
    second = TEAM if through_group else user(name)
    row = await gateways.hold(await admins_of(gateways.here, CONTOSO), user("northwind-helpdesk"), second)
    asked = [
        do(gateways.at(0, "northwind-helpdesk"), UPDATE, **of(row, removeMembers=[second])),
        do(gateways.at(1, name), UPDATE, **of(row, removeMembers=[user("northwind-helpdesk")])),
    ]

    answers = await in_turn(asked, number // 2)

    assert await gateways.users(row)
    assert sorted(map(codes, answers)) in ([[], ["FORBIDDEN"]], [[], ["NOT_FOUND"]])


async def two_partner_managers(gateways: Gateways, number: int) -> None:
    """One round: two Managers of the partner each remove one of two primary admins, each knowing of the other."""
    second = TEAM if number % 2 else user("northwind-nobody")
    row = await gateways.hold(await admins_of(gateways.here, CONTOSO), user("northwind-helpdesk"), second)
    theirs = of(row, removeMembers=[user("northwind-helpdesk")])
    theirs["expectedVersion"] += number // 2 % 2
    asked = [
        do(gateways.at(0, "northwind-manager"), UPDATE, **of(row, removeMembers=[second])),
        do(gateways.at(1, "northwind-global-admin"), UPDATE, **theirs),
    ]

    answers = await in_turn(asked, number // 4)

    assert await gateways.users(row)
    assert sorted(map(codes, answers)) in ([[], ["LAST_PRIMARY_ADMIN"]], [[], ["STALE_VERSION"]])


@pytest.mark.parametrize("one_round", [two_primary_admins, two_partner_managers])
async def test_pa_4_of_two_who_remove_the_last_primary_admins_one_does_not(
    gateways: Gateways, rounds: int, one_round: Round
) -> None:
    for number in range(rounds):
        await one_round(gateways, number)

    entries = await check_chain(gateways.here, tenant(CONTOSO))
    done = [entry for entry in entries if entry.result_status is AuditResult.SUCCESSFUL]
    assert sum(entry.action == "assignment.update" and entry.user_id is not None for entry in done) == rounds


@pytest.mark.parametrize("one_round", [two_primary_admins, two_partner_managers])
async def test_pa_4_without_the_guard_most_rounds_of_two_removals_fail(
    gateways: Gateways, one_round: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Work, "acting_at", unlocked)
    monkeypatch.setattr(Work, "find", never_locking(Work.find))
    monkeypatch.setattr("app.operations.assignment_changes.check_version", lambda *_: None)
    monkeypatch.setattr("app.operations.assignment_changes.check_left", slow(assignments.check_left))

    assert await broken_rounds(one_round, gateways, f"{one_round.__name__}") > 25 / 2


# --- Managers -------------------------------------------------------------------------------------------------------


async def manager_assignments(gateways: Gateways) -> list[Assignment]:
    """The two assignments of Contoso's Manager role, each with a Manager of its own."""
    held = []
    for name, person in (("Managers", "contoso-manager"), ("Deputies", "contoso-nobody")):
        of_role = await role(gateways.here, CONTOSO, MANAGER)
        found = await everything(
            gateways.here, Assignment, col(Assignment.role_id) == of_role.id, col(Assignment.name) == name
        )
        if not found:
            asked = {"role": global_id(of_role), "name": name, "members": [user(person)]}
            await done(ask(gateways.here, "contoso-global-admin"), CREATE, **asked)
        held.append(await gateways.hold(await assignment(gateways.here, CONTOSO, MANAGER, name), user(person)))
    return held


async def two_managers(gateways: Gateways, number: int) -> None:
    """One round: two Managers take the role from each other, in every other round one by ending the assignment."""
    managers, deputies = await manager_assignments(gateways)
    ending = of(deputies) if number % 2 else of(deputies, removeMembers=[user("contoso-nobody")])
    asked = [
        do(gateways.at(0, "contoso-manager"), DELETE if number % 2 else UPDATE, **ending),
        do(gateways.at(1, "contoso-nobody"), UPDATE, **of(managers, removeMembers=[user("contoso-manager")])),
    ]

    answers = await in_turn(asked, number // 2)

    assert await gateways.users(managers, deputies)
    assert sorted(map(codes, answers)) == [[], ["NOT_FOUND"]]


async def two_role_keepers(gateways: Gateways, number: int) -> None:
    """One round: two who only assign roles each take it from one of the two Managers."""
    managers, deputies = await manager_assignments(gateways)
    asked = [
        do(gateways.at(0, "contoso-role-keeper"), UPDATE, **of(deputies, removeMembers=[user("contoso-nobody")])),
        do(gateways.at(1, "contoso-teams-admin"), UPDATE, **of(managers, removeMembers=[user("contoso-manager")])),
    ]

    answers = await in_turn(asked, number)

    assert await gateways.users(managers, deputies)
    assert sorted(map(codes, answers)) == [[], ["LAST_MANAGER"]]


@pytest.mark.parametrize("one_round", [two_managers, two_role_keepers])
async def test_41_of_two_who_remove_the_last_managers_one_does_not(
    gateways: Gateways, rounds: int, one_round: Round
) -> None:
    for number in range(rounds):
        await one_round(gateways, number)

    await check_chain(gateways.here, tenant(CONTOSO))


@pytest.mark.parametrize("one_round", [two_managers, two_role_keepers])
async def test_41_without_the_guard_most_rounds_of_two_removals_fail(
    gateways: Gateways, one_round: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Work, "lock_tenant", nothing)
    slowly = slow(assignments.check_left)
    for module in ("assignments", "assignment_changes"):
        monkeypatch.setattr(f"app.operations.{module}.check_left", slowly)

    assert await broken_rounds(one_round, gateways, f"{one_round.__name__}") > 25 / 2


# --- names ----------------------------------------------------------------------------------------------------------


async def two_creations(gateways: Gateways, number: int) -> None:
    """One round: two create a role with the same name, at home or in a partnership."""
    partner = await partner_id(gateways.here) if number % 2 else None
    people = ("northwind-admin", "northwind-admin") if partner else ("contoso-manager", "contoso-teams-admin")
    asked = [
        do(
            gateways.at(place, person),
            CREATE_ROLE,
            partnership=partner,
            name=(f"Role {number}", f"ROLE  {number}")[place],
            permissions=["ROOMS_VIEW"],
        )
        for place, person in enumerate(people)
    ]

    answers = await in_turn(asked, number // 2)

    (made,) = [answer["role"] for answer in answers if answer["role"]]
    (refused,) = [answer["errors"] for answer in answers if answer["errors"]]
    assert [(error["code"], error["existing"]["id"]) for error in refused] == [("CONFLICT", made["id"])]
    assert len(await everything(gateways.here, Role, col(Role.name_key) == f"role {number}")) == 1


async def test_43_of_two_roles_with_one_name_the_first_is_made(gateways: Gateways, rounds: int) -> None:
    for number in range(rounds):
        await two_creations(gateways, number)

    await check_chain(gateways.here, tenant(CONTOSO))


async def test_43_without_the_guard_most_rounds_of_two_creations_fail(
    gateways: Gateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Work, "lock_tenant", nothing)
    monkeypatch.setattr(Work, "acting_at", unlocked)
    monkeypatch.setattr(Work, "obtain", never_locking_obtain)
    monkeypatch.setattr("app.operations.roles.free_name", slow(naming.free_name))

    assert await broken_rounds(two_creations, gateways, "two_creations") > 25 / 2


async def never_locking_obtain(work: Work, table: Any, identifier: str, permission: Any, *_: str) -> Any:
    """As `obtain`, without waiting for anybody."""
    return await work.find(table, identifier, permission)


# --- rights that go -------------------------------------------------------------------------------------------------


async def test_25_who_loses_the_right_while_waiting_gives_nothing(gateways: Gateways, rounds: int) -> None:
    """A primary admin gives a role while being removed: it is given before, or not at all."""
    desk = global_id(await role(gateways.here, CONTOSO, "Monitoring", "northwind.example"))
    zurich = await room(gateways.here, "zrh-1@contoso.example")
    for number in range(rounds):
        row = await gateways.hold(
            await admins_of(gateways.here, CONTOSO), user("northwind-helpdesk"), user("northwind-admin")
        )
        given = {"role": desk, "name": f"Given {number}", "members": [user("northwind-nobody")], "rooms": [zurich]}
        asked = [
            do(gateways.at(0, "northwind-admin"), CREATE, **given),
            do(gateways.at(1, "northwind-manager"), UPDATE, **of(row, removeMembers=[user("northwind-admin")])),
        ]

        created, removed = await in_turn(asked, number)

        assert removed["errors"] == []
        assert codes(created) in ([], ["NOT_FOUND"])
        assert await gateways.users(row) == {viewer_of("northwind-helpdesk").principal_id}

    await check_chain(gateways.here, tenant(CONTOSO))
