"""A document is read once, refused clearly, and never answered with more of itself than its names."""

import pytest
from graphql import GraphQLSchema, NameNode, OperationType, SelectionSetNode, build_schema, get_introspection_query

from app.config import Limits
from app.domain.refusals import Problem, ProblemCode
from app.execution.documents import MAX_ERRORS, MAX_LOCATIONS, MAX_ONCE, DocumentRefused, Documents, nodes_of
from tests.execution.small_schema import SCHEMA, of_room

SECRET = "hunter2"
TWO = "query A { viewer { name } } mutation B { rename(input: { room: 1 }) { id } }"


def documents(
    schema: GraphQLSchema = SCHEMA, capacity: int = 10, max_bytes: int = 1_000_000, *, at_once: bool = True
) -> Documents:
    return Documents(schema, Limits(), capacity, max_bytes, at_once=at_once)


def problems(text: str, schema: GraphQLSchema = SCHEMA) -> tuple[Problem, ...]:
    with pytest.raises((Problem, DocumentRefused)) as refused:
        documents(schema).get(text)
    if isinstance(refused.value, DocumentRefused):
        return refused.value.problems
    assert isinstance(refused.value, Problem)
    return (refused.value,)


def test_document_is_read_once() -> None:
    held = documents()

    assert held.get(of_room("id")) is held.get(of_room("id"))


def test_document_is_held_from_the_second_time_on() -> None:
    held = documents(at_once=False)
    texts = [of_room(f"a{number}: id") for number in range(21)]

    first, second, third = (held.get(texts[-1]) for _ in range(3))
    once = [held.get(text) for text in texts[:20]]

    assert first is not second
    assert second is third
    assert [each.operations[0].came_before for each in (first, second, *once)] == [False, True] + [False] * 20
    assert list(held._held) == [texts[-1]]


def test_what_came_once_is_forgotten_when_very_much_did() -> None:
    held = documents(at_once=False)
    for number in range(MAX_ONCE + 2):
        held._once.add(str(number))

    assert [str(number) in held._once for number in (0, 1, 2, MAX_ONCE + 1)] == [False, False, True, True]


def test_operations_know_their_name_kind_and_nodes() -> None:
    first, second = documents().get(TWO).operations

    assert (first.name, first.kind, first.nodes.count({})) == ("A", OperationType.QUERY, 0)
    assert (second.name, second.kind) == ("B", OperationType.MUTATION)


def test_introspection_passes_limits_and_validation() -> None:
    newest = get_introspection_query(input_value_deprecation=True, schema_description=True, one_of=True)

    assert documents().get(newest).operation("IntrospectionQuery").nodes.count({}) == 0


# Exactly one operation runs


def test_sole_operation_needs_no_name() -> None:
    document = documents().get("query A { viewer { name } }")

    assert document.operation(None) is document.operation("A")


@pytest.mark.parametrize("name", ["A", "B"])
def test_named_operation_runs(name: str) -> None:
    assert documents().get(TWO).operation(name).name == name


@pytest.mark.parametrize(
    "text, name, said",
    [
        (TWO, None, "The document has several operations; give one of these as `operationName`: A, B."),
        (TWO, "C", "The document has no operation named `C`; give one of these as `operationName`: A, B."),
        (TWO, "", "The document has no operation named ``; give one of these as `operationName`: A, B."),
        ("{ viewer { name } }", "A", "The document has no operation named `A`; it has one, unnamed."),
    ],
)
def test_no_other_operation_runs(text: str, name: str | None, said: str) -> None:
    with pytest.raises(Problem) as refused:
        documents().get(text).operation(name)

    assert refused.value.code is ProblemCode.BAD_REQUEST
    assert refused.value.message == said


def test_only_some_of_many_operations_are_offered() -> None:
    document = documents().get(" ".join(f"query Q{i} {{ viewer {{ name }} }}" for i in range(100)))

    with pytest.raises(Problem) as refused:
        document.operation("x" * 60_000)

    assert len(refused.value.message) < 500
    assert refused.value.details == {"operations": [f"Q{i}" for i in range(20)]}


# Refusals


@pytest.mark.parametrize(
    "text, said, line, column",
    [
        ("", "Unexpected <EOF>.", 1, 1),
        ("{", "Expected Name, found <EOF>.", 1, 2),
        ("{}", "Expected Name, found '}'.", 1, 2),
        ("{ viewer {} }", "Expected Name, found '}'.", 1, 11),
        ("{\n  viewer(\n}", "Expected Name, found '}'.", 3, 1),
        (f'{{ "{SECRET}" }}', "Expected Name, found String.", 1, 3),
        (f'{{ """{SECRET}""" }}', "Expected Name, found BlockString.", 1, 3),
        ("{ 123456 }", "Expected Name, found Int.", 1, 3),
        ("{ a(b: .123456) }", "Invalid number, expected digit before '.'", 1, 8),
        (f'{{ a(b: "\\u12{SECRET}") }}', "Invalid Unicode escape sequence.", 1, 9),
        ('{ a(b: "\\ud800") }', "Invalid Unicode escape sequence.", 1, 9),
        ('{ a(b: "\\u{d800}") }', "Invalid Unicode escape sequence.", 1, 9),
        ('{ a(b: "\ud800") }', "Invalid character within String: U+D800.", 1, 9),
        ("{ a } # \ud800", "Invalid character: U+D800.", 1, 9),
        ("query ($a: Int = $b) { a }", "Unexpected variable '$b' in constant value.", 1, 18),
    ],
)
def test_syntax_error_says_where_but_repeats_no_literal(text: str, said: str, line: int, column: int) -> None:
    (problem,) = problems(text)

    assert problem.code is ProblemCode.PARSE_FAILED
    assert problem.message == f"{said} (line {line}, column {column})"
    assert problem.details == {"locations": [{"line": line, "column": column}]}
    assert problem.__context__ is None


@pytest.mark.parametrize(
    "text, said",
    [
        ("{ nothing }", "Cannot query field 'nothing' on type 'Query'."),
        ("{ viewer { nam } }", "Cannot query field 'nam' on type 'Viewer'."),
        ("{ viewer }", "Field 'viewer' of type 'Viewer' must have a selection of subfields."),
        ("{ node { id } }", "Argument 'Query.node(id:)' of type 'ID!' is required, but it was not provided."),
        ("query ($a: Int) { viewer { name } }", "Variable '$a' is never used."),
        ("{ viewer { name } } fragment F on Room { id }", "Fragment 'F' is never used."),
        ("fragment F on Room { id }", "Fragment 'F' is never used."),
        ("type Room { id: ID }", "The 'Room' definition is not executable."),
        ("{ viewer { name } } query A { viewer { name } }", "This anonymous operation must be the only defined"),
        ("query A { viewer { name } } query A { viewer { name } }", "There can be only one operation named 'A'."),
        ("subscription { viewer { name } }", "The subscription operation is not supported by the schema."),
        (of_room("...A") + "fragment A on Room { ...A }", "Cannot spread fragment 'A' within itself."),
        (of_room("x: id x: name"), "Fields 'x' conflict because 'id' and 'name' are different fields."),
        ("{ viewer(x: 1) { name } }", "Unknown argument 'x' on field 'Query.viewer'."),
        (of_room("id @unknown"), "Unknown directive '@unknown'."),
        ('{ viewer { rooms(after: "a\\u0000") { nodes { id } } } }', "The string at line 1, column 25 contains U+0000"),
    ],
)
def test_rules_of_the_schema_hold(text: str, said: str) -> None:
    found = problems(text)

    assert {problem.code for problem in found} == {ProblemCode.VALIDATION_FAILED}
    assert any(problem.message.startswith(said) for problem in found)
    assert all(problem.details["locations"] for problem in found)


@pytest.mark.parametrize(
    "arguments, said",
    [
        (f'first: "{SECRET}"', "Expected value of type 'Int'."),
        ("first: " + "9" * 5000, "Expected value of type 'Int'."),
        (f'filter: "{SECRET}"', "Expected value of type 'RoomFilter' to be an object."),
        (
            f'filter: {{ and: [{{ capacity: "{SECRET}" }}] }}',
            "Expected value of type 'RoomFilter' at 'and.0.capacity'.",
        ),
        (
            f'filter: {{ search: "{SECRET}", x: 1 }}',
            "Expected value of type 'RoomFilter' not to include unknown field 'x'.",
        ),
        (
            f'filter: {{ and: [null, {{ search: "{SECRET}" }}] }}',
            "Expected value of non-null type 'RoomFilter!' not to be null",
        ),
    ],
)
def test_wrong_literal_is_not_repeated(arguments: str, said: str) -> None:
    (problem,) = problems(f"{{ viewer {{ rooms({arguments}) {{ nodes {{ id }} }} }} }}")

    assert problem.message.startswith(said)
    assert SECRET not in problem.message
    assert len(problem.message) < 120


def test_what_a_scalar_says_of_a_literal_is_not_repeated() -> None:
    def refuse(value: object) -> object:
        raise ValueError(f"{value} is wrong")

    schema = build_schema("scalar Day type Query { on(day: Day, color: Color): Int } enum Color { RED }")
    schema.type_map["Day"].coerce_input_literal = refuse  # type: ignore[attr-defined]

    (day,) = problems(f'{{ on(day: "{SECRET}") }}', schema)
    (color,) = problems(f'{{ on(color: "{SECRET}") }}', schema)
    (other,) = problems("{ on(color: GREEN) }", schema)

    assert day.message == "Expected value of type 'Day'. (line 1, column 11)"
    assert color.message == "Expected value of type 'Color'. (line 1, column 13)"
    assert other.message == "Value 'GREEN' does not exist in 'Color' enum. (line 1, column 13)"


def test_errors_locations_and_messages_are_few_and_short() -> None:
    many = problems("{" + " ".join(f"x{i}" for i in range(20)) + "}")
    long = problems("{ viewer { " + "x" * 60_000 + " } }")
    cycle = "".join(f"fragment F{i} on Room {{ ...F{(i + 1) % 9} }}" for i in range(9))
    wide = problems(of_room("...F0") + cycle)

    assert len(many) == MAX_ERRORS
    assert len(long[0].message) < 300
    assert max(str(problem.details["locations"]).count("line") for problem in wide) == MAX_LOCATIONS


def test_names_of_the_schema_are_not_suggested() -> None:
    (problem,) = problems("{ viewer { nam } }")

    assert problem.message == "Cannot query field 'nam' on type 'Viewer'. (line 1, column 12)"


def test_work_of_validation_is_bounded() -> None:
    chain = "".join(f"fragment F{i} on Room {{ ...F{i + 1} }}" for i in range(300))

    (problem,) = problems(of_room("...F0") + chain + "fragment F300 on Room { id }")

    assert problem.code is ProblemCode.VALIDATION_FAILED
    assert problem.message.startswith("The document's fragments take too much work to check")


def test_limits_are_checked_before_validation() -> None:
    (problem,) = problems("{" + " ".join(f"x{i}: nothing" for i in range(51)) + "}")

    assert problem.code is ProblemCode.LIMIT_EXCEEDED


# What is held


def names(held: Documents, texts: list[str]) -> list[bool]:
    return [text in held._held for text in texts]


def test_least_recently_used_is_forgotten() -> None:
    held = documents(capacity=2)
    a, b, c = (of_room(name) for name in ("a", "b", "c"))

    for text in (a, b, a, c):
        held.get(text)

    assert names(held, [a, b, c]) == [True, False, True]


def test_many_documents_stay_within_the_bytes() -> None:
    held = documents(capacity=10**6, max_bytes=100_000)

    for i in range(200):
        held.get(f"query Q{i} {{ viewer {{ rooms(first: {i}) {{ nodes {{ id }} }} }} }}")

    kept = list(held._held.values())
    assert sum(document.weight for document in kept) == held._bytes <= 100_000
    assert 1 < len(kept) < 200


def test_of_what_a_document_was_parsed_from_only_places_are_kept() -> None:
    nodes = list(nodes_of(documents().get(of_room("parent { name }")).ast))

    placed = [type(node) for node in nodes if node.loc and node.loc.end > node.loc.start >= 0]
    assert placed == [type(node) for node in nodes if not isinstance(node, NameNode | SelectionSetNode)]
    assert not any(hasattr(node.loc, "start_token") or hasattr(node.loc, "end_token") for node in nodes)


def test_document_beyond_the_bytes_is_still_answered() -> None:
    held = documents(max_bytes=1)

    assert held.get(of_room("id")).operations
    assert held.get(of_room("name")).operations
    assert names(held, [of_room("id"), of_room("name")]) == [False, True]


def test_refused_documents_are_not_held() -> None:
    held = documents()

    for text in ("{", "{ nothing }", of_room("id " * 51)):
        with pytest.raises((Problem, DocumentRefused)):
            held.get(text)

    assert not held._held
