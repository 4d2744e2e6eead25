"""How long `gateway serve` takes from its start to its first answer, and what its imports are.

`uv run python -m tests.web.measure_startup` prints both, for each engine.
"""

import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from itertools import product
from operator import itemgetter
from pathlib import Path
from statistics import median

import httpx
from rich.console import Console
from rich.table import Table

from tests.measuring import Stand, stands
from tests.serving import free_port, surroundings
from tests.web.gateway import ANSWER, PERSON, QUESTION

RUNS = 7
TICKS_PER_SECOND = 100
PATIENCE_SECONDS = 30.0
IMPORT = re.compile(r"import time:\s+(?P<own>\d+) \|\s+\d+ \|\s+(?P<name>[\w.]+)")
SHOWN = 20
"""Packages that are told by name."""


@dataclass(frozen=True)
class Start:
    """From the start of the process to its first answer."""

    wall_seconds: float
    cpu_seconds: float
    told: str
    """What the process wrote to standard error."""


def start(stand: Stand, *options: str, bytecode: str = "kept") -> Start:
    """Start a server, ask it until it answers, and stop it. What Python compiles, it finds again if it is `kept`."""
    keeping = {
        "PYTHONPYCACHEPREFIX": str(stand.state / bytecode),
        "PYTHONDONTWRITEBYTECODE": "" if bytecode == "kept" else "1",
    }
    port, token = free_port(), stand.token(PERSON)
    serve = [sys.executable, *options, "-m", "app", "serve", "--development-issuer", "--port", str(port)]
    with tempfile.TemporaryFile("w+") as told:
        begun = time.perf_counter()
        server = subprocess.Popen(serve, env=surroundings(stand.state, **stand.settings, **keeping), stderr=told)
        try:
            ask_until_answered(f"http://127.0.0.1:{port}/graphql", token, begun + PATIENCE_SECONDS)
            wall, cpu = time.perf_counter() - begun, cpu_seconds(server.pid)
        finally:
            server.terminate()
            server.wait()
        told.seek(0)
        return Start(wall, cpu, told.read())


def ask_until_answered(url: str, token: str, until: float) -> None:
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}) as client:
        while True:
            try:
                assert client.post(url, json={"query": QUESTION}).json() == ANSWER
            except httpx.TransportError:
                if time.perf_counter() > until:
                    raise
                time.sleep(0.005)
            else:
                return


def cpu_seconds(pid: int) -> float:
    """What a process has used so far, in and for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def imported(stand: Stand) -> dict[str, float]:
    """Milliseconds that the modules of each package took by themselves; our own by floor."""
    found: dict[str, float] = defaultdict(float)
    for line in start(stand, "-X", "importtime").told.splitlines():
        if match := IMPORT.match(line):
            package, _, rest = match["name"].partition(".")
            found[f"app.{rest.partition('.')[0]}" if package == "app" else package] += int(match["own"]) / 1000
    return found


def main() -> None:
    """Measure each engine's start, then the imports."""
    console = Console()
    with stands() as found:
        table = Table("engine", "bytecode", "first answer (s)", "CPU (s)", title=f"Start, medians of {RUNS}")
        for stand, bytecode in product(found.values(), ("kept", "none")):
            start(stand, bytecode=bytecode)
            starts = [start(stand, bytecode=bytecode) for _ in range(RUNS)]
            wall, cpu = (median(getattr(each, name) for each in starts) for name in ("wall_seconds", "cpu_seconds"))
            table.add_row(stand.engine, bytecode, f"{wall:.2f}", f"{cpu:.2f}")
        console.print(table)
        packages = imported(found["postgresql"])
    imports = Table("package", "ms", title="Imports with -X importtime, which itself slows them, on PostgreSQL")
    for name, milliseconds in sorted(packages.items(), key=itemgetter(1), reverse=True)[:SHOWN]:
        imports.add_row(name, f"{milliseconds:.0f}")
    imports.add_row("all", f"{sum(packages.values()):.0f}")
    console.print(imports)


if __name__ == "__main__":
    main()
