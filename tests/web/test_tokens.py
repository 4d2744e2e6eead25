from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.permissions import DirectoryRole
from app.domain.vocabulary import PrincipalKind
from app.web.keys import Keys, KeysUnavailable, SigningKey
from app.web.tokens import Claims, TokenRefused, TokenVerifier
from tests.web import hostile_tokens as made
from tests.web.hostile_tokens import AUDIENCE, HEADER, HOUR, ISSUER, NOW, PERSON, SCOPE, TENANT, USER, T

HOSTILE = made.hostile()
ACCEPTED = made.accepted()
REASONS = {case.reason for case in HOSTILE} | {
    "iat is not a moment",
    "upn has characters that are not text",
    "preferred_username has characters that are not text",
}

THE_USER = Claims(
    tenant_id=TENANT,
    principal_id=PERSON,
    kind=PrincipalKind.USER,
    directory_roles=frozenset({DirectoryRole.GLOBAL_ADMINISTRATOR}),
    display_name="Contoso Manager",
    user_principal_name="manager@contoso.example",
    guest=False,
    expires_at=datetime.fromtimestamp(T + HOUR, UTC),
)


def verifier(issuer: str = ISSUER, keys: Keys | None = None) -> TokenVerifier:
    return TokenVerifier(issuer, AUDIENCE, SCOPE, keys or made.published())


async def answered(token: str, now: datetime = NOW) -> Claims | str:
    """The claims, or the reason of the refusal."""
    try:
        return await verifier().verify(token, now)
    except TokenRefused as refused:
        return refused.reason


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)
async def test_a_hostile_token_is_refused_for_its_one_reason(case: made.Hostile) -> None:
    with pytest.raises(TokenRefused) as refused:
        await verifier().verify(case.make(), NOW)

    assert refused.value.reason == str(refused.value) == case.reason


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.name)
async def test_an_accepted_shape_is_read(case: made.Accepted) -> None:
    claims = await verifier().verify(case.make(), NOW)

    assert claims == replace(THE_USER, **case.expected)


def test_there_are_at_least_100_hostile_tokens_and_no_two_alike() -> None:
    tokens = {case.make() for case in HOSTILE}

    assert len(tokens) == len({case.name for case in HOSTILE}) == len(HOSTILE) >= 100


@pytest.mark.parametrize(
    "seconds, answer",
    [(-60.001, made.NBF), (-60, THE_USER), (HOUR - 0.001, THE_USER), (HOUR, made.EXP), (20 * made.YEAR, made.EXP)],
)
async def test_the_moment_decides_and_not_the_clock(seconds: float, answer: Claims | str) -> None:
    assert await answered(made.token(), NOW + timedelta(seconds=seconds)) == answer


async def test_without_keys_to_decide_with_a_good_token_is_refused() -> None:
    class NoKeys:
        async def key(self, kid: str, now: datetime) -> SigningKey | None:
            raise KeysUnavailable

        async def ready(self, now: datetime) -> bool:
            return False

        async def close(self) -> None: ...

    with pytest.raises(TokenRefused, match="there are no keys to decide with"):
        await verifier(keys=NoKeys()).verify(made.token(), NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.sampled_from([T, TENANT, SCOPE]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.text() | st.text(alphabet="aAeyJ0-_.=", max_size=80))
async def test_any_string_is_refused_and_nothing_else_is_raised(text: str) -> None:
    with pytest.raises(TokenRefused) as refused:
        await verifier().verify(text, NOW)

    assert refused.value.reason in REASONS


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(st.sampled_from([*USER, "idtyp", "acct", "upn", "cnf"]), JSON, max_size=3),
    st.dictionaries(st.sampled_from([*HEADER, "crit", "jwk"]), JSON, max_size=1),
)
async def test_whatever_is_signed_is_read_or_refused_and_nothing_else_is_raised(
    claims: dict[str, Any], header: dict[str, Any]
) -> None:
    token = made.token(USER | claims, HEADER | header)

    answer = await answered(token)

    assert isinstance(answer, Claims) or answer in REASONS


@pytest.mark.parametrize(
    "issuer",
    ["https://login.example/common/v2.0", "https://{tid}.example/{tid}", "https://login.example/{tenantid}", ""],
)
def test_an_issuer_that_would_leave_the_tenant_unchecked_is_refused_at_once(issuer: str) -> None:
    with pytest.raises(ValueError, match=r"needs \{tid\} once"):
        verifier(issuer)


@pytest.mark.parametrize("audience, scope", [("", SCOPE), (AUDIENCE, ""), (AUDIENCE, "openid profile")])
def test_an_audience_or_scope_that_nothing_could_equal_is_refused_at_once(audience: str, scope: str) -> None:
    with pytest.raises(ValueError, match="each one word"):
        TokenVerifier(ISSUER, audience, scope, made.published())


@pytest.mark.parametrize(
    "change",
    [
        {"tenant_id": TENANT.upper()},
        {"tenant_id": f"{TENANT}\n"},
        {"principal_id": "manager@contoso.example"},
        {"kind": PrincipalKind.GROUP},
        {"kind": PrincipalKind.APPLICATION},
    ],
    ids=str,
)
def test_claims_of_what_nobody_can_be_cannot_be_made(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        replace(THE_USER, **change)
