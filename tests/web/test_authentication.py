"""Who may ask at all, and that whoever may not learns nothing from how it is said."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col
from starlette.routing import Route

from app.domain.permissions import DirectoryRole
from app.domain.vocabulary import PrincipalKind
from app.storage.engines import Database
from app.storage.tables import Principal
from app.web.development_issuer import DevelopmentIssuer
from app.web.keys import KeysUnavailable, SigningKey
from app.web.tokens import TokenVerifier
from tests.graph.asking import viewer_of
from tests.graph.relating import meddle
from tests.web import hostile_tokens
from tests.web.gateway import ANSWER, GRAPHQL_RESPONSE, JSON, QUESTION, Gateway, Logs, claims_of, codes, opened
from tests.world import SEEDED_AT, Worlds

MANAGER, NOBODY, TOOL = "contoso-manager", "contoso-nobody", "northwind-tool"
CONTOSO, FABRIKAM = viewer_of(MANAGER).tenant_id, viewer_of("fabrikam-manager").tenant_id
STRANGER = "8d2c6f0e-0c1f-4f0b-9c3e-0d6f5f6b7a11"
WHO = """{ viewer {
  principal { __typename ... on User { id displayName } ... on Application { id displayName } }
  tenant { displayName }
  rooms { totalCount { value } }
} }"""
REFUSAL = (
    b'{"errors":[{"message":"Send a valid access token as `Authorization: Bearer \xe2\x80\xa6`.",'
    b'"extensions":{"code":"UNAUTHENTICATED"}}]}'
)

NO_TOKEN, NOT_COMPACT = "there is no bearer token", "not three parts of base64url"
SEVERAL, UNREGISTERED = "there are several Authorization headers", "the application is not registered in its tenant"

Headers = list[tuple[str, str]]


def bearer(token: str, scheme: str = "Bearer") -> Headers:
    return [("Authorization", f"{scheme} {token}")]


def late(gateway: Gateway) -> str:
    """A token that was good until this moment."""
    return gateway.issuer.token(claims_of(MANAGER, expires_at=SEEDED_AT), SEEDED_AT - timedelta(hours=1))


def forged(gateway: Gateway) -> str:
    """What one token says, with the signature of another."""
    return gateway.token().rpartition(".")[0] + "." + gateway.token(NOBODY).rpartition(".")[2]


REFUSED: dict[str, tuple[Callable[[Gateway], Headers], str]] = {
    "no token": (lambda _: [], NO_TOKEN),
    "an empty header": (lambda _: [("Authorization", "")], NO_TOKEN),
    "a scheme alone": (lambda _: [("Authorization", "Bearer")], NO_TOKEN),
    "a scheme without a token": (lambda _: bearer(""), NO_TOKEN),
    "a token alone": (lambda gateway: [("Authorization", gateway.token())], NO_TOKEN),
    "another scheme": (lambda gateway: bearer(gateway.token(), "Basic"), NO_TOKEN),
    "a scheme that only begins alike": (lambda gateway: bearer(gateway.token(), "BearerX"), NO_TOKEN),
    "a scheme and two spaces": (lambda gateway: bearer(f" {gateway.token()}"), NOT_COMPACT),
    "two tokens in one header": (lambda gateway: bearer(f"{gateway.token()}, Bearer {gateway.token()}"), NOT_COMPACT),
    "two headers, alike": (lambda gateway: bearer(gateway.token()) * 2, SEVERAL),
    "two headers, the second good": (lambda gateway: bearer("x") + bearer(gateway.token()), SEVERAL),
    "two headers, the first good": (lambda gateway: bearer(gateway.token()) + bearer("x"), SEVERAL),
    "a cookie": (lambda gateway: [("Cookie", f"Authorization=Bearer {gateway.token()}")], NO_TOKEN),
    "a header of proxies": (lambda gateway: [("X-Forwarded-Authorization", f"Bearer {gateway.token()}")], NO_TOKEN),
    "rubbish": (lambda _: bearer("rubbish"), NOT_COMPACT),
    "a broken signature": (lambda gateway: bearer(forged(gateway)), "the signature is not the key's"),
    "an expired token": (lambda gateway: bearer(late(gateway)), "exp is past"),
    "an unregistered application": (lambda gateway: bearer(gateway.token(TOOL, principal_id=STRANGER)), UNREGISTERED),
    "an application in another tenant": (lambda gateway: bearer(gateway.token(TOOL, tenant_id=CONTOSO)), UNREGISTERED),
    "a person as an application": (
        lambda gateway: bearer(gateway.token(MANAGER, kind=PrincipalKind.APPLICATION)),
        UNREGISTERED,
    ),
}
"""By what is wrong: the headers, and the reason that the log alone is told."""


@pytest.mark.parametrize("accept", [JSON, GRAPHQL_RESPONSE])
@pytest.mark.parametrize("case", REFUSED)
async def test_whoever_is_not_authenticated_reads_the_same_bytes_and_the_log_the_reason(
    case: str, accept: str, gateway: Gateway, logs: Logs
) -> None:
    make, reason = REFUSED[case]
    headers = make(gateway)

    response = await gateway.client.post("/graphql", json={"query": QUESTION}, headers=[*headers, ("Accept", accept)])

    assert (response.status_code, response.content) == (401, REFUSAL)
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="partner-gateway"'
    (refused,) = logs.of("gateway.tokens")
    assert (refused["reason"], refused["request_id"]) == (reason, response.headers["X-Request-Id"])
    assert not any(token in logs.text for _, value in headers for token in value.split() if len(token) > 20)


@pytest.mark.parametrize("name", ["access_token", "token", "Authorization"])
async def test_a_token_in_the_address_is_no_token_and_is_not_logged(name: str, gateway: Gateway, logs: Logs) -> None:
    token = gateway.token()

    response = await gateway.client.post("/graphql", params={name: token}, json={"query": QUESTION})
    lost = await gateway.client.post(f"/graphql/{token}", json={"query": QUESTION})

    assert (response.status_code, response.content, lost.status_code) == (401, REFUSAL, 404)
    assert not any(part in logs.text for part in token.split("."))


@pytest.mark.parametrize("body", [b"", b"not JSON", b"{" * 100_000, b'{"query":"{ nothing }"}'])
async def test_who_asks_is_settled_before_what_is_asked_is_looked_at(body: bytes, gateway: Gateway) -> None:
    response = await gateway.client.post("/graphql", content=body, headers={"Content-Type": "text/plain"})

    assert (response.status_code, response.content) == (401, REFUSAL)


async def test_everything_but_health_needs_a_token(gateway: Gateway) -> None:
    routes = [route for route in gateway.app.routes if isinstance(route, Route)]
    assert len(routes) == len(gateway.app.routes)

    open_to_all = set()
    for route in routes:
        for method in route.methods or ():
            response = await gateway.client.request(method, route.path, headers={"Content-Type": JSON})
            if response.status_code != 401:
                open_to_all.add((method, route.path))

    assert open_to_all == {(method, path) for method in ("GET", "HEAD") for path in ("/healthz", "/readyz")}


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_schemes_case_does_not_matter(scheme: str, gateway: Gateway) -> None:
    headers = bearer(gateway.token(), scheme)

    response = await gateway.client.post("/graphql", json={"query": QUESTION}, headers=headers)

    assert response.json() == ANSWER


# --- who is known -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [MANAGER, TOOL])
async def test_a_tenant_that_nobody_registered_is_told_so(name: str, on_each: Gateway) -> None:
    headers = bearer(on_each.token(name, tenant_id=STRANGER))

    response = await on_each.client.post("/graphql", json={"query": QUESTION}, headers=headers)

    assert (response.status_code, codes(response)) == (403, ["UNKNOWN_TENANT"])
    assert "WWW-Authenticate" not in response.headers


async def test_an_unknown_person_of_a_registered_tenant_is_answered_from_the_token(on_each: Gateway) -> None:
    token = on_each.token(
        NOBODY, principal_id=STRANGER, display_name="Somebody New", user_principal_name="new@x.example"
    )

    answer = await who(on_each, token)

    assert answer == seen("User", f"user_{CONTOSO}_{STRANGER}", "Somebody New", "Contoso", 0)


async def test_an_unknown_person_holds_the_directory_roles_of_the_token(on_each: Gateway) -> None:
    roles = frozenset({DirectoryRole.GLOBAL_ADMINISTRATOR})

    answer = await who(on_each, on_each.token(NOBODY, principal_id=STRANGER, directory_roles=roles))

    assert answer["rooms"]["totalCount"]["value"] == 24


async def test_a_known_persons_stored_name_wins_over_the_tokens(on_each: Gateway) -> None:
    answer = await who(on_each, on_each.token(MANAGER, display_name="Mallory"))

    assert answer["principal"]["displayName"] == MANAGER


async def test_the_same_object_id_in_another_tenant_is_somebody_else(on_each: Gateway) -> None:
    manager = viewer_of(MANAGER).principal_id

    at_home = await who(on_each, on_each.token(MANAGER))
    elsewhere = await who(on_each, on_each.token(MANAGER, tenant_id=FABRIKAM, display_name="Twin"))

    assert at_home == seen("User", f"user_{CONTOSO}_{manager}", MANAGER, "Contoso", 24)
    assert elsewhere == seen("User", f"user_{FABRIKAM}_{manager}", "Twin", "Fabrikam", 0)


async def test_a_registered_application_is_answered_and_its_directory_roles_are_not_looked_at(
    on_each: Gateway, issuer: DevelopmentIssuer
) -> None:
    viewer, roles = viewer_of(TOOL), [DirectoryRole.GLOBAL_ADMINISTRATOR.value]

    answer = await who(on_each, on_each.token(TOOL))
    async with opened(on_each.database, issuer, verifier=FOREIGN, now=hostile_tokens.NOW) as other:
        with_roles = await who(other, application(tid=viewer.tenant_id, oid=viewer.principal_id, wids=roles))

    assert answer["principal"]["__typename"] == "Application"
    assert answer["rooms"]["totalCount"]["value"] == 7
    assert with_roles == answer


FOREIGN = TokenVerifier(
    hostile_tokens.ISSUER, hostile_tokens.AUDIENCE, hostile_tokens.SCOPE, hostile_tokens.published()
)
"""Accepts tokens whose claims the tests write themselves."""


def application(*, tid: str, **claims: Any) -> str:
    """A token of an application, with directory roles if the claims say so."""
    return hostile_tokens.token(
        hostile_tokens.APPLICATION | {"tid": tid, "iss": hostile_tokens.issuer_of(tid)} | claims
    )


@pytest.mark.parametrize("name", [NOBODY, "contoso-global-admin", TOOL])
async def test_whom_the_directory_removed_is_refused_and_whom_it_restored_is_answered(
    name: str, own_world: Database, issuer: DevelopmentIssuer, logs: Logs
) -> None:
    viewer = viewer_of(name)
    this = (col(Principal.tenant_id) == viewer.tenant_id, col(Principal.id) == viewer.principal_id)
    async with opened(own_world, issuer) as gateway:
        before = await gateway.ask(WHO, name=name)
        await meddle(own_world, update(Principal).where(*this).values(removed_at=SEEDED_AT))
        refused = await gateway.ask(WHO, name=name)
        namesake = await gateway.ask(QUESTION, name="fabrikam-manager")
        await meddle(own_world, update(Principal).where(*this).values(removed_at=None))
        after = await gateway.ask(WHO, name=name)

    assert (refused.status_code, refused.content) == (401, REFUSAL)
    assert [line["reason"] for line in logs.of("gateway.tokens")] == ["the directory has removed who asks"]
    assert (before.status_code, namesake.status_code) == (200, 200)
    assert after.json() == before.json()


async def who(gateway: Gateway, token: str) -> Any:
    """Who the gateway takes the bearer of this token for, and how many rooms they see."""
    response = await gateway.client.post("/graphql", json={"query": WHO}, headers=bearer(token))
    body = response.json()
    assert "errors" not in body
    return body["data"]["viewer"]


def seen(kind: str, identifier: str, name: str, tenant: str, rooms: int) -> dict[str, Any]:
    return {
        "principal": {"__typename": kind, "id": identifier, "displayName": name},
        "tenant": {"displayName": tenant},
        "rooms": {"totalCount": {"value": rooms}},
    }


# --- what is good at the issuer is not always enough ------------------------------------------------------------------


async def test_without_keys_nobody_is_let_in_and_the_log_says_why(
    worlds: dict[str, Worlds], issuer: DevelopmentIssuer, logs: Logs
) -> None:
    class Outage:
        async def key(self, kid: str, now: datetime) -> SigningKey | None:
            raise KeysUnavailable

        async def ready(self, now: datetime) -> bool:
            return False

        async def close(self) -> None: ...

    verifier = TokenVerifier(hostile_tokens.ISSUER, hostile_tokens.AUDIENCE, hostile_tokens.SCOPE, Outage())
    async with opened(worlds["sqlite"].shared, issuer, verifier=verifier) as gateway:
        response = await gateway.ask(QUESTION)

    assert (response.status_code, response.content) == (401, REFUSAL)
    assert [line["reason"] for line in logs.of("gateway.tokens")] == ["there are no keys to decide with"]


async def test_a_token_of_another_issuer_is_none(worlds: dict[str, Worlds], issuer: DevelopmentIssuer) -> None:
    async with opened(worlds["sqlite"].shared, issuer, verifier=FOREIGN) as gateway:
        response = await gateway.ask(QUESTION)

    assert (response.status_code, response.content) == (401, REFUSAL)
