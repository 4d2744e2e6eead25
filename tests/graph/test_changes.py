"""Every change alike: done once however often it is sent, tried out without a trace, whole or not at all."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import col

from app.access.viewer import Caller, Viewer
from app.domain.permissions import DirectoryRole
from app.domain.refusals import invalid_input
from app.domain.vocabulary import PrincipalKind, UserType
from app.operations import inviting
from app.operations import work as work_module
from app.operations.changing import UNDER_WAY, Asked, Changer, finish
from app.operations.work import Work
from app.reading import pages, reader
from app.storage.engines import Database
from app.storage.tables import AssignmentMember, IdempotencyRecord, Invitation, Principal
from tests.graph.asking import Asker, ask, viewer_of
from tests.graph.partnering import (
    ACCEPT,
    INVITE,
    NODE,
    PROBLEMS,
    REMOVE,
    REVOKE,
    alter,
    codes,
    confirmation,
    do,
    done,
    links,
    offer,
    partnership_of,
    rooms_of,
    snapshot,
    tenant_id,
)
from tests.operations.chains import check_chain, everything
from tests.world import SEEDED_AT

FABRIKAM, ADATUM, TAILSPIN = (tenant_id(f"{name}.example") for name in ("fabrikam", "adatum", "tailspin"))
DAY = timedelta(hours=24)
DECLINE = f"""mutation Decline($input: DeclineInvitationInput!) {{ declineInvitation(input: $input) {{
  invitation {{ id state }} {PROBLEMS} }} }}"""
CONTROL = f"""mutation Control($input: SetChangeControlInput!) {{ setChangeControl(input: $input) {{
  partnership {{ id version changeControl {{ event mode }} }} {PROBLEMS} }} }}"""
FULL = f"""mutation Try($input: InvitePartnerInput!) {{ invitePartner(input: $input) {{
  invitation {{ id version state roomCount sentAt expiresAt partnerDomain termsVersion answeredAt
    customer {{ displayName }} partner {{ displayName domains }} sentBy {{ ... on User {{ id displayName }} }}
    rooms(first: 10) {{ totalCount {{ value }} nodes {{ displayName ring {{ name }}
      groups {{ totalCount {{ value }} nodes {{ displayName }} }} viewerPermissions }} }}
    groups {{ totalCount {{ value }} nodes {{ displayName rooms {{ totalCount {{ value }} }} }} }}
    changeControl {{ event mode }} partnership {{ id }} }} {PROBLEMS} }} }}"""


async def offered(asker: Asker, **more: Any) -> dict[str, Any]:
    """The input of an invitation from Fabrikam to Adatum."""
    return offer("adatum.example", await rooms_of(asker), **more)


def stranger(tenant: str = FABRIKAM) -> Viewer:
    """A Global Administrator whom only the token knows."""
    return Viewer(tenant, str(uuid4()), PrincipalKind.USER, frozenset({DirectoryRole.GLOBAL_ADMINISTRATOR}))


# --- the same request again -----------------------------------------------------------------------------------------


async def test_the_same_key_again_is_answered_again_and_not_done_twice(own_world: Database) -> None:
    manager = ask(own_world, "fabrikam-manager")
    asked = await offered(manager, idempotencyKey="k")
    first = await done(manager, INVITE, **asked)
    before = await snapshot(own_world)

    for later in (timedelta(0), timedelta(hours=1), DAY - timedelta(microseconds=1)):
        assert await do(manager.at(SEEDED_AT + later), INVITE, **asked) == first

    assert await snapshot(own_world) == before
    (record,) = await everything(own_world, IdempotencyRecord)
    assert record.results == {"invitation": first["invitation"]["id"]}
    assert (record.tenant_id, record.principal_id) == (FABRIKAM, manager.viewer.principal_id)
    assert (record.mutation, record.idempotency_key, record.created_at) == ("invitePartner", "k", SEEDED_AT)


async def test_without_a_key_nothing_is_kept(own_world: Database) -> None:
    manager = ask(own_world, "fabrikam-manager")
    asked = await offered(manager)
    await done(manager, INVITE, **asked)

    assert codes(await do(manager, INVITE, **asked)) == ["CONFLICT"]
    assert await everything(own_world, IdempotencyRecord) == []


async def test_a_replay_reads_the_recorded_ids_afresh(own_world: Database) -> None:
    manager = ask(own_world, "fabrikam-manager")
    asked = await offered(manager, idempotencyKey="k")
    invitation = (await done(manager, INVITE, **asked))["invitation"]["id"]
    await done(manager, REVOKE, invitation=invitation)

    again = await do(manager, INVITE, **asked)

    assert again["errors"] == []
    assert (again["invitation"]["id"], again["invitation"]["state"]) == (invitation, "REVOKED")


async def test_in_a_replay_what_is_no_longer_visible_is_null_and_permission_is_not_asked_again(
    own_world: Database,
) -> None:
    manager = ask(own_world, "fabrikam-manager")
    asked = await offered(manager, idempotencyKey="k")
    await done(manager, INVITE, **asked)
    held = col(AssignmentMember.member_id) == manager.viewer.principal_id
    await alter(own_world, AssignmentMember, held, member_id=str(uuid4()))
    assert codes(await do(manager, INVITE, **(asked | {"idempotencyKey": "other"}))) == ["FORBIDDEN"]
    before = await snapshot(own_world)

    again = await do(manager, INVITE, **asked)

    assert again == {"invitation": None, "errors": []}
    assert await snapshot(own_world) == before


async def test_a_replay_answers_the_numbers_of_the_first_time(own_world: Database) -> None:
    manager = ask(own_world, "fabrikam-manager")
    partnership = await partnership_of(own_world, "fabrikam.example", "northwind.example")
    asked = {
        "partnership": partnership,
        "idempotencyKey": "k",
        "confirmation": await confirmation(manager, partnership),
    }
    first = await done(manager, REMOVE, **asked)
    assert first["ended"] == {"rooms": 4, "roles": 2, "assignments": 2, "people": 2}

    again = await do(manager.at(SEEDED_AT + timedelta(hours=2)), REMOVE, **asked)

    assert again == first
    assert (await do(manager, REMOVE, **(asked | {"idempotencyKey": "l"})))["ended"] is None


async def test_every_mutation_is_answered_again(own_world: Database) -> None:
    manager, answers = ask(own_world, "fabrikam-manager"), ask(own_world, "adatum-manager")
    admins = [f"user_{ADATUM}_{answers.viewer.principal_id}"]

    async def twice(asker: Asker, document: str, **asked: Any) -> dict[str, Any]:
        first = await done(asker, document, **asked, idempotencyKey="k")
        before = await snapshot(own_world)
        assert await do(asker, document, **asked, idempotencyKey="k") == first
        assert await snapshot(own_world) == before
        return first

    sent = await twice(manager, INVITE, **await offered(manager))
    made = await twice(answers, ACCEPT, invitation=sent["invitation"]["id"], primaryAdmins=admins)
    partnership = made["partnership"]["id"]
    rule = [{"event": "ROOMS_MODIFY", "mode": "MANUAL"}]
    await twice(manager, CONTROL, partnership=partnership, expectedVersion=1, changeControl=rule)
    await twice(manager, REMOVE, partnership=partnership, confirmation=await confirmation(manager, partnership))
    for document, asker in ((REVOKE, manager), (DECLINE, answers)):
        sent = await done(manager, INVITE, **await offered(manager))
        await twice(asker, document, invitation=sent["invitation"]["id"])


async def test_another_input_under_the_same_key_is_refused_and_changes_nothing(own_world: Database) -> None:
    manager = ask(own_world, "fabrikam-manager")
    asked = await offered(manager, idempotencyKey="k")
    await done(manager, INVITE, **asked)
    before = await snapshot(own_world)

    for other in ({"expiresInDays": 4}, {"rooms": asked["rooms"][::-1]}, {"partnerDomain": "Adatum.example"}):
        payload = await do(manager, INVITE, **(asked | other))
        assert payload["invitation"] is None
        (error,) = payload["errors"]
        assert (error["__typename"], error["code"]) == ("IdempotencyMismatch", "IDEMPOTENCY_MISMATCH")
        assert error["path"] == ["input", "idempotencyKey"]

    assert await snapshot(own_world) == before


async def test_left_out_and_default_are_the_same_input(own_world: Database) -> None:
    manager = ask(own_world, "fabrikam-manager")
    asked = await offered(manager, idempotencyKey="k")
    first = await done(manager, INVITE, **asked)

    assert await do(manager, INVITE, **asked, groups=[], changeControl=[], dryRun=False) == first


async def test_after_24_hours_it_is_done_anew(own_world: Database) -> None:
    manager = ask(own_world, "fabrikam-manager")
    asked = await offered(manager, idempotencyKey="k", expiresInDays=1)
    first = await done(manager, INVITE, **asked)

    second = await do(manager.at(SEEDED_AT + DAY), INVITE, **asked)
    third = await do(manager.at(SEEDED_AT + DAY + timedelta(hours=1)), INVITE, **asked)
    fourth = await do(manager.at(SEEDED_AT + 2 * DAY), INVITE, **(asked | {"expiresInDays": 2}))

    assert second["errors"] == third["errors"] == fourth["errors"] == []
    ids = [each["invitation"]["id"] for each in (first, second, third, fourth)]
    assert ids[1] == ids[2]
    assert len(set(ids)) == 3
    (record,) = await everything(own_world, IdempotencyRecord)
    assert (record.created_at, record.results) == (SEEDED_AT + 2 * DAY, {"invitation": ids[3]})


async def test_a_refusal_is_not_stored_also_not_over_an_old_answer(own_world: Database) -> None:
    manager = ask(own_world, "fabrikam-manager")
    asked = await offered(manager, idempotencyKey="k")
    wrong = asked | {"agreedTermsVersion": "old"}
    assert codes(await do(manager, INVITE, **wrong)) == ["INVALID_INPUT"]
    assert await everything(own_world, IdempotencyRecord) == []

    first = await done(manager, INVITE, **asked)
    (stored,) = await everything(own_world, IdempotencyRecord)
    assert codes(await do(manager.at(SEEDED_AT + DAY), INVITE, **wrong)) == ["INVALID_INPUT"]

    assert await everything(own_world, IdempotencyRecord) == [stored]
    assert await do(manager, INVITE, **asked) == first


async def test_the_same_key_of_another_caller_or_mutation_is_another(own_world: Database) -> None:
    manager, answers = ask(own_world, "fabrikam-manager"), ask(own_world, "adatum-manager")
    sent = await done(manager, INVITE, **await offered(manager, idempotencyKey="k"))
    invitation = sent["invitation"]["id"]

    colleague = Asker(own_world, stranger())
    assert codes(await do(colleague, INVITE, **await offered(manager, idempotencyKey="k"))) == ["CONFLICT"]
    declined = await done(answers, DECLINE, invitation=invitation, idempotencyKey="k")
    revoked = await do(manager, REVOKE, invitation=invitation, idempotencyKey="k")
    again = await do(colleague, INVITE, **await offered(manager, idempotencyKey="k"))

    assert declined == {"invitation": None, "errors": []}
    assert codes(revoked) == ["INVALID_STATE"]
    assert again["errors"] == []
    assert again["invitation"]["id"] != invitation
    assert len(await everything(own_world, IdempotencyRecord)) == 3


async def test_the_same_object_id_in_another_tenant_is_another_caller(own_world: Database) -> None:
    here, there = stranger(), stranger(tenant_id("contoso.example"))
    there = replace(there, principal_id=here.principal_id)
    asked = {
        name: await offered(Asker(own_world, who), idempotencyKey="k") for name, who in (("h", here), ("t", there))
    }
    asked["t"]["partnerDomain"] = "tailspin.example"

    first = await done(Asker(own_world, here), INVITE, **asked["h"])
    second = await done(Asker(own_world, there), INVITE, **asked["t"])

    assert first["invitation"]["id"] != second["invitation"]["id"]
    assert len(await everything(own_world, IdempotencyRecord)) == 2


async def test_old_answers_are_thrown_away_with_the_next_change_of_a_colleague(own_world: Database) -> None:
    """Of the same tenant only, and not before their 24 hours are over."""
    manager, elsewhere = ask(own_world, "fabrikam-manager"), ask(own_world, "contoso-manager")
    await done(elsewhere, INVITE, **offer("tailspin.example", await rooms_of(elsewhere, 1), idempotencyKey="theirs"))
    sent = await done(manager, INVITE, **await offered(manager, idempotencyKey="old"))
    revoke = {"invitation": sent["invitation"]["id"], "idempotencyKey": "young"}
    await done(manager.at(SEEDED_AT + timedelta(microseconds=1)), REVOKE, **revoke)
    later = Asker(own_world, stranger(), moment=SEEDED_AT + DAY)

    assert codes(await do(later, REVOKE, invitation="x", idempotencyKey="refused")) == ["NOT_FOUND"]
    keys = {record.idempotency_key for record in await everything(own_world, IdempotencyRecord)}
    await done(later, INVITE, **await offered(later, idempotencyKey="new"))

    assert keys == {"theirs", "old", "young"}
    records = await everything(own_world, IdempotencyRecord)
    assert {record.idempotency_key for record in records} == {"theirs", "young", "new"}


async def test_a_change_that_answers_nothing_is_not_done_twice_either(own_world: Database) -> None:
    """What tells an answered key from a new one is not what was answered."""
    asked, calls = Asked("createNothing", {"a": 1}, "k"), list[str]()
    caller = Caller(viewer_of("fabrikam-manager"), "somebody", None)

    async def operate(work: Work) -> dict[str, Any]:
        calls.append("done")
        return {}

    for _ in range(2):
        async with AsyncExitStack() as stack:
            outcome = await Changer(own_world, caller, SEEDED_AT, "r").change(asked, operate, stack)
            assert (outcome.results, outcome.refusals) == ({}, ())

    assert calls == ["done"]


async def test_a_duplicate_beside_a_change_that_is_refused_is_done_itself(own_world: Database) -> None:
    """It waits for the first, of which nothing is kept, and is then looked at anew."""
    asked, calls = Asked("tryNothing", {}, "k"), list[str]()
    caller = Caller(viewer_of("fabrikam-manager"), "somebody", None)
    changer = Changer(own_world, caller, SEEDED_AT, "r")

    async def operate(work: Work) -> dict[str, Any]:
        calls.append("begun")
        if len(calls) == 1:
            await asyncio.sleep(0.1)
            assert calls == ["begun"]
            raise invalid_input("no")
        return {"value": 7}

    async with AsyncExitStack() as stack:
        outcomes = await asyncio.gather(*(changer.change(asked, operate, stack) for _ in range(3)))

    assert sorted(outcome.results.get("value", 0) for outcome in outcomes) == [0, 7, 7]
    assert len(calls) == 2


@pytest.mark.parametrize("key", ["", "x" * 129])
async def test_a_key_has_1_to_128_characters(own_world: Database, key: str) -> None:
    manager = ask(own_world, "fabrikam-manager")
    asked = await offered(manager)
    before = await snapshot(own_world)

    payload = await do(manager, INVITE, **asked, idempotencyKey=key)

    (error,) = payload["errors"]
    assert (error["code"], error["path"]) == ("INVALID_INPUT", ["input", "idempotencyKey"])
    assert (error["min"], error["max"]) == (1, 128)
    assert await snapshot(own_world) == before


@pytest.mark.parametrize("key", ["x", "é" * 128, "\U0001f511" * 128, " ", "'; --"])
async def test_a_key_is_any_text(own_world: Database, key: str) -> None:
    manager = ask(own_world, "fabrikam-manager")
    asked = await offered(manager, idempotencyKey=key)

    assert await done(manager, INVITE, **asked) == await do(manager, INVITE, **asked)


# --- a dry run ------------------------------------------------------------------------------------------------------


async def test_a_dry_run_answers_all_that_would_be_and_writes_nothing(own_world: Database) -> None:
    """The whole payload, nested fields and counts too, as the change itself answers it."""
    manager = ask(own_world, "fabrikam-manager")
    (group,) = (await manager.data("{ viewer { groups(first: 1) { nodes { id } } } }"))["viewer"]["groups"]["nodes"]
    rule = [{"event": "ROOMS_MODIFY", "mode": "MANUAL"}]
    asked = await offered(manager, groups=[group["id"]], changeControl=rule)
    before = await snapshot(own_world)

    tried = await done(manager, FULL, **asked, dryRun=True)

    assert await snapshot(own_world) == before
    assert (await manager.data(NODE, id=tried["invitation"]["id"]))["node"] is None
    assert tried["invitation"]["roomCount"] == tried["invitation"]["rooms"]["totalCount"]["value"] >= 2
    made = await done(manager, FULL, **asked)
    assert made["invitation"].pop("id") != tried["invitation"].pop("id")
    assert made == tried
    assert await links(own_world, FABRIKAM, ADATUM) == (1, 0)


async def test_a_dry_run_by_somebody_unknown_shows_and_forgets_them(own_world: Database) -> None:
    asker = Asker(own_world, stranger(), name="Ada")
    before = await snapshot(own_world)

    tried = await done(asker, FULL, **await offered(asker), dryRun=True)

    user = f"user_{FABRIKAM}_{asker.viewer.principal_id}"
    assert tried["invitation"]["sentBy"] == {"id": user, "displayName": "Ada"}
    assert await snapshot(own_world) == before


async def test_a_dry_run_is_refused_like_the_change(own_world: Database) -> None:
    manager = ask(own_world, "fabrikam-manager")
    asked = await offered(manager, expiresInDays=0, agreedTermsVersion="old")
    before = await snapshot(own_world)

    tried = await do(manager, INVITE, **asked, dryRun=True)

    assert codes(tried) == ["INVALID_INPUT", "INVALID_INPUT"]
    assert tried == await do(manager, INVITE, **asked)
    assert await snapshot(own_world) == before


async def test_a_dry_run_ignores_the_key(own_world: Database) -> None:
    manager = ask(own_world, "fabrikam-manager")
    asked = await offered(manager, idempotencyKey="k")

    tried = await done(manager, INVITE, **asked, dryRun=True)
    assert await everything(own_world, IdempotencyRecord) == []
    made = await done(manager, INVITE, **asked)
    assert made["invitation"]["id"] != tried["invitation"]["id"]
    afterwards = await do(manager, INVITE, **(asked | {"dryRun": True, "expiresInDays": 4}))

    assert codes(afterwards) == ["CONFLICT"]


SEVERAL = f"""mutation Several($try: InvitePartnerInput!, $do: InvitePartnerInput!) {{
  before: invitePartner(input: $try) {{ invitation {{ id roomCount partner {{ displayName }} }} {PROBLEMS} }}
  done: invitePartner(input: $do) {{
    invitation {{ id roomCount partner {{ displayName }} sentBy {{ ... on User {{ id }} }} }} {PROBLEMS} }}
  after: invitePartner(input: $try) {{ invitation {{ id roomCount }} {PROBLEMS} }} }}"""


async def test_a_dry_run_is_gone_before_the_next_mutation_of_its_document(own_world: Database) -> None:
    """And the change after it is there for the dry run after that."""
    manager = ask(own_world, "fabrikam-manager")
    asked = await offered(manager)
    more = {"rooms": await rooms_of(manager, 5)}

    data = await manager.data(SEVERAL, **{"try": asked | {"dryRun": True}, "do": asked | more})

    assert (data["before"]["errors"], data["done"]["errors"]) == ([], [])
    assert (data["before"]["invitation"]["roomCount"], data["done"]["invitation"]["roomCount"]) == (2, 5)
    (conflict,) = data["after"]["errors"]
    assert (conflict["code"], conflict["existing"]["id"]) == ("CONFLICT", data["done"]["invitation"]["id"])
    ids = [data[name]["invitation"]["id"] for name in ("before", "done")]
    assert [bool((await manager.data(NODE, id=each))["node"]) for each in ids] == [False, True]
    assert len(await everything(own_world, Invitation, col(Invitation.id).in_([i.split("_")[2] for i in ids]))) == 1


# --- several in one document ----------------------------------------------------------------------------------------


async def test_mutations_of_one_document_run_one_after_the_other_and_each_sees_the_one_before(
    own_world: Database,
) -> None:
    manager = ask(own_world, "fabrikam-manager")
    partnership = await partnership_of(own_world, "fabrikam.example", "northwind.example")
    word = await confirmation(manager, partnership)
    shown = "partnership { id version state rooms { totalCount { value } } removalImpact { counts { rooms } } }"
    document = f"""mutation Several($p: ID!, $word: String!) {{
      one: setChangeControl(input: {{partnership: $p, expectedVersion: 1,
        changeControl: [{{event: TICKETS_UPDATE, mode: MANUAL}}]}}) {{ {shown} {PROBLEMS} }}
      stale: setChangeControl(input: {{partnership: $p, expectedVersion: 1,
        changeControl: [{{event: TICKETS_UPDATE, mode: AUTO}}]}}) {{ {shown} errors {{ code path
          ... on StaleVersion {{ currentVersion }} }} }}
      gone: removePartner(input: {{partnership: $p, confirmation: $word}}) {{ {shown} {PROBLEMS} }}
      over: setChangeControl(input: {{partnership: $p, expectedVersion: 3, changeControl: []}}) {{ {shown} {PROBLEMS} }}
      quiet: removePartner(input: {{partnership: $p}}) {{ {shown} ended {{ rooms }} {PROBLEMS} }} }}"""

    data = await manager.data(document, p=partnership, word=word)

    active = {"rooms": {"totalCount": {"value": 4}}, "removalImpact": {"counts": {"rooms": 4}}}
    ended = {"rooms": {"totalCount": {"value": 0}}, "removalImpact": None}
    assert data["one"] == {"partnership": {"id": partnership, "version": 2, "state": "ACTIVE"} | active, "errors": []}
    path = ["input", "expectedVersion"]
    assert data["stale"]["errors"] == [{"code": "STALE_VERSION", "path": path, "currentVersion": 2}]
    assert data["gone"] == {"partnership": {"id": partnership, "version": 3, "state": "REMOVED"} | ended, "errors": []}
    assert (data["over"]["partnership"], codes(data["over"])) == (None, ["INVALID_STATE"])
    assert data["quiet"] == data["gone"] | {"ended": None}


@pytest.mark.parametrize("document, values", [(REVOKE, {"invitation": "x"}), (REMOVE, {"partnership": "x"})])
async def test_errors_never_come_with_results(own_world: Database, document: str, values: dict[str, Any]) -> None:
    payload = await do(ask(own_world, "fabrikam-manager"), document, **values)

    assert codes(payload) == ["NOT_FOUND"]
    assert {value for name, value in payload.items() if name != "errors"} == {None}


# --- whole or not at all --------------------------------------------------------------------------------------------


def in_use(database: Database) -> int:
    """How many connections are in use."""
    pools: list[Any] = [engine.pool for engine in (database.writer, database.readers)]
    return sum(int(pool.checkedout()) for pool in pools)


async def drained(before: set[asyncio.Task[Any]]) -> None:
    """Wait until everything that was begun has ended."""
    while left := asyncio.all_tasks() - before:
        await asyncio.wait(left, timeout=10)


async def writer_is_free(database: Database) -> None:
    """The next change does not wait."""
    begun = monotonic()
    asker = Asker(database, viewer_of("contoso-manager"))
    await done(asker, INVITE, **offer("tailspin.example", await rooms_of(asker, 1)), dryRun=True)
    assert monotonic() - begun < 3
    assert in_use(database) == 0


async def test_a_client_that_goes_away_leaves_a_whole_change_or_none(own_world: Database) -> None:
    """Cancelled at many moments; the same request again is always answered, and done once."""
    manager, chance = ask(own_world, "fabrikam-manager"), random.Random(3)
    outcomes, before = set(), asyncio.all_tasks()
    asked = await offered(manager)
    for number in range(40):
        entries = len(await check_chain(own_world, FABRIKAM))
        request = asyncio.ensure_future(do(manager, INVITE, **asked, idempotencyKey=f"{number}"))
        await let_run(chance)
        request.cancel()
        await drained(before | {asyncio.current_task()})  # type: ignore[arg-type]

        was_made = (await links(own_world, FABRIKAM, ADATUM))[0]
        assert len(await check_chain(own_world, FABRIKAM)) - entries in ((1, 2) if was_made else (0,))
        outcomes.add((request.cancelled(), was_made))
        assert in_use(own_world) == 0
        again = await done(manager, INVITE, **asked, idempotencyKey=f"{number}")
        assert await links(own_world, FABRIKAM, ADATUM) == (1, 0)
        await done(manager, REVOKE, invitation=again["invitation"]["id"])

    assert (True, 1) in outcomes
    await writer_is_free(own_world)


async def let_run(chance: random.Random) -> None:
    """Let the others run for a while: a few turns, or some milliseconds."""
    for _ in range(chance.randrange(30)):
        await asyncio.sleep(0)
    await asyncio.sleep(chance.choice((0, 0, 0.001, 0.003, 0.01, 0.03)))


async def test_a_client_that_goes_away_during_a_dry_run_leaves_nothing(own_world: Database) -> None:
    manager, chance = ask(own_world, "fabrikam-manager"), random.Random(4)
    asked, tasks = await offered(manager, dryRun=True), asyncio.all_tasks()
    before = await snapshot(own_world)
    cancelled = 0

    for _ in range(40):
        request = asyncio.ensure_future(do(manager, FULL, **asked))
        await let_run(chance)
        begun = monotonic()
        request.cancel()
        await drained(tasks | {asyncio.current_task()})  # type: ignore[arg-type]
        assert monotonic() - begun < 5
        cancelled += request.cancelled()
        if not request.cancelled():
            assert request.exception() is None
        assert in_use(own_world) == 0

    assert cancelled > 10
    assert await snapshot(own_world) == before
    await writer_is_free(own_world)


def read_below(monkeypatch: pytest.MonkeyPatch, then: Callable[[], Awaitable[Any]]) -> None:
    """Lists below a payload are read, and then this happens, in the dry run's own transaction."""
    read_pages = pages.read_pages

    async def read(*asked: Any) -> Any:
        await read_pages(*asked)
        await then()

    monkeypatch.setattr(reader, "read_pages", read)


async def test_a_dry_run_whose_payload_fails_is_undone_and_leaves_the_writer_free(
    own_world: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = ask(own_world, "fabrikam-manager")
    asked, tasks = await offered(manager, dryRun=True), asyncio.all_tasks()
    before = await snapshot(own_world)
    with monkeypatch.context() as patched:

        async def fail() -> None:
            raise RuntimeError("defect")

        read_below(patched, fail)
        answer = await manager.answer(FULL, input=asked)

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["INTERNAL"] * 2
    await drained(tasks | {asyncio.current_task()})  # type: ignore[arg-type]
    assert await snapshot(own_world) == before
    await writer_is_free(own_world)


async def test_a_dry_run_that_takes_too_long_is_undone_and_leaves_the_writer_free(
    own_world: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped as the endpoint stops it, in the midst of a read in its transaction."""
    manager = ask(own_world, "fabrikam-manager")
    asked, tasks = await offered(manager, dryRun=True), asyncio.all_tasks()
    before = await snapshot(own_world)
    limit = asyncio.timeout(60)

    async def hang() -> None:
        limit.reschedule(asyncio.get_running_loop().time())
        await asyncio.sleep(0.3)

    async def in_time() -> None:
        async with limit:
            await manager.answer(FULL, input=asked)

    with monkeypatch.context() as patched:
        read_below(patched, hang)
        with pytest.raises(TimeoutError):
            await in_time()

    assert in_use(own_world) == 0
    await drained(tasks | {asyncio.current_task()})  # type: ignore[arg-type]
    assert await snapshot(own_world) == before
    await writer_is_free(own_world)


async def test_a_change_that_takes_too_long_is_undone_when_the_gateway_stops(
    own_world: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager, begun = ask(own_world, "fabrikam-manager"), asyncio.Event()
    asked, before = await offered(manager, idempotencyKey="k"), await snapshot(own_world)

    async def hang(*_: Any) -> None:
        begun.set()
        await asyncio.sleep(60)

    with monkeypatch.context() as patched:
        patched.setattr(work_module, "lock_heads", hang)
        request = asyncio.ensure_future(do(manager, INVITE, **asked))
        await begun.wait()
        await finish(within=0.05)

    assert not UNDER_WAY
    await asyncio.wait([request])
    assert await snapshot(own_world) == before
    await finish()
    await writer_is_free(own_world)


Broken = Callable[[pytest.MonkeyPatch], None]


def refused_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused after rows were written."""

    async def offer(*_: Any) -> None:
        raise inviting.nothing_offered()

    monkeypatch.setattr(inviting, "offer", offer)


def defect_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect after everything but the chain was written."""

    async def lock_heads(*_: Any) -> None:
        raise RuntimeError("defect")

    monkeypatch.setattr(work_module, "lock_heads", lock_heads)


@pytest.mark.parametrize("broken", [refused_at_the_end, defect_at_the_end])
async def test_what_is_refused_or_fails_half_way_leaves_nothing(
    own_world: Database, broken: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    asker = Asker(own_world, stranger())
    asked = await offered(asker, idempotencyKey="k")
    before = await snapshot(own_world)
    with monkeypatch.context() as patched:
        broken(patched)

        answer = await asker.answer(INVITE, input=asked)

    is_defect = broken is defect_at_the_end
    assert [error["extensions"]["code"] for error in answer["errors"]] == (["INTERNAL"] if is_defect else [])
    assert is_defect or codes(answer["data"]["invitePartner"]) == ["INVALID_INPUT"]
    assert await snapshot(own_world) == before
    await done(asker, INVITE, **asked)
    await writer_is_free(own_world)


# --- who makes a change ---------------------------------------------------------------------------------------------


async def test_somebody_whom_only_the_token_knows_is_stored_with_the_first_change_once(own_world: Database) -> None:
    asker = Asker(own_world, stranger(), name="Ada Lovelace")
    await asker.data("{ viewer { principal { ... on User { displayName } } } }")
    assert codes(await do(asker, REVOKE, invitation="x")) == ["NOT_FOUND"]
    stored = col(Principal.id) == asker.viewer.principal_id
    assert await everything(own_world, Principal, stored) == []

    first = await done(asker, INVITE, **await offered(asker))
    other = replace(asker, name="Somebody Else", moment=SEEDED_AT + timedelta(minutes=1))
    await done(other, REVOKE, invitation=first["invitation"]["id"])

    (principal,) = await everything(own_world, Principal, stored)
    assert (principal.name, principal.kind, principal.user_type) == (
        "Ada Lovelace",
        PrincipalKind.USER,
        UserType.MEMBER,
    )
    assert (principal.created_at, principal.tenant_id) == (SEEDED_AT, FABRIKAM)
    assert first["invitation"]["sentBy"] == {"id": f"user_{FABRIKAM}_{principal.id}"}
    entries = await check_chain(own_world, FABRIKAM)
    assert {entry.user_id for entry in entries[-2:]} == {principal.id}
    found = await ask(own_world, "fabrikam-manager").data(
        '{ viewer { directory(search: "love") { nodes { __typename } } } }'
    )
    assert found["viewer"]["directory"]["nodes"] == [{"__typename": "User"}]


async def test_a_change_that_changes_nothing_stores_nobody(own_world: Database) -> None:
    asker = Asker(own_world, stranger())
    partnership = await partnership_of(own_world, "fabrikam.example", "northwind.example")
    before = await snapshot(own_world)

    payload = await done(asker, CONTROL, partnership=partnership, expectedVersion=1, changeControl=[])

    assert payload["partnership"]["version"] == 1
    assert await snapshot(own_world) == before
