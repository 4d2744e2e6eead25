"""`gateway serve`."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated

import typer
from filelock import FileLock, Timeout
from starlette.types import ASGIApp
from uvicorn import Server

from app.commands.databases import NEEDS_NOTARY, open_database, require_migrated, settings_with
from app.commands.options import Host, Port, WithExplorer
from app.commands.starting import lasting
from app.commands.workers import CAN_FORK, serve_together
from app.config import Settings
from app.domain.refusals import CommandRefused
from app.main import create_app
from app.storage.rights import check_serving
from app.web.development_issuer import DevelopmentIssuer
from app.web.explorer import building
from app.web.explorer.serving import Explorer
from app.web.logs import start_logging
from app.web.loopback import is_loopback
from app.web.serving import configure
from app.web.tokens import TokenVerifier

ONE_WORKER = (
    "an SQLite file is served by one process; set GATEWAY_DATABASE_URL to a PostgreSQL for more, or leave --workers out"
)
command = typer.Typer(add_completion=False)


@command.command()
def serve(
    host: Host = None,
    port: Port = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that serve; more than one on PostgreSQL only.")] = 1,
    development_issuer: Annotated[
        bool, typer.Option("--development-issuer", help="Accept the tokens of `gateway token`; loopback only.")
    ] = False,
    with_explorer: WithExplorer = None,
) -> None:
    """Serve the graph to people and tools of a real issuer."""
    settings = settings_with(host=host, port=port, explorer=with_explorer)
    check_workers(settings, workers)
    page = made_page() if settings.explorer else None
    verifier = development_verifier(settings) if development_issuer else issuer_verifier(settings)
    with only_server(settings):
        asyncio.run(check_ready(settings))
        listen(settings, verifier, workers, page)


def check_workers(settings: Settings, workers: int) -> None:
    """Returns if so many processes can serve this database here. Raises `CommandRefused`."""
    if workers > 1 and open_database(settings).is_sqlite:
        raise CommandRefused(ONE_WORKER)
    if workers > 1 and not CAN_FORK:
        raise CommandRefused("this system cannot copy a process, and workers are copies; leave --workers out")


@contextmanager
def only_server(settings: Settings) -> Iterator[None]:
    """Holds the place of the one server of an SQLite file. Raises `CommandRefused` if another has it."""
    file = open_database(settings).file
    if file is None:
        yield
        return
    try:
        held = FileLock(f"{file}.server-lock").acquire(timeout=0)
    except Timeout:
        message = f"another server already serves {file}; stop it, or use PostgreSQL (GATEWAY_DATABASE_URL)"
        raise CommandRefused(message) from None
    with held:
        yield


async def check_ready(settings: Settings) -> None:
    """Returns if this database can be served, by this role, with heads signed. Raises `CommandRefused`."""
    async with open_database(settings) as database:
        await require_migrated(database)
        await check_serving(database)
    if settings.audit_signing_key is None:
        raise CommandRefused(NEEDS_NOTARY)


def development_verifier(settings: Settings) -> TokenVerifier:
    """What accepts the development issuer's tokens. Raises `CommandRefused` where others could reach it."""
    if not is_loopback(settings.host):
        raise CommandRefused(f"the development issuer is for this machine only, not for {settings.host}")
    return DevelopmentIssuer(settings.state_dir, settings.token_scope).verifier


def issuer_verifier(settings: Settings) -> TokenVerifier:
    """What accepts the configured issuer's tokens. Raises `CommandRefused` naming what is missing."""
    needed = {
        "GATEWAY_TOKEN_ISSUER": settings.token_issuer,
        "GATEWAY_TOKEN_AUDIENCE": settings.token_audience,
        "GATEWAY_TOKEN_KEYS_URL": settings.token_keys_url,
    }
    if missing := [name for name, value in needed.items() if not value]:
        raise CommandRefused(f"set {', '.join(missing)} so that tokens can be checked, or give --development-issuer")
    from app.web.key_sets import KeySet  # with a client of HTTP, which nothing else needs

    issuer, audience, keys_url = (str(value) for value in needed.values())
    try:
        return TokenVerifier(issuer, audience, settings.token_scope, KeySet.at(keys_url))
    except ValueError as refused:
        raise CommandRefused(str(refused)) from None


def made_page() -> Explorer:
    """The explorer. Raises `CommandRefused` if its page is not made, with what makes it."""
    if not building.is_made(building.BUNDLE):
        raise CommandRefused("the explorer's page is not made yet; run `gateway explorer build`")
    return Explorer(building.BUNDLE)


def listen(settings: Settings, verifier: TokenVerifier, workers: int = 1, explorer: Explorer | None = None) -> None:
    """Serve until interrupted."""
    start_logging(settings.log_level)
    with lasting():
        app = create_app(settings, open_database(settings), verifier, explorer=explorer)
    if workers > 1:
        serve_together(app, settings.host, settings.port, workers)
    else:
        serve_alone(app, settings.host, settings.port)


def serve_alone(app: ASGIApp, host: str, port: int) -> None:
    """Serve with this process."""
    with suppress(KeyboardInterrupt):  # uvicorn raises it again once everything is closed
        Server(configure(app, host, port)).run()
