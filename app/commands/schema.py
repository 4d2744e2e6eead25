"""`gateway schema`."""

import json
from typing import Annotated

import typer
from graphql import build_schema as parse_schema

from app.commands.console import out
from app.graph.comparing import compare, read_schema, report
from app.graph.differences import Severity
from app.graph.possible_types import possible_types
from app.graph.schema import build_schema, print_schema

command = typer.Typer(no_args_is_help=True, add_completion=False)


@command.callback()
def schema() -> None:
    """The GraphQL schema."""


@command.command("print")
def schema_print() -> None:
    """Print the schema, as schema.graphql holds it."""
    out.print(print_schema(build_schema()), markup=False)


@command.command("possible-types")
def schema_possible_types() -> None:
    """Print what each interface and union can be, for the cache of a client, as fixtures/clients holds it."""
    types = possible_types(build_schema()._schema)  # noqa: SLF001
    out.print(json.dumps(types, indent=2), markup=False)


@command.command("check")
def schema_check(
    old: Annotated[typer.FileBinaryRead, typer.Argument(metavar="OLD.graphql", help="`-` for standard input.")],
    fail_on: Annotated[
        Severity, typer.Option(help="End with 1 for a difference as bad as this, or worse.")
    ] = Severity.BREAKING,
    descriptions: Annotated[bool, typer.Option("--descriptions", help="Descriptions are differences too.")] = False,
) -> None:
    """Say what this program's schema changes for clients of OLD. Ends with 1 if that breaks them."""
    before, after = read_schema(old.read(), old.name), parse_schema(print_schema(build_schema()))
    found = compare(before, after, with_descriptions=descriptions)
    out.print("\n".join(report(found)), markup=False)
    raise typer.Exit(1 if any(fail_on.includes(each.severity) for each in found) else 0)
