"""The keys that an issuer signs with: fetched, kept for a while, and never the reason that everyone is locked out."""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

ALGORITHM = "RS256"
"""The one algorithm: with a choice, a token could pick how it is checked."""

MIN_KEY_BITS, MAX_KEY_BITS = 2048, 8192
"""Below, a key can be broken (NIST SP 800-131A); above, checking one signature costs milliseconds."""

REFRESH_AFTER = timedelta(hours=1)
"""A key that the issuer withdraws is trusted this much longer at most, while its endpoint answers."""
RETRY_AFTER = timedelta(minutes=1)
"""Anyone can send an unknown `kid`; this keeps them from making us knock more often."""
SERVE_STALE_FOR = timedelta(hours=24)
"""An outage at the issuer shorter than this locks nobody out; after it, a withdrawn key would live too long."""

FETCH_SECONDS = 10.0
"""For the whole answer, so that one that trickles ends too."""
MAX_BODY_BYTES = 256 * 1024
"""Ten times what Entra publishes."""

PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

logger = logging.getLogger(__name__)


class KeysUnavailable(Exception):
    """No keys are known that could still be trusted, so nothing can be decided."""


@dataclass(frozen=True)
class SigningKey:
    """A public key, and the issuers that it may sign for, `{tid}` standing for any tenant; none named means any."""

    public: RSAPublicKey
    issuers: frozenset[str] = frozenset()

    def signs_for(self, issuer: str, tenant_id: str) -> bool:
        """Whether a token of this issuer and tenant may be signed with this key.

        Entra publishes the key of personal accounts beside those of organizations; it must not vouch for a tenant.
        """
        return not self.issuers or issuer in {named.replace("{tid}", tenant_id) for named in self.issuers}


class Keys(Protocol):
    """Where a verifier gets its keys from."""

    async def key(self, kid: str, now: datetime) -> SigningKey | None:
        """The key of this name, or None if the issuer has none. Raises `KeysUnavailable` if that cannot be said."""

    async def ready(self, now: datetime) -> bool:
        """Whether a token could be decided on now."""


@dataclass(frozen=True)
class StaticKeys:
    """Keys that are known from the start and never change."""

    keys: Mapping[str, SigningKey]

    async def key(self, kid: str, now: datetime) -> SigningKey | None:  # noqa: ARG002
        """The key of this name, or None."""
        return self.keys.get(kid)

    async def ready(self, now: datetime) -> bool:  # noqa: ARG002
        """Always."""
        return True


@dataclass
class KeySet:
    """The keys at an address (JWKS): asked for when needed, at most once a minute, by one request at a time.

    Who can be answered from what is known does not wait: an old set is refreshed beside the request, so that a slow
    issuer slows down nobody. The fetch is a task of its own, so a client that hangs up does not end it for the others.
    """

    url: str
    client: httpx.AsyncClient
    _keys: dict[str, SigningKey] = field(default_factory=dict, init=False)
    _fetched: datetime | None = field(default=None, init=False)
    _tried: datetime | None = field(default=None, init=False)
    _fetch: asyncio.Task[None] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Raises ValueError for an address at which anyone on the way could put keys of their own."""
        address = httpx.URL(self.url)
        if address.scheme != "https" and not (address.scheme == "http" and address.host in LOOPBACK):
            raise ValueError("keys are fetched over https only")

    async def key(self, kid: str, now: datetime) -> SigningKey | None:
        """The key of this name, or None if the issuer has none. Raises `KeysUnavailable` if that cannot be said."""
        await self._refreshed(now, satisfied=kid in self._keys)
        if not self._trusted(now):
            raise KeysUnavailable
        return self._keys.get(kid)

    async def ready(self, now: datetime) -> bool:
        """Whether a token could be decided on now; asks the issuer if it is time to."""
        await self._refreshed(now, satisfied=True)
        return self._trusted(now)

    async def close(self) -> None:
        """Ends a fetch that is under way. To be called before the client is closed."""
        if self._fetch is not None:
            self._fetch.cancel()
            await asyncio.wait({self._fetch})

    def _trusted(self, now: datetime) -> bool:
        return _within(SERVE_STALE_FOR, self._fetched, now)

    async def _refreshed(self, now: datetime, *, satisfied: bool) -> None:
        """Starts a fetch if one is due, and waits for it only if what is known does not satisfy."""
        if not (satisfied and _within(REFRESH_AFTER, self._fetched, now)):
            self._start(now)
        if self._fetch is not None and not (satisfied and self._trusted(now)):
            await asyncio.wait({self._fetch})

    def _start(self, now: datetime) -> None:
        running = self._fetch is not None and not self._fetch.done()
        if not running and not _within(RETRY_AFTER, self._tried, now):
            self._tried = now
            self._fetch = asyncio.create_task(self._refresh(now))

    async def _refresh(self, now: datetime) -> None:
        """Replaces all keys, so that a withdrawn one is gone; keeps them all if the answer is not a usable set."""
        try:
            self._keys = read_keys(await self._body())
            self._fetched = now
        except (httpx.HTTPError, TimeoutError, ValueError) as problem:
            logger.warning("signing keys not refreshed: %r", problem)

    async def _body(self) -> bytes:
        body = bytearray()
        # Unpacked, a small compressed answer could fill the memory before its size is seen: so none is asked for.
        request = self.client.stream(
            "GET", self.url, headers={"Accept-Encoding": "identity"}, timeout=FETCH_SECONDS, follow_redirects=False
        )
        async with asyncio.timeout(FETCH_SECONDS), request as response:
            if response.status_code != httpx.codes.OK:
                raise ValueError(f"status {response.status_code}")
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise ValueError("too large")
        return bytes(body)


def _within(span: timedelta, since: datetime | None, now: datetime) -> bool:
    return since is not None and now - since < span


def read_keys(body: bytes) -> dict[str, SigningKey]:
    """The usable keys of a JWKS document by their `kid`; others are skipped.

    Raises ValueError if it is no such document, has no usable key, or has two keys of one name.
    """
    found: dict[str, SigningKey] = {}
    for entry in _entries(body):
        if (key := _signing_key(entry)) is not None:
            found[entry["kid"]] = _joined(found.get(entry["kid"]), key)
    if not found:
        raise ValueError("no usable key")
    return found


def _entries(body: bytes) -> list[dict[str, Any]]:
    try:
        document = json.loads(body)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("not a key set")  # noqa: TRY004
    return [entry for entry in entries if isinstance(entry, dict)]


def _signing_key(entry: dict[str, Any]) -> SigningKey | None:
    """The key, or None for one of another kind, for another use, too weak, or published with its private half."""
    if not _is_for_signatures(entry) or entry.keys() & PRIVATE_MEMBERS:
        return None
    try:
        public = jwt.PyJWK(entry, ALGORITHM).key
    except jwt.PyJWTError:
        return None
    if not MIN_KEY_BITS <= public.key_size <= MAX_KEY_BITS:
        return None
    return SigningKey(public, _issuers(entry))


def _is_for_signatures(entry: dict[str, Any]) -> bool:
    named = isinstance(entry.get("kid"), str) and entry["kid"] != ""
    return named and entry.get("use", "sig") == "sig" and entry.get("alg", ALGORITHM) == ALGORITHM


def _issuers(entry: dict[str, Any]) -> frozenset[str]:
    """Entra writes `{tenantid}` into the `issuer` of a key that signs for every tenant."""
    return frozenset({str(entry["issuer"]).replace("{tenantid}", "{tid}")} if "issuer" in entry else ())


def _joined(known: SigningKey | None, key: SigningKey) -> SigningKey:
    """One key published for several issuers. Two keys of one name leave open which is meant."""
    if known is None:
        return key
    if known.public != key.public:
        raise ValueError("two keys of one name")
    return SigningKey(key.public, known.issuers | key.issuers)
