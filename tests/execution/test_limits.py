"""Each limit holds at its bound and one over, in expanded documents too, and the work stays small."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    Lexer,
    OperationDefinitionNode,
    SelectionSetNode,
    Source,
    TokenKind,
    get_introspection_query,
    parse,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from app.config import Limits
from app.domain.refusals import Problem, ProblemCode
from app.execution.expansion import Expansion, Selections, bottom_up
from app.execution.limits import check_document, check_literals, check_text
from tests.execution.small_schema import SCHEMA, of_room

HUGE = 10**12
LIMITS = Limits()
UNLIMITED = Limits(
    max_tokens=HUGE,
    max_depth=HUGE,
    max_aliases=HUGE,
    max_repeats=HUGE,
    max_root_fields=HUGE,
    max_directives=HUGE,
    max_nodes=HUGE,
)


def check(text: str, limits: Limits = LIMITS) -> None:
    check_text(text, limits)
    check_document(Expansion(SCHEMA, parse(text)), limits)


def refused(text: str, limits: Limits = LIMITS) -> dict[str, Any]:
    with pytest.raises(Problem) as problem:
        check(text, limits)
    assert problem.value.code is ProblemCode.LIMIT_EXCEEDED
    assert f"`{problem.value.details['limit']}`" in problem.value.message
    return problem.value.details


def deep(levels: int) -> str:
    """A document whose leaf is on this level."""
    return "{ viewer { rooms { nodes {" + "parent {" * (levels - 4) + "id" + "}" * (levels - 4) + "} } } }"


def doubling(count: int, body: str = "...F{0} ...F{0}") -> str:
    """As many fragments, each spreading the next twice."""
    links = [f"fragment F{i} on Room {{ {body.format(i + 1)} }}" for i in range(count)]
    return of_room("...F0") + "".join(links) + f"fragment F{count} on Room {{ id }}"


def chain(count: int, body: str = "...F{0}") -> str:
    """As many fragments, each spreading the next once."""
    return doubling(count, body)


AT_BOUND: dict[str, tuple[Callable[[int], str], int, dict[str, int]]] = {
    "tokens": (lambda n: "{" + "a " * (n - 2) + "}", 4_000, {"max_repeats": HUGE}),
    "depth": (deep, 15, {}),
    "aliases": (lambda n: of_room(" ".join(f"x{i}: id" for i in range(n))), 50, {}),
    "repeats": (lambda n: of_room("id " * n), 50, {}),
    "rootFields": (lambda n: "{" + " ".join(f"x{i}: viewer" for i in range(n)) + "}", 20, {}),
    "directives": (lambda n: of_room("id" + " @skip(if: false)" * n), 50, {}),
    "nesting": (lambda n: "{ viewer(a:" + "[" * (n - 1) + "]" * (n - 1) + ") }", 50, {}),
    "selections": (doubling, 10, {"max_tokens": 3_074, "max_repeats": HUGE}),
}
"""By limit: a document for a number, the largest number that passes, other settings needed to get there."""
SETTINGS = {"rootFields": "max_root_fields", "nesting": "max_body_depth", "selections": "max_tokens"}


@pytest.mark.parametrize("limit", AT_BOUND)
def test_limit_holds_at_its_bound_and_one_over(limit: str) -> None:
    document, bound, others = AT_BOUND[limit]
    limits = Limits(**others)
    setting = SETTINGS.get(limit, f"max_{limit}")

    check(document(bound), limits)
    details = refused(document(bound + 1), limits)

    assert details["limit"] == limit
    assert details["asked"] > details["allowed"]
    assert details["locations"][0]["line"] == 1
    check(document(bound + 1), Limits(**others | {setting: getattr(limits, setting) * 3}))


def test_refusal_names_limit_asked_allowed_and_where() -> None:
    with pytest.raises(Problem) as problem:
        check("{ viewer {\n  " + "name " * 51 + "} }")

    assert problem.value.details == {
        "limit": "repeats",
        "asked": 51,
        "allowed": 50,
        "locations": [{"line": 2, "column": 253}],
        "path": ["viewer", "name"],
    }
    assert problem.value.message == (
        "Limit `repeats` exceeded at line 2, column 253, `viewer.name`: 51 asked, 50 allowed."
    )


@pytest.mark.parametrize(
    "text, limit, asked",
    [
        (doubling(18), "selections", 786_434),
        (doubling(30), "selections", 10**9),
        (doubling(300), "selections", 10**9),
        (doubling(18, "a: parent {{ ...F{0} }} b: parent {{ ...F{0} }}"), "aliases", 2**19 - 2),
        (doubling(190, "a: parent {{ ...F{0} }} b: parent {{ ...F{0} }}"), "aliases", 10**9),
        (doubling(30, "...F{0} @skip(if: false) ...F{0}"), "directives", 10**9),
        ("{" + " ".join(f"x{i}: viewer" for i in range(1_000)) + "}", "aliases", 1_000),
        ("{ viewer" * 2_000 + "}" * 2_000, "nesting", 2_000),
        ("{ viewer(a: " + "[" * 2_000 + "]" * 2_000 + ") }", "nesting", 2_001),
        ("{ viewer(a: " + "{ a: " * 2_000 + "1" + "}" * 2_000 + ") }", "nesting", 2_001),
        ("query ($a: " + "[" * 2_000 + "Int" + "]" * 2_000 + ") { viewer }", "nesting", 2_000),
        ("{" * 65_000, "nesting", 65_000),
        (of_room("groups(first: 1) { nodes { id } } " * 330), "repeats", 330),
        (chain(300, "parent {{ ...F{0} }}"), "depth", 304),
        (
            " ".join(f"query Q{i} {{ ...F }}" for i in range(500)) + f"fragment F on Query {{ {'viewer ' * 50} }}",
            "selections",
            4_029,
        ),
    ],
)
def test_adversarial_document_is_refused(text: str, limit: str, asked: int) -> None:
    details = refused(text)

    assert (details["limit"], details["asked"]) == (limit, asked)


def test_work_is_linear_however_often_fragments_are_spread() -> None:
    def sets(count: int) -> int:
        (root,) = Expansion(SCHEMA, parse(doubling(count))).roots
        return len(bottom_up([root.selections], Selections.below))

    assert sets(200) - sets(100) == 100


def test_strings_and_comments_do_not_count_as_nesting() -> None:
    brackets = "[{" * 100

    check(f'{{ viewer {{ rooms(after: "{brackets}\\"{brackets}") {{ nodes {{ id }} }} }} }} # {brackets}')
    check(f'{{ viewer {{ rooms(after: """{brackets}\\"""{brackets}""") {{ nodes {{ id }} }} }} }}')


def test_strings_and_comments_cannot_hide_nesting() -> None:
    for hidden in ('"', '"\\\\"', '""""""', '"""\\"""  """', "#\n", '"" "'):
        assert refused(hidden + "\n" + "{" * 60)["limit"] == "nesting", hidden


LEXEMES = ["{", "}", "[", "]", "(", "!", "$a", "name", "é", '"', '""', '"""', "\\", '\\"', "#", "\n", "\r\n",
           " ", "...", ".", "-", "-1", "0", "01", "1.5", "1e9", ",", "\ufeff", "|", "&", "=", ":", "@"]  # fmt: skip


@settings(max_examples=500)
@given(st.lists(st.sampled_from(LEXEMES), max_size=20).map("".join))
def test_tokens_are_those_of_the_lexer(text: str) -> None:
    lexer, tokens = Lexer(Source(text)), []
    try:
        while lexer.advance().kind != TokenKind.EOF:
            tokens.append(lexer.token)
    except GraphQLError:
        return
    comments, token = 0, lexer.token
    while token.prev:
        token = token.prev
        comments += token.kind == TokenKind.COMMENT

    assert check_text(text, UNLIMITED) == len(tokens) + comments


@pytest.mark.parametrize("type_depth", [7, 9])
@pytest.mark.parametrize("newer", [False, True])
def test_introspection_queries_of_the_common_tools_pass(newer: bool, type_depth: int) -> None:
    text = get_introspection_query(
        specified_by_url=newer,
        directive_is_repeatable=newer,
        schema_description=newer,
        input_value_deprecation=newer,
        one_of=newer,
        type_depth=type_depth,
    )

    check(text)
    if type_depth == 9:
        assert refused(text, Limits(max_depth=14))["asked"] == 15


@pytest.mark.parametrize(
    "text",
    [
        of_room("...A") + "fragment A on Room { id ...A }",
        of_room("...A") + "fragment A on Room { parent { ...A } }",
        of_room("...A") + "fragment A on Room { ...B } fragment B on Room { parent { ...A } other { ...A } }",
        of_room("id") + "fragment A on Room { ...B } fragment B on Room { ...A }",
        of_room("...Nowhere"),
        of_room("...A") + "fragment A on Nothing { id unknown { first } }",
        of_room("...A") + "fragment A on Room { id } fragment A on Room { name }",
        "type Room { id: ID }",
    ],
)
def test_invalid_fragments_are_left_to_validation(text: str) -> None:
    check(text)


def test_fields_of_different_selection_sets_are_not_repeats() -> None:
    check(
        "{ viewer { rooms { nodes { " + " ".join(f"parent {{ id }} o{i}: other {{ id }}" for i in range(49)) + "} } } }"
    )


def test_fields_of_merged_selection_sets_are_repeats() -> None:
    details = refused(of_room("parent { id id id } " * 17))

    assert (details["limit"], details["asked"]) == ("repeats", 51)
    assert details["path"] == ["viewer", "rooms", "nodes", "parent", "id"]


def test_equal_root_fields_are_one() -> None:
    check("{" + "viewer { name } " * 21 + "}")


def test_limits_hold_in_fragments_that_nothing_uses() -> None:
    assert refused(of_room("id") + "fragment F on Room {" + "id " * 51 + "}")["limit"] == "repeats"


@pytest.mark.parametrize("literal", ['"a\\u0000"', '"\\u{0}"', '"\\u{0000}"', '"\0"', '"""\0"""', '"x\\\\\\u0000"'])
def test_nul_in_a_literal_is_refused(literal: str) -> None:
    with pytest.raises(Problem) as problem:
        check_literals(parse(f"{{ viewer {{ rooms(after: {literal}) {{ nodes {{ id }} }} }} }}"))

    assert problem.value.code is ProblemCode.VALIDATION_FAILED
    assert problem.value.details == {"locations": [{"line": 1, "column": 25}]}


def test_escaped_backslash_before_u0000_is_no_nul() -> None:
    check_literals(parse('{ viewer { rooms(after: "\\\\u0000") { nodes { id } } } }'))


# Random documents, compared with a walk that expands every fragment wherever it is spread

NAMES = ("id", "name", "a")
COUNTED = {"aliases": "max_aliases", "directives": "max_directives", "selections": "max_tokens",
           "depth": "max_depth", "repeats": "max_repeats", "rootFields": "max_root_fields"}  # fmt: skip


def selection_sets(fragments: tuple[str, ...]) -> st.SearchStrategy[str]:
    directive = st.sampled_from(["", "", " @skip(if: false)", " @include(if: true) @skip(if: false)"])
    leaf = st.builds("{}{}{}".format, st.sampled_from(["", "", "x: ", "y: "]), st.sampled_from(NAMES), directive)
    spread = st.builds("...{}{}".format, st.sampled_from(fragments), directive) if fragments else leaf

    def wider(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        opening = st.sampled_from(["parent", "x: parent", "other", "...", "... on Room"])
        return st.lists(
            st.builds("{}{} {{ {} }}".format, opening, directive, inner) | leaf | spread, min_size=1, max_size=3
        ).map(" ".join)

    return st.recursive(st.lists(leaf | spread, min_size=1, max_size=3).map(" ".join), wider, max_leaves=4)


@st.composite
def documents(draw: st.DrawFn) -> str:
    names = tuple(f"F{i}" for i in range(draw(st.integers(0, 4))))
    fragments = [
        f"fragment {name} on Room {{ {draw(selection_sets(names[i + 1 :]))} }}" for i, name in enumerate(names)
    ]
    operations = [f"query Q{i} {{ {draw(selection_sets(names))} }}" for i in range(draw(st.integers(1, 2)))]
    return "\n".join([*operations, *fragments])


class Naive:
    """What a document asks, counted by writing it out."""

    def __init__(self, text: str) -> None:
        definitions = parse(text).definitions
        self.fragments = {each.name.value: each for each in definitions if isinstance(each, FragmentDefinitionNode)}
        spread = set(re.findall(r"\.\.\.(F\d)", text))
        roots = [each for each in definitions if isinstance(each, OperationDefinitionNode)]
        unused = [each for name, each in self.fragments.items() if name not in spread]
        self.asked = Counter[str]()
        for root in (*roots, *unused):
            own, paths = Counter[str](), Counter[tuple[str, ...]]()
            self.count(root.selection_set, (), own, paths)
            own["depth"] = max((len(path) for path in paths), default=0)
            own["repeats"] = max(paths.values(), default=0)
            own["rootFields"] = len([path for path in paths if len(path) == 1]) if root in roots else 0
            selections = self.asked["selections"] + own["selections"]
            self.asked |= own
            self.asked["selections"] = selections

    def count(
        self, node: SelectionSetNode, path: tuple[str, ...], own: Counter[str], paths: Counter[tuple[str, ...]]
    ) -> None:
        for each in node.selections:
            own["selections"] += 1
            own["directives"] += len(each.directives or ())
            here = path
            if isinstance(each, FieldNode):
                own["aliases"] += each.alias is not None
                here = (*path, (each.alias or each.name).value)
                paths[here] += 1
            inner: Any = self.fragments[each.name.value] if isinstance(each, FragmentSpreadNode) else each
            if inner.selection_set:
                self.count(inner.selection_set, here, own, paths)


@settings(max_examples=150)
@given(documents())
def test_counts_are_those_of_the_written_out_document(text: str) -> None:
    asked = Naive(text).asked
    expansion = Expansion(SCHEMA, parse(text))

    for limit, setting in COUNTED.items():
        check_document(expansion, UNLIMITED.model_copy(update={setting: asked[limit]}))
        if asked[limit]:
            with pytest.raises(Problem) as problem:
                check_document(expansion, UNLIMITED.model_copy(update={setting: asked[limit] - 1}))
            assert problem.value.details["limit"] == limit
            assert problem.value.details["asked"] == asked[limit]
