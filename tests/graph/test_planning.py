"""What is remembered of a document is bounded, whatever a client lets in and leaves out, and what is run at once."""

import asyncio
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import pytest
from graphql import build_schema

from app.access.viewer import Viewer
from app.execution.answers import RUNS_AT_ONCE, Engine
from app.execution.bodies import GraphQLRequest
from app.graph.engine import build_engine
from app.graph.planning import MAX_CHOICES, Planning
from app.reading.pages import Listing
from app.storage.engines import Database
from tests.graph.asking import FIELD_BY_FIELD, LIMITS, ask

CHOOSING = """query Choosing($a: Boolean!, $b: Boolean!, $c: Boolean!, $d: Boolean!, $e: Boolean!) {
  a: __typename @include(if: $a) b: __typename @include(if: $b) c: __typename @include(if: $c)
  d: __typename @skip(if: $d) e: __typename @skip(if: $e)
}"""


CHOICES = [dict(zip("abcde", choice, strict=True)) for choice in product([False, True], repeat=5)]


@pytest.mark.parametrize("planning", [Planning.AGAIN, Planning.AT_ONCE])
@pytest.mark.parametrize("times", [1, 2])
async def test_few_choices_of_an_operation_are_remembered_however_often_each_is_asked(
    times: int, planning: Planning, world: Database
) -> None:
    engine = build_engine(LIMITS, planning)
    asker = replace(ask(world, "contoso-manager"), engine=engine)
    outlines = [engine.documents.get(CHOOSING) for _ in range(2)][-1].operation(None).outlines

    remembered = []
    for choice in CHOICES:
        for _ in range(times):
            await asker.data(CHOOSING, **choice)
            remembered.append(len(outlines))

    assert max(remembered) == MAX_CHOICES
    counts = engine._planner.counts  # type: ignore[union-attr]
    planned_again = 1 + len(CHOICES) * (times - 1)  # the first choice is known to be of a document that came before
    assert counts["planned"] == (len(CHOICES) * times if planning is Planning.AT_ONCE else planned_again)


FILTERS = ['search: "room"', 'building: "Main"', 'city: "Oslo"', "enrollment: [ENROLLED]", "platform: [ANDROID]"]


@pytest.mark.parametrize("is_guarded", [True, False])
async def test_what_clients_narrow_lists_by_is_not_kept_compiled(
    is_guarded: bool, world: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asker = replace(ask(world, "contoso-manager"), engine=FIELD_BY_FIELD)
    compiled: Any = world.readers.sync_engine._compiled_cache
    if not is_guarded:
        monkeypatch.setattr(Listing, "options", {})
    compiled.clear()

    for chosen in FILTERS:
        rooms = f"rooms(first: 1, filter: {{{chosen}}}) {{ nodes {{ id }} totalCount {{ value }} }}"
        await asker.data(f"{{ viewer {{ {rooms} }} }}")

    assert len(compiled) == (0 if is_guarded else 2 * len(FILTERS))


@dataclass(frozen=True)
class Asking:
    """As much of a request as matters for whose turn it is."""

    viewer: Viewer


async def test_few_queries_of_a_tenant_are_run_at_once_and_nothing_else_waits_for_them() -> None:
    schema: Any = build_schema("type Query { read: Int now: Int } type Mutation { change: Int }")
    running, may_go = [], asyncio.Event()

    async def read(*_: Any) -> int:
        running.append(True)
        await may_go.wait()
        return 1

    schema.query_type.fields["read"].resolve = read
    schema.query_type.fields["now"].resolve = lambda *_: 2
    schema.mutation_type.fields["change"].resolve = lambda *_: 3
    engine = Engine(schema, LIMITS)

    async def answer(document: str, tenant: str) -> Any:
        asking = Asking(Viewer(tenant, "somebody"))
        return (await engine.answer(GraphQLRequest(document, None, {}, {}), asking, "request")).data

    reads = [asyncio.create_task(answer("{ read }", "one")) for _ in range(3 * RUNS_AT_ONCE)]
    for _ in range(100):
        await asyncio.sleep(0)
    changed, elsewhere = await answer("mutation { change }", "one"), await answer("{ now }", "other")
    at_once = len(running)
    may_go.set()

    assert (changed, elsewhere) == ({"change": 3}, {"now": 2})
    assert at_once == RUNS_AT_ONCE
    assert await asyncio.gather(*reads) == [{"read": 1}] * len(reads)
    assert not engine._turns, "nothing is kept of who asked"
