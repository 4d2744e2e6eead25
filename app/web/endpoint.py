"""`POST /graphql`, and the shape of every refusal."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from app.access.recognizing import UnknownCaller
from app.config import Limits
from app.domain.refusals import Problem, ProblemCode
from app.execution.answers import Answer, Engine, NotAdmitted, internal, refused
from app.execution.bodies import GraphQLRequest, parse_body
from app.graph.context import Context, Service, begin
from app.storage.engines import Database
from app.web.authenticating import Authenticator, not_admitted
from app.web.negotiating import JSON, OFFERED, Values, choose, is_encoded, is_json, status, values_of

Clock = Callable[[], datetime]
REQUEST_ID = "request_id"
"""Where the request's id is found in its ASGI scope."""
PLAN = "plan"
"""Where it is found there how a plan took part, if one was looked for."""
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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, in the time that there is for it, however slowly its body arrives."""
        response = await self._respond(Incoming.of(scope, receive), scope)
        await response(scope, receive, send)

    async def _respond(self, incoming: "Incoming", scope: Scope) -> Response:
        media_type = choose(incoming.accepts)
        if media_type is None:
            raise HTTPException(406)
        try:
            async with asyncio.timeout(self.service.limits.timeout_seconds):
                answer = await self._answer(incoming, scope)
        except Problem as problem:
            answer = refused(problem)
        except TimeoutError:
            answer = refused(Problem(ProblemCode.TIMEOUT, "This took too long and was stopped; ask for less at once."))
        except (HTTPException, ClientDisconnect):
            raise
        except Exception as defect:  # noqa: BLE001 - told here, where the media type and the caller's origin are known
            answer = refused(internal(defect, scope[REQUEST_ID]))
        return respond(answer, media_type)

    async def _answer(self, incoming: "Incoming", scope: Scope) -> Answer:
        """Who asks is settled before anything is said of what is asked."""
        now, request_id = self.clock(), scope[REQUEST_ID]
        caller = await self.authenticator.bearer(incoming.authorizations, now, request_id)
        async with begin(caller, self.database, self.service, now, request_id) as context:
            try:
                request = await self._read(incoming, context)
                return await self.engine.answer(request, context, request_id)
            except NotAdmitted as refusal:
                raise not_admitted(cast("UnknownCaller", refusal.__cause__), request_id) from None
            finally:
                scope[PLAN] = context.plan

    async def _read(self, incoming: "Incoming", context: Context) -> GraphQLRequest:
        try:
            return await incoming.read(self.service.limits)
        except (HTTPException, Problem):
            await self.engine.admit(context)
            raise


@dataclass(frozen=True, slots=True)
class Incoming:
    """What came over HTTP: the headers that matter here, and a body that may still be on its way."""

    accepts: Values
    authorizations: Values
    content_types: Values
    content_encodings: Values
    receive: Receive

    @classmethod
    def of(cls, scope: Scope, receive: Receive) -> "Incoming":
        """What this request says."""
        accepts, authorizations, types, encodings = values_of(
            scope["headers"], b"accept", b"authorization", b"content-type", b"content-encoding"
        )
        return cls(accepts, authorizations, types, encodings, receive)

    async def read(self, limits: Limits) -> GraphQLRequest:
        """The body, read. Raises `HTTPException`, or a `Problem` of code BAD_REQUEST."""
        if not is_json(self.content_types):
            raise HTTPException(415)
        if is_encoded(self.content_encodings):
            raise HTTPException(415, headers={"Accept-Encoding": "identity"})
        return parse_body(await read_body(self.receive, limits.max_body_bytes), limits)


async def read_body(receive: Callable[[], Awaitable[Message]], allowed: int) -> bytes:
    """The body, as soon as it is there. Raises `HTTPException` once it is longer than allowed."""
    body, is_coming = bytearray(), True
    while is_coming:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        is_coming = message.get("more_body", False)
        if len(body) > allowed:
            raise HTTPException(413, headers={"Connection": "close"})
    return bytes(body)


def respond(answer: Answer, media_type: str) -> Response:
    """An answer as a response."""
    content_type = f"{media_type}; charset=utf-8"
    code = answer.code
    if code is None:
        return Response(answer.to_bytes(), media_type=content_type)
    headers = CHALLENGE if code is ProblemCode.UNAUTHENTICATED else None
    status_code = status(code, media_type, is_understood=answer.understood)
    return Response(answer.to_bytes(), status_code, headers, content_type)


async def refuse(request: Request, error: Exception) -> Response:
    """A refusal of the request as such: same shape as every other, with the status of its reason."""
    raised = cast("HTTPException", error)  # it is registered for no other
    problem = Problem(ProblemCode.BAD_REQUEST, REASONS[raised.status_code])
    media_type = choose(tuple(request.headers.getlist("accept"))) or JSON
    return Response(refused(problem).to_bytes(), raised.status_code, raised.headers, f"{media_type}; charset=utf-8")
