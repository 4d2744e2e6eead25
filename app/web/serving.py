"""How the gateway listens: what the HTTP server itself leaves unbounded is bounded here."""

import asyncio
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.web.wrapping import MAX_HEADER_BYTES

MAX_HEAD_BYTES = 2 * MAX_HEADER_BYTES
"""Request line and headers. The application itself answers what is only somewhat too large, in its own shape."""
ARRIVES_WITHIN_SECONDS = 30.0
"""For a whole request, its body included; a connection that sends none is closed as well."""


class Connection(HttpToolsProtocol):
    """One connection, of whose sender nothing is expected.

    Otherwise 100 MB of headers, sent by anyone, occupy 1.7 GB, and a request that never ends is waited for for ever.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head: int | None = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A first request is awaited."""
        super().connection_made(transport)
        self._await_request()

    def data_received(self, data: bytes) -> None:
        """Close the connection of a request whose headers do not end."""
        if self._head is not None:
            self._head += len(data)
        super().data_received(data)
        if self._head is not None and self._head > MAX_HEAD_BYTES:
            self.transport.abort()

    def on_message_begin(self) -> None:
        """Bytes of a next request have come."""
        super().on_message_begin()
        if self._deadline is None:
            self._await_request()

    def on_headers_complete(self) -> None:
        """What follows is the body, which the application reads or leaves."""
        self._head = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is all there."""
        self._head = 0
        self._stop_waiting()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more will come."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_request(self) -> None:
        self._deadline = self.loop.call_later(ARRIVES_WITHIN_SECONDS, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def configure(app: ASGIApp, host: str, port: int, **more: Any) -> uvicorn.Config:
    """The server's settings, with more of uvicorn's. Its own logs go where all go, and say nothing of requests.

    httptools, because h11 answers a message that has both lengths, and then the one smuggled behind it.
    """
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=Connection,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        **more,
    )
