"""What a request began to read ends with it: no task and no connection stays after an answer, a timeout or a defect."""

import asyncio
from typing import Any

import pytest

from app.config import Limits
from app.reading.reader import Reader
from app.storage.engines import Database
from app.web.development_issuer import DevelopmentIssuer
from tests.web.gateway import Gateway, codes, opened

NESTED = """{ viewer {
  tenant { displayName }
  rooms(first: 2) { nodes { groups { nodes { displayName } } } }
} }"""


class Slow:
    """A read below several parents that does not end by itself, on a connection of its own."""

    def __init__(self) -> None:
        self.begun, self.ended = asyncio.Event(), asyncio.Event()

    async def read(self, reader: Reader, *_: Any) -> Any:
        async with reader.database.reading():
            self.begun.set()
            try:
                await asyncio.sleep(60)
            finally:
                self.ended.set()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    made = Slow()
    monkeypatch.setattr(Reader, "pages", lambda *asked: made.read(*asked))
    return made


def connections(database: Database) -> int:
    """How many are in use."""
    return int(database.readers.pool.checkedout())  # type: ignore[attr-defined]


async def nothing_left(database: Database, before: set[asyncio.Task[Any]]) -> None:
    """What was told to end has ended, and given its connection back, as soon as it had a turn."""
    left = asyncio.all_tasks() - before
    if left:
        await asyncio.wait(left, timeout=1)
    assert (asyncio.all_tasks() - before, connections(database)) == (set(), 0)


async def test_a_loaders_batch_ends_when_the_request_takes_too_long(
    world: Database, issuer: DevelopmentIssuer, slow: Slow
) -> None:
    before = asyncio.all_tasks()

    async with opened(world, issuer, limits=Limits(timeout_seconds=3.0)) as gateway:
        response = await gateway.ask(NESTED)

    assert codes(response) == ["TIMEOUT"]
    assert slow.begun.is_set()
    await nothing_left(world, before)
    assert slow.ended.is_set()


async def test_a_loaders_batch_ends_when_a_field_beside_it_fails(
    on_each: Gateway, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> Any:
        await slow.begun.wait()
        raise RuntimeError("defect")

    monkeypatch.setattr(Reader, "rows", fail)
    before = asyncio.all_tasks()

    response = await on_each.ask(NESTED)

    assert (response.json()["data"], codes(response)) == ({"viewer": None}, ["INTERNAL"])
    await nothing_left(on_each.database, before)
    assert slow.ended.is_set()


async def test_an_answer_leaves_no_connection_in_use(on_each: Gateway) -> None:
    before = asyncio.all_tasks()

    response = await on_each.ask(NESTED)

    assert "errors" not in response.json()
    await nothing_left(on_each.database, before)


async def test_more_requests_at_once_than_connections_are_all_answered(on_each: Gateway) -> None:
    responses = await asyncio.gather(*(on_each.ask(NESTED) for _ in range(40)))

    assert {response.content for response in responses} == {responses[0].content}
    assert "errors" not in responses[0].json()
    assert connections(on_each.database) == 0
