"""The statements, one a document and engine, each in a file of its own, and what they are run with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.access.viewer import AUDIT_SINCE, MOMENT, VIEWER_DIRECTORY, VIEWER_PRINCIPAL, VIEWER_TENANT, Viewer, binds
from app.domain.ids import parse_global_id
from app.graph.connections import listing_of
from app.graph.query import audit_entries, rooms

FOLDER = Path(__file__).parent
ENGINES = ("sqlite", "postgresql")
AS_BYTES = {"postgresql": "SELECT convert_to((\n{}), 'UTF8')", "sqlite": "SELECT CAST((\n{}) AS BLOB)"}
"""The answer leaves the database as the bytes that are sent, so that Python need not read it."""
WHO = (VIEWER_TENANT.key, VIEWER_PRINCIPAL.key, VIEWER_DIRECTORY.key)
Values = tuple[str | int, ...]


@dataclass(frozen=True)
class Statement:
    """One statement, which answers a document whole."""

    file: str
    more: Callable[[Mapping[str, str | int], str], Values]
    """What it is run with beside who asks: from what every statement of the gateway is bound to, and an id."""

    def text(self, engine: str) -> str:
        """As it is written for the engine."""
        return AS_BYTES[engine].format((FOLDER / engine / f"{self.file}.sql").read_text())

    def values(self, viewer: Viewer, moment: datetime, identifier: str) -> Values:
        """What it is run with."""
        bound = binds(viewer, moment)
        return *(bound[name] for name in WHO), *self.more(bound, identifier)


def key_of_room(identifier: str) -> tuple[str, str]:
    """Tenant and key in the id of a room, empty for any other id."""
    parsed = parse_global_id(identifier)
    return (parsed.tenant, parsed.key) if parsed and parsed.kind == "room" else ("", "")


ROOMS, ENTRIES = listing_of("rooms", rooms()).digest, listing_of("audit_entries", audit_entries(None)).digest
"""What tells the two lists from others in their cursors."""
STATEMENTS = {
    "rooms": Statement("rooms", lambda _, __: (ROOMS,)),
    "nested": Statement("partners", lambda _, __: (20,)),
    "one-partner": Statement("partners", lambda _, __: (1,)),
    "audit": Statement("audit", lambda bound, _: (bound[AUDIT_SINCE.key], bound[MOMENT.key], ENTRIES)),
    "node": Statement("node", lambda _, identifier: key_of_room(identifier)),
}
"""By the document that each answers."""
