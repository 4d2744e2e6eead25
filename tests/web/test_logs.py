"""Logs are one JSON object a line, with ids, codes and places; never a token, a variable, a document or a row."""

import asyncio
import gc
import json
import logging
import socket
import sys
import warnings
from typing import Any

import pytest
from uvicorn import Config, Server

from app.commands import workers
from app.domain.moments import parse_instant
from app.reading.reader import Reader
from app.storage.engines import Database
from app.web.development_issuer import DevelopmentIssuer
from app.web.logs import PIECE_BYTES, JsonLines, log_often, start_logging, write_logs
from tests.web.gateway import QUESTION, Gateway, Logs, opened

SECRET = "hunter2-correct-horse"
SEARCH = """query SearchRooms($search: String, $id: ID!) {
  node(id: $id) { id }
  viewer { rooms(filter: { search: $search, city: "Zürich" }) { nodes { displayName groups { nodes { id } } } } }
}"""


async def test_a_request_is_one_line_with_the_id_that_the_client_has(gateway: Gateway, logs: Logs) -> None:
    response = await gateway.ask(QUESTION)

    (line,) = logs.lines
    assert parse_instant(line.pop("time"))
    assert 0 < line.pop("milliseconds") < 10_000
    assert line.pop("plan") in {"first", "planned"}  # others may have asked the same before
    assert line == {
        "level": "INFO",
        "logger": "gateway.requests",
        "message": "request",
        "request_id": response.headers["X-Request-Id"],
        "method": "POST",
        "path": "/graphql",
        "status": 200,
    }


@pytest.mark.parametrize(
    ("query", "plans"),
    [
        ("{ viewer { tenant { id displayName domains } } }", ["first", "planned", "planned"]),
        ("{ __schema { queryType { name } } }", ["first", "document", "document"]),
        ("{ viewer { rooms(first: 0) { nodes { id account } } } }", ["first", "arguments", "arguments"]),
        ("{ viewer { nothing } }", [None, None, None]),
    ],
)
async def test_a_line_says_how_a_plan_took_part(
    query: str, plans: list[str | None], on_each: Gateway, logs: Logs
) -> None:
    for _ in plans:
        await on_each.ask(query)

    assert [line.get("plan") for line in logs.of("gateway.requests")] == plans


def alone(monkeypatch: pytest.MonkeyPatch, waits_seconds: float = 60.0) -> None:
    """Nobody else hears what is logged, as in a gateway that serves, and lines of requests wait so long."""
    monkeypatch.setattr(logging.root, "handlers", [each for each in logging.root.handlers if type(each) is JsonLines])
    monkeypatch.setattr("app.web.logs.WAITS_SECONDS", waits_seconds)


async def test_lines_of_requests_are_written_together_soon(
    gateway: Gateway, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone(monkeypatch, waits_seconds=0.3)

    response = await gateway.ask(QUESTION)
    at_once = logs.stream.getvalue()
    written = asyncio.Event()
    monkeypatch.setattr(logs.stream, "flush", written.set)
    await asyncio.wait_for(written.wait(), timeout=30)

    assert at_once == ""
    assert json.loads(logs.stream.getvalue())["request_id"] == response.headers["X-Request-Id"]


async def test_whatever_is_written_at_once_takes_with_it_what_waits(
    gateway: Gateway, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone(monkeypatch)

    await gateway.ask(QUESTION)
    logging.getLogger("gateway.test").warning("heard")
    await gateway.ask(QUESTION)

    written = [json.loads(line)["message"] for line in logs.stream.getvalue().splitlines()]
    assert written == ["request", "heard"]


async def test_what_cannot_be_written_takes_no_other_line_with_it(
    gateway: Gateway, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone(monkeypatch)
    monkeypatch.setattr(logging, "raiseExceptions", False)
    endless: list[Any] = []
    endless.append(endless)

    await gateway.ask(QUESTION)
    logging.getLogger("gateway.test").warning("lost", extra={"endless": endless})
    logging.getLogger("gateway.test").warning("heard")

    assert [line["message"] for line in logs.lines] == ["request", "heard"]


async def test_only_so_many_lines_wait(gateway: Gateway, logs: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch)
    monkeypatch.setattr("app.web.logs.MAX_WAITING", 3)

    for _ in range(4):
        await gateway.ask(QUESTION)

    assert logs.stream.getvalue().count("\n") == 3


async def test_lines_of_workers_that_write_to_one_pipe_stay_whole(
    gateway: Gateway, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe mixes what is longer with what others write."""
    alone(monkeypatch)
    written: list[str] = []
    monkeypatch.setattr(logs.stream, "write", written.append)

    for _ in range(40):
        await gateway.ask(QUESTION)
    write_logs()

    assert 1 < len(written) < 10
    assert all(len(each) <= PIECE_BYTES and each.endswith("\n") for each in written)
    assert "".join(written).count("\n") == 40


async def test_no_line_waits_longer_than_the_gateway_runs(
    database: Database, issuer: DevelopmentIssuer, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone(monkeypatch)

    async with opened(database, issuer) as gateway, gateway.app.router.lifespan_context(gateway.app):
        await gateway.client.get("/healthz")

    assert logs.stream.getvalue().count("\n") == 1


def test_no_line_waits_longer_than_a_worker_lives(logs: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch)

    def run(*_: Any) -> None:
        asyncio.run(log())
        raise SystemExit

    async def log() -> None:
        log_often(logging.getLogger("gateway.test"), "late")

    monkeypatch.setattr(Server, "run", run)
    monkeypatch.setattr(workers, "own_socket", lambda reserved: reserved)
    with pytest.raises(SystemExit), socket.socket() as unused:
        workers.work(Config("app.main:app", log_config=None), unused)

    assert logs.stream.getvalue().count("late") == 1


async def test_a_log_that_is_gone_stops_nobody(gateway: Gateway, logs: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch)
    logs.stream.close()

    response = await gateway.ask(QUESTION)
    write_logs()

    assert response.status_code == 200


async def test_requests_have_ids_of_their_own_and_clients_do_not_choose_them(gateway: Gateway, logs: Logs) -> None:
    responses = [await gateway.post({"query": QUESTION}, X_Request_Id="mine") for _ in range(3)]

    ids = [response.headers["X-Request-Id"] for response in responses]
    assert len({*ids}) == 3
    assert [line["request_id"] for line in logs.lines] == ids
    assert "mine" not in logs.text


@pytest.mark.parametrize("path", [f"/{SECRET}", f"/graphql/{SECRET}", f"/healthz?token={SECRET}", f"/a%0A{SECRET}"])
async def test_an_address_is_logged_only_if_it_is_one_of_ours_and_never_its_query(
    path: str, gateway: Gateway, logs: Logs
) -> None:
    await gateway.client.get(path)

    (line,) = logs.lines
    assert line["path"] in {None, "/healthz"}
    assert SECRET not in logs.text


async def test_nothing_of_a_request_or_its_answer_is_logged_at_any_level(on_each: Gateway, logs: Logs) -> None:
    response = await on_each.ask(SEARCH, search="Zürich", id=SECRET)

    assert response.json()["data"]["viewer"]["rooms"]["nodes"]
    assert len(logs.lines) == 1
    for inside in (SECRET, "rich", "SearchRooms", "displayName", "SELECT", "contoso", on_each.token()[:40]):
        assert inside not in logs.text


async def test_a_defect_is_logged_by_kind_and_places_alone(
    on_each: Gateway, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def page(reader: Reader, *_: Any) -> None:
        async with reader.database.reading() as connection:
            await connection.exec_driver_sql(f"SELECT '{SECRET}' FROM no_such_table")

    monkeypatch.setattr(Reader, "page", page)

    response = await on_each.ask(SEARCH, search="Zürich", id=SECRET)

    defect, request = logs.lines
    assert (defect["logger"], defect["level"], defect["message"]) == ("gateway.graphql", "ERROR", "defect")
    assert defect["request_id"] == request["request_id"] == response.headers["X-Request-Id"]
    assert defect["error"] in {"OperationalError", "ProgrammingError"}
    assert all(place.rpartition(":")[2].split(" ")[0].isdigit() for place in defect["places"])
    for inside in (SECRET, "rich", "no_such_table", "SELECT"):
        assert inside not in logs.text + response.text


def test_an_exception_that_is_logged_with_its_trace_shows_places_and_not_its_message(logs: Logs) -> None:
    def divide() -> float:
        return {SECRET: 1}[SECRET] / 0

    try:
        divide()
    except ZeroDivisionError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")

    (line,) = logs.lines
    assert line["error"] == "ZeroDivisionError"
    assert line["places"][-1].endswith(" divide")
    assert SECRET not in logs.text
    assert "division" not in logs.text


@pytest.mark.parametrize(
    "value", ["two\nlines", "a\u2028b", "half \ud800 a pair", "\x1b[31m", "naïve", b"bytes", {1: object}]
)
def test_whatever_is_logged_is_one_line_that_can_be_read(value: Any, logs: Logs) -> None:
    logging.getLogger("gateway.test").info("said %s", value, extra={"value": value, "large": 2**70})

    (line,) = logs.lines
    assert line["message"] == f"said {value}"
    assert line["large"] == 2**70
    assert logs.text.isascii()
    assert logs.text.count("\n") == 1


@pytest.mark.parametrize("name", ["sqlalchemy.engine.Engine", "aiosqlite", "httpx", "httpcore", "asyncio", "alembic"])
def test_other_libraries_are_heard_from_warnings_on(name: str, logs: Logs) -> None:
    logger = logging.getLogger(name)

    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        logger.log(level, "said")

    assert [line["level"] for line in logs.lines] == ["WARNING", "ERROR"]


def test_warnings_are_lines_too(logs: Logs) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn("something old", DeprecationWarning, stacklevel=1)

    (line,) = logs.lines
    assert (line["logger"], line["level"]) == ("py.warnings", "WARNING")


async def test_the_level_is_the_operators(gateway: Gateway, logs: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", logs.stream)
    start_logging("WARNING")

    await gateway.ask(QUESTION)
    logging.getLogger("gateway.test").warning("heard")

    assert [line["message"] for line in logs.lines] == ["heard"]


async def test_a_task_that_fails_with_nobody_waiting_is_logged_as_a_defect(
    database: Database, issuer: DevelopmentIssuer, logs: Logs
) -> None:
    async def fail() -> None:
        raise ValueError(SECRET)

    loop = asyncio.get_running_loop()
    async with opened(database, issuer) as gateway, gateway.app.router.lifespan_context(gateway.app):
        task = asyncio.create_task(fail())
        await asyncio.wait({task})
        del task
        gc.collect()
        loop.call_exception_handler({"message": "something happened"})
    loop.set_exception_handler(None)

    defect, message = logs.lines
    assert (defect["message"], defect["error"], defect["request_id"]) == ("defect", "ValueError", None)
    assert (message["logger"], message["message"]) == ("gateway.stray", "something happened")
    assert SECRET not in logs.text
