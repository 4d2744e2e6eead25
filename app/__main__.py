"""The command line, `gateway`."""

import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from app.commands.starting import lasting

MODULES = {
    "serve": "serving",
    "demo": "demo",
    "token": "tokens",
    "migrate": "migrating",
    "tenants": "tenants",
    "seed": "seeding",
    "import": "importing",
    "schema": "schema",
    "audit": "audit",
    "bench": "bench",
}
"""Where each command is, below `app.commands`."""


class OnDemand(TyperGroup):
    """Commands that are each imported when they are given: all together they take twice as long as `serve` alone."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings | {"commands": dict.fromkeys(MODULES)})

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """The command of this name, None if there is none."""
        return load(cmd_name) if cmd_name in MODULES else None


def load(name: str) -> Any:
    """The command of this name, from its module."""
    with lasting():
        module = import_module(f"app.commands.{MODULES[name]}")
    command = typer.main.get_command(module.command)
    command.name = name
    return command


gateway = typer.Typer(cls=OnDemand, no_args_is_help=True)


@gateway.callback()
def describe() -> None:
    """Partner Gateway: a scoped GraphQL API over delegated meeting rooms."""


def main() -> None:
    """Run the command line; what is refused is said in a sentence, without a trace."""
    try:
        gateway()
    except Exception as failure:
        from app.commands.failures import tell  # it needs to know of everything that can fail

        if (code := tell(failure)) is None:
            raise
        sys.exit(code)


if __name__ == "__main__":
    main()
