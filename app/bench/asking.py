"""Asking the gateway within this process, before there is a server."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from app.access.tripwire import arm
from app.access.viewer import Viewer
from app.bench.failing import BenchFailed
from app.bench.requests import to_gateway
from app.config import Limits, Settings
from app.graph.planning import Planning
from app.main import create_app
from app.storage.engines import Database
from app.web.development_issuer import DevelopmentIssuer

MOST_SECONDS = 3_600.0


async def ask(address: str, folder: Path, viewer: Viewer, document: str, variables: Mapping[str, Any]) -> Any:
    """The data that the gateway answers with over this database. Raises `BenchFailed` for an error."""
    async with Database(address) as database:
        return await ask_over(arm(database), folder, viewer, document, variables)


async def ask_over(
    database: Database, folder: Path, viewer: Viewer, document: str, variables: Mapping[str, Any]
) -> Any:
    """The data that the gateway answers with over this database, by a plan if it can, however long it takes.

    Raises `BenchFailed` for an error.
    """
    request = to_gateway(document, viewer, variables, folder)
    settings = Settings(state_dir=folder, limits=Limits(timeout_seconds=MOST_SECONDS))
    verifier = DevelopmentIssuer(folder, settings.token_scope).verifier
    app = create_app(settings, database, verifier, planning=Planning.AT_ONCE)
    async with httpx.AsyncClient(
        timeout=MOST_SECONDS, transport=httpx.ASGITransport(app), base_url="http://bench"
    ) as client:
        answer = await client.post(request.path, content=request.body, headers=request.fields)
    body = answer.json()
    if "errors" in body:
        raise BenchFailed(f"the gateway answers with {answer.status_code}: {body['errors'][0]['message']}")
    return body["data"]
