"""What a start has to do: `serve` imports nothing that only other commands need, however fast a machine may be."""

import re
import subprocess
import sys
from pathlib import Path

from app.__main__ import MODULES
from tests.serving import serving
from tests.test_commands import ROOMS, gateway, signing

IMPORT = re.compile(r"^import time: .*\| +([\w.]+)$", re.MULTILINE)
UNNEEDED = {
    "alembic": "migrations are run by `migrate`",
    "mako": "alembic writes new migrations with it",
    "httpx": "fetches the keys of a real issuer",
    "rich": "commands print with it",
    "pygments": "rich colours with it",
    "app.storage.migrating": "`migrate`",
    "app.storage.world_files": "`seed`",
    "app.storage.room_pages": "`import`",
    "app.operations.seeding": "`seed`",
    "app.operations.importing_rooms": "`import`",
    "app.operations.purging": "`audit purge`",
    "app.operations.verifying": "`audit verify`",
}
"""What `serve` with a development issuer has no use for, and what has."""


def imported(log: str) -> set[str]:
    """The modules that a process imported, as `python -X importtime` tells."""
    return set(IMPORT.findall(log))


def test_serve_imports_nothing_that_only_other_commands_need(tmp_path: Path) -> None:
    state = tmp_path / "state"
    gateway(state, "migrate")
    gateway(state, "tenants", "add", "--domain", "a.example", "--name", "A", "--manager", "manager")
    token = gateway(state, "token", "--as", "manager").stdout.strip()

    python = ["-X", "importtime"]
    with serving(state, "serve", "--development-issuer", python=python, **signing(state)) as server:
        assert server.ask(token, ROOMS)["viewer"]["rooms"]["nodes"] == []

    modules = imported(server.log.read_text())
    assert {"app.main", "app.graph.schema", "sqlalchemy"} <= modules
    assert modules & UNNEEDED.keys() == set()


def test_each_of_these_is_imported_by_another_command() -> None:
    """Otherwise the list could name what does not exist."""
    all_commands = ", ".join(f"app.commands.{module}" for module in ("failures", *MODULES.values()))
    told = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", f"import {all_commands}, app.web.key_sets"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert imported(told.stderr) >= UNNEEDED.keys()
