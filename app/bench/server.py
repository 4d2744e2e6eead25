"""One server that is measured, as a process: `python -m app.bench.server`, told by one line what it is.

Each imports what it needs and no more, so that the floor has not to carry the gateway about.
"""

import json
import socket
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from app.bench.floor.statements import Digests
from app.web.serving import configure

HOST = "127.0.0.1"


class Way(StrEnum):
    """How a document is answered."""

    FLOOR = "floor"
    """By one statement, written by hand."""
    STOCK = "stock"
    """By the gateway with every document run by graphql-core."""
    PLANNED = "planned"
    """By the gateway as it is."""


@dataclass(frozen=True)
class Told:
    """What a server is told."""

    way: Way
    address: str
    folder: str
    """Where the key of the issuer is that it accepts tokens of."""
    digests: Digests

    def to_line(self) -> bytes:
        """As it is written to the process."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> "Told":
        """As the process reads it."""
        read = json.loads(line)
        return cls(Way(read["way"]), read["address"], read["folder"], Digests(**read["digests"]))


def create_floor(told: Told) -> Starlette:
    """One hand-written statement for each document."""
    from app.bench.floor.serving import create_floor

    return create_floor(told.address, told.digests, lambda: datetime.now(UTC))


def create_gateway(told: Told) -> Starlette:
    """The gateway with every setting as it is unless somebody changes it."""
    from app.access.tripwire import arm
    from app.config import Settings
    from app.graph.planning import Planning
    from app.main import create_app
    from app.storage.engines import Database
    from app.web.development_issuer import DevelopmentIssuer
    from app.web.logs import start_logging

    settings = Settings(state_dir=Path(told.folder), database_url=told.address)
    database = arm(Database(settings.database, pool_size=settings.database_pool_size))
    verifier = DevelopmentIssuer(settings.state_dir, settings.token_scope).verifier
    start_logging(settings.log_level)
    planning = Planning.AGAIN if told.way is Way.PLANNED else Planning.NEVER
    return create_app(settings, database, verifier, planning=planning)


class Announced(uvicorn.Server):
    """Prints the port that it listens on once it answers there, for whoever started the process."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        if self.started:
            print(*(each.getsockname()[1] for each in sockets or ()), flush=True)  # noqa: T201


def main() -> None:
    """Serve on a free port until the process is told to end."""
    told = Told.from_line(sys.stdin.buffer.readline())
    app = create_floor(told) if told.way is Way.FLOOR else create_gateway(told)
    Announced(configure(app, HOST, 0)).run(sockets=[socket.create_server((HOST, 0), backlog=128)])


if __name__ == "__main__":
    main()
