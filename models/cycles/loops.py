"""The order of the work: passes of a filter block over the rows of a band, and their items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from conv_core.models.core_config import CoreConfig
from conv_core.models.cycles.columns import Columns, Times
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


@dataclass(frozen=True)
class Pass:
    """A filter block on the columns of a column block and the rows of a band: an item each row."""

    frame: int
    rows: range
    columns: range
    group: int
    """index of the filter block"""
    block: FilterBlock
    costs: list[int]
    """of the items: from the one before taken to this one valid; 0 for a layer's first"""
    new_block: bool
    """not the filters of the item before"""
    last_block: bool
    row_end: bool
    """each item ends an output row"""
    last_pass: bool
    """nothing uses this filter block later"""
    layer_end: bool


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
        """In the order of frame, band, column block, filter block."""
        layer, plan = self.layer, self.schedule
        bands = _parts(layer.out_height, plan.band_rows)
        column_blocks = _parts(layer.out_width, plan.column_block)
        last = len(self.blocks) - 1
        for frame in range(layer.batch):
            for rows in bands:
                for columns in column_blocks:
                    first = frame == rows.start == columns.start == 0
                    last_pass = (frame, rows, columns) == (
                        layer.batch - 1,
                        bands[-1],
                        column_blocks[-1],
                    )
                    for group, block in enumerate(self.blocks):
                        row_end = group == last and columns is column_blocks[-1]
                        yield Pass(
                            frame=frame,
                            rows=rows,
                            columns=columns,
                            group=group,
                            block=block,
                            costs=[
                                self._cost(frame, rows, columns, group, y, row_end) for y in rows
                            ],
                            new_block=last > 0 or first,
                            last_block=group == last,
                            row_end=row_end,
                            last_pass=last_pass,
                            layer_end=last_pass and group == last,
                        )

    def _cost(
        self, frame: int, rows: range, columns: range, group: int, y: int, row_end: bool
    ) -> int:
        """Cycles of rows.v for an item; those of a layer's first are counted from elsewhere."""
        several_blocks = len(self.blocks) > 1
        several_columns = self.schedule.column_block < self.layer.out_width
        if y > rows.start:
            cycles = ITEM.row
        elif group:
            cycles = ITEM.block + ITEM.span * (
                self.blocks[group].first_channel != self.blocks[group - 1].first_channel
            )
        elif columns.start:
            cycles = ITEM.column + ITEM.column_blocks * several_blocks
        elif rows.start or frame:
            cycles = ITEM.band + ITEM.band_blocks * several_blocks
            cycles += ITEM.band_columns * several_columns + ITEM.frame * (not rows.start)
        else:
            cycles = 0
        inside = self.kernel_rows[y]
        cycles += ITEM.below * inside.below + ITEM.above * inside.above
        cycles += ITEM.any_above * (inside.above > 0)
        cycles += ITEM.all_above * (inside.above > 0 and not inside.taps)
        if row_end:
            cycles += ITEM.row_end
            last = y == self.layer.out_height - 1
            next_row = (y + 1) * self.layer.stride[0] - self.layer.pads[0]
            cycles += ITEM.row_end_outside * (last or not 0 <= next_row < self.layer.height)
        return cycles

    def last_offset(self, block: FilterBlock) -> int:
        """Bytes from a chunk's offset to the last that the block reads."""
        further = (block.filters - 1) // self.filters_of_channel if self.depthwise else 0
        return block.first_channel + further

    def released(self, y: int) -> int:
        """Activation words of the frame that are free after an output row."""
        layer = self.layer
        below = (y + 1) * layer.stride[0] - layer.pads[0]
        if y == layer.out_height - 1 or below >= layer.height:
            return self.frame_words
        return max(0, below) * self.row_bytes // self.lanes_in

    def chunks(self, columns: range) -> slice:
        """The chunks of some columns."""
        ends = self.columns.ends
        start = int(ends[columns.start - 1]) if columns.start else 0
        return slice(start, int(ends[columns[-1]]))

    def costs(self, some: Pass) -> Times:
        """Cycles that windows.v takes for each window of a pass."""
        taps = np.array([self.kernel_rows[y].taps for y in some.rows])[:, None]
        costs = self.columns.costs[some.columns.start : some.columns.stop]
        return np.where(taps > 0, costs, WINDOW).ravel()

    def steps(self, some: Pass) -> Times:
        """Of each window of a pass, row by row."""
        taps = np.array([self.kernel_rows[y].taps for y in some.rows])[:, None]
        chunks = self.columns.chunks[some.columns.start : some.columns.stop]
        return np.maximum(taps * chunks, 1).ravel()


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
    (taps, _), (stride, _), (dilation, _) = layer.kernel, layer.stride, layer.dilation
    top = y * stride - layer.pads[0]
    inside_or_above = min(taps, max(0, -(-(layer.height - top) // dilation)))
    above = min(inside_or_above, max(0, -(top // dilation)))
    return KernelRows(
        first=above,
        taps=inside_or_above - above,
        image_row=top + above * dilation,
        above=above,
        below=taps - inside_or_above,
    )
