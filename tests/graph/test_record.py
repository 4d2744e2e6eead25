"""How lines of the record are shown: fields as the graph spells them, stored as they are."""

import pytest

from app.graph.types import in_camel_case
from app.storage.engines import Database
from tests.graph.asking import ask
from tests.graph.partnering import INVITE, done, offer, rooms_of, tenant_id
from tests.operations.chains import check_chain

CHANGES = "{ viewer { auditEntries(first: 1) { nodes { changes { field before after } } } } }"
SPELLED = {
    "state": "state",
    "expires_at": "expiresAt",
    "location.floor_label": "location.floorLabel",
    "location.floorLabel": "location.floorLabel",
    "TICKETS_UPDATE": "TICKETS_UPDATE",
    "address_line_2": "addressLine2",
}


@pytest.mark.parametrize("stored", SPELLED)
def test_fields_are_in_camel_case_level_by_level(stored: str) -> None:
    assert in_camel_case(stored) == SPELLED[stored]


async def test_a_line_shows_fields_as_the_graph_spells_them(own_world: Database) -> None:
    manager = ask(own_world, "fabrikam-manager")
    await done(manager, INVITE, **offer("tailspin.example", await rooms_of(manager, 1)))

    (line,) = (await manager.data(CHANGES))["viewer"]["auditEntries"]["nodes"]

    assert [change["field"] for change in line["changes"]] == ["partner", "expiresAt", "rooms", "groups"]
    stored = (await check_chain(own_world, tenant_id("fabrikam.example")))[-1]
    assert [change["field"] for change in stored.changes] == ["partner", "expires_at", "rooms", "groups"]
