"""Cycles below which no engine with these lanes and streams can stay."""

from __future__ import annotations

from conv_core.models.core_config import CONSTANT_BYTES, CoreConfig
from conv_core.models.cycles.columns import Columns
from conv_core.models.layer import Layer
from conv_core.models.packing import filter_blocks, result_bytes
from conv_core.models.windows import Windows


def cycles_limit(layer: Layer, config: CoreConfig) -> int:
    """Cycles below which no engine with these lanes and streams can stay, for all frames.

    The largest of: chunks of LANES_IN bytes with a tap inside the image, over all windows and
    blocks of LANES_OUT filters (with horizontal dilation: taps inside times chunks of a pixel; with
    channel groups: multiply-accumulates inside over all lanes, or the words of the rows read for
    every output row); slices of REQUANT_LANES results, or of LANES_OUT / 4 accumulators, over all
    windows and blocks of filters; beats of activations, of the last frame only up to the last byte
    that a window uses; beats of results; beats of constants and of the weights that some window
    uses, without their padding.
    """
    return max(limits(layer, config).values())


def limits(layer: Layer, config: CoreConfig) -> dict[str, int]:
    """The same by what it is that limits the layer: each part's own cycles."""
    frame_bytes = layer.height * layer.width * layer.in_channels
    taps = _taps_used(layer.rows) * _taps_used(layer.columns)
    weight_bytes = (taps * layer.weight_shape[3] + CONSTANT_BYTES) * layer.out_channels
    return {
        "products": _steps(layer, config),
        "requantisers" if layer.requantise else "accumulators": slices(layer, config),
        "activations": (layer.batch - 1) * -(-frame_bytes // config.act_stream_bytes)
        + -(-_used_bytes(layer) // config.act_stream_bytes),
        "results": layer.batch * -(-result_bytes(layer) // config.out_stream_bytes),
        "weights": -(-weight_bytes // config.wgt_stream_bytes),
    }


def slices(layer: Layer, config: CoreConfig) -> int:
    """Cycles of the requantisers, or of as many accumulators as a word of results has."""
    lanes = config.requant_lanes if layer.requantise else config.lanes_out // 4
    pixel = sum(-(-block.filters // lanes) for block in filter_blocks(layer, config))
    return layer.batch * layer.out_height * layer.out_width * pixel


def _steps(layer: Layer, config: CoreConfig) -> int:
    rows = layer.batch * int(layer.rows.taps_inside.sum())
    if layer.groups > 1:
        row_words = -(-layer.width * layer.in_channels // config.lanes_in)
        return max(-(-layer.macs_inside // config.multipliers), rows * row_words)
    chunks = int(Columns.of(layer, config, layer.out_width).chunks.sum())
    return rows * chunks * -(-layer.out_channels // config.lanes_out)


def _taps_used(windows: Windows) -> int:
    """Taps of the kernel that some window has inside the image."""
    return int(windows.taps_inside.any(axis=0).sum())


def _used_bytes(layer: Layer) -> int:
    """Bytes of a frame up to the last that some window uses."""
    both = [each.positions[each.taps_inside] for each in (layer.rows, layer.columns)]
    if not both[0].size or not both[1].size:
        return 0
    row, column = (int(positions.max()) for positions in both)
    return (row * layer.width + column + 1) * layer.in_channels
