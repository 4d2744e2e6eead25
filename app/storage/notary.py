"""Signed statements about chains, kept in files outside of the database, and the key that signs them."""

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.domain.heads import SIGNATURE, Statement, signed_part

Keys = Collection[Ed25519PublicKey]
PRIVATE, SHARED = 0o600, 0o644


class AuditKeyRefused(Exception):
    """The file is no Ed25519 key, or cannot be written. The message is fit for an operator."""


@dataclass(frozen=True)
class Notary:
    """Signs statements, and appends them to one file a tenant.

    Several processes may append at the same time: each line is one write at the end of the file. A line may be late, or
    missing if the process died after the change was committed; the next one of the tenant covers it.
    """

    key: Ed25519PrivateKey
    folder: Path

    def sign(self, statement: Statement) -> Statement:
        """The statement with its signature."""
        return statement | {SIGNATURE: self.key.sign(signed_part(statement)).hex()}

    def file(self, signed: Statement) -> None:
        """Append a signed statement to its tenant's file. Raises OSError."""
        append_line(head_file(self.folder, str(signed["tenant"])), orjson.dumps(signed))

    @property
    def public_key(self) -> Ed25519PublicKey:
        """What its signatures are checked with."""
        return self.key.public_key()


def head_file(folder: Path, tenant_id: str) -> Path:
    """Where the statements about a tenant's chain are."""
    return folder / f"{tenant_id}.jsonl"


def append_line(path: Path, line: bytes) -> None:
    """Add a line in one write, on a line of its own even after one that a full disk cut off. Raises OSError."""
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, SHARED)
    try:
        size = os.fstat(file).st_size
        is_cut_off = size > 0 and os.pread(file, 1, size - 1) != b"\n"
        whole = b"\n" * is_cut_off + line + b"\n"
        if os.write(file, whole) != len(whole):
            raise OSError(f"{path} took only a part of a line")
    finally:
        os.close(file)


def is_signed(statement: Statement, keys: Keys) -> bool:
    """One of these keys signed the statement as it is."""
    try:
        signature = bytes.fromhex(str(statement.get(SIGNATURE, "")))
    except ValueError:
        return False
    return any(_verifies(key, signature, signed_part(statement)) for key in keys)


def _verifies(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


# --- keys ------------------------------------------------------------------------------------------------------------


def make_key(path: Path) -> Path:
    """A new private key that only its owner can read, and beside it the public one, whose path is answered.

    Raises `AuditKeyRefused` if one of them is there already.
    """
    key, public = Ed25519PrivateKey.generate(), path.with_name(f"{path.name}.pub")
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    _write_new(path, key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain), PRIVATE)
    _write_new(public, key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo), SHARED)
    return public


def _write_new(path: Path, content: bytes, mode: int) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
    except OSError as problem:
        raise AuditKeyRefused(f"{path} cannot be written: {problem.strerror}") from None


def read_private(path: Path) -> Ed25519PrivateKey:
    """The key that signs. Raises `AuditKeyRefused`."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        raise AuditKeyRefused(f"{path} cannot be read as a private key; `gateway audit key FILE` makes one") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise AuditKeyRefused(f"{path} is not an Ed25519 key; `gateway audit key FILE` makes one")
    return key


def read_public(path: Path) -> Ed25519PublicKey:
    """The key that checks. Raises `AuditKeyRefused`."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError):
        raise AuditKeyRefused(f"{path} cannot be read as a public key") from None
    if not isinstance(key, Ed25519PublicKey):
        raise AuditKeyRefused(f"{path} is not an Ed25519 key")
    return key
