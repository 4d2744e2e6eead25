"""The measuring: every way and engine in turn, again and again, so that a machine that slows down slows down all."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from multiprocessing import get_context
from pathlib import Path

from app.access.viewer import Viewer
from app.bench.fleet import BenchFailed, Engine, Server, Target
from app.bench.floor.serving import path_of
from app.bench.load import Job, WrongAnswer, run
from app.bench.queries import QUERIES, Query, QueryName
from app.bench.samples import Result, Sample, summarize
from app.bench.server import HOST, Way
from app.bench.world import World
from app.config import Settings
from app.web.development_issuer import DevelopmentIssuer
from app.web.tokens import Claims

WARM_UP = 0.3
"""Part of a repetition's processor time that each server spends on a document before it is measured."""
TOKEN_LIFETIME = timedelta(hours=24)
Key = tuple[QueryName, Engine, Way]
"""Document, engine and way."""


@dataclass(frozen=True)
class Plan:
    """How long everything is measured."""

    queries: Sequence[Query] = tuple(QUERIES.values())
    repetitions: int = 7
    seconds: float = 2.0
    """Processor time of each repetition."""
    connections: int = 8
    on_repetition: Callable[[], object] = lambda: None

    def steps(self, servers: int) -> int:
        """How often `on_repetition` is told that something was measured."""
        return (self.repetitions + 1) * len(self.queries) * servers


class Loads:
    """Who asks, in a process of its own."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def run(self, job: Job) -> Sample:
        """What the job took. Raises `WrongAnswer`."""
        return self._pool.submit(run, job).result()


@contextmanager
def load_process() -> Iterator[Loads]:
    """A process that asks, until the context ends."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        yield Loads(pool)


def measure(plan: Plan, servers: Sequence[Server], worlds: Mapping[Engine, World], folder: Path) -> list[Result]:
    """What every document costs on every server. Raises `BenchFailed` for a server that answers otherwise."""
    samples: dict[Key, list[Sample]] = defaultdict(list)
    with load_process() as loads:
        jobs = {query.name: prepare(plan, query, servers, worlds, folder) for query in plan.queries}
        for query in plan.queries:
            for server, job in jobs[query.name]:
                ask(loads, server, query, replace(job, cpu=plan.seconds * WARM_UP))
                plan.on_repetition()
        for repetition in range(plan.repetitions):
            for query in plan.queries:
                for server, job in turned(jobs[query.name], repetition):
                    samples[query.name, server.target.engine, server.way].append(ask(loads, server, query, job))
                    plan.on_repetition()
    return [
        summarize(*key, taken, samples[key[0], key[1], Way.FLOOR])
        for key, taken in sorted(samples.items(), key=lambda item: place(item[0]))
    ]


def place(key: Key) -> tuple[int, ...]:
    """Where a result stands: by document, engine and way."""
    return tuple(list(type(part)).index(part) for part in key)


def turned(jobs: list[tuple[Server, Job]], by: int) -> list[tuple[Server, Job]]:
    """The jobs, beginning with another one in each repetition."""
    start = by % len(jobs)
    return jobs[start:] + jobs[:start]


def ask(loads: Loads, server: Server, query: Query, job: Job) -> Sample:
    """One repetition. Raises `BenchFailed`."""
    try:
        return loads.run(job)
    except WrongAnswer as wrong:
        where = f"{server.way} on {server.target.engine}"
        raise BenchFailed(f"{where} does not answer `{query.name}` as the floor does: {wrong}") from None


# --- what is asked ----------------------------------------------------------------------------------------------------


def prepare(
    plan: Plan, query: Query, servers: Sequence[Server], worlds: Mapping[Engine, World], folder: Path
) -> list[tuple[Server, Job]]:
    """How each server is asked for a document; what the floor answers is what all of an engine have to answer."""
    bodies: dict[Target, bytes] = {}
    for server in servers:
        if server.way is Way.FLOOR:
            bodies[server.target] = fetch(server, query, worlds[server.target.engine])
    return [
        (
            server,
            Job(
                port=server.port,
                request=request_to(server, query, worlds[server.target.engine], folder),
                body=bodies[server.target],
                connections=plan.connections,
                cpu=plan.seconds,
                server=server.process,
                database=server.target.process,
            ),
        )
        for server in servers
    ]


def request_to(server: Server, query: Query, world: World, folder: Path) -> bytes:
    """The whole request, as it goes over the connection."""
    viewer, variables = query.viewer(world), query.variables(world)
    if server.way is Way.FLOOR:
        return head("GET", path_of(query.name, viewer, variables.get("id", "")), [])
    body = json.dumps({"query": query.document, "variables": variables}).encode()
    fields = [
        "Accept: application/json",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"Authorization: Bearer {token(viewer, folder)}",
    ]
    return head("POST", "/graphql", fields) + body


def head(method: str, path: str, fields: Sequence[str]) -> bytes:
    """The head of a request."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {HOST}", *fields, "", ""]).encode()


def token(viewer: Viewer, folder: Path) -> str:
    """A token of the issuer whose key is in this folder."""
    now = datetime.now(UTC).replace(microsecond=0)
    claims = Claims(
        tenant_id=viewer.tenant_id,
        principal_id=viewer.principal_id,
        kind=viewer.kind,
        directory_roles=viewer.directory_roles,
        display_name="bench",
        user_principal_name=None,
        guest=False,
        expires_at=now + TOKEN_LIFETIME,
    )
    return DevelopmentIssuer(folder, Settings.model_fields["token_scope"].default).token(claims, now)


def fetch(server: Server, query: Query, world: World) -> bytes:
    """What the floor answers. Raises `BenchFailed` if it does not."""
    connection = HTTPConnection(HOST, server.port, timeout=60)
    connection.request("GET", path_of(query.name, query.viewer(world), query.variables(world).get("id", "")))
    response = connection.getresponse()
    body = response.read()
    connection.close()
    if response.status != 200:
        raise BenchFailed(f"the floor on {server.target.engine} answers `{query.name}` with {response.status}")
    return body
