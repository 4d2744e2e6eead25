"""The database that a command works on, with what signs its record."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from uuid import uuid4

from app.access.tripwire import arm
from app.access.viewer import SYSTEM
from app.config import Settings, read_settings
from app.domain.refusals import CommandRefused
from app.operations.work import Work
from app.storage.engines import Database
from app.storage.notary import Notary, read_private
from app.storage.versions import newest, version

DEMO_KEY, DEMO_HEADS = "audit-key.pem", "audit-heads"
"""In the state folder."""
NEEDS_NOTARY = (
    "set GATEWAY_AUDIT_SIGNING_KEY and GATEWAY_AUDIT_HEADS_DIR, so that nobody rewrites the record unseen; "
    "`gateway audit key FILE` makes a key"
)


def settings_with(**options: object) -> Settings:
    """The settings, with what was given on the command line."""
    return read_settings(**{name: value for name, value in options.items() if value is not None})


def open_database(settings: Settings) -> Database:
    """The database of these settings, with the tripwire armed; an embedded one lies in the state folder."""
    settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.state_dir.chmod(0o700)
    database = arm(
        Database(
            settings.database,
            pool_size=settings.database_pool_size,
            connect_timeout=settings.database_connect_timeout_seconds,
        )
    )
    database.notary = find_notary(settings)
    return database


def find_notary(settings: Settings) -> Notary | None:
    """What signs the heads of these settings, or of the demo in this state folder; None without a key.

    Raises `CommandRefused` where there is a key and heads cannot be written.
    """
    key, folder = settings.audit_signing_key, settings.audit_heads_dir
    if key is None and folder is None:
        return find_notary(of_demo(settings)) if has_demo_key(settings) else None
    if key is None:
        return None
    if folder is None:
        raise CommandRefused("set GATEWAY_AUDIT_HEADS_DIR too: the folder for what GATEWAY_AUDIT_SIGNING_KEY signs")
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        raise CommandRefused(f"signed heads cannot be written to {folder}, GATEWAY_AUDIT_HEADS_DIR")
    return Notary(read_private(key), folder)


def of_demo(settings: Settings) -> Settings:
    """The settings, with the demo's own key and heads unless others are set."""
    if settings.audit_signing_key or settings.audit_heads_dir:
        return settings
    own = {"audit_signing_key": settings.state_dir / DEMO_KEY, "audit_heads_dir": settings.state_dir / DEMO_HEADS}
    return settings.model_copy(update=own)


def has_demo_key(settings: Settings) -> bool:
    """The embedded database of these settings is a demo's."""
    return settings.database_url is None and (settings.state_dir / DEMO_KEY).is_file()


@asynccontextmanager
async def change(settings: Settings) -> AsyncIterator[Work]:
    """One change by the system, or a look by it, in a database that is at this version."""
    async with open_database(settings) as database:
        await require_migrated(database)
        async with Work.begin(database, SYSTEM, datetime.now(UTC), f"command-{uuid4().hex}") as work:
            yield work


async def require_migrated(database: Database) -> None:
    """Raises `CommandRefused`, with what to run, for a database that is not at this version."""
    found = await version(database)
    if found != newest():
        state = f"is at version {found}" if found else "has no tables yet"
        raise CommandRefused(f"the database {state}, this program needs version {newest()}; run `gateway migrate`")
