"""Plans: a statement that answers a whole document, compiled once, and run with what each request says."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Join, select
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler

from app.access.recognizing import require_recognized, unrecognized
from app.access.tripwire import check
from app.access.viewer import MOMENTS
from app.reading.reader import Reader
from app.reading.selections import Fields
from app.reading.slots import Slot
from app.reading.writing import LEFT, MISSING, Writer
from app.storage.json_text import Encoded, chain

Binds = dict[str, Any]
NOT_THERE = MISSING.encode()


@dataclass(slots=True, eq=False)
class Plan:
    """One statement. `names` are those of its values, in their order."""

    text: str
    names: tuple[str, ...]
    is_dated: bool
    """Whether it depends on the moment."""
    is_left: bool
    """Whether places of its answer are finished afterwards."""
    is_refused: bool = False
    """Whether the database does not take it."""


class NotPlanned(Exception):
    """A plan does not answer, for the reason given in a word; field by field there is an answer."""


def write_plan(fields: Fields, slots: Sequence[Slot], dialect: Dialect) -> Plan:
    """The plan for requests that say something of these forms. Every level of it has passed the tripwire."""
    data, parts = Writer(slots, numbers_rows=dialect.name != "sqlite").whole(fields)
    answer = Encoded(chain('{"data":', data, "}"))
    statement = select(unrecognized().label("unrecognized"), answer.label("answer")).add_cte(*parts)
    check(statement, {})
    compiled = compiler_of(dialect)(dialect, statement)
    names = tuple(compiled.positiontup or ())
    return Plan(str(compiled), names, not MOMENTS.isdisjoint(names), LEFT in str(compiled))


@cache
def compiler_of(dialect: Dialect) -> Any:
    """Writes what every request has alike into the text, so that a database plans with it; the rest is bound.

    SQLite is told to join in the order that is written, which begins with what the viewer holds or is asked for: it
    cannot know how few rows that is, and where it guesses wrong it looks through all that there are.
    """

    class Compiler(dialect.statement_compiler):  # type: ignore[name-defined,misc] # the dialect's own
        def visit_bindparam(self, bindparam: BindParameter[Any], **options: Any) -> str:
            if not bindparam.required:
                options["literal_binds"] = True
            written: str = super().visit_bindparam(bindparam, **options)
            return written

        def visit_join(self, join: Join, asfrom: bool = False, from_linter: Any = None, **options: Any) -> str:
            if dialect.name != "sqlite" or join.isouter:
                return str(super().visit_join(join, asfrom, from_linter, **options))
            left, right = (self.process(side, asfrom=True, **options) for side in (join.left, join.right))
            return f"{left} CROSS JOIN {right} ON {self.process(join.onclause, **options)}"

    made: type[SQLCompiler] = Compiler
    return made


def values_of(slots: Sequence[Slot]) -> Binds:
    """What is bound in the slots, by name."""
    return {f"s{place}_{index}": value for place, slot in enumerate(slots) for index, value in enumerate(slot.values)}


async def run_plan(reader: Reader, plan: Plan, values: Binds) -> bytes:
    """The answer as JSON. Raises what `recognize` raises, and `NotPlanned`."""
    binds = (reader.binds if plan.is_dated else reader.viewer.values) | values
    bound = [binds[name] for name in plan.names]
    reason, answer = await reader.database.straight.fetch_row(plan.text, bound)
    require_recognized(reason)
    if NOT_THERE in answer:
        raise NotPlanned("answer")
    found: bytes = answer
    return found
