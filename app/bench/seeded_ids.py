"""Ids that are the same in every run, and that can be named without having been kept."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

DIGITS = 19
"""Hexadecimal digits of a UUIDv7 that are drawn."""


@dataclass(frozen=True, slots=True)
class SeededIds:
    """UUIDv7 of one moment; what is drawn in a real one follows from the seed and from what it is the id of."""

    moment: datetime
    seed: int

    def of(self, kind: str, *place: object) -> str:
        """The id of the thing in this place."""
        drawn = blake2b(f"{self.seed} {kind} {place}".encode(), digest_size=(DIGITS + 1) // 2).hexdigest()
        time = f"{int(self.moment.timestamp() * 1000):012x}"
        variant = "89ab"[int(drawn[3], 16) & 3]
        return f"{time[:8]}-{time[8:]}-7{drawn[:3]}-{variant}{drawn[4:7]}-{drawn[7:DIGITS]}"
