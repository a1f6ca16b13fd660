"""A ring of words in Python: what ring_fill says of one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class Ring:
    """Counts are kept whole here; `count` is what fits the hardware's width."""

    words: int
    count_w: int
    written: int = 0
    released: int = 0
    room: bool = True

    @property
    def modulus(self) -> int:
        return 1 << self.count_w

    @property
    def count(self) -> int:
        return self.written % self.modulus

    def clock(self, *, write: bool, released: int, reset: bool = False) -> None:
        """A clock edge, with these inputs before it."""
        self.released = released
        self.written = 0 if reset else self.written + write
        self.room = self.written - released < self.words


def releases(rng: np.random.Generator, ring: Ring) -> int:
    """The next released count: never back, mostly words that are there, sometimes ahead of them.

    It lets the ring get full.
    """
    held = ring.written - ring.released
    if held >= 0 and rng.random() * 32 * ring.words < 1:
        return ring.written + int(rng.integers(2 * ring.words))
    if held > 0 and rng.random() < (1 / (16 * ring.words) if ring.room else 0.1):
        return ring.released + int(rng.integers(held + 1))
    return ring.released
