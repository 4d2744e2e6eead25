"""`GET /explorer/people`: the people of the demo with their tokens, for the explorer on the same machine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.domain.refusals import Problem, ProblemCode
from app.execution.answers import refused
from app.web.endpoint import respond
from app.web.loopback import is_from_here
from app.web.negotiating import JSON

REASON = "The demo hands out tokens on its own machine only: open it there, at http://localhost with its port."


@dataclass(frozen=True)
class Introduction:
    """Somebody of the demo world, what they should see, and how a token for them is made."""

    name: str
    organization: str
    expects: str
    token: Callable[[], str]


@dataclass(frozen=True)
class People:
    """Hands out the tokens of the demo world."""

    introductions: Sequence[Introduction]

    async def respond(self, request: Request) -> Response:
        """Everybody, with fresh tokens; to whoever is not on this machine a refusal."""
        if not is_from_here(request):
            return respond(refused(Problem(ProblemCode.FORBIDDEN, REASON)), JSON)
        people = [
            {"name": each.name, "organization": each.organization, "expects": each.expects, "token": each.token()}
            for each in self.introductions
        ]
        return JSONResponse({"people": people}, headers={"Cache-Control": "no-store"})
