"""`/healthz`: the process runs. `/readyz`: it can answer, with what is wrong if it cannot."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.storage.engines import Database
from app.storage.migrating import newest, version
from app.web.endpoint import Clock
from app.web.keys import Keys


async def healthz(_: Request) -> Response:
    """The process runs."""
    return JSONResponse({"status": "ok"})


@dataclass(frozen=True)
class Readiness:
    """Whether requests can be answered."""

    database: Database
    keys: Keys
    clock: Clock

    async def respond(self, _: Request) -> Response:
        """200 if everything that an answer needs is there, else 503; which of it is missing, either way."""
        checks = {
            "database": await self._database(),
            "migrations": await version(self.database) == newest(),
            "keys": await self.keys.ready(self.clock()),
        }
        return JSONResponse(checks, 200 if all(checks.values()) else 503)

    async def _database(self) -> bool:
        try:
            async with self.database.reading() as connection:
                return bool((await connection.execute(text("SELECT 1"))).scalar_one())
        except (SQLAlchemyError, OSError):
            return False
