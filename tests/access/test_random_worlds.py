"""`visible` and the independent policy see the same in every random world, for everybody in it."""

import asyncio
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import Phase, given, seed, settings
from sqlalchemy import CompoundSelect
from sqlalchemy.ext.asyncio import AsyncConnection

from app.access.tripwire import WORK, arm
from app.storage.engines import Database
from tests.access.asking import ALWAYS, OTHERS, PAGES, TURNS, differences, expected, found, question
from tests.access.policy import Asker, World
from tests.access.worlds import worlds, write
from tests.conftest import ENGINES

NORMAL = 500
LONG = 20_000
AT_MOST = 3600
"""Seconds that one part of the long campaign may take."""
WORLDS_BETWEEN_VACUUMS = 100
"""A world that is rolled back leaves its dead rows for every later look to pass over."""


@cache
def asked(page: int) -> CompoundSelect[Any]:
    return question(PAGES[page])


class Comparison:
    """An open connection on which worlds are written, looked at and rolled back, one after the other."""

    def __init__(self, address: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.database = arm(Database(address))
        self.connection = self.loop.run_until_complete(self.connect())
        self.worlds = 0
        self.answered: set[object] = set()

    async def connect(self) -> AsyncConnection:
        connection = await self.database.writer.connect()
        await connection.execution_options(**{WORK: True})
        if not self.database.is_sqlite:
            await connection.exec_driver_sql("SET plan_cache_mode = force_generic_plan")
            await connection.exec_driver_sql("SET jit = off")
            await connection.commit()
        return connection

    async def compare(self, world: World, askers: list[Asker]) -> None:
        self.worlds += 1
        async with self.connection.begin() as transaction:
            await write(self.connection, world)
            for turn, asker in enumerate(askers, len(world.assignments)):
                await self.compare_for(world, asker, 0)
                await self.compare_for(world, asker, 1 + turn % TURNS)
            await transaction.rollback()

    async def compare_for(self, world: World, asker: Asker, page: int) -> None:
        seen = await found(self.connection, asked(page), PAGES[page], world, asker)
        assert differences(seen, expected(PAGES[page], world, asker)) == [], asker
        self.answered |= {pair for pair, keys in seen.items() if keys}

    async def vacuum(self) -> None:
        if self.database.is_sqlite:
            return
        async with self.database.writer.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.exec_driver_sql("VACUUM")

    def run(self, world: World, askers: list[Asker]) -> None:
        if self.worlds and self.worlds % WORLDS_BETWEEN_VACUUMS == 0:
            self.loop.run_until_complete(self.vacuum())
        self.loop.run_until_complete(self.compare(world, askers))

    def close(self) -> None:
        self.loop.run_until_complete(self.connection.close())
        self.loop.run_until_complete(self.database.close())
        self.loop.close()


@pytest.fixture
def comparison(address: str) -> Iterator[Comparison]:
    made = Comparison(address)
    yield made
    made.close()


def share(is_long: bool, parts: int) -> int:
    """How many of all worlds one engine compares in one part; the engines get different worlds."""
    return (LONG // parts if is_long else NORMAL) // len(ENGINES)


@pytest.mark.timeout(AT_MOST)
def test_everyone_sees_exactly_what_the_policy_says(
    comparison: Comparison, engine: str, is_long: bool, shard: tuple[int, int]
) -> None:
    part, parts = shard
    count = share(is_long, parts)

    @seed(part * len(ENGINES) + ENGINES.index(engine))
    @settings(max_examples=count, report_multiple_bugs=False, phases=[Phase.generate, Phase.shrink])
    @given(worlds())
    def compare(example: tuple[World, list[Asker]]) -> None:
        comparison.run(*example)

    compare()

    assert comparison.worlds >= count
    assert [pair for pair in (*ALWAYS, *OTHERS) if pair not in comparison.answered] == []
