"""What every client is asked to do, and how it tells what came of it."""

import asyncio
import json
import os
from collections.abc import Callable
from typing import NamedTuple, Protocol

FIRST = 2
MOST_PAGES = 100
Shown = dict[str, object]
"""An error as users of the client get hold of it."""


class Page(NamedTuple):
    """A page of rooms, by their accounts."""

    rooms: list[str]
    has_next: bool
    cursor: str | None


class Client(Protocol):
    """A client of one person."""

    async def page(self, first: int, after: str | None) -> Page:
        """A page of the rooms that the person sees."""

    async def too_many(self) -> Shown:
        """What is shown for more rooms than a page has, which is a top-level error."""

    async def forbidden(self) -> Shown:
        """What is shown for a change that the person may not make, which is an error in the payload."""

    async def refused(self) -> Shown:
        """What is shown where the token is none."""


async def everything(client: Client) -> dict[str, object]:
    """All pages."""
    rooms: list[str] = []
    after = None
    for pages in range(1, MOST_PAGES + 1):
        page = await client.page(FIRST, after)
        rooms += page.rooms
        if not page.has_next:
            return {"rooms": rooms, "pages": pages}
        after = page.cursor
    raise RuntimeError(f"there is always another page after {MOST_PAGES}")


async def work(connect: Callable[[str, str], Client]) -> None:
    url, tokens = os.environ["GATEWAY_URL"], json.loads(os.environ["GATEWAY_TOKENS"])
    people = {name: await everything(connect(url, token)) for name, token in tokens.items()}
    last, nobody = connect(url, list(tokens.values())[-1]), connect(url, "no-token")
    shown = {
        "tooMany": await last.too_many(),
        "forbidden": await last.forbidden(),
        "refused": await nobody.refused(),
    }
    print(json.dumps({"people": people, **shown}))


def run(connect: Callable[[str, str], Client]) -> None:
    """Do everything as everybody, and print it for the script that knows what is right."""
    asyncio.run(work(connect))
