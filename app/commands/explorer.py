"""`gateway explorer`, and making its page."""

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from app.commands.console import err, out
from app.web.explorer import building

command = typer.Typer(no_args_is_help=True, add_completion=False)


@command.callback()
def explorer() -> None:
    """The page to look through the graph in a browser."""


@command.command("build")
def explorer_build() -> None:
    """Make the page that /explorer/ serves, from its source in this package, with npm."""
    make_page()
    files = [file for file in building.BUNDLE.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files) / 1_000_000
    out.print(
        f"{len(files)} files, {size:.1f} MB, in {building.BUNDLE}; `gateway serve --explorer` serves them.",
        markup=False,
    )


def make_page(patience_seconds: float = building.PATIENCE_SECONDS) -> None:
    """Make the explorer's page, showing each step and how long it takes. Raises `PageNotMade`."""
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=err) as progress:

        def on_step(step: str) -> None:
            finish(progress)
            progress.add_task(f"{step} of the explorer", total=None)

        building.make_page(building.BUNDLE, on_step=on_step, patience_seconds=patience_seconds)
        finish(progress)


def finish(progress: Progress) -> None:
    """Let every step that was begun be done."""
    for task in progress.task_ids:
        progress.update(task, total=1, completed=1)
