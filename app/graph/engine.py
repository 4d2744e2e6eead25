"""What runs requests against the gateway's schema."""

from app.config import Limits
from app.execution.answers import Engine
from app.graph.planning import Planner, Planning
from app.graph.schema import build_schema


def build_engine(limits: Limits, planning: Planning = Planning.AGAIN) -> Engine:
    """The engine with the gateway's schema."""
    schema = build_schema()
    planner, at_once = Planner(schema, planning), planning is Planning.AT_ONCE
    return Engine(schema._schema, limits, planner, at_once=at_once)  # noqa: SLF001 - graphql-core's schema
