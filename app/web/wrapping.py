"""What every request gets: an id, safe headers, a line in the log, and an answer even to a defect."""

import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.domain.refusals import Problem, ProblemCode
from app.execution.answers import internal, refused
from app.web.endpoint import PLAN, REQUEST_ID
from app.web.logs import log_often
from app.web.negotiating import JSON

log = logging.getLogger("gateway.requests")
MAX_HEADER_BYTES = 32 * 1024
"""All headers of a request together; the HTTP parser itself would take a megabyte."""
CONTENT_TYPE = f"{JSON}; charset=utf-8"
Headers = Mapping[bytes, bytes]
"""By names in lower case, as ASGI has them."""
HEADERS: Headers = {b"cache-control": b"no-store", b"x-content-type-options": b"nosniff"}
"""What answers say at addresses that have nothing of their own to say."""


class Wrapping:
    """The outermost layer around every request.

    `headers_at` tells what every answer at an address says that does not say otherwise, whichever layer answers.
    """

    def __init__(self, app: ASGIApp, headers_at: Callable[[str], Headers] = lambda _: HEADERS) -> None:
        self.app = app
        self.headers_at = headers_at

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope[REQUEST_ID] = request_id = os.urandom(16).hex()
        started, sent = time.perf_counter(), 0
        said = self.headers_at(scope["path"].removeprefix(scope.get("root_path", "")))

        async def send_wrapped(message: Message) -> None:
            nonlocal sent
            if message["type"] == "http.response.start":
                sent = message["status"]
                headers = message["headers"]
                given = dict(headers)
                for header in said.items():
                    if header[0] not in given:
                        headers.append(header)
                headers.append((b"x-request-id", request_id.encode()))
            await send(message)

        try:
            if header_bytes(scope["headers"]) > MAX_HEADER_BYTES:
                problem = Problem(
                    ProblemCode.BAD_REQUEST, f"All headers together are at most {MAX_HEADER_BYTES} bytes."
                )
                await Response(refused(problem).to_bytes(), 431, media_type=CONTENT_TYPE)(scope, receive, send_wrapped)
            else:
                await self.app(scope, receive, send_wrapped)
        except ClientDisconnect:
            pass  # nobody is left to answer
        except Exception as defect:
            problem = internal(defect, request_id)
            if sent:
                raise
            await Response(refused(problem).to_bytes(), 500, media_type=CONTENT_TYPE)(scope, receive, send_wrapped)
        finally:
            milliseconds = round((time.perf_counter() - started) * 1000, 2)
            line = {"request_id": request_id, "method": scope["method"], "path": path_of(scope), "status": sent}
            if plan := scope.get(PLAN):
                line[PLAN] = plan
            log_often(log, "request", **line, milliseconds=milliseconds)


def path_of(scope: Scope) -> str | None:
    """The path for the log, if it is one of ours: what was asked for by mistake may be a secret."""
    return getattr(scope.get("route"), "path", None)


def header_bytes(headers: Iterable[tuple[bytes, bytes]]) -> int:
    """How large the headers are together."""
    total = 0
    for name, value in headers:
        total += len(name) + len(value)
    return total
