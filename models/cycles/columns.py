"""What the windows of an output column read of an image row, chunk by chunk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from conv_core.models.core_config import CoreConfig
from conv_core.models.cycles.latencies import TAP_OUTSIDE, WINDOW
from conv_core.models.layer import Layer
from conv_core.models.packing import block_span, column_phases, is_depthwise, weight_runs

Times = NDArray[np.int64]

NOTHING = -(1 << 40)
"""Offset of a column outside the image: far before any word."""


@dataclass(frozen=True, eq=False)
class Columns:
    """The chunks of all output columns, one column after the other.

    A chunk is a step in each kernel row inside the image; a column without any takes one step.
    """

    chunks: Times
    """(OW): how many"""
    ends: Times
    """(OW): chunks up to and with those of the column"""
    offsets: Times
    """of each chunk: bytes from the row's start to the last byte inside"""
    words: Times
    """of each chunk: weight words from the kernel row's start"""
    places: Times
    """of each chunk: which of its column it is"""
    costs: Times
    """(OW): cycles that windows.v takes for a window with kernel rows inside the image"""
    turn: int = 0
    """depthwise: windows of an item that know no columns, if others do; else 0"""

    @classmethod
    def of(cls, layer: Layer, config: CoreConfig, block: int) -> Columns:
        """Column blocks begin at multiples of `block`."""
        if is_depthwise(layer, config):
            return _depthwise(layer, block)
        lanes, channels = config.lanes_in, layer.in_channels
        filter_runs, run_bytes = weight_runs(layer, config)
        runs = filter_runs // layer.kernel[0]
        run = np.arange(runs)
        start = layer.columns.positions[:, :runs] * channels
        begin = np.maximum(0, -start)
        end = np.minimum(run_bytes, layer.width * channels - start)
        first = begin // lanes
        counts = np.where(end > begin, -(-end // lanes) - first, 0)
        costs = np.full(layer.out_width, WINDOW)
        if layer.dilation[1] > 1 or block_span(layer, config) < channels:
            costs += TAP_OUTSIDE * (counts == 0).sum(axis=1)

        each = counts.ravel()
        place = _places(each)
        chunk = np.repeat(first.ravel(), each) + place
        last = np.minimum(np.repeat(end.ravel(), each), (chunk + 1) * lanes) - 1
        word = np.repeat(np.tile(run * -(-run_bytes // lanes), layer.out_width), each) + chunk
        return _columns(counts.sum(axis=1), np.repeat(start.ravel(), each) + last, word, costs)


def _depthwise(layer: Layer, block: int) -> Columns:
    """The image columns that the windows before have not seen; those outside take a step as well.

    A row's first windows leave out those to the left of the image, but for the last column.
    """
    (_, taps), (_, stride), (_, dilation) = layer.kernel, layer.stride, layer.dilation
    phases = column_phases(layer)
    fresh = min(stride * phases // dilation, taps)
    chunks, offsets, costs = [], [], []
    for x in range(layer.out_width):
        first = x % block < phases
        seen = 0 if first else taps - fresh
        columns, inside = layer.columns.positions[x, seen:], layer.columns.taps_inside[x, seen:]
        costs.append(WINDOW + TAP_OUTSIDE * int(len(inside) - inside.sum()))
        if first:
            left = min(int((columns < 0).sum()), taps - 1)
            columns, inside = columns[left:], inside[left:]
        chunks.append(len(columns))
        offsets.append(np.where(inside, columns * layer.in_channels, NOTHING))
    together = np.concatenate(offsets)
    nothing = np.zeros_like(together)
    return _columns(np.array(chunks), together, nothing, np.array(costs), phases)


def _columns(chunks: Times, offsets: Times, words: Times, costs: Times, turn: int = 0) -> Columns:
    return Columns(chunks, np.cumsum(chunks), offsets, words, _places(chunks), costs, turn)


def _places(counts: Times) -> Times:
    """0 to count - 1, for one count after the other."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) - np.repeat(ends - counts, counts)
