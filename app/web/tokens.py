"""Who asks, as a bearer token says it: only the shape of Entra's v2.0 access tokens, every other one is refused."""

import base64
import hashlib
import json
import re
import unicodedata
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

import jwt

from app.access.viewer import Caller, Viewer
from app.domain.ids import UUID_TEXT
from app.domain.permissions import DirectoryRole
from app.domain.vocabulary import PrincipalKind
from app.web.keys import ALGORITHM, Keys, KeysUnavailable, SigningKey

MAX_TOKEN_LENGTH = 16 * 1024
"""Entra's tokens stay far below, moving long lists out of the token; what is longer is not worth a hash."""
MAX_LIFETIME_SECONDS = 25 * 60 * 60
"""Entra lets a tenant configure one day at most; the hour allows for its way of setting `nbf` back."""
CLOCK_LEEWAY_SECONDS = 60
"""How far the issuer's clock may run ahead of ours, for `iat` and `nbf`. `exp` gets none: a token is never good for
longer than it says, so that whoever acts on `Claims.expires_at` agrees with whoever let the token in."""
LAST_SECOND = 253_402_300_799
"""9999-12-31T23:59:59Z, the last second that a datetime can say."""
MAX_KNOWN_TOKENS = 4_096
"""About a kilobyte each."""
MAX_TEXT_LENGTH = 256
"""Entra's own bound of a display name."""

REQUIRED = frozenset({"exp", "nbf", "iat", "iss", "aud", "tid", "oid", "ver"})
TYPES = ("JWT", "at+jwt")
REFUSED_HEADERS = frozenset({"crit", "b64", "jwk", "jku", "x5u", "x5c", "enc", "zip", "cty"})
"""A token does not get to bring its own key, or to say how it is to be read."""

COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
GUID = re.compile(UUID_TEXT)
SIGNATURES = jwt.PyJWS(algorithms=[ALGORITHM])
DIRECTORY_ROLES = {role.value: role for role in DirectoryRole}


class TokenRefused(Exception):
    """A token that is not accepted. The reason is for the log alone and contains no part of the token."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says about who asks. Identity is (`tenant_id`, `principal_id`); names are for display.

    Raises ValueError for what nobody can be: a group, an application with directory roles, an id that is no GUID.
    """

    tenant_id: str
    principal_id: str
    kind: PrincipalKind
    """`USER` or `APPLICATION`."""
    directory_roles: frozenset[DirectoryRole]
    display_name: str
    user_principal_name: str | None
    guest: bool
    expires_at: datetime
    caller: Caller = field(init=False, compare=False, repr=False)
    """The same to the floors below, made once a token."""

    def __post_init__(self) -> None:
        if not (GUID.fullmatch(self.tenant_id) and GUID.fullmatch(self.principal_id)):
            raise ValueError("tenant and principal are GUIDs in lower case")
        if self.kind is PrincipalKind.GROUP:
            raise ValueError("a group asks for nothing")
        if self.kind is PrincipalKind.APPLICATION and self.directory_roles:
            raise ValueError("an application holds no directory roles")
        viewer = Viewer(self.tenant_id, self.principal_id, self.kind, self.directory_roles)
        object.__setattr__(self, "caller", Caller(viewer, self.display_name, self.user_principal_name, self.guest))


class Known(NamedTuple):
    """A token that was found good: what it says, and the key that it was checked with."""

    claims: Claims
    kid: str
    key: SigningKey


class KnownTokens:
    """The tokens that were found good last, by a digest of the whole token, so that none is kept."""

    def __init__(self, capacity: int = MAX_KNOWN_TOKENS) -> None:
        self._capacity = capacity
        self._known: OrderedDict[bytes, Known] = OrderedDict()

    def find(self, digest: bytes) -> Known | None:
        """What is known of the token with this digest."""
        known = self._known.get(digest)
        if known is not None:
            self._known.move_to_end(digest)
        return known

    def keep(self, digest: bytes, known: Known) -> None:
        """Remember a token, and forget the one that was asked with least lately if there are too many."""
        self._known[digest] = known
        if len(self._known) > self._capacity:
            self._known.popitem(last=False)

    def forget(self, digest: bytes) -> None:
        """Check the token anew when it comes again."""
        self._known.pop(digest, None)


@dataclass(frozen=True)
class TokenVerifier:
    """Tells accepted tokens from all others. Raises ValueError for an issuer without exactly one `{tid}`.

    An issuer of one tenant would leave the token's `tid` unchecked; which tenants may ask is decided by who is
    registered, not here.
    """

    issuer_template: str
    audience: str
    scope: str
    keys: Keys
    known: KnownTokens = field(default_factory=KnownTokens)

    def __post_init__(self) -> None:
        if self.issuer_template.count("{tid}") != 1:
            raise ValueError("the issuer needs {tid} once, where the token's own tenant belongs")
        if not self.audience or not self.scope or " " in self.scope:
            raise ValueError("audience and scope are each one word")

    async def verify(self, token: str, now: datetime) -> Claims:
        """Who this token speaks for at this moment. Raises `TokenRefused`, and nothing else, for any string.

        A token that was found good is so until it expires, or until the key that it was checked with is replaced.
        """
        digest = hashlib.sha256(token.encode(errors="surrogatepass")).digest()
        known = self.known.find(digest)
        if known is not None:
            if known.claims.expires_at > now and await self._key(known.kid, now) is known.key:
                return known.claims
            self.known.forget(digest)
        kid = _key_id(token)
        key = await self._key(kid, now)
        claims = self._checked(token, key, now)
        self.known.keep(digest, Known(claims, kid, key))
        return claims

    def _checked(self, token: str, key: SigningKey, now: datetime) -> Claims:
        claims = _json_object(_signed_payload(token, key), "the payload")
        if missing := REQUIRED - claims.keys():
            raise TokenRefused(f"{min(missing)} is missing")
        self._check_origin(claims, key)
        _check_times(claims, now.timestamp())
        return _read(claims, _kind(claims, self.scope))

    async def _key(self, kid: str, now: datetime) -> SigningKey:
        try:
            key = await self.keys.key(kid, now)
        except KeysUnavailable:
            raise TokenRefused("there are no keys to decide with") from None
        if key is None:
            raise TokenRefused("kid names no key of the issuer")
        return key

    def _check_origin(self, claims: dict[str, Any], key: SigningKey) -> None:
        """The token was made by the issuer, for its own tenant, for us, with a key meant for that."""
        issuer = self.issuer_template.replace("{tid}", _guid(claims, "tid"))
        if claims["ver"] != "2.0":
            raise TokenRefused("ver is not 2.0")
        if claims["iss"] != issuer:
            raise TokenRefused("iss is not the issuer of the token's tenant")
        if claims["aud"] != self.audience:
            raise TokenRefused("aud is not this service")
        if not key.signs_for(issuer, claims["tid"]):
            raise TokenRefused("the key belongs to another issuer")
        if "cnf" in claims:
            raise TokenRefused("cnf binds the token to a key that a bearer does not prove to have")


def _key_id(token: str) -> str:
    """The name of the key that checks this token, from a header that asks for nothing unusual."""
    if len(token) > MAX_TOKEN_LENGTH:
        raise TokenRefused("the token is too long")
    if not COMPACT.fullmatch(token):
        raise TokenRefused("not three parts of base64url")
    header = _json_object(_decoded(token.split(".")[0]), "the header")
    if header.get("alg") != ALGORITHM:
        raise TokenRefused(f"alg is not {ALGORITHM}")
    if "typ" in header and header["typ"] not in TYPES:
        raise TokenRefused("typ is not that of an access token")
    if header.keys() & REFUSED_HEADERS:
        raise TokenRefused("the header brings a key or rules of its own")
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise TokenRefused("kid is not a name")
    return kid


def _decoded(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        raise TokenRefused("not three parts of base64url") from None


def _signed_payload(token: str, key: SigningKey) -> bytes:
    """The payload's bytes, once the signature is found good. Claims are checked here, since PyJWT reads the clock."""
    try:
        found = SIGNATURES.decode_complete(
            token, key.public, algorithms=[ALGORITHM], options={"enforce_minimum_key_length": True}
        )
    except jwt.InvalidKeyError:
        raise TokenRefused("the key is too weak") from None
    except jwt.InvalidSignatureError:
        raise TokenRefused("the signature is not the key's") from None
    except jwt.PyJWTError:
        raise TokenRefused("not a token in its one spelling") from None
    payload: bytes = found["payload"]
    return payload


def _json_object(text: bytes, part: str) -> dict[str, Any]:
    """Strict JSON: two readers of one token must not see two things, so no member twice, no NaN, only UTF-8."""
    try:
        value = json.loads(text.decode(), object_pairs_hook=_distinct, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise TokenRefused(f"{part} is not strict JSON") from None
    if not isinstance(value, dict):
        raise TokenRefused(f"{part} is not an object")
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(members := dict(pairs)) < len(pairs):
        raise ValueError("a member occurs twice")
    return members


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _check_times(claims: dict[str, Any], now: float) -> None:
    exp, nbf, iat = (_second(claims, name) for name in ("exp", "nbf", "iat"))
    if not 0 < exp - iat <= MAX_LIFETIME_SECONDS or not 0 < exp - nbf <= MAX_LIFETIME_SECONDS:
        raise TokenRefused("the lifetime is not one that the issuer gives")
    if exp <= now:
        raise TokenRefused("exp is past")
    if nbf > now + CLOCK_LEEWAY_SECONDS:
        raise TokenRefused("nbf is to come")
    if iat > now + CLOCK_LEEWAY_SECONDS:
        raise TokenRefused("iat is to come")


def _second(claims: dict[str, Any], name: str) -> int:
    value = claims[name]
    if type(value) is not int or not 0 < value <= LAST_SECOND:  # True is an int to isinstance
        raise TokenRefused(f"{name} is not a moment")
    return value


def _kind(claims: dict[str, Any], scope: str) -> PrincipalKind:
    """A user carries the scope that was consented to; an application says `app` and carries none."""
    if "scp" not in claims:
        if claims.get("idtyp") != "app":
            raise TokenRefused("neither a user's token nor an application's")
        return PrincipalKind.APPLICATION
    if claims.get("idtyp", "user") != "user":
        raise TokenRefused("idtyp contradicts scp")
    if not isinstance(claims["scp"], str) or scope not in claims["scp"].split(" "):
        raise TokenRefused("scp lacks the scope")
    return PrincipalKind.USER


def _read(claims: dict[str, Any], kind: PrincipalKind) -> Claims:
    """The claims that are kept, of a token already found good."""
    principal_id, roles = _guid(claims, "oid"), _directory_roles(claims)
    name, username, upn = (_text(claims, claim) for claim in ("name", "preferred_username", "upn"))
    return Claims(
        tenant_id=_guid(claims, "tid"),
        principal_id=principal_id,
        kind=kind,
        directory_roles=roles if kind is PrincipalKind.USER else frozenset(),
        display_name=name or username or principal_id,
        user_principal_name=username or upn or None,
        guest=_guest(claims),
        expires_at=datetime.fromtimestamp(claims["exp"], UTC),
    )


def _guid(claims: dict[str, Any], name: str) -> str:
    """In lower case only, as Entra writes it: with two spellings of one tenant, someone would compare the wrong one."""
    value = claims[name]
    if not isinstance(value, str) or not GUID.fullmatch(value):
        raise TokenRefused(f"{name} is not a GUID")
    return value


def _directory_roles(claims: dict[str, Any]) -> frozenset[DirectoryRole]:
    wids = claims.get("wids", [])
    if not isinstance(wids, list) or not all(isinstance(wid, str) for wid in wids):
        raise TokenRefused("wids is not a list of strings")
    return frozenset(DIRECTORY_ROLES[wid] for wid in wids if wid in DIRECTORY_ROLES)


def _guest(claims: dict[str, Any]) -> bool:
    acct = claims.get("acct", 0)
    if type(acct) is not int or acct not in (0, 1):
        raise TokenRefused("acct is neither 0 nor 1")
    return acct == 1


def _text(claims: dict[str, Any], name: str) -> str:
    """A text to show, empty if there is none; never one that a log, a database or an encoder would stumble over."""
    value = claims.get(name, "")
    if not isinstance(value, str) or len(value) > MAX_TEXT_LENGTH:
        raise TokenRefused(f"{name} is not a short text")
    if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in value):
        raise TokenRefused(f"{name} has characters that are not text")
    return value.strip()
