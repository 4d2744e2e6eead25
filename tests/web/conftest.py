import io
import logging
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.storage.engines import Database
from app.web.development_issuer import DevelopmentIssuer
from app.web.logs import OURS, start_logging
from tests.web.gateway import Gateway, Logs, opened
from tests.world import Worlds


@pytest.fixture(scope="session")
def issuer(folder: Path) -> DevelopmentIssuer:
    """Makes tokens that the gateways of these tests accept."""
    return DevelopmentIssuer(folder / "issuer", "access_as_user")


@pytest.fixture(scope="session")
async def gateway(worlds: dict[str, Worlds], issuer: DevelopmentIssuer) -> AsyncIterator[Gateway]:
    """The gateway over the shared demo world in SQLite, for what has nothing to do with the database."""
    async with opened(worlds["sqlite"].shared, issuer) as made:
        yield made


@pytest.fixture
async def on_each(world: Database, issuer: DevelopmentIssuer) -> AsyncIterator[Gateway]:
    """The gateway over the shared demo world, on each engine."""
    async with opened(world, issuer) as made:
        yield made


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Logs]:
    """Everything that the gateway logs where its operator asked for as much as there is."""
    root, stream = logging.getLogger(), io.StringIO()
    loggers = [root, *map(logging.getLogger, OURS)]
    levels, handlers = [logger.level for logger in loggers], root.handlers[:]
    monkeypatch.setattr(sys, "stderr", stream)
    start_logging("DEBUG")
    yield Logs(stream)
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
