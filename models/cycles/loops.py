"""The order of the work: passes of filter blocks over the rows of a band, and their items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from conv_core.models.core_config import CoreConfig
from conv_core.models.cycles.columns import NOTHING, Columns, Times
from conv_core.models.cycles.latencies import (
    ITEM,
    SETUP,
    SETUP_DOUBLING,
    SETUP_GROUPS,
    SETUP_HALVING,
    SETUP_JOINING,
    WINDOW,
)
from conv_core.models.layer import Layer
from conv_core.models.packing import (
    FilterBlock,
    filter_blocks,
    groups_of_block,
    is_depthwise,
    weight_runs,
)
from conv_core.models.schedule import Schedule, schedule


@dataclass(frozen=True)
class KernelRows:
    """Those that lie inside the image, for the windows of an output row."""

    first: int
    taps: int
    image_row: int
    """under the first of them"""
    above: int
    """kernel rows that lie above the image"""
    below: int


@dataclass(frozen=True, eq=False)
class Pass:
    """Filter blocks, one after the other, on the columns of a column block and the rows of a band:
    an item for each block and row."""

    frame: int
    rows: range
    columns: range
    groups: range
    """indices of the filter blocks"""
    costs: Times
    """(blocks, rows), of the items: from the one before taken to this one valid; 0 for a layer's
    first"""
    new_blocks: bool
    """each block begins with other filters than the item before"""
    last_block: bool
    """the last of them is the layer's last"""
    row_end: bool
    """each item of the last block ends an output row"""
    last_pass: bool
    """nothing uses these filter blocks later"""
    layer_end: bool

    @property
    def block_windows(self) -> int:
        """Windows of each filter block."""
        return len(self.rows) * len(self.columns)

    def split(self, count: int) -> tuple[Pass, Pass]:
        """The first `count` filter blocks, of which the last is not the layer's, and the others."""
        first = replace(
            self,
            groups=self.groups[:count],
            costs=self.costs[:count],
            last_block=False,
            row_end=False,
            layer_end=False,
        )
        return first, replace(self, groups=self.groups[count:], costs=self.costs[count:])


@dataclass(frozen=True, eq=False)
class Loops:
    """What the core walks through for a layer."""

    layer: Layer
    schedule: Schedule
    columns: Columns
    kernel_rows: list[KernelRows]
    """of each output row"""
    blocks: list[FilterBlock]
    lanes_in: int
    row_bytes: int
    """of the image"""
    frame_words: int
    """of activations"""
    kernel_row_words: int
    """weight words of a kernel row"""
    pixel_bytes: int
    """of a pixel of results"""
    filters_of_channel: int
    depthwise: bool
    setup_cycles: int
    """from the layer before taken by its last user to this one offered"""

    def __deepcopy__(self, memo: object) -> Loops:
        """Itself: nothing in it changes."""
        return self

    @classmethod
    def of(cls, layer: Layer, config: CoreConfig) -> Loops:
        plan = schedule(layer, config)
        row_bytes = layer.width * layer.in_channels
        runs, run_bytes = weight_runs(layer, config)
        return cls(
            layer=layer,
            schedule=plan,
            columns=Columns.of(layer, config, plan.column_block),
            kernel_rows=[_kernel_rows(layer, y) for y in range(layer.out_height)],
            blocks=filter_blocks(layer, config),
            lanes_in=config.lanes_in,
            row_bytes=row_bytes,
            frame_words=-(-layer.height * row_bytes // config.lanes_in),
            kernel_row_words=runs // layer.kernel[0] * -(-run_bytes // config.lanes_in),
            pixel_bytes=layer.out_channels * (1 if layer.requantise else 4),
            filters_of_channel=layer.out_channels // layer.groups,
            depthwise=is_depthwise(layer, config),
            setup_cycles=_setup(layer, config, plan),
        )

    def passes(self) -> Iterator[Pass]:
        """In the order of frame, band, column block: all filter blocks each."""
        layer, plan = self.layer, self.schedule
        bands = _parts(layer.out_height, plan.band_rows)
        column_blocks = _parts(layer.out_width, plan.column_block)
        for frame in range(layer.batch):
            for rows in bands:
                for columns in column_blocks:
                    first = frame == rows.start == columns.start == 0
                    row_end = columns is column_blocks[-1]
                    last_pass = row_end and frame == layer.batch - 1 and rows is bands[-1]
                    yield Pass(
                        frame=frame,
                        rows=rows,
                        columns=columns,
                        groups=range(len(self.blocks)),
                        costs=self._costs(frame, rows, columns, row_end=row_end),
                        new_blocks=len(self.blocks) > 1 or first,
                        last_block=True,
                        row_end=row_end,
                        last_pass=last_pass,
                        layer_end=last_pass,
                    )

    def _costs(self, frame: int, rows: range, columns: range, *, row_end: bool) -> Times:
        """Cycles of rows.v for the items; those of a layer's first are counted from elsewhere."""
        several_blocks = len(self.blocks) > 1
        several_columns = self.schedule.column_block < self.layer.out_width
        costs = np.tile(self._row_costs[rows.start : rows.stop], (len(self.blocks), 1))
        costs[:, 1:] += ITEM.row
        costs[1:, 0] += ITEM.block + ITEM.span * (np.diff(self._first_channels) != 0)
        if columns.start:
            costs[0, 0] += ITEM.column + ITEM.column_blocks * several_blocks
        elif rows.start or frame:
            costs[0, 0] += ITEM.band + ITEM.band_blocks * several_blocks
            costs[0, 0] += ITEM.band_columns * several_columns + ITEM.frame * (not rows.start)
        if row_end:
            costs[-1] += self._row_end_costs[rows.start : rows.stop]
        return costs

    @cached_property
    def _first_channels(self) -> Times:
        """(blocks)"""
        return np.array([block.first_channel for block in self.blocks])

    @cached_property
    def _row_costs(self) -> Times:
        """(OH): for the kernel rows outside the image."""
        return np.array(
            [
                ITEM.below * rows.below
                + ITEM.above * rows.above
                + ITEM.any_above * (rows.above > 0)
                + ITEM.all_above * (rows.above > 0 and not rows.taps)
                for rows in self.kernel_rows
            ]
        )

    @cached_property
    def _row_end_costs(self) -> Times:
        """(OH): more, for an item that ends an output row."""
        layer = self.layer
        following = layer.rows.positions[:, 0] + layer.stride[0]
        outside = (following < 0) | (following >= layer.height)
        outside[-1] = True
        costs: Times = ITEM.row_end + ITEM.row_end_outside * outside
        return costs

    @cached_property
    def last_offsets(self) -> Times:
        """(blocks): bytes from a chunk's offset to the last that the block reads."""
        if not self.depthwise:
            return self._first_channels
        filters = np.array([block.filters for block in self.blocks])
        offsets: Times = self._first_channels + (filters - 1) // self.filters_of_channel
        return offsets

    def released(self, y: int) -> int:
        """Activation words of the frame that are free after an output row."""
        layer = self.layer
        below = layer.rows.position(y + 1)
        if y == layer.out_height - 1 or below >= layer.height:
            return self.frame_words
        return max(0, below) * self.row_bytes // self.lanes_in

    def released_words(self, some: Pass) -> list[int]:
        """`released` for each row of a pass, counted from the layer's first activation word."""
        return [some.frame * self.frame_words + self.released(y) for y in some.rows]

    def last_needs(self, some: Pass) -> tuple[int, int]:
        """The last activation word of the layer that a pass reads (-1: none), and the last weight
        word."""
        furthest = int(self.columns.offsets[self.chunks(some.columns)].max(initial=NOTHING))
        furthest += int(self.last_offsets[some.groups.start : some.groups.stop].max())
        base = some.groups[-1] * self.schedule.block_words
        act, word = -1, base
        for rows in (self.kernel_rows[y] for y in some.rows):
            if rows.taps and furthest >= 0:
                row = rows.image_row + (rows.taps - 1) * self.layer.dilation[0]
                byte = row * self.row_bytes + furthest
                act = max(act, some.frame * self.frame_words + byte // self.lanes_in)
            if rows.taps:
                word = max(word, base + (rows.first + rows.taps) * self.kernel_row_words - 1)
        return act, word

    def kind(self, some: Pass) -> tuple[object, ...]:
        """What a pass has in common with those that differ from it only in what they read."""
        taps = tuple(self.kernel_rows[y].taps for y in some.rows)
        flags = some.new_blocks, some.last_block, some.row_end
        return taps, some.columns, some.groups, some.costs.tobytes(), flags

    def chunks(self, columns: range) -> slice:
        """The chunks of some columns."""
        ends = self.columns.ends
        start = int(ends[columns.start - 1]) if columns.start else 0
        return slice(start, int(ends[columns[-1]]))

    def costs(self, some: Pass) -> Times:
        """Cycles that windows.v takes for each window of a pass."""
        costs = self.columns.costs[some.columns.start : some.columns.stop]
        return np.tile(np.where(self._taps(some) > 0, costs, WINDOW).ravel(), len(some.groups))

    def steps(self, some: Pass) -> Times:
        """Of each window of a pass: block by block, row by row."""
        chunks = self.columns.chunks[some.columns.start : some.columns.stop]
        return np.tile(np.maximum(self._taps(some) * chunks, 1).ravel(), len(some.groups))

    def _taps(self, some: Pass) -> Times:
        """(rows, 1): kernel rows inside the image"""
        return np.array([self.kernel_rows[y].taps for y in some.rows])[:, None]


def _setup(layer: Layer, config: CoreConfig, plan: Schedule) -> int:
    cycles = SETUP + SETUP_HALVING * plan.halvings + SETUP_DOUBLING * plan.doublings
    if layer.groups > 1:
        lanes = config.lanes_out
        if is_depthwise(layer, config):
            lanes = min(lanes, config.lanes_in)
        halvings = (lanes // groups_of_block(layer, config)).bit_length() - 1
        cycles += SETUP_GROUPS + SETUP_JOINING * halvings
    return cycles


def _parts(count: int, size: int) -> list[range]:
    return [range(a, b) for a, b in pairwise([*range(0, count, size), count])]


def _kernel_rows(layer: Layer, y: int) -> KernelRows:
    """Kernel rows below the image are dropped one by one, then those above it, as long as some are
    left."""
    taps, dilation, top = layer.kernel[0], layer.dilation[0], layer.rows.position(y)
    inside_or_above = min(taps, max(0, -(-(layer.height - top) // dilation)))
    above = min(inside_or_above, max(0, -(top // dilation)))
    return KernelRows(
        first=above,
        taps=inside_or_above - above,
        image_row=top + above * dilation,
        above=above,
        below=taps - inside_or_above,
    )
