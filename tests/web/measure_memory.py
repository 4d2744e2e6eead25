"""What memory serving takes: under 64 clients, and what very many different documents add to it.

`uv run python -m tests.web.measure_memory` prints it for each engine, and on PostgreSQL for two workers too; different
documents, which take the better part of an hour, are sent to one worker on PostgreSQL. Memory is PSS of the largest
worker: what a process has for itself, and its part of what it shares.
"""

import argparse
import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any

import httpx
import psutil
from rich.console import Console
from rich.progress import Progress

from tests.graph.test_documents import DOCUMENTS, SENT_BY
from tests.measuring import Stand, stands
from tests.serving import Server, serving

CLIENTS = 64
MB = 1_000_000
LOOKS_EVERY_SECONDS = 0.2
ROOMS = """viewer { rooms(first: 50) { totalCount { value } pageInfo { hasNextPage endCursor }
  nodes { id version displayName account nickname tags capacity location { city building floor } } } }"""
FILTERS = [
    'search: "room"',
    'building: "Main"',
    'city: "Oslo"',
    "enrollment: [ENROLLED]",
    "platform: [ANDROID]",
    'group: "roomgroup_3f2504e0-4f89-41d3-9a0c-0305e82c3301_3f2504e0-4f89-41d3-9a0c-0305e82c3301"',
    'ring: "updatering_3f2504e0-4f89-41d3-9a0c-0305e82c3301_3f2504e0-4f89-41d3-9a0c-0305e82c3301"',
    'customer: "tenant_3f2504e0-4f89-41d3-9a0c-0305e82c3301"',
]
FIELDS = ("NAME", "UPDATED_AT", "CAPACITY")
SMALL = "viewer { rooms(first: 1) { nodes { id } } }"
REFUSED_EVERY = 4
"""Of the different documents, one in so many asks for a field that does not exist."""
LARGE_EVERY, NARROWED_EVERY = 20, 40
"""One in so many asks for large lists, and one in so many for such as are narrowed, which takes most of all: this many
documents of that kind alone would take hours.
"""
ANSWER = re.compile(rb"HTTP/1\.1 (\d+).*\r\ncontent-length: (\d+)", re.DOTALL | re.IGNORECASE)
SETTINGS = [("sqlite", 1), ("postgresql", 2), ("postgresql", 1)]
"""Engines, and with how many workers; the last one gets the different documents, too."""

LINE = "{:10}  {:>7}  {:30}  {:>6}  {:>11}  {:>7}  {}"

Request = tuple[str, dict[str, Any]]
"""The name of who asks, and the body."""


# --- what is asked ----------------------------------------------------------------------------------------------------


def rooms_page() -> Iterator[Request]:
    """The same page of rooms, again and again."""
    return cycle([("contoso-manager", {"query": f"{{ {ROOMS} }}"})])


def fixture_documents(room: str) -> Iterator[Request]:
    """What tools and frontends send, one after the other."""
    return cycle([(SENT_BY[name], {"query": text, "variables": {"room": room}}) for name, text in DOCUMENTS.items()])


def different_documents() -> Iterator[Request]:
    """Documents of which no two are alike, small and large, some narrowed and sorted in a thousand ways or refused."""
    for number in count():
        large = narrowed(number) if number % NARROWED_EVERY == 1 else ROOMS
        listed = large if number % LARGE_EVERY == 1 else SMALL
        parts = [f"part{part}of{number}: {listed}" for part in range(1 + number % 3)]
        wrong = ["nothing"] if number % REFUSED_EVERY == 0 else []
        yield "contoso-manager", {"query": f"{{ {' '.join(parts + wrong)} }}"}


def narrowed(number: int) -> str:
    """A page of rooms, narrowed by some of the filters and sorted in one of the orders."""
    chosen = [each for place, each in enumerate(FILTERS) if number >> place & 1]
    field, direction, side = (words[number // 7 % len(words)] for words in (FIELDS, ("ASC", "DESC"), ("first", "last")))
    order = f"orderBy: {{field: {field}, direction: {direction}}}"
    return ROOMS.replace("first: 50", f"{side}: 1, filter: {{{', '.join(chosen)}}}, {order}")


def for_seconds(seconds: float, requests: Iterator[Request]) -> Iterator[Request]:
    """These requests until the time is over."""
    end = time.perf_counter() + seconds
    for request in requests:
        if time.perf_counter() > end:
            return
        yield request


# --- who asks ---------------------------------------------------------------------------------------------------------


@dataclass
class Clients:
    """As many at once as are measured, each with a connection of its own, asking one thing after the other."""

    stand: Stand
    server: Server
    count: int = CLIENTS
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    peak: float = 0.0
    """MB of the largest worker."""

    def workers(self) -> list[psutil.Process]:
        """The processes that answer."""
        parent = psutil.Process(self.server.process.pid)
        return list(parent.children()) or [parent]

    def cpu_seconds(self) -> float:
        """What all workers used so far."""
        return float(sum(sum(worker.cpu_times()[:2]) for worker in self.workers()))

    async def ask(self, requests: Iterator[Request], progress: Progress, task: Any) -> None:
        """Send all of these."""
        tokens = {name: self.stand.token(name) for name in set(SENT_BY.values())}
        looking = asyncio.create_task(self.look())
        await asyncio.gather(*(self.client(requests, tokens, progress, task) for _ in range(self.count)))
        looking.cancel()
        self.peak = max(self.peak, *map(pss, self.workers()))

    async def look(self) -> None:
        """See how large the largest worker becomes."""
        while True:
            self.peak = max(self.peak, *map(pss, self.workers()))
            await asyncio.sleep(LOOKS_EVERY_SECONDS)

    async def client(self, requests: Iterator[Request], tokens: dict[str, str], progress: Progress, task: Any) -> None:
        """Ask as one client."""
        url = httpx.URL(self.server.url)
        reader, writer = await asyncio.open_connection(url.host, url.port)
        for name, body in requests:
            began = time.perf_counter()
            writer.write(as_http(url.host, tokens[name], json.dumps(body).encode()))
            answer = ANSWER.match(await reader.readuntil(b"\r\n\r\n"))
            assert answer
            await reader.readexactly(int(answer[2]))
            self.statuses[int(answer[1])] += 1
            self.seconds.append(time.perf_counter() - began)
            progress.advance(task)
        writer.close()


def as_http(host: str, token: str, content: bytes) -> bytes:
    """A request as it is sent."""
    lines = ("POST /graphql HTTP/1.1", f"Host: {host}", f"Authorization: Bearer {token}", "Accept: application/json")
    more = ("Content-Type: application/json", f"Content-Length: {len(content)}", "", "")
    return "\r\n".join(lines + more).encode() + content


def pss(worker: psutil.Process) -> float:
    """MB that a process has for itself, and its part of what it shares."""
    lines = Path(f"/proc/{worker.pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / MB for line in lines if line.startswith("Pss:"))


# --- what is told -----------------------------------------------------------------------------------------------------


def measure(stand: Stand, workers: int, options: argparse.Namespace, progress: Progress) -> None:
    """Print a line for each kind of load."""
    arguments = ["--workers", str(workers)] if workers > 1 else []
    with serving(stand.state, "serve", "--development-issuer", *arguments, **stand.settings) as server:
        rooms = server.ask(stand.token("contoso-manager"), "{ viewer { rooms(first: 1) { nodes { id } } } }")
        room = rooms["viewer"]["rooms"]["nodes"][0]["id"]
        loads: dict[str, Iterator[Request]] = {
            "nothing but a first question": iter(()),
            "rooms page of 50": for_seconds(options.seconds, rooms_page()),
            "fixtures/queries in turns": for_seconds(options.seconds, fixture_documents(room)),
        }
        if (stand.engine, workers) == SETTINGS[-1]:
            loads[f"{options.documents:,} different documents"] = islice(different_documents(), options.documents)
        for name, requests in loads.items():
            clients, task = Clients(stand, server), progress.add_task(f"{stand.engine}: {name}", total=None)
            before = clients.cpu_seconds()
            asyncio.run(clients.ask(requests, progress, task))
            progress.remove_task(task)
            said = figures(clients, clients.cpu_seconds() - before)
            progress.console.print(LINE.format(stand.engine, workers, name, *said), highlight=False)


def figures(clients: Clients, cpu_seconds: float) -> list[str]:
    """What is told of a load."""
    if not clients.seconds:
        return [f"{clients.peak:.0f}", "", "", ""]
    said = ", ".join(f"{number:,} × {status}" for status, number in sorted(clients.statuses.items()))
    slow = sorted(clients.seconds)[len(clients.seconds) * 99 // 100]
    return [f"{clients.peak:.0f}", f"{cpu_seconds / len(clients.seconds) * 1000:.2f}", f"{slow * 1000:.0f}", said]


def main() -> None:
    """Measure each engine, one worker and two."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--documents", type=int, default=100_000, help="how many different ones")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each of the other loads")
    options = parser.parse_args()
    with stands() as found, Progress(console=Console(width=120), transient=True) as progress:
        header = LINE.format("engine", "workers", f"{CLIENTS} clients", "PSS MB", "CPU ms each", "p99 ms", "answers")
        progress.console.print(header, highlight=False)
        for engine, workers in SETTINGS:
            measure(found[engine], workers, options, progress)


if __name__ == "__main__":
    main()
