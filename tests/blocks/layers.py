"""The numbers of layers, sent to a block the way the set-up sends them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from tests.blocks.headers import LAYER_NUMBERS

VALID = 1 << 38


def broadcast(rng: np.random.Generator, numbers: Mapping[str, int]) -> Iterator[int]:
    """What the bus carries, cycle by cycle: in any order, among gaps and other units' numbers."""
    names = list(LAYER_NUMBERS)
    rng.shuffle(names)
    for name in names:
        while rng.random() < 0.2:
            yield int(rng.integers(VALID))  # not valid, whatever it says
        value = numbers.get(name, int(rng.integers(1 << 32)))
        yield VALID | LAYER_NUMBERS[name] << 32 | value & 0xFFFFFFFF


class LayerSender:
    """Drives `numbers` and `layer_valid`, one layer after the other.

    The next layer's numbers follow when the one before has been taken, while that runs.
    """

    def __init__(self, rng: np.random.Generator, layers: Sequence[Mapping[str, int]]) -> None:
        self.rng = rng
        self.left = list(layers)
        self.words: Iterator[int] | None = None
        self.valid = False

    def step(self, *, ready: bool) -> tuple[int, bool]:
        """What is driven in this cycle: the bus, and `layer_valid`; with `ready` it is taken."""
        if self.words is None and self.left:
            self.words = broadcast(self.rng, self.left[0])
        if self.words is None:
            return 0, False
        word = None if self.valid else next(self.words, None)
        if word is not None:
            return word, False
        self.valid = True
        if ready:
            self.left.pop(0)
            self.words, self.valid = None, False
        return 0, True
