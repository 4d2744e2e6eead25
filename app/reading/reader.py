"""Reading for one request: the database, under the eyes of one viewer, at one moment."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app.access.derived import grants_held, rooms_reached
from app.access.viewer import Viewer
from app.domain.permissions import Permission
from app.reading.declaring import Many, Noun
from app.reading.pages import (
    KEYS,
    Count,
    Listing,
    Page,
    Window,
    count_each,
    count_rows,
    look_up,
    read_page,
    read_pages,
)
from app.storage.engines import Database

Answer = TypeVar("Answer")
GRANTS_HELD, ROOMS_REACHED = grants_held(), rooms_reached(KEYS)


@dataclass(frozen=True, slots=True)
class Reader:
    """One short connection a read; nothing that was decided is kept."""

    database: Database
    viewer: Viewer
    binds: dict[str, Any]

    async def _read(self, read: Callable[[AsyncConnection], Awaitable[Answer]]) -> Answer:
        async with self.database.reading() as connection:
            return await read(connection)

    async def page(self, listing: Listing, window: Window) -> Page:
        """A page of a list."""
        return await self._read(lambda c: read_page(c, listing, window, self.binds))

    async def count(self, listing: Listing, up_to: int) -> Count:
        """How many rows a list has, up to a bound."""
        return await self._read(lambda c: count_rows(c, listing, up_to, self.binds))

    async def pages(self, edge: Many, window: Window, parents: Sequence[str]) -> list[Page]:
        """A page of each parent's list."""
        return await self._read(lambda c: read_pages(c, edge, window, parents, self.binds))

    async def counts(self, edge: Many, up_to: int, parents: Sequence[str]) -> list[Count]:
        """How many rows each parent's list has, up to a bound."""
        return await self._read(lambda c: count_each(c, edge, up_to, parents, self.binds))

    async def rows(self, noun: Noun, keys: Sequence[tuple[str, str]]) -> list[Row[Any] | None]:
        """The rows with these keys, None for each that is not visible."""
        return await self._read(lambda c: look_up(c, noun, keys, self.binds))

    async def holds(self, noun: Noun, key: tuple[str, str], permission: Permission) -> bool:
        """Whether the viewer holds the permission on this very row."""
        asked = noun.rows(permission).where(noun.tenant == key[0], noun.key == key[1]).with_only_columns(noun.key)
        return await self._read(lambda c: _any(c, asked, self.binds))

    async def grants_held(self) -> list[Row[Any]]:
        """Every assignment that the viewer holds."""
        return await self._read(lambda c: _all(c, GRANTS_HELD, self.binds))

    async def rooms_reached(self, room_keys: Sequence[str]) -> list[Row[Any]]:
        """Which of those assignments reach which of these rooms through a scope."""
        binds = self.binds | {KEYS.key: orjson.dumps(room_keys).decode()}
        return await self._read(lambda c: _all(c, ROOMS_REACHED, binds))


async def _all(connection: AsyncConnection, statement: Any, binds: dict[str, Any]) -> list[Row[Any]]:
    return list((await connection.execute(statement, binds)).all())


async def _any(connection: AsyncConnection, statement: Any, binds: dict[str, Any]) -> bool:
    return (await connection.execute(statement, binds)).first() is not None
