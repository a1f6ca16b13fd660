"""What rows.v has to say of a layer, from the definition of its loops: items, and their cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

ACT_W, WGT_W, OUT_W = 20, 24, 16


@dataclass(frozen=True)
class RowsLayer:
    """A layer as the outer loops see it, with the blocks that layer_setup has chosen."""

    frames: int
    height: int
    width: int
    channels: int
    filters: int
    taps: int  # kernel rows
    stride: tuple[int, int]
    dilation: int
    pads: tuple[int, int]  # top, left
    out_height: int
    out_width: int
    band_rows: int
    column_block: int
    span: int  # input channels that a filter sees
    span_filters: int  # filters that see the same ones
    depthwise: bool
    requantise: bool
    run_words: int  # weight words of a kernel row, for each filter
    lanes_in: int

    @property
    def row_bytes(self) -> int:
        return self.width * self.channels

    @property
    def pixel_bytes(self) -> int:
        return self.filters * (1 if self.requantise else 4)

    @property
    def frame_span(self) -> int:
        return -(-self.height * self.row_bytes // self.lanes_in) * self.lanes_in

    def numbers(self) -> dict[str, int]:
        """Those of layer_numbers.vh that rows.v keeps."""
        stride_y, stride_x = self.stride
        top, left = self.pads
        return {
            "MODE": self.requantise | self.depthwise << 3,
            "FRAMES": self.frames,
            "OUT_HEIGHT": self.out_height,
            "BAND_ROWS": self.band_rows,
            "OUT_WIDTH": self.out_width,
            "COLUMN_BLOCK": self.column_block,
            "OUT_CHANNELS": self.filters,
            "SPAN_FILTERS": self.span_filters,
            "SPAN": self.span,
            "LAST_CHANNEL": 0xFFFF if self.depthwise else self.channels - self.span,
            "TAPS_Y": self.taps,
            "HEIGHT": self.height,
            "STRIDE_Y": stride_y,
            "DILATION_Y": self.dilation,
            "REACH_Y": (self.taps - 1) * self.dilation,
            "FIRST_ROW": -top,
            "FIRST_COL": -left,
            "FIRST_OFFSET": -left * self.channels,
            "FIRST_ACT": -top * self.row_bytes % (1 << ACT_W),
            "FRAME_SPAN": self.frame_span,
            "STRIDE_SPAN": stride_y * self.row_bytes,
            "DILATION_SPAN": self.dilation * self.row_bytes,
            "KERNEL_ROW_WORDS": self.run_words,
            "BLOCK_WORDS": self.run_words * self.taps,
            "COLUMN_BLOCK_POS": self.column_block * stride_x,
            "COLUMN_BLOCK_OFFSET": self.column_block * stride_x * self.channels,
            "COLUMN_BLOCK_BYTES": self.column_block * self.pixel_bytes % (1 << OUT_W),
            "OUT_ROW_BYTES": self.out_width * self.pixel_bytes % (1 << OUT_W),
        }

    def filter_blocks(self, lanes_out: int) -> list[tuple[int, int, int]]:
        """First filter, number of filters and first channel read, of each block."""
        blocks = []
        for number, first in enumerate(range(0, self.filters, self.span_filters)):
            channel = number * self.span
            if not self.depthwise:
                channel = min(channel, self.channels - self.span)
            end = min(first + self.span_filters, self.filters)
            blocks += [
                (start, min(lanes_out, end - start), channel)
                for start in range(first, end, lanes_out)
            ]
        return blocks

    def taps_of(self, out_row: int) -> tuple[int, int, int]:
        """Kernel rows above the image, inside it and below it."""
        first = out_row * self.stride[0] - self.pads[0]
        rows = [first + tap * self.dilation for tap in range(self.taps)]
        above = sum(row < 0 for row in rows)
        below = sum(row >= self.height for row in rows)
        return above, self.taps - above - below, below


@dataclass(frozen=True)
class Item:
    """What an item is, and in how many cycles it follows the one before; None: anything."""

    taps: int
    cols: int
    col: int
    offset: int
    act: int | None
    wgt: int
    out: int
    act_release: int | None
    wgt_release: int
    flags: int
    cost: int


def item_cost(
    begins: str,
    *,
    many_columns: bool,
    many_blocks: bool,
    above: int,
    taps: int,
    below: int,
    row_end: bool,
    next_outside: bool,
) -> int:
    """Cycles from the item before, taken, to this one, valid.

    `begins` names the outermost loop that the item begins a turn of: "row" (of the band), "block"
    (of filters), "span" (a filter block that sees other channels than the one before), "column"
    (block), "band", "frame" or "layer"; a layer's count from the first cycle in which layer_valid
    is high, and the cycle after the item before was taken. `many_*`: the layer has several
    column blocks, filter blocks. `above`, `taps`, `below`: kernel rows above the image, inside it
    and below. `next_outside`:
    after the row that the item ends comes another frame or layer, or a row that begins outside the
    image.
    """
    cost = {"row": 10, "block": 10, "span": 13, "column": 14, "band": 12, "frame": 18, "layer": 29}
    cycles = cost[begins]
    if many_blocks and begins in ("column", "band", "frame"):
        cycles += 5
    if many_columns and begins in ("band", "frame"):
        cycles += 5
    cycles += 4 * (above + below) + (above > 0) + (above > 0 and not taps)
    if row_end:
        cycles += 4 + next_outside
    return cycles


@dataclass
class Counts:
    """Where the next layer begins: addresses go on from layer to layer."""

    act: int = 0
    wgt: int = 0
    out: int = 0


def items_of(layer: RowsLayer, counts: Counts, lanes_out: int) -> Iterator[Item]:
    """The items of a layer in their order; moves the counts on."""
    blocks = layer.filter_blocks(lanes_out)
    block_words = layer.run_words * layer.taps
    columns = range(0, layer.out_width, layer.column_block)
    bands = range(0, layer.out_height, layer.band_rows)
    begins = "layer"
    before = -1  # filter block of the item before
    for frame in range(layer.frames):
        frame_act = counts.act
        for band in bands:
            for x in columns:
                for number, (filter_, count, channel) in enumerate(blocks):
                    for y in range(band, min(band + layer.band_rows, layer.out_height)):
                        above, taps, below = layer.taps_of(y)
                        row = y * layer.stride[0] - layer.pads[0]
                        after = row + layer.stride[0]
                        last_in_frame = y == layer.out_height - 1
                        if last_in_frame or after >= layer.height:
                            release = frame_act + layer.frame_span
                        else:
                            release = frame_act + max(after, 0) * layer.row_bytes
                        last_block = number == len(blocks) - 1
                        row_end = last_block and x == columns[-1]
                        last_row = y == min(band + layer.band_rows, layer.out_height) - 1
                        last_pass = (frame, band, x) == (layer.frames - 1, bands[-1], columns[-1])
                        flags = (
                            last_pass and last_row and last_block,
                            last_block,
                            number != before,
                            last_pass,
                            last_pass and last_row,
                            row_end,
                            begins == "layer",
                        )
                        col = x * layer.stride[1] - layer.pads[1]
                        at = row + above * layer.dilation
                        pixel = y * layer.out_width + x
                        filter_bytes = filter_ * (1 if layer.requantise else 4)
                        yield Item(
                            taps=taps,
                            cols=min(layer.column_block, layer.out_width - x),
                            col=col,
                            offset=col * layer.channels,
                            act=frame_act + at * layer.row_bytes + channel if taps else None,
                            wgt=(
                                counts.wgt
                                + number * block_words
                                + (above * layer.run_words if taps else 0)
                            ),
                            out=counts.out + pixel * layer.pixel_bytes + filter_bytes,
                            act_release=release if row_end else None,
                            wgt_release=counts.wgt + (number + 1) * block_words,
                            flags=sum(flag << bit for bit, flag in enumerate(flags))
                            | (count - 1) << 7,
                            cost=item_cost(
                                begins,
                                many_columns=len(columns) > 1,
                                many_blocks=len(blocks) > 1,
                                above=above,
                                taps=taps,
                                below=below,
                                row_end=row_end,
                                next_outside=last_in_frame or not 0 <= after < layer.height,
                            ),
                        )
                        before = number
                        begins = "row"
                    if not last_block:
                        same_span = blocks[number + 1][0] % layer.span_filters != 0
                        begins = "block" if same_span else "span"
                begins = "column"
            begins = "band"
        begins = "frame"
        counts.act += layer.frame_span
        counts.out += layer.out_height * layer.out_width * layer.pixel_bytes
        counts.out = -(-counts.out // lanes_out) * lanes_out
    counts.wgt += len(blocks) * block_words


def random_layer(rng: np.random.Generator, lanes_out: int) -> RowsLayer:
    """A small layer with anything that the loops have to do with."""

    def one_of(*values: int) -> int:
        return int(rng.choice(values))

    taps = one_of(1, 1, 2, 3, 3, 5, 11, 31)
    dilation = one_of(1, 1, 2, 3, 4)
    height = int(rng.integers(1, 12))
    reach = (taps - 1) * dilation
    pads = (one_of(0, 1, reach // 2, reach, reach + 3), one_of(0, 1, 7))
    stride = (one_of(1, 1, 2, 3, 4), one_of(1, 2, 4))
    bottom = max(one_of(0, 1, reach, reach + 4), reach + 1 - height - pads[0])
    out_height = min((height + pads[0] + bottom - reach - 1) // stride[0] + 1, 9)
    out_width = int(rng.integers(1, 9))
    groups = one_of(1, 1, 2, 3, 5)
    depthwise = groups > 1 and bool(rng.random() < 0.5)
    group_channels = 1 if depthwise else int(rng.integers(1, 20))
    group_filters = int(rng.integers(1, 2 * lanes_out + 2))
    joined = 1
    while 2 * joined <= groups and 2 * joined * group_filters <= lanes_out:
        joined *= 2
    column_block = out_width if rng.random() < 0.7 else -(-out_width // one_of(2, 3))
    return RowsLayer(
        frames=one_of(1, 1, 2, 3),
        height=height,
        width=int(rng.integers(1, 40)),
        channels=groups * group_channels,
        filters=groups * group_filters,
        taps=taps,
        stride=stride,
        dilation=dilation,
        pads=pads,
        out_height=out_height,
        out_width=out_width,
        band_rows=min(one_of(1, 2, 4, 8), out_height) if column_block == out_width else 1,
        column_block=column_block,
        span=joined * group_channels,
        span_filters=joined * group_filters,
        depthwise=depthwise,
        requantise=bool(rng.random() < 0.5),
        run_words=int(rng.integers(1, 200)),
        lanes_in=8,
    )
