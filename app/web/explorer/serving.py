"""`/explorer/`: the page to look through, with everything that it needs."""

import mimetypes
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import NotModifiedResponse, StaticFiles

from app.web import wrapping
from app.web.endpoint import refuse
from app.web.explorer.people import People
from app.web.wrapping import Headers

POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; "
    "style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The editor writes styles into the page, hence 'unsafe-inline' for styles; it draws with `data:` images."""
HEADERS: Headers = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-cache",
}
"""What browsers are told by every answer of the page, refusals and defects included."""
ADDRESS = re.compile(r"/(explorer(/.*)?)?", re.DOTALL)
"""Where the page is, and what leads to it."""
COMPRESSION = 5
"""Less than half of the time of the highest level, for 1.4 % more bytes of this page."""

# What this machine says of these names is not relied on: with `nosniff`, a script of another type is not run.
mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("font/ttf", ".ttf")


@dataclass(frozen=True)
class Explorer:
    """The page in this folder, as `gateway explorer build` makes it; in the demo, with its people."""

    bundle: Path
    people: People | None = None

    def routes(self) -> list[BaseRoute]:
        """The page, and what leads to it."""
        page = Starlette(
            routes=[
                Route("/", self.page),
                *([Route("/people", self.people.respond)] if self.people else []),
                *(Mount(f"/{name}", StaticFiles(directory=self.bundle / name)) for name in ("assets", "workers")),
            ],
            middleware=[Middleware(GZipMiddleware, compresslevel=COMPRESSION)],
            exception_handlers={HTTPException: refuse},
        )
        page.router.redirect_slashes = False
        return [Route("/", lead), Route("/explorer", lead), Mount("/explorer", page)]

    def headers_at(self, path: str) -> Headers:
        """What the answers at this address say."""
        return HEADERS if ADDRESS.fullmatch(path) else wrapping.HEADERS

    def page(self, request: Request) -> Response:
        """The page itself. Its ETag is of what is in it: the next one is as long, and may say that it is as old."""
        content = (self.bundle / "index.html").read_bytes()
        page = HTMLResponse(content, headers={"ETag": f'"{sha256(content).hexdigest()}"'})
        is_there = StaticFiles().is_not_modified(page.headers, request.headers)
        return NotModifiedResponse(page.headers) if is_there else page


async def lead(_: Request) -> Response:
    """To the page, wherever this is mounted."""
    return RedirectResponse("explorer/")
