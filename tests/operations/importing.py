"""Importing pages day after day: what the tests of every import begin with."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

from app.access.viewer import SYSTEM
from app.operations.tenants import find_tenant
from app.operations.work import Work
from app.storage.engines import Database
from app.storage.tables import Tenant

FIRST = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@dataclass
class Importing:
    """A database with two organizations, and a clock that moves on a day with each import."""

    home: ClassVar[str]
    """The domain of the organization that is meant unless another is said."""
    files: ClassVar[str]
    """How the names of the files begin."""

    database: Database
    folder: Path
    moments: list[datetime] = field(default_factory=lambda: [FIRST])

    @property
    def now(self) -> datetime:
        """The moment of the last change."""
        return self.moments[-1]

    @asynccontextmanager
    async def work(self, domain: str | None = None) -> AsyncIterator[tuple[Work, Tenant]]:
        """A change of this organization's data."""
        self.moments.append(self.now + timedelta(days=1))
        async with Work.begin(self.database, SYSTEM, self.now, "a test") as work:
            yield work, await find_tenant(work.session, domain or self.home)

    def write(self, *pages: object) -> list[Path]:
        """These pages as files."""
        paths = [self.folder / f"{self.files}-{number}.json" for number in range(1, len(pages) + 1)]
        for path, content in zip(paths, pages, strict=True):
            path.write_text(json.dumps(content))
        return paths
