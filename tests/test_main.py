"""The application from its start to its end."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretBytes
from starlette.applications import Starlette

from app import main
from app.config import Settings
from app.main import create_app, service_of
from app.operations import work
from app.operations.changing import UNDER_WAY
from app.storage.engines import Database
from app.web.development_issuer import DevelopmentIssuer
from app.web.key_sets import KeySet
from app.web.tokens import TokenVerifier
from tests.graph.asking import ask, viewer_of
from tests.graph.partnering import REMOVE, confirmation, do, partnership_of, tenant_id
from tests.operations.chains import attempts, check_chain
from tests.web.gateway import ANSWER, PERSON, QUESTION, claims_of
from tests.world import SEEDED_AT


@pytest.fixture
def issuer(tmp_path: Path) -> DevelopmentIssuer:
    return DevelopmentIssuer(tmp_path, "access_as_user")


async def test_it_goes_by_the_clock(own_world: Database, issuer: DevelopmentIssuer) -> None:
    now, hour = datetime.now(UTC).replace(microsecond=0), timedelta(hours=1)
    good = issuer.token(claims_of(PERSON, expires_at=now + hour), now)
    late = issuer.token(claims_of(PERSON, expires_at=now - hour), now - 2 * hour)
    early = issuer.token(claims_of(PERSON, expires_at=now + 2 * hour), now + hour)
    app = create_app(Settings(), own_world, issuer.verifier)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
        answers = [
            await client.post("/graphql", json={"query": QUESTION}, headers={"Authorization": f"Bearer {token}"})
            for token in (good, late, early)
        ]

    assert [answer.status_code for answer in answers] == [200, 401, 401]
    assert answers[0].json() == ANSWER


@pytest.fixture
async def app(own_world: Database, issuer: DevelopmentIssuer) -> AsyncIterator[Starlette]:
    """The application, at the moment the world was seeded."""
    yield create_app(Settings(), own_world, issuer.verifier, lambda: SEEDED_AT)
    asyncio.get_running_loop().set_exception_handler(None)


async def test_its_end_waits_for_changes_that_nobody_waits_for(
    own_world: Database, app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change whose client has gone is made whole, and only then the database closed."""
    begun, lock_heads = asyncio.Event(), work.lock_heads

    async def slowly(*asked: Any) -> Any:
        begun.set()
        await asyncio.sleep(0.3)
        return await lock_heads(*asked)

    manager = ask(own_world, "contoso-manager")
    partnership = await partnership_of(own_world, "contoso.example", "northwind.example")
    word = await confirmation(manager, partnership)
    monkeypatch.setattr(work, "lock_heads", slowly)

    async with app.router.lifespan_context(app):
        request = asyncio.ensure_future(do(manager, REMOVE, partnership=partnership, confirmation=word))
        await begun.wait()
        request.cancel()
        await asyncio.wait([request])
        assert len(UNDER_WAY) == 1

    assert not UNDER_WAY
    chain = await check_chain(own_world, tenant_id("contoso.example"))
    assert "partnership.remove" in [entry.action for entry in chain]


async def test_its_end_puts_on_the_record_what_is_only_counted(own_world: Database, app: Starlette) -> None:
    partnership = await partnership_of(own_world, "contoso.example", "northwind.example")
    async with app.router.lifespan_context(app):
        for _ in range(3):
            await do(ask(own_world, "northwind-helpdesk"), REMOVE, partnership=partnership)
        assert [entry.count for entry in await attempts(own_world)] == [1]

    assert [entry.count for entry in await attempts(own_world)] == [1, 2]
    await check_chain(own_world, tenant_id("contoso.example"))


async def test_its_end_closes_the_database_whatever_fails_before(
    own_world: Database, app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        raise RuntimeError("the database is gone")

    done: list[Any] = []

    async def close(database: Database) -> None:
        done.append(database)

    monkeypatch.setattr(main, "write_out_all", fail)
    monkeypatch.setattr(Database, "close", close)
    monkeypatch.setattr(main, "write_logs", lambda: done.append("logs"))

    with pytest.raises(RuntimeError, match="the database is gone"):
        async with app.router.lifespan_context(app):
            pass

    assert done == [own_world, "logs"]


def test_confirmations_are_this_process_own_unless_there_is_a_secret() -> None:
    """With the same secret, servers accept each other's (domain.md 7 #56)."""
    viewer, secret = viewer_of("contoso-manager"), SecretBytes(b"x" * 32)
    shared = [service_of(Settings(secret=secret)).confirmations for _ in range(2)]
    own = [service_of(Settings()).confirmations for _ in range(2)]

    for giver in (*shared, *own):
        word = giver.give(viewer, "p", SEEDED_AT)
        accepting = [each for each in (*shared, *own) if each.accepts(word, viewer, "p", SEEDED_AT)]
        assert accepting == (shared if giver in shared else [giver])


async def test_its_end_ends_the_fetch_of_keys_and_closes_the_database(
    own_world: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        raise AssertionError("unreachable")

    closed: list[Database] = []

    async def close(database: Database) -> None:
        closed.append(database)

    monkeypatch.setattr(Database, "close", close)
    client = httpx.AsyncClient(transport=httpx.MockTransport(never))
    keys = KeySet("https://login.example/keys", client)
    verifier = TokenVerifier("https://login.example/{tid}/v2.0", "api://gateway", "access_as_user", keys)
    app, before = create_app(Settings(), own_world, verifier), asyncio.all_tasks()

    async with app.router.lifespan_context(app):
        waiting = asyncio.create_task(keys.ready(datetime.now(UTC)))
        await asyncio.sleep(0)
        assert closed == []
    asyncio.get_running_loop().set_exception_handler(None)
    await waiting

    assert client.is_closed
    assert closed == [own_world]
    assert asyncio.all_tasks() == before
