"""What a request costs two workers, beside what it costs one.

`uv run python -m tests.web.measure_workers` starts both on one PostgreSQL and asks them in turns. It prints what a
request takes of the processor, in milliseconds, and the median of the ratios.
"""

import argparse
import asyncio
from contextlib import ExitStack
from statistics import median

from rich.console import Console
from rich.progress import Progress

from tests.measuring import Stand, stands
from tests.serving import Server, serving
from tests.web.measure_memory import Clients, for_seconds, rooms_page

WORKERS = (1, 2)


def cost(stand: Stand, server: Server, options: argparse.Namespace, progress: Progress) -> float:
    """Milliseconds of processor time a request."""
    clients, task = Clients(stand, server, options.clients), progress.add_task("asking", total=None)
    before = clients.cpu_seconds()
    asyncio.run(clients.ask(for_seconds(options.seconds, rooms_page()), progress, task))
    progress.remove_task(task)
    return (clients.cpu_seconds() - before) / len(clients.seconds) * 1000


def main() -> None:
    """Measure both in turns, after each was asked once."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each repetition")
    parser.add_argument("--clients", type=int, default=16, help="who ask at the same time")
    options = parser.parse_args()
    with stands() as found, Progress(console=Console(width=120), transient=True) as progress, ExitStack() as opened:
        stand = found["postgresql"]
        servers = [
            opened.enter_context(
                serving(stand.state, "serve", "--development-issuer", "--workers", str(count), **stand.settings)
            )
            for count in WORKERS
        ]
        costs = [
            [cost(stand, server, options, progress) for server in servers] for _ in range(options.repetitions + 1)
        ][1:]
        for count, each in zip(WORKERS, zip(*costs, strict=True), strict=True):
            progress.console.print(f"{count} of them: {median(each):.3f} ms of processor time a request")
        progress.console.print(f"two beside one: {median(two / one for one, two in costs):.2f}")


if __name__ == "__main__":
    main()
