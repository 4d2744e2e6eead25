"""Refresh the exact versions in pyproject.toml: newest of everything, then written down without addresses.

Run it as `uv run .ci/pin.py`; review the change it makes and run the tests before committing it.
"""

import re
import subprocess
from pathlib import Path

PROJECT = Path("pyproject.toml")
LIST = re.compile(r"(constraint-dependencies = \[\n).*?(\])", re.DOTALL)


def run(*command: str) -> str:
    """What a command prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def pin() -> None:
    """Write the newest versions down, or leave the file as it was."""
    before = PROJECT.read_text()
    PROJECT.write_text(LIST.sub(r"\1\2", before))
    try:
        run("uv", "lock", "--upgrade", "--quiet")
        exported = run(
            "uv",
            "export",
            "--all-groups",
            "--all-extras",
            "--no-hashes",
            "--no-annotate",
            "--no-header",
            "--no-emit-project",
            "--quiet",
        )
    except subprocess.CalledProcessError:
        PROJECT.write_text(before)
        raise
    versions = sorted(line.split(";")[0].strip() for line in exported.splitlines() if "==" in line)
    PROJECT.write_text(LIST.sub(lambda found: found[1] + "".join(f'    "{v}",\n' for v in versions) + found[2], before))
    print(f"{len(versions)} versions written to {PROJECT}")


pin()
