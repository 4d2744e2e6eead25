"""Following a chain: is each entry as it was written, does it follow the one before, does it agree with the heads."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

SHOWN = 20
"""Of everything that is wrong with one chain; the rest is counted."""


@dataclass
class Findings:
    """What is wrong, the first of it in words and all of it counted."""

    shown: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, sentence: str) -> None:
        """One more thing that is wrong."""
        self.count += 1
        if len(self.shown) < SHOWN:
            self.shown.append(sentence)

    def take(self, others: "Findings") -> None:
        """These are wrong too."""
        self.shown = [*self.shown, *others.shown][:SHOWN]
        self.count += others.count


class Link(NamedTuple):
    """What an entry says of its place in the chain, and the hash that its fields really make."""

    sequence: int
    previous_hash: str | None
    hash: str | None
    computed: str


class Head(NamedTuple):
    """Where a chain stood at some moment, as a signed line says."""

    sequence: int
    hash: str
    moment: str
    line: int


class Place(NamedTuple):
    """Where a chain begins, or has come to."""

    sequence: int
    hash: str | None


BEGINNING = Place(0, None)


class Chain:
    """Follows one chain from its beginning, or from where a purge left it, in constant memory.

    Heads come in the order of their sequences. Gaps are kept apart, because a part of a record may have some.
    """

    def __init__(self, start: Place = BEGINNING, heads: Iterable[Head] = ()) -> None:
        self.findings, self.gaps = Findings(), Findings()
        self.start, self.last = start, start
        self.first: int | None = None
        self.entries, self.agreeing = 0, 0
        self.agreed = start.sequence
        """Up to where signed heads say the same."""
        self._heads = _without_forks(heads, self.findings)
        self._next = next(self._heads, None)

    def follow(self, link: Link) -> None:
        """Look at the next entry."""
        self.first = link.sequence if self.first is None else self.first
        self.entries += 1
        if link.computed != link.hash:
            self.findings.add(f"entry {link.sequence} was edited: its fields do not make its hash")
        self._check_place(link)
        self._compare(link)
        self.last = Place(link.sequence, link.hash)

    def end(self) -> None:
        """There are no more entries."""
        beyond = None
        for head in self._heads_up_to(None):
            if head.sequence <= self.last.sequence:
                self._compare_behind(head)
            else:
                beyond = head
        if beyond is not None:
            gone = _range(self.last.sequence + 1, beyond.sequence)
            self.findings.add(f"{gone} gone from the end, to which {_said(beyond)} reaches")

    def _check_place(self, link: Link) -> None:
        expected = self.last.sequence + 1
        if link.sequence > expected:
            self.gaps.add(f"{_range(expected, link.sequence - 1)} missing")
        elif link.sequence <= self.start.sequence:
            self.findings.add(f"entry {link.sequence} stands before the beginning of the record, {expected}")
        elif link.sequence < expected:
            self.findings.add(f"entry {link.sequence} is there after entry {self.last.sequence}")
        elif link.previous_hash != self.last.hash:
            self.findings.add(
                f"entry {link.sequence} was written after another entry {self.last.sequence} than this one"
            )

    def _compare(self, link: Link) -> None:
        for head in self._heads_up_to(link.sequence):
            if head.sequence < link.sequence:
                self._compare_behind(head)
            elif head.hash != link.hash:
                rewritten = _range(self.agreed + 1, head.sequence)
                self.findings.add(f"{rewritten} rewritten: {_said(head)} has another hash at {head.sequence}")
            else:
                self._agree(head)

    def _compare_behind(self, head: Head) -> None:
        """A head without an entry: of a missing one, of the last purged one, or of one that was purged before it."""
        if head.sequence > self.start.sequence:
            self.gaps.add(f"entry {head.sequence} is not there, and {_said(head)} names it")
        elif head.sequence == self.start.sequence and head.hash != self.start.hash:
            self.findings.add(f"{_said(head)} has another hash at {head.sequence} than the purge")

    def _agree(self, head: Head) -> None:
        self.agreeing += 1
        self.agreed = max(self.agreed, head.sequence)

    def _heads_up_to(self, sequence: int | None) -> Iterator[Head]:
        while self._next is not None and (sequence is None or self._next.sequence <= sequence):
            yield self._next
            self._next = next(self._heads, None)


def _without_forks(heads: Iterable[Head], findings: Findings) -> Iterator[Head]:
    """The heads; two that say different things of one place are a fork."""
    before: Head | None = None
    for head in heads:
        if before and head.sequence == before.sequence and head.hash != before.hash:
            findings.add(f"the record was forked: {_said(before)} and {_said(head)} differ at {head.sequence}")
        before = head
        yield head


def _range(first: int, last: int) -> str:
    return f"entry {first} is" if first == last else f"entries {first} to {last} are"


def _said(head: Head) -> str:
    return f"the signed head of {head.moment} in line {head.line}"
