"""The printed schema is a reviewed file, and so is what generators of clients need beside it."""

import json
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema as build
from graphql import is_scalar_type

from app.graph.comparing import compare, read_schema, report
from app.graph.coordinates import own_types
from app.graph.possible_types import possible_types
from app.graph.schema import build_schema, print_schema

ROOT = Path(__file__).parents[2]
REVIEWED = ROOT / "schema.graphql"
CLIENTS = ROOT / "fixtures/clients"
MADE = f"{print_schema(build_schema())}\n"


def test_the_reviewed_schema_is_what_the_code_makes() -> None:
    reviewed = REVIEWED.read_bytes()
    changes = report(compare(read_schema(reviewed, REVIEWED.name), build(MADE), with_descriptions=True))
    told = ["schema.graphql is not what the code makes; `uv run gateway schema print > schema.graphql`", *changes]

    assert reviewed.decode() == MADE, "\n".join(told)


def test_what_interfaces_and_unions_can_be_is_what_the_code_makes() -> None:
    reviewed = json.loads((CLIENTS / "possibleTypes.json").read_text())

    assert reviewed == possible_types(build(MADE)), (
        "`uv run gateway schema possible-types > fixtures/clients/possibleTypes.json`"
    )


def scalars() -> dict[str, dict[str, Any]]:
    """How each scalar is held by clients, as the documented file has it."""
    found: dict[str, dict[str, Any]] = json.loads((CLIENTS / "scalars.json").read_text())
    return found


def test_every_scalar_of_ours_is_mapped_for_clients() -> None:
    ours = {kind.name for kind in own_types(build(MADE)) if is_scalar_type(kind)}

    assert set(scalars()) == ours


@pytest.mark.parametrize("name", scalars())
def test_a_scalar_is_documented_and_mapped_for_both_languages(name: str) -> None:
    assert set(scalars()[name]) == {"description", "typescript", "python"}
    assert all(scalars()[name].values())
