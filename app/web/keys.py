"""The keys that an issuer signs with, and which of those that it publishes are good enough."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

ALGORITHM = "RS256"
"""The one algorithm: with a choice, a token could pick how it is checked."""

MIN_KEY_BITS, MAX_KEY_BITS = 2048, 8192
"""Below, a key can be broken (NIST SP 800-131A); above, checking one signature costs milliseconds."""

PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


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

    async def close(self) -> None:
        """No key is asked for any more."""


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

    async def close(self) -> None:
        """Nothing has to be ended."""


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
