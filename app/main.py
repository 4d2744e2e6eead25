"""The application: routes, middleware and what lives as long as it does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

from app.config import Settings
from app.execution.answers import Engine
from app.graph.context import Service
from app.graph.schema import build_schema
from app.operations.inviting import Terms
from app.operations.removing import Confirmations
from app.storage.engines import Database
from app.web.authenticating import Authenticator
from app.web.endpoint import Clock, GraphQLEndpoint, refuse
from app.web.health import Readiness, healthz
from app.web.keys import KeySet
from app.web.logs import log_stray
from app.web.tokens import TokenVerifier
from app.web.wrapping import Wrapping

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def now() -> datetime:
    """The one place that reads the clock for requests."""
    return datetime.now(UTC)


def create_app(settings: Settings, database: Database, verifier: TokenVerifier, clock: Clock = now) -> Starlette:
    """The gateway over a database with the tripwire armed. It closes the database when it stops."""
    engine = Engine(build_schema()._schema, settings.limits)  # noqa: SLF001 - Strawberry keeps graphql-core's schema there
    endpoint = GraphQLEndpoint(engine, Authenticator(verifier, database), database, service_of(settings), clock)
    routes = [
        Route("/graphql", endpoint.respond, methods=["POST"]),
        Route("/healthz", healthz),
        Route("/readyz", Readiness(database, verifier.keys, clock).respond),
    ]
    cross_origin = Middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["POST"],
        allow_headers=["Authorization", "Content-Type"],
        expose_headers=["X-Request-Id", "WWW-Authenticate"],
    )
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Wrapping), cross_origin],
        exception_handlers={HTTPException: refuse},
        lifespan=closing(database, verifier),
    )
    app.router.redirect_slashes = False  # it would redirect to whatever host the request names
    return app


def service_of(settings: Settings) -> Service:
    """What the operator says for all requests."""
    terms = Terms(**settings.terms.model_dump()) if settings.terms else None
    secret = settings.secret
    return Service(settings.limits, terms, Confirmations(secret.get_secret_value()) if secret else Confirmations.new())


def closing(database: Database, verifier: TokenVerifier) -> Lifespan:
    """What happens at the end: running key fetches and the database's connections are closed.

    At the start: what fails with nobody waiting for it is logged as every other defect, without its message.
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        asyncio.get_running_loop().set_exception_handler(log_stray)
        yield
        if isinstance(verifier.keys, KeySet):
            await verifier.keys.close()
            await verifier.keys.client.aclose()
        await database.close()

    return lifespan
