"""From the `Authorization` header to the caller. Why a token was refused is for the log alone."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.access.recognizing import RemovedPrincipal, UnknownApplication, UnknownTenant, recognize
from app.access.viewer import Caller, Viewer
from app.domain.refusals import Problem, ProblemCode
from app.storage.engines import Database
from app.web.tokens import Claims, TokenRefused, TokenVerifier

log = logging.getLogger("gateway.tokens")
SCHEME = "bearer"


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Tells who asks."""

    verifier: TokenVerifier
    database: Database

    async def caller(self, headers: Sequence[str], now: datetime, request_id: str) -> Caller:
        """Who asks. Raises a `Problem` of code UNAUTHENTICATED, or UNKNOWN_TENANT."""
        try:
            claims = await self.verifier.verify(bearer(headers), now)
            viewer = Viewer(claims.tenant_id, claims.principal_id, claims.kind, claims.directory_roles)
            await recognize(self.database, viewer)
        except TokenRefused as refusal:
            raise self._unauthenticated(refusal.reason, request_id) from None
        except UnknownApplication:
            raise self._unauthenticated("the application is not registered in its tenant", request_id) from None
        except RemovedPrincipal:
            raise self._unauthenticated("the directory has removed who asks", request_id) from None
        except UnknownTenant:
            message = "Your organization is not registered with this service; whoever runs it can add it."
            raise Problem(ProblemCode.UNKNOWN_TENANT, message) from None
        return as_caller(viewer, claims)

    @staticmethod
    def _unauthenticated(reason: str, request_id: str) -> Problem:
        log.info("token refused", extra={"reason": reason, "request_id": request_id})
        return Problem(ProblemCode.UNAUTHENTICATED, "Send a valid access token as `Authorization: Bearer …`.")


def as_caller(viewer: Viewer, claims: Claims) -> Caller:
    """The viewer with the names in the token, which are for display only."""
    return Caller(viewer, claims.display_name, claims.user_principal_name, claims.guest)


def bearer(headers: Sequence[str]) -> str:
    """The token in the one `Authorization` header. Raises `TokenRefused`."""
    if len(headers) > 1:
        raise TokenRefused("there are several Authorization headers")
    scheme, _, token = "".join(headers).partition(" ")
    if scheme.lower() != SCHEME or not token:
        raise TokenRefused("there is no bearer token")
    return token
