"""The demo's own issuer: tokens for the demo world, which nobody who is configured for a real issuer accepts."""

import hashlib
import os
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from app.domain.vocabulary import PrincipalKind
from app.web.keys import ALGORITHM, MIN_KEY_BITS, SigningKey, StaticKeys
from app.web.tokens import Claims, TokenVerifier

ISSUER = "https://gateway.demo.invalid/{tid}/v2.0"
"""`.invalid` is never anyone's (RFC 2606), so no real issuer can be called that."""
AUDIENCE = "api://partner-gateway"
KEY_FILE = "development-issuer.pem"


class IssuerKeyRefused(Exception):
    """The key file is not a key of ours. The message is fit for an operator."""


@dataclass(frozen=True)
class DevelopmentIssuer:
    """Mints tokens with a key of its own, made on first use and kept in this folder.

    The issuer's name is fixed, tenants are GUIDs, and the key itself is bound to that name: whatever is asked for,
    only a verifier of exactly this issuer with exactly this key accepts it.
    """

    folder: Path
    scope: str
    _private: rsa.RSAPrivateKey = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Raises `IssuerKeyRefused` if the folder holds something else under the key's name."""
        object.__setattr__(self, "_private", _load_or_make(self.folder))

    @cached_property
    def keys(self) -> StaticKeys:
        """The one key that its tokens are checked with."""
        return StaticKeys({self._kid: SigningKey(self._private.public_key(), frozenset({ISSUER}))})

    @cached_property
    def verifier(self) -> TokenVerifier:
        """What accepts its tokens."""
        return TokenVerifier(ISSUER, AUDIENCE, self.scope, self.keys)

    def token(self, claims: Claims, now: datetime) -> str:
        """A token that `verifier` reads back as these claims, until they expire.

        As in Entra's tokens, an application goes without names.
        """
        issued = int(now.timestamp())
        payload: dict[str, Any] = {
            "iss": ISSUER.replace("{tid}", claims.tenant_id),
            "aud": AUDIENCE,
            "tid": claims.tenant_id,
            "oid": claims.principal_id,
            "sub": claims.principal_id,
            "ver": "2.0",
            "iat": issued,
            "nbf": issued,
            "exp": int(claims.expires_at.timestamp()),
        } | (self._of_user(claims) if claims.kind is PrincipalKind.USER else {"idtyp": "app"})
        return jwt.encode(payload, self._private, ALGORITHM, headers={"kid": self._kid})

    def _of_user(self, claims: Claims) -> dict[str, Any]:
        named = {"upn": claims.user_principal_name, "preferred_username": claims.user_principal_name}
        return {
            "scp": self.scope,
            "name": claims.display_name,
            "wids": sorted(claims.directory_roles),
            "acct": int(claims.guest),
        } | (named if claims.user_principal_name else {})

    @cached_property
    def _kid(self) -> str:
        public = self._private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return hashlib.sha256(public).hexdigest()[:32]


def _load_or_make(folder: Path) -> rsa.RSAPrivateKey:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / KEY_FILE
    if not path.exists():
        _make(path)
    return _load(path)


def _make(path: Path) -> None:
    """Written aside and then given its name, so that two commands that start together end up with one whole key."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=MIN_KEY_BITS)
    aside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(
            private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    try:
        os.link(aside, path)
    except FileExistsError:
        pass  # another command was first, and its key is the one
    finally:
        aside.unlink()


def _load(path: Path) -> rsa.RSAPrivateKey:
    try:
        private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as problem:
        raise IssuerKeyRefused(f"{path} cannot be read as a key; delete it for a new one") from problem
    if not isinstance(private, rsa.RSAPrivateKey) or private.key_size < MIN_KEY_BITS:
        raise IssuerKeyRefused(f"{path} is not an RSA key of at least {MIN_KEY_BITS} bits; delete it for a new one")
    path.chmod(0o600)
    return private
