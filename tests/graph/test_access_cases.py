"""Every case of `fixtures/access.json` through every door of the graph: list, count, look-up, nested edge, filter."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from graphql import GraphQLObjectType, get_named_type

from app.storage.engines import Database
from app.storage.tables import Partnership
from tests.access_cases import Case, read_cases
from tests.graph import hostile
from tests.graph.asking import PEOPLE, Asker, ask
from tests.graph.crawling import Site
from tests.graph.relations import EDGES, NOUNS, SEEN_UNDER, Relations
from tests.graph.selecting import ARGUMENTS, every_edge, is_connection, type_named

ALL = {
    "rooms": ["rooms"],
    "groups": ["groups"],
    "rings": ["rings"],
    "partnerships": ["partners(states: [ACTIVE, REMOVED] {page})", "customers(states: [ACTIVE, REMOVED] {page})"],
    "invitations": ["invitations(states: [PENDING, ACCEPTED, DECLINED, REVOKED, EXPIRED] {page})"],
    "roles": ["roles"],
    "assignments": [],
    "approvalRequests": ["approvalRequests(states: [PENDING, APPROVED, REJECTED, EXPIRED, CANCELLED, FAILED] {page})"],
    "principals": [],
    "tenants": [],
    "auditEntries": ["auditEntries"],
}
"""The lists that show everything of a noun, together; what has none is reached by id and over edges."""
DEEP = """
fragment room on Room {
  __typename id ring { id }
  groups(first: 8) { nodes { id } }
  delegatedTo(first: 2) { nodes { id } }
}
fragment scope on Assignment {
  __typename id
  rooms(first: 30) { nodes { ...room } }
  groups(first: 8) { nodes { __typename id rooms(first: 30) { nodes { id } } } }
  members(first: 20) { nodes { __typename ... on Node { id } ... on User { tenant { id } } } }
}
fragment partnership on Partnership {
  __typename id customer { id } partner { id }
  rooms(first: 30) { nodes { ...room } }
  primaryAdmins { ...scope }
  roles(first: 4) { nodes { __typename id assignments(first: 4) { nodes { ...scope } } } }
}
query { viewer {
  groups(first: 10) { nodes { __typename id rooms(first: 30) { nodes { ...room } } } }
  rings(first: 5) { nodes { __typename id rooms(first: 30) { nodes { ...room } } } }
  partners(first: 2) { nodes { ...partnership } }
  customers(first: 2) { nodes { ...partnership } }
  tenantManagers { ...scope }
} }
"""
DEEPER = """
fragment room on Room { __typename id customer { id } ring { __typename id rooms(first: 30) { nodes { id } } } }
fragment group on RoomGroup { __typename id rooms(first: 30) { nodes { id } } }
query { viewer {
  invitations(first: 6, states: [PENDING, ACCEPTED, DECLINED, REVOKED, EXPIRED]) { nodes {
    __typename id
    rooms(first: 30) { nodes { ...room } }
    groups(first: 8) { nodes { ...group } }
    sentBy { __typename ... on User { id tenant { id } } }
    partnership { __typename id rooms(first: 30) { nodes { id } } }
  } }
  roles(first: 12) { nodes { __typename id customer { id } partnership { id } assignments(first: 12) { nodes {
    __typename id role { id }
    rooms(first: 30) { nodes { __typename id customer { id } } }
    groups(first: 8) { nodes { ...group } }
  } } } }
} }
"""


def expected(relations: Relations, asker: Asker, person: str, kind: str, field: str, identifier: str) -> set[str]:
    """What this person should find over this edge: what belongs there and is seen."""
    seen = set[str]().union(*relations.seen(person).values())
    if (kind, field) == ("Room", "delegatedTo"):
        # Shown to those who may see partners, which is as a customer and never as a partner.
        mine = [row for row in relations.atlas.rows[Partnership] if row.tenant_id == asker.viewer.tenant_id]
        seen &= set().union(*(relations.row(Partnership, row.tenant_id, row.id) for row in mine))
    return relations.due(kind, field, identifier) & seen


def found_over(edge: Any) -> list[str]:
    """The ids at the other end of an edge in an answer."""
    if edge is None:
        return []
    return [each["id"] for each in edge["nodes"]] if "nodes" in edge else [edge["id"]]


def objects_in(answer: Any) -> Iterator[dict[str, Any]]:
    """Every object of the answer that says which type it is of."""
    if isinstance(answer, list):
        for each in answer:
            yield from objects_in(each)
    elif isinstance(answer, dict):
        if "__typename" in answer:
            yield answer
        yield from objects_in(list(answer.values()))


def check_edges(answer: Any, relations: Relations, asker: Asker, person: str) -> int:
    """Compare every edge in the answer with what should be found over it; says how many there were."""
    edges = [
        (each, field, value)
        for each in objects_in(answer)
        for field, value in each.items()
        if (each["__typename"], field) in EDGES
    ]
    for each, field, value in edges:
        due = expected(relations, asker, person, each["__typename"], field, each["id"])
        found = found_over(value)
        assert sorted(found) == sorted(due), f"{person}: {each['__typename']}.{field} of {each['id']}"
        if value and "totalCount" in value:
            assert value["totalCount"] == {"value": len(due), "exact": True}
    return len(edges)


# --- lists and counts -------------------------------------------------------------------------------------------------


async def listed(asker: Asker, field: str) -> tuple[list[str], set[int]]:
    """The ids of a whole list, read page by page, and every total that it gave on the way."""
    size, ids, totals, after = 100 if field == "auditEntries" else 10, list[str](), set[int](), None
    written = field if "{page}" in field else f"{field}({{page}})"
    page = written.replace("{page}", f"first: {size}, after: $after").replace("(, ", "(")
    query = f"""query($after: String) {{ viewer {{ list: {page} {{
        nodes {{ ... on Node {{ id }} }} pageInfo {{ hasNextPage endCursor }} totalCount {{ value exact }} }} }} }}"""
    while True:
        found = (await asker.data(query, after=after))["viewer"]["list"]
        ids += [each["id"] for each in found["nodes"]]
        totals.add(found["totalCount"]["value"])
        if not found["pageInfo"]["hasNextPage"]:
            return ids, totals
        after = found["pageInfo"]["endCursor"]


@pytest.mark.parametrize("person", PEOPLE)
async def test_lists_have_exactly_what_a_person_sees_and_count_it(
    person: str, world: Database, relations: Relations
) -> None:
    asker = ask(world, person)

    for case in shown_cases(person):
        ids = list[str]()
        for field in ALL[case.noun]:
            some, totals = await listed(asker, field)
            assert totals == {len(some)}, f"{case}: {field}"
            ids += some
        assert sorted(ids) == sorted(relations.atlas.ids(case)), str(case)


def shown_cases(person: str) -> list[Case]:
    """The cases of what the graph has a list of."""
    return [each for each in read_cases()[person] if SEEN_UNDER[each.noun] is each.right and ALL[each.noun]]


@pytest.mark.parametrize("person", PEOPLE)
async def test_the_directory_is_there_for_whoever_may_name_members(
    person: str, world: Database, relations: Relations
) -> None:
    case = next(each for each in read_cases()[person] if each.right.name == "DIRECTORY")

    ids, totals = await listed(ask(world, person), "directory")

    assert sorted(ids) == sorted(relations.atlas.ids(case))
    assert totals == {len(ids)}


# --- by id ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", PEOPLE)
async def test_exactly_what_a_person_sees_is_there_by_id(person: str, world: Database, relations: Relations) -> None:
    asker, every = ask(world, person), sorted(relations.rows)
    seen = set[str]().union(*relations.seen(person).values())

    found: dict[str, Any] = {}
    for start in range(0, len(every), 100):
        ids = every[start : start + 100]
        data = await asker.data("query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", ids=ids)
        found |= dict(zip(ids, data["nodes"], strict=True))

    assert {identifier for identifier, node in found.items() if node} == seen
    assert all(node["id"] == identifier for identifier, node in found.items() if node)
    assert all(NOUNS[node["__typename"]] is type(relations.rows[node["id"]]) for node in found.values() if node)


async def test_whatever_is_not_there_is_the_same_null(site: Site) -> None:
    crawl, rows = site.crawl("northwind-helpdesk"), site.marked.relations.rows
    own = next(identifier for identifier in sorted(crawl.objects) if identifier.startswith("room_"))
    forbidden = next(identifier for identifier in sorted(rows.keys() - crawl.objects) if own[:41] in identifier)
    foreign = next(identifier for identifier in sorted(rows) if identifier[:41] not in (own[:41], forbidden[:41]))
    tenant, key = own.split("_")[1:]
    oneself = next(identifier for identifier in sorted(crawl.objects) if identifier.startswith("user_"))
    mistaken = [oneself.replace("user", kind) for kind in ("application", "securitygroup", "principal")]
    unknown = [f"room_{tenant}_{uuid4()}", f"tenant_{uuid4()}", f"user_{tenant}_{key}"]
    malformed = ["", "room", own.upper(), f"{own} ", f"{own}\n", f"roomgroup_{tenant}_{key}", f"tenant_{tenant}_{key}"]

    answers = [
        await crawl.client.post("/graphql", json={"query": QUERY, "variables": {"id": identifier}})
        for identifier in [forbidden, foreign, *mistaken, *unknown, *malformed, "x" * 10_000]
    ]
    control = await crawl.client.post("/graphql", json={"query": QUERY, "variables": {"id": own}})

    assert {answer.content for answer in answers} == {b'{"data":{"node":null}}'}
    kept = [{name: value for name, value in each.headers.items() if name != "x-request-id"} for each in answers]
    assert all(headers == kept[0] for headers in kept)
    assert own.encode() in control.content


QUERY = "query($id: ID!) { node(id: $id) { id } }"


# --- nested -----------------------------------------------------------------------------------------------------------


def test_every_edge_of_the_schema_is_known_here() -> None:
    assert every_edge() == EDGES.keys()


def edges_document(kind: str) -> str:
    """Asks for the other end of every edge of objects of this type."""
    of = type_named(kind)
    assert isinstance(of, GraphQLObjectType)
    connection = "{ nodes { ... on Node { id } } totalCount { value exact } }"
    edges = [
        f"{field}(first: 100 {ARGUMENTS.get((owner, field), '')}) {connection}"
        if is_connection(get_named_type(of.fields[field].type))
        else f"{field} {{ ... on Node {{ id }} }}"
        for owner, field in sorted(EDGES)
        if owner == kind
    ]
    written = " ".join(edges)
    return f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ __typename ... on {kind} {{ id {written} }} }} }}"


@pytest.mark.parametrize("person", PEOPLE)
async def test_every_edge_has_what_belongs_there_and_is_seen(
    person: str, world: Database, relations: Relations
) -> None:
    asker = ask(world, person)
    seen = sorted(set[str]().union(*relations.seen(person).values()))

    checked = 0
    for kind in sorted({owner for owner, _ in EDGES}):
        ids = [identifier for identifier in seen if identifier.partition("_")[0] == kind.lower()]
        for start in range(0, len(ids), 100):
            data = await asker.data(edges_document(kind), ids=ids[start : start + 100])
            assert all(data["nodes"])
            checked += check_edges(data, relations, asker, person)

    assert checked == sum(1 for owner, _ in EDGES for each in seen if each.partition("_")[0] == owner.lower())


@pytest.mark.parametrize("person", PEOPLE)
async def test_edges_below_edges_have_no_more_either(person: str, world: Database, relations: Relations) -> None:
    asker = ask(world, person)

    answers = [await asker.data(document) for document in (DEEP, DEEPER)]

    checked = check_edges(answers, relations, asker, person)
    assert checked or not any(
        shown.names for shown in shown_cases(person) if shown.noun not in ("rooms", "auditEntries")
    )


# --- filters ----------------------------------------------------------------------------------------------------------


OF_THE_RECORD = "auditEntries(filter: { subject"
"""Finds the lines of one's own record about what is gone, too: a removed partner's role has a history without being."""


@pytest.mark.parametrize("person", ["contoso-manager", "northwind-admin", "contoso-site-lead", "adatum-manager"])
async def test_an_id_that_a_person_does_not_see_narrows_every_list_to_nothing(
    person: str, world: Database, relations: Relations
) -> None:
    asker = ask(world, person)
    unseen = relations.rows.keys() - set[str]().union(*relations.seen(person).values())
    fields = [field for field in hostile.with_ids(unseen) if "nodes" in field and OF_THE_RECORD not in field]

    answer = await asker.data(f"{{ viewer {{ {' '.join(fields)} }} }}")

    assert {alias: found["nodes"] for alias, found in answer["viewer"].items() if found["nodes"]} == {}
