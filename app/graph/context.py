"""What one request carries: who asks, at which moment, and loaders that live no longer than it."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import strawberry
from sqlalchemy import Row
from strawberry.dataloader import DataLoader

from app.access.viewer import Viewer, binds
from app.config import Limits
from app.reading.declaring import Many, Noun
from app.reading.granting import Granted, grants_on_rooms
from app.reading.pages import Count, Page, Window
from app.reading.reader import Reader
from app.storage.engines import Database


@dataclass(frozen=True, slots=True)
class Caller:
    """The viewer, with what the token says for display only."""

    viewer: Viewer
    display_name: str
    user_principal_name: str | None


@dataclass(slots=True)
class Context:
    """One request."""

    caller: Caller
    reader: Reader
    limits: Limits
    moment: datetime
    request_id: str
    _loaders: dict[Hashable, DataLoader[Any, Any]] = field(default_factory=dict)

    @property
    def viewer(self) -> Viewer:
        """Who asks."""
        return self.caller.viewer

    def _loader(self, key: Hashable, load: Callable[[list[Any]], Any]) -> DataLoader[Any, Any]:
        if key not in self._loaders:
            self._loaders[key] = DataLoader(load_fn=load)
        return self._loaders[key]

    async def row(self, noun: Noun, tenant: str | None, key: str | None) -> Row[Any] | None:
        """The visible row with this key; all that are asked for together are read together."""
        if tenant is None or key is None:
            return None
        loader = self._loader(("row", noun.kind), lambda keys: self.reader.rows(noun, keys))
        found: Row[Any] | None = await loader.load((tenant, key))
        return found

    async def page(self, edge: Many, window: Window, parent: str) -> Page:
        """A page below one parent, read together with those below its siblings."""
        loader = self._loader(("page", edge, window), lambda parents: self.reader.pages(edge, window, parents))
        page: Page = await loader.load(parent)
        return page

    async def count(self, edge: Many, up_to: int, parent: str) -> Count:
        """A count below one parent, read together with those below its siblings."""
        loader = self._loader(("count", edge, up_to), lambda parents: self.reader.counts(edge, up_to, parents))
        count: Count = await loader.load(parent)
        return count

    async def grants(self, tenant: str, room: str) -> list[Granted]:
        """Everything through which the viewer holds a permission on a visible room."""
        loader = self._loader("grants", lambda rooms: grants_on_rooms(self.reader, rooms))
        grants: list[Granted] = await loader.load((tenant, room))
        return grants


def begin(caller: Caller, database: Database, limits: Limits, moment: datetime, request_id: str) -> Context:
    """The context of a request that begins at this moment."""
    reader = Reader(database, caller.viewer, binds(caller.viewer, moment))
    return Context(caller, reader, limits, moment, request_id)


Info = strawberry.Info[Context, None]
