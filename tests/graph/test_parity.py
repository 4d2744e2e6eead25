"""A plan answers every document as the executor does: data, errors and all.

Documents are drawn, by the generator of our own that leans on what plans are about and by one that knows nothing of
them, each for one person of the demo world and one engine.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes as literals
from hypothesis_graphql import queries

from app.access.scoping import rows_of
from app.access.viewer import Caller
from app.execution.answers import Engine
from app.execution.bodies import GraphQLRequest
from app.graph.context import begin
from app.graph.engine import build_engine
from app.graph.planning import Planning
from app.reading import declaring
from app.reading.declaring import Noun
from app.reading.nouns import NOUNS
from app.reading.plans import write_plan
from app.storage.engines import Database
from tests.conftest import ENGINES
from tests.graph.asking import LIMITS, PEOPLE, Asker, ask
from tests.graph.drawing import SCHEMA, Drawing, Request
from tests.graph.selecting import documents, entrances
from tests.world import Worlds

NORMAL, LONG = 300, 50_000
PLAIN_PART = 4
"""One of so many documents is by the generator that knows nothing of plans."""
AT_MOST = 3600
"""Seconds that one part of the long campaign may take."""
PLANNED, STOCK = build_engine(LIMITS, Planning.AT_ONCE), build_engine(LIMITS, Planning.NEVER)
EVERYTHING = """{
  viewer {
    __typename
    tenant { id } principal { ... on User { id } ... on Application { id } }
    rooms { edges { cursor node { __typename id groups { edges { cursor } } delegatedTo { edges { cursor } } } } }
    groups { edges { cursor node { __typename id rooms { edges { cursor } } } } }
    rings { edges { cursor node { __typename id rooms { edges { cursor } } } } }
    partners { edges { cursor node { ...seen } } }
    everyPartner: partners(states: [ACTIVE, REMOVED]) { edges { cursor node { ...seen partner { id } } } }
    customers { edges { cursor } }
    everyCustomer: customers(states: [ACTIVE, REMOVED]) { edges { cursor node { id customer { id } } } }
    invitations { edges { cursor } }
    everyInvitation: invitations(states: [PENDING, ACCEPTED, DECLINED, REVOKED, EXPIRED]) {
      edges { cursor node { __typename id rooms { edges { cursor } } groups { edges { cursor } } } }
    }
    roles {
      edges { cursor node { __typename id assignments(first: 20) { edges { cursor node {
        __typename id
        members(first: 9) { edges { cursor } }
        rooms(first: 9) { edges { cursor } }
        groups(first: 9) { edges { cursor } }
      } } } } }
    }
    approvalRequests { edges { cursor node { id } } }
    auditEntries { edges { cursor node { id } } }
    directory { edges { cursor node { ... on Node { id } } } }
  }
}
fragment seen on Partnership {
  __typename id
  rooms { edges { cursor } } roles { edges { cursor } } approvalRequests { edges { cursor } }
}"""


async def answer(engine: Engine, asker: Asker, asked: Request) -> dict[str, Any]:
    """The whole answer of one engine."""
    caller = Caller(asker.viewer, asker.name, None, asker.is_guest)
    async with begin(caller, asker.database, asker.service, asker.moment, "request") as context:
        request = GraphQLRequest(asked.query, None, asked.variables, {})
        found: dict[str, Any] = orjson.loads((await engine.answer(request, context, "request")).to_bytes())
        return found


def in_order(value: Any) -> Any:
    """With objects as lists, so that the order of fields counts."""
    if isinstance(value, dict):
        return [(name, in_order(each)) for name, each in value.items()]
    return [in_order(each) for each in value] if isinstance(value, list) else value


async def difference(asker: Asker, asked: Request, planned: Engine = PLANNED) -> str | None:
    """What the two say, if it is not the same. Of several errors none is first."""
    by_plan, by_executor = await answer(planned, asker, asked), await answer(STOCK, asker, asked)
    for each in (by_plan, by_executor):
        each["errors"] = sorted(each.get("errors", ()), key=orjson.dumps)
    if (
        in_order(by_plan.get("data")) == in_order(by_executor.get("data"))
        and by_plan["errors"] == by_executor["errors"]
    ):
        return None
    return f"{asker.name}: {asked}\n{by_plan}\n{by_executor}"


def collected(value: Any, name: str) -> Iterator[str]:
    """Every value under a name, at whatever depth."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in items:
        if key == name:
            yield each
        yield from collected(each, name)


def cursors_of(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """Every cursor, with the field that answers its list as `Type.field`."""
    for each in value if isinstance(value, list) else ():
        yield from cursors_of(each, field)
    for name, each in value.items() if isinstance(value, dict) else ():
        if name == "cursor":
            yield field, each
        yield from cursors_of(each, f"{value['__typename']}.{name}" if "__typename" in value else field)


@dataclass(frozen=True)
class Pool:
    """What documents are about: ids and cursors that somebody has seen."""

    ids: list[str]
    cursors: dict[str, list[str]]
    """Of each list, by the field that answers it."""

    @classmethod
    async def of(cls, world: Database) -> "Pool":
        managers = [name for name in PEOPLE if name.endswith("-manager")]
        found = [await answer(STOCK, ask(world, name), Request(EVERYTHING, {})) for name in managers]
        cursors: dict[str, list[str]] = {}
        for field, cursor in sorted(set(cursors_of(found))):
            cursors.setdefault(field, []).append(cursor)
        return cls(sorted(set(collected(found, "id"))), cursors)


def plain_queries(pool: Pool) -> st.SearchStrategy[Request]:
    """Documents of a generator that knows nothing of plans."""
    scalars = {
        "ID": st.sampled_from(pool.ids).map(literals.String),
        "Date": st.sampled_from(["2026-11-22", "2026-11-23"]).map(literals.String),
        "DateTime": st.just("2026-11-23T08:00:00.000000Z").map(literals.String),
        "DomainName": st.just("northwind.example").map(literals.String),
        "Int": st.sampled_from([1, 2, 3, 10]).map(literals.Int),
    }
    return queries(SCHEMA, custom_scalars=scalars).map(lambda text: Request(text, {}))


def share(is_long: bool, parts: int) -> int:
    """How many of all documents one engine answers in one part; the engines get different ones."""
    return (LONG // parts if is_long else NORMAL) // len(ENGINES)


def draw(pool: Pool, count: int, number: int) -> list[tuple[Request, str]]:
    """So many documents, each with who asks. The number says which.

    Only those of the other generator are drawn by Hypothesis: it draws each several times with little changed, and most
    of them are about one object that nobody sees.
    """
    chance, plain_ones = Random(number), count // PLAIN_PART
    drawn = [
        (Drawing(chance, pool.ids, pool.cursors).request(), chance.choice(PEOPLE)) for _ in range(count - plain_ones)
    ]

    @seed(number)
    @settings(max_examples=plain_ones, phases=[Phase.generate])
    @given(plain_queries(pool), st.sampled_from(PEOPLE))
    def plain(asked: Request, name: str) -> None:
        drawn.append((asked, name))

    plain()
    return drawn


@pytest.mark.timeout(AT_MOST)
async def test_plans_answer_as_the_executor_does(
    world: Database, engine: str, is_long: bool, shard: tuple[int, int]
) -> None:
    part, parts = shard
    count, pool, loop = share(is_long, parts), await Pool.of(world), asyncio.get_running_loop()
    PLANNED._planner.counts.clear()  # type: ignore[union-attr]
    drawn = await loop.run_in_executor(None, draw, pool, count, part * len(ENGINES) + ENGINES.index(engine))
    told = [await difference(replace(ask(world, name), name=name), asked) for asked, name in drawn]

    assert [each for each in told if each] == []
    assert len(drawn) >= count
    counts: Counter[str] = PLANNED._planner.counts  # type: ignore[union-attr]
    assert counts["defect"] == 0
    assert counts["planned"] > count / 2, "plans are compared, and not the executor with itself"


async def assert_planned_alike(world: Database, asked: str, *names: str) -> None:
    """Each of them is answered by a plan, and as the executor does."""
    PLANNED._planner.counts.clear()  # type: ignore[union-attr]

    told = [await difference(ask(world, name), Request(asked, {})) for name in names]

    assert told == [None] * len(names)
    assert PLANNED._planner.counts == {"planned": len(names)}  # type: ignore[union-attr]


@pytest.mark.parametrize("paging", ["first: 2", "last: 2"])
@pytest.mark.parametrize("part", ["hasNextPage", "hasPreviousPage", "startCursor", "endCursor"])
async def test_where_a_list_lies_is_told_without_its_objects(world: Database, part: str, paging: str) -> None:
    below = f"rooms({paging}) {{ pageInfo {{ {part} }} }}"
    asked = f"{{ viewer {{ {below} roles({paging}) {{ pageInfo {{ {part} }} }} groups {{ nodes {{ {below} }} }} }} }}"

    await assert_planned_alike(world, asked, "contoso-manager", "northwind-nobody")


@pytest.mark.parametrize("part", ["__typename", "value @skip(if: true)"])
async def test_a_count_may_be_asked_for_no_number(world: Database, part: str) -> None:
    """Of a list with many rows and of one without any, and below each row of a list."""
    below = f"rooms(last: 2) {{ totalCount {{ {part} }} }}"
    asked = f"{{ viewer {{ {below} groups {{ nodes {{ {below} }} totalCount {{ {part} }} }} }} }}"

    await assert_planned_alike(world, asked, "contoso-manager", "contoso-analyst")


@pytest.mark.parametrize("size", ["first: 2", "last: 2", "first: 50"])
@pytest.mark.parametrize("nested", ["", "customer { id }"])
async def test_each_page_has_ends_of_its_own(world: Database, size: str, nested: str) -> None:
    """Of a whole list, below each row of it, and, with something below in turn, below all rows together."""
    page = f"pageInfo {{ startCursor endCursor hasNextPage hasPreviousPage }} nodes {{ id {nested} }}"
    asked = f"{{ viewer {{ rooms({size}) {{ {page} }} groups {{ nodes {{ rooms({size}) {{ {page} }} }} }} }} }}"

    await assert_planned_alike(world, asked, "contoso-manager")


@pytest.mark.parametrize("size", ["first: 3", "last: 3"])
async def test_a_row_that_belongs_to_several_is_told_once_below_each(world: Database, size: str) -> None:
    """Rooms that share a group: the group's rooms are those of one group, however often it is there."""
    rooms = f"rooms({size}) {{ nodes {{ displayName customer {{ id }} }} totalCount {{ value }} }}"
    asked = f"{{ viewer {{ rooms {{ nodes {{ groups {{ nodes {{ id {rooms} }} }} }} }} }} }}"

    await assert_planned_alike(world, asked, "contoso-manager")


@contextmanager
def without_scope(noun: Noun) -> Iterator[None]:
    """All rows of the noun count as visible."""
    table = noun.table
    everything = rows_of(table)
    made, named, parted = declaring.made_once, declaring.named_once, declaring.parted_once

    def named_of(one: Any, right: Any, other: Any) -> Any:
        return everything if one is table else named(one, right, other)

    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(declaring, "made_once", lambda one, right: everything if one is table else made(one, right))
        broken.setattr(declaring, "named_once", named_of)
        whole = [everything]
        broken.setattr(declaring, "parted_once", lambda one, right: whole if one is table else parted(one, right))
        yield


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.kind)
async def test_a_level_that_lost_its_scope_is_found(
    worlds: dict[str, Worlds], noun: Noun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each noun in turn, while plans are written, and not when the executor asks."""

    def write_without_scope(*asked: Any) -> Any:
        with without_scope(noun):
            return write_plan(*asked)

    monkeypatch.setattr("app.graph.planning.write_plan", write_without_scope)
    world, broken = worlds["sqlite"].shared, build_engine(LIMITS, Planning.AT_ONCE)
    pool = await Pool.of(world)

    ids = sorted(pool.ids, key=lambda each: not each.startswith(f"{noun.kind.lower()}_"))[:30]
    asked = [Request(text, {"ids": ids}) for entrance in entrances() for text in documents(entrance, 1)]
    told = (
        await difference(ask(world, name), each, broken)
        for each in asked
        for name in ("northwind-helpdesk", "adatum-nobody", "contoso-analyst")
    )
    found = [each async for each in told if each]

    assert found, f"nobody noticed that {noun.kind} has no scope"
