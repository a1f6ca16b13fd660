"""A network on a core: cycles, pieces, what limits it, and what of an FPGA the core takes.

Layers are queued behind each other, each in the pieces that `conv_core.models.tiling` makes of it,
and nobody outside stalls a stream. Nothing is simulated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from conv_core.models.core_config import CoreConfig
from conv_core.models.cycles import RepeatingQueue, limits
from conv_core.models.layer import Layer
from conv_core.models.tiling import NotFittingError, plan

ARRAYS = ("4x4", "8x8", "16x8", "8x16", "16x16", "32x16", "32x32")
BUFFERS = {"half": (32768, 8192), "default": (65536, 16384), "double": (131072, 32768)}
"""Bytes of the activation buffer, and of the weight buffer of each filter."""

CUTTING = "cutting into pieces"
REST = "start and latency"


@dataclass(frozen=True)
class PlannedLayer:
    """A layer of a network on a core."""

    name: str
    layer: Layer
    pieces: int
    cycles: int
    """from the last result of the layer before to its own last"""
    limit: int
    """the least cycles that any engine with these lanes and streams needs"""
    limited_by: str
    """what that is, as `limits` names it"""
    pieces_limit: int
    """the same of its pieces together"""

    @property
    def causes(self) -> dict[str, int]:
        """Its cycles by what they are for."""
        bound = min(self.cycles, self.limit)
        cut = min(self.cycles, max(self.pieces_limit, self.limit)) - bound
        return {self.limited_by: bound, CUTTING: cut, REST: self.cycles - bound - cut}


@dataclass(frozen=True)
class Planned:
    """A network on a core. `refused` says why it can't be, and is empty if it can."""

    config: CoreConfig
    layers: tuple[PlannedLayer, ...] = ()
    refused: str = ""

    @property
    def cycles(self) -> int:
        return sum(each.cycles for each in self.layers)

    @property
    def pieces(self) -> int:
        return sum(each.pieces for each in self.layers)

    @property
    def utilisation(self) -> float:
        """Multiply-accumulates for each multiplier and cycle; padding counts as if computed."""
        macs = sum(each.layer.macs for each in self.layers)
        return macs / (self.config.multipliers * self.cycles)

    @property
    def causes(self) -> dict[str, int]:
        """Its cycles by what they are for, most first."""
        found: dict[str, int] = {}
        for each in self.layers:
            for cause, cycles in each.causes.items():
                found[cause] = found.get(cause, 0) + cycles
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def costliest(self, count: int) -> list[PlannedLayer]:
        """The layers that take the most cycles."""
        return sorted(self.layers, key=lambda each: -each.cycles)[:count]


def cores() -> Iterator[CoreConfig]:
    """Those that are tried: each array with buffers of each size."""
    for array in ARRAYS:
        for act_bytes, wgt_bytes in BUFFERS.values():
            words = wgt_bytes // CoreConfig.from_array(array).lanes_in
            yield CoreConfig.from_array(array, act_bytes=act_bytes, wgt_words=words)


def planned(layers: Mapping[str, Layer], config: CoreConfig) -> Planned:
    """A network, by the names of its layers, on a core."""
    pieces: dict[Layer, list[Layer]] = {}
    for name, layer in layers.items():
        if layer not in pieces:
            try:
                pieces[layer] = [piece.layer for piece in plan(layer, config)]
            except NotFittingError as error:
                return Planned(config, refused=f"{name}: {error}")
    queue = [piece for layer in layers.values() for piece in pieces[layer]]
    cycles = iter(RepeatingQueue(config).cycles(queue))
    of_layer = {layer: limits(layer, config) for layer in pieces}
    of_piece = {piece: max(limits(piece, config).values()) for piece in set(queue)}
    found = []
    for name, layer in layers.items():
        parts, limited = pieces[layer], of_layer[layer]
        found.append(
            PlannedLayer(
                name,
                layer,
                pieces=len(parts),
                cycles=sum(next(cycles) for _ in parts),
                limit=max(limited.values()),
                limited_by=max(limited, key=lambda part: limited[part]),
                pieces_limit=sum(of_piece[piece] for piece in parts),
            )
        )
    return Planned(config, tuple(found))
