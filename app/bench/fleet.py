"""The servers that are measured, each a process of its own."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from app.bench.databases import Target
from app.bench.failing import BenchFailed
from app.bench.floor.statements import Digests
from app.bench.server import Told, Way
from app.config import environment_without_settings

STOPS_WITHIN_SECONDS = 10
LAST_LINES = 2
"""Of a log that are told."""


@dataclass(frozen=True)
class Server:
    """A process that answers."""

    way: Way
    target: Target
    process: int
    port: int

    def __str__(self) -> str:
        return f"{self.way} on {self.target.engine}"


@contextmanager
def start_servers(
    ways: Sequence[Way], targets: Sequence[Target], folder: Path, digests: Digests
) -> Iterator[list[Server]]:
    """One process for each way and database, until the context ends. Raises `BenchFailed`."""
    with ExitStack() as running:
        begun = [
            (way, target, running.enter_context(process(folder / log_name(way, target))))
            for target in targets
            for way in ways
        ]
        for way, target, server in begun:
            tell(server, Told(way, target.address, str(folder), digests))
        yield [Server(way, target, server.pid, port_of(server, way, target, folder)) for way, target, server in begun]


@contextmanager
def process(log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that waits to be told what it is."""
    with log.open("wb") as errors:
        begun = subprocess.Popen(
            [sys.executable, "-m", "app.bench.server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment_without_settings(),
        )
    try:
        yield begun
    finally:
        stop(begun)


def log_name(way: Way, target: Target) -> str:
    """What the log of a server is called."""
    return f"{way}-{target.engine}-{target.name}.log"


def tell(server: "subprocess.Popen[bytes]", told: Told) -> None:
    """Tell a process what it is."""
    if server.stdin is not None:
        with suppress(BrokenPipeError):  # it ended, and its log says why
            server.stdin.write(told.to_line())
            server.stdin.flush()


def port_of(server: "subprocess.Popen[bytes]", way: Way, target: Target, folder: Path) -> int:
    """Where it listens. Raises `BenchFailed` with the last that it logged if it does not."""
    if server.stdout is not None and (port := server.stdout.readline()):
        return int(port)
    logged = (folder / log_name(way, target)).read_text(errors="replace").split("\n")
    last = " / ".join([line.strip() for line in logged if line.strip()][-LAST_LINES:])
    raise BenchFailed(f"the server of `{way}` on {target.engine} did not start: {last}")


def stop(server: "subprocess.Popen[bytes]") -> None:
    """End a process that was started here."""
    with server:  # closes the pipes
        server.terminate()
        try:
            server.wait(STOPS_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
