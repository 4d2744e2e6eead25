"""Update rings: the preconfigured three, and the calendar that all of a tenant's rings make (domain.md 6.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

MAX_TOTAL_DAYS = 60
"""From the first ring's start to the last ring's end (RING-2)."""
MIN_POSITION, MAX_POSITION = 1, 9


@dataclass(frozen=True, slots=True)
class Step:
    """A ring in the rollout: days in which its rooms are updated, then days of watching before the next ring."""

    name: str
    position: int
    rollout_days: int
    test_days: int

    @property
    def days(self) -> int:
        """The ring's completion time."""
        return self.rollout_days + self.test_days


STAGING = Step("Staging", 1, 7, 7)
GENERAL = Step("General", 2, 14, 7)
EXECUTIVE = Step("Executive", 3, 7, 7)
PRECONFIGURED = (STAGING, GENERAL, EXECUTIVE)
"""What every tenant has and cannot delete; new rooms are in General (RING-1). 49 days leave some for own rings."""


def deferments(days: Sequence[int]) -> list[int]:
    """For rings in their order, each with its rollout and test days: how many days after the first each begins."""
    return [0, *accumulate(days)][: len(days)]
