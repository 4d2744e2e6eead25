"""The application: routes, middleware and what lives as long as it does."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

from app.config import Settings
from app.graph.context import Service
from app.graph.engine import build_engine
from app.graph.planning import Planning
from app.operations.attempts import write_out_all
from app.operations.changing import finish
from app.operations.inviting import Terms
from app.operations.removing import Confirmations
from app.storage.engines import Database
from app.web.authenticating import Authenticator
from app.web.endpoint import Clock, GraphQLEndpoint, refuse
from app.web.explorer.serving import Explorer
from app.web.exporting import AuditExport
from app.web.health import Readiness, healthz
from app.web.logs import log_stray, write_logs
from app.web.tokens import TokenVerifier
from app.web.wrapping import Wrapping

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def now() -> datetime:
    """The one place that reads the clock for requests."""
    return datetime.now(UTC)


def create_app(
    settings: Settings,
    database: Database,
    verifier: TokenVerifier,
    clock: Clock = now,
    planning: Planning = Planning.AGAIN,
    explorer: Explorer | None = None,
) -> Starlette:
    """The gateway over a database with the tripwire armed. It closes the database when it stops.

    Without plans every document is run field by field, which is slower and answers the same.
    """
    engine = build_engine(settings.limits, planning)
    authenticator = Authenticator(verifier, database)
    endpoint = GraphQLEndpoint(engine, authenticator, database, service_of(settings), clock)
    routes = [
        Route("/graphql", endpoint, methods=["POST"]),
        *export_routes(AuditExport(authenticator, database, clock)),
        *(explorer.routes() if explorer else ()),
        Route("/healthz", healthz),
        Route("/readyz", Readiness(database, verifier.keys, clock).respond),
    ]
    app = Starlette(
        routes=routes,
        middleware=[wrapping(explorer), *cross_origin(settings.cors_origins)],
        exception_handlers={HTTPException: refuse},
        lifespan=closing(database, verifier, clock),
    )
    app.router.redirect_slashes = False  # it would redirect to whatever host the request names
    return app


def wrapping(explorer: Explorer | None) -> Middleware:
    """What is around every request, saying of the explorer's addresses what the explorer does."""
    return Middleware(Wrapping, explorer.headers_at) if explorer else Middleware(Wrapping)


def cross_origin(origins: Sequence[str]) -> list[Middleware]:
    """What lets pages of these origins ask; without any, nothing about origins is looked at or said."""
    allowed = Middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type"],
        expose_headers=["X-Request-Id", "WWW-Authenticate", "Content-Disposition"],
    )
    return [allowed] if origins else []


def export_routes(export: AuditExport) -> list[Route]:
    """The record as files. Without a notary there is none that could be signed."""
    notary = export.database.notary
    signed = [Route("/audit.ndjson", export.ndjson(notary))] if notary else []
    return [Route("/audit.csv", export.csv), *signed]


def service_of(settings: Settings) -> Service:
    """What the operator says for all requests."""
    terms = Terms(**settings.terms.model_dump()) if settings.terms else None
    secret = settings.secret
    confirmations = Confirmations(secret.get_secret_value()) if secret else Confirmations.new()
    return Service(settings.limits, terms, timedelta(days=settings.approval_days), confirmations)


def closing(database: Database, verifier: TokenVerifier, clock: Clock) -> Lifespan:
    """What happens at the end: changes under way come to theirs, what is only counted is put on the record, running
    key fetches and the database's connections are closed, and the log is written out, whatever of this fails.

    At the start: what fails with nobody waiting for it is logged as every other defect, without its message.
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        asyncio.get_running_loop().set_exception_handler(log_stray)
        yield
        async with AsyncExitStack() as at_the_end:
            at_the_end.callback(write_logs)
            at_the_end.push_async_callback(database.close)
            at_the_end.push_async_callback(verifier.keys.close)
            await finish()
            await write_out_all(database, clock())

    return lifespan
