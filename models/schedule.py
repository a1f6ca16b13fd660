"""How the core orders the work of a layer: the column blocks, the bands of output rows.

    frame, band, column block, filter block, row of the band, column

A band is a few output rows that are one block of work: each filter block is used on all of its rows
before the next one's turn, so that the next one's weights arrive meanwhile. The set-up unit of the
core (`rtl/control/layer_setup.v`) decides the same from the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer
from conv_core.models.packing import block_words, constant_words, filter_groups


@dataclass(frozen=True)
class Schedule:
    """The blocks that a layer is computed in."""

    column_block: int
    """output columns of a block; the last one of a row may have fewer"""
    halvings: int
    """of the output width that made it"""
    band_rows: int
    """output rows of a band; the last one of a frame may have fewer"""
    doublings: int
    """of a single row that were tried to make it"""
    single_band: bool
    """The layer is one band, so that its weights are used once and stream through."""
    blocks: int
    """filter blocks"""
    block_words: int
    """weight words of a block, for each of its filters"""
    block_constants: int
    """words of constants of a block"""
    whole_words: int
    """weight words, for each lane, that have to be in the buffer together"""
    whole_constants: int
    """words of constants that have to be in the buffer together"""


def schedule(layer: Layer, config: CoreConfig) -> Schedule:
    """The blocks that the core computes a layer in, also of one that does not fit it.

    A column block is the whole row unless its results take more than half of the result buffer;
    then it is halved until they do not, and a band is a single row. Otherwise a band is doubled
    until it hides the arrival of a filter block's weights, if all of them stay in the buffer, and
    as far as its results fit half of the result buffer, and its image rows and those of the next
    band the activation buffer.
    """
    pixel = layer.out_channels * (1 if layer.requantise else 4)
    room = config.out_bytes // 2
    columns, halvings = layer.out_width, 0
    while columns > 1 and columns * pixel > room:
        columns, halvings = (columns + 1) // 2, halvings + 1

    blocks, words = filter_groups(layer, config), block_words(layer, config)
    constants = constant_words(config)
    stays = blocks * words <= config.wgt_words and blocks * constants <= config.const_words
    row = layer.width * layer.in_channels
    window = min(layer.rows.span, layer.height) * row
    rows, doublings = 1, 0
    while columns == layer.out_width and rows < layer.out_height:
        wider, doublings = min(2 * rows, layer.out_height), doublings + 1
        if stays and rows * layer.out_width >= band_windows(config):
            break
        if wider * layer.out_width * pixel > room:
            break
        if window + 2 * wider * layer.stride[0] * row > config.act_bytes:
            break
        rows = wider

    single = layer.batch == 1 and rows == layer.out_height and columns == layer.out_width
    return Schedule(
        column_block=columns,
        halvings=halvings,
        band_rows=rows,
        doublings=doublings,
        single_band=single,
        blocks=blocks,
        block_words=words,
        block_constants=constants,
        whole_words=_together(layer, single, blocks, words),
        whole_constants=0 if single else blocks * constants,
    )


def band_windows(config: CoreConfig) -> int:
    """Windows of a band that hide the arrival of a filter block's weights: twice as many as a word
    of them for each lane takes beats."""
    return 2 * config.lanes_out * (config.lanes_in // config.wgt_stream_bytes)


def _together(layer: Layer, single: bool, blocks: int, words: int) -> int:
    """Those of all blocks; of a single band, those of a block; of a single window, none."""
    if not single:
        return blocks * words
    return 0 if layer.out_height == layer.out_width == 1 else words


@dataclass(frozen=True)
class Window:
    """One window of a filter block, whose results the array computes side by side."""

    frame: int
    row: int
    """of the results"""
    column: int
    block: int
    """index of the filter block"""


def window_number(layer: Layer, config: CoreConfig, window: Window) -> int:
    """How many windows the core computes before this one."""
    plan = schedule(layer, config)
    height, width, blocks = layer.out_height, layer.out_width, plan.blocks
    row, column = window.row % plan.band_rows, window.column % plan.column_block
    band, first_column = window.row - row, window.column - column
    rows = min(plan.band_rows, height - band)
    columns = min(plan.column_block, width - first_column)
    before = (window.frame * height + band) * width * blocks  # frames and bands
    before += (first_column * blocks + window.block * columns) * rows  # column and filter blocks
    return before + row * columns + column


def windows(layer: Layer, config: CoreConfig, numbers: range) -> list[Window]:
    """The windows with these numbers, in the order in which the core computes them."""
    plan = schedule(layer, config)
    found: list[Window] = []
    number = 0
    for frame in range(layer.batch):
        for band in range(0, layer.out_height, plan.band_rows):
            rows = range(band, min(band + plan.band_rows, layer.out_height))
            for first in range(0, layer.out_width, plan.column_block):
                columns = range(first, min(first + plan.column_block, layer.out_width))
                for block in range(plan.blocks):
                    end = number + len(rows) * len(columns)
                    for n in range(max(number, numbers.start), min(end, numbers.stop)):
                        row, column = divmod(n - number, len(columns))
                        found.append(Window(frame, rows[row], columns[column], block))
                    number = end
    return found
