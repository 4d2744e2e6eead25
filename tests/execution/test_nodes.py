"""The nodes of a request are counted with its variables and defaults, before anything is fetched."""

from typing import Any

import pytest
from graphql import parse

from app.config import Limits
from app.domain.refusals import Problem, ProblemCode
from app.execution.expansion import Expansion
from app.execution.nodes import Nodes
from tests.execution.small_schema import SCHEMA


def nodes(text: str, limits: Limits | None = None) -> Nodes:
    return Nodes(Expansion(SCHEMA, parse(text)).operations[0], limits or Limits())


def rooms(arguments: str = "", below: str = "id", variables: str = "") -> str:
    return f"query {variables} {{ viewer {{ rooms{arguments} {{ nodes {{ {below} }} }} }} }}"


FIRST = "($n: Int)"
DEFAULT = "($n: Int = 7)"


@pytest.mark.parametrize(
    "text, variables, expected",
    [
        ("{ viewer { name } }", {}, 0),
        (rooms(), {}, 50),
        (rooms("(first: 10)"), {}, 10),
        (rooms("(last: 10)"), {}, 10),
        (rooms("(first: 10, last: 20)"), {}, 20),
        (rooms("(first: null)"), {}, 50),
        (rooms("(first: 0)"), {}, 0),
        (rooms("(first: -5)"), {}, 0),
        (rooms("(first: 1000)"), {}, 100),
        (rooms("(first: " + "9" * 5000 + ")"), {}, 100),
        (rooms("(first: -" + "9" * 5000 + ")"), {}, 100),
        (rooms('(first: "10")'), {}, 50),
        (rooms("(first: $n)", variables=FIRST), {"n": 10}, 10),
        (rooms("(first: $n)", variables=FIRST), {"n": 10.0}, 10),
        (rooms("(first: $n)", variables=FIRST), {"n": None}, 50),
        (rooms("(first: $n)", variables=FIRST), {"n": True}, 50),
        (rooms("(first: $n)", variables=FIRST), {"n": "10"}, 50),
        (rooms("(first: $n)", variables=FIRST), {"n": 10.5}, 50),
        (rooms("(first: $n)", variables=FIRST), {}, 50),
        (rooms("(first: $n)", variables=DEFAULT), {}, 7),
        (rooms("(first: $n)", variables=DEFAULT), {"n": 8}, 8),
        (rooms("(first: $n)", variables=DEFAULT), {"n": None}, 50),
        (rooms("(first: $unknown)"), {}, 50),
        (rooms("(first: 10)", "groups(first: 3) { nodes { id } }"), {}, 10 * (1 + 3)),
        (rooms("(first: 10)", "parent { other { groups(first: 3) { nodes { id } } } }"), {}, 10 * (1 + 3)),
        (rooms("(first: 10)", "...F ...F") + "fragment F on Room { groups(first: 3) { nodes { id } } }", {}, 70),
        (rooms("(first: 10)", "... { groups(first: 3) { nodes { id } } }"), {}, 40),
        (rooms("(first: 10)", "... on Room { groups { nodes { id } } }"), {}, 510),
        ('{ nodes(ids: ["a", "b"]) { id } }', {}, 2),
        ('{ nodes(ids: "a") { id } }', {}, 1),
        ("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["a", "b", "c"]}, 3),
        ("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": "a"}, 1),
        ("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": list("a" * 500)}, 100),
        ('query ($ids: [ID!] = ["a", "b"]) { nodes(ids: $ids) { id } }', {}, 2),
        ("{ unknown(first: 5) { nodes { id } } }", {}, 5),
        ("{ unknown { rooms { nodes { id } } } }", {}, 0),
        ("{ node(id: 1) { ... on Group { rooms { nodes { id } } } } }", {}, 50),
    ],
)
def test_nodes_are_counted(text: str, variables: dict[str, Any], expected: int) -> None:
    assert nodes(text).count(variables) == expected


def test_limit_holds_at_its_bound_and_one_over() -> None:
    below = "groups(first: 99) { nodes { rooms(first: $n) { nodes { id } } } }"
    compiled = nodes(rooms("(first: 10)", below, "($n: Int)"), Limits(max_nodes=100_000))

    compiled.check({"n": 99})
    with pytest.raises(Problem) as refused:
        nodes(rooms("(first: 10)", below, "($n: Int)"), Limits(max_nodes=99_009)).check({"n": 99})

    assert refused.value.code is ProblemCode.LIMIT_EXCEEDED
    assert refused.value.details == {
        "limit": "nodes",
        "asked": 99_010,
        "allowed": 99_009,
        "locations": [{"line": 1, "column": 1}],
    }


def test_count_stops_growing_at_a_billion() -> None:
    deep = "rooms { nodes { groups { nodes { " * 40 + "id" + "} } } }" * 40
    doubling = "".join(f"fragment F{i} on Viewer {{ ...F{i + 1} ...F{i + 1} }}" for i in range(300))

    assert nodes("{ viewer { rooms { nodes { groups { nodes { " + deep + "} } } } } }").count({}) == 10**9
    assert (
        nodes("{ viewer { ...F0 } }" + doubling + "fragment F300 on Viewer { rooms { nodes { id } } }").count({})
        == 10**9
    )
