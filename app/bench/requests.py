"""What is sent to the servers, and how a server is asked once."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from app.access.viewer import Viewer
from app.bench.failing import BenchFailed
from app.bench.fleet import Server
from app.bench.floor.serving import path_of
from app.bench.server import HOST
from app.config import Settings
from app.web.development_issuer import DevelopmentIssuer
from app.web.tokens import Claims

TOKEN_LIFETIME = timedelta(hours=24)
TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Request:
    """One request, apart from whom it is sent to."""

    method: str
    path: str
    fields: dict[str, str]
    body: bytes = b""

    def to_bytes(self) -> bytes:
        """As it goes over a connection."""
        length = {"Content-Length": str(len(self.body))} if self.body else {}
        fields = {"Host": HOST} | self.fields | length
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
        return "\r\n".join(lines).encode() + self.body


def to_floor(name: str, viewer: Viewer, variables: Mapping[str, Any]) -> Request:
    """A request for the floor's answer to a document."""
    return Request("GET", path_of(name, viewer, variables.get("id", "")), {})


def to_gateway(document: str, viewer: Viewer, variables: Mapping[str, Any], folder: Path) -> Request:
    """A request for the gateway's answer to a document, with a token of the issuer whose key is in the folder."""
    fields = {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "Authorization": f"Bearer {token(viewer, folder)}",
    }
    return Request("POST", "/graphql", fields, json.dumps({"query": document, "variables": variables}).encode())


def token(viewer: Viewer, folder: Path) -> str:
    """A token for this viewer."""
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


def fetch(server: Server, request: Request) -> bytes:
    """What the server answers. Raises `BenchFailed` if it is an error."""
    connection = HTTPConnection(HOST, server.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request(request.method, request.path, request.body, dict(request.fields))
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status != 200 or b'"errors":' in body:
        raise BenchFailed(f"{server} answers with {response.status}: {body[:300].decode(errors='replace')}")
    return body


def fetch_data(server: Server, request: Request) -> Any:
    """The data that the server answers with. Raises `BenchFailed`."""
    return json.loads(fetch(server, request))["data"]
