"""Changes started together: in every round exactly one comes first, the other is told so, and the record has no gaps.

Two gateways over one database race, so that SQLite's writers really meet. Each round has an invitation of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event
from sqlmodel import col, select, update

from app.access.scoping import unscoped
from app.access.tripwire import arm
from app.access.viewer import Viewer
from app.domain.permissions import DirectoryRole
from app.domain.vocabulary import InvitationState, PrincipalKind
from app.operations import answering, changing, inviting
from app.operations.changing import Asked, Claim
from app.operations.settling import not_pending
from app.operations.work import Work
from app.storage.engines import Database
from app.storage.tables import IdempotencyRecord, Invitation, Principal
from tests.graph.asking import Asker, ask
from tests.graph.partnering import (
    ACCEPT,
    INVITE,
    REMOVE,
    REVOKE,
    alter,
    codes,
    confirmation,
    do,
    done,
    end_partnerships,
    links,
    offer,
    rooms_of,
    tenant_id,
)
from tests.operations.chains import check_chain, everything
from tests.world import SEEDED_AT

FABRIKAM, ADATUM, TAILSPIN = (tenant_id(f"{name}.example") for name in ("fabrikam", "adatum", "tailspin"))
NORMAL = 25
LONG = {"sqlite": 300, "postgresql": 2000}
Answers = list[dict[str, Any]]


@pytest.fixture
def rounds(engine: str, is_long: bool) -> int:
    return LONG[engine] if is_long else NORMAL


class Sides:
    """Two gateways over one database, and who of Fabrikam and of Adatum asks them."""

    def __init__(self, here: Database, there: Database) -> None:
        self.here, self.there = here, there
        self.manager, self.other_manager = ask(here, "fabrikam-manager"), ask(there, "fabrikam-tenant-manager")
        self.other_manager = replace(self.other_manager, viewer=global_admin(self.other_manager.viewer.principal_id))
        self.answers, self.also_answers = ask(here, "adatum-manager"), ask(there, "adatum-tenant-manager")
        self.admins = [f"user_{ADATUM}_{self.answers.viewer.principal_id}"]
        self.rooms: list[str] = []

    async def invitation(self) -> str:
        """A new invitation from Fabrikam to Adatum, with nothing left of the round before."""
        await self.forget()
        sent = await done(self.manager, INVITE, **offer("adatum.example", self.rooms))
        return str(sent["invitation"]["id"])

    async def forget(self) -> None:
        """End what the round before left."""
        self.rooms = self.rooms or await rooms_of(self.manager)
        await end_partnerships(self.here, FABRIKAM, ADATUM, SEEDED_AT)
        for left in await everything(
            self.here, Invitation, col(Invitation.tenant_id) == FABRIKAM, col(Invitation.closed_at).is_(None)
        ):
            if left.expires_at > SEEDED_AT and left.sent_at <= SEEDED_AT:
                await done(self.manager, REVOKE, invitation=f"invitation_{left.tenant_id}_{left.id}")

    def accept(self, asker: Asker, invitation: str, **more: Any) -> Awaitable[dict[str, Any]]:
        return do(asker, ACCEPT, invitation=invitation, primaryAdmins=self.admins, **more)

    async def check_links(self) -> tuple[int, int]:
        """How many open and active ones there are; never more than one together."""
        found = await links(self.here, FABRIKAM, ADATUM)
        assert sum(found) <= 1
        return found


def global_admin(principal: str) -> Viewer:
    """Somebody of Fabrikam whose token carries Global Administrator."""
    return Viewer(FABRIKAM, principal, PrincipalKind.USER, frozenset({DirectoryRole.GLOBAL_ADMINISTRATOR}))


@pytest.fixture
async def sides(own_world: Database) -> AsyncIterator[Sides]:
    async with Database(own_world.url.render_as_string(hide_password=False)) as there:
        yield Sides(own_world, arm(there))


async def together(*asked: Awaitable[dict[str, Any]]) -> Answers:
    """The answers of what was started together, once all have ended."""
    answers = await asyncio.gather(*asked, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [answer for answer in answers if not isinstance(answer, BaseException)]


async def in_turn(asked: Sequence[Awaitable[dict[str, Any]]], number: int) -> Answers:
    """The answers of what was started together, every other round in the other order."""
    return await together(*asked) if number % 2 else (await together(*reversed(asked)))[::-1]


def one_winner(answers: Answers) -> dict[str, Any]:
    """The one refusal of two answers."""
    refused = [answer for answer in answers if answer["errors"]]
    assert len(refused) == 1, answers
    (error,) = refused[0]["errors"]
    return dict(error)


# --- answering ------------------------------------------------------------------------------------------------------


async def two_accept(sides: Sides, _: int) -> None:
    """One round: one of two acceptances makes the partnership, the other is told that it was accepted (ACC-6)."""
    invitation = await sides.invitation()

    answers = await together(sides.accept(sides.answers, invitation), sides.accept(sides.also_answers, invitation))

    loser = one_winner(answers)
    assert (loser["code"], loser["state"]) == ("INVALID_STATE", "ACCEPTED")
    assert await sides.check_links() == (0, 1)


async def accept_and_revoke(sides: Sides, number: int) -> None:
    """One round: an acceptance meets a revocation, and either comes first."""
    invitation = await sides.invitation()
    asked = [sides.accept(sides.also_answers, invitation), do(sides.manager, REVOKE, invitation=invitation)]

    accepted, revoked = await in_turn(asked, number)

    loser = one_winner([accepted, revoked])
    assert (loser["code"], loser["state"]) == ("INVALID_STATE", "REVOKED" if accepted["errors"] else "ACCEPTED")
    assert await sides.check_links() == (0, 0 if accepted["errors"] else 1)


async def accept_and_expire(sides: Sides, number: int) -> None:
    """One round: the partner's request began just before the invitation ran out, the customer's next invitation just
    after (ACC-10).
    """
    invitation = await sides.invitation()
    over = SEEDED_AT + timedelta(days=3)
    late = sides.also_answers.at(over - timedelta(microseconds=1))
    next_one = offer("adatum.example", sides.rooms)

    accepted, invited = await in_turn(
        [sides.accept(late, invitation), do(sides.manager.at(over), INVITE, **next_one)], number
    )

    loser = one_winner([accepted, invited])
    if accepted["errors"]:
        assert (loser["code"], loser["state"]) == ("INVALID_STATE", "EXPIRED")
        assert await sides.check_links() == (1, 0)
        await done(sides.manager.at(over), REVOKE, invitation=invited["invitation"]["id"])
    else:
        assert loser["code"] == "CONFLICT"
        assert loser["existing"]["id"] == accepted["partnership"]["id"]
        assert await sides.check_links() == (0, 1)


Round = Callable[[Sides, int], Awaitable[None]]
ANSWERS = [two_accept, accept_and_revoke, accept_and_expire]
"""The races about one invitation."""


@pytest.mark.parametrize("one_round", ANSWERS)
async def test_acc_6_acc_10_of_all_who_move_an_invitation_the_first_wins(
    sides: Sides, rounds: int, one_round: Round
) -> None:
    for number in range(rounds):
        await one_round(sides, number)

    await check_chain(sides.here, FABRIKAM)


async def unguarded(work: Work, invitation: Invitation, seen_under: Any, **values: Any) -> None:
    """As `settle` moves an invitation, but by reading it and then writing it."""
    key = (col(Invitation.tenant_id) == invitation.tenant_id, col(Invitation.id) == invitation.id)
    state = (await work.session.exec(unscoped(select(Invitation.state).where(*key), "a test without a guard"))).one()
    if state is not InvitationState.PENDING:
        raise not_pending(invitation, work.moment)
    await asyncio.sleep(0.02)
    await work.session.exec(update(Invitation).where(*key).values(values))


@contextmanager
def deferred(*databases: Database) -> Iterator[None]:
    """Transactions of SQLite begin without the lock that they should begin with."""

    def begin(_c: object, _u: object, sql: str, parameters: object, _x: object, _m: bool) -> tuple[str, object]:
        return sql.replace("BEGIN IMMEDIATE", "BEGIN DEFERRED"), parameters

    for database in databases:
        event.listen(database.writer.sync_engine, "before_cursor_execute", begin, retval=True)
    yield
    for database in databases:
        event.remove(database.writer.sync_engine, "before_cursor_execute", begin)


async def broken_rounds(one_round: Round, sides: Sides, rounds: int) -> int:
    """How many rounds do not hold."""
    broken = 0
    for number in range(rounds):
        try:
            await one_round(sides, number)
        except AssertionError:
            broken += 1
            await end_everything(sides)
    return broken


async def end_everything(sides: Sides) -> None:
    """Leave nothing of a round that did not hold in the way of the next."""
    closed = {"state": InvitationState.REVOKED, "closed_at": SEEDED_AT}
    between = col(Invitation.tenant_id) == FABRIKAM, col(Invitation.partner_tenant_id) == ADATUM
    await alter(sides.here, Invitation, *between, col(Invitation.closed_at).is_(None), **closed)


@pytest.mark.parametrize("one_round", ANSWERS)
async def test_without_the_guard_most_rounds_about_an_invitation_fail(
    sides: Sides, monkeypatch: pytest.MonkeyPatch, one_round: Round
) -> None:
    for module in (answering, inviting):
        monkeypatch.setattr(module, "settle", unguarded)

    with deferred(sides.here, sides.there):
        broken = await broken_rounds(one_round, sides, 25)

    print(f"\n{one_round.__name__} without the guard: {broken} of 25 rounds broken")  # noqa: T201
    assert broken > 25 / 2


# --- inviting and removing ------------------------------------------------------------------------------------------


async def test_of_two_invitations_of_one_partner_the_first_is_sent(sides: Sides, rounds: int) -> None:
    for number in range(rounds):
        await sides.forget()
        asked = offer("adatum.example", sides.rooms)

        answers = await in_turn([do(sides.manager, INVITE, **asked), do(sides.other_manager, INVITE, **asked)], number)

        loser = one_winner(answers)
        (sent,) = [answer["invitation"]["id"] for answer in answers if not answer["errors"]]
        assert (loser["code"], loser["existing"]) == ("CONFLICT", {"id": sent})
        assert await sides.check_links() == (1, 0)

    await check_chain(sides.here, FABRIKAM)


async def linked(sides: Sides) -> str:
    """A new partnership, whose primary admin is Adatum's Manager."""
    accepted = await done(sides.answers, ACCEPT, invitation=await sides.invitation(), primaryAdmins=sides.admins)
    return str(accepted["partnership"]["id"])


async def test_54_of_two_who_remove_one_ends_it_and_there_is_one_record(sides: Sides, rounds: int) -> None:
    """The customer's Manager may remove again; to the partner's side there is nothing left to remove."""
    removals = 0
    partner = replace(sides.answers, database=sides.there)
    for number in range(rounds):
        partnership = await linked(sides)
        words = [await confirmation(asker, partnership) for asker in (sides.manager, partner)]
        asked = [
            do(asker, REMOVE, partnership=partnership, confirmation=word)
            for asker, word in zip((sides.manager, partner), words, strict=True)
        ]

        customers, partners = await in_turn(asked, number)

        assert customers["errors"] == []
        assert bool(customers["ended"]) != bool(partners["ended"])
        assert codes(partners) == ([] if partners["ended"] else ["NOT_FOUND"])
        assert customers["partnership"]["removedBySide"] == ("CUSTOMER" if customers["ended"] else "PARTNER")
        removals += 1

    entries = await check_chain(sides.here, FABRIKAM)
    assert sum(entry.action == "partnership.remove" for entry in entries) == removals


async def test_54_a_second_removal_beside_the_acceptance_of_a_new_invitation_ends_only_the_old_link(
    sides: Sides, rounds: int
) -> None:
    for number in range(rounds):
        old = await linked(sides)
        word = await confirmation(sides.manager, old)
        await done(sides.manager, REMOVE, partnership=old, confirmation=word)
        again = await done(sides.manager, INVITE, **offer("adatum.example", sides.rooms))

        accepted, removed = await in_turn(
            [
                sides.accept(sides.also_answers, again["invitation"]["id"]),
                do(sides.manager, REMOVE, partnership=old, confirmation=word),
            ],
            number,
        )

        assert (accepted["errors"], removed["errors"], removed["ended"]) == ([], [], None)
        assert accepted["partnership"]["id"] != old
        assert await sides.check_links() == (0, 1)

    await check_chain(sides.here, FABRIKAM)


async def test_5_a_new_invitation_beside_a_removal_is_sent_or_meets_the_partnership(sides: Sides, rounds: int) -> None:
    for number in range(rounds):
        partnership = await linked(sides)
        word = await confirmation(sides.manager, partnership)
        asked = [
            do(sides.manager, REMOVE, partnership=partnership, confirmation=word),
            do(sides.other_manager, INVITE, **offer("adatum.example", sides.rooms)),
        ]

        removed, invited = await in_turn(asked, number)

        assert removed["ended"]["rooms"] == 2
        assert codes(invited) in ([], ["CONFLICT"])
        assert await sides.check_links() == (0 if invited["errors"] else 1, 0)

    await check_chain(sides.here, FABRIKAM)


# --- the same request, the same caller ------------------------------------------------------------------------------


async def test_the_same_key_twice_at_once_is_done_once_and_answered_alike(sides: Sides, rounds: int) -> None:
    there = replace(sides.manager, database=sides.there)
    for number in range(rounds):
        await sides.forget()
        asked = offer("adatum.example", sides.rooms, idempotencyKey=f"round {number}")

        first, second = await in_turn([do(asker, INVITE, **asked) for asker in (sides.manager, there)], number)

        assert first["errors"] == []
        assert first == second
        assert await sides.check_links() == (1, 0)

    entries = await check_chain(sides.here, FABRIKAM)
    assert sum(entry.action == "invitation.send" and entry.user_id is not None for entry in entries) == rounds
    assert len(await everything(sides.here, IdempotencyRecord)) == rounds


async def one_key_twice(sides: Sides, _: int) -> None:
    """One round: two gateways are sent the same change under the same key."""
    await sides.forget()
    asked = offer("adatum.example", sides.rooms, idempotencyKey=f"{uuid4()}")
    askers = (sides.manager, replace(sides.manager, database=sides.there))

    first, second = await together(*(do(asker, INVITE, **asked) for asker in askers))

    assert first["errors"] == []
    assert first == second


async def looked_up(work: Work, asked: Asked) -> Claim:
    """As `claim` finds the key's record, but without anybody waiting for who claims it as well."""
    values: dict[str, Any] = {"tenant_id": work.asker.tenant_id, "principal_id": work.asker.principal_id}
    values |= {"mutation": asked.mutation, "idempotency_key": asked.idempotency_key}
    same = select(IdempotencyRecord).filter_by(**values)
    if found := (await work.session.exec(unscoped(same, "a test without a guard"))).first():
        return Claim(found, found.results)
    await asyncio.sleep(0.02)
    record = IdempotencyRecord(**values, input_digest=asked.digest, created_at=work.moment)
    work.session.add(record)
    return Claim(record)


async def test_without_the_guard_most_rounds_of_the_same_key_twice_fail(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changing, "claim", looked_up)

    with deferred(sides.here, sides.there):
        broken = await broken_rounds(one_key_twice, sides, 25)

    print(f"\nsame key twice without the guard: {broken} of 25 rounds broken")  # noqa: T201
    assert broken > 25 / 2


async def two_first_changes(sides: Sides) -> None:
    """One round: somebody whom only the token knows takes back two invitations at once."""
    await sides.forget()
    stranger = global_admin(str(uuid4()))
    sent = [
        (await done(sides.manager, INVITE, **offer(domain, sides.rooms)))["invitation"]["id"]
        for domain in ("adatum.example", "tailspin.example")
    ]

    answers = [
        do(Asker(database, stranger), REVOKE, invitation=each)
        for database, each in zip((sides.here, sides.there), sent, strict=True)
    ]

    assert [answer["errors"] for answer in await together(*answers)] == [[], []]
    assert len(await everything(sides.here, Principal, col(Principal.id) == stranger.principal_id)) == 1


async def test_two_first_changes_of_one_caller_store_the_caller_once(sides: Sides, rounds: int) -> None:
    for _ in range(rounds):
        await two_first_changes(sides)

    await check_chain(sides.here, FABRIKAM)
