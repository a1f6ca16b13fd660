"""A layer in parts along all that it can be cut along, and what that costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from conv_core.models.core_config import CoreConfig
from conv_core.models.fitting import fits
from conv_core.models.layer import Layer
from conv_core.models.packing import block_words, filter_groups
from conv_core.models.tiling.axes import Axis, even_share
from conv_core.models.tiling.filters import ChannelCut
from conv_core.models.tiling.pieces import Piece, piece_of


@dataclass(frozen=True)
class Cut:
    """A layer in parts along all that it can be cut along."""

    frames: int
    rows: Axis
    columns: Axis
    channels: ChannelCut

    def pieces(self, layer: Layer) -> Iterator[Piece]:
        for frame in range(self.frames):
            frames = even_share(layer.batch, self.frames, frame)
            for row in map(self.rows.part, range(self.rows.parts)):
                for some in map(self.channels.part, range(self.channels.parts)):
                    for column in map(self.columns.part, range(self.columns.parts)):
                        yield piece_of(layer, frames, row, column, some)

    def kinds(self, layer: Layer) -> Iterator[Layer]:
        """The layers of the pieces; of those that are alike one at least."""
        frames = even_share(layer.batch, self.frames, 0)
        for row in self.rows.kinds():
            for column in self.columns.kinds():
                for some in self.channels.kinds():
                    yield piece_of(layer, frames, row, column, some).layer

    def fits(self, layer: Layer, config: CoreConfig) -> bool:
        return all(fits(kind, config) for kind in self.kinds(layer))


@dataclass(frozen=True)
class Demand:
    """Cycles that the array and each input stream need for a layer in one piece."""

    steps: int
    weights: int
    activations: int

    @classmethod
    def of(cls, layer: Layer, config: CoreConfig) -> Demand:
        words = filter_groups(layer, config) * block_words(layer, config)  # for each filter
        windows = layer.batch * layer.out_height * layer.out_width
        frame_beats = -(-layer.height * layer.width * layer.in_channels // config.act_stream_bytes)
        return cls(
            windows * words * layer.macs_inside // layer.macs,
            config.lanes_out * (config.lanes_in // config.wgt_stream_bytes) * words,
            layer.batch * frame_beats,
        )

    def cut(self, cut: Cut) -> tuple[int, int]:
        """Cycles of the busiest of them for all pieces, and the pieces."""
        readings = cut.frames * cut.rows.parts * cut.columns.parts
        cycles = (
            self.steps,
            self.weights * readings,
            self.activations * cut.channels.readings,
        )
        return max(cycles), readings * cut.channels.parts
