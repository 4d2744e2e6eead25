"""What only a real server shows: senders that do not keep to the rules, connections that end, and a clean stop."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from app.config import Limits
from app.reading.reader import Reader
from app.storage.engines import Database
from app.web import serving
from app.web.development_issuer import DevelopmentIssuer
from app.web.serving import MAX_HEAD_BYTES, configure
from tests.web.gateway import ANSWER, QUESTION, Gateway, Logs, opened
from tests.world import Worlds

BODY = json.dumps({"query": QUESTION}).encode()
PATIENCE = 5
"""Seconds, for whatever is told to end by itself."""


class Served:
    """A gateway that listens on this machine."""

    def __init__(self, gateway: Gateway, server: uvicorn.Server) -> None:
        self.server = server
        self.port: int = server.servers[0].sockets[0].getsockname()[1]
        self.token = gateway.token()

    def request(self, body: bytes = BODY, *extra: str) -> bytes:
        """A good request, with these headers too."""
        headers = [
            "POST /graphql HTTP/1.1",
            "Host: gateway",
            "Content-Type: application/json",
            f"Authorization: Bearer {self.token}",
            f"Content-Length: {len(body)}",
            *extra,
        ]
        return "\r\n".join([*headers, "", ""]).encode() + body

    async def answers(self, *sent: bytes, end: bool = False) -> bytes:
        """Everything that comes back until the server closes the connection."""
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            received = b""
            try:
                for part in sent:
                    writer.write(part)
                    await writer.drain()
                if end:
                    writer.write_eof()
                received = await reader.read()
            except ConnectionError:
                pass
            finally:
                writer.close()
                await asyncio.gather(writer.wait_closed(), return_exceptions=True)
            return received

    async def is_well(self) -> bool:
        """It still answers a good request."""
        answered = await self.answers(self.request(BODY, "Connection: close"))
        return answered.startswith(b"HTTP/1.1 200 OK\r\n") and answered.endswith(
            json.dumps(ANSWER, separators=(",", ":")).encode()
        )


@asynccontextmanager
async def served(gateway: Gateway) -> AsyncIterator[Served]:
    """The gateway as the command line serves it, until the end of the test."""
    server = uvicorn.Server(configure(gateway.app, "127.0.0.1", 0))
    server.config.lifespan = "off"  # the database is not this test's to close
    running = asyncio.create_task(server._serve())
    await until(lambda: server.started)
    yield Served(gateway, server)
    server.should_exit = True
    async with asyncio.timeout(PATIENCE):
        await running


@pytest.fixture(scope="module")
async def listening(gateway: Gateway) -> AsyncIterator[Served]:
    async with served(gateway) as made:
        yield made


def statuses(answered: bytes) -> list[int]:
    """The status of each answer on a connection."""
    return [int(part[:3]) for part in answered.split(b"HTTP/1.1 ")[1:]]


# --- what is sent against the rules -----------------------------------------------------------------------------------


async def test_a_good_request_is_answered_and_tells_nothing_of_the_server(listening: Served) -> None:
    answered = await listening.answers(listening.request(BODY, "Connection: close"))

    head, _, body = answered.partition(b"\r\n\r\n")
    assert (statuses(answered), json.loads(body)) == ([200], ANSWER)
    assert b"uvicorn" not in head.lower()
    assert b"server:" not in head.lower()


SMUGGLED = b"POST /graphql HTTP/1.1\r\nHost: gateway\r\nContent-Length: 0\r\n\r\n"
AMBIGUOUS = {
    "both lengths": ["Transfer-Encoding: chunked"],
    "another length": ["Content-Length: 3"],
    "a length with a sign": ["Content-Length: +3"],
    "an encoding that is none": ["Transfer-Encoding: xchunked"],
    "an encoding in two headers": ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
    "a space before the colon": ["Transfer-Encoding : chunked"],
    "a folded header": ["X-Filler: a", " Transfer-Encoding: chunked"],
    "a bare line feed": ["X-Filler: a\nTransfer-Encoding: chunked"],
    "U+0000 in a header": ["X-Filler: a\0b"],
}


@pytest.mark.parametrize("case", AMBIGUOUS)
async def test_a_request_whose_end_is_ambiguous_is_refused_with_all_that_follows(case: str, listening: Served) -> None:
    request = listening.request(b"0\r\n\r\n" + SMUGGLED, *AMBIGUOUS[case])

    answered = await listening.answers(request, end=True)

    assert statuses(answered) == [400]
    assert await listening.is_well()


async def test_the_rest_of_a_refused_body_is_not_taken_for_a_request(listening: Served) -> None:
    body = b" " * (Limits().max_body_bytes + 1) + SMUGGLED

    answered = await listening.answers(listening.request(body))

    assert statuses(answered) in ([413], [])  # the connection may be closed before all of it was sent
    assert await listening.is_well()


@pytest.mark.parametrize("declared", [2**31, 2**63, 10**30])
async def test_a_huge_length_alone_costs_nothing(declared: int, listening: Served) -> None:
    request = listening.request(b"").replace(b"Content-Length: 0", b"Content-Length: %d" % declared)

    answered = await listening.answers(request + b" " * 70_000)

    assert statuses(answered) in ([413], [400], [])
    assert await listening.is_well()


@pytest.mark.parametrize(
    "headers",
    [b"X-Filler: " + b"a" * 4_000_000, b"X: y\r\n" * 700_000, b"a" * 4_000_000],
    ids=["one value", "very many", "one name"],
)
async def test_headers_that_do_not_end_are_cut_off(headers: bytes, listening: Served) -> None:
    begun = b"POST /graphql HTTP/1.1\r\nHost: gateway\r\n"

    answered = await listening.answers(begun, headers)

    assert statuses(answered) in ([], [400])
    assert not listening.server.server_state.connections
    assert await listening.is_well()


async def test_an_address_that_does_not_end_is_cut_off(listening: Served) -> None:
    assert await listening.answers(b"GET /" + b"a" * 4_000_000) == b""
    assert await listening.is_well()


async def test_headers_that_are_somewhat_too_large_are_refused_in_our_words(listening: Served) -> None:
    request = listening.request(BODY, "Connection: close", "X-Filler: " + "a" * (MAX_HEAD_BYTES - 8_000))

    answered = await listening.answers(request)

    assert statuses(answered) == [431]
    assert json.loads(answered.partition(b"\r\n\r\n")[2])["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"GET / HTTP/9.9\r\n\r\n",
        b"SECRET / HTTP/1.1\r\n\r\n",
        b"\r\n" * 99_000,
        b"\0",
    ],
    ids=["TLS", "another version", "no method", "empty lines", "U+0000"],
)
async def test_what_is_no_http_is_refused(rubbish: bytes, listening: Served, logs: Logs) -> None:
    answered = await listening.answers(rubbish, end=True)

    assert statuses(answered) in ([400], [])
    assert "SECRET" not in logs.text
    assert await listening.is_well()


@pytest.mark.parametrize("protocol", ["websocket", "h2c"])
async def test_a_client_that_offers_another_protocol_is_refused_and_does_not_wait(
    protocol: str, listening: Served
) -> None:
    """The parser takes what follows for the other protocol, and so finds no body; nothing of it runs."""
    answered = await listening.answers(listening.request(BODY, "Connection: Upgrade, close", f"Upgrade: {protocol}"))

    assert statuses(answered) == [400]


async def test_requests_in_a_row_are_answered_in_their_order(listening: Served) -> None:
    requests = [listening.request(BODY), listening.request(b"{}"), listening.request(BODY, "Connection: close")]

    answered = await listening.answers(b"".join(requests))

    assert statuses(answered) == [200, 400, 200]


# --- senders that do not end ------------------------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "ARRIVES_WITHIN_SECONDS", 0.3)


@pytest.mark.usefixtures("impatient")
async def test_connections_that_send_nothing_or_half_a_request_are_closed(listening: Served) -> None:
    halves = [b"", b"POST /gra", b"POST /graphql HTTP/1.1\r\nHost: gate", listening.request()[:-5], b"\r\n"]

    answered = await asyncio.gather(*(listening.answers(half) for half in halves * 30))

    assert {status for each in answered for status in statuses(each)} == set()
    assert not listening.server.server_state.connections
    assert await listening.is_well()


@pytest.mark.usefixtures("impatient")
async def test_whoever_sends_a_little_now_and_then_is_cut_off_too(listening: Served) -> None:
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.port)
        writer.write(b"POST /graphql HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n")
        assert (await reader.read(1000)).startswith(b"HTTP/1.1 401 ")
        while not writer.is_closing() and not reader.at_eof():
            writer.write(b" ")
            await asyncio.gather(reader.read(0), asyncio.sleep(0.05))
        writer.close()

    assert not listening.server.server_state.connections


@pytest.mark.usefixtures("impatient")
async def test_a_connection_that_is_kept_gets_its_time_for_every_request(listening: Served) -> None:
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.port)
        for _ in range(3):
            writer.write(listening.request())
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            await reader.readuntil(b"}}}}")
            await asyncio.sleep(0.2)
        writer.write(b"POST /gra")
        assert await asyncio.gather(reader.read(), return_exceptions=True)
        writer.close()

    assert not listening.server.server_state.connections


async def test_half_open_connections_keep_nobody_out(listening: Served) -> None:
    opened_ones = [await asyncio.open_connection("127.0.0.1", listening.port) for _ in range(150)]
    for _, writer in opened_ones:
        writer.write(b"POST /graphql HTTP/1.1\r\nHost: ")

    assert await listening.is_well()

    for _, writer in opened_ones:
        writer.close()
        await writer.wait_closed()


# --- connections that end ---------------------------------------------------------------------------------------------


async def test_a_client_that_hangs_up_in_its_body_is_no_defect(listening: Served, logs: Logs) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", listening.port)
    writer.write(listening.request()[:-5])
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.transport.abort()
    await until(lambda: bool(logs.lines))

    (line,) = logs.lines
    assert (line["logger"], line["level"], line["status"]) == ("gateway.requests", "INFO", 0)


async def test_a_client_that_hangs_up_while_it_is_answered_is_no_defect(
    listening: Served, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()
    rows = Reader.rows

    async def slowly(*asked: Any) -> Any:
        begun.set()
        await asyncio.sleep(0.1)
        return await rows(*asked)

    monkeypatch.setattr(Reader, "rows", slowly)
    _, writer = await asyncio.open_connection("127.0.0.1", listening.port)
    writer.write(listening.request(b'{"query":"{ mine: viewer { tenant { displayName } } }"}'))
    await begun.wait()
    writer.transport.abort()
    await until(lambda: bool(logs.lines))

    assert [line["logger"] for line in logs.lines] == ["gateway.requests"]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


# --- the end ----------------------------------------------------------------------------------------------------------


async def test_a_stop_lets_what_runs_be_answered_closes_what_idles_and_then_the_database(
    worlds: dict[str, Worlds], issuer: DevelopmentIssuer, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, rows = asyncio.Event(), Reader.rows

    async def slowly(*asked: Any) -> Any:
        begun.set()
        await asyncio.sleep(0.3)
        return await rows(*asked)

    monkeypatch.setattr(Reader, "rows", slowly)
    closed: list[str] = []
    database = Database(f"sqlite:///{worlds['sqlite'].shared.file}")
    close = database.close

    async def closing() -> None:
        closed.append("database")
        await close()

    monkeypatch.setattr(database, "close", closing)
    async with opened(database, issuer) as gateway:
        server = uvicorn.Server(configure(gateway.app, "127.0.0.1", 0))
        running = asyncio.create_task(server._serve())
        await until(lambda: server.started)
        listening = Served(gateway, server)
        idle = asyncio.create_task(listening.answers())
        half = asyncio.create_task(listening.answers(b"POST /graphql HTTP/1.1\r\n"))
        busy = asyncio.create_task(listening.answers(listening.request()))
        await begun.wait()

        server.should_exit = True
        async with asyncio.timeout(PATIENCE):
            answered = await asyncio.gather(busy, idle, half, running)
    asyncio.get_running_loop().set_exception_handler(None)

    assert [statuses(each or b"") for each in answered] == [[200], [], [], []]
    assert closed == ["database"]
    assert {line["level"] for line in logs.lines} == {"INFO"}
