"""The whole application, asked over HTTP as people of the demo world; whatever it answers is held against the rules."""

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from app.config import Limits, Settings
from app.domain.refusals import ProblemCode
from app.domain.vocabulary import PrincipalKind
from app.main import create_app
from app.storage.engines import Database
from app.web.development_issuer import DevelopmentIssuer
from app.web.logs import write_logs
from app.web.tokens import Claims, TokenVerifier
from tests.graph.asking import viewer_of
from tests.world import SEEDED_AT

JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
MEDIA_TYPES = (JSON, GRAPHQL_RESPONSE)
ORIGIN = "https://portal.example"
PERSON = "contoso-manager"
QUESTION = "{ viewer { tenant { displayName } } }"
ANSWER = {"data": {"viewer": {"tenant": {"displayName": "Contoso"}}}}


@dataclass(frozen=True)
class Gateway:
    """One application over one database."""

    app: Starlette
    client: httpx.AsyncClient
    database: Database
    issuer: DevelopmentIssuer

    def token(self, name: str = PERSON, **changes: Any) -> str:
        """A good token of somebody in the demo world, with these claims in place of the right ones."""
        return self.issuer.token(claims_of(name, **changes), SEEDED_AT)

    async def post(
        self, body: object, *, name: str = PERSON, accept: str | None = JSON, **headers: str
    ) -> httpx.Response:
        """What is answered to this body: bytes as they are, everything else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": JSON, "Authorization": f"Bearer {self.token(name)}"}
        sent |= {header.replace("_", "-"): value for header, value in headers.items()}
        return await self.client.post(
            "/graphql", content=content, headers=sent | ({"Accept": accept} if accept else {})
        )

    async def ask(self, query: str, *, name: str = PERSON, accept: str = JSON, **variables: Any) -> httpx.Response:
        """What is answered to this document."""
        return await self.post({"query": query, "variables": variables}, name=name, accept=accept)


def claims_of(name: str, **changes: Any) -> Claims:
    """What the token of somebody in the demo world says."""
    viewer = viewer_of(name)
    is_user = viewer.kind is PrincipalKind.USER
    claims: dict[str, Any] = {
        "tenant_id": viewer.tenant_id,
        "principal_id": viewer.principal_id,
        "kind": viewer.kind,
        "directory_roles": viewer.directory_roles,
        "display_name": name if is_user else viewer.principal_id,
        "user_principal_name": None,
        "guest": False,
        "expires_at": SEEDED_AT + timedelta(hours=1),
    }
    return Claims(**(claims | changes))


@asynccontextmanager
async def opened(
    database: Database,
    issuer: DevelopmentIssuer,
    *,
    limits: Limits | None = None,
    verifier: TokenVerifier | None = None,
    now: datetime = SEEDED_AT,
) -> AsyncIterator[Gateway]:
    """The gateway over this database, at this moment."""
    settings = Settings(cors_origins=(ORIGIN,), limits=limits or Limits(), state_dir=Path("unused"))
    app = create_app(settings, database, verifier or issuer.verifier, lambda: now)
    transport, hooks = httpx.ASGITransport(app), {"response": [hold_against_the_rules]}
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway", event_hooks=hooks) as client:
        del client.headers["Accept"]
        yield Gateway(app, client, database, issuer)


async def hold_against_the_rules(response: httpx.Response) -> None:
    """What is true of every answer, refusals included."""
    assert len(response.headers["X-Request-Id"]) == 32
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Access-Control-Allow-Credentials" not in response.headers
    await response.aread()
    if response.request.url.path in ("/healthz", "/readyz") or response.request.method in ("OPTIONS", "HEAD"):
        return
    if response.request.url.path in ("/audit.csv", "/audit.ndjson") and response.status_code == 200:
        return
    assert response.headers["Content-Type"] in {f"{media_type}; charset=utf-8" for media_type in MEDIA_TYPES}
    body = response.json()
    assert body.keys() <= {"data", "errors"}
    assert body.get("errors") != []
    for error in body.get("errors", ()):
        assert isinstance(error["message"], str)
        assert error.keys() <= {"message", "locations", "path", "extensions"}
        assert error["extensions"]["code"] in set(ProblemCode)
    assert "data" in body or body["errors"]
    assert (response.status_code == 401) == ("WWW-Authenticate" in response.headers) == is_unauthenticated(body)


def is_unauthenticated(body: Any) -> bool:
    return "data" not in body and body["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def codes(response: httpx.Response) -> list[str]:
    """The codes of all errors of an answer."""
    return [error["extensions"]["code"] for error in response.json().get("errors", ())]


class Logs:
    """What is written to standard error, as lines of JSON."""

    def __init__(self, stream: io.StringIO) -> None:
        self.stream = stream

    @property
    def text(self) -> str:
        """Everything, as written."""
        write_logs()
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Everything, as read."""
        return [json.loads(line) for line in self.text.splitlines()]

    def of(self, logger: str) -> list[dict[str, Any]]:
        """What this logger said."""
        return [line for line in self.lines if line["logger"] == logger]
