"""The printed schema is a reviewed file; what differs is said with whether it breaks clients."""

from pathlib import Path

from graphql import build_schema as build
from graphql.utilities import find_schema_changes

from app.graph.schema import build_schema

REVIEWED = Path(__file__).parents[2] / "schema.graphql"


def test_the_reviewed_schema_is_what_the_code_makes() -> None:
    made, reviewed = f"{build_schema()}\n", REVIEWED.read_text()

    changes = [
        f"{change.type.name}: {change.description}" for change in find_schema_changes(build(reviewed), build(made))
    ]

    assert made == reviewed, "\n".join(
        ["schema.graphql is not what the code makes; `uv run gateway schema print > schema.graphql`", *changes]
    )
