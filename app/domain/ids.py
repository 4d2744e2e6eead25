"""Identifiers: UUIDv7 of a given moment, and the global ids that clients hold (architecture rule 10)."""

import re
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime

UUID_TEXT = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
GLOBAL_ID = re.compile(rf"(?P<kind>[a-z]+)_(?P<tenant>{UUID_TEXT})(?:_(?P<key>{UUID_TEXT}))?")


def new_id(moment: datetime) -> str:
    """A UUIDv7 (RFC 9562) of this moment, so that ids sort by age; nothing here reads the clock."""
    milliseconds = int(moment.timestamp() * 1000)
    value = (
        (milliseconds & (1 << 48) - 1) << 80
        | 0x7 << 76
        | secrets.randbits(12) << 64
        | 0b10 << 62
        | secrets.randbits(62)
    )
    return str(uuid.UUID(int=value))


@dataclass(frozen=True, slots=True)
class GlobalId:
    """A global id taken apart: what it names, whose it is, and its key within that tenant."""

    kind: str
    tenant: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind}_{self.tenant}" if self.kind == "tenant" else f"{self.kind}_{self.tenant}_{self.key}"


def parse_global_id(text: str) -> GlobalId | None:
    """The parts of a global id, or None for anything that none of ours can be."""
    found = GLOBAL_ID.fullmatch(text)
    if found is None or (found["key"] is None) != (found["kind"] == "tenant"):
        return None
    return GlobalId(found["kind"], found["tenant"], found["key"] or found["tenant"])
