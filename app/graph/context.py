"""What one request carries: who asks, at which moment, and loaders that live no longer than it."""

from collections.abc import Awaitable, Callable, Hashable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Self

import strawberry
from sqlalchemy import Row
from strawberry.dataloader import DataLoader

from app.access.recognizing import recognize
from app.access.viewer import Caller, Viewer
from app.config import Limits
from app.operations.attempts import complete_record
from app.operations.changing import Asked, Changer, Operation, Outcome, shielded
from app.operations.inviting import Terms
from app.operations.removing import Confirmations
from app.reading.declaring import Many, Noun
from app.reading.granting import Granted, grants_on_rooms
from app.reading.pages import Count, Page, RowKey, Window
from app.reading.reader import Reader
from app.storage.engines import Database


@dataclass(frozen=True, slots=True)
class Service:
    """What the operator says for all requests."""

    limits: Limits
    terms: Terms | None = None
    approval_lifetime: timedelta = timedelta(days=30)
    """How long a held change can be decided."""
    confirmations: Confirmations = field(default_factory=Confirmations.new)


FetchPlanned = Callable[[Any, str], Awaitable[Any]]
"""From a resolver's `info` and a global id."""


@dataclass(slots=True)
class Context:
    """One request."""

    caller: Caller
    reader: Reader
    service: Service
    request_id: str
    planned: FetchPlanned | None = None
    """Fetches an object by a plan, as a field of the running operation selects it; None where it cannot."""
    plan: str | None = None
    """How a plan took part, in the planner's word for it; None where none was looked for."""
    is_recognized: bool = False
    """Whether it is known that who asks may ask at all."""
    _open: AsyncExitStack | None = None
    """What is open for as long as the request needs it."""
    _loaders: dict[Hashable, DataLoader[Any, Any]] = field(default_factory=dict)

    @property
    def limits(self) -> Limits:
        """What one document may ask for."""
        return self.service.limits

    @property
    def moment(self) -> datetime:
        """When the request began."""
        return self.reader.moment

    @property
    def viewer(self) -> Viewer:
        """Who asks."""
        return self.caller.viewer

    async def recognize(self) -> None:
        """Returns for whoever may ask, having asked the database once. Raises `UnknownCaller`."""
        if not self.is_recognized:
            await recognize(self.reader.database, self.viewer)
            self.is_recognized = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close what was open for the request; a dry run is undone."""
        if self._open is not None:
            await self._open.aclose()

    async def change(self, asked: Asked, operate: Operation) -> Outcome:
        """What became of a change. Whatever is read afterwards is read anew, of a dry run within it."""
        if self._open is not None:
            await self._open.aclose()
        self._open = AsyncExitStack()
        changer = Changer(self.reader.database, self.caller, self.moment, self.request_id)
        outcome = await changer.change(asked, operate, self._open)
        self.reader = replace(self.reader, trial=outcome.trial)
        self._loaders.clear()
        return outcome

    async def complete_record(self) -> None:
        """Put on the record what is only counted, before the viewer reads it."""
        await shielded(complete_record(self.reader.database, self.viewer, self.moment, self.request_id))

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

    async def page(self, edge: Many, window: Window, parent: RowKey) -> Page:
        """A page below one parent, read together with those below its siblings."""
        loader = self._loader(("page", edge, window), lambda parents: self.reader.pages(edge, window, parents))
        page: Page = await loader.load(parent)
        return page

    async def count(self, edge: Many, up_to: int, parent: RowKey) -> Count:
        """A count below one parent, read together with those below its siblings."""
        loader = self._loader(("count", edge, up_to), lambda parents: self.reader.counts(edge, up_to, parents))
        count: Count = await loader.load(parent)
        return count

    async def grants(self, tenant: str, room: str) -> list[Granted]:
        """Everything through which the viewer holds a permission on a visible room."""
        loader = self._loader("grants", lambda rooms: grants_on_rooms(self.reader, rooms))
        grants: list[Granted] = await loader.load((tenant, room))
        return grants


def begin(caller: Caller, database: Database, service: Service, moment: datetime, request_id: str) -> Context:
    """The context of a request that begins at this moment."""
    return Context(caller, Reader(database, caller.viewer, moment), service, request_id)


Info = strawberry.Info[Context, None]
