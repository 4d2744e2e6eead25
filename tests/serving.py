"""The gateway as a process of its own, on a port of its own, as an operator starts it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

PATIENCE_SECONDS = 30.0


def surroundings(state: Path, **environment: str | None) -> dict[str, str]:
    """The environment of a command; None leaves a variable out. No demo stops to make the explorer's page."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    ours = {"GATEWAY_STATE_DIR": str(state), "GATEWAY_EXPLORER": "false", "COLUMNS": "200", "NO_COLOR": "1"}
    return {name: value for name, value in (others | ours | environment).items() if value is not None}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Server:
    """A server that runs, where it answers, and what it wrote so far."""

    process: subprocess.Popen[bytes]
    url: str
    output: Path
    log: Path

    def ask(self, token: str, query: str) -> Any:
        """The data of an answer."""
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.post(f"{self.url}/graphql", json={"query": query}, headers=headers).json()["data"]


@contextmanager
def serving(state: Path, *arguments: str, python: Sequence[str] = (), **environment: str) -> Iterator[Server]:
    """A server that runs until the context ends, by a Python with these options."""
    port, name = free_port(), f"server-{time.monotonic_ns()}"
    output, log = (state.with_name(f"{name}.{kind}") for kind in ("out", "log"))
    with output.open("w") as out, log.open("w") as err:
        process = subprocess.Popen(
            [sys.executable, *python, "-m", "app", *arguments, "--port", str(port)],
            stdout=out,
            stderr=err,
            env=surroundings(state, **environment),
        )
    try:
        await_ready(f"http://127.0.0.1:{port}/readyz", process)
        yield Server(process, f"http://127.0.0.1:{port}", output, log)
    finally:
        process.send_signal(signal.SIGINT)
        ended = process.wait(timeout=20)
        assert ended in (0, -signal.SIGKILL), "Ctrl-C has to stop the server cleanly, unless a test killed it"


def await_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        assert server.poll() is None, "the server ended by itself"
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise TimeoutError("the server did not become ready")
