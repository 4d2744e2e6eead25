"""Asking: what is counted, and that no answer is taken for right that is not."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.bench.fleet import BenchFailed, Engine, Server, Target
from app.bench.harness import Loads
from app.bench.harness import ask as ask_server
from app.bench.load import Job, WrongAnswer, ask, difference
from app.bench.processes import cpu_seconds, family, family_cpu_seconds, memory_mb, parent_of, spent
from app.bench.queries import QUERIES, QueryName
from app.bench.samples import Sample
from app.bench.server import Way

REQUEST = b"GET / HTTP/1.1\r\n\r\n"
RIGHT = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright"


@asynccontextmanager
async def answering(*answers: bytes, cut: int = 1_000) -> AsyncIterator[Job]:
    """A job for a server that gives these answers in turn, in pieces of this length, and the last one for ever."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        remaining = list(answers)
        while await reader.read(1_000):
            given = remaining.pop(0) if len(remaining) > 1 else remaining[0]
            if not given:
                break
            for start in range(0, len(given), cut):
                writer.write(given[start : start + cut])
                await asyncio.sleep(0)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield Job(port, REQUEST, b"right", connections=3, cpu=0.05, server=os.getpid(), database=None, most_seconds=10)


async def test_every_answer_is_counted_and_timed() -> None:
    async with answering(RIGHT) as job:
        sample = await ask(job)

    assert sample.requests == len(sample.latencies_ms) >= job.connections
    assert sample.cpu_seconds >= job.cpu
    assert sample.db_cpu_seconds == 0.0
    assert sample.pss_mb > 1
    assert all(latency > 0 for latency in sample.latencies_ms)


async def test_an_answer_may_come_in_pieces() -> None:
    async with answering(RIGHT, cut=7) as job:
        assert (await ask(job)).requests >= job.connections


@pytest.mark.parametrize(
    "wrong, said",
    [
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 4\r\n\r\noops", "it answered `HTTP/1.1 500 Oh`: oops"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nrigid", "from byte 3 on it answered …rigid… and not …right…"),
        (b"", "the connection was closed before the answer"),
    ],
)
async def test_an_answer_that_is_not_right_ends_the_measuring(wrong: bytes, said: str) -> None:
    async with answering(RIGHT, RIGHT, wrong) as job:
        with pytest.raises(WrongAnswer) as raised:
            await ask(job)

    assert str(raised.value) == said


def test_a_difference_is_shown_with_what_is_around_it() -> None:
    long = b"x" * 500

    assert difference(long + b"a" + long, long + b"b" + long).startswith("from byte 500 on it answered …xxx")
    assert difference(b"short", b"shorter") == "from byte 5 on it answered …short… and not …shorter…"


class Wrong(Loads):
    def __init__(self) -> None:
        pass

    def run(self, job: Job) -> Sample:
        raise WrongAnswer("it answered `HTTP/1.1 401 Unauthorized`")


def test_whoever_runs_the_bench_is_told_which_server_answered_what() -> None:
    server = Server(Way.PLANNED, Target(Engine.SQLITE, "sqlite:///x", None), os.getpid(), 1)
    job = Job(1, REQUEST, b"", 1, 1.0, 1, None)

    with pytest.raises(BenchFailed) as raised:
        ask_server(Wrong(), server, QUERIES[QueryName.NODE], job)

    said = "planned on sqlite does not answer `node` as the floor does: it answered `HTTP/1.1 401 Unauthorized`"
    assert str(raised.value) == said


# --- what processes used ----------------------------------------------------------------------------------------------


def test_what_a_process_used_grows_and_is_that_of_all_its_threads() -> None:
    before = cpu_seconds(os.getpid())
    sum(range(2_000_000))

    assert cpu_seconds(os.getpid()) > before
    assert memory_mb(os.getpid()) > 10


def test_a_process_that_is_gone_used_nothing_any_more() -> None:
    assert spent({1: 5.0, 2: 1.0}, {1: 5.5, 3: 0.25}) == 0.75
    with pytest.raises(OSError, match="Invalid argument"):
        cpu_seconds(2**21)


async def test_a_family_is_a_process_with_its_children() -> None:
    child = await asyncio.create_subprocess_exec("sleep", "30")
    try:
        assert {os.getpid(), child.pid} <= set(family(os.getpid()))
        assert child.pid in family_cpu_seconds(os.getpid())
        assert parent_of(child.pid, "sleep") == os.getpid()
        assert parent_of(child.pid, "postgres") is None
        assert parent_of(2**21, "sleep") is None
    finally:
        child.terminate()
        await child.wait()
