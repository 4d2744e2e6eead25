"""`POST /graphql`, and the shape of every refusal."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from app.access.recognizing import UnknownCaller
from app.config import Limits
from app.domain.refusals import Problem, ProblemCode
from app.execution.answers import Answer, Engine, NotAdmitted, internal, refused
from app.execution.bodies import GraphQLRequest, parse_body
from app.graph.context import Context, Service, begin
from app.storage.engines import Database
from app.web.authenticating import Authenticator, not_admitted
from app.web.negotiating import JSON, OFFERED, choose, is_encoded, is_json, status

Clock = Callable[[], datetime]
REQUEST_ID = "request_id"
"""Where the request's id is found in its ASGI scope."""
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="partner-gateway"'}
REASONS = {
    404: "There is nothing at this address; ask `POST /graphql`.",
    405: "This address takes another method, as `Allow` says; `POST` a JSON object with a `query` to `/graphql`.",
    406: f"This address answers in {' or '.join(OFFERED)}; accept one of them.",
    413: "The body is too large.",
    415: "Send the body as `Content-Type: application/json` in UTF-8, and not compressed.",
}


@dataclass(frozen=True)
class GraphQLEndpoint:
    """Answers GraphQL requests over HTTP."""

    engine: Engine
    authenticator: Authenticator
    database: Database
    service: Service
    clock: Clock

    async def respond(self, request: Request) -> Response:
        """The answer to one request, in the time that there is for it, however slowly its body arrives."""
        media_type = accepted(request)
        if media_type is None:
            raise HTTPException(406)
        try:
            async with asyncio.timeout(self.service.limits.timeout_seconds):
                answer = await self._answer(request, request.scope[REQUEST_ID])
        except Problem as problem:
            answer = refused(problem)
        except TimeoutError:
            answer = refused(Problem(ProblemCode.TIMEOUT, "This took too long and was stopped; ask for less at once."))
        except (HTTPException, ClientDisconnect):
            raise
        except Exception as defect:  # noqa: BLE001 - told here, where the media type and the caller's origin are known
            answer = refused(internal(defect, request.scope[REQUEST_ID]))
        return respond(answer, media_type)

    async def _answer(self, request: Request, request_id: str) -> Answer:
        """Who asks is settled before anything is said of what is asked."""
        now = self.clock()
        caller = await self.authenticator.bearer(request.headers.getlist("authorization"), now, request_id)
        async with begin(caller, self.database, self.service, now, request_id) as context:
            try:
                asked = await self._asked(request, context)
                return await self.engine.answer(asked, context, request_id)
            except NotAdmitted as refusal:
                raise not_admitted(cast("UnknownCaller", refusal.__cause__), request_id) from None

    async def _asked(self, request: Request, context: Context) -> GraphQLRequest:
        try:
            return await read_request(request, self.service.limits)
        except (HTTPException, Problem):
            await self.engine.admit(context)
            raise


def accepted(request: Request) -> str | None:
    """The media type to answer this request in; None where it accepts none of ours."""
    return choose(", ".join(request.headers.getlist("accept")))


async def read_request(request: Request, limits: Limits) -> GraphQLRequest:
    """What is asked. Raises `HTTPException`, or a `Problem` of code BAD_REQUEST."""
    if not is_json(request.headers.getlist("content-type")):
        raise HTTPException(415)
    if is_encoded(request.headers.getlist("content-encoding")):
        raise HTTPException(415, headers={"Accept-Encoding": "identity"})
    return parse_body(await read_body(request, limits.max_body_bytes), limits)


async def read_body(request: Request, allowed: int) -> bytes:
    """The body, as soon as it is there. Raises `HTTPException` once it is longer than allowed."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > allowed:
            raise HTTPException(413, headers={"Connection": "close"})
    return bytes(body)


def respond(answer: Answer, media_type: str) -> Response:
    """An answer as a response."""
    headers = CHALLENGE if answer.code is ProblemCode.UNAUTHENTICATED else None
    content_type = f"{media_type}; charset=utf-8"
    return Response(answer.to_bytes(), status(answer, media_type), headers, content_type)


async def refuse(request: Request, error: Exception) -> Response:
    """A refusal of the request as such: same shape as every other, with the status of its reason."""
    raised = cast("HTTPException", error)  # it is registered for no other
    problem = Problem(ProblemCode.BAD_REQUEST, REASONS[raised.status_code])
    media_type = accepted(request) or JSON
    return Response(refused(problem).to_bytes(), raised.status_code, raised.headers, f"{media_type}; charset=utf-8")
