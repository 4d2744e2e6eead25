"""`gateway schema`."""

import typer

from app.commands.console import out
from app.graph.schema import build_schema

command = typer.Typer(no_args_is_help=True, add_completion=False)


@command.callback()
def schema() -> None:
    """The GraphQL schema."""


@command.command("print")
def schema_print() -> None:
    """Print the schema, as schema.graphql holds it."""
    out.print(str(build_schema()), markup=False)
