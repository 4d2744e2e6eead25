"""Held changes and the end of a partnership, started together: what is done was done while it was allowed.

Two gateways over one database race, so that SQLite's writers really meet. Whatever changes rights, requests or the
partnership locks the partnership first; with that lock and the conditional update switched off, most rounds go wrong.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from sqlalchemy import delete, event, insert
from sqlalchemy.exc import OperationalError
from sqlmodel import SQLModel, col, select, update

from app.access.scoping import unscoped
from app.access.tripwire import WORK, arm
from app.domain.permissions import Permission
from app.domain.vocabulary import ApprovalState, AuditResult, PartnershipState
from app.operations import deciding, removing
from app.operations.commands import Prepared
from app.operations.rooms import UpdateRoom
from app.operations.settling import not_pending
from app.operations.work import Work
from app.storage.engines import Database
from app.storage.tables import (
    ApprovalRequest,
    AssignmentGroup,
    AssignmentMember,
    AuditEntry,
    AuditHead,
    Partnership,
    Room,
)
from tests.graph.asking import Asker, ask
from tests.graph.partnering import PROBLEMS, REMOVE, alter, codes, confirmation, do, partnership_of, tenant_id
from tests.graph.test_races import LONG, deferred, in_turn, one_winner
from tests.operations.chains import check_chain, everything, hash_by_hand

UPDATE_ROOM = f"""mutation Update($input: UpdateRoomInput!) {{ updateRoom(input: $input) {{
  room {{ id }} approvalRequest {{ id }} {PROBLEMS} }} }}"""
APPROVE = f"""mutation Approve($input: ApproveRequestInput!) {{ approveRequest(input: $input) {{
  approvalRequest {{ id state }} {PROBLEMS} }} }}"""
CANCEL = f"""mutation Cancel($input: CancelRequestInput!) {{ cancelRequest(input: $input) {{
  approvalRequest {{ id state }} {PROBLEMS} }} }}"""
CONTOSO = tenant_id("contoso.example")
PAUSE, PATIENCE = 0.05, 0.5
"""How long a slow change stands between its checks and its end, and how long it waits for the other one there."""
SHUFFLED = 25
TESTS = "tests know everything"


@pytest.fixture
def rounds(engine: str, is_long: bool) -> int:
    return LONG[engine] if is_long else SHUFFLED


class Sides:
    """Two gateways over one database, and who of Contoso and of Northwind asks them about one room."""

    def __init__(self, here: Database, there: Database, partnership: str) -> None:
        self.here, self.there, self.partnership = here, there, partnership
        self.manager, self.other_manager = ask(here, "contoso-manager"), ask(there, "contoso-global-admin")
        self.admin, self.admin_there = ask(here, "northwind-admin"), ask(there, "northwind-admin")
        self.key = partnership.split("_")[2]
        self.delegated: dict[type[SQLModel], list[dict[str, Any]]] = {}
        self.is_slow = False
        self.checked, self.over = asyncio.Event(), asyncio.Event()
        """A change has passed its checks; what takes the right to it away is done."""
        self.room = Room()
        self.head = AuditHead()

    async def begin(self, held: Permission = Permission.ROOMS_MODIFY) -> None:
        """Give back what the round before took away, and remember what there is."""
        self.checked, self.over = asyncio.Event(), asyncio.Event()
        this = col(Partnership.id) == self.key
        again = {"state": PartnershipState.ACTIVE, "removed_at": None, "removed_by_side": None, "manual_events": held}
        await alter(self.here, Partnership, this, **again)
        await self.restore()
        (self.room,) = await everything(self.here, Room, col(Room.account) == "zrh-1@contoso.example")
        (self.head,) = await everything(self.here, AuditHead, col(AuditHead.tenant_id) == CONTOSO)

    async def wait(self, event: asyncio.Event) -> None:
        """Let the other one come first, if that can be."""
        if self.is_slow:
            with suppress(TimeoutError):
                await asyncio.wait_for(event.wait(), PATIENCE)

    async def restore(self) -> None:
        """Let the partner's Primary admin hold what was delegated at first."""
        (row,) = await everything(self.here, Partnership, col(Partnership.id) == self.key)
        for table in (AssignmentMember, AssignmentGroup):
            mine = col(table.assignment_id) == row.delegation_id
            if table not in self.delegated:
                self.delegated[table] = [each.model_dump() for each in await everything(self.here, table, mine)]
            async with self.here.writing() as session:
                await session.exec(unscoped(delete(table).where(mine), TESTS))
                await session.exec(unscoped(insert(table).values(self.delegated[table]), TESTS))
                await session.commit()

    def change(self, asker: Asker) -> Awaitable[dict[str, Any]]:
        """One more seat in the room."""
        asked = {"room": f"room_{CONTOSO}_{self.room.id}", "expectedVersion": self.room.version}
        return do(asker, UPDATE_ROOM, capacity=(self.room.capacity or 0) + 1, **asked)

    async def held(self) -> str:
        """The request for one more seat in the room, which Contoso holds."""
        await self.begin()
        payload = await self.change(self.admin)
        assert payload["errors"] == []
        (self.head,) = await everything(self.here, AuditHead, col(AuditHead.tenant_id) == CONTOSO)
        self.checked.clear()
        return str(payload["approvalRequest"]["id"])

    async def removal(self, asker: Asker) -> Awaitable[dict[str, Any]]:
        """The end of the partnership, about to be asked for by somebody who saw what would end."""
        word = await confirmation(asker, self.partnership)

        async def remove() -> dict[str, Any]:
            payload = await do(asker, REMOVE, partnership=self.partnership, confirmation=word)
            self.over.set()
            return payload

        return remove()

    async def lines(self, request: str = "") -> list[str]:
        """What the round put on Contoso's record, in its order; of requests only of this one. The chain is whole."""
        new = (col(AuditEntry.tenant_id) == CONTOSO, col(AuditEntry.sequence) > self.head.sequence)
        entries = sorted(await everything(self.here, AuditEntry, *new), key=lambda entry: entry.sequence)
        (head,) = await everything(self.here, AuditHead, col(AuditHead.tenant_id) == CONTOSO)
        hashes = [self.head.hash, *(entry.hash for entry in entries)]
        assert [entry.sequence - self.head.sequence for entry in entries] == list(range(1, len(entries) + 1))
        assert [entry.previous_hash for entry in entries] == hashes[:-1]
        assert [hash_by_hand(entry) for entry in entries] == hashes[1:]
        assert (head.sequence, head.hash) == (self.head.sequence + len(entries), hashes[-1])
        ours = [each for each in entries if each.subject == request or not each.action.startswith("approval.")]
        done = [each for each in ours if each.result_status is AuditResult.SUCCESSFUL]
        return [each.action for each in done if each.action != "role.delete"]

    async def end(self, request: str) -> tuple[ApprovalState, bool]:
        """What became of the request, and whether the room has one more seat; if so, it was changed once."""
        (row,) = await everything(self.here, ApprovalRequest, col(ApprovalRequest.id) == request.split("_")[2])
        (room,) = await everything(self.here, Room, col(Room.id) == self.room.id)
        grown = (room.capacity or 0) - (self.room.capacity or 0)
        assert grown in (0, 1)
        assert room.version - self.room.version == grown
        return row.state, bool(grown)


@pytest.fixture
async def sides(own_world: Database) -> AsyncIterator[Sides]:
    async with Database(own_world.url.render_as_string(hide_password=False)) as there:
        yield Sides(own_world, arm(there), await partnership_of(own_world, "contoso.example", "northwind.example"))


def state_of(payload: dict[str, Any]) -> Any:
    """What became of the request by an answer, or in which state it was already."""
    return payload["errors"][0].get("state") if payload["errors"] else payload["approvalRequest"]["state"]


# --- one round of each ------------------------------------------------------------------------------------------------


async def take_away(sides: Sides, request: str, table: type[AssignmentMember] | type[AssignmentGroup]) -> ApprovalState:
    """End what the request's asker holds, as a change of rights would; in which state the request was just then.

    There is no such mutation yet, so this locks the partnership and writes by itself.
    """
    async with sides.there.writing() as session:
        await session.connection(execution_options={WORK: True})
        link = select(Partnership).where(col(Partnership.id) == sides.key).with_for_update(key_share=True)
        row = (await session.exec(unscoped(link, TESTS))).one()
        asked = select(ApprovalRequest.state).where(col(ApprovalRequest.id) == request.split("_")[2])
        state = (await session.exec(unscoped(asked, TESTS))).one()
        await sides.wait(sides.checked)
        await session.exec(unscoped(delete(table).where(col(table.assignment_id) == row.delegation_id), TESTS))
        await session.commit()
    sides.over.set()
    return ApprovalState(state)


async def approve_and_lose_the_right(sides: Sides, number: int) -> None:
    """What was approved before the right was lost is done; afterwards it fails and nothing is."""
    request, table = await sides.held(), (AssignmentMember, AssignmentGroup)[number % 4 // 2]

    async def lose() -> dict[str, Any]:
        return {"state": await take_away(sides, request, table)}

    approved, lost = await in_turn([do(sides.manager, APPROVE, request=request), lose()], number)

    was_first = lost["state"] is ApprovalState.APPROVED
    assert was_first or lost["state"] is ApprovalState.PENDING
    assert state_of(approved) == ("APPROVED" if was_first else "FAILED")
    assert await sides.end(request) == (ApprovalState(state_of(approved)), was_first)
    expected = ["room.update", "approval.approve"] if was_first else ["approval.fail"]
    assert sorted(await sides.lines(request)) == sorted(expected)


async def two_approve(sides: Sides, number: int) -> None:
    """One approves and it is done once; the other is told that it was approved."""
    request = await sides.held()

    answers = await in_turn(
        [do(each, APPROVE, request=request) for each in (sides.manager, sides.other_manager)], number
    )

    loser = one_winner(answers)
    assert (loser["code"], loser["state"]) == ("INVALID_STATE", "APPROVED")
    assert await sides.end(request) == (ApprovalState.APPROVED, True)
    assert sorted(await sides.lines(request)) == ["approval.approve", "room.update"]


async def approve_and_take_back(sides: Sides, number: int) -> None:
    """It is approved and done, or taken back and never done."""
    request = await sides.held()

    approved, cancelled = await in_turn(
        [do(sides.manager, APPROVE, request=request), do(sides.admin_there, CANCEL, request=request)], number
    )

    loser, is_done = one_winner([approved, cancelled]), not approved["errors"]
    end = "APPROVED" if is_done else "CANCELLED"
    assert (loser["code"], loser["state"]) == ("INVALID_STATE", end)
    assert await sides.end(request) == (ApprovalState(end), is_done)
    expected = ["approval.approve", "room.update"] if is_done else ["approval.cancel"]
    assert sorted(await sides.lines(request)) == expected


async def approve_and_remove(sides: Sides, number: int) -> None:
    """It is approved and done before the partnership ends, or ends with it. Either side removes."""
    request = await sides.held()
    remover = (sides.other_manager, sides.admin_there)[number % 4 // 2]

    approved, removed = await in_turn(
        [do(sides.manager, APPROVE, request=request), await sides.removal(remover)], number
    )

    is_done = not approved["errors"]
    assert removed["errors"] == []
    assert (codes(approved), state_of(approved)) == (([], "APPROVED") if is_done else (["INVALID_STATE"], "CANCELLED"))
    assert await sides.end(request) == (ApprovalState(state_of(approved)), is_done)
    lines = await sides.lines(request)
    assert sorted(lines[:-1]) == (["approval.approve", "room.update"] if is_done else ["approval.cancel"])
    assert lines[-1] == "partnership.remove"


async def take_back_and_remove(sides: Sides, number: int) -> None:
    """It is taken back, or ends with the partnership and is gone for who asked; and it ends once."""
    request = await sides.held()

    cancelled, removed = await in_turn(
        [do(sides.admin, CANCEL, request=request), await sides.removal(sides.other_manager)], number
    )

    assert (removed["errors"], codes(cancelled)) in (([], []), ([], ["NOT_FOUND"]))
    assert await sides.end(request) == (ApprovalState.CANCELLED, False)
    assert await sides.lines(request) == ["approval.cancel", "partnership.remove"]
    (row,) = await everything(sides.here, ApprovalRequest, col(ApprovalRequest.id) == request.split("_")[2])
    assert (row.decider_id is None) == bool(cancelled["errors"])


async def act_and_remove(sides: Sides, number: int) -> None:
    """What the partner changes is done before the partnership ends, or never: there is nothing any more."""
    await sides.begin(Permission(0))

    changed, removed = await in_turn([sides.change(sides.admin), await sides.removal(sides.other_manager)], number)

    assert removed["errors"] == []
    assert codes(changed) in ([], ["NOT_FOUND"])
    before = [] if changed["errors"] else ["room.update"]
    assert await sides.lines() == [*before, "partnership.remove"]


RACES = (
    approve_and_lose_the_right,
    two_approve,
    approve_and_take_back,
    approve_and_remove,
    take_back_and_remove,
    act_and_remove,
)
TAKING = (approve_and_lose_the_right, act_and_remove)
"""Those in which one takes away what the other one is allowed to."""
Race = Callable[[Sides, int], Awaitable[None]]


# --- with the guard ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("race", RACES)
async def test_in_every_round_one_comes_first(sides: Sides, rounds: int, race: Race) -> None:
    for number in range(rounds):
        await race(sides, number)

    await check_chain(sides.here, CONTOSO)


@pytest.mark.parametrize("race", RACES)
async def test_however_long_they_take_one_comes_first(
    sides: Sides, race: Race, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same pauses with which most rounds go wrong without the guard."""
    slow_down(sides, race, monkeypatch)

    for number in range(4):
        await race(sides, number)


# --- without ----------------------------------------------------------------------------------------------------------


def slow_down(sides: Sides, race: Race, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let changes stand still between their checks and what they do."""
    prepare, record = UpdateRoom.prepare, removing.record_removal

    async def slowly(self: UpdateRoom, work: Work) -> Prepared:
        prepared = await prepare(self, work)
        sides.checked.set()
        if work.approver or race is act_and_remove:
            await asyncio.sleep(PAUSE)
            if race in TAKING:
                await sides.wait(sides.over)
        return prepared

    async def record_slowly(work: Work, row: Partnership) -> None:
        if race in TAKING:
            await sides.wait(sides.checked)
        await record(work, row)

    monkeypatch.setattr(UpdateRoom, "prepare", slowly)
    monkeypatch.setattr(removing, "record_removal", record_slowly)
    sides.is_slow = True


async def unguarded(work: Work, row: ApprovalRequest, seen_under: Any, **values: Any) -> None:
    """As `settle` moves a request, but by reading it and then writing it."""
    key = (col(ApprovalRequest.tenant_id) == row.tenant_id, col(ApprovalRequest.id) == row.id)
    state = (await work.session.exec(unscoped(select(ApprovalRequest.state).where(*key), TESTS))).one()
    if state is not ApprovalState.PENDING:
        raise not_pending(row, work.moment)
    await asyncio.sleep(PAUSE / 5)
    values["version"] = row.version + 1
    await work.session.exec(update(ApprovalRequest).where(*key).values(values))


@contextmanager
def unlocked(*databases: Database) -> Iterator[None]:
    """Nothing locks the rows that it reads; only the record's chains stay in order."""

    def strip(_c: object, _u: object, sql: str, parameters: object, _x: object, _m: bool) -> tuple[str, object]:
        return re.sub(r"FOR NO KEY UPDATE( OF \w+)?", "", sql), parameters

    for database in databases:
        event.listen(database.writer.sync_engine, "before_cursor_execute", strip, retval=True)
    yield
    for database in databases:
        event.remove(database.writer.sync_engine, "before_cursor_execute", strip)


@pytest.mark.parametrize("race", RACES)
async def test_without_the_guard_most_rounds_fail(sides: Sides, race: Race, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite notices a part of it by itself and breaks off; that is no answer either."""
    slow_down(sides, race, monkeypatch)
    monkeypatch.setattr(deciding, "settle", unguarded)

    broken = 0
    with deferred(sides.here, sides.there), unlocked(sides.here, sides.there):
        for number in range(SHUFFLED):
            try:
                await race(sides, number)
            except (AssertionError, OperationalError):
                broken += 1

    print(f"\n{race.__name__} without the guard: {broken} of {SHUFFLED} rounds broken")  # noqa: T201
    assert broken > SHUFFLED / 2
