"""The whole life of partnerships, step by step in every order, against a model of it that shares no rule with the code.

Everybody of four organizations asks for anything at any time. The model says what has to become of it: done, held, or
refused and why; what is stored then; and which lines the records have. All of it is compared after every step.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any, TypeVar, cast

import pytest
from hypothesis import Phase, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from sqlalchemy import Row, delete, insert, true
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import col

from app.access import visible
from app.access.scoping import unscoped
from app.access.tripwire import arm
from app.access.viewer import VIEWER_TENANT, Caller, Viewer
from app.domain.ids import GlobalId
from app.domain.permissions import Permission, Standing
from app.domain.vocabulary import ApprovalState, AuditOperation, InvitationState, PartnershipState, PrincipalKind
from app.execution.bodies import GraphQLRequest
from app.graph.context import Service, begin
from app.operations import (
    answering,
    assignment_changes,
    assignments,
    changing,
    deciding,
    holding,
    inviting,
    removing,
    roles,
    settling,
)
from app.operations.inviting import Terms
from app.operations.work import Work
from app.storage.engines import Database, read_address
from app.storage.tables import AuditEntry, GroupMember, Partnership, RoomGroupRoom
from tests.access.policy import Key
from tests.conftest import ENGINES, Databases
from tests.graph.asking import FIELD_BY_FIELD, LIMITS
from tests.graph.crawling import forget_statements
from tests.graph.life_choices import INPUTS, KEYS, Choices, instants
from tests.graph.life_model import (
    CONFIRMED_FOR,
    TERMS,
    Actor,
    Change,
    Confirmation,
    Entry,
    Memory,
    Outcome,
    attempt,
    key_of,
    renamed,
    said,
)
from tests.graph.life_world import EVERYTHING, Rows, actors, broken_links, prepare, read, rows_of, without_admins
from tests.operations.chains import hash_by_hand
from tests.world import SEEDED_AT

Result = TypeVar("Result")
NORMAL = (10, 50)
"""Examples, and steps of each."""
LONG = (4000, 60)
AT_MOST = 3600
TRIES = 20
"""Askings that are thought of before one is chosen."""
UNCHANGING = frozenset({"idempotency_records"})
BESIDE = frozenset({"audit_entries", "audit_heads", "refusal_counts"})
"""Tables in which a refusal may leave its own trace."""
KINDS = {
    "partnerships": "new partnership",
    "invitations": "new invitation",
    "roles": "new role",
    "assignments": "new assignment",
    "approval_requests": "new request",
}
ANSWERED = {
    "invitePartner": "invitation { id state }",
    "revokeInvitation": "invitation { id state }",
    "acceptInvitation": "invitation { id } partnership { id state }",
    "declineInvitation": "invitation { id }",
    "removePartner": "partnership { id state } ended { rooms roles assignments people openApprovals }",
    "setChangeControl": "partnership { id }",
    "setTenantManagers": "tenantManagers { id }",
    "createRole": "role { id } approvalRequest { id }",
    "updateRole": "role { id } approvalRequest { id }",
    "deleteRole": "deletedRole endedAssignments",
    "createAssignment": "assignment { id } approvalRequest { id }",
    "updateAssignment": "assignment { id } approvalRequest { id }",
    "deleteAssignment": "deletedAssignment",
    "updateRoom": "room { id } approvalRequest { id }",
    "approveRequest": "approvalRequest { id state failure }",
    "rejectRequest": "approvalRequest { id state }",
    "cancelRequest": "approvalRequest { id state }",
}
ERRORS = "errors { code path message ... on ConfirmationRequired { impact { confirmation } } }"
ROOMS = "{ viewer { rooms(first: 50) { nodes { id } } } }"
LOOK = """{ viewer {
  rooms(first: 50) { nodes { id } }
  received: invitations(direction: RECEIVED, first: 50) { nodes { id } }
  sent: invitations(direction: SENT, first: 50) { nodes { id } }
  partners(first: 50) { nodes { id } }
  customers(first: 50) { nodes { id } }
  approvalRequests(first: 50) { nodes { id } } } }"""
ACTORS = actors()
EVERYBODY = [actor for _, actor in ACTORS.values()]
STEPS = {
    "invitePartner": 5,
    "acceptInvitation": 5,
    "updateAssignment": 8,
    "createAssignment": 5,
    "createRole": 5,
    "updateRole": 5,
    "updateRoom": 5,
    "approveRequest": 6,
    "removePartner": 5,
    "setChangeControl": 3,
    "rejectRequest": 1,
    "cancelRequest": 1,
    "revokeInvitation": 1,
    "declineInvitation": 1,
    "setTenantManagers": 2,
    "deleteRole": 1,
    "deleteAssignment": 3,
    "send_again": 4,
    "time_passes": 4,
    "a_directory_changes": 3,
}
"""How often each kind of step is taken. One rule takes them all: lives in which only some kinds happen say little."""
NOBODY = frozenset({PrincipalKind.GROUP})


def document(mutation: str) -> str:
    """The text of a change."""
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    return f"mutation($input: {kind}!) {{ {mutation}(input: $input) {{ {ANSWERED[mutation]} {ERRORS} }} }}"


class Stage:
    """A database in which one example after the other has the prepared world for itself, and a loop to ask it on."""

    def __init__(self, engine: str, databases: Databases, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        administrator = create_async_engine(read_address(databases.server), isolation_level="AUTOCOMMIT")
        self.databases = replace(databases, administrator=administrator)
        self.engine, self.name = engine, name
        self.database = arm(Database(databases.address(engine, name), pool_size=2))
        self.prepared = False
        self.diet: Mapping[str, int] = STEPS
        self.steps: Counter[str] = Counter()

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return self.loop.run_until_complete(coroutine)

    def fresh(self) -> Database:
        """The prepared world as it was in the beginning."""
        self.run(self._fresh())
        return self.database

    async def _fresh(self) -> None:
        template = f"{self.name}-prepared"
        if not self.prepared:
            await prepare(await self.databases.copy(self.engine, template, "template"))
            self.prepared = True
        await self.database.close()
        await self.databases.drop(self.engine, self.name)
        await self.databases.copy(self.engine, self.name, template)

    async def answer(self, actor: Actor, moment: Any, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer that has to be without errors."""
        viewer = Viewer(actor.tenant, actor.id, actor.kind, actor.directory_roles)
        caller = Caller(viewer, "somebody", None, actor.is_guest)
        async with begin(caller, self.database, SERVICE, moment, "request") as context:
            context.is_recognized = True
            answer = await FIELD_BY_FIELD.answer(GraphQLRequest(query, None, variables, {}), context, "request")
        assert list(answer.errors) == []
        return dict(answer.data)

    def close(self) -> None:
        self.run(self._close())
        self.loop.close()

    async def _close(self) -> None:
        await self.database.close()
        for name in (self.name, f"{self.name}-prepared"):
            await self.databases.drop(self.engine, name)
        await self.databases.administrator.dispose()


SERVICE = Service(LIMITS, Terms(TERMS, "Rooms are delegated until either side ends it."))


@dataclass(frozen=True)
class Asked:
    """A change that somebody asked for."""

    actor: Actor
    mutation: str
    input: Mapping[str, Any] = field(hash=False)


class LifeCycle(RuleBasedStateMachine):
    """The gateway and the model, side by side."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage = stage
        self.database = stage.fresh()
        self.rows = stage.run(rows_of(self.database))
        self.life = read(self.rows, SEEDED_AT)
        self.memory = Memory()
        self.asked: list[Asked] = []
        self.emptied: set[Key] = set()
        self.taken: Counter[bytes] = Counter()
        """The same chance again is another step: Hypothesis likes to repeat itself."""
        assert self.check_chains({}) > 0

    # --- steps ----------------------------------------------------------------------------------------------------

    @rule(chance=st.binary(min_size=8, max_size=8))
    def step(self, chance: bytes) -> None:
        """Somebody asks for a change, mostly; or the clock or a directory moves."""
        self.taken[chance] += 1
        dice = Random(chance + bytes([self.taken[chance] % 256]))
        (chosen,) = dice.choices(list(self.stage.diet), list(self.stage.diet.values()))
        if chosen in INPUTS:
            self.carry_out(self.choose(chosen, dice), dice)
        else:
            getattr(self, chosen)(dice)

    def choose(self, mutation: str, dice: Random) -> Asked:
        """One of a few things to ask for: mostly one that is done, often one that is refused for more than rights."""
        mood = dice.random()
        likely = self.likely(mutation)
        for _ in range(TRIES):
            actor = dice.choice(likely if likely and dice.random() < 0.5 else EVERYBODY)
            choices = Choices(dice, self.life, self.memory, actor)
            asked = INPUTS[mutation](choices) | choices.maybe(15, "idempotencyKey", lambda: dice.choice(KEYS))
            outcome = attempt(self.life, self.memory, actor, mutation, asked)
            if is_wanted(outcome, mood):
                break
        return Asked(actor, mutation, asked)

    def of_partners(self) -> list[Actor]:
        """Who holds something in a partnership."""
        held = {member for each in self.life.assignments.values() if each.partnership for member in each.members}
        held |= self.life.users(held)
        return [actor for actor in EVERYBODY if actor.key in held]

    def likely(self, mutation: str) -> list[Actor]:
        """Some of those who might do this now."""
        life = self.life
        waiting = {key[0]: each for key, each in life.requests.items() if each.state is ApprovalState.PENDING}
        open_ones = [each for each in life.invitations.values() if each.state is InvitationState.PENDING]
        given = [each.actor for each in self.memory.confirmations.values() if life.now < each.until]
        some = {
            "approveRequest": [actor for actor in EVERYBODY if actor.tenant in waiting],
            "rejectRequest": [actor for actor in EVERYBODY if actor.tenant in waiting],
            "cancelRequest": [actor for actor in EVERYBODY if actor.key in {r.requester for r in waiting.values()}],
            "acceptInvitation": [actor for actor in EVERYBODY if actor.tenant in {i.partner for i in open_ones}],
            "removePartner": [actor for actor in EVERYBODY if actor.key in given],
        }
        return some.get(mutation) or self.of_partners()

    def carry_out(self, asked: Asked, dice: Random) -> None:
        """Ask the gateway and the model, and compare all that follows."""
        actor, mutation = asked.actor, asked.mutation
        expected = attempt(self.life, self.memory, actor, mutation, asked.input)
        became = " ".join((expected.kind, *expected.codes))
        note(f"{self.life.now:%d. %H:%M:%S.%f} {ACTORS[actor.key][0]} {mutation} {dict(asked.input)}: {became}")
        answer = self.stage.run(self.stage.answer(actor, self.life.now, document(mutation), input=dict(asked.input)))
        self.compare(asked, expected, answer[mutation])
        self.asked.append(asked)
        self.look(actor, LOOK if expected.entries else ROOMS)
        self.look(dice.choice(self.of_partners() or EVERYBODY), ROOMS)
        self.look(dice.choice(EVERYBODY), LOOK if dice.random() < 0.2 else ROOMS)
        self.stage.steps.update([f"{mutation} {expected.kind}", *set(expected.codes)])
        self.stage.steps.update(each.action for each in expected.entries)

    def compare(self, asked: Asked, expected: Outcome, payload: dict[str, Any]) -> None:
        """What was answered, what is stored, and what is on the record."""
        assert sorted(error["code"] for error in payload["errors"]) == list(expected.codes), payload
        after = self.stage.run(rows_of(self.database))
        names = self.new_ids(after)
        held = (payload.get("approvalRequest") or {}).get("id") if asked.mutation not in DECIDING else None
        if not expected.is_replay:
            assert (held is not None) == (expected.kind == "held"), payload
        if held is not None and expected.request is not None:
            assert held.endswith(names_of(expected.request, names))
        if expected.counts is not None:
            assert payload["ended"] == expected.counts
        elif not expected.is_replay:
            assert payload.get("ended") is None
        entries = [renamed(each, names) for each in expected.entries]
        before, self.rows = self.rows, after
        self.check_chains(before)
        assert sorted(self.written(before), key=repr) == sorted(entries, key=repr)
        self.life = renamed(expected.life, names)
        self.check_stored(before, expected)
        self.remember(asked, expected, payload, names)

    def new_ids(self, after: Rows) -> dict[str, str]:
        """The ids of what is new, by what the model calls it until then."""
        names: dict[str, str] = {}
        for table, name in KINDS.items():
            known = {(row.tenant_id, row.id) for row in self.rows[table]}
            fresh = [row.id for row in after[table] if (row.tenant_id, row.id) not in known]
            assert len(fresh) <= 1, f"{len(fresh)} new rows of {table} in one step"
            if fresh:
                names[name] = fresh[0]
        return names

    def written(self, before: Rows) -> list[Entry]:
        """The lines added to the records, but for those of refusals."""
        return [
            Entry(
                row.tenant_id,
                row.category.value,
                row.operation.value,
                row.action,
                (row.user_tenant_id, row.user_id) if row.user_id else None,
                row.approved_by_id,
            )
            for row in added(before, self.rows)
            if row.result_status.value == "Successful"
        ]

    def check_stored(self, before: Rows, expected: Outcome) -> None:
        """The tables are what the model says; where nothing was to be done, nothing at all changed."""
        assert self.life.differences(read(self.rows, self.life.now)) == []
        if expected.entries:
            return
        allowed = BESIDE if expected.kind == "refused" else BESIDE | UNCHANGING
        assert [name for name in changed(before, self.rows) if name not in allowed] == []

    def check_chains(self, before: Mapping[str, Any]) -> int:
        """Every record is the one before and more, each line hashed over itself and the line before it."""
        heads = {row.tenant_id: (0, None) for row in self.rows["audit_heads"]}
        known = {(row.tenant_id, row.sequence): row for row in before.get("audit_entries", ())}
        lines = sorted(self.rows["audit_entries"], key=lambda row: (row.tenant_id, row.sequence))
        for row in lines:
            count, previous = heads[row.tenant_id]
            assert (row.sequence, row.previous_hash) == (count + 1, previous)
            if (row.tenant_id, row.sequence) in known:
                assert tuple(row) == tuple(known.pop((row.tenant_id, row.sequence)))
            else:
                assert row.hash == hash_by_hand(cast("AuditEntry", row))
            heads[row.tenant_id] = (row.sequence, row.hash)
        assert known == {}, "lines are gone from a record"
        assert {row.tenant_id: (row.sequence, row.hash) for row in self.rows["audit_heads"]} == heads
        return len(lines)

    def remember(self, asked: Asked, expected: Outcome, payload: dict[str, Any], names: Mapping[str, str]) -> None:
        """What the tables do not show: what was held, keys, confirmations."""
        word, is_dry_run = asked.input.get("idempotencyKey"), asked.input.get("dryRun", False)
        if word is not None and not is_dry_run and not expected.is_replay and expected.kind != "refused":
            self.memory.keys[asked.actor.key, asked.mutation, word] = (said(asked.input), self.life.now)
        if expected.held is not None and expected.request is not None:
            self.memory.held[names_of(expected.request, names)] = expected.held
        for error in payload["errors"]:
            if impact := error.get("impact"):
                partnership = key_of("Partnership", asked.input["partnership"])
                assert partnership is not None
                until = self.life.now + CONFIRMED_FOR
                self.memory.confirmations[impact["confirmation"]] = Confirmation(asked.actor.key, partnership, until)

    # --- what always holds ----------------------------------------------------------------------------------------

    def look(self, actor: Actor, lists: str) -> None:
        """What this one sees, through the graph, is what the policy says; and what is counted in the tables holds."""
        answer = self.stage.run(self.stage.answer(actor, self.life.now, lists))["viewer"]
        found = {name: {each["id"] for each in page["nodes"]} for name, page in answer.items() if page is not None}
        expected = self.to_be_seen(actor)
        assert found == {name: expected[name] for name in answer}, ACTORS[actor.key][0]
        assert broken_links(self.rows) == []
        without = without_admins(self.rows)
        assert without <= self.emptied, "only a directory can take the last primary admin away"
        self.emptied = without

    def to_be_seen(self, actor: Actor) -> dict[str, set[str]]:
        """The ids in each list that this one reads."""
        sees, life = Change(self.life, self.memory, actor).sees, self.life
        linked = sees("Partnership", Standing.PARTY)
        active = {key for key in linked if life.partnerships[key].state is PartnershipState.ACTIVE}
        pending = {
            key
            for key in sees("Invitation", Standing.PARTY)
            if life.invitations[key].state is InvitationState.PENDING and life.now < life.invitations[key].expires_at
        }
        waiting = {
            key
            for key in sees("ApprovalRequest", Standing.PARTY)
            if life.requests[key].state is ApprovalState.PENDING and life.now < life.requests[key].expires_at
        }
        mine = actor.tenant
        return {
            "rooms": ids("room", sees("Room", Permission.ROOMS_VIEW)),
            "received": ids("invitation", {key for key in pending if life.invitations[key].partner == mine}),
            "sent": ids("invitation", {key for key in pending if key[0] == mine}),
            "partners": ids("partnership", {key for key in active if key[0] == mine}),
            "customers": ids("partnership", {key for key in active if life.partnerships[key].partner == mine}),
            "approvalRequests": ids("approvalrequest", waiting),
        }

    # --- what is not a change -------------------------------------------------------------------------------------

    def send_again(self, dice: Random) -> None:
        """The same change once more, perhaps under another word or by somebody else."""
        if not self.asked:
            return
        asked = dice.choice(self.asked[-12:])
        if dice.random() < 0.2:
            asked = replace(asked, input={**asked.input, "idempotencyKey": dice.choice(KEYS)})
        if dice.random() < 0.1:
            asked = replace(asked, actor=dice.choice(EVERYBODY))
        self.carry_out(asked, dice)

    def time_passes(self, dice: Random) -> None:
        """A moment, or until something runs out, or until just before."""
        steps = [timedelta(seconds=1), timedelta(minutes=9), timedelta(hours=23), timedelta(days=1)]
        if dice.random() < 0.5:
            steps = instants(self.life, self.memory) or steps
        self.life.now += dice.choice(steps)
        note(f"it is {self.life.now:%d. %H:%M:%S.%f}")

    def a_directory_changes(self, dice: Random) -> None:
        """Somebody comes into a security group, or leaves it; or a room into a room group."""
        if dice.random() < 0.7:
            tenant, group = dice.choice([key for key, each in self.life.people.items() if each.kind in NOBODY])
            member = dice.choice(
                [key[1] for key, each in self.life.people.items() if key[0] == tenant and each.kind not in NOBODY]
            )
            is_there = (tenant, group, member) in self.life.in_groups
            self.toggle(GroupMember, is_there, tenant_id=tenant, group_id=group, member_id=member)
        else:
            tenant, group = dice.choice(list(self.life.room_groups))
            room = dice.choice([key[1] for key in self.life.rooms if key[0] == tenant])
            is_there = room in self.life.room_groups[tenant, group]
            self.toggle(RoomGroupRoom, is_there, tenant_id=tenant, group_id=group, room_id=room)

    def toggle(self, table: Any, is_there: bool, **values: str) -> None:
        """Write or delete a link past every rule."""
        note(f"{table.__name__} {'goes' if is_there else 'comes'}: {values}")
        ours = [col(getattr(table, name)) == value for name, value in values.items()]
        self.stage.run(self.write(delete(table).where(*ours) if is_there else insert(table).values(values)))
        self.rows = self.stage.run(rows_of(self.database))
        self.life = read(self.rows, self.life.now)
        self.emptied = without_admins(self.rows)

    async def write(self, statement: Any) -> None:
        async with self.database.writing() as session:
            await session.exec(unscoped(statement, EVERYTHING))
            await session.commit()

    def teardown(self) -> None:
        self.stage.steps["examples"] += 1


DECIDING = ("approveRequest", "rejectRequest", "cancelRequest")


def is_wanted(outcome: Outcome, mood: float) -> bool:
    """Mostly what is done; else what is refused for more than rights, what is seen and not allowed, or anything."""
    if mood < 0.6:
        return outcome.kind != "refused"
    if mood < 0.8:
        return bool(set(outcome.codes) - {"NOT_FOUND", "FORBIDDEN"})
    return mood > 0.92 or "FORBIDDEN" in outcome.codes


def ids(kind: str, keys: set[Key]) -> set[str]:
    return {str(GlobalId(kind, *key)) for key in keys}


def names_of(identifier: str, names: Mapping[str, str]) -> str:
    return names.get(identifier, identifier)


def changed(before: Rows, after: Rows) -> list[str]:
    """The tables that hold other rows than before; in which order they hold them says nothing."""
    suspects = [name for name in after if after[name] != before[name]]
    return [name for name in suspects if sorted(map(repr, after[name])) != sorted(map(repr, before[name]))]


def added(before: Rows, after: Rows) -> list[Row[Any]]:
    """The lines that are new in the records."""
    known = {(row.tenant_id, row.sequence) for row in before["audit_entries"]}
    return [row for row in after["audit_entries"] if (row.tenant_id, row.sequence) not in known]


# --- runs -----------------------------------------------------------------------------------------------------------


def live(stage: Stage, number: int, examples: int, steps: int, *phases: Phase) -> None:
    """Run the machine so often, from this seed. Raises what it finds."""
    machine = seed(number)(type("Life", (LifeCycle,), {"__init__": lambda self: LifeCycle.__init__(self, stage)}))
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=examples, stateful_step_count=steps, report_multiple_bugs=False, phases=phases),
    )


@pytest.fixture
def stage(engine: str, databases: Databases, migrated: dict[str, str]) -> Iterator[Stage]:
    made = Stage(engine, databases, "life")
    yield made
    made.close()


@pytest.mark.timeout(AT_MOST)
def test_every_step_of_every_life_is_what_the_model_says(
    stage: Stage, engine: str, is_long: bool, shard: tuple[int, int]
) -> None:
    part, parts = shard
    examples, steps = (LONG[0] // parts, LONG[1]) if is_long else NORMAL
    number = part * len(ENGINES) + ENGINES.index(engine)

    live(stage, number, examples, steps, Phase.generate, Phase.shrink)

    print(f"\nlives on {engine}, seed {number}: {sorted(stage.steps.items())}")  # noqa: T201


# --- the machine finds what is missing ------------------------------------------------------------------------------


async def nothing(*_: Any, **__: Any) -> None:
    """A guard that lets everybody pass."""


async def no_problems(*_: Any, **__: Any) -> list[Any]:
    """A check that finds nothing wrong."""
    return []


RECORD, SETTLE = assignments.record, settling.settle


def record_no_ends(work: Work, row: Any, operation: AuditOperation, *said: Any) -> None:
    """What records changes of assignments, but for their ends."""
    if operation is not AuditOperation.DELETE:
        RECORD(work, row, operation, *said)


async def settle_without_clock(work: Work, row: Any, seen_under: Any, **values: Any) -> None:
    """What moves an invitation or a request out of PENDING, also when its time is over."""
    await SETTLE(replace(work, moment=SEEDED_AT - timedelta(days=1)), row, seen_under, **values)


async def somebody(*_: Any) -> bool:
    return True


@dataclass(frozen=True)
class Gap:
    """A guard that is taken away: what stands in its place, and the steps in which that shows soonest."""

    name: str
    instead: Sequence[tuple[Any, str, Any]]
    shows_in: Sequence[str]

    def __str__(self) -> str:
        return self.name


SLOW = (
    "permissions are given that one does not hold",
    "what was changed meanwhile is overwritten",
    "the last primary admin may go",
    "stale versions pass",
    "what is over is answered",
)
"""What does not show in the first life."""
GAPS = [
    Gap("the last primary admin may go", [(assignment_changes, "check_left", nothing)], ["updateAssignment"]),
    Gap(
        "partners reach rooms that are not delegated",
        [(visible, "is_delegated", lambda *_: true())],
        ["updateRoom", "updateAssignment"],
    ),
    Gap("a second invitation is sent", [(inviting, "clear_the_way", nothing)], ["invitePartner"]),
    Gap("ends are not on the record", [(assignments, "record", record_no_ends)], ["deleteAssignment", "deleteRole"]),
    Gap("nothing is held", [(holding, "is_held", lambda *_: False)], ["updateRoom", "createRole"]),
    Gap(
        "rooms are given that one does not hold",
        [(assignments, "beyond", no_problems), (assignment_changes, "beyond", no_problems)],
        ["createAssignment", "updateAssignment", "createRole"],
    ),
    Gap(
        "permissions are given that one does not hold",
        [(roles, "check_grant", nothing), (assignment_changes, "check_grant", nothing)],
        ["updateRole", "updateAssignment"],
    ),
    Gap(
        "what was changed meanwhile is overwritten",
        [(deciding, "is_overtaken", lambda *_: False)],
        ["updateRoom", "updateRole", "approveRequest"],
    ),
    Gap(
        "what is over is answered",
        [(module, "settle", settle_without_clock) for module in (inviting, answering, deciding)],
        ["acceptInvitation", "declineInvitation", "time_passes"],
    ),
    Gap("any confirmation will do", [(removing.Confirmations, "accepts", lambda *_: True)], ["removePartner"]),
    Gap(
        "requests outlive the partnership",
        [(removing, "cancel_open_requests", nothing)],
        ["updateRoom", "createRole", "removePartner"],
    ),
    Gap("a key is not remembered", [(changing, "claim", nothing)], ["send_again", "updateRoom", "createRole"]),
    Gap(
        "a removed partner still sees",
        [(visible, "is_active_partner", lambda: col(Partnership.partner_tenant_id) == VIEWER_TENANT)],
        ["removePartner", "updateRoom"],
    ),
    Gap("guests accept", [(answering, "is_at_home", somebody)], ["acceptInvitation", "declineInvitation"]),
    Gap("roles hold what they must not", [(roles, "wrong_permissions", lambda *_: [])], ["createRole", "updateRole"]),
    Gap("stale versions pass", [(assignment_changes, "check_version", lambda *_: None)], ["updateAssignment"]),
]
WITHIN = (20, 40)
"""Lives, and steps of each, in which every missing guard has to be found."""


@pytest.fixture(scope="module")
def unguarded(databases: Databases, migrated: dict[str, str]) -> Iterator[Stage]:
    made = Stage("sqlite", databases, "unguarded-life")
    yield made
    made.close()


@pytest.fixture
def gap(request: pytest.FixtureRequest) -> Iterator[Gap]:
    """A guard, while it is taken away."""
    with pytest.MonkeyPatch.context() as patch:
        forget_statements()
        for place, name, instead in request.param.instead:
            patch.setattr(place, name, instead)
        yield request.param
    forget_statements()


@pytest.mark.parametrize("gap", GAPS, indirect=True, ids=str)
def test_a_missing_guard_is_found(unguarded: Stage, gap: Gap, is_long: bool) -> None:
    """Those that take many lives to show are looked for in the long campaign only."""
    if gap.name in SLOW and not is_long:
        pytest.skip("takes many lives: --profile=long")
    unguarded.steps.clear()
    unguarded.diet = STEPS | dict.fromkeys(gap.shows_in, sum(STEPS.values()) // len(gap.shows_in))

    with pytest.raises(AssertionError):
        live(unguarded, 1, *WITHIN, Phase.generate)

    print(f"\n{gap}: found in life {unguarded.steps['examples'] - 1}")  # noqa: T201
