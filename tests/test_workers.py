"""Several workers behind one address: to clients, to the record and to the operator they are one server."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from app.domain.vocabulary import AuditResult
from app.storage.engines import Database
from app.web.development_issuer import DevelopmentIssuer
from tests.conftest import Databases
from tests.graph.partnering import IMPACT, REMOVE, partnership_of, tenant_id
from tests.operations.chains import attempts, check_chain
from tests.serving import Server, serving, surroundings
from tests.test_commands import gateway, signing
from tests.web.gateway import claims_of
from tests.world import Worlds

MANAGER = "contoso-manager"
PATIENCE_SECONDS = 10.0
CHANGES = 15
"""Made by each of two workers, at once."""
ROOMS = "{ viewer { rooms(first: 50) { nodes { id version } } } }"
RENAME = """mutation($input: UpdateRoomInput!) { updateRoom(input: $input) { room { nickname } errors { code } } }"""


@dataclass(frozen=True)
class Stand:
    """The demo world in PostgreSQL, and the settings of a role that serves it."""

    database: Database
    state: Path
    environment: dict[str, str]

    @contextmanager
    def served(self, *options: str) -> Iterator[Server]:
        """A server with two workers."""
        serve = ("serve", "--development-issuer", "--workers", "2", *options)
        with serving(self.state, *serve, **self.environment) as server:
            wait_until(lambda: len(workers(server)) == 2)
            yield server

    def token(self, name: str = MANAGER) -> str:
        """A token for somebody of the demo world."""
        now = datetime.now(UTC).replace(microsecond=0)
        claims = claims_of(name, expires_at=now + timedelta(hours=1))
        return DevelopmentIssuer(self.state, "access_as_user").token(claims, now)


@pytest.fixture(scope="module")
async def stand(
    tmp_path_factory: pytest.TempPathFactory, worlds: dict[str, Worlds], databases: Databases
) -> AsyncIterator[Stand]:
    name, role = f"workers-{uuid4().hex}", f"serving-{uuid4().hex}"
    state = tmp_path_factory.mktemp("workers") / "state"
    address = await databases.copy("postgresql", name, worlds["postgresql"].template)
    async with Database(address) as database:
        async with database.writer.begin() as connection:
            await connection.execute(text(f'create role "{role}" login'))
        settings = signing(state)
        migrate = ("migrate", "--grant", role)
        await asyncio.to_thread(gateway, state, *migrate, GATEWAY_DATABASE_URL=address, **settings)
        serving_address = make_url(address).set(username=role).render_as_string(hide_password=False)
        yield Stand(database, state, settings | {"GATEWAY_DATABASE_URL": serving_address})
        async with database.writer.begin() as connection:
            await connection.execute(text(f'drop owned by "{role}" cascade'))
            await connection.execute(text(f'drop role "{role}"'))
    await databases.drop("postgresql", name)


@pytest.fixture(scope="module")
def server(stand: Stand) -> Iterator[Server]:
    """One that goes on."""
    with stand.served() as started:
        yield started


def workers(server: Server) -> list[psutil.Process]:
    """The processes that serve."""
    return list(psutil.Process(server.process.pid).children())


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < until, "it takes too long"
        time.sleep(0.02)


@contextmanager
def one_connection_each(server: Server, token: str) -> Iterator[list[httpx.Client]]:
    """A client of each worker, which keeps its connection to it."""
    with ExitStack() as opened:
        found: dict[int, httpx.Client] = {}
        until = time.monotonic() + PATIENCE_SECONDS
        while len(found) < 2:
            assert time.monotonic() < until, "one worker gets every connection"
            client = opened.enter_context(httpx.Client(headers={"Authorization": f"Bearer {token}"}))
            found[worker_behind(client, server)] = client
        yield list(found.values())


def worker_behind(client: httpx.Client, server: Server) -> int:
    """The process that has the other end of a client's connection."""
    with client.stream("POST", f"{server.url}/graphql", json={"query": ROOMS}) as answer:
        port = answer.extensions["network_stream"].get_extra_info("client_addr")[1]
        answer.read()
    (found,) = (worker for worker in workers(server) if port in ports_of_clients(worker))
    return int(found.pid)


def ports_of_clients(worker: psutil.Process) -> set[int]:
    return {each.raddr.port for each in worker.net_connections("tcp") if each.raddr}


def ask(client: httpx.Client, server: Server, document: str, **variables: Any) -> Any:
    """The data of an answer that is without errors."""
    answer = client.post(f"{server.url}/graphql", json={"query": document, "variables": variables}).json()
    assert "errors" not in answer
    return answer["data"]


async def test_a_confirmation_that_one_worker_gave_is_accepted_by_another(stand: Stand, server: Server) -> None:
    """Without GATEWAY_SECRET: it is made before there are several (domain.md 7 #56)."""
    partnership = await partnership_of(stand.database, "fabrikam.example", "northwind.example")

    with one_connection_each(server, stand.token("fabrikam-manager")) as (one, other):
        impact = ask(one, server, IMPACT, id=partnership)["node"]["removalImpact"]
        given = {"partnership": partnership, "confirmation": impact["confirmation"]}
        removed = ask(other, server, REMOVE, input=given)["removePartner"]

    assert "GATEWAY_SECRET" not in stand.environment
    assert removed["errors"] == []
    assert removed["partnership"]["state"] == "REMOVED"


async def test_the_record_of_changes_by_several_workers_at_once_is_whole(stand: Stand, server: Server) -> None:
    contoso = tenant_id("contoso.example")
    before = len(await check_chain(stand.database, contoso))
    heads = Path(stand.environment["GATEWAY_AUDIT_HEADS_DIR"], f"{contoso}.jsonl")
    signed = lines_of(heads)

    with one_connection_each(server, stand.token()) as clients:
        rooms = ask(clients[0], server, ROOMS)["viewer"]["rooms"]["nodes"]

        def rename(client: httpx.Client, room: dict[str, Any]) -> None:
            for number in range(CHANGES):
                given = {"room": room["id"], "expectedVersion": room["version"] + number, "nickname": f"{number}"}
                assert ask(client, server, RENAME, input=given)["updateRoom"]["errors"] == []

        with ThreadPoolExecutor() as both:
            list(both.map(rename, clients, rooms))
        verified = await asyncio.to_thread(gateway, stand.state, "audit", "verify", **stand.environment)

    entries = await check_chain(stand.database, contoso)
    assert len(entries) == before + 2 * CHANGES
    assert lines_of(heads) == signed + 2 * CHANGES
    assert verified.returncode == 0, verified.stdout
    assert f"{len(entries)} entries (1 to {len(entries)}), {lines_of(heads)} signed heads agree" in verified.stdout


def lines_of(file: Path) -> int:
    return len(file.read_bytes().splitlines())


async def test_a_worker_that_dies_is_replaced(stand: Stand, server: Server) -> None:
    before = {worker.pid for worker in workers(server)}
    victim = min(before)

    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: len({worker.pid for worker in workers(server)} - {victim}) == 2)

    with one_connection_each(server, stand.token()):
        after = {worker.pid for worker in workers(server)}
    assert before - after == {victim}
    assert '"worker died"' in server.log.read_text()


def test_an_address_that_is_taken_is_not_shared_with_another_server(stand: Stand, server: Server) -> None:
    serve = ("serve", "--development-issuer", "--workers", "2", "--port", str(httpx.URL(server.url).port))

    second = subprocess.run(
        [sys.executable, "-m", "app", *serve], env=surroundings(stand.state, **stand.environment), capture_output=True
    )

    assert second.returncode != 0
    assert b"Address already in use" in second.stderr


async def test_all_stop_together_and_what_they_counted_is_on_the_record_once(stand: Stand) -> None:
    before = len(await attempts(stand.database))
    with stand.served() as server:
        both = workers(server)
        with one_connection_each(server, stand.token("northwind-helpdesk")) as clients:
            await in_one_minute()
            room = ask(clients[0], server, ROOMS)["viewer"]["rooms"]["nodes"][0]
            given = {"room": room["id"], "expectedVersion": room["version"], "nickname": "mine"}
            for client in clients * 3:
                answered = ask(client, server, RENAME, input=given)["updateRoom"]
                assert [error["code"] for error in answered["errors"]] == ["FORBIDDEN"]

            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(PATIENCE_SECONDS) == 0

    lines = (await attempts(stand.database))[before:]
    assert [worker.is_running() for worker in both] == [False, False]
    assert server.log.read_text().count("Application shutdown complete") == 2
    assert [(line.result_status, line.count) for line in lines] == [(AuditResult.FAILED, 1), (AuditResult.FAILED, 5)]


async def in_one_minute() -> None:
    """What comes now is counted in the same minute."""
    seconds_left = 60 - datetime.now(UTC).second
    if seconds_left < PATIENCE_SECONDS:
        await asyncio.sleep(seconds_left)


async def test_workers_whose_parent_was_killed_end_by_themselves(stand: Stand) -> None:
    with stand.served() as server:
        orphans = workers(server)
        server.process.kill()
        wait_until(lambda: not any(orphan.is_running() for orphan in orphans))

    assert server.log.read_text().count("Application shutdown complete") == 2


def test_sqlite_is_served_by_one_process(tmp_path: Path) -> None:
    state = tmp_path / "state"
    gateway(state, "migrate")

    refused = gateway(state, "serve", "--development-issuer", "--workers", "2", **signing(state))

    assert refused.returncode == 2
    assert "an SQLite file is served by one process" in refused.stderr
    assert "GATEWAY_DATABASE_URL" in refused.stderr
