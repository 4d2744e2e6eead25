"""What was asked for lately, known by its hash alone."""

from collections import OrderedDict
from collections.abc import Hashable


class Remembered:
    """The latest `capacity` things that were added. None of them is held, and two of one hash are taken for one."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._hashes: OrderedDict[int, None] = OrderedDict()

    def __contains__(self, thing: Hashable) -> bool:
        return hash(thing) in self._hashes

    def add(self, thing: Hashable) -> None:
        """Remember a thing, and forget the one that was added first if there are too many."""
        self._hashes[hash(thing)] = None
        if len(self._hashes) > self._capacity:
            self._hashes.popitem(last=False)
