"""`POST /graphql`: media types, status codes, codes of errors, and what every answer carries."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient, Response

from app.config import Limits
from app.domain.refusals import ProblemCode
from app.execution.documents import Documents
from app.graph.planning import Planner
from app.graph.query import MAX_NODES
from app.reading.reader import Reader
from app.web.development_issuer import DevelopmentIssuer
from app.web.endpoint import REASONS
from app.web.wrapping import MAX_HEADER_BYTES, Wrapping
from tests.web.gateway import (
    ANSWER,
    GRAPHQL_RESPONSE,
    JSON,
    MEDIA_TYPES,
    ORIGIN,
    QUESTION,
    Gateway,
    Logs,
    codes,
    opened,
)
from tests.world import Worlds

ROOMS = "query ($first: Int) { viewer { tenant { displayName } rooms(first: $first) { nodes { id } } } }"
TWO = "query A { __typename } query B { viewer { tenant { displayName } } }"
STRANGER = "8d2c6f0e-0c1f-4f0b-9c3e-0d6f5f6b7a11"

SECRET = "SELECT secret FROM vault -- /srv/gateway/app.py"


async def fail(*_: Any) -> Any:
    raise RuntimeError(SECRET)


async def dawdle(*_: Any) -> Any:
    await asyncio.sleep(60)


# --- negotiation ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "accept, answered",
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL_RESPONSE, GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE}, {JSON}", GRAPHQL_RESPONSE),
        (f"{JSON}, {GRAPHQL_RESPONSE}", JSON),
        (f"{GRAPHQL_RESPONSE};q=0.4, {JSON};q=0.5", JSON),
        (f"{JSON};q=0.4, {GRAPHQL_RESPONSE};q=0.5", GRAPHQL_RESPONSE),
        (f"{JSON};q=0.9, */*;q=0.1", JSON),
        (f"*/*, {GRAPHQL_RESPONSE}", GRAPHQL_RESPONSE),
        (f"{JSON};q=0, */*", GRAPHQL_RESPONSE),
        (f"text/html, {GRAPHQL_RESPONSE};charset=utf-8", GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE}, application/graphql+json, {JSON}, text/event-stream, multipart/mixed", GRAPHQL_RESPONSE),
        (f"{JSON}, multipart/mixed", JSON),
        (f"APPLICATION/JSON ; Q=1, {GRAPHQL_RESPONSE};q=0.9", JSON),
        (f"{GRAPHQL_RESPONSE};charset=utf-16, {JSON};q=0.1", JSON),
        (f"{GRAPHQL_RESPONSE};q=nan, {JSON};q=0.1", JSON),
        (f"{GRAPHQL_RESPONSE};q=much, {JSON};q=0.1", JSON),
        (f"{GRAPHQL_RESPONSE};q=7, {JSON};q=0.1", JSON),
    ],
)
async def test_the_answer_is_of_the_media_type_that_the_client_prefers(
    accept: str | None, answered: str, gateway: Gateway
) -> None:
    response = await gateway.post({"query": QUESTION}, accept=accept)

    assert (response.status_code, response.json()) == (200, ANSWER)
    assert response.headers["Content-Type"] == f"{answered}; charset=utf-8"


async def test_a_preference_said_in_two_headers_is_one_preference(gateway: Gateway) -> None:
    sent = [("Authorization", f"Bearer {gateway.token()}"), ("Accept", "text/html"), ("Accept", GRAPHQL_RESPONSE)]

    response = await gateway.client.post("/graphql", json={"query": QUESTION}, headers=sent)

    assert response.headers["Content-Type"] == f"{GRAPHQL_RESPONSE}; charset=utf-8"


@pytest.mark.parametrize(
    "accept", ["text/html", f"{JSON};q=0", "text/event-stream", "*", f"{JSON};charset=utf-16", ","]
)
async def test_a_client_that_accepts_nothing_of_ours_gets_406(accept: str, gateway: Gateway) -> None:
    response = await gateway.post({"query": QUESTION}, accept=accept)

    assert_refused(response, 406)


@pytest.mark.parametrize(
    "content_type", [JSON, f"{JSON}; charset=utf-8", f'{JSON};charset="UTF-8"', "Application/JSON"]
)
async def test_json_in_utf_8_is_read(content_type: str, gateway: Gateway) -> None:
    response = await gateway.post({"query": QUESTION}, Content_Type=content_type)

    assert response.json() == ANSWER


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/graphql",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        f"{JSON}; charset=utf-16",
        f"{JSON}, {JSON}",
        f"text/plain; {JSON}",
        "application/json-seq",
    ],
)
async def test_a_body_of_another_type_gets_415(content_type: str, gateway: Gateway) -> None:
    response = await gateway.post({"query": QUESTION}, Content_Type=content_type)

    assert_refused(response, 415)


async def test_two_content_types_get_415(gateway: Gateway) -> None:
    sent = [("Authorization", f"Bearer {gateway.token()}"), ("Content-Type", JSON), ("Content-Type", "text/plain")]

    response = await gateway.client.post("/graphql", content=b"{}", headers=sent)

    assert_refused(response, 415)
    assert "Accept-Encoding" not in response.headers  # it would say that the coding is what was wrong


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "deflate", "br", "identity, gzip", "gzip, identity", "aws-chunked"])
async def test_an_encoded_body_gets_415_and_is_told_what_is_taken(coding: str, gateway: Gateway) -> None:
    response = await gateway.post({"query": QUESTION}, Content_Encoding=coding)

    assert_refused(response, 415)
    assert response.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("coding", ["", "identity", "Identity", "identity, identity"])
async def test_a_body_that_is_said_to_be_as_it_is_is_read(coding: str, gateway: Gateway) -> None:
    response = await gateway.post({"query": QUESTION}, Content_Encoding=coding)

    assert response.status_code == 200


async def test_any_of_several_content_encodings_counts(gateway: Gateway) -> None:
    sent = [
        ("Authorization", f"Bearer {gateway.token()}"),
        ("Content-Type", JSON),
        ("Content-Encoding", "identity"),
        ("Content-Encoding", "gzip"),
    ]

    response = await gateway.client.post("/graphql", content=b"{}", headers=sent)

    assert_refused(response, 415)


# --- what is no request ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/graphql/", "/Graphql", "/graphql/x", "/healthz/", "/favicon.ico", "//evil.example"]
)
async def test_another_address_gets_404_and_no_redirect(path: str, gateway: Gateway) -> None:
    response = await gateway.client.post(path, json={"query": QUESTION})

    assert_refused(response, 404)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
async def test_another_method_gets_405_with_the_one_that_is_allowed(method: str, gateway: Gateway) -> None:
    response = await gateway.client.request(method, "/graphql", headers={"Accept": JSON})

    assert_refused(response, 405)
    assert response.headers["Allow"] == "POST"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_health_is_not_posted(path: str, gateway: Gateway) -> None:
    response = await gateway.client.post(path)

    assert (response.status_code, set(response.headers["Allow"].split(", "))) == (405, {"GET", "HEAD"})


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_that_is_too_large_gets_413_however_it_is_sent(declared: bool, gateway: Gateway) -> None:
    body = b'{"query":"' + b" " * Limits().max_body_bytes + b'"}'

    async def chunks() -> Any:
        for start in range(0, len(body), 1000):
            yield body[start : start + 1000]

    sent = {"Authorization": f"Bearer {gateway.token()}", "Content-Type": JSON}
    response = await gateway.client.post("/graphql", content=body if declared else chunks(), headers=sent)

    assert_refused(response, 413)
    assert response.headers["Connection"] == "close"


async def test_more_headers_than_anybody_needs_get_431(gateway: Gateway) -> None:
    response = await gateway.post({"query": QUESTION}, X_Filler="x" * MAX_HEADER_BYTES)

    assert (response.status_code, codes(response)) == (431, ["BAD_REQUEST"])


def assert_refused(response: Response, status: int) -> None:
    assert response.status_code == status
    if response.request.method != "OPTIONS":
        message, extensions = REASONS[status], {"code": "BAD_REQUEST"}
        assert response.json() == {"errors": [{"message": message, "extensions": extensions}]}


# --- what is refused before it runs -----------------------------------------------------------------------------------

Body = dict[str, Any]

REVOKE = "mutation ($input: RevokeInvitationInput!) { revokeInvitation(input: $input) { errors { code } } }"
UNRUN: dict[str, tuple[Body, str, str]] = {
    "no document": ({"query": ""}, "PARSE_FAILED", r"Unexpected <EOF>"),
    "a document cut short": ({"query": "{ viewer {"}, "PARSE_FAILED", r"line 1, column 11"),
    "an unknown field": ({"query": "{ nothing }"}, "VALIDATION_FAILED", r"'nothing'.*line 1, column 3"),
    "an unknown change": ({"query": "mutation { nothing }"}, "VALIDATION_FAILED", r"'nothing'.*line 1, column 12"),
    "a subscription": ({"query": "subscription { __typename }"}, "VALIDATION_FAILED", r"subscription"),
    "an unused variable": ({"query": "query ($a: Int) { __typename }"}, "VALIDATION_FAILED", r"'\$a' is never used"),
    "a literal of another type": ({"query": "{ node(id: [1]) { id } }"}, "VALIDATION_FAILED", r"type 'ID!'"),
    "too deep": ({"query": "{ viewer " * 16 + "}" * 16}, "LIMIT_EXCEEDED", r"`depth`.*16 asked, 15 allowed"),
    "two operations and no name": ({"query": TWO}, "BAD_REQUEST", r"several operations.*A, B"),
    "an unknown name": ({"query": TWO, "operationName": "C"}, "BAD_REQUEST", r"no operation named `C`.*A, B"),
    "a name where there is none": ({"query": QUESTION, "operationName": "A"}, "BAD_REQUEST", r"it has one, unnamed"),
    "a variable of another type": (
        {"query": ROOMS, "variables": {"first": "hunter2"}},
        "BAD_REQUEST",
        r"^Variable `\$first` does not fit; `\$first` is declared as `Int`\.$",
    ),
    "a variable that is missing": (
        {"query": "query ($id: ID!) { node(id: $id) { id } }"},
        "BAD_REQUEST",
        r"^Variable `\$id` does not fit; `\$id` is declared as `ID!`\.$",
    ),
    "a field of a variable of another type": (
        {"query": REVOKE, "variables": {"input": {"invitation": "x", "expectedVersion": "hunter2"}}},
        "BAD_REQUEST",
        r"^Variable `\$input\.expectedVersion` does not fit; `\$input` is declared as `RevokeInvitationInput!`\.$",
    ),
    "a field of a variable that is missing": (
        {"query": REVOKE, "variables": {"input": {"idempotencyKey": "hunter2"}}},
        "BAD_REQUEST",
        r"^Variable `\$input\.invitation` is missing; `\$input` is declared as `RevokeInvitationInput!`\.$",
    ),
    "a field of a variable that does not exist": (
        {"query": REVOKE, "variables": {"input": {"invitation": "hunter2", "nothing": 1}}},
        "BAD_REQUEST",
        r"^Variable `\$input` has a field that `RevokeInvitationInput` does not have; `\$input` is declared as",
    ),
}
"""By what is wrong: the body, the code, and what the message says."""


@pytest.mark.parametrize("media_type, status", [(JSON, 200), (GRAPHQL_RESPONSE, 400)])
@pytest.mark.parametrize("case", UNRUN)
async def test_a_request_that_cannot_run_is_refused_without_data(
    case: str, media_type: str, status: int, gateway: Gateway
) -> None:
    body, code, says = UNRUN[case]

    response = await gateway.post(body, accept=media_type)

    assert (response.status_code, codes(response)) == (status, [code])
    assert "data" not in response.json()
    assert re.search(says, response.json()["errors"][0]["message"])
    assert "hunter2" not in response.text


async def test_very_many_wrong_variables_are_the_clients_and_no_defect_of_ours(gateway: Gateway) -> None:
    body = {"query": "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", "variables": {"ids": [None] * 90}}

    response = await gateway.post(body, accept=GRAPHQL_RESPONSE)

    assert response.status_code == 400
    assert set(codes(response)) == {"BAD_REQUEST"}


async def test_the_named_one_of_two_operations_runs(gateway: Gateway) -> None:
    first = await gateway.post({"query": TWO, "operationName": "A"})
    second = await gateway.post({"query": TWO, "operationName": "B"})

    assert (first.json(), second.json()) == ({"data": {"__typename": "Query"}}, ANSWER)


# --- what runs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
async def test_an_error_of_one_field_leaves_the_others_their_data(media_type: str, gateway: Gateway) -> None:
    response = await gateway.ask(ROOMS, accept=media_type, first=101)

    assert response.status_code == 200
    assert response.json()["data"] == {"viewer": {"tenant": {"displayName": "Contoso"}, "rooms": None}}
    assert response.json()["errors"] == [
        {
            "message": response.json()["errors"][0]["message"],
            "locations": [{"line": 1, "column": ROOMS.index("rooms") + 1}],
            "path": ["viewer", "rooms"],
            "extensions": {"code": "BAD_ARGUMENT", "argument": "first", "min": 1, "max": 100},
        }
    ]


async def test_more_ids_than_allowed_say_so(gateway: Gateway) -> None:
    response = await gateway.ask("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=["x"] * (MAX_NODES + 1))

    assert (response.status_code, response.json()["data"]) == (200, None)
    assert response.json()["errors"][0]["extensions"] == {"code": "BAD_ARGUMENT", "argument": "ids", "max": MAX_NODES}


NULLABLE = "query ($upTo: Int = 5) { viewer { rooms { totalCount(upTo: $upTo) { value } } } }"
SKIPPED = "query ($hidden: Boolean = false) { viewer @skip(if: $hidden) { tenant { displayName } } }"


@pytest.mark.parametrize(
    "document, variable, argument, data, path",
    [
        (NULLABLE, "upTo", "upTo", {"viewer": {"rooms": {"totalCount": None}}}, ["viewer", "rooms", "totalCount"]),
        (SKIPPED, "hidden", "if", None, None),
    ],
)
async def test_a_null_that_only_shows_when_it_runs_is_the_clients_and_no_defect_of_ours(
    document: str, variable: str, argument: str, data: Any, path: Any, gateway: Gateway, logs: Logs
) -> None:
    response = await gateway.post({"query": document, "variables": {variable: None}})

    (error,) = response.json()["errors"]
    assert (response.status_code, response.json()["data"], error.get("path")) == (200, data, path)
    assert error["extensions"] == {"code": "BAD_ARGUMENT", "argument": argument}
    assert logs.of("gateway.graphql") == []


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
async def test_what_takes_too_long_gets_503(
    media_type: str, worlds: dict[str, Worlds], issuer: DevelopmentIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Reader, "page", dawdle)

    async with opened(worlds["sqlite"].shared, issuer, limits=Limits(timeout_seconds=0.2)) as gateway:
        response = await gateway.ask(ROOMS, accept=media_type)

    assert (response.status_code, codes(response)) == (503, ["TIMEOUT"])
    assert "data" not in response.json()


async def test_a_body_that_does_not_arrive_in_time_gets_503(
    worlds: dict[str, Worlds], issuer: DevelopmentIssuer
) -> None:
    async def trickle() -> Any:
        yield b"{"
        await asyncio.sleep(60)

    async with opened(worlds["sqlite"].shared, issuer, limits=Limits(timeout_seconds=0.2)) as gateway:
        sent = {"Authorization": f"Bearer {gateway.token()}", "Content-Type": JSON}
        response = await gateway.client.post("/graphql", content=trickle(), headers=sent)

    assert (response.status_code, codes(response)) == (503, ["TIMEOUT"])


async def test_a_defect_below_a_field_is_masked_and_found_in_the_log(
    gateway: Gateway, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Reader, "page", fail)

    response = await gateway.ask(f"{ROOMS} # asked for the first time, and so field by field")

    request_id = response.headers["X-Request-Id"]
    error = response.json()["errors"][0]
    assert response.status_code == 200
    assert response.json()["data"]["viewer"] == {"tenant": {"displayName": "Contoso"}, "rooms": None}
    assert error["extensions"] == {"code": "INTERNAL", "requestId": request_id}
    assert_masked(response, logs)


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
async def test_a_defect_before_anything_runs_gets_500_masked_also_for_a_browser(
    media_type: str, gateway: Gateway, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Planner, "answer", fail)

    response = await gateway.post({"query": QUESTION}, accept=media_type, Origin=ORIGIN)

    assert (response.status_code, codes(response)) == (500, ["INTERNAL"])
    assert response.headers["Content-Type"].startswith(media_type)
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert_masked(response, logs)


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
async def test_a_defect_in_reading_a_document_gets_500_masked(
    media_type: str, gateway: Gateway, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(Documents, "get", fail)

    response = await gateway.post({"query": QUESTION}, accept=media_type)

    assert (response.status_code, codes(response)) == (500, ["INTERNAL"])
    assert_masked(response, logs)


async def test_a_defect_in_the_middle_of_an_answer_ends_the_connection_and_is_logged(logs: Logs) -> None:
    async def begin_and_fail(_: Any, __: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError(SECRET)

    async with AsyncClient(transport=ASGITransport(Wrapping(begin_and_fail)), base_url="http://gateway") as client:
        with pytest.raises(RuntimeError):
            await client.get("/")

    defect, request = logs.lines
    assert (defect["error"], request["status"]) == ("RuntimeError", 200)
    assert SECRET not in logs.text


async def test_a_defect_of_the_application_itself_is_masked_too(
    gateway: Gateway, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.web.endpoint.choose", lambda _: 1 / 0)

    response = await gateway.post({"query": QUESTION})

    assert (response.status_code, codes(response)) == (500, ["INTERNAL"])
    assert "ZeroDivision" not in response.text
    assert [line["error"] for line in logs.of("gateway.graphql")] == ["ZeroDivisionError"]


def assert_masked(response: Response, logs: Logs) -> None:
    """Nothing of the defect is told, and the log names its kind and place under the id that the client was given."""
    for inside in (SECRET, "SELECT", "RuntimeError", "Traceback", ".py", "site-packages", "line 1,"):
        assert inside not in response.text
    (defect,) = logs.of("gateway.graphql")
    assert (defect["request_id"], defect["error"]) == (response.headers["X-Request-Id"], "RuntimeError")
    assert any("test_endpoint.py" in place and place.endswith(" fail") for place in defect["places"])
    assert SECRET not in logs.text


# --- the closed list --------------------------------------------------------------------------------------------------

Asking = Callable[[Gateway, pytest.MonkeyPatch], Awaitable[Response]]


async def out_of_time(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Response:
    def at_once(_: float) -> asyncio.Timeout:
        return asyncio.timeout_at(0)

    monkeypatch.setattr("app.web.endpoint.asyncio.timeout", at_once)
    return await gateway.ask(QUESTION)


async def defective(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Response:
    monkeypatch.setattr("app.web.endpoint.parse_body", lambda *_: 1 / 0)
    return await gateway.ask(QUESTION)


async def strange(gateway: Gateway, _: pytest.MonkeyPatch) -> Response:
    return await gateway.post({"query": QUESTION}, Authorization=f"Bearer {gateway.token(tenant_id=STRANGER)}")


async def unentitled(gateway: Gateway, _: pytest.MonkeyPatch) -> Response:
    headers = {"Authorization": f"Bearer {gateway.token('northwind-helpdesk')}"}
    return await gateway.client.get("/audit.csv", headers=headers)


CLOSED: dict[ProblemCode, tuple[Asking, int]] = {
    ProblemCode.UNAUTHENTICATED: (lambda gateway, _: gateway.post({}, Authorization="Bearer x"), 401),
    ProblemCode.UNKNOWN_TENANT: (strange, 403),
    ProblemCode.FORBIDDEN: (unentitled, 403),
    ProblemCode.BAD_REQUEST: (lambda gateway, _: gateway.post([]), 400),
    ProblemCode.PARSE_FAILED: (lambda gateway, _: gateway.ask("{"), 200),
    ProblemCode.VALIDATION_FAILED: (lambda gateway, _: gateway.ask("{ nothing }"), 200),
    ProblemCode.BAD_ARGUMENT: (lambda gateway, _: gateway.ask(ROOMS, first=0), 200),
    ProblemCode.LIMIT_EXCEEDED: (lambda gateway, _: gateway.ask("{ a: __typename " * 51 + "}" * 51), 200),
    ProblemCode.TIMEOUT: (out_of_time, 503),
    ProblemCode.INTERNAL: (defective, 500),
}
"""Every code, how it comes about, and its status in plain JSON. That no answer has another is held against all."""


@pytest.mark.parametrize("code", ProblemCode)
async def test_every_code_of_the_closed_list_occurs(
    code: ProblemCode, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking, status = CLOSED[code]

    response = await asking(gateway, monkeypatch)

    assert (response.status_code, codes(response)) == (status, [code])


# --- other origins ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body, changed, status", [({"query": QUESTION}, {}, 200), ({}, {}, 400), ({}, {"Authorization": "Bearer x"}, 401)]
)
async def test_a_listed_origin_reads_every_answer_its_request_id_and_the_challenge(
    body: Body, changed: dict[str, str], status: int, gateway: Gateway
) -> None:
    response = await gateway.post(body, Origin=ORIGIN, **changed)

    assert response.status_code == status
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    exposed = set(response.headers["Access-Control-Expose-Headers"].split(", "))
    assert exposed == {"X-Request-Id", "WWW-Authenticate", "Content-Disposition"}
    assert "Origin" in response.headers["Vary"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", f"{ORIGIN}.evil.example", f"{ORIGIN}:8443", "http://portal.example", "null", "*"]
)
async def test_another_origin_reads_nothing(origin: str, gateway: Gateway) -> None:
    response = await gateway.post({"query": QUESTION}, Origin=origin)
    preflight = await gateway.client.options("/graphql", headers=asking_first(origin))

    assert "Access-Control-Allow-Origin" not in response.headers
    assert "Access-Control-Allow-Origin" not in preflight.headers
    assert preflight.status_code == 400


async def test_a_listed_origin_may_post_json_with_a_token(gateway: Gateway) -> None:
    response = await gateway.client.options("/graphql", headers=asking_first(ORIGIN))

    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert response.headers["Access-Control-Allow-Methods"] == "GET, POST"
    assert {"Authorization", "Content-Type"} <= set(response.headers["Access-Control-Allow-Headers"].split(", "))


@pytest.mark.parametrize(
    "change", [{"Access-Control-Request-Method": "DELETE"}, {"Access-Control-Request-Headers": "x-y"}]
)
async def test_a_listed_origin_may_nothing_else(change: dict[str, str], gateway: Gateway) -> None:
    response = await gateway.client.options("/graphql", headers=asking_first(ORIGIN) | change)

    assert response.status_code == 400


def asking_first(origin: str) -> dict[str, str]:
    """The headers with which a browser asks whether a page of this origin may ask."""
    return {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
