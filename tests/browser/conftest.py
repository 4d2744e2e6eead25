"""The explorer in a real browser that reaches nothing but the gateway. Not run by default."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, Playwright, sync_playwright

from app.commands.databases import DEMO_HEADS, DEMO_KEY
from app.web.explorer.building import BUNDLE, is_made, make_page
from tests.browser.looking import Look, looking
from tests.serving import serving

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as this source makes it, once for all processes of the tests."""
    with FileLock(tmp_path_factory.getbasetemp().parent / "bundle.lock"):
        if not is_made(BUNDLE):
            make_page(BUNDLE)
    return BUNDLE


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder of the demo."""
    return tmp_path_factory.mktemp("demo") / "state"


@pytest.fixture(scope="session")
def demo(state: Path, bundle: Path) -> Iterator[str]:
    """The address of a running demo."""
    with serving(state, "demo", GATEWAY_EXPLORER="true") as server:
        yield server.url


@pytest.fixture
def served(demo: str, state: Path, tmp_path: Path) -> Iterator[str]:
    """The address of `serve` over a copy of the demo's database, with the explorer because it was asked for."""
    copy = tmp_path / "state"
    shutil.copytree(state, copy)
    notary = {"GATEWAY_AUDIT_SIGNING_KEY": str(copy / DEMO_KEY), "GATEWAY_AUDIT_HEADS_DIR": str(copy / DEMO_HEADS)}
    with serving(copy, "serve", "--development-issuer", "--explorer", **notary) as server:
        yield server.url


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A browser for which every name but this machine's address is unknown."""
    launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield launched
    launched.close()


@pytest.fixture
def look(browser: Browser, demo: str) -> Iterator[Look]:
    """The explorer of the demo, opened, in an ordinary window; and at the end nothing that it must not do was done."""
    with looking(browser, demo) as opened:
        yield opened.open()
