"""The record as a stream: pages in the order of the chain, each a short read, through `visible` like everything."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import Integer, RowMapping, bindparam, func, select
from sqlmodel import col

from app.access.scoping import Rows
from app.access.viewer import Viewer, binds
from app.access.visible import held, visible
from app.domain.audit import READABLE
from app.domain.permissions import Permission
from app.domain.vocabulary import DOCUMENTED
from app.storage.columns import text
from app.storage.engines import Database
from app.storage.stored_entries import AS_STORED
from app.storage.tables import AuditEntry

WINDOW = 500
"""Places in the chain that are read at once."""
SINCE, UNTIL = bindparam("since", type_=text()), bindparam("until", type_=text())
AFTER, UP_TO = bindparam("after", type_=Integer()), bindparam("up_to", type_=Integer())
CREATED, SEQUENCE = col(AuditEntry.creation_time), col(AuditEntry.sequence)
ENDS = (func.min(SEQUENCE + 0).label("first"), func.max(SEQUENCE + 0).label("last"))
"""Of the bare column a database would look for the ends in the order of the chain, however far they are."""


Pages: TypeAlias = AsyncIterator[Sequence[RowMapping]]


class RecordLost(Exception):
    """Entries that could be read when the reading began cannot be read any more."""


@dataclass(frozen=True)
class Days:
    """The first and the last day that are asked for, in UTC."""

    first: date
    last: date

    @property
    def since(self) -> str:
        """The first microsecond."""
        return f"{self.first}T00:00:00.000000Z"

    @property
    def until(self) -> str:
        """The last microsecond."""
        return f"{self.last}T23:59:59.999999Z"


def readable_days(moment: datetime) -> Days:
    """All days that can be read at this moment."""
    return Days((moment - READABLE).date(), moment.date())


@dataclass(frozen=True)
class Record:
    """The own tenant's record under the eyes of one viewer, at one moment."""

    database: Database
    viewer: Viewer
    moment: datetime

    async def is_readable(self) -> bool:
        """The viewer may read it."""
        (answer,) = await self._read(select(held(Permission.AUDIT_VIEW).label("is_held")), {})
        return bool(answer["is_held"])

    def of_days(self, days: Days, *, documented: bool = False) -> Pages:
        """The entries of these days as they are stored, in the order of the chain: all, or of documented categories."""
        rows = entries(documented=documented)
        return self._pages(rows, rows, days)

    def without_gaps(self, days: Days) -> Pages:
        """The part of the chain that these days are in, with what was committed between their entries."""
        return self._pages(entries(documented=False), visible(AuditEntry, Permission.AUDIT_VIEW), days)

    async def _pages(self, chosen: Rows, shown: Rows, days: Days) -> Pages:
        """What is shown, from the first to the last that is chosen.

        Raises `RecordLost` if the viewer loses the right, or the record its entries, before the last one was read.
        """
        within = {SINCE.key: days.since, UNTIL.key: days.until}
        (ends,) = await self._read(chosen.with_only_columns(*ENDS), within)
        after, last = (ends["first"] or 1) - 1, ends["last"] or 0
        reached = after
        while after < last:
            up_to = min(after + WINDOW, last)
            if page := await self._read(in_window(shown), within | {AFTER.key: after, UP_TO.key: up_to}):
                yield page
                reached = page[-1]["sequence"]
            after = up_to
        if reached < last:
            raise RecordLost

    async def _read(self, statement: Rows, values: dict[str, Any]) -> Sequence[RowMapping]:
        async with self.database.reading() as connection:
            return (await connection.execute(statement, binds(self.viewer, self.moment) | values)).mappings().all()


@cache
def entries(*, documented: bool) -> Rows:
    """The visible entries of some days, of all categories or of the documented ones."""
    rows = visible(AuditEntry, Permission.AUDIT_VIEW).where(CREATED >= SINCE, CREATED <= UNTIL)
    return rows.where(col(AuditEntry.category).in_(DOCUMENTED)) if documented else rows


def in_window(rows: Rows) -> Rows:
    """Those in some places of the chain, in its order."""
    placed = rows.where(SEQUENCE > AFTER, SEQUENCE <= UP_TO).order_by(SEQUENCE)
    return placed.with_only_columns(*AS_STORED)
