"""When a ring buffer has room, by what has been released and when."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from conv_core.models.cycles.columns import Times
from conv_core.models.cycles.latencies import GATHER, LOADER_START

NEVER = -(1 << 60)
"""The cycle of something that has not happened yet and that nobody has to wait for."""


@dataclass(frozen=True)
class Left:
    """All that a layer leaves behind that the next one may depend on."""

    cycles: list[Times]
    counts: list[Times] = field(default_factory=list)

    def key(self, origin: int) -> tuple[bytes, ...]:
        """The same for what differs only in the cycle `origin` from which cycles are counted."""
        moved = [np.maximum(each - origin, NEVER // 2).tobytes() for each in self.cycles]
        return *moved, *(each.tobytes() for each in self.counts)


class Growing:
    """An array that grows at its end."""

    def __init__(self) -> None:
        self._values = np.zeros(64, np.int64)
        self.size = 0

    @property
    def values(self) -> Times:
        return self._values[: self.size]

    def extend(self, values: Times | list[int]) -> None:
        size = self.size + len(values)
        if size > len(self._values):
            grown = np.zeros(2 * size, np.int64)
            grown[: self.size] = self.values
            self._values = grown
        self._values[self.size : size] = values
        self.size = size


class Ring:
    """A buffer of `capacity` words, counted from the first layer on."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._cycles, self._words = Growing(), Growing()
        self.release([0], [0])

    def release(self, cycles: Times | list[int], words: Times | list[int]) -> None:
        """From these cycles on the words before these are free. Neither ever decreases."""
        self._cycles.extend(cycles)
        self._words.extend(words)

    def left(self, before: int, floor: int) -> Times:
        """(2, n): cycles and words, counted from the word `before`, of what is left for the words
        from there on, of which none comes before the cycle `floor`. The rest is forgotten."""
        some = int(np.searchsorted(self._words.values, before - self._capacity, side="right"))
        cycles, words = self._cycles.values[some:].copy(), self._words.values[some:].copy()
        self._cycles, self._words = Growing(), Growing()
        self.release(cycles, words)
        cycles = np.maximum(cycles, floor)
        later = np.diff(cycles, append=NEVER) != 0  # of equal ones the last has all the words
        return np.stack([cycles[later], words[later] - before])

    @property
    def known(self) -> int:
        """Words for which it is known when there is room."""
        return int(self._words.values[-1]) + self._capacity

    def room(self, first: int, end: int) -> Times:
        """The first cycles in which there is room for each of the words first to end - 1."""
        needed = np.arange(first, end) - self._capacity
        return self._cycles.values[np.searchsorted(self._words.values, needed, side="right")]


def hand_over(latest: int, offered: int, ratio: int) -> tuple[int, int]:
    """When a loader takes a layer, and a cycle so that its first word needs `ratio` more.

    The loader is free the cycle after its latest word.
    """
    taken = max(latest + 1, offered)
    return taken, taken + LOADER_START - 1 + GATHER * (ratio > 1)
