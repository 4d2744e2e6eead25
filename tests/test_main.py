"""The application from its start to its end."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from app.config import Settings
from app.main import create_app
from app.storage.engines import Database
from app.web.development_issuer import DevelopmentIssuer
from app.web.keys import KeySet
from app.web.tokens import TokenVerifier
from tests.web.gateway import ANSWER, PERSON, QUESTION, claims_of


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
