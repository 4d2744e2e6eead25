"""One route a document: who asks is taken as said, and what the statement answers is sent."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.access.viewer import Viewer
from app.bench.floor.connections import Pool, connect
from app.bench.floor.statements import STATEMENTS, Asked, Digests, Statement
from app.domain.permissions import DirectoryRole

Clock = Callable[[], datetime]
Respond = Callable[[Request], Awaitable[Response]]


def create_floor(address: str, digests: Digests, clock: Clock) -> Starlette:
    """An application that answers the five documents from this database."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with connect(address) as pool:
            app.state.pool = pool
            yield

    routes = [
        Route(f"/{name}", respond_with(name, statement, digests, clock)) for name, statement in STATEMENTS.items()
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def respond_with(name: str, statement: Statement, digests: Digests, clock: Clock) -> Respond:
    """How a document is answered."""

    async def respond(request: Request) -> Response:
        said = request.query_params
        roles = frozenset(map(DirectoryRole, said.getlist("role")))
        viewer = Viewer(said["tenant"], said["principal"], directory_roles=roles)
        pool: Pool = request.app.state.pool
        answer = await pool.fetch(name, statement.values(Asked(viewer, clock(), digests, said.get("id", ""))))
        return Response(answer, media_type="application/json")

    return respond


def path_of(name: str, viewer: Viewer, identifier: str = "") -> str:
    """Where the document is answered for this viewer."""
    asked = [("tenant", viewer.tenant_id), ("principal", viewer.principal_id), ("id", identifier)]
    roles = [("role", role.value) for role in sorted(viewer.directory_roles)]
    return f"/{name}?{urlencode([*asked, *roles])}"
