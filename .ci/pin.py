"""Refresh the exact versions in pyproject.toml and in the client scripts: newest of everything, without addresses.

Run it as `uv run .ci/pin.py`; review the change it makes and run the tests before committing it.
"""

import re
import subprocess
from collections import Counter
from pathlib import Path

PROJECT = Path("pyproject.toml")
SCRIPTS = sorted(Path("tests/clients/python").glob("with_*.py"))
LIST = re.compile(r"^(#? ?)(constraint-dependencies = \[\n).*?^(#? ?\])", re.DOTALL | re.MULTILINE)
AS_NAMES = ("--no-hashes", "--no-annotate", "--no-header", "--quiet")


def run(*command: str) -> str:
    """What a command prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def pins(exported: list[str]) -> list[str]:
    """One line a version; a package that has several keeps the words that say where each is for."""
    lines = [line.replace(" ;", ";") for line in exported]
    several = Counter(line.partition("==")[0] for line in lines)
    return sorted(line if several[line.partition("==")[0]] > 1 else line.partition(";")[0] for line in lines)


def pin(file: Path, *which: str) -> None:
    """Write the newest versions down, or leave the file as it was."""
    before = file.read_text()
    file.write_text(LIST.sub(r"\1\2\3", before))
    try:
        exported = run("uv", "export", *which, "--upgrade", *AS_NAMES)
    except subprocess.CalledProcessError:
        file.write_text(before)
        raise
    versions = pins([line for line in exported.splitlines() if "==" in line])
    indent = "    "

    def listed(found: re.Match[str]) -> str:
        comment, start, end = found.groups()
        return comment + start + "".join(f'{comment}{indent}"{version}",\n' for version in versions) + end

    file.write_text(LIST.sub(listed, before))
    print(f"{len(versions)} versions written to {file}")


pin(PROJECT, "--all-groups", "--all-extras", "--no-emit-project")
for script in SCRIPTS:
    pin(script, "--script", str(script))
