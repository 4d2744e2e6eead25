"""What visible rows name without being asked for their own rule is what `visible` shows, in many random worlds.

Rules are the same for every database, so SQLite is enough here.
"""

import asyncio
import shutil
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select, literal, select, tuple_, union_all

from app.access.scoping import rows_of
from app.access.tripwire import WORK
from app.access.visible import SEEN_WITH
from app.reading.declaring import Many, Noun, One
from app.reading.nouns import NOUNS
from app.reading.pages import children
from app.storage.engines import Database
from tests.access.asking import parameters
from tests.access.policy import Asker, Policy, World
from tests.access.worlds import sample_worlds, write

Edge = One | Many
Keys = set[tuple[str, str]]
SAMPLE, SEED = 30, 11

ONES = [edge for noun in NOUNS for edge in noun.ones.values()]
MANYS = [edge for noun in NOUNS for edge in noun.manys.values() if edge.right is None]
EDGES: tuple[Edge, ...] = (*ONES, *MANYS)
HIDDEN = (
    "principal.tenant",
    "room.ring",
    "room.groups",
    "roomgroup.rooms",
    "updatering.rooms",
    "partnership.primary_admins",
    "partnership.rooms",
    "partnership.approval_requests",
    "partnership.roles",
    "assignment.rooms",
    "assignment.groups",
)
"""Edges that lead from visible rows to hidden ones in these worlds."""


def is_seen_with(edge: Edge) -> bool:
    return (edge.target.table, edge.source.table) in SEEN_WITH


def name_of(edge: Edge) -> str:
    return edge.name if isinstance(edge, Many) else f"{edge.source.kind}.{edge.name}"


@cache
def everything(noun: Noun) -> Select[Any]:
    return rows_of(noun.table)


def at_the_end(edge: Edge) -> Select[Any]:
    """The keys of what visible rows name, whether it is visible or not."""
    source, target = edge.source, edge.target
    if isinstance(edge, One):
        named = source.rows().with_only_columns(edge.tenant, edge.key)
        return everything(target).where(tuple_(target.tenant, target.key).in_(named)).with_only_columns(*keys(target))
    parents = source.rows().with_only_columns(source.tenant, source.key)
    listing = children(edge, everything(target), lambda tenant, key: tuple_(tenant, key).in_(parents))
    return listing.rows.with_only_columns(*keys(target))


def keys(noun: Noun) -> tuple[Any, Any]:
    return noun.tenant.label("t"), noun.key.label("k")


QUESTION = union_all(
    *(select(literal(number), *at_the_end(edge).subquery().c) for number, edge in enumerate(EDGES)),
)


class Comparison:
    """Which rows beyond the visible ones each edge led to, and which edges led anywhere."""

    def __init__(self) -> None:
        self.beyond: dict[str, Keys] = defaultdict(set)
        self.led: set[str] = set()

    async def run(self, address: str) -> None:
        async with Database(address) as database, database.writer.connect() as connection:
            await connection.execution_options(**{WORK: True})
            for world, askers in sample_worlds(SAMPLE, SEED):
                async with connection.begin() as transaction:
                    await write(connection, world)
                    for asker in askers:
                        self.look(world, asker, (await connection.execute(QUESTION, parameters(world, asker))).all())
                    await transaction.rollback()

    def look(self, world: World, asker: Asker, answered: Any) -> None:
        policy = Policy(world, asker)
        found: dict[int, Keys] = defaultdict(set)
        for number, tenant, key in answered:
            found[number].add((tenant, key))
        for number, ends in found.items():
            edge = EDGES[number]
            self.led.add(name_of(edge))
            self.beyond[name_of(edge)] |= ends - set(policy.sees(edge.target.table.__name__, edge.target.right))


@pytest.fixture(scope="module")
def comparison(folder: Path, migrated: dict[str, str]) -> Comparison:
    shutil.copy(folder / "template.db", folder / "named.db")
    loop, made = asyncio.new_event_loop(), Comparison()
    loop.run_until_complete(made.run(f"sqlite:///{folder / 'named.db'}"))
    loop.close()
    return made


@pytest.mark.parametrize("edge", [edge for edge in EDGES if is_seen_with(edge)], ids=name_of)
def test_what_is_seen_with_another_row_is_visible(comparison: Comparison, edge: Edge) -> None:
    assert name_of(edge) in comparison.led
    assert not comparison.beyond[name_of(edge)]


@pytest.mark.parametrize("name", HIDDEN)
def test_a_row_that_is_named_and_not_visible_is_noticed(comparison: Comparison, name: str) -> None:
    """The test above can fail: it would, were these among the pairs."""
    assert comparison.beyond[name]
