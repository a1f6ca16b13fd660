"""Cycles below which no engine with these lanes and streams can stay."""

from __future__ import annotations

import numpy as np

from conv_core.models.core_config import CONSTANT_BYTES, CoreConfig
from conv_core.models.cycles.columns import Columns
from conv_core.models.layer import Layer
from conv_core.models.packing import filter_blocks, result_bytes


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
    frame_bytes = layer.height * layer.width * layer.in_channels
    taps = int(layer.valid_rows().any(axis=0).sum()) * int(layer.valid_columns().any(axis=0).sum())
    weight_bytes = (taps * layer.weight_shape[3] + CONSTANT_BYTES) * layer.out_channels
    return max(
        _steps(layer, config),
        slices(layer, config),
        (layer.batch - 1) * -(-frame_bytes // config.act_stream_bytes)
        + -(-_used_bytes(layer) // config.act_stream_bytes),
        layer.batch * -(-result_bytes(layer) // config.out_stream_bytes),
        -(-weight_bytes // config.wgt_stream_bytes),
    )


def slices(layer: Layer, config: CoreConfig) -> int:
    """Cycles of the requantisers, or of as many accumulators as a word of results has."""
    lanes = config.requant_lanes if layer.requantise else config.lanes_out // 4
    pixel = sum(-(-block.filters // lanes) for block in filter_blocks(layer, config))
    return layer.batch * layer.out_height * layer.out_width * pixel


def _steps(layer: Layer, config: CoreConfig) -> int:
    rows = layer.batch * int(layer.valid_rows().sum())
    if layer.groups > 1:
        row_words = -(-layer.width * layer.in_channels // config.lanes_in)
        return max(-(-layer.macs_inside // config.multipliers), rows * row_words)
    chunks = int(Columns.of(layer, config, layer.out_width).chunks.sum())
    return rows * chunks * -(-layer.out_channels // config.lanes_out)


def _used_bytes(layer: Layer) -> int:
    """Bytes of a frame up to the last that some window uses."""
    rows, columns = layer.valid_rows(), layer.valid_columns()
    if not rows.any() or not columns.any():
        return 0
    last = [
        int((np.argwhere(valid) @ (stride, dilation)).max()) - pad
        for valid, stride, dilation, pad in (
            (rows, layer.stride[0], layer.dilation[0], layer.pads[0]),
            (columns, layer.stride[1], layer.dilation[1], layer.pads[1]),
        )
    ]
    return (last[0] * layer.width + last[1] + 1) * layer.in_channels
