"""From what was measured to what is told: medians over repetitions, and ratios within each repetition."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Sample:
    """One repetition: so many requests, and what they took together."""

    requests: int
    seconds: float
    """From the first request to the last answer."""
    cpu_seconds: float
    """Of the server process."""
    db_cpu_seconds: float
    """Of all of PostgreSQL's processes; 0 where the database is part of the server."""
    latencies_ms: Sequence[float]
    pss_mb: float

    @property
    def cpu_ms(self) -> float:
        """Processor time of the server for one request."""
        return self.cpu_seconds / self.requests * 1000

    @property
    def db_cpu_ms(self) -> float:
        """Processor time of the database for one request."""
        return self.db_cpu_seconds / self.requests * 1000

    @property
    def cost_ms(self) -> float:
        """Both together."""
        return self.cpu_ms + self.db_cpu_ms


@dataclass(frozen=True, slots=True)
class Result:
    """What one path costs for one document on one engine."""

    query: str
    engine: str
    path: str
    cpu_ms: float
    db_cpu_ms: float
    ratio_to_floor: float
    requests_per_s: float
    p50_ms: float
    p99_ms: float
    pss_mb: float


def summarize(query: str, engine: str, path: str, samples: Sequence[Sample], floor: Sequence[Sample]) -> Result:
    """Medians over the repetitions, of ratios within each; the latencies of all together; the most memory seen."""
    latencies = [latency for sample in samples for latency in sample.latencies_ms]
    return Result(
        query,
        engine,
        path,
        cpu_ms=rounded(median(sample.cpu_ms for sample in samples)),
        db_cpu_ms=rounded(median(sample.db_cpu_ms for sample in samples)),
        ratio_to_floor=rounded(median(ratios(samples, floor))),
        requests_per_s=rounded(median(sample.requests / sample.seconds for sample in samples)),
        p50_ms=rounded(percentile(latencies, 50)),
        p99_ms=rounded(percentile(latencies, 99)),
        pss_mb=rounded(max(sample.pss_mb for sample in samples)),
    )


def ratios(samples: Sequence[Sample], floor: Sequence[Sample]) -> list[float]:
    """The cost of each repetition beside that of the floor in the same one."""
    return [sample.cost_ms / beside.cost_ms for sample, beside in zip(samples, floor, strict=True)]


def percentile(values: Iterable[float], percent: float) -> float:
    """The smallest value that at least so many percent of all do not exceed. Raises ValueError for no values."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("nothing was measured")
    return ordered[max(math.ceil(percent / 100 * len(ordered)), 1) - 1]


def rounded(value: float) -> float:
    """To three places after the point, which is less than two runs differ by."""
    return round(value, 3)
