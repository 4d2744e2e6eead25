# /// script
# requires-python = ">=3.11"
# dependencies = ["gql[httpx]"]
#
# [tool.uv]
# constraint-dependencies = [
#     "anyio==4.16.0",
#     "certifi==2026.10.19.post1",
#     "gql==4.4.0",
#     "graphql-core==3.3.2",
#     "h11==0.16.0",
#     "httpcore==1.0.9",
#     "httpx==0.28.1",
#     "idna==3.20",
#     "multidict==7.2.1",
#     "propcache==0.5.4",
#     "tenacity==9.2.1",
#     "typing-extensions==4.16.0",
#     "yarl==1.25.1",
# ]
# ///
"""gql, which reads its documents from a file and checks them against schema.graphql before it sends them."""

from pathlib import Path
from typing import Any

from asking import Page, Shown, run
from gql import Client, GraphQLRequest
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport

HERE = Path(__file__).parent
DOCUMENTS = (HERE / "documents.graphql").read_text()
SCHEMA = (HERE.parents[2] / "schema.graphql").read_text()


class WithGql:
    """A person's client."""

    def __init__(self, url: str, token: str) -> None:
        transport = HTTPXAsyncTransport(url, headers={"Authorization": f"Bearer {token}"})
        self.client = Client(transport=transport, schema=SCHEMA)

    async def ask(self, operation: str, **variables: object) -> Any:
        request = GraphQLRequest(DOCUMENTS, variable_values=variables, operation_name=operation)
        async with self.client as session:
            return await session.execute(request)

    async def page(self, first: int, after: str | None) -> Page:
        rooms = (await self.ask("Rooms", first=first, after=after))["viewer"]["rooms"]
        info = rooms["pageInfo"]
        return Page([room["account"] for room in rooms["nodes"]], info["hasNextPage"], info["endCursor"])

    async def too_many(self) -> Shown:
        return await self.shown(101)

    async def forbidden(self) -> Shown:
        rooms = (await self.ask("Rooms", first=1))["viewer"]["rooms"]
        change = {"room": rooms["nodes"][0]["id"], "expectedVersion": 1, "capacity": 1}
        answer: Shown = (await self.ask("Resize", input=change))["updateRoom"]["errors"][0]
        return answer

    async def refused(self) -> Shown:
        return await self.shown(1)

    async def shown(self, first: int) -> Shown:
        try:
            await self.page(first, None)
        except TransportQueryError as error:
            return {"code": (error.errors or [])[0]["extensions"]["code"]}
        raise RuntimeError("the client showed no error")


run(WithGql)
