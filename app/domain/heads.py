"""What is signed about a chain, so that it cannot be rewritten together with everything in the database."""

from enum import StrEnum
from typing import TypeAlias

from app.domain.audit import as_bytes

Statement: TypeAlias = dict[str, str | int | None]
"""What is said of a chain, and under `signature` the signature over the rest of it."""
SIGNATURE = "signature"


class Kind(StrEnum):
    """What is said. It is part of what is signed, so that one cannot be taken for another."""

    HEAD = "head"
    """The chain reaches to this entry."""
    ANCHOR = "anchor"
    """Everything up to this entry was purged."""
    EXPORT = "export"
    """These entries were exported."""


def state(kind: Kind, tenant_id: str, sequence: int | None, chain_hash: str | None, moment: str) -> Statement:
    """The statement that a tenant's chain has this hash at this sequence."""
    return {"kind": kind.value, "tenant": tenant_id, "sequence": sequence, "hash": chain_hash, "moment": moment}


def signed_part(statement: Statement) -> bytes:
    """The bytes that the signature is over."""
    return as_bytes({name: value for name, value in statement.items() if name != SIGNATURE})
