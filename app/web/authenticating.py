"""From the `Authorization` header to the caller. Why a token was refused is for the log alone."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.access.recognizing import RemovedPrincipal, UnknownCaller, UnknownTenant, recognize
from app.access.viewer import Caller
from app.domain.refusals import Problem, ProblemCode
from app.storage.engines import Database
from app.web.tokens import TokenRefused, TokenVerifier

log = logging.getLogger("gateway.tokens")
SCHEME = "bearer"


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Tells who asks."""

    verifier: TokenVerifier
    database: Database

    async def caller(self, headers: Sequence[str], now: datetime, request_id: str) -> Caller:
        """Who asks, known to the database. Raises a `Problem` of code UNAUTHENTICATED, or UNKNOWN_TENANT."""
        caller = await self.bearer(headers, now, request_id)
        try:
            await recognize(self.database, caller.viewer)
        except UnknownCaller as unknown:
            raise not_admitted(unknown, request_id) from None
        return caller

    async def bearer(self, headers: Sequence[str], now: datetime, request_id: str) -> Caller:
        """Who asks, as the token says; whether they may ask is for the database. Raises a `Problem`."""
        try:
            return (await self.verifier.verify(bearer(headers), now)).caller
        except TokenRefused as refusal:
            raise unauthenticated(refusal.reason, request_id) from None


def not_admitted(unknown: UnknownCaller, request_id: str) -> Problem:
    """What is said to somebody whom the database does not know."""
    if isinstance(unknown, UnknownTenant):
        message = "Your organization is not registered with this service; whoever runs it can add it."
        return Problem(ProblemCode.UNKNOWN_TENANT, message)
    if isinstance(unknown, RemovedPrincipal):
        return unauthenticated("the directory has removed who asks", request_id)
    return unauthenticated("the application is not registered in its tenant", request_id)


def unauthenticated(reason: str, request_id: str) -> Problem:
    """What is said to whoever has no valid token; why it is not is for the log alone."""
    log.info("token refused", extra={"reason": reason, "request_id": request_id})
    return Problem(ProblemCode.UNAUTHENTICATED, "Send a valid access token as `Authorization: Bearer …`.")


def bearer(headers: Sequence[str]) -> str:
    """The token in the one `Authorization` header. Raises `TokenRefused`."""
    if len(headers) > 1:
        raise TokenRefused("there are several Authorization headers")
    scheme, _, token = "".join(headers).partition(" ")
    if scheme.lower() != SCHEME or not token:
        raise TokenRefused("there is no bearer token")
    return token
