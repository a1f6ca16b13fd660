"""When each weight word (one for each filter of its block) can be read."""

from __future__ import annotations

import numpy as np

from conv_core.models.core_config import CoreConfig
from conv_core.models.cycles.columns import Times
from conv_core.models.cycles.latencies import WGT_ARRIVAL
from conv_core.models.cycles.loops import Loops
from conv_core.models.cycles.rings import NEVER, Left, Ring, hand_over


class Weights:
    """Of the layer at hand, whose words are counted from it on.

    Each word waits for the one before; the first of a set, and a constant, also for room. Who makes
    room may be a step of the same layer, so words are followed no further than that is known.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._ratio = config.lanes_in // config.wgt_stream_bytes
        self._words, self._constants = Ring(config.wgt_words), Ring(config.const_words)
        self._base = self._constants_base = 0  # of the layers before
        self._filters: list[int] = []  # of the blocks
        self._block_words = self._block_constants = 0
        self._total = 0  # words of the layer
        self._known = 0
        self._latest = NEVER  # cycle in which the loader took the latest word
        self._visible = np.zeros(0, np.int64)

    def begin(self, loops: Loops, offered: int) -> int:
        """Goes on to the next layer; the cycle in which the loader takes it."""
        self._base += self._total
        self._constants_base += len(self._filters) * self._block_constants
        plan = loops.schedule
        self._filters = [block.filters for block in loops.blocks]
        self._block_words = plan.block_words
        self._block_constants = plan.block_constants
        self._total = plan.blocks * plan.block_words
        self._known = 0
        self._visible = np.zeros(self._total, np.int64)
        taken, self._latest = hand_over(self._latest, offered, self._ratio)
        return taken

    def end(self) -> None:
        """The layer has been computed: what no window uses is swallowed."""
        self.follow(self._total - 1)

    def left(self) -> Left:
        """What the next layer may depend on: cycles, and words counted from its first one. What it
        can't depend on is forgotten."""
        words = self._words.left(self._base + self._total, self._latest)
        constants_base = self._constants_base + len(self._filters) * self._block_constants
        constants = self._constants.left(constants_base, self._latest)
        latest = np.array([self._latest])
        return Left([latest, words[0], constants[0]], [words[1], constants[1]])

    def release(self, cycles: Times | list[int], words: Times | list[int]) -> None:
        """The words of the layer before these are free from these cycles on."""
        self._words.release(cycles, np.asarray(words) + self._base)

    def release_constants(self, cycles: Times, blocks: Times) -> None:
        """Those of so many blocks of the layer are free from these cycles on."""
        words = self._constants_base + blocks * self._block_constants
        self._constants.release(cycles + 1, words)

    def follow(self, word: int) -> int:
        """As far as a word if that is known already; the words whose cycles are known."""
        room = min(self._words.known - self._base, self._total)
        while self._known <= word and self._known < room:
            block, begin = divmod(self._known, self._block_words)
            if begin == 0:
                if not self._constants_known(block):
                    break
                self._take_constants(block)
            filters = self._filters[block]
            end = min(self._block_words, room - block * self._block_words)
            first = block * self._block_words
            places = np.arange(end - begin) * (filters * self._ratio)
            rooms = self._words.room(self._base + first + begin, self._base + first + end)
            waits = np.maximum(rooms, self._latest + self._ratio) - places
            taken = np.maximum.accumulate(waits) + places + (filters - 1) * self._ratio
            self._visible[first + begin : first + end] = taken + WGT_ARRIVAL
            self._latest = int(taken[-1])
            self._known = first + end
        return self._known

    def blocks_known(self, block: int) -> int:
        """How many filter blocks from this one on have weights whose cycles are all known."""
        known = self.follow(self._total - 1)
        return known // self._block_words - block

    def _constants_known(self, block: int) -> bool:
        end = self._constants_base + (block + 1) * self._block_constants
        return end <= self._constants.known

    def _take_constants(self, block: int) -> None:
        first = self._constants_base + block * self._block_constants
        places = np.arange(self._block_constants) * self._ratio
        rooms = self._constants.room(first, first + self._block_constants)
        waits = np.maximum(rooms, self._latest + self._ratio) - places
        self._latest = int(waits.max() + places[-1])

    def at(self, words: Times) -> Times:
        return self._visible[words]
