"""What several commands are given on the command line."""

from pathlib import Path
from typing import Annotated

import typer

Host = Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")]
Port = Annotated[int | None, typer.Option(help="Port to listen on.", min=0, max=65535, show_default="8000")]
WithExplorer = Annotated[
    bool | None, typer.Option("--explorer/--no-explorer", help="Serve the page to look through at /explorer/.")
]
Files = Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True, help="JSON files.")]
Domain = Annotated[str, typer.Option("--tenant", metavar="DOMAIN", help="A domain of the tenant.")]
