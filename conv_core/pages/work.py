"""What each step of a layer has to add, by the formula, and whether that is what the RTL's
accumulators did.

A window's steps visit the chunks of its kernel rows that lie inside the image: a chunk is LANES_IN
neighbouring bytes of a row of the window. Which chunk it is, the step's weight word says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from conv_core.models.convolution import accumulate
from conv_core.models.core_config import CoreConfig
from conv_core.models.cycles.loops import Loops
from conv_core.models.layer import LayerCase
from conv_core.models.packing import weight_runs
from conv_core.pages.observe import ExplainError, Observed

STEPS_AT_ONCE = 4096


@dataclass(frozen=True)
class Window:
    """A place of the output, for the filters of a block."""

    frame: int
    row: int
    column: int
    block: int


@dataclass(frozen=True, eq=False)
class Work:
    """The steps in terms of the layer."""

    windows: tuple[Window, ...]
    """in the order of the core"""
    starts: NDArray[np.int64]
    """(windows + 1): the first step of each, and the end"""
    runs: NDArray[np.int64]
    """(steps): kernel row, or with dilation the tap, of the weight word"""
    words: NDArray[np.int64]
    """(steps): which chunk of it"""
    run_bytes: int
    checked: int
    """sums of the RTL that are what the formula gives, step by step: all of them"""


def windows(case: LayerCase, config: CoreConfig) -> Iterator[Window]:
    """In the order in which the core computes them."""
    for some in Loops.of(case.layer, config).passes():
        for block in some.groups:
            for row in some.rows:
                for column in some.columns:
                    yield Window(some.frame, row, column, block)


def work(case: LayerCase, config: CoreConfig, observed: Observed) -> Work:
    """Says what each step did, and checks it. Raises `ExplainError` where the RTL did otherwise."""
    layer, loops = case.layer, Loops.of(case.layer, config)
    order = tuple(windows(case, config))
    counts = np.concatenate([loops.steps(some) for some in loops.passes()])
    if len(counts) != len(order) or counts.sum() != len(observed.steps):
        raise ExplainError(
            f"{len(observed.steps)} steps were seen, the loops have {counts.sum()} in "
            f"{len(counts)} windows of {len(order)}"
        )
    starts = np.concatenate([[0], np.cumsum(counts)])
    run_count, run_bytes = weight_runs(layer, config)
    chunks = -(-run_bytes // config.lanes_in)
    block_of = np.repeat([window.block for window in order], counts)
    base = block_of * run_count * chunks
    offset = (observed.steps[:, 4] - base) % config.wgt_words
    found = Work(
        order, starts, offset // chunks, offset % chunks, run_bytes, checked=observed.sums.size
    )
    _check(case, config, observed, found)
    return found


def _check(case: LayerCase, config: CoreConfig, observed: Observed, found: Work) -> None:
    """Are the RTL's accumulators, after every step, what the formula gives?"""
    expected = np.concatenate(
        [
            _products(
                case, config, observed, found, range(start, min(start + STEPS_AT_ONCE, total))
            )
            for total in [len(observed.steps)]
            for start in range(0, total, STEPS_AT_ONCE)
        ]
    )
    sums = np.cumsum(expected, axis=0)
    before = np.concatenate([np.zeros((1, sums.shape[1]), np.int64), sums])[found.starts[:-1]]
    sums -= np.repeat(before, np.diff(found.starts), axis=0)
    blocks = Loops.of(case.layer, config).blocks
    right = accumulate(case).astype(np.int64) - case.bias
    for index, window in enumerate(found.windows):
        block = blocks[window.block]
        lanes, steps = slice(0, block.filters), slice(found.starts[index], found.starts[index + 1])
        filters = slice(block.first_filter, block.first_filter + block.filters)
        seen = observed.sums[steps, lanes]
        if not np.array_equal(seen, sums[steps, lanes].astype(np.int32)):
            raise ExplainError(f"{window}: the accumulators do not grow as the formula says")
        if not np.array_equal(
            seen[-1], right[window.frame, window.row, window.column, filters].astype(np.int32)
        ):
            raise ExplainError(f"{window}: the accumulators do not end in the layer's values")


def _products(
    case: LayerCase, config: CoreConfig, observed: Observed, found: Work, part: range
) -> NDArray[np.int64]:
    """(steps, lanes out): what each step of a part adds."""
    layer, lanes = case.layer, config.lanes_in
    steps = slice(part.start, part.stop)
    of_step = np.searchsorted(found.starts, np.arange(part.start, part.stop), side="right") - 1
    frame, row, column, block = np.array(
        [[w.frame, w.row, w.column, w.block] for w in found.windows]
    )[of_step].T
    place = found.words[steps, None] * lanes + np.arange(lanes)  # (steps, lanes): in the run
    _, any_lane, first, last, _ = observed.steps[steps].T
    lane = np.arange(lanes)
    counts = (lane >= first[:, None]) & (lane <= last[:, None]) & (any_lane[:, None] == 1)
    counts &= place < found.run_bytes
    tap, channel = np.divmod(place, layer.in_channels)
    packed = found.run_bytes != layer.in_channels or layer.kernel[1] == 1
    ky = found.runs[steps, None] if packed else found.runs[steps, None] // layer.kernel[1]
    kx = tap if packed else found.runs[steps, None] % layer.kernel[1]
    y = row[:, None] * layer.stride[0] + ky * layer.dilation[0] - layer.pads[0]
    x = column[:, None] * layer.stride[1] + kx * layer.dilation[1] - layer.pads[1]
    inside = (y >= 0) & (y < layer.height) & (x >= 0) & (x < layer.width)
    if (counts & ~inside).any():
        raise ExplainError("a step reads a tap outside the image")
    y, x, ky, kx, channel = (np.where(counts, each, 0) for each in (y, x, ky, kx, channel))
    values = np.where(counts, case.x[frame[:, None], y, x, channel].astype(np.int64), 0)
    values -= np.where(counts, layer.in_zp, 0)
    weights = case.centred_weights
    blocks = Loops.of(layer, config).blocks
    added = np.zeros((len(place), config.lanes_out), np.int64)
    for out in range(config.lanes_out):
        first_filter = np.array([each.first_filter for each in blocks])[block]
        there = out < np.array([each.filters for each in blocks])[block]
        filters = np.where(there, first_filter + out, 0)
        added[:, out] = (values * weights[filters[:, None], ky, kx, channel]).sum(axis=1)
    return added
