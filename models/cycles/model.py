"""Layers, one after the other.

A layer is taken by four users, each as soon as it has finished the one before and the layer is set
up: the loaders of activations and weights, the walk, and the finisher with the reader. No event of
a layer waits for one of a later layer, so a queue is modelled layer by layer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from conv_core.models.core_config import CoreConfig
from conv_core.models.cycles.activations import Activations
from conv_core.models.cycles.latencies import LOADER_START, PINS_IN, SETUP_AFTER
from conv_core.models.cycles.loops import Loops
from conv_core.models.cycles.results import Results
from conv_core.models.cycles.rings import Left
from conv_core.models.cycles.walk import Walk
from conv_core.models.cycles.weights import Weights
from conv_core.models.layer import Layer


def cycles_model(layer: Layer, config: CoreConfig) -> int:
    """Cycles of the core for one layer, cold, while nobody outside stalls a stream.

    From the first accepted input beat to the last accepted result beat, both included.
    """
    return queue_model([layer], config)[0]


def queue_model(layers: Sequence[Layer], config: CoreConfig) -> list[int]:
    """Cycles of layers that are queued behind each other, while nobody outside stalls a stream.

    Of the first as `cycles_model` has them, then from the last result beat of the layer before to
    the layer's last. Descriptors come before the core has finished the set-up that they wait for.
    """
    core = Core(config)
    return [core.follow(layer) for layer in layers]


class Core:
    """A core that layers go through."""

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        self._activations, self._weights = Activations(config), Weights(config)
        self._results = Results(config)
        self._walk = Walk(config, self._activations, self._weights, self._results)
        self._taken: int | None = None  # when the last user took the latest layer

    def follow(self, layer: Layer) -> int:
        """Goes through the next layer; its cycles, as `queue_model` has them."""
        before = self._results.last_beat
        loops = Loops.of(layer, self._config)
        passes = loops.passes()
        first = next(passes)
        if self._taken is None:  # beats begin in cycle 0
            offered = PINS_IN - LOADER_START
        else:
            offered = self._taken + SETUP_AFTER + loops.setup_cycles
        taken = self._walk.begin(first, offered)
        self._taken = max(
            taken,
            self._activations.begin(layer, offered),
            self._weights.begin(loops, offered),
            self._results.begin(loops, offered),
        )
        self._walk.follow(first, loops, taken)
        for some in passes:
            self._walk.follow(some, loops)
        self._activations.end()
        self._weights.end()
        return self._results.last_beat - before

    def left(self) -> tuple[bytes, ...]:
        """What the layers up to now have left, from which all that comes follows: two cores of the
        same parameters that have the same left need the same cycles for whatever comes next."""
        walk, origin = self._walk, self._results.last_beat
        parts = (
            Left([np.array([self._taken])]),
            walk.left(),
            self._activations.left(walk.last_step),
            self._weights.left(),
            self._results.left(walk.last_slice + 1),
        )
        return tuple(key for part in parts for key in part.key(origin))
