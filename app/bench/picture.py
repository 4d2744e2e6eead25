"""What was measured, as a picture: the gateway beside its floor, and beside the peers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.bench.fleet import BenchFailed
from app.bench.peers import DOCUMENTS, PEERS, times_floor
from app.bench.reports import most
from app.bench.samples import Result
from app.bench.server import Way

NEEDS_MATPLOTLIB = "a picture takes matplotlib, which is not here: install the extra `bench`"
WIDTH = 0.8
"""Of all bars of a document together."""
OURS = {
    "planned, sqlite": "#0b6e4f",
    "planned, postgresql": "#12a377",
    "stock, sqlite": "#9bb0a8",
    "stock, postgresql": "#c3d1cb",
    "this gateway, planned": "#0b6e4f",
    "this gateway, stock": "#9bb0a8",
}
OTHERS = ("#3b5b92", "#6f8fc2", "#a9bde0", "#8a6a2b", "#c79f52", "#e2c68f")
PROMISED = "#b3261e"
Series = Mapping[str, Mapping[str, float]]
"""By name: how many times the floor, by document."""


def pyplot() -> Any:
    """What draws. Raises `BenchFailed` where it is not installed."""
    try:
        from matplotlib import pyplot as drawing
    except ImportError:
        raise BenchFailed(NEEDS_MATPLOTLIB) from None
    drawing.switch_backend("agg")
    return drawing


def draw(results: Sequence[Result], file: Path) -> None:
    """Write the picture, in the format that the file's name ends in. Raises `BenchFailed` without matplotlib."""
    figure, (left, right) = pyplot().subplots(1, 2, figsize=(15, 6), layout="constrained")
    names = [name for name in DOCUMENTS if any(each.query == name for each in results)]
    bars(left, names, beside_floor(results), "Server and database together, beside one hand-written statement")
    promise(left, names)
    bars(right, names, beside_peers(results), "Server process alone, on PostgreSQL, each beside its own floor")
    figure.savefig(file, dpi=150)
    pyplot().close(figure)


def beside_floor(results: Sequence[Result]) -> Series:
    """How many times the floor each way costs."""
    series: dict[str, dict[str, float]] = {}
    for each in results:
        series.setdefault(f"{each.path}, {each.engine}", {})[each.query] = each.ratio_to_floor
    return {name: series[name] for name in OURS if name in series}


def beside_peers(results: Sequence[Result]) -> Series:
    """The same of the server process alone, with the peers, of which nothing else is known."""
    on_postgresql = {(each.query, each.path): each.cpu_ms for each in results if each.engine == "postgresql"}
    ours = {
        f"this gateway, {way}": {
            query: took / on_postgresql[query, Way.FLOOR]
            for (query, path), took in on_postgresql.items()
            if path == way
        }
        for way in (Way.PLANNED, Way.STOCK)
    }
    return {name: values for name, values in ours.items() if values} | {peer: times_floor(peer) for peer in PEERS}


def bars(axes: Any, names: Sequence[str], series: Series, title: str) -> None:
    """A group of bars for each document, one bar a series, each with its number."""
    width = WIDTH / max(len(series), 1)
    colors = iter(OTHERS)
    for number, (label, values) in enumerate(series.items()):
        shown = [(place, values[name]) for place, name in enumerate(names) if name in values]
        at = [place - WIDTH / 2 + (number + 0.5) * width for place, _ in shown]
        drawn = axes.bar(
            at, [value for _, value in shown], width * 0.92, label=label, color=OURS.get(label) or next(colors)
        )
        axes.bar_label(drawn, fmt="%.1f", rotation=90, padding=3, fontsize=7)
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g} ×")
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xticks(range(len(names)), names)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(y=0.15)
    axes.legend(frameon=False, fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.08))


def promise(axes: Any, names: Sequence[str]) -> None:
    """A line at what each document may cost at most."""
    for place, name in enumerate(names):
        axes.hlines(most(name), place - 0.45, place + 0.45, colors=PROMISED, linewidth=1.2)
