import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.web import key_sets
from app.web.key_sets import MAX_BODY_BYTES, KeySet
from app.web.keys import KeysUnavailable, StaticKeys, read_keys
from tests.web.hostile_tokens import ISSUER, NOW, OTHER_TENANT, PERSONAL_TENANT, TENANT, encode, issuer_of, private_key
from tests.web.hostile_tokens import public_jwk as jwk

URL = "https://login.example/discovery/v2.0/keys"
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def entry(key: str = "first", **changes: Any) -> dict[str, Any]:
    members = {**jwk(key), "kid": key, "use": "sig", "alg": "RS256", **changes}
    return {name: value for name, value in members.items() if value is not ...}


def private_jwk(key: str) -> dict[str, Any]:
    return {"d": encode(private_key(key).private_numbers().d.to_bytes(256, "big"))}


def document(*entries: Any) -> bytes:
    return json.dumps({"keys": entries}).encode()


class Endpoint:
    """The issuer's end of the line: what it answers can be changed, and a held answer waits to be released."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.released = asyncio.Event()
        self.released.set()
        self.publish("first")

    def publish(self, *keys: str) -> None:
        self.answer(200, document(*map(entry, keys)))

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.failure: Exception | None = None
        self.status, self.body, self.headers = status, body, headers

    def fail(self, failure: Exception) -> None:
        self.failure = failure

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        await self.released.wait()
        if self.failure is not None:
            raise self.failure
        return httpx.Response(self.status, content=streamed(self.body), headers=self.headers)


async def streamed(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 1000):
        yield body[start : start + 1000]


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
async def keys(endpoint: Endpoint) -> AsyncIterator[KeySet]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(endpoint), follow_redirects=True) as client:
        found = KeySet(URL, client)
        yield found
        await found.close()


async def settled() -> None:
    """Long enough for everything that waits on nothing."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_a_key_is_fetched_once_and_kept(keys: KeySet, endpoint: Endpoint) -> None:
    found = await keys.key("first", NOW)
    again = await keys.key("first", NOW + HOUR - SECOND)
    await settled()

    assert found is not None
    assert found.public == private_key("first").public_key()
    assert again == found
    assert [str(request.url) for request in endpoint.requests] == [URL]


async def test_an_unknown_kid_asks_again_at_most_once_a_minute(keys: KeySet, endpoint: Endpoint) -> None:
    await keys.key("first", NOW)

    for second in range(180):
        assert await keys.key(f"unknown {second}", NOW + second * SECOND) is None

    assert len(endpoint.requests) == 3


async def test_a_new_key_is_found_a_minute_after_the_last_fetch(keys: KeySet, endpoint: Endpoint) -> None:
    await keys.key("first", NOW)
    endpoint.publish("first", "second")

    early = await keys.key("second", NOW + MINUTE - SECOND)
    then = await keys.key("second", NOW + MINUTE)

    assert early is None
    assert then is not None


async def test_a_withdrawn_key_is_gone_with_the_next_fetch(keys: KeySet, endpoint: Endpoint) -> None:
    await keys.key("first", NOW)
    endpoint.publish("second")

    assert await keys.key("second", NOW + MINUTE) is not None
    assert await keys.key("first", NOW + MINUTE) is None


async def test_an_old_set_is_refreshed_beside_the_request(keys: KeySet, endpoint: Endpoint) -> None:
    await keys.key("first", NOW)
    endpoint.publish("second")
    endpoint.released.clear()

    served = await asyncio.wait_for(keys.key("first", NOW + HOUR), timeout=1)
    endpoint.released.set()
    await settled()

    assert served is not None
    assert len(endpoint.requests) == 2
    assert await keys.key("first", NOW + HOUR + SECOND) is None


@pytest.mark.parametrize(
    "failure", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("broken")]
)
async def test_in_an_outage_known_keys_serve_for_a_day_and_no_longer(
    keys: KeySet, endpoint: Endpoint, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    await keys.key("first", NOW)
    endpoint.fail(failure)

    for hours in range(24):
        assert await keys.key("first", NOW + hours * HOUR) is not None
        assert await keys.ready(NOW + hours * HOUR)
        await settled()
    with pytest.raises(KeysUnavailable):
        await keys.key("first", NOW + 24 * HOUR)

    assert not await keys.ready(NOW + 24 * HOUR)
    assert caplog.messages == [f"signing keys not refreshed: {failure!r}"] * 24


async def test_an_outage_does_not_raise_the_rate(keys: KeySet, endpoint: Endpoint) -> None:
    endpoint.fail(httpx.ConnectError("refused"))

    for second in range(120):
        with pytest.raises(KeysUnavailable):
            await keys.key("first", NOW + second * SECOND)

    assert len(endpoint.requests) == 2


async def test_after_an_outage_keys_are_there_again(keys: KeySet, endpoint: Endpoint) -> None:
    endpoint.fail(httpx.ConnectError("refused"))
    down = await keys.ready(NOW)
    endpoint.publish("first")

    too_early = await keys.ready(NOW + MINUTE - SECOND)
    up = await keys.ready(NOW + MINUTE)

    assert (down, too_early, up) == (False, False, True)
    assert await keys.key("first", NOW + MINUTE) is not None


@pytest.mark.parametrize(
    "status, body",
    [
        (500, document(entry("second"))),
        (404, b""),
        (204, b""),
        (200, b""),
        (200, b"<html>"),
        (200, b"null"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"keys": {}}'),
        (200, b'{"keys": 1}'),
        (200, b'{"keys": []}'),
        (200, b'{"keys": [null, 1, "x", []]}'),
        (200, b"[" * 100_000),
        (200, b"\xff\xfe\xff"),
        (200, document(entry("second"), entry("first", kid="second"))),
        (200, document(entry("second"), {"pad": "x" * MAX_BODY_BYTES})),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_an_answer_that_is_no_key_set_changes_nothing(
    keys: KeySet, endpoint: Endpoint, status: int, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    await keys.key("first", NOW)
    endpoint.answer(status, body)

    unknown = await keys.key("second", NOW + MINUTE)

    assert len(endpoint.requests) == 2
    assert unknown is None
    assert await keys.key("first", NOW + MINUTE) is not None
    assert len(caplog.messages) == 1


async def test_a_redirect_is_not_followed(keys: KeySet, endpoint: Endpoint) -> None:
    endpoint.answer(302, b"", location="https://attacker.example/keys")

    assert not await keys.ready(NOW)
    assert len(endpoint.requests) == 1


async def test_a_large_answer_is_not_read_to_its_end(endpoint: Endpoint) -> None:
    chunks = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal chunks
        while True:
            chunks += 1
            yield bytes(1024)

    async def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=endless())

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        assert not await KeySet(URL, client).ready(NOW)

    assert chunks == MAX_BODY_BYTES // 1024 + 1


async def test_no_compressed_answer_is_asked_for_or_unpacked(keys: KeySet, endpoint: Endpoint) -> None:
    endpoint.answer(200, document(entry()), **{"content-encoding": "gzip"})

    assert await keys.ready(NOW)
    assert endpoint.requests[0].headers["accept-encoding"] == "identity"


async def test_an_answer_that_never_ends_is_given_up(
    keys: KeySet, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(key_sets, "FETCH_SECONDS", 0.01)
    endpoint.released.clear()

    with pytest.raises(KeysUnavailable):
        await asyncio.wait_for(keys.key("first", NOW), timeout=5)

    assert caplog.messages == ["signing keys not refreshed: TimeoutError()"]


async def test_requests_at_the_same_time_share_one_fetch(keys: KeySet, endpoint: Endpoint) -> None:
    endpoint.released.clear()

    waiting = [asyncio.create_task(keys.key("first", NOW + n * MINUTE)) for n in range(50)]
    await settled()
    endpoint.released.set()
    found = await asyncio.gather(*waiting)

    assert len(endpoint.requests) == 1
    assert None not in found


async def test_a_client_that_hangs_up_does_not_end_the_fetch_of_others(keys: KeySet, endpoint: Endpoint) -> None:
    endpoint.released.clear()
    gone = asyncio.create_task(keys.key("first", NOW))
    stays = asyncio.create_task(keys.key("first", NOW))
    await settled()

    gone.cancel()
    await settled()
    endpoint.released.set()

    assert await stays is not None
    assert gone.cancelled()


async def test_who_can_be_answered_does_not_wait_for_another_fetch(keys: KeySet, endpoint: Endpoint) -> None:
    await keys.key("first", NOW)
    endpoint.released.clear()
    stranger = asyncio.create_task(keys.key("unknown", NOW + MINUTE))
    await settled()

    assert await asyncio.wait_for(keys.key("first", NOW + MINUTE), timeout=1) is not None

    assert not stranger.done()
    endpoint.released.set()
    assert await stranger is None


async def test_closing_ends_a_fetch(keys: KeySet, endpoint: Endpoint) -> None:
    endpoint.released.clear()
    waiting = asyncio.create_task(keys.key("first", NOW))
    await settled()

    await asyncio.wait_for(keys.close(), timeout=1)

    assert keys._fetch is not None
    assert keys._fetch.done()
    with pytest.raises(KeysUnavailable):
        await waiting


async def test_closing_what_never_fetched_is_nothing(keys: KeySet, endpoint: Endpoint) -> None:
    await keys.close()

    assert endpoint.requests == []


@pytest.mark.parametrize(
    "url", ["http://login.example/keys", "ftp://login.example/keys", "ftp://localhost/keys", "/keys", ""]
)
async def test_keys_are_not_fetched_where_anyone_could_answer(url: str) -> None:
    async with httpx.AsyncClient() as client:
        with pytest.raises(ValueError, match="https only"):
            KeySet(url, client)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/keys", "http://localhost/keys", "http://[::1]/keys"])
async def test_keys_may_come_from_the_same_machine(url: str) -> None:
    async with httpx.AsyncClient() as client:
        assert KeySet(url, client).url == url


@pytest.mark.parametrize(
    "changes", [{}, {"use": ...}, {"alg": ...}, {"x5c": ["MIIB"], "x5t": "first"}, {"kid": "ключ"}], ids=str
)
def test_a_key_for_signatures_is_read(changes: dict[str, Any]) -> None:
    usable = entry(**changes)
    found = read_keys(document(usable))

    assert found[usable["kid"]].public == private_key("first").public_key()


@pytest.mark.parametrize(
    "changes",
    [
        {"use": "enc"},
        {"use": None},
        {"alg": "RS512"},
        {"alg": "HS256"},
        {"alg": None},
        {"kty": "EC"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": ...},
        {"kty": ["RSA"]},
        {"kid": ...},
        {"kid": ""},
        {"kid": 1},
        {"n": ...},
        {"n": ""},
        {"n": 1},
        {"n": "\ud800"},
        {"n": jwk("weak")["n"]},
        {"n": "_" * 12_000},
        {"e": ...},
        {"e": "AQ"},
        {"e": "Ag"},
        {"e": None},
        private_jwk("first"),
        *({member: "AQAB"} for member in ("d", "p", "q", "dp", "dq", "qi", "oth", "k")),
    ],
    ids=lambda changes: str(changes)[:7],
)
def test_any_other_key_is_skipped(changes: dict[str, Any]) -> None:
    found = read_keys(document(entry(**changes), entry("second")))

    assert found.keys() == {"second"}


def test_a_key_signs_for_the_issuers_it_is_published_for_and_for_any_if_none_is_named() -> None:
    found = read_keys(
        document(
            entry("first"),
            entry("second", issuer=ISSUER.replace("{tid}", "{tenantid}")),
            entry("third", issuer=issuer_of(PERSONAL_TENANT)),
        )
    )

    for tenant in (TENANT, OTHER_TENANT, PERSONAL_TENANT):
        assert found["first"].signs_for(issuer_of(tenant), tenant)
        assert found["second"].signs_for(issuer_of(tenant), tenant)
        assert not found["second"].signs_for("https://elsewhere.example", tenant)
        assert found["third"].signs_for(issuer_of(tenant), tenant) is (tenant == PERSONAL_TENANT)


def test_one_key_published_twice_signs_for_both_issuers() -> None:
    twice = [entry(issuer=issuer_of(tenant)) for tenant in (TENANT, PERSONAL_TENANT)]

    found = read_keys(document(*twice))["first"]

    assert found.signs_for(issuer_of(TENANT), TENANT)
    assert found.signs_for(issuer_of(PERSONAL_TENANT), PERSONAL_TENANT)
    assert not found.signs_for(issuer_of(OTHER_TENANT), OTHER_TENANT)


async def test_static_keys_are_always_ready() -> None:
    known = StaticKeys(read_keys(document(entry())))

    assert await known.ready(NOW)
    assert await known.key("first", NOW) is not None
    assert await known.key("second", NOW) is None
