"""The five documents that are measured, and who asks them."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import app
from app.access.viewer import Viewer
from app.bench.floor.statements import Digests
from app.bench.world import World
from app.graph.connections import list_of
from app.graph.query import audit_entries, rooms

PACKAGE = Path(app.__file__).parent


def read_document(name: str) -> str:
    """A document of `fixtures/queries`, from the checkout or from the installed package."""
    folder = next(f for f in (PACKAGE.parent / "fixtures/queries", PACKAGE / "fixtures/queries") if f.is_dir())
    return (folder / f"bench-{name}.graphql").read_text()


class QueryName(StrEnum):
    """What a document is called, in the order of the table that they are compared in."""

    ROOMS = "rooms"
    NESTED = "nested"
    ONE_PARTNER = "one-partner"
    AUDIT = "audit"
    NODE = "node"


@dataclass(frozen=True)
class Query:
    """A document with who asks it."""

    name: QueryName
    by_partner: bool
    """A partner's Primary admin asks, not the customer's Manager."""
    about_room: bool = False
    """It takes the id of a room."""

    @property
    def document(self) -> str:
        """Its text."""
        return read_document(self.name)

    def viewer(self, world: World) -> Viewer:
        """Who asks."""
        return world.admin if self.by_partner else world.manager

    def variables(self, world: World) -> dict[str, Any]:
        """With which variables."""
        return {"id": world.room} if self.about_room else {}


QUERIES = {
    query.name: query
    for query in (
        Query(QueryName.ROOMS, by_partner=True),
        Query(QueryName.NESTED, by_partner=False),
        Query(QueryName.ONE_PARTNER, by_partner=False),
        Query(QueryName.AUDIT, by_partner=False),
        Query(QueryName.NODE, by_partner=True, about_room=True),
    )
}


def digests() -> Digests:
    """What tells the two lists that are measured from others."""
    return Digests(list_of("rooms", rooms())[1], list_of("audit_entries", audit_entries())[1])
