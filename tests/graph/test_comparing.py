"""What a change of the schema means for clients: each kind of difference, how bad it is, and files that are none."""

from typing import NamedTuple

import pytest
from graphql import build_schema as build
from graphql.utilities.find_schema_changes import BreakingChangeType, DangerousChangeType, SafeChangeType

from app.domain.refusals import CommandRefused
from app.graph.comparing import FOUND_HERE, compare, read_schema, report
from app.graph.differences import WHY, Severity
from app.graph.schema import build_schema, print_schema

QUERY = "type Query { a: Int }\n"
DIRECTIVES = """
    directive @requires(permission: P!) on OBJECT | FIELD_DEFINITION
    directive @approvable(event: P!) on FIELD_DEFINITION
    enum P { VIEW MODIFY }
"""
BREAKING, DANGEROUS, SAFE = Severity


class Case(NamedTuple):
    old: str
    new: str
    severity: Severity
    what: str


def field(before: str, after: str, severity: Severity, what: str) -> Case:
    """A field of Query, in the one version and in the other."""
    return Case(f"type Query {{ a: Int {before} }}", f"type Query {{ a: Int {after} }}", severity, what)


def argument(before: str, after: str, severity: Severity, what: str) -> Case:
    """Arguments of a field, in the one version and in the other."""
    return Case(f"type Query {{ f({before}): Int }}", f"type Query {{ f({after}): Int }}", severity, what)


def sent(before: str, after: str, severity: Severity, what: str) -> Case:
    """The definition of an input that a field takes, in the one version and in the other."""
    query = "type Query { f(in: In): Int }\n"
    return Case(query + before, query + after, severity, what)


def marked(before: str, after: str, severity: Severity, what: str) -> Case:
    """A field with directives of our own, in the one version and in the other."""
    start = f"{DIRECTIVES} type Query {{ a: Int "
    return Case(f"{start}{before} }}", f"{start}{after} }}", severity, what)


def beside(before: str, after: str, severity: Severity, what: str) -> Case:
    """Definitions beside Query, in the one version and in the other."""
    return Case(QUERY + before, QUERY + after, severity, what)


NODE = "interface Node { id: ID! }\n"
IMPLEMENTING = f"{NODE} type T implements Node {{ id: ID! }}"
PLAIN = f"{NODE} type T {{ id: ID! }}"
UNION = "type A { a: Int } type B { a: Int } union U = A"
LATER = ' @deprecated(reason: "Ask for b.")'
CASES: dict[str, Case] = {
    # types
    "a type goes": beside("type T { a: Int }", "", BREAKING, "T was removed."),
    "a type comes": beside("", "type T { a: Int }", SAFE, "T was added."),
    "a type becomes another kind": beside(
        "scalar T", "enum T { A }", BREAKING, "T changed from a Scalar type to an Enum type."
    ),
    "an object implements an interface": beside(
        PLAIN, IMPLEMENTING, DANGEROUS, "Node added to interfaces implemented by T."
    ),
    "an object leaves an interface": beside(IMPLEMENTING, PLAIN, BREAKING, "T no longer implements interface Node."),
    "a union takes a member": beside(UNION, f"{UNION} | B", DANGEROUS, "B was added to union type U."),
    "a union loses a member": beside(f"{UNION} | B", UNION, BREAKING, "B was removed from union type U."),
    "an enum takes a value": beside("enum E { A }", "enum E { A B }", DANGEROUS, "Enum value E.B was added."),
    "an enum loses a value": beside("enum E { A B }", "enum E { A }", BREAKING, "Enum value E.B was removed."),
    # fields, whose values clients get
    "a field goes": field("b: Int", "", BREAKING, "Field Query.b was removed."),
    "a field comes": field("", "b: Int", SAFE, "Field Query.b was added."),
    "a field changes its type": field(
        "b: Int", "b: String", BREAKING, "Field Query.b changed type from Int to String."
    ),
    "a field may be null": field("b: Int!", "b: Int", BREAKING, "Field Query.b changed type from Int! to Int."),
    "a field is never null": field("b: Int", "b: Int!", SAFE, "Field Query.b changed type from Int to Int!."),
    "an element may be null": field(
        "b: [Int!]", "b: [Int]", BREAKING, "Field Query.b changed type from [Int!] to [Int]."
    ),
    "an element is never null": field(
        "b: [Int]", "b: [Int!]!", SAFE, "Field Query.b changed type from [Int] to [Int!]!."
    ),
    "a field becomes a list": field("b: Int", "b: [Int]", BREAKING, "Field Query.b changed type from Int to [Int]."),
    "a field of an interface goes": beside(
        "interface I { a: Int b: Int }", "interface I { a: Int }", BREAKING, "Field I.b was removed."
    ),
    # arguments, whose values clients send
    "an argument goes": argument("a: Int, b: Int", "a: Int", BREAKING, "Argument Query.f(b:) was removed."),
    "an argument comes": argument("a: Int", "a: Int, b: Int", DANGEROUS, "An optional argument Query.f(b:) was added."),
    "an argument comes with a default": argument(
        "a: Int", "a: Int, b: Int! = 1", DANGEROUS, "An optional argument Query.f(b:) was added."
    ),
    "an argument comes that must be given": argument(
        "a: Int", "a: Int, b: Int!", BREAKING, "A required argument Query.f(b:) was added."
    ),
    "an argument changes its type": argument(
        "a: Int", "a: ID", BREAKING, "Argument Query.f(a:) has changed type from Int to ID."
    ),
    "an argument must be given": argument(
        "a: Int", "a: Int!", BREAKING, "Argument Query.f(a:) has changed type from Int to Int!."
    ),
    "an argument may be left out": argument(
        "a: Int!", "a: Int", SAFE, "Argument Query.f(a:) has changed type from Int! to Int."
    ),
    "a sent element must not be null": argument(
        "a: [Int]", "a: [Int!]", BREAKING, "Argument Query.f(a:) has changed type from [Int] to [Int!]."
    ),
    "a sent element may be null": argument(
        "a: [Int!]", "a: [Int]", SAFE, "Argument Query.f(a:) has changed type from [Int!] to [Int]."
    ),
    # inputs
    "an input's field goes": sent(
        "input In { a: Int b: Int }", "input In { a: Int }", BREAKING, "Field In.b was removed."
    ),
    "an input's field comes": sent(
        "input In { a: Int }", "input In { a: Int b: Int }", DANGEROUS, "An optional field In.b was added."
    ),
    "an input's field comes that must be given": sent(
        "input In { a: Int }", "input In { a: Int b: Int! }", BREAKING, "A required field In.b was added."
    ),
    "an input's field must be given": sent(
        "input In { a: Int }", "input In { a: Int! }", BREAKING, "Field In.a changed type from Int to Int!."
    ),
    "an input's field may be left out": sent(
        "input In { a: Int! }", "input In { a: Int }", SAFE, "Field In.a changed type from Int! to Int."
    ),
    "an input takes one field only": sent(
        "input In { a: Int b: Int }",
        "input In @oneOf { a: Int b: Int }",
        BREAKING,
        "In takes exactly one of its fields.",
    ),
    "an input takes any fields": sent(
        "input In @oneOf { a: Int b: Int }", "input In { a: Int b: Int }", SAFE, "In takes any of its fields."
    ),
    # defaults
    "an argument gets a default": argument("a: Int", "a: Int = 1", SAFE, "Query.f(a:) got the default 1."),
    "a required argument gets a default": argument("a: Int!", "a: Int! = 1", SAFE, "Query.f(a:) got the default 1."),
    "an argument gets another default": argument(
        "a: Int = 1", "a: Int = 2", DANGEROUS, "Query.f(a:) has the default 2, no longer 1."
    ),
    "an argument loses its default": argument("a: Int = 1", "a: Int", DANGEROUS, "Query.f(a:) lost its default 1."),
    "an argument loses the default that made it optional": argument(
        "a: Int! = 1", "a: Int!", BREAKING, "Query.f(a:) lost its default 1 and must be given."
    ),
    "an input's field gets a default": sent(
        "input In { a: Int }", "input In { a: Int = 1 }", SAFE, "In.a got the default 1."
    ),
    "an input's field gets another default": sent(
        "input In { a: [Int] = [1] }",
        "input In { a: [Int] = [2] }",
        DANGEROUS,
        "In.a has the default [2], no longer [1].",
    ),
    "an input's field loses the default that made it optional": sent(
        "input In { a: Int! = 1 }", "input In { a: Int! }", BREAKING, "In.a lost its default 1 and must be given."
    ),
    # deprecations
    "a field is deprecated": field("b: Int", f"b: Int{LATER}", SAFE, "Query.b is deprecated: Ask for b."),
    "a field is deprecated no more": field(f"b: Int{LATER}", "b: Int", SAFE, "Query.b is no longer deprecated."),
    "a deprecation says something else": field(
        "b: Int @deprecated", f"b: Int{LATER}", SAFE, "Query.b is deprecated: Ask for b."
    ),
    "an argument is deprecated": argument("a: Int", f"a: Int{LATER}", SAFE, "Query.f(a:) is deprecated: Ask for b."),
    "an input's field is deprecated": sent(
        "input In { a: Int }", f"input In {{ a: Int{LATER} }}", SAFE, "In.a is deprecated: Ask for b."
    ),
    "a value is deprecated": beside(
        "enum E { A B }", f"enum E {{ A B{LATER} }}", SAFE, "E.B is deprecated: Ask for b."
    ),
    # what directives of the schema say
    "a field demands a permission": marked(
        "", "@requires(permission: VIEW)", DANGEROUS, "Query.a has @requires(permission: VIEW)."
    ),
    "a field demands another permission": marked(
        "@requires(permission: VIEW)",
        "@requires(permission: MODIFY)",
        DANGEROUS,
        "Query.a has @requires(permission: MODIFY) instead of @requires(permission: VIEW).",
    ),
    "a field demands nothing any more": marked(
        "@requires(permission: VIEW)", "", SAFE, "Query.a no longer has @requires(permission: VIEW)."
    ),
    "a type demands a permission": Case(
        f"{DIRECTIVES} {QUERY} type T {{ a: Int }}",
        f"{DIRECTIVES} {QUERY} type T @requires(permission: VIEW) {{ a: Int }}",
        DANGEROUS,
        "T has @requires(permission: VIEW).",
    ),
    "an extension of a type demands a permission": Case(
        f"{DIRECTIVES} {QUERY} type T {{ a: Int }} extend type T {{ b: Int }}",
        f"{DIRECTIVES} {QUERY} type T {{ a: Int }} extend type T @requires(permission: VIEW) {{ b: Int }}",
        DANGEROUS,
        "T has @requires(permission: VIEW).",
    ),
    "a change may be held": marked(
        "", "@approvable(event: MODIFY)", DANGEROUS, "Query.a has @approvable(event: MODIFY)."
    ),
    "a scalar looks otherwise": beside(
        'scalar S @specifiedBy(url: "https://a.example")',
        'scalar S @specifiedBy(url: "https://b.example")',
        DANGEROUS,
        "S is specified by https://b.example, no longer by https://a.example.",
    ),
    # directives that documents carry
    "a directive goes": beside("directive @d on FIELD", "", BREAKING, "Directive @d was removed."),
    "a directive comes": beside("", "directive @d on FIELD", SAFE, "Directive @d was added."),
    "a directive's argument goes": beside(
        "directive @d(a: Int) on FIELD", "directive @d on FIELD", BREAKING, "Argument @d(a:) was removed."
    ),
    "a directive's argument comes": beside(
        "directive @d on FIELD", "directive @d(a: Int) on FIELD", SAFE, "An optional argument @d(a:) was added."
    ),
    "a directive's argument comes that must be given": beside(
        "directive @d on FIELD", "directive @d(a: Int!) on FIELD", BREAKING, "A required argument @d(a:) was added."
    ),
    "a directive's argument changes its type": beside(
        "directive @d(a: Int) on FIELD",
        "directive @d(a: ID) on FIELD",
        BREAKING,
        "Argument @d(a:) has changed type from Int to ID.",
    ),
    "a directive's argument may be left out": beside(
        "directive @d(a: Int!) on FIELD",
        "directive @d(a: Int) on FIELD",
        SAFE,
        "Argument @d(a:) has changed type from Int! to Int.",
    ),
    "a directive's argument gets another default": beside(
        "directive @d(a: Int = 1) on FIELD",
        "directive @d(a: Int = 2) on FIELD",
        DANGEROUS,
        "@d(a:) has the default 2, no longer 1.",
    ),
    "a directive's argument loses the default that made it optional": beside(
        "directive @d(a: Int! = 1) on FIELD",
        "directive @d(a: Int!) on FIELD",
        BREAKING,
        "@d(a:) lost its default 1 and must be given.",
    ),
    "a directive is had once only": beside(
        "directive @d repeatable on FIELD",
        "directive @d on FIELD",
        BREAKING,
        "Repeatable flag was removed from @d.",
    ),
    "a directive is repeated": beside(
        "directive @d on FIELD", "directive @d repeatable on FIELD", SAFE, "Repeatable flag was added to @d."
    ),
    "a directive leaves a place": beside(
        "directive @d on FIELD | QUERY", "directive @d on FIELD", BREAKING, "QUERY was removed from @d."
    ),
    "a directive takes a place": beside(
        "directive @d on FIELD", "directive @d on FIELD | QUERY", SAFE, "QUERY was added to @d."
    ),
    # directives that only schemas carry
    "a schema's directive goes": beside("directive @d on OBJECT", "", SAFE, "Directive @d was removed."),
    "a schema's directive comes": beside("", "directive @d on OBJECT", SAFE, "Directive @d was added."),
    "a schema's directive changes": beside(
        "directive @d(a: Int) on OBJECT",
        "directive @d(a: Int!) repeatable on OBJECT",
        SAFE,
        "Directive @d is defined otherwise: `@d(a: Int!) repeatable on OBJECT`.",
    ),
    # where operations begin
    "there are no mutations any more": Case(
        "schema { query: Query mutation: M } type M { a: Int } type Query { a: Int }",
        "schema { query: Query } type M { a: Int } type Query { a: Int }",
        BREAKING,
        "There is no mutation any more.",
    ),
    "there are mutations": Case(
        "schema { query: Query } type M { a: Int } type Query { a: Int }",
        "schema { query: Query mutation: M } type M { a: Int } type Query { a: Int }",
        SAFE,
        "There is a mutation now: M.",
    ),
    "queries begin elsewhere": Case(
        "schema { query: Query } type Q { a: Int } type Query { a: Int }",
        "schema { query: Q } type Q { a: Int } type Query { a: Int }",
        BREAKING,
        "A query begins at Q, no longer at Query.",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_difference_is_told_once_with_how_bad_it_is(name: str) -> None:
    case = CASES[name]

    found = compare(build(case.old), build(case.new))

    assert [(each.severity, each.what) for each in found] == [(case.severity, case.what)]
    assert all(each.why for each in found)


@pytest.mark.parametrize("name", CASES)
def test_a_schema_does_not_differ_from_itself(name: str) -> None:
    assert compare(build(CASES[name].new), build(CASES[name].new), with_descriptions=True) == []


def test_a_type_that_changes_together_with_its_default_is_two_differences() -> None:
    old, new = build("type Query { f(a: Int! = 1): Int }"), build("type Query { f(a: Int = 2): Int }")

    assert [(each.severity, each.what) for each in compare(old, new)] == [
        (DANGEROUS, "Query.f(a:) has the default 2, no longer 1."),
        (SAFE, "Query.f(a:) changed type from Int! to Int."),
    ]


@pytest.mark.parametrize(
    "old, new",
    [
        ("type Query { a: Int b: Int }", "type Query { b: Int a: Int }"),
        ("type Query { f(a: In = {x: 1, y: 2}): Int } input In { x: Int y: Int }",
         "type Query { f(a: In = {y: 2, x: 1}): Int } input In { x: Int y: Int }"),
        ("directive @d(a: Int, b: Int) on OBJECT type Query @d(a: 1, b: 2) { a: Int }",
         "directive @d(b: Int, a: Int) on OBJECT type Query @d(b: 2, a: 1) { a: Int }"),
        (QUERY, "# a comment\n type Query { a: Int }"),
    ],
)  # fmt: skip
def test_order_and_comments_are_no_difference(old: str, new: str) -> None:
    assert compare(build(old), build(new), with_descriptions=True) == []


def test_descriptions_are_differences_only_if_asked() -> None:
    described = '"All of it." schema { query: Query } "Where all begins." type Query { "A number." a: Int }'
    old, new = build(QUERY), build(described)

    assert compare(old, new) == []
    asked = compare(old, new, with_descriptions=True)
    assert [each.severity for each in asked] == [SAFE, SAFE, SAFE]
    assert "The description of the whole schema was changed." in [each.what for each in asked]


def test_what_graphql_core_finds_is_explained_or_found_here() -> None:
    kinds = {*BreakingChangeType, *DangerousChangeType, *SafeChangeType}
    never_made = {SafeChangeType.OPTIONAL_INPUT_FIELD_ADDED, SafeChangeType.OPTIONAL_ARG_ADDED}

    assert {*WHY} | FOUND_HERE | never_made == kinds


def test_the_worst_comes_first_grouped_by_why_it_matters() -> None:
    old = "type Query { a: Int b: Int c: Int e: E } enum E { A }"
    new = "type Query { a: Int d: Int e: E } enum E { A B }"

    assert list(report(compare(build(old), build(new)))) == [
        "BREAKING: 2, a document or client that works today fails",
        "  A document that selects the field, or an input that has it, is refused.",
        "    - Field Query.b was removed.",
        "    - Field Query.c was removed.",
        "",
        "DANGEROUS: 1, everything still runs, but may answer in a way that a client was not written for",
        "  A client may be answered with a value that it does not know.",
        "    - Enum value E.B was added.",
        "",
        "SAFE: 1, nobody notices who does not ask for it",
        "  Only documents that select it get it.",
        "    - Field Query.d was added.",
        "",
        "2 breaking, 1 dangerous, 1 safe",
    ]


def test_our_own_schema_is_read_as_it_is_printed() -> None:
    printed = print_schema(build_schema())

    assert compare(read_schema(printed.encode(), "printed"), build(printed), with_descriptions=True) == []


@pytest.mark.parametrize(
    "text, said",
    [
        ("type Query {\n  a: Int\n  b Int\n}", "old.graphql:3:5: Syntax Error: Expected ':', found Name 'Int'."),
        ('{"data": {"__schema": {}}}', "old.graphql:1:2: Syntax Error: Expected Name, found String 'data'."),
        ("", "old.graphql:1:1: Syntax Error: Unexpected <EOF>."),
        ("type Query {\n  a: Nothing\n}", "old.graphql:2:6: Unknown type 'Nothing'."),
        ("type Query {\n  a: Int @no\n}", "old.graphql:2:10: Unknown directive '@no'."),
        ("type A {\n  a: Int\n}", "old.graphql: Query root type must be provided."),
        ("{ viewer { id } }", "old.graphql: Query root type must be provided."),
        ("type Query {}", "old.graphql:1:13: Syntax Error: Expected Name, found '}'."),
    ],
)
def test_a_file_that_is_no_schema_is_refused_with_line_and_column(text: str, said: str) -> None:
    with pytest.raises(CommandRefused) as refused:
        read_schema(text.encode(), "old.graphql")

    assert said in str(refused.value)


def test_a_file_that_is_no_text_is_refused() -> None:
    with pytest.raises(CommandRefused, match=r"old\.graphql is not UTF-8 at byte 5"):
        read_schema(b"type \xff", "old.graphql")


def test_of_very_many_problems_the_first_are_told() -> None:
    text = "type Query {\n" + "".join(f"  f{n}: T{n}\n" for n in range(9)) + "}"

    with pytest.raises(CommandRefused) as refused:
        read_schema(text.encode(), "old.graphql")

    assert str(refused.value).splitlines()[1:] == [
        *(f"old.graphql:{n + 2}:7: Unknown type 'T{n}'." for n in range(5)),
        "and 4 more",
    ]


@pytest.mark.parametrize("severity, included", [(BREAKING, 1), (DANGEROUS, 2), (SAFE, 3)])
def test_a_severity_includes_whatever_is_worse(severity: Severity, included: int) -> None:
    assert [severity.includes(each) for each in Severity].count(True) == included
