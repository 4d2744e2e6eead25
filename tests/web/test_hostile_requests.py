"""Hostile requests through HTTP: a clear refusal in little time, and nothing of them in the answer or the logs."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from graphql import get_introspection_query

from app.config import Limits
from app.graph.schema import build_schema, print_schema
from app.web.development_issuer import DevelopmentIssuer
from app.web.tokens import TokenVerifier
from tests.execution.hostile_bodies import HOSTILE, SIZE
from tests.web import hostile_tokens
from tests.web.gateway import GRAPHQL_RESPONSE, JSON, MEDIA_TYPES, QUESTION, Gateway, Logs, codes, opened
from tests.world import Worlds

MARK = "hunter2-correct-horse"
"""A secret of the client's, which nothing but the client should know."""


# --- bodies and tokens ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_body_is_refused(name: str, media_type: str, gateway: Gateway, logs: Logs) -> None:
    body, says = HOSTILE[name]

    response = await gateway.post(body, accept=media_type)

    assert (response.status_code, codes(response)) == (413 if len(body) > SIZE else 400, ["BAD_REQUEST"])
    assert len(body) > SIZE or says in response.json()["errors"][0]["message"]
    assert [line["logger"] for line in logs.lines] == ["gateway.requests"]


TOKENS = hostile_tokens.hostile()
SENDABLE = [case for case in TOKENS if case.make().isascii() and case.make().isprintable()]
"""The others cannot be said in a header."""


async def test_hostile_tokens_are_refused_and_no_part_of_them_is_logged(
    worlds: dict[str, Worlds], issuer: DevelopmentIssuer, logs: Logs
) -> None:
    verifier = TokenVerifier(
        hostile_tokens.ISSUER, hostile_tokens.AUDIENCE, hostile_tokens.SCOPE, hostile_tokens.published()
    )
    assert len(SENDABLE) > 200

    async with opened(worlds["sqlite"].shared, issuer, verifier=verifier, now=hostile_tokens.NOW) as gateway:
        for case in SENDABLE:
            token = case.make()
            response = await gateway.post({"query": QUESTION}, Authorization=f"Bearer {token}")

            too_long = len(token) > 32_000
            assert response.status_code == (431 if too_long else 401), case.name
            assert response.headers.get("WWW-Authenticate") or too_long
            assert not [part for part in token.split(".") if len(part) > 8 and part in logs.text], case.name


# --- documents that ask for far too much ------------------------------------------------------------------------------


def doubling(fragments: int) -> str:
    """Each fragment spreads the next twice: 2 to their number fields, in a few hundred bytes."""
    chain = (f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(fragments))
    return " ".join(["{ ...F0 }", *chain, f"fragment F{fragments} on Query {{ __typename }}"])


def nested_doubling(fragments: int) -> str:
    """The same, one level deeper with each, so that each field is another."""
    chain = (f"fragment F{n} on Viewer {{ a: tenant {{ id }} ...F{n + 1} ...F{n + 1} }}" for n in range(fragments))
    return " ".join(["{ viewer { ...F0 } }", *chain, f"fragment F{fragments} on Viewer {{ tenant {{ id }} }}"])


def aliases(count: int) -> str:
    """One field under many names."""
    return "{ viewer { " + " ".join(f"a{n}: tenant {{ id }}" for n in range(count)) + " } }"


def levels(count: int) -> str:
    """Selections within selections."""
    return "{ viewer " * count + "{ id }" + "}" * count


TOO_MUCH: dict[str, tuple[str, str]] = {
    "fragments that double 30 times": (doubling(30), "selections"),
    "fragments that double 120 times": (doubling(120), "selections"),
    "fragments that double below an object": (nested_doubling(40), "aliases"),
    "1,000 aliases": (aliases(1_000), "tokens"),
    "1,000 aliases in few tokens": ("{ " + " ".join(f"a{n}: __typename" for n in range(1_000)) + " }", "aliases"),
    "51 aliases": (aliases(51), "aliases"),
    "2,000 levels": (levels(2_000), "nesting"),
    "16 levels": ("{ viewer " * 16 + "}" * 16, "depth"),
    "10,000 fields": ("{" + " __typename" * 5_000 + " }", "tokens"),
    "2,000 times the same field": ("{" + " __typename" * 2_000 + " }", "repeats"),
    "51 directives": ("{ __typename " + "@skip(if: false) " * 51 + "}", "directives"),
    "21 root fields": ("{ " + " ".join(f"a{n}: __typename" for n in range(21)) + " }", "rootFields"),
    "lists within lists": (
        "{ viewer { rooms { nodes { groups(first: 100) { nodes { rooms(first: 100) { nodes { id } } } } } } } }",
        "nodes",
    ),
    "a literal of 2,000 levels": ("{ node(id: " + "[" * 2_000 + "]" * 2_000 + ") { id } }", "nesting"),
}
"""By name: the document, and the limit that it exceeds."""


@pytest.mark.parametrize("media_type, status", [(JSON, 200), (GRAPHQL_RESPONSE, 400)])
@pytest.mark.parametrize("name", TOO_MUCH)
async def test_a_document_that_asks_for_too_much_is_refused_at_once_with_the_limit_named(
    name: str, media_type: str, status: int, gateway: Gateway
) -> None:
    document, limit = TOO_MUCH[name]

    response, seconds = await measured(lambda: gateway.ask(document, accept=media_type))

    (error,) = response.json()["errors"]
    assert (response.status_code, error["extensions"]["code"]) == (status, "LIMIT_EXCEEDED")
    assert error["extensions"]["limit"] == limit
    assert error["extensions"]["asked"] > error["extensions"]["allowed"]
    assert error["locations"][0].keys() == {"line", "column"}
    assert f"`{limit}`" in error["message"]
    print(f"{seconds * 1000:6.1f} ms of CPU to refuse {name}")  # noqa: T201 - shown by `pytest -s`, never asserted


async def measured(asking: Callable[[], Any]) -> tuple[Any, float]:
    """The answer, and the CPU it took, the least of three: the others are what the machine does beside."""
    spent = []
    for _ in range(3):
        begun = time.process_time()
        response = await asking()
        spent.append(time.process_time() - begun)
    return response, min(spent)


# --- what tools ask ---------------------------------------------------------------------------------------------------

EVERYTHING: dict[str, Any] = {
    "descriptions": True,
    "specified_by_url": True,
    "directive_is_repeatable": True,
    "schema_description": True,
    "input_value_deprecation": True,
    "one_of": True,
}
TOOLS: dict[str, str] = {
    "GraphiQL 5": get_introspection_query(**EVERYTHING),
    "GraphiQL 5, asking less of an older server": get_introspection_query(descriptions=True, schema_description=True),
    "Apollo": get_introspection_query(),
    "Apollo, with what newer servers have": get_introspection_query(
        specified_by_url=True, directive_is_repeatable=True, input_value_deprecation=True
    ),
    "graphql-codegen": get_introspection_query(
        descriptions=True, specified_by_url=True, directive_is_repeatable=True, schema_description=True, one_of=True
    ),
    "graphql-codegen without descriptions": get_introspection_query(descriptions=False),
}


@pytest.mark.parametrize("tool", TOOLS)
async def test_tools_read_the_whole_schema(tool: str, gateway: Gateway) -> None:
    response = await gateway.post({"query": TOOLS[tool], "operationName": "IntrospectionQuery"})

    assert "errors" not in response.json()
    found = {kind["name"] for kind in response.json()["data"]["__schema"]["types"]}
    assert found == set(build_schema()._schema.type_map)


async def test_who_reads_the_schema_is_told_first_what_it_is_about(gateway: Gateway) -> None:
    response = await gateway.post({"query": "{ __schema { description } }"})

    told = response.json()["data"]["__schema"]["description"]
    assert told.startswith("The meeting rooms of companies")
    assert f'"""\n{told}\n"""\nschema {{\n' in print_schema(build_schema())


# --- nothing of it is told --------------------------------------------------------------------------------------------

TELLING: dict[str, dict[str, Any]] = {
    "a literal of the wrong type": {"query": f'{{ viewer {{ rooms(first: "{MARK}") {{ nodes {{ id }} }} }} }}'},
    "a literal in an unknown argument": {"query": f'{{ viewer(password: "{MARK}") {{ __typename }} }}'},
    "a literal in an unknown directive": {"query": f'{{ __typename @key(of: "{MARK}") }}'},
    "a literal that is not closed": {"query": f'{{ node(id: "{MARK}'},
    "a literal with U+0000": {"query": f'{{ node(id: "{MARK}\\u0000") {{ id }} }}'},
    "a cursor in a literal": {"query": f'{{ viewer {{ rooms(after: "{MARK}") {{ nodes {{ id }} }} }} }}'},
    "a variable of the wrong type": {
        "query": "query ($first: Int) { viewer { rooms(first: $first) { nodes { id } } } }",
        "variables": {"first": MARK},
    },
    "a variable that is an object": {
        "query": "query ($id: ID!) { node(id: $id) { id } }",
        "variables": {"id": {MARK: MARK}},
    },
    "a cursor in a variable": {
        "query": "query ($after: String) { viewer { rooms(after: $after) { nodes { id } } } }",
        "variables": {"after": MARK},
    },
    "a filter in a variable": {
        "query": "query ($f: RoomFilter) { viewer { rooms(filter: $f) { nodes { id } } } }",
        "variables": {"f": {"search": MARK}},
    },
    "an unknown filter in a variable": {
        "query": "query ($f: RoomFilter) { viewer { rooms(filter: $f) { nodes { id } } } }",
        "variables": {"f": {"password": MARK}},
    },
    "an id in a variable": {"query": "query ($id: ID!) { node(id: $id) { id } }", "variables": {"id": MARK}},
    "a variable that nothing names": {"query": "{ __typename }", "variables": {"password": MARK}},
    "an extension": {"query": "{ __typename }", "extensions": {"token": MARK}},
    "a default": {
        "query": f'query ($first: Int = "{MARK}") {{ viewer {{ rooms(first: $first) {{ nodes {{ id }} }} }} }}'
    },
}


@pytest.mark.parametrize("case", TELLING)
async def test_no_value_of_the_clients_is_told_or_logged(case: str, gateway: Gateway, logs: Logs) -> None:
    response = await gateway.post(TELLING[case])

    assert response.status_code < 500
    assert MARK not in response.text
    assert MARK not in logs.text
    assert [line["logger"] for line in logs.lines] == ["gateway.requests"]


async def test_no_word_of_a_document_or_a_token_is_logged(gateway: Gateway, logs: Logs) -> None:
    for query in (
        "{ nothingOfTheKind }",
        "{ viewer { ",
        "query secretName { __typename }",
        "{ nothingOfTheKind: __typename }",
    ):
        await gateway.ask(query)
        await gateway.post({"query": query, "operationName": "secretName2"})

    assert "nothingOfTheKind" not in logs.text
    assert "secretName" not in logs.text
    assert not any(part in logs.text for part in gateway.token().split("."))
    assert len(logs.lines) == 8


async def test_a_large_bad_document_gets_a_small_answer(gateway: Gateway, logs: Logs) -> None:
    wrong = " ".join(f"wrong{n} @nothing{n}(of: {n})" for n in range(19))

    response = await gateway.ask(f"{{ {wrong} }}" + " " * 40_000)

    assert len(codes(response)) == 10
    assert len(response.content) < 4_000
    assert len(logs.text) < 1_000


async def test_limits_are_the_settings(worlds: dict[str, Worlds], issuer: DevelopmentIssuer) -> None:
    async with opened(worlds["sqlite"].shared, issuer, limits=Limits(max_depth=2, max_body_bytes=400)) as gateway:
        too_deep = await gateway.ask(QUESTION)
        too_large = await gateway.ask("{ __typename }" + " " * 400)
        fine = await gateway.ask("{ viewer { __typename } }")

    assert too_deep.json()["errors"][0]["extensions"]["allowed"] == 2
    assert too_large.status_code == 413
    assert "errors" not in fine.json()
