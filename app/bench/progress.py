"""How far a bench is, for whoever waits for it."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from app.bench.loading import Progress

__all__ = ["Bars", "filling", "shown_on"]


@contextmanager
def shown_on(console: Console) -> Iterator[Bars]:
    """Bars that show how far everything is."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Bars(*columns, console=console) as bars:
        yield bars


@contextmanager
def filling(bars: Bars, name: str) -> Iterator[Progress]:
    """A bar that counts the rows that a database gets."""
    task = bars.add_task(f"Rows into {name}", total=None)

    def on_progress(table: str, rows: int) -> None:
        bars.update(task, description=f"Rows into {name}: {table}", advance=rows)

    yield on_progress
    bars.update(task, description=f"Rows into {name}", total=bars.tasks[task].completed)
