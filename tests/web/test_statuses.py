"""The status of whatever can be wrong, by media type, beside the one that GraphQL over HTTP recommends.

The edition of September 2026 recommends 422 for requests that cannot run and 294 for answers with errors beside their
data, whatever the client accepts. Here they are 400 and 200, and in plain JSON 200 for a document or variables that
are wrong, as in the drafts before it: that is what the audits of the reference implementation (1.23) hold servers to,
and what a client needs that accepts anything and shows errors of answers with 2xx alone, as ariadne-codegen's does.
"""

import gzip
import json
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import pytest
from httpx import Response

from app.config import Limits
from app.web.wrapping import MAX_HEADER_BYTES
from tests.web.gateway import GRAPHQL_RESPONSE, JSON, MEDIA_TYPES, QUESTION, Gateway

STRANGER = "8d2c6f0e-0c1f-4f0b-9c3e-0d6f5f6b7a11"
OF_TWO = "query A { __typename } query B { __typename }"
BY_ID = "query ($id: ID!) { node(id: $id) { id } }"
PARTIAL = "{ viewer { tenant { id } rooms(first: 101) { nodes { id } } } }"
NOTHING = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"


class Case(NamedTuple):
    """Something that is wrong with a request."""

    send: Callable[[Gateway, str], Awaitable[Response]]
    recommended: int
    graphql_response: int
    json: int


def posted(body: object, recommended: int, graphql_response: int, json: int, **headers: str) -> Case:
    """A body that is posted, whatever its headers."""

    async def send(gateway: Gateway, accept: str) -> Response:
        unknown = {"Authorization": f"Bearer {gateway.token(tenant_id=STRANGER)}"} if "stranger" in headers else {}
        others = {name: value for name, value in headers.items() if name != "stranger"}
        return await gateway.post(body, accept=accept, **others, **unknown)

    return Case(send, recommended, graphql_response, json)


def requested(method: str) -> Case:
    """A document that is asked by another method."""

    async def send(gateway: Gateway, accept: str) -> Response:
        headers = {"Accept": accept, "Authorization": f"Bearer {gateway.token()}"}
        return await gateway.client.request(method, "/graphql", params={"query": QUESTION}, headers=headers)

    return Case(send, 405, 405, 405)


GOOD = {"query": QUESTION}
CASES: dict[str, Case] = {
    "nothing": posted(GOOD, 200, 200, 200),
    "a query by GET": requested("GET"),
    "another method": requested("PUT"),
    "a body of another type": posted(GOOD, 415, 415, 415, Content_Type="text/plain"),
    "a compressed body": posted(gzip.compress(json.dumps(GOOD).encode()), 415, 415, 415, Content_Encoding="gzip"),
    "a body that is too large": posted(b" " * (Limits().max_body_bytes + 1), 413, 413, 413),
    "headers that are too large": posted(GOOD, 431, 431, 431, X_Filler="x" * MAX_HEADER_BYTES),
    "a body that is no JSON": posted(b'{"query":', 400, 400, 400),
    "a body that is no object": posted([GOOD], 422, 400, 400),
    "no document": posted({"qeury": QUESTION}, 422, 400, 400),
    "variables that are no object": posted(GOOD | {"variables": [7]}, 422, 400, 400),
    "a name that is no string": posted(GOOD | {"operationName": 7}, 422, 400, 400),
    "extensions that are no object": posted(GOOD | {"extensions": "x"}, 422, 400, 400),
    "a document that is not parsed": posted({"query": "{"}, 400, 400, 200),
    "a document that is not valid": posted({"query": "{ nothing }"}, 422, 400, 200),
    "a document beyond the limits": posted({"query": "{ a: __typename " * 51 + "}" * 51}, 422, 400, 200),
    "an operation that is not named": posted({"query": OF_TWO}, 422, 400, 200),
    "an operation that is not there": posted({"query": OF_TWO, "operationName": "C"}, 422, 400, 200),
    "a variable that is missing": posted({"query": BY_ID}, 422, 400, 200),
    "a variable that is null": posted({"query": BY_ID, "variables": {"id": None}}, 422, 400, 200),
    "a variable of another type": posted({"query": BY_ID, "variables": {"id": [1]}}, 422, 400, 200),
    "no token": posted(GOOD, 401, 401, 401, Authorization=""),
    "a tenant that nobody knows": posted(GOOD, 403, 403, 403, stranger="yes"),
    "one field": posted({"query": PARTIAL}, 294, 200, 200),
    "all fields": posted({"query": NOTHING, "variables": {"ids": ["x"] * 101}}, 294, 200, 200),
}
"""By what is wrong."""


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
@pytest.mark.parametrize("name", CASES)
async def test_a_status_says_what_is_wrong(name: str, media_type: str, gateway: Gateway) -> None:
    case = CASES[name]

    response = await case.send(gateway, media_type)

    assert response.status_code == (case.json if media_type == JSON else case.graphql_response)
    in_json_anyway = name == "headers that are too large"  # refused before anybody reads them
    answered = JSON if in_json_anyway else media_type
    assert response.headers["Content-Type"] == f"{answered}; charset=utf-8"
    assert ("Allow" in response.headers) == (response.status_code == 405)


@pytest.mark.parametrize("name", CASES)
async def test_a_request_that_did_not_run_has_no_data_and_no_status_of_success(name: str, gateway: Gateway) -> None:
    response = await CASES[name].send(gateway, GRAPHQL_RESPONSE)

    assert ("data" in response.json()) == response.is_success


def test_recommended_statuses_are_kept_but_for_two() -> None:
    others = {(case.recommended, case.graphql_response) for case in CASES.values()}

    assert {(wanted, given) for wanted, given in others if wanted != given} == {(422, 400), (294, 200)}


ACCEPTED = {
    "Apollo Client 4": ("application/graphql-response+json,application/json;q=0.9", GRAPHQL_RESPONSE),
    "urql 6": (
        ", ".join([GRAPHQL_RESPONSE, "application/graphql+json", JSON, "text/event-stream", "multipart/mixed"]),
        GRAPHQL_RESPONSE,
    ),
    "graphql-request 7": ("application/graphql-response+json, application/json", GRAPHQL_RESPONSE),
    "the edition's advice": ("application/graphql-response+json, application/json;q=0.9", GRAPHQL_RESPONSE),
    "gql 4 and ariadne-codegen, with httpx": ("*/*", JSON),
    "a browser's address bar": ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", JSON),
}
"""What clients send, as they were seen to, and what they get."""


@pytest.mark.parametrize("client", ACCEPTED)
async def test_a_client_gets_what_it_reads_best(client: str, gateway: Gateway) -> None:
    accept, answered = ACCEPTED[client]

    response = await gateway.post(GOOD, accept=accept)

    assert response.status_code == 200
    assert response.headers["Content-Type"] == f"{answered}; charset=utf-8"
