"""The statements, one a document and engine, each in a file of its own, and what they are run with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.access.viewer import Viewer
from app.domain.audit import READABLE
from app.domain.ids import parse_global_id
from app.domain.moments import print_instant

FOLDER = Path(__file__).parent
AS_BYTES = {"postgresql": "SELECT convert_to((\n{}), 'UTF8')", "sqlite": "SELECT CAST((\n{}) AS BLOB)"}
"""The answer leaves the database as the bytes that are sent, so that Python need not read it."""
Values = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Digests:
    """What tells the two lists from others in their cursors. The graph knows it, which the floor has no need of."""

    rooms: str
    audit_entries: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, when, and for what."""

    viewer: Viewer
    moment: datetime
    digests: Digests
    identifier: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, which answers a document whole."""

    file: str
    more: Callable[[Asked], Values]
    """What it is run with beside who asks."""

    def text(self, engine: str) -> str:
        """As it is written for the engine."""
        return AS_BYTES[engine].format((FOLDER / engine / f"{self.file}.sql").read_text())

    def values(self, asked: Asked) -> Values:
        """What it is run with."""
        viewer = asked.viewer
        return viewer.tenant_id, viewer.principal_id, viewer.directory.value, *self.more(asked)


def since_when(asked: Asked) -> Values:
    """From when on entries can be read, the moment, and the digest of the list."""
    return print_instant(asked.moment - READABLE), print_instant(asked.moment), asked.digests.audit_entries


def key_of_room(asked: Asked) -> Values:
    """Tenant and key in the id of a room, empty for any other id."""
    parsed = parse_global_id(asked.identifier)
    return (parsed.tenant, parsed.key) if parsed and parsed.kind == "room" else ("", "")


STATEMENTS = {
    "rooms": Statement("rooms", lambda asked: (asked.digests.rooms,)),
    "nested": Statement("partners", lambda _: (20,)),
    "one-partner": Statement("partners", lambda _: (1,)),
    "audit": Statement("audit", since_when),
    "node": Statement("node", key_of_room),
}
"""By the document that each answers."""
