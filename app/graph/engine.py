"""What runs requests against the gateway's schema."""

from app.config import Limits
from app.execution.answers import Engine
from app.graph.planning import Planner
from app.graph.schema import build_schema


def build_engine(limits: Limits, *, planned: bool = True) -> Engine:
    """The engine with the gateway's schema: by plans, or field by field alone."""
    schema = build_schema()
    return Engine(schema._schema, limits, Planner(schema, planned=planned))  # noqa: SLF001 - graphql-core's schema
