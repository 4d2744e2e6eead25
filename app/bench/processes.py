"""What processes of this machine have used so far. Linux tells it for every process of one's own."""

import time
from pathlib import Path

PROC = Path("/proc")
CPU_CLOCK = 2
"""CLOCK_PROCESS_CPUTIME_ID, as the kernel numbers the clock of any process."""


def cpu_seconds(pid: int) -> float:
    """Processor time of a process with all its threads, also those that have ended. Raises OSError once it is gone."""
    return time.clock_gettime((~pid << 3) | CPU_CLOCK)


def family(pid: int) -> list[int]:
    """A process and its children."""
    children = (PROC / f"{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def parent_of(pid: int, name: str) -> int | None:
    """The parent of a process, if both can be seen and the process is called so."""
    try:
        called, _, rest = (PROC / f"{pid}/stat").read_text().partition(" (")[2].rpartition(") ")
        parent = int(rest.split()[1])
        return parent if called == name and pid in family(parent) else None
    except (OSError, ValueError, IndexError):
        return None


def family_cpu_seconds(pid: int) -> dict[int, float]:
    """Processor time of a process and of each of its children."""
    used = {}
    for member in family(pid):
        try:
            used[member] = cpu_seconds(member)
        except OSError:  # it ended just now
            continue
    return used


def spent(before: dict[int, float], after: dict[int, float]) -> float:
    """Processor time that passed in a family between two looks, in seconds; of members that ended meanwhile nothing."""
    return sum(used - before.get(pid, 0.0) for pid, used in after.items())


def memory_mb(pid: int) -> float:
    """The proportional share of memory that a process has (PSS), in megabytes of 1,000,000 bytes."""
    for line in (PROC / f"{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024 / 1_000_000
    raise ValueError("the kernel does not tell")
