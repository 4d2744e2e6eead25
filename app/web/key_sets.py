"""The keys that an issuer publishes: fetched, kept for a while, and never the reason that everyone is locked out."""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

import httpx

from app.web.keys import KeysUnavailable, SigningKey, read_keys

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

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

logger = logging.getLogger(__name__)


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

    @classmethod
    def at(cls, url: str) -> Self:
        """The keys at this address, with a client of their own. Raises ValueError as making one does."""
        return cls(url, httpx.AsyncClient())

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
        """Ends a fetch that is under way, and closes the client."""
        if self._fetch is not None:
            self._fetch.cancel()
            await asyncio.wait({self._fetch})
        await self.client.aclose()

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
