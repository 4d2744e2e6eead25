"""Refresh the lock file of a folder with a package.json, without addresses: `uv run .ci/lock.py FOLDER`.

The versions are those of package.json, with the newest of what they need; review the change, and run the tests.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FILES = ("package.json", ".npmrc")


def lock(folder: Path) -> None:
    """Write down the exact version and the digest of everything, elsewhere than where packages may be installed."""
    with tempfile.TemporaryDirectory() as name:
        for file in FILES:
            shutil.copy(folder / file, name)
        subprocess.run(["npm", "install", "--package-lock-only", "--no-audit", "--no-fund"], cwd=name, check=True)
        locked = json.loads((Path(name) / "package-lock.json").read_text())
    for package in locked["packages"].values():
        package.pop("funding", None)  # addresses, too
    (folder / "package-lock.json").write_text(json.dumps(locked, indent=2) + "\n")
    print(f"{len(locked['packages']) - 1} versions written to {folder / 'package-lock.json'}")


lock(Path(sys.argv[1]))
