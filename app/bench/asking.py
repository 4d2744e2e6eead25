"""Asking the gateway within this process, before there is a server."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from app.access.tripwire import arm
from app.access.viewer import Viewer
from app.bench.requests import to_gateway
from app.config import Settings
from app.main import create_app
from app.storage.engines import Database
from app.web.development_issuer import DevelopmentIssuer


async def ask(address: str, folder: Path, viewer: Viewer, document: str, variables: Mapping[str, Any]) -> Any:
    """The data that the gateway answers with over this database."""
    request = to_gateway(document, viewer, variables, folder)
    settings = Settings(state_dir=folder)
    async with Database(address) as database:
        app = create_app(settings, arm(database), DevelopmentIssuer(folder, settings.token_scope).verifier)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bench") as client:
            answer = await client.post(request.path, content=request.body, headers=request.fields)
    return answer.raise_for_status().json()["data"]
