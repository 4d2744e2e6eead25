"""The measuring: everything in turn, again and again, so that a machine that slows down slows down all of it."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Generic, TypeVar

from app.bench.failing import BenchFailed
from app.bench.fleet import Server
from app.bench.load import Job, WrongAnswer, run
from app.bench.requests import Request
from app.bench.samples import Sample

Key = TypeVar("Key")


@dataclass(frozen=True)
class Plan:
    """How long everything is measured."""

    repetitions: int = 7
    seconds: float = 2.0
    """Processor time of each repetition."""
    connections: int = 4


@dataclass(frozen=True, eq=False)
class Question(Generic[Key]):
    """What one server is asked, and what it has to answer."""

    key: Key
    """What tells it from others in the results."""
    name: str
    """What it is called where it fails."""
    server: Server
    request: Request
    answer: bytes

    def job(self, plan: Plan) -> Job:
        """One repetition."""
        return Job(
            port=self.server.port,
            request=self.request.to_bytes(),
            body=self.answer,
            connections=plan.connections,
            cpu=plan.seconds,
            server=self.server.process,
            database=self.server.target.process,
        )


class Loads:
    """Who asks, in a process of its own."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def run(self, job: Job) -> Sample:
        """What the job took. Raises `WrongAnswer`."""
        return self._pool.submit(run, job).result()


@contextmanager
def load_process() -> Iterator[Loads]:
    """A process that asks, until the context ends."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        yield Loads(pool)


def steps(plan: Plan, groups: Sequence[Sequence[Question[Key]]]) -> int:
    """How often `measure` tells that something was done."""
    return (plan.repetitions + 1) * sum(map(len, groups))


def measure(
    plan: Plan, groups: Sequence[Sequence[Question[Key]]], on_step: Callable[[], object]
) -> dict[Key, list[Sample]]:
    """What every question took in each repetition; what is compared stands in one group and is asked one after another.

    Before that each is asked for as long once, so that what is done once is done. Raises `BenchFailed` for a server
    that answers otherwise than it has to.
    """
    samples: dict[Key, list[Sample]] = defaultdict(list)
    with load_process() as loads:
        for repetition in range(plan.repetitions + 1):
            for group in groups:
                for question in turned(group, repetition):
                    sample = ask(loads, question, plan)
                    if repetition > 0:
                        samples[question.key].append(sample)
                    on_step()
    return {question.key: samples[question.key] for group in groups for question in group}


def turned(group: Sequence[Question[Key]], by: int) -> list[Question[Key]]:
    """The group, beginning with another one in each repetition."""
    start = by % len(group)
    return [*group[start:], *group[:start]]


def ask(loads: Loads, question: Question[Key], plan: Plan) -> Sample:
    """One repetition. Raises `BenchFailed`."""
    try:
        return loads.run(question.job(plan))
    except WrongAnswer as wrong:
        raise BenchFailed(f"{question.server} does not answer `{question.name}` as it has to: {wrong}") from None
