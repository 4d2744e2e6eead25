"""A request leaves nothing behind: nothing of it begins or goes on after its answer, whichever of its fields fails."""

import asyncio
import gc
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import pytest
from graphql import build_schema, parse

from app.execution.executions import Execution

SCHEMA = build_schema(
    "type Query { top: Top } type Top { a: T! b: T! c: T! } type T { x: Int y: T n: T! l: [T!]! m: [T!]! }"
)
"""A failing non-null field is told to its parent at once, while siblings are at work."""

Resolver = Callable[[Any], Awaitable[Any]]


@dataclass
class Work:
    """What resolvers do, counted."""

    begun: int = 0
    ended: int = 0
    steps: list[str] = field(default_factory=list)

    def after(self, turns: int, value: Any) -> Resolver:
        """A resolver that answers, or fails, after so many turns of the loop."""

        async def resolve(_: Any) -> Any:
            self.begun += 1
            try:
                for _turn in range(turns):
                    await asyncio.sleep(0)
            finally:
                self.ended += 1
            if isinstance(value, Exception):
                raise value
            return value

        return resolve

    def at_once(self, value: Exception) -> Callable[[Any], Any]:
        """A resolver that fails before anything is awaited."""

        def resolve(_: Any) -> Any:
            raise value

        return resolve


def tree(work: Work, depth: int, turns: int) -> dict[str, Any]:
    """An object whose fields, at each level, answer after so many turns."""
    if depth == 0:
        return {"x": 1}
    below = tree(work, depth - 1, turns)
    return {name: work.after(turns, [below, below] if name == "l" else below) for name in "ynl"} | {
        "x": 1,
        "m": [below],
    }


def selecting(depth: int) -> str:
    inner = selecting(depth - 1) if depth else ""
    return f"x y {{ {inner} }} n {{ {inner} }} l {{ {inner} }} m {{ {inner} }}" if depth else "x"


async def run(document: str, top: dict[str, Any]) -> Any:
    execution = Execution.of(SCHEMA, parse(document), None, {}, None)
    assert isinstance(execution, Execution)
    execution.root_value = {"top": top}
    return await execution.result()


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("failing", "abc")
async def test_nothing_goes_on_or_was_forgotten_when_a_field_fails(failing: str, at_once: bool) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for turns, depth, fails_after in product(range(3), range(3), range(6)):
            work = Work()
            top = {name: work.after(turns, tree(work, depth, turns)) for name in "abc"}
            defect = ValueError("defect")
            top[failing] = work.at_once(defect) if at_once else work.after(fails_after, defect)

            result = await run(f"{{ top {{ a {{ x }} b {{ {selecting(depth)} }} c {{ {selecting(depth)} }} }} }}", top)

            assert (result.data, [error.path for error in result.errors]) == ({"top": None}, [["top", failing]])
            assert asyncio.all_tasks() == {asyncio.current_task()}
            begun = work.begun
            assert work.ended == begun
            await asyncio.sleep(0)
            assert work.begun == begun
        del result, top
        gc.collect()

    assert [str(warning.message) for warning in seen] == []


async def test_siblings_of_a_field_that_fails_at_once_are_not_begun() -> None:
    work = Work()
    top = {"a": work.after(0, {"x": 1}), "b": work.at_once(ValueError("defect")), "c": work.after(0, {"x": 1})}

    await run("{ top { a { x } c { x } b { x } } }", top)
    await asyncio.sleep(0.01)

    assert work.begun == 0


async def test_a_cancelled_execution_leaves_nothing_either() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for turns in range(12):
            work = Work()
            top = {name: work.after(2, tree(work, 2, 2)) for name in "abc"}
            task = asyncio.create_task(run(f"{{ top {{ a {{ x }} b {{ {selecting(2)} }} c {{ x }} }} }}", top))
            for _ in range(turns):
                await asyncio.sleep(0)

            task.cancel()
            await asyncio.wait({task})

            assert asyncio.all_tasks() == {asyncio.current_task()}
            assert work.ended == work.begun
        del task, top
        gc.collect()

    assert [str(warning.message) for warning in seen] == []


async def test_what_does_not_fail_is_answered_as_ever() -> None:
    work = Work()
    top = {name: work.after(1, tree(work, 1, 1)) for name in "abc"}

    result = await run(
        f"{{ top {{ a {{ x }} b {{ {selecting(1)} }} c {{ l {{ x }} }} }} }}".replace("{  }", "{ x }"), top
    )

    one = {"x": 1}
    assert result.errors is None
    assert result.data == {
        "top": {"a": one, "b": one | {"y": one, "n": one, "l": [one, one], "m": [one]}, "c": {"l": [one, one]}}
    }
