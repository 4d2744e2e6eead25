"""The documents in `fixtures/queries`: asked as those who send them, within the limits, in few statements."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.execution.answers import Engine
from app.storage.engines import Database
from tests.graph.asking import ENGINE, FIELD_BY_FIELD, ask
from tests.graph.counting import counted

FOLDER = Path(__file__).parents[2] / "fixtures" / "queries"
DOCUMENTS = {path.stem: path.read_text() for path in sorted(FOLDER.glob("*.graphql"))}
SENT_BY = {
    "audit-page": "contoso-manager",
    "bench-audit": "contoso-manager",
    "bench-nested": "contoso-manager",
    "bench-node": "northwind-admin",
    "bench-one-partner": "contoso-manager",
    "bench-rooms": "northwind-admin",
    "directory-picker": "contoso-role-keeper",
    "invitations-inbox": "adatum-tenant-manager",
    "partners-overview": "contoso-manager",
    "role-editor": "northwind-admin",
    "room-page": "contoso-manager",
    "room-sync": "northwind-tool",
    "who-am-i": "northwind-helpdesk",
}
MOST = {
    "audit-page": 10,
    "bench-audit": 12,
    "bench-nested": 8,
    "bench-node": 1,
    "bench-one-partner": 8,
    "bench-rooms": 2,
    "directory-picker": 1,
    "invitations-inbox": 6,
    "partners-overview": 12,
    "role-editor": 8,
    "room-page": 9,
    "room-sync": 2,
    "who-am-i": 7,
}
"""Statements of each at most, however many rows there are."""
ROOM_IN = {"bench-node": "id", "room-page": "room"}
"""The variable of a document about one room."""
AS_LONG = ("audit-page", "bench-audit", "bench-node", "bench-one-partner", "directory-picker", "who-am-i")
"""Answers that more rows make no longer: a page that was full, or no list at all."""


async def answered(name: str, database: Database, person: str = "", engine: Engine = ENGINE, **variables: Any) -> Any:
    """The data that the document is answered with."""
    if name in ROOM_IN and not variables:
        variables[ROOM_IN[name]] = await a_room(database)
    asker = replace(ask(database, person or SENT_BY[name]), engine=engine)
    return await asker.data(DOCUMENTS[name], **variables)


async def a_room(database: Database) -> str:
    """The id of a room that is delegated, in two groups and in a ring."""
    query = '{ viewer { rooms(filter: { search: "sitzungszimmer" }) { nodes { id } } } }'
    [room] = (await ask(database, "contoso-manager").data(query))["viewer"]["rooms"]["nodes"]
    return str(room["id"])


def test_every_document_says_who_sends_it_and_has_a_name() -> None:
    assert DOCUMENTS.keys() == SENT_BY.keys() == MOST.keys()
    for name, text in DOCUMENTS.items():
        assert text.startswith("# "), name
        [operation] = ENGINE.documents.get(text).operations
        assert operation.name == "".join(word.capitalize() for word in name.split("-"))


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_a_document_takes_few_statements_however_many_rows(
    name: str, world: Database, grown_world: Database
) -> None:
    taken, sizes = [], []
    for database in (world, grown_world):
        room = {ROOM_IN[name]: await a_room(database)} if name in ROOM_IN else {}
        with counted(database) as statements:
            found = await answered(name, database, engine=FIELD_BY_FIELD, **room)
        taken.append(len(statements))
        sizes.append(len(str(found)))

    assert max(taken) <= MOST[name]
    assert sizes[1] > 1.5 * sizes[0] or name in AS_LONG


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("person", ["contoso-nobody", "tailspin-admin", "northwind-nobody"])
async def test_whoever_sees_nothing_gets_an_answer_without_errors(name: str, person: str, world: Database) -> None:
    found = await answered(name, world, person)

    assert found.get("node") is None
    lists = [each for each in (found.get("viewer") or {}).values() if isinstance(each, dict) and "nodes" in each]
    assert all(each["nodes"] == [] for each in lists)


# --- what they answer -------------------------------------------------------------------------------------------------


async def test_the_tool_syncs_all_its_rooms_page_by_page(world: Database) -> None:
    rooms: list[Any] = []
    after, pages = None, 0
    while True:
        page = (await answered("room-sync", world, first=3, after=after))["viewer"]["rooms"]
        rooms, pages, after = rooms + page["nodes"], pages + 1, page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert pages == 3
    assert len({room["id"] for room in rooms}) == len(rooms) == 7
    assert {room["customer"]["displayName"] for room in rooms} == {"Contoso", "Fabrikam"}


async def test_the_room_page_shows_each_what_is_theirs(world: Database) -> None:
    manager = (await answered("room-page", world))["node"]
    helpdesk = (await answered("room-page", world, "northwind-helpdesk"))["node"]
    admin = (await answered("room-page", world, "northwind-admin"))["node"]

    assert [group["displayName"] for group in manager["groups"]["nodes"]] == ["Boardrooms", "Switzerland"]
    assert [each["partner"]["displayName"] for each in manager["delegatedTo"]["nodes"]] == ["Northwind"]
    assert manager["ring"]["name"] == admin["ring"]["name"] == "Executive"
    assert "ROOMS_UNENROLL" in manager["viewerPermissions"]
    assert "ROOMS_UNENROLL" not in admin["viewerPermissions"]
    assert admin["delegatedTo"]["nodes"] == []
    assert admin["visibleThrough"] == [
        {"source": "ASSIGNMENT", "roleName": "Primary admin", "assignmentName": "Assigned admins"}
    ]
    assert helpdesk is None


async def test_the_partners_overview_has_partners_and_open_offers(world: Database) -> None:
    found = (await answered("partners-overview", world))["viewer"]

    northwind, tailspin = found["partners"]["nodes"]
    assert northwind["rooms"]["totalCount"] == {"value": 9, "exact": True}
    assert northwind["primaryAdmins"]["members"]["nodes"] == [{"displayName": "northwind-admin"}]
    assert [rule["event"] for rule in northwind["changeControl"] if rule["mode"] == "MANUAL"] == ["RINGS_MODIFY"]
    assert (tailspin["state"], tailspin["removedBySide"], tailspin["primaryAdmins"]) == ("REMOVED", "CUSTOMER", None)
    assert tailspin["rooms"]["totalCount"] == {"value": 0, "exact": True}
    assert [offer["partnerDomain"] for offer in found["invitations"]["nodes"]] == ["adatum.example"]


async def test_the_inbox_has_what_can_be_answered(world: Database) -> None:
    found = (await answered("invitations-inbox", world))["viewer"]

    [offer] = found["invitations"]["nodes"]
    assert (offer["customer"]["displayName"], offer["roomCount"]) == ("Contoso", 8)
    assert offer["sentBy"] == {"displayName": "contoso-manager"}
    assert [rule["event"] for rule in offer["changeControl"] if rule["mode"] == "MANUAL"] == [
        "ROOMS_MODIFY",
        "TICKETS_UPDATE",
    ]
    members = found["tenantManagers"]["members"]["nodes"]
    assert {each["displayName"] for each in members} == {"adatum-tenant-manager", "adatum-desk"}


async def test_the_role_editor_shows_a_partners_roles_with_who_has_them(world: Database) -> None:
    found = (await answered("role-editor", world))["viewer"]

    roles = {(role["partnership"]["customer"]["displayName"], role["name"]): role for role in found["roles"]["nodes"]}
    assert roles.keys() == {
        ("Contoso", "Primary admin"),
        ("Contoso", "Help desk"),
        ("Contoso", "Monitoring"),
        ("Fabrikam", "Primary admin"),
        ("Fabrikam", "Monitoring"),
    }
    [first_line] = roles["Contoso", "Help desk"]["assignments"]["nodes"]
    assert [each["displayName"] for each in first_line["members"]["nodes"]] == ["northwind-helpdesk"]
    assert {room["displayName"] for room in first_line["rooms"]["nodes"]} == {"Zürich 1", "Ελλάδα"}
    assert found["can"] == {"allowed": True, "reason": "ROLES_MODIFY somewhere through Primary admin."}


async def test_the_role_editor_can_be_narrowed_to_one_customer(world: Database) -> None:
    contoso = (await answered("role-editor", world))["viewer"]["roles"]["nodes"][0]["id"].split("_")[1]

    found = (await answered("role-editor", world, customer=f"tenant_{contoso}"))["viewer"]["roles"]["nodes"]

    assert found
    assert {role["id"].split("_")[1] for role in found} == {contoso}


async def test_the_audit_page_shows_the_record_newest_first(world: Database) -> None:
    page = (await answered("audit-page", world, categories=["PARTNER_INVITATION"]))["viewer"]["auditEntries"]
    before = (await answered("audit-page", world, to="2026-11-22"))["viewer"]["auditEntries"]

    numbers = [entry["sequence"] for entry in page["nodes"]]
    assert numbers == sorted(numbers, reverse=True)
    assert page["totalCount"] == {"value": len(numbers), "exact": True}
    assert {entry["category"] for entry in page["nodes"]} == {"PARTNER_INVITATION"}
    sent = [entry for entry in page["nodes"] if entry["action"] == "invitation.send"]
    assert {entry["objectName"] for entry in sent} == {
        "northwind.example",
        "tailspin.example",
        "adatum.example",
        "fabrikam.example",
    }
    assert all(entry["subject"]["__typename"] == "Invitation" for entry in sent)
    assert before == {
        "pageInfo": {"hasNextPage": False, "endCursor": None},
        "totalCount": {"value": 0, "exact": True},
        "nodes": [],
    }


async def test_the_picker_finds_people_groups_and_only_those_of_ones_own(world: Database) -> None:
    found = (await answered("directory-picker", world, search="contoso ana"))["viewer"]["directory"]["nodes"]
    foreign = (await answered("directory-picker", world, search="northwind"))["viewer"]["directory"]["nodes"]

    assert [(each["__typename"], each["displayName"]) for each in found] == [
        ("User", "contoso-analyst"),
        ("SecurityGroup", "contoso-analysts"),
    ]
    assert found[0]["userPrincipalName"] == "contoso-analyst@contoso.example"
    assert foreign == []


async def test_who_am_i_tells_which_pages_to_show(world: Database) -> None:
    helpdesk = (await answered("who-am-i", world))["viewer"]
    tool = (await answered("who-am-i", world, "northwind-tool"))["viewer"]
    manager = (await answered("who-am-i", world, "contoso-manager"))["viewer"]

    pages = ("rooms", "partners", "inbox", "roles", "record")
    assert [helpdesk[page]["allowed"] for page in pages] == [True, False, False, False, False]
    assert all(manager[page]["allowed"] for page in pages)
    assert tool["principal"]["__typename"] == "Application"
    assert manager["tenant"]["domains"] == ["contoso-labs.example", "contoso.example"]
