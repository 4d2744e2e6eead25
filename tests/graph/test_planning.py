"""What is remembered of a document is bounded, whatever a client lets in and leaves out."""

from dataclasses import replace
from itertools import product

import pytest

from app.graph.engine import build_engine
from app.graph.planning import MAX_CHOICES, Planning
from app.storage.engines import Database
from tests.graph.asking import LIMITS, ask

CHOOSING = """query Choosing($a: Boolean!, $b: Boolean!, $c: Boolean!, $d: Boolean!, $e: Boolean!) {
  a: __typename @include(if: $a) b: __typename @include(if: $b) c: __typename @include(if: $c)
  d: __typename @skip(if: $d) e: __typename @skip(if: $e)
}"""


CHOICES = [dict(zip("abcde", choice, strict=True)) for choice in product([False, True], repeat=5)]


@pytest.mark.parametrize("planning", [Planning.AGAIN, Planning.AT_ONCE])
@pytest.mark.parametrize("times", [1, 2])
async def test_few_choices_of_an_operation_are_remembered_however_often_each_is_asked(
    times: int, planning: Planning, world: Database
) -> None:
    engine = build_engine(LIMITS, planning)
    asker = replace(ask(world, "contoso-manager"), engine=engine)
    outlines = engine.documents.get(CHOOSING).operation(None).outlines

    remembered = []
    for choice in CHOICES:
        for _ in range(times):
            await asker.data(CHOOSING, **choice)
            remembered.append(len(outlines))

    assert max(remembered) == MAX_CHOICES
    counts = engine._planner.counts  # type: ignore[union-attr]
    assert counts["planned"] == len(CHOICES) * (times if planning is Planning.AT_ONCE else times - 1)
