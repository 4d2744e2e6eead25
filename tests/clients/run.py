"""The clients that people really use, against a running demo: `uv run python -m tests.clients.run`, with Node and npm.

Each pages through rooms as two people, to whom it has to show exactly the rooms of `fixtures/access.json`, and shows
three errors as its users see them: a top-level one, one in a payload, and that of a token that is none.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import httpx

from app.domain.permissions import Permission
from tests.access_cases import read_cases

HERE = Path(__file__).parent
PEOPLE = ("contoso-manager", "northwind-helpdesk")
"""Somebody with many rooms, and somebody of a partner with few, who may not change one."""
ERRORS = {
    "tooMany": {"code": "BAD_ARGUMENT"},
    "forbidden": {"__typename": "Forbidden", "code": "FORBIDDEN", "missing": "ROOMS_MODIFY"},
    "refused": {"code": "UNAUTHENTICATED"},
}
"""By what is attempted: what the client has to show at least."""
NOT_PASSED = {"5A70", "D6D5", "6A70"}
"""The audits that ask whether a server MAY answer GET requests; this one takes POST alone."""
NEEDED = {"node": "Node 20 or newer", "npm": "Node 20 or newer", "uv": "`pip install uv`"}
PATIENCE = 120
"""Seconds for one client."""


class Client(NamedTuple):
    """A client, and what runs it."""

    name: str
    command: Sequence[str]


CLIENTS = (
    Client("Apollo Client", ["node", "build/apollo.mjs"]),
    Client("urql", ["node", "build/urql.mjs"]),
    Client("Relay", ["node", "build/relay.mjs"]),
    Client("graphql-request", ["node", "build/request.mjs"]),
    Client("persisted documents", ["node", "build/persisted.mjs"]),
    Client("gql", ["uv", "run", "--quiet", "--script", "python/with_gql.py"]),
    Client("ariadne-codegen", ["uv", "run", "--quiet", "--script", "python/with_ariadne.py"]),
)
AUDITS = Client("graphql-http audits", ["node", "build/audits.mjs"])


class Failed(Exception):
    """Something is not as it has to be. The message says what."""


def main() -> None:
    """Run everything, a line for each client. Ends with 1 if one fails."""
    try:
        build()
        with TemporaryDirectory() as state, serving(Path(state)) as (url, environment):
            tokens = {name: token(name, environment) for name in PEOPLE}
            asking = os.environ | {"GATEWAY_URL": url, "GATEWAY_TOKENS": json.dumps(tokens)}
            results = [attempt(client, asking) for client in (*CLIENTS, AUDITS)]
    except Failed as failure:
        sys.exit(f"clients: {failure}")
    print(f"{results.count(True)} passed, {results.count(False)} failed")
    sys.exit(0 if all(results) else 1)


def build() -> None:
    """Install what package-lock.json names, unless it is there, and generate and bundle what the clients run."""
    for tool, brought_by in NEEDED.items():
        if shutil.which(tool) is None:
            raise Failed(f"{tool} was not found; {brought_by} brings it")
    installed, wanted = HERE / "node_modules/.package-lock.json", HERE / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        step("npm", "ci")
    (HERE / "src/relay/__generated__").mkdir(exist_ok=True)
    step("npm", "run", "generate")
    step("npm", "run", "build")


def step(*command: str) -> None:
    """Run a step before the clients, and say how long it took."""
    started = time.monotonic()
    ran = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise Failed(f"`{' '.join(command)}` ended with {ran.returncode}\n{ran.stdout}{ran.stderr}")
    print(f"      {' '.join(command)}: {time.monotonic() - started:.0f} s", flush=True)


@contextmanager
def serving(state: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """A fresh demo at a port that is free: its address, and the environment for commands beside it."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    environment, port = others | {"GATEWAY_STATE_DIR": str(state)}, free_port()
    command = [sys.executable, "-m", "app", "demo", "--port", str(port)]
    with (
        (state / "log").open("w+") as log,
        subprocess.Popen(command, stdout=log, stderr=log, env=environment) as server,
    ):
        try:
            await_ready(f"http://127.0.0.1:{port}/readyz", server, state / "log")
            yield f"http://127.0.0.1:{port}/graphql", environment
        finally:
            server.terminate()


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def await_ready(url: str, server: subprocess.Popen[Any], log: Path) -> None:
    """Returns once the server answers."""
    for _ in range(300):
        if server.poll() is not None:
            raise Failed(f"the demo ended by itself\n{log.read_text()}")
        try:
            if httpx.get(url).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise Failed("the demo did not become ready in 30 seconds")


def token(name: str, environment: dict[str, str]) -> str:
    """A token of somebody."""
    command = [sys.executable, "-m", "app", "token", "--as", name]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def attempt(client: Client, environment: dict[str, str]) -> bool:
    """Whether the client does everything as it has to, told in a line."""
    started = time.monotonic()
    try:
        said, is_right = report(answer(client, environment)), True
    except Failed as failure:
        said, is_right = str(failure), False
    took = f"{time.monotonic() - started:.1f} s"
    print(f"{'ok' if is_right else 'FAIL':<5} {client.name:<20} {took:>6}  {said}", flush=True)
    return is_right


def answer(client: Client, environment: dict[str, str]) -> dict[str, Any]:
    """What the client printed."""
    try:
        ran = subprocess.run(
            client.command, cwd=HERE, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"did not end in {PATIENCE} seconds") from None
    if ran.returncode:
        raise Failed(f"ended with {ran.returncode}\n{ran.stderr}")
    printed: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return printed


def report(printed: dict[str, Any]) -> str:
    """What is right about it. Raises `Failed` if something is not."""
    if "audits" in printed:
        return report_audits(printed["audits"], printed["failed"])
    counts = [f"{name} {compare_rooms(name, **printed['people'][name])}" for name in PEOPLE]
    for attempted, expected in ERRORS.items():
        shown = printed[attempted]
        if not expected.items() <= shown.items():
            raise Failed(f"{attempted}: shows {shown}, and {expected} is expected")
    return "; ".join([*counts, ", ".join(expected["code"] for expected in ERRORS.values())])


def compare_rooms(name: str, rooms: list[str], pages: int) -> str:
    """How many rooms and pages there were. Raises `Failed` unless the rooms are exactly those to be seen, once each."""
    (case,) = (case for case in read_cases()[name] if (case.noun, case.right) == ("rooms", Permission.ROOMS_VIEW))
    found, expected = Counter(rooms), Counter(case.names)
    if found != expected:
        extra, missing = sorted((found - expected).elements()), sorted((expected - found).elements())
        raise Failed(f"{name} sees {extra} too much or twice, and {missing} too little")
    if pages < 2:
        raise Failed(f"{name} sees everything on one page, so that none was turned")
    return f"{len(rooms)} rooms on {pages} pages"


def report_audits(count: int, failed: list[dict[str, str]]) -> str:
    """How many audits passed. Raises `Failed` for one that has to pass, or that passes and is said not to."""
    if {each["id"] for each in failed} != NOT_PASSED:
        raise Failed(f"not passed are {failed}, and {sorted(NOT_PASSED)} are expected")
    return f"{count - len(failed)} of {count}, without those that ask for GET"


if __name__ == "__main__":
    main()
