"""What measurements have in common: the demo world in a database of each engine, for a real server to be started on.

Figures are of one machine, so they are printed and never asserted.
"""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url

from app.storage.engines import Database
from app.storage.migrating import migrate
from app.storage.notary import make_key
from app.storage.rights import grant
from app.web.development_issuer import DevelopmentIssuer
from tests.conftest import running_postgresql
from tests.web.gateway import claims_of
from tests.world import seed

ROLE = "serving"


@dataclass(frozen=True)
class Stand:
    """A database with the demo world, and the settings with which `serve` finds it."""

    engine: str
    state: Path
    settings: dict[str, str]

    def token(self, name: str) -> str:
        """A token for somebody of the demo world, good for as long as anything is measured."""
        now = datetime.now(UTC).replace(microsecond=0)
        claims = claims_of(name, expires_at=now + timedelta(hours=12))
        return DevelopmentIssuer(self.state, "access_as_user").token(claims, now)


@contextmanager
def stands() -> Iterator[dict[str, Stand]]:
    """A stand for each engine."""
    with tempfile.TemporaryDirectory(prefix="gateway-measured-") as made:
        folder = Path(made)
        folder.chmod(0o755)  # PostgreSQL runs as a user of its own when this runs as root
        state, key = folder / "state", folder / "audit.pem"
        state.mkdir(mode=0o700)
        make_key(key)
        signing = {"GATEWAY_AUDIT_SIGNING_KEY": str(key), "GATEWAY_AUDIT_HEADS_DIR": str(folder / "heads")}
        with running_postgresql(folder) as server:
            addresses = asyncio.run(prepare(state, server))
            yield {
                engine: Stand(engine, state, signing | {"GATEWAY_DATABASE_URL": address})
                for engine, address in addresses.items()
            }


async def prepare(state: Path, server: str) -> dict[str, str]:
    """The demo world in a database of each engine, and where whoever serves finds it."""
    addresses = {"sqlite": f"sqlite:///{state / 'gateway.db'}", "postgresql": server}
    for address in addresses.values():
        async with Database(address) as database:
            await migrate(database)
            await seed(address)
            if not database.is_sqlite:
                async with database.writer.begin() as connection:
                    await connection.execute(text(f"create role {ROLE} login"))
                await grant(database, ROLE)
    addresses["postgresql"] = make_url(server).set(username=ROLE).render_as_string(hide_password=False)
    return addresses
