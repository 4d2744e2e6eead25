"""Variables are read as graphql-core reads them, plain ones without asking it again."""

from typing import Any

import pytest
from graphql import GraphQLError, OperationDefinitionNode, Undefined, VariableDefinitionNode, parse
from graphql.execution.values import VariableValues, get_variable_values
from hypothesis import given
from hypothesis import strategies as st

from app.execution import variables
from app.execution.variables import Variables
from tests.execution.small_schema import SCHEMA

PLAIN = ("ID!", "ID", "Int", "Int!", "String", "Boolean!", "Color", "Color!", "Day")
DEFAULTED = ("Int = 5", "Color! = RED", "Day = 1", "ID! = 7")
OTHERS = ("[ID!]!", "[Int]", "RenameInput", "RoomFilter", '[String] = ["a"]')
"""What a variable can be declared as."""

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False),
    st.sampled_from(["", "RED", "PURPLE", "room"]),
    st.lists(st.sampled_from(["a", 1, None]), max_size=2),
    st.sampled_from([{}, {"room": "a"}, {"search": "a", "more": 1}, {"and": [{"search": "a"}]}]),
)


def declared(kinds: list[str]) -> tuple[VariableDefinitionNode, ...]:
    """One variable of each kind: `$v0`, `$v1` and so on."""
    named = " ".join(f"$v{number}: {kind}" for number, kind in enumerate(kinds))
    (operation,) = parse(f"query ({named}) {{ __typename }}").definitions
    assert isinstance(operation, OperationDefinitionNode)
    return operation.variable_definitions or ()


def told(read: VariableValues | list[GraphQLError]) -> Any:
    """What was read, or what was wrong, so that it can be compared."""
    if isinstance(read, list):
        return [error.message for error in read]
    sources = {name: (str(source.signature.type), source.value) for name, source in read.sources.items()}
    return repr((sources, read.coerced))  # which tells 1 from True


@given(st.lists(st.sampled_from(PLAIN + DEFAULTED + OTHERS), min_size=1, max_size=4), st.data())
def test_they_are_read_as_graphql_core_reads_them(kinds: list[str], data: st.DataObject) -> None:
    nodes = declared(kinds)
    names = [f"v{number}" for number in range(len(kinds))]
    sent = data.draw(st.dictionaries(st.sampled_from([*names, "other"]), values))

    assert told(Variables(SCHEMA, nodes).read(sent)) == told(get_variable_values(SCHEMA, nodes, sent))


@pytest.mark.parametrize("kind", PLAIN + DEFAULTED)
def test_plain_ones_that_are_right_are_read_without_it(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = {"ID": "a", "Int": 3, "String": "a", "Boolean": True, "Color": "GREEN", "Day": "2026-11-28"}
    value = right[kind.split(" ")[0].rstrip("!")]
    made = Variables(SCHEMA, declared([kind, "Int", "Int = 7"]))
    monkeypatch.setattr(variables, "get_variable_values", None)

    read = made.read({"v0": value})

    assert isinstance(read, VariableValues)
    assert read.coerced == {"v0": value, "v2": 7}


def test_a_scalar_that_takes_no_notice_of_a_value_has_refused_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SCHEMA.type_map["Day"], "coerce_input_value", lambda _: Undefined)

    read = Variables(SCHEMA, declared(["Day"])).read({"v0": "today"})

    assert isinstance(read, list)
