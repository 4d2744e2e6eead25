"""However many rows there are, a document costs the same number of statements: field by field few, by a plan one."""

from dataclasses import replace
from typing import Any

import pytest

from app.storage.engines import Database
from tests.graph.asking import ENGINE, FIELD_BY_FIELD, Asker
from tests.graph.counting import counted
from tests.reading.campus import NOW, VIEWER, changing, ground, of_everything, write

MANY = 50
DOCUMENTS: dict[str, tuple[int, str]] = {
    "rooms": (1, "rooms { nodes { id displayName location { city } } pageInfo { hasNextPage } }"),
    "rooms, counted": (2, "rooms { nodes { id } totalCount { value exact } }"),
    "rooms and what they name": (3, "rooms { nodes { id customer { displayName } ring { name } } }"),
    "what may be done in rooms": (
        3,
        "rooms { nodes { viewerPermissions visibleThrough { roleName assignmentName } } }",
    ),
    "groups of rooms": (3, "rooms { nodes { groups { nodes { displayName } totalCount { value } } } }"),
    "whom rooms are delegated to": (
        4,
        "rooms { nodes { delegatedTo { nodes { partner { displayName } } totalCount { value } } } }",
    ),
    "rooms of groups": (3, "groups { nodes { rooms { nodes { id } totalCount { value } } } }"),
    "rooms of rings": (3, "rings { nodes { rooms { nodes { id } totalCount { value } } } }"),
    "groups of rooms of groups": (
        4,
        """groups(first: 10) { nodes { rooms(first: 10) { nodes {
          groups(first: 10) { nodes { customer { id } } }
        } } } }""",
    ),
    "partners": (
        7,
        """partners { nodes {
          state partner { displayName domains } customer { id } primaryAdmins { name role { name } }
          rooms { nodes { id } totalCount { value } } roles { nodes { name } }
        } }""",
    ),
    "roles": (
        8,
        """roles(first: 10) { nodes {
          name customer { id } partnership { id }
          assignments {
            nodes { members { nodes { ... on Node { id } } } rooms { nodes { id } } groups { nodes { id } } }
            totalCount { value }
          }
        } }""",
    ),
    "the record": (5, "auditEntries { nodes { action user { ... on Node { id } } subject { id } tenant { id } } }"),
    "the directory": (3, "directory { nodes { ... on User { tenant { displayName } } } totalCount { value } }"),
    "the ends of lists": (
        5,
        """groups(first: 10) { nodes { rooms(last: 1) { nodes { id } totalCount { value } } } }
        rooms(last: 3) { nodes { id } totalCount { value } }""",
    ),
}
"""What is asked of `viewer`, and in how many statements it is answered."""


async def build(database: Database, count: int) -> Asker:
    """A campus with so many of everything, and its administrator."""
    async with changing(database) as connection:
        await write(connection, [*ground(), *of_everything(count)])
    return Asker(database, VIEWER, NOW, engine=FIELD_BY_FIELD)


async def statements(asker: Asker, document: str) -> list[str]:
    with counted(asker.database) as found:
        await asker.data(f"{{ viewer {{ {document} }} }}")
    return found


@pytest.mark.parametrize("count", (1, MANY))
async def test_a_document_costs_as_many_statements_for_one_row_as_for_fifty(database: Database, count: int) -> None:
    asker = await build(database, count)

    costs = {name: len(await statements(asker, document)) for name, (_, document) in DOCUMENTS.items()}

    assert costs == {name: cost for name, (cost, _) in DOCUMENTS.items()}


@pytest.mark.parametrize("count", (1, MANY))
async def test_objects_fetched_by_id_cost_a_statement_for_each_kind(database: Database, count: int) -> None:
    asker = await build(database, count)
    found = await asker.data("{ viewer { rooms { nodes { id } } groups { nodes { id } } } }")
    rooms, groups = ([each["id"] for each in found["viewer"][name]["nodes"]] for name in ("rooms", "groups"))
    ids = [*rooms[:50], *groups[:50]]

    with counted(database) as asked:
        answer = await asker.data("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=ids)

    assert [each["id"] for each in answer["nodes"]] == ids
    assert len(asked) == 2


async def test_a_cursor_costs_one_statement_more_however_many_parents_there_are(database: Database) -> None:
    asker = await build(database, MANY)
    query = (
        "query($after: String) { viewer { groups { nodes { rooms(first: 2, after: $after) { edges { cursor } } } } } }"
    )
    with counted(database) as without:
        page = await asker.data(query)

    with counted(database) as further:
        await asker.data(query, after=page["viewer"]["groups"]["nodes"][0]["rooms"]["edges"][1]["cursor"])

    assert (len(without), len(further)) == (2, 3)


@pytest.mark.parametrize("count", (1, MANY))
async def test_a_plan_is_one_statement_and_those_that_finish_it(
    database: Database, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asker, straight = await build(database, count), []
    fetch = type(database.straight).fetch_row

    async def note(self: Any, statement: str, values: Any) -> Any:
        straight.append(statement)
        return await fetch(self, statement, values)

    monkeypatch.setattr(type(database.straight), "fetch_row", note)
    finished = {"what may be done in rooms": 2}

    for name, (_, document) in DOCUMENTS.items():
        straight.clear()
        beside = await statements(replace(asker, engine=ENGINE), document)
        assert (len(straight), len(beside)) == (1, finished.get(name, 0)), name
