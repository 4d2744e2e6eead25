"""Reading for one request: the database, under the eyes of one viewer, at one moment."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property
from typing import Any, TypeVar

import orjson
from sqlalchemy import Row, and_, bindparam
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from app.access.derived import ended_columns, grants_held, rooms_reached
from app.access.scoping import Rows
from app.access.viewer import Viewer, binds
from app.domain.permissions import Permission, Right, Standing
from app.domain.vocabulary import PartnershipState
from app.reading.declaring import Many, Noun
from app.reading.nouns import PARTNERSHIP
from app.reading.pages import (
    KEYS,
    Count,
    Listing,
    Page,
    RowKey,
    Window,
    count_each,
    count_rows,
    is_any,
    look_up,
    read_page,
    read_pages,
)
from app.storage.engines import Database
from app.storage.tables import Partnership

Answer = TypeVar("Answer")
GRANTS_HELD, ROOMS_REACHED = grants_held(), rooms_reached(KEYS)


@dataclass(slots=True)
class Trial:
    """A dry run's open transaction: used in turns, and not after its end.

    Nobody breaks it off half way, because SQLite would keep the lock of a statement that is not finished.
    """

    session: AsyncSession
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _is_over: bool = False

    async def use(self, use: Callable[[AsyncSession], Awaitable[Answer]]) -> Answer:
        """What comes of using it, carried on if the caller goes away. Raises RuntimeError after its end."""
        return await asyncio.shield(asyncio.ensure_future(self._use(use)))

    async def _use(self, use: Callable[[AsyncSession], Awaitable[Answer]]) -> Answer:
        async with self._turn:
            if self._is_over:
                raise RuntimeError("the dry run is over")
            return await use(self.session)

    async def end(self) -> None:
        """Returns when nobody uses it any more, so that the session can be closed."""
        self._is_over = True
        async with self._turn:
            return


@dataclass(frozen=True)
class Reader:
    """One short connection a read; nothing that was decided is kept."""

    database: Database
    viewer: Viewer
    moment: datetime
    trial: Trial | None = None
    """Read what a dry run would make, and not what is stored."""

    @cached_property
    def binds(self) -> dict[str, Any]:
        """What every statement is run with."""
        return binds(self.viewer, self.moment)

    async def _read(self, read: Callable[[AsyncConnection], Awaitable[Answer]]) -> Answer:
        if self.trial is not None:
            return await self.trial.use(lambda session: _on(session, read))
        async with self.database.reading() as connection:
            return await read(connection)

    async def page(self, listing: Listing, window: Window) -> Page:
        """A page of a list."""
        return await self._read(lambda c: read_page(c, listing, window, self.binds))

    async def count(self, listing: Listing, up_to: int) -> Count:
        """How many rows a list has, up to a bound."""
        return await self._read(lambda c: count_rows(c, listing, up_to, self.binds))

    async def pages(self, edge: Many, window: Window, parents: Sequence[RowKey]) -> list[Page]:
        """A page of each parent's list."""
        return await self._read(lambda c: read_pages(c, edge, window, parents, self.binds))

    async def counts(self, edge: Many, up_to: int, parents: Sequence[RowKey]) -> list[Count]:
        """How many rows each parent's list has, up to a bound."""
        return await self._read(lambda c: count_each(c, edge, up_to, parents, self.binds))

    async def rows(self, noun: Noun, keys: Sequence[RowKey]) -> list[Row[Any] | None]:
        """The rows with these keys, None for each that is not visible."""
        return await self._read(lambda c: look_up(c, noun, keys, self.binds))

    async def holds(self, noun: Noun, key: tuple[str, str], permission: Permission) -> bool:
        """Whether the viewer holds the permission on this very row."""
        asked = noun.rows(permission).where(noun.tenant == key[0], noun.key == key[1]).with_only_columns(noun.key)
        return await self._read(lambda c: is_any(c, asked, self.binds))

    async def ended_counts(self, tenant: str, key: str) -> Row[Any] | None:
        """How much would end with the partnership; None unless it holds and the viewer may end it."""
        binds = self.binds | {KEYS.key: key}
        rights = (Permission.PARTNERS_MANAGE, Standing.PRIMARY_ADMIN)
        found = [row for right in rights for row in await self._rows(endable(right), binds | {"owner": tenant})]
        return found[0] if found else None

    async def _rows(self, statement: Any, binds: dict[str, Any]) -> list[Row[Any]]:
        return await self._read(lambda c: _all(c, statement, binds))

    async def grants_held(self) -> list[Row[Any]]:
        """Every assignment that the viewer holds."""
        return await self._read(lambda c: _all(c, GRANTS_HELD, self.binds))

    async def rooms_reached(self, room_keys: Sequence[str]) -> list[Row[Any]]:
        """Which of those assignments reach which of these rooms through a scope."""
        binds = self.binds | {KEYS.key: orjson.dumps(room_keys).decode()}
        return await self._read(lambda c: _all(c, ROOMS_REACHED, binds))


@cache
def endable(right: Right) -> Rows:
    """How much would end with one active partnership on which the viewer holds the right."""
    active = col(Partnership.state) == PartnershipState.ACTIVE
    this = and_(PARTNERSHIP.tenant == bindparam("owner"), PARTNERSHIP.key == KEYS, active)
    return PARTNERSHIP.rows(right).where(this).with_only_columns(*ended_columns())


async def _on(session: AsyncSession, read: Callable[[AsyncConnection], Awaitable[Answer]]) -> Answer:
    return await read(await session.connection())


async def _all(connection: AsyncConnection, statement: Any, binds: dict[str, Any]) -> list[Row[Any]]:
    return list((await connection.execute(statement, binds)).all())
