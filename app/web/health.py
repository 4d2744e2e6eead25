"""`/healthz`: the process runs. `/readyz`: it can answer, with what is wrong if it cannot."""

import asyncio
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.storage.engines import Database
from app.storage.versions import newest, version
from app.web.endpoint import Clock
from app.web.keys import Keys

PATIENCE_SECONDS = 5.0
"""A database that does not answer in this time does not answer requests either."""


async def healthz(_: Request) -> Response:
    """The process runs."""
    return JSONResponse({"status": "ok"})


@dataclass(frozen=True)
class Readiness:
    """Whether requests can be answered."""

    database: Database
    keys: Keys
    clock: Clock
    needed: str = field(default_factory=newest)
    """The version of the tables that this program needs, told by its files once."""

    async def respond(self, _: Request) -> Response:
        """200 if everything that an answer needs is there, else 503; which of it is missing, either way."""
        found = await self._version()
        checks = {
            "database": found is not None,
            "migrations": found == self.needed,
            "keys": await self.keys.ready(self.clock()),
        }
        return JSONResponse(checks, 200 if all(checks.values()) else 503)

    async def _version(self) -> str | None:
        """The version of the tables, empty where there are none; None if the database does not answer."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                async with self.database.reading() as connection:
                    await connection.execute(text("SELECT 1"))
                return await version(self.database) or ""
        except (SQLAlchemyError, OSError):  # a TimeoutError is one
            return None
