"""Queues in which the same layers come again and again, such as the pieces of a network.

A layer that comes after what has been seen before takes the cycles that it took then. So cores are
kept as they were after each layer that was gone through, with what they had left as their key.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable

from conv_core.models.core_config import CoreConfig
from conv_core.models.cycles.model import Core
from conv_core.models.layer import Layer

Key = tuple[bytes, ...]


class RepeatingQueue:
    """`queue_model`, with a memory for layers that come again; from queue to queue, too."""

    def __init__(self, config: CoreConfig) -> None:
        self._cores: dict[Key, Core] = {(): Core(config)}
        self._known: dict[tuple[Key, Layer], tuple[Key, int]] = {}

    def cycles(self, layers: Iterable[Layer]) -> list[int]:
        """Of layers that are queued behind each other, as `queue_model` has them."""
        key: Key = ()
        found = []
        for layer in layers:
            if (key, layer) not in self._known:
                self._known[key, layer] = self._follow(key, layer)
            key, cycles = self._known[key, layer]
            found.append(cycles)
        return found

    @property
    def followed(self) -> int:
        """Layers that were gone through; the others had come before."""
        return len(self._known)

    def _follow(self, key: Key, layer: Layer) -> tuple[Key, int]:
        core = copy.deepcopy(self._cores[key])
        cycles = core.follow(layer)
        left = core.left()
        self._cores.setdefault(left, core)
        return left, cycles
