"""The audits of the GraphQL-over-HTTP draft, restated: by the name each has there, what is sent and what is expected.

Three of its 61 are not passed: 5A70, D6D5 and 6A70 say that a server MAY answer GET requests, and this one takes POST
alone, so that no link or image can ask with somebody's token and no document lands in a log of addresses.
"""

from typing import Any, NamedTuple

import pytest

from tests.web.gateway import GRAPHQL_RESPONSE, JSON, Gateway

TYPENAME = "{ __typename }"
BY_NAME = "query ($name: String!) { __type(name: $name) { name } }"
NAMED = {"query": BY_NAME, "variables": {"name": "Room"}}
COERCED = {"query": "query ($id: ID!) { __typename }", "variables": {"id": None}}
NO_FIELD = {"query": "{ noSuchFieldAnywhere }"}
CUT_SHORT = b'{ "not a JSON'
NOT_STRINGS: list[Any] = [{"obj": "ect"}, 0, False, ["array"]]
NOT_OBJECTS: list[Any] = ["string", 0, False, ["array"]]


class Audit(NamedTuple):
    """One audit: what is sent, and what has to be true of the answer."""

    body: object = {"query": TYPENAME}
    accept: str | None = None
    status: int = 200
    media_type: str | None = None
    clean: bool = False
    """No errors."""


AUDITS: dict[str, Audit] = {
    "22EB": Audit(accept=GRAPHQL_RESPONSE, media_type=GRAPHQL_RESPONSE),
    "4655": Audit(accept=JSON, media_type=JSON),
    "47DE": Audit(accept="*/*", media_type=JSON),
    "80D8": Audit(media_type=JSON),
    "82A3": Audit(),
    "BF61": Audit({"query": '{ __type(name: "Run🏃Swim🏊") { name } }'}),
    "78D5": Audit(),
    "2C94": Audit(),
    "03D4": Audit(),
    "A5BF": Audit(b"", status=400),
    "423L": Audit({"notquery": TYPENAME}, GRAPHQL_RESPONSE, 400),
    **{f"LKJ{index}": Audit({"query": value}, status=400) for index, value in enumerate(NOT_STRINGS)},
    "34A2": Audit(accept=GRAPHQL_RESPONSE),
    "13EE": Audit(accept=JSON, clean=True),
    **{
        f"6C0{index}": Audit({"query": TYPENAME, "operationName": value}, status=400)
        for index, value in enumerate(NOT_STRINGS)
    },
    "8161": Audit({"query": "query Query { __typename }", "operationName": "Query"}, GRAPHQL_RESPONSE),
    "B8B3": Audit({"query": "query Query { __typename }", "operationName": "Query"}, JSON, clean=True),
    **{
        f"{prefix}{index}": Audit({"query": TYPENAME, member: None}, accept, clean=True)
        for index, member in enumerate(("variables", "operationName", "extensions"))
        for prefix, accept in (("94B", GRAPHQL_RESPONSE), ("022", JSON))
    },
    **{
        f"476{index}": Audit({"query": TYPENAME, "variables": value}, status=400)
        for index, value in enumerate(NOT_OBJECTS)
    },
    "2EA1": Audit(NAMED, GRAPHQL_RESPONSE),
    "28B9": Audit(NAMED, JSON, clean=True),
    **{
        f"58B{index}": Audit({"query": TYPENAME, "extensions": value}, status=400)
        for index, value in enumerate(NOT_OBJECTS)
    },
    "428F": Audit({"query": TYPENAME, "extensions": {"some": "value"}}, GRAPHQL_RESPONSE),
    "1B7A": Audit({"query": TYPENAME, "extensions": {"some": "value"}}, JSON, clean=True),
    "B6DC": Audit(CUT_SHORT, status=400),
    "BCF8": Audit(CUT_SHORT, status=400),
    "B7N8": Audit(CUT_SHORT, GRAPHQL_RESPONSE, 400),
    "8764": Audit({"qeury": TYPENAME}, status=400),
    "3E3A": Audit({"qeury": TYPENAME}, status=400),
    "572B": Audit({"query": "{"}, JSON),
    "FDE2": Audit(NO_FIELD, JSON),
    "7B9B": Audit(COERCED, JSON),
    "865D": Audit({"query": "{"}, GRAPHQL_RESPONSE, 400),
    "556A": Audit({"query": "{"}, GRAPHQL_RESPONSE, 400),
    "D586": Audit({"query": "{"}, GRAPHQL_RESPONSE, 400),
    "51FE": Audit(NO_FIELD, GRAPHQL_RESPONSE, 400),
    "74FF": Audit(NO_FIELD, GRAPHQL_RESPONSE, 400),
    "5E5B": Audit(NO_FIELD, GRAPHQL_RESPONSE, 400),
    "86EE": Audit(COERCED, GRAPHQL_RESPONSE, 400),
}


@pytest.mark.parametrize("name", AUDITS)
async def test_an_audit_of_the_draft_is_passed(name: str, gateway: Gateway) -> None:
    audit = AUDITS[name]

    response = await gateway.post(audit.body, accept=audit.accept)

    assert response.status_code == audit.status
    assert response.headers["Content-Type"].startswith(audit.media_type or "application/")
    assert response.content.decode("utf-8")
    if audit.status != 200:
        assert "data" not in response.json()
    if audit.clean:
        assert "errors" not in response.json()


async def test_9abe_a_request_without_a_content_type_is_refused(gateway: Gateway) -> None:
    headers = {"Authorization": f"Bearer {gateway.token()}"}

    response = await gateway.client.post("/graphql", headers=headers)

    assert response.status_code == 415


@pytest.mark.parametrize("document", [TYPENAME, "mutation { __typename }"])
async def test_9c48_nothing_runs_by_get(document: str, gateway: Gateway) -> None:
    headers = {"Authorization": f"Bearer {gateway.token()}", "Accept": GRAPHQL_RESPONSE}

    response = await gateway.client.get("/graphql", params={"query": document}, headers=headers)

    assert (response.status_code, response.headers["Allow"]) == (405, "POST")


def test_every_audit_is_here_but_those_of_get() -> None:
    assert len({*AUDITS, "9ABE", "9C48"}) == 61 - len({"5A70", "D6D5", "6A70"})
