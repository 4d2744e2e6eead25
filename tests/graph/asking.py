"""Asking the graph as a person of the demo world, without HTTP: document in, answer out."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from app.access.viewer import Caller, Viewer
from app.config import Limits
from app.domain.vocabulary import PrincipalKind
from app.execution.answers import Engine
from app.execution.bodies import GraphQLRequest
from app.graph.context import Service, begin
from app.graph.engine import build_engine
from app.graph.planning import Planning
from app.operations.inviting import Terms
from app.storage.engines import Database
from app.storage.world_entries import ApplicationEntry, PersonEntry, World
from app.storage.world_files import read_world
from tests.world import SEEDED_AT, WORLD_FILES

LIMITS = Limits()
SERVICE = Service(LIMITS, Terms("2026-11", "Rooms are delegated until either side ends it."))
ENGINE = build_engine(LIMITS, Planning.AT_ONCE)
FIELD_BY_FIELD = build_engine(LIMITS, Planning.NEVER)
WORLD: World = read_world(WORLD_FILES)
EVERYBODY: list[PersonEntry | ApplicationEntry] = [*WORLD.people, *WORLD.applications]
PEOPLE = [each.name for each in EVERYBODY]


def viewer_of(name: str) -> Viewer:
    """The person or application of the demo world, with the directory roles that its token carries."""
    entry = next(each for each in EVERYBODY if each.name == name)
    tenant = next(each for each in WORLD.tenants if entry.tenant in each.domains)
    assert entry.id is not None
    assert tenant.id is not None
    if isinstance(entry, PersonEntry):
        return Viewer(tenant.id, entry.id, PrincipalKind.USER, frozenset(entry.directory_roles))
    return Viewer(tenant.id, entry.id, PrincipalKind.APPLICATION)


@dataclass(frozen=True)
class Asker:
    """Asks one database as one viewer."""

    database: Database
    viewer: Viewer
    moment: datetime = SEEDED_AT
    service: Service = SERVICE
    name: str = "somebody"
    is_guest: bool = False
    engine: Engine = ENGINE

    def at(self, moment: datetime) -> "Asker":
        """The same viewer at another moment."""
        return replace(self, moment=moment)

    async def answer(self, query: str, **variables: Any) -> dict[str, Any]:
        """The whole answer: data, and errors if there are any."""
        caller = Caller(self.viewer, self.name, None, self.is_guest)
        async with begin(caller, self.database, self.service, self.moment, "request") as context:
            # That nobody unknown is answered is shown over HTTP; here it would be one statement more for each document.
            context.is_recognized = True
            answer = await self.engine.answer(GraphQLRequest(query, None, variables, {}), context, "request")
        return {"data": None, "errors": [], **orjson.loads(answer.to_bytes())}

    async def data(self, query: str, **variables: Any) -> Any:
        """The data of an answer that has to be without errors."""
        answer = await self.answer(query, **variables)
        assert answer["errors"] == []
        return answer["data"]


def ask(database: Database, name: str) -> Asker:
    """Ask as a person of the demo world, at the moment it was seeded."""
    return Asker(database, viewer_of(name))
