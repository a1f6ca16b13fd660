"""What docs/driving-the-core.md says, computed in its own words and names.

Written from the page alone: neither `conv_core.models.cycles` nor `conv_core.models.schedule` nor
the RTL is looked at.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer
from tests.models.test_packing import blocks_by_the_document, depthwise_by_the_document

PAGE = (Path(__file__).parents[2] / "docs" / "driving-the-core.md").read_text()
WORDS = " ".join(PAGE.split())
"""The page without its line ends."""


def filter_blocks(layer: Layer, config: CoreConfig) -> list[tuple[list[int], int, int]]:
    """Filters, first channel and channels of each block."""
    return list(blocks_by_the_document(layer, config.lanes_in, config.lanes_out))


def pixel_bytes(layer: Layer) -> int:
    return layer.out_channels if layer.requantise else 4 * layer.out_channels


def column_block(layer: Layer, config: CoreConfig) -> int:
    """Columns: halved until a row of them takes at most half of OUT_BYTES."""
    columns = layer.out_width
    while 2 * columns * pixel_bytes(layer) > config.out_bytes and columns > 1:
        columns = math.ceil(columns / 2)
    return columns


def band(layer: Layer, config: CoreConfig) -> int:
    """Output rows of a band, by the rule under "Timing"."""
    if column_block(layer, config) < layer.out_width:
        return 1
    row, window = layer.width * layer.in_channels, window_bytes(layer)
    enough = 2 * config.lanes_out * (config.lanes_in // config.wgt_stream_bytes)
    together = weight_words(layer, config) <= config.wgt_words
    together &= constant_words(layer, config) <= config.const_words
    rows = 1
    while rows < layer.out_height:
        doubled = min(2 * rows, layer.out_height)
        if (
            (rows * layer.out_width >= enough and together)
            or 2 * doubled * layer.out_width * pixel_bytes(layer) > config.out_bytes
            or 2 * doubled * layer.stride[0] * row + window > config.act_bytes
        ):
            break
        rows = doubled
    return rows


def single_band(layer: Layer, config: CoreConfig) -> bool:
    whole = column_block(layer, config) == layer.out_width
    return layer.batch == 1 and whole and band(layer, config) == layer.out_height


def window_bytes(layer: Layer) -> int:
    """Bytes of the image rows from a window's first to its last."""
    rows = min((layer.kernel[0] - 1) * layer.dilation[0] + 1, layer.height)
    return rows * layer.width * layer.in_channels


def block_words(layer: Layer, config: CoreConfig) -> int:
    """Weight words of each filter."""
    (kh, kw), span = layer.kernel, filter_blocks(layer, config)[0][2]
    runs, length = kw, span
    if depthwise_by_the_document(layer, config.lanes_in):
        runs, length = 1, kw
    elif layer.dilation[1] == 1 and span == layer.in_channels:
        runs, length = 1, kw * layer.in_channels
    return kh * runs * math.ceil(length / config.lanes_in)


def weight_words(layer: Layer, config: CoreConfig) -> int:
    """Words of each filter, summed over all blocks."""
    return len(filter_blocks(layer, config)) * block_words(layer, config)


def constant_words(layer: Layer, config: CoreConfig) -> int:
    """CW words for each block."""
    words = math.ceil(10 * config.lanes_out / config.lanes_in)
    return len(filter_blocks(layer, config)) * words


def misfits(layer: Layer, config: CoreConfig) -> Iterator[str]:
    """The parameters that are too small for a layer, by what "has to fit"."""
    if window_bytes(layer) > config.act_bytes - config.lanes_in:
        yield "ACT_BYTES"
    if pixel_bytes(layer) > config.out_bytes - 2 * config.lanes_out:
        yield "OUT_BYTES"
    words = weight_words(layer, config)
    if single_band(layer, config):
        single_window = layer.out_height == layer.out_width == 1
        words = 0 if single_window else block_words(layer, config)
    if words > config.wgt_words:
        yield "WGT_WORDS"
    if not single_band(layer, config) and constant_words(layer, config) > config.const_words:
        yield "CONST_WORDS"


def steps_by_the_page(layer: Layer, config: CoreConfig) -> int:
    """Steps of all frames."""
    first, (stride, _), (dilation, _) = -layer.pads[0], layer.stride, layer.dilation
    inside = [
        sum(0 <= first + y * stride + ky * dilation < layer.height for ky in range(layer.kernel[0]))
        for y in range(layer.out_height)
    ]
    steps = 0
    for _, _, span in filter_blocks(layer, config):
        for x in range(layer.out_width):
            each = _steps_of_a_kernel_row(layer, config, x, span)
            steps += sum(max(taps * each, 1) for taps in inside)
    return layer.batch * steps


def _steps_of_a_kernel_row(layer: Layer, config: CoreConfig, x: int, span: int) -> int:
    (_, kw), (_, stride), (_, dilation) = layer.kernel, layer.stride, layer.dilation
    columns = [x * stride - layer.pads[1] + kx * dilation for kx in range(kw)]
    inside = [0 <= column < layer.width for column in columns]
    if depthwise_by_the_document(layer, config.lanes_in):
        phases = dilation // math.gcd(dilation, stride)
        if x % column_block(layer, config) < phases:
            return sum(column >= 0 for column in columns[:-1]) + 1
        return min(kw, stride * phases // dilation)
    if dilation > 1 or span < layer.in_channels:
        return sum(inside) * math.ceil(span / config.lanes_in)
    chunks = {
        (kx * span + c) // config.lanes_in for kx in range(kw) if inside[kx] for c in range(span)
    }
    return len(chunks)
