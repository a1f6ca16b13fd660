"""Layers, one after the other.

A layer is taken by four users, each as soon as it has finished the one before and the layer is set
up: the loaders of activations and weights, the walk, and the finisher with the reader. No event of
a layer waits for one of a later layer, so a queue is modelled layer by layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from conv_core.models.core_config import CoreConfig
from conv_core.models.cycles.activations import Activations
from conv_core.models.cycles.latencies import LOADER_START, PINS_IN, SETUP_AFTER
from conv_core.models.cycles.loops import Loops
from conv_core.models.cycles.results import Results
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
    activations, weights, results = Activations(config), Weights(config), Results(config)
    walk = Walk(config, activations, weights, results)
    offered = PINS_IN - LOADER_START  # when the first layer is taken: beats begin in cycle 0
    ends = [-1]  # last result beats
    for number, layer in enumerate(layers):
        loops = Loops.of(layer, config)
        passes = loops.passes()
        first = next(passes)
        if number:
            offered += SETUP_AFTER + loops.setup_cycles
        taken = walk.begin(first, offered)
        offered = max(
            taken,
            activations.begin(layer, offered),
            weights.begin(loops, offered),
            results.begin(loops, offered),
        )  # cycle in which the last user takes it
        walk.follow(first, loops, taken)
        for some in passes:
            walk.follow(some, loops)
        activations.end()
        weights.end()
        ends.append(results.last_beat)
    return [end - before for before, end in pairwise(ends)]
