# /// script
# requires-python = ">=3.11"
# dependencies = ["ariadne-codegen"]
#
# [tool.uv]
# constraint-dependencies = [
#     "annotated-types==0.8.0",
#     "anyio==4.16.0",
#     "ariadne-codegen==0.19.0",
#     "certifi==2026.10.19.post1",
#     "click==8.5.1",
#     "graphql-core==3.2.14",
#     "h11==0.16.0",
#     "httpcore==1.0.9",
#     "httpx==0.28.1",
#     "idna==3.20",
#     "pydantic-core==2.50.5",
#     "pydantic==2.14.4",
#     "ruff==0.15.22",
#     "toml==0.10.2",
#     "typing-extensions==4.16.0",
#     "typing-inspection==0.4.5",
# ]
# ///
"""The client that ariadne-codegen generates, in an environment of its own: it needs an older graphql-core than ours."""

import json
import subprocess
import sys
from datetime import datetime
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from asking import Page, Shown, run

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
CONFIG = """
[tool.ariadne-codegen]
schema_path = "{root}/schema.graphql"
queries_path = "{here}/documents.graphql"
target_package_name = "generated"
target_package_path = "{target}"
{scalars}
"""


def generate(target: str) -> None:
    """Generate the client, with scalars as the documented file has them."""
    mapped = json.loads((ROOT / "fixtures/clients/scalars.json").read_text())
    scalars = "\n".join(
        f'[tool.ariadne-codegen.scalars.{name}]\ntype = "{each["python"]}"' for name, each in mapped.items()
    )
    config = Path(target, "ariadne.toml")
    config.write_text(CONFIG.format(root=ROOT, here=HERE, target=target, scalars=scalars))
    subprocess.run([Path(sys.executable).parent / "ariadne-codegen", "--config", config], check=True, stdout=sys.stderr)


with TemporaryDirectory() as folder:
    generate(folder)
    sys.path.insert(0, folder)
    generated: Any = import_module("generated")


class WithAriadne:
    """A person's client."""

    def __init__(self, url: str, token: str) -> None:
        self.client = generated.Client(url, {"Authorization": f"Bearer {token}"})

    async def page(self, first: int, after: str | None) -> Page:
        rooms = (await self.client.rooms(first, after)).viewer.rooms
        if not all(isinstance(room.updated_at, datetime) for room in rooms.nodes):
            raise TypeError("an instant is no datetime")
        return Page([room.account for room in rooms.nodes], rooms.page_info.has_next_page, rooms.page_info.end_cursor)

    async def too_many(self) -> Shown:
        try:
            await self.page(101, None)
        except generated.GraphQLClientGraphQLMultiError as error:
            return {"code": error.errors[0].extensions["code"]}
        raise RuntimeError("the client showed no error")

    async def forbidden(self) -> Shown:
        (room, *_) = (await self.client.rooms(1)).viewer.rooms.nodes
        change = generated.UpdateRoomInput(room=room.id, expected_version=1, capacity=1)
        (error,) = (await self.client.resize(change)).update_room.errors
        shown: Shown = error.model_dump(mode="json", by_alias=True)
        return shown

    async def refused(self) -> Shown:
        try:
            await self.page(1, None)
        except generated.GraphQLClientHttpError as error:
            return {"status": error.status_code, "code": error.response.json()["errors"][0]["extensions"]["code"]}
        raise RuntimeError("the client showed no error")


run(WithAriadne)
