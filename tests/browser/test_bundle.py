"""The page as a product: the same each time, of nobody else's hosts, and in every package of the gateway."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.web.explorer.building import BUNDLE, BUNDLE_UP, MADE_FROM, lay_out, tools

PROJECT = Path(__file__).parents[2]
SERVED = ("index.html", "assets", "workers")
HOST = rb"((?:[a-z0-9-]+\.)+[a-z]{2,}|localhost|\d+\.\d+\.\d+\.\d+)"
ADDRESS = re.compile(rb"(?:\b(?:https?|wss?|ftp):|[\"'`(=]\s*)//" + HOST, re.IGNORECASE)
NEVER_FETCHED = {
    "www.w3.org": "names of SVG, MathML and XLink, which are no addresses",
    "json-schema.org": "names of versions of JSON Schema, whose definitions the worker has built in",
    "react.dev": "in messages of React: where its errors are explained",
    "prettier.io": "in a message of prettier to who writes plugins",
    "yarnpkg.com": "in a message of graphql about two versions of it",
    "microsoft.com": "what the editor pastes to show that it knows Markdown",
    "github.com": "in messages to who uses the libraries, and GraphiQL's logo, which this page replaces",
    "code.visualstudio.com": "links in texts of the editor and in the dialog about keys, for whoever clicks them",
    "en.wikipedia.org": "a link in GraphQL's own description of Float, for whoever clicks it",
    "commonmark.org": "a link in GraphQL's own description of @deprecated, for whoever clicks it",
}
"""Names in the code of libraries, and why nothing asks them; tests/browser shows that nothing does."""


def files(bundle: Path) -> Iterator[tuple[str, bytes]]:
    for file in sorted(bundle.rglob("*")):
        if file.is_file():
            yield file.relative_to(bundle).as_posix(), file.read_bytes()


def test_no_byte_that_is_served_refers_to_another_host(bundle: Path) -> None:
    served = [(name, content) for name, content in files(bundle) if name.startswith(SERVED)]
    found = {match.decode().lower() for _, content in served for match in ADDRESS.findall(content)}

    assert found == {*NEVER_FETCHED}
    assert len(served) > 20


@pytest.mark.parametrize(
    "text",
    [
        "https://cdn.example/x.js",
        'src="//cdn.example/x"',
        "url(//cdn.example/f)",
        "wss://cdn.example",
        "HTTP://1.2.3.4",
    ],
)
def test_an_address_is_recognized_however_it_is_written(text: str) -> None:
    assert ADDRESS.findall(text.encode())


def test_the_page_itself_asks_for_its_own_files_alone(bundle: Path) -> None:
    page = (bundle / "index.html").read_text()

    asked = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(asked) >= 3
    assert all(re.fullmatch(r"\./assets/[\w.-]+", each) and (bundle / each).is_file() for each in asked)
    assert "<style" not in page
    assert re.findall(r"<script(?![^>]* src=)", page) == []


def test_licences_of_what_it_is_made_of_lie_beside_it(bundle: Path) -> None:
    licences = (bundle / "licenses.md").read_text()

    for name in ("graphiql", "monaco-editor", "react", "graphql", "prettier"):
        assert f"## {name} - " in licences


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another folder with the source, and with the packages for developing too."""
    folder = tmp_path_factory.mktemp("workshop")
    lay_out(folder)
    _, npm = tools()
    subprocess.run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True)
    return folder


def test_made_again_elsewhere_it_is_the_same_to_the_byte(bundle: Path, workshop: Path) -> None:
    node, _ = tools()

    subprocess.run([*node, *BUNDLE_UP], cwd=workshop, check=True)

    first, again = dict(files(bundle)), dict(files(workshop / "bundle"))
    assert first.pop(MADE_FROM)
    assert again == first


def test_its_source_is_typed(workshop: Path) -> None:
    _, npm = tools()

    checked = subprocess.run([*npm, "run", "check"], cwd=workshop, capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout


@pytest.fixture(scope="module")
def packages(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel and the source package of this project."""
    folder = tmp_path_factory.mktemp("packages")
    subprocess.run(["uv", "build", "--quiet", "--out-dir", str(folder)], cwd=PROJECT, check=True)
    [wheel], [source] = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, source


def test_packages_have_it_so_that_nobody_needs_npm(bundle: Path, packages: tuple[Path, Path]) -> None:
    wheel, source = packages
    with zipfile.ZipFile(wheel) as opened:
        held = {name: opened.read(name) for name in opened.namelist()}
    with tarfile.open(source) as archive:
        sources = {name.partition("/")[2] for name in archive.getnames()}

    for name, content in files(bundle):
        assert held[f"app/web/explorer/bundle/{name}"] == content
        assert f"app/web/explorer/bundle/{name}" in sources
    assert not [name for name in (*held, *sources) if "node_modules" in name]


def test_a_wheel_of_source_without_it_and_without_npm_is_refused_in_one_line(
    packages: tuple[Path, Path], tmp_path: Path
) -> None:
    with tarfile.open(packages[1]) as archive:
        archive.extractall(tmp_path, filter="data")
    [source] = tmp_path.iterdir()
    shutil.rmtree(source / BUNDLE.relative_to(PROJECT))

    environment = os.environ | {"PATH": "", "UV_PYTHON": sys.executable}
    command = [os.environ["UV"], "build", "--wheel"]
    built = subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True, check=False)

    said = built.stdout + built.stderr
    assert built.returncode != 0
    assert "The page of the explorer is not made: npm is not here; to get it, install Node.js" in said
    assert "Traceback" not in said


def test_in_an_installed_package_it_counts_as_made(packages: tuple[Path, Path], tmp_path: Path) -> None:
    """There the documents lie elsewhere than in a checkout."""
    with zipfile.ZipFile(packages[0]) as opened:
        opened.extractall(tmp_path)

    asked = "from app.web.explorer import building; print(building.is_made(building.BUNDLE), building.BUNDLE)"
    said = subprocess.check_output([sys.executable, "-c", asked], cwd=tmp_path, text=True)

    assert said.split() == ["True", str(tmp_path / "app/web/explorer/bundle")]
