"""Asking one server the same thing over and over on a few connections, as cheaply as can be."""

import asyncio
import time
from dataclasses import dataclass, field

import uvloop

from app.bench.processes import cpu_seconds, family_cpu_seconds, memory_mb, spent
from app.bench.samples import Sample

LOOK_SECONDS = 0.02
"""Between two looks at what has been used."""
END = b"\r\n\r\n"
LENGTH = b"\r\ncontent-length: "
SHOWN = 60
"""Bytes of an answer that are shown around the first one that is wrong."""


class WrongAnswer(Exception):
    """A server answered otherwise than it should. The message says where."""


@dataclass(frozen=True)
class Job:
    """What is asked, of whom, and for how long."""

    port: int
    request: bytes
    body: bytes
    """What has to be answered."""
    connections: int
    cpu: float
    """Seconds of processor time of the server and of the database together."""
    server: int
    """Process id."""
    database: int | None
    """Process id of PostgreSQL; None where the database is part of the server."""
    most_seconds: float = 300.0
    """Time after which a server is given up."""


@dataclass
class Run:
    """What the connections of a job share."""

    job: Job
    going: bool = True
    latencies: list[float] = field(default_factory=list)
    failure: str | None = None

    def fail(self, why: str) -> None:
        """Stop because of this."""
        self.failure, self.going = self.failure or why, False


class Caller(asyncio.Protocol):
    """One connection that asks again as soon as it is answered."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.idle = asyncio.get_running_loop().create_future()
        self._received = bytearray()
        self._began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Go on, or stop, once the answer is all there."""
        self._received += data
        head = self._received.find(END)
        if head < 0 or len(self._received) < head + len(END) + self._length(head):
            return
        self.run.latencies.append((time.perf_counter() - self._began) * 1000)
        self._check(bytes(self._received[:head]), bytes(self._received[head + len(END) :]))
        self._received.clear()
        if self.run.going:
            self._ask()
        else:
            self._stop()

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - it is gone, whatever the reason
        """Nobody answers any more."""
        if not self.idle.done():
            self.run.fail("the connection was closed before the answer")
            self.idle.set_result(None)

    def _ask(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(self.run.job.request)

    def _stop(self) -> None:
        self.idle.set_result(None)
        self._transport.close()

    def _length(self, head: int) -> int:
        at = self._received.lower().find(LENGTH, 0, head)
        return int(self._received[at + len(LENGTH) : head].split(b"\r\n")[0]) if at >= 0 else 0

    def _check(self, head: bytes, body: bytes) -> None:
        if not head.startswith(b"HTTP/1.1 200 "):
            self.run.fail(
                f"it answered `{head.splitlines()[0].decode()}`: {body[: 5 * SHOWN].decode(errors='replace')}"
            )
        elif body != self.run.job.body:
            self.run.fail(difference(body, self.run.job.body))


def difference(got: bytes, expected: bytes) -> str:
    """Where two answers begin to differ."""
    pairs = enumerate(zip(got, expected, strict=False))
    place = next((i for i, (one, other) in pairs if one != other), min(len(got), len(expected)))
    around = slice(max(place - SHOWN, 0), place + SHOWN)
    shown = [text[around].decode(errors="replace") for text in (got, expected)]
    return f"from byte {place} on it answered …{shown[0]}… and not …{shown[1]}…"


def run(job: Job) -> Sample:
    """Do the job. Raises `WrongAnswer`."""
    return uvloop.run(ask(job))


async def ask(job: Job) -> Sample:
    """Ask until the processor time is used up; every request that was begun is answered and counted."""
    load, server, database, began = Run(job), cpu_seconds(job.server), of_database(job), time.perf_counter()
    loop = asyncio.get_running_loop()
    callers = [
        (await loop.create_connection(lambda: Caller(load), "127.0.0.1", job.port))[1] for _ in range(job.connections)
    ]
    while load.going:
        await asyncio.sleep(LOOK_SECONDS)
        if cpu_seconds(job.server) - server + spent(database, of_database(job)) >= job.cpu:
            load.going = False
        if time.perf_counter() - began > job.most_seconds:
            load.fail(f"it took more than {job.most_seconds:.0f} seconds")
    await asyncio.wait([caller.idle for caller in callers], timeout=job.most_seconds)
    if load.failure:
        raise WrongAnswer(load.failure)
    return Sample(
        requests=len(load.latencies),
        seconds=time.perf_counter() - began,
        cpu_seconds=cpu_seconds(job.server) - server,
        db_cpu_seconds=spent(database, of_database(job)),
        latencies_ms=load.latencies,
        pss_mb=memory_mb(job.server),
    )


def of_database(job: Job) -> dict[int, float]:
    """What the database's processes have used so far."""
    return family_cpu_seconds(job.database) if job.database else {}
