"""How long a layer takes: the least that any engine of its kind needs, and what the core takes.

`cycles_limit` counts chunks, taps and beats. `cycles_model` follows the core: every decision that
it takes is a comparison of counts ("has this word arrived?", "is there room?"), so the cycle of
each event is the latest of the cycles that it waits for, plus a constant. Nothing is simulated; the
constants are the pipeline depths that the headers of the RTL state.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.core_config import CoreConfig
from models.layer import Layer
from models.packing import (
    FilterBlock,
    constant_words,
    filter_blocks,
    is_depthwise,
    result_bytes,
    weight_runs,
)

FIRST_STEP = 14
"""Cycles from the first beat to the earliest step: the sequencer's pipeline."""
ARRIVAL = 2
"""Cycles from the beat that completes a word to the first step that may read it."""
RELEASE = 6
"""Cycles from the step that frees a word to the first beat that may take its place."""
DATAPATH = 8
"""Cycles from a window's last step to its vector at the queue's head, less the adder levels."""
COMMIT = 15
"""Cycles from a slice's turn in the finisher until its bytes may be read."""

Times = NDArray[np.int64]


def cycles_limit(layer: Layer, config: CoreConfig) -> int:
    """Cycles below which no engine with these lanes and streams can stay, for all frames.

    The largest of: chunks of LANES_IN bytes with a tap inside the image, over all windows and
    groups of LANES_OUT filters (with horizontal dilation: taps inside times chunks of a pixel; with
    channel groups: multiply-accumulates inside over all lanes, or the words of the rows read for
    every output row); beats of activations, of the last frame only up to the last byte that a
    window uses; beats of results; beats of weights and constants without their padding.
    """
    filters = -(-layer.out_channels // config.lanes_out)
    frame_bytes = layer.height * layer.width * layer.in_channels
    weight_bytes = int(np.prod(layer.weight_shape)) + 9 * layer.out_channels
    if layer.groups > 1:
        row_words = -(-layer.width * layer.in_channels // config.lanes_in)
        steps = max(
            -(-layer.macs_inside // (config.lanes_in * config.lanes_out)),
            layer.batch * int(layer.valid_rows().sum()) * row_words,
        )
    else:
        chunks = sum(column.chunks for column in _columns(layer, config, layer.out_width))
        steps = layer.batch * int(layer.valid_rows().sum()) * chunks * filters
    return max(
        steps,
        (layer.batch - 1) * -(-frame_bytes // config.act_stream_bytes)
        + -(-_used_bytes(layer) // config.act_stream_bytes),
        layer.batch * -(-result_bytes(layer) // config.out_stream_bytes),
        -(-weight_bytes // config.wgt_stream_bytes),
    )


def _used_bytes(layer: Layer) -> int:
    """Bytes of a frame up to the last that some window uses."""
    rows, columns = layer.valid_rows(), layer.valid_columns()
    if not rows.any() or not columns.any():
        return 0
    positions = [
        max(
            int(o) * stride + int(k) * dilation - pad
            for o, k in zip(*np.nonzero(valid), strict=True)
        )
        for valid, stride, dilation, pad in (
            (rows, layer.stride[0], layer.dilation[0], layer.pads[0]),
            (columns, layer.stride[1], layer.dilation[1], layer.pads[1]),
        )
    ]
    return (positions[0] * layer.width + positions[1] + 1) * layer.in_channels


def cycles_model(layer: Layer, config: CoreConfig) -> int:
    """Cycles of the core for one layer, cold, while nobody outside stalls a stream.

    From the first accepted input beat to the last accepted result beat, both included.
    """
    plan = _Plan.of(layer, config)
    activations = _Activations(layer, config)
    weights = _Weights(plan, config)
    results = _Results(layer, plan, config)
    step = FIRST_STEP - 1  # cycle of the latest step
    for item in plan.items(layer):
        ready = max(activations.by(item), weights.by(item.last_set))
        for window in item.windows(plan):
            first = step + 1
            if weights.tight:
                acts, sets = window.needs(item, plan)
                here = activations.at(item, acts)
                for act, word in zip(here.tolist(), sets.tolist(), strict=True):
                    if window.last:
                        weights.release(step + 1 + RELEASE, word)
                    step = max(step + 1, act, weights.reach(word))
            elif ready <= first:
                step += window.steps
            else:
                acts, sets = window.needs(item, plan)
                order = np.arange(window.steps)
                waits = np.maximum(activations.at(item, acts), weights.at(sets))
                step = int((np.maximum(waits, first) - order).max()) + window.steps - 1
            step = max(step, results.credit())
            loaded = results.window(step, item, window)
            if weights.tight and window.first:
                weights.release_constants(loaded, item.group + 1)
        if weights.tight:
            weights.release(step + RELEASE, (item.group + 1) * plan.group_words)
        activations.release(step + RELEASE, item)
    return results.last_beat + 1


def queue_model(layers: Sequence[Layer], config: CoreConfig) -> list[int]:
    """Cycles of layers one by one: not yet those of layers that are queued behind each other."""
    return [cycles_model(each, config) for each in layers]


@dataclass(frozen=True)
class _Column:
    """What the windows of one output column read of an image row, chunk by chunk."""

    offsets: Times  # bytes from the row's start to the last byte inside, for each chunk
    words: Times  # weight words from the kernel row's start

    @property
    def chunks(self) -> int:
        return len(self.offsets)


NOTHING = -(1 << 40)
"""Offset of a column outside the image: far before any word."""


def _columns(layer: Layer, config: CoreConfig, block: int) -> list[_Column]:
    """For each output column; blocks of columns begin at multiples of `block`."""
    if is_depthwise(layer, config):
        return [_depthwise_column(layer, x, first=x % block == 0) for x in range(layer.out_width)]
    lanes, channels = config.lanes_in, layer.in_channels
    filter_runs, run_bytes = weight_runs(layer, config)
    runs = filter_runs // layer.kernel[0]
    run_words = -(-run_bytes // lanes)
    columns = []
    for x in range(layer.out_width):
        offsets: list[int] = []
        words: list[int] = []
        for run in range(runs):
            start = (x * layer.stride[1] - layer.pads[1] + run * layer.dilation[1]) * channels
            begin, end = max(0, -start), min(run_bytes, layer.width * channels - start)
            for chunk in range(begin // lanes, -(-end // lanes) if end > begin else 0):
                offsets.append(start + min(end, (chunk + 1) * lanes) - 1)
                words.append(run * run_words + chunk)
        columns.append(_Column(np.array(offsets, np.int64), np.array(words, np.int64)))
    return columns


def _depthwise_column(layer: Layer, x: int, *, first: bool) -> _Column:
    """The image columns that the window before has not seen; those outside take a step as well.

    A row's first window begins with the first column inside.
    """
    (_, taps), (_, stride) = layer.kernel, layer.stride
    end = x * stride - layer.pads[1] + taps
    columns = np.arange(end - (taps if first else min(stride, taps)), end)
    inside = (columns >= 0) & (columns < layer.width)
    if first and inside.any():
        skipped = int(inside.argmax())
        columns, inside = columns[skipped:], inside[skipped:]
    return _Column(
        np.where(inside, columns * layer.in_channels, NOTHING), np.zeros(len(columns), np.int64)
    )


@dataclass(frozen=True)
class _Window:
    """A window: an output column of an item, with the number of its steps."""

    column: _Column
    x: int
    steps: int
    first: bool  # of its item
    last: bool

    def needs(self, item: _Item, plan: _Plan) -> tuple[Times, Times]:
        """Activation words of the frame (below 0: none) and weight words of the layer, by step."""
        if not item.rows or not self.column.chunks:
            return np.array([-1]), np.array([item.first_set])
        rows = np.array([iy for _, iy in item.rows])[:, None] * plan.row_bytes
        taps = np.array([ky for ky, _ in item.rows])[:, None] * plan.tap_row_words
        acts = (rows + self.column.offsets + item.last_offset) // plan.lanes_in
        return acts.ravel(), (item.group * plan.group_words + taps + self.column.words).ravel()


@dataclass(frozen=True)
class _Item:
    """One group of filters on the columns of one block of one output row."""

    frame: int
    y: int
    columns: range
    group: int  # of filters: the index of the block
    block: FilterBlock
    last_offset: int  # bytes from a chunk's offset to the last that this block reads
    rows: list[tuple[int, int]]  # (ky, image row) of the kernel rows inside
    frame_word: int  # activation words of the frames before
    last_word: int  # of the frame, that some step needs; -1: none
    first_set: int  # weight words of the layer: the first and the last that some step needs
    last_set: int
    released: int | None  # activation words of the frame that are free behind it
    block_begin: int  # result address
    new_group: bool
    last_group: bool

    def windows(self, plan: _Plan) -> Iterator[_Window]:
        for x in self.columns:
            column = plan.columns[x]
            steps = max(1, len(self.rows) * column.chunks)
            yield _Window(column, x, steps, x == self.columns[0], x == self.columns[-1])


@dataclass(frozen=True)
class _Plan:
    """The loops of the core for one layer."""

    columns: list[_Column]
    lanes_in: int
    row_bytes: int
    frame_words: int
    blocks: list[FilterBlock]
    tap_row_words: int
    group_words: int
    columns_of_block: int
    pixel_bytes: int
    depthwise: bool
    single_pass: bool  # weights are used in one row only, and released as they are used

    @classmethod
    def of(cls, layer: Layer, config: CoreConfig) -> _Plan:
        runs, run_bytes = weight_runs(layer, config)
        tap_row_words = runs // layer.kernel[0] * -(-run_bytes // config.lanes_in)
        row_bytes = layer.width * layer.in_channels
        pixel_bytes = layer.out_channels * (1 if layer.requantise else 4)
        block = layer.out_width
        while block > 1 and block * pixel_bytes > config.out_bytes // 2:
            block = (block + 1) // 2
        return cls(
            columns=_columns(layer, config, block),
            lanes_in=config.lanes_in,
            row_bytes=row_bytes,
            frame_words=-(-layer.height * row_bytes // config.lanes_in),
            blocks=filter_blocks(layer, config),
            tap_row_words=tap_row_words,
            group_words=layer.kernel[0] * tap_row_words,
            columns_of_block=block,
            pixel_bytes=pixel_bytes,
            depthwise=is_depthwise(layer, config),
            single_pass=layer.batch == layer.out_height == 1 and block == layer.out_width,
        )

    def items(self, layer: Layer) -> Iterator[_Item]:
        valid = layer.valid_rows()
        column_blocks = [
            range(x, min(x + self.columns_of_block, layer.out_width))
            for x in range(0, layer.out_width, self.columns_of_block)
        ]
        reach = [
            max(int(self.columns[x].offsets.max(initial=-1)) for x in b) for b in column_blocks
        ]
        out_row = layer.out_width * self.pixel_bytes
        for frame in range(layer.batch):
            for y in range(layer.out_height):
                top = y * layer.stride[0] - layer.pads[0]
                rows = [
                    (int(ky), top + int(ky) * layer.dilation[0]) for ky in np.flatnonzero(valid[y])
                ]
                first_tap, last_tap = (rows[0][0], rows[-1][0]) if rows else (0, 0)
                for columns, offset in zip(column_blocks, reach, strict=True):
                    for group, block in enumerate(self.blocks):
                        last_offset = block.first_channel
                        if self.depthwise:
                            last_offset += block.filters - 1
                        last_word = -1
                        if rows and offset >= 0:
                            last_byte = rows[-1][1] * self.row_bytes + offset + last_offset
                            last_word = last_byte // self.lanes_in
                        base = group * self.group_words
                        last_group = group == len(self.blocks) - 1
                        row_end = last_group and columns is column_blocks[-1]
                        yield _Item(
                            frame=frame,
                            y=y,
                            columns=columns,
                            group=group,
                            block=block,
                            last_offset=last_offset,
                            rows=rows,
                            frame_word=frame * self.frame_words,
                            last_word=last_word,
                            first_set=base + first_tap * self.tap_row_words,
                            last_set=base + (last_tap + 1) * self.tap_row_words - 1,
                            released=self._released(layer, y) if row_end else None,
                            block_begin=y * out_row + columns[0] * self.pixel_bytes,
                            new_group=len(self.blocks) > 1 or (frame == y == columns[0] == 0),
                            last_group=last_group,
                        )

    def _released(self, layer: Layer, y: int) -> int:
        below = (y + 1) * layer.stride[0] - layer.pads[0]
        if y == layer.out_height - 1 or below >= layer.height:
            return self.frame_words
        return max(0, below) * self.row_bytes // self.lanes_in


class _Activations:
    """When each word of the frames can be read."""

    def __init__(self, layer: Layer, config: CoreConfig) -> None:
        frame_bytes = layer.height * layer.width * layer.in_channels
        frame_words = -(-frame_bytes // config.lanes_in)
        ratio = config.lanes_in // config.act_stream_bytes
        tail = frame_bytes - (frame_words - 1) * config.lanes_in
        beats = np.full(frame_words, ratio, np.int64)
        beats[-1] = -(-tail // config.act_stream_bytes)
        self._beats = np.tile(beats, layer.batch)
        self._capacity = config.act_bytes // config.lanes_in
        self._visible = np.zeros(len(self._beats), np.int64)
        self._known = 0
        self._latest = 0 if ratio > 1 else -1  # cycle in which the loader took the latest word
        self._releases: list[tuple[int, int]] = [
            (0, 0)
        ]  # (cycle, words), of which not all are used
        self._frame_words = frame_words

    def release(self, cycle: int, item: _Item) -> None:
        if item.released is not None:
            self._releases.append((cycle, item.frame_word + item.released))

    def by(self, item: _Item) -> int:
        """The first cycle in which all that the item needs can be read.

        What those words wait for has been released by earlier items.
        """
        if item.last_word < 0:
            return 0
        word = item.frame_word + item.last_word
        while self._known <= word:
            cycle, words = self._releases[0]
            end = min(words + self._capacity, len(self._beats))
            if end <= self._known:
                self._releases.pop(0)
                continue
            span = slice(self._known, end)
            beats = np.cumsum(self._beats[span])
            start = max(self._latest + int(beats[0]), cycle) - int(beats[0])
            self._visible[span] = start + beats + ARRIVAL
            self._latest = int(self._visible[end - 1]) - ARRIVAL
            self._known = end
        return int(self._visible[word])

    def at(self, item: _Item, words: Times) -> Times:
        """The cycles in which words of the item's frame can be read; 0 for a word below 0."""
        return np.where(words < 0, 0, self._visible[item.frame_word + np.maximum(words, 0)])


class _Weights:
    """When each weight word (one for each filter of its group) can be read.

    `tight`: weights or constants are more than their buffers hold, as a layer of a single row may
    have them; then what is used makes room for what comes.
    """

    def __init__(self, plan: _Plan, config: CoreConfig) -> None:
        ratio = config.lanes_in // config.wgt_stream_bytes
        groups = len(plan.blocks)
        sets = np.arange(groups * plan.group_words)
        self.tight = plan.single_pass and (
            len(sets) > config.wgt_words or groups * constant_words(config) > config.const_words
        )
        self._config = config
        self._group_words = plan.group_words
        self._ratio = ratio
        self._latest = 0 if ratio > 1 else -1  # cycle in which the loader took the latest word
        self._words = 0  # taken, of the weights
        self._constants = 0  # and of the constants
        self._releases = [(0, 0)]  # (cycle, words), of which not all are used
        self._constant_releases = [(0, 0)]
        words = (sets // plan.group_words + 1) * constant_words(config) + (
            sets + 1
        ) * config.lanes_out
        self._visible = words * ratio + ARRIVAL - (0 if ratio > 1 else 1)

    def release(self, cycle: int, words: int) -> None:
        self._releases.append((cycle, words))

    def release_constants(self, cycle: int, groups: int) -> None:
        self._constant_releases.append((cycle, groups * constant_words(self._config)))

    def reach(self, word: int) -> int:
        """The first cycle in which a word can be read, where the buffers are tight."""
        while self._words <= word:
            if self._words % self._group_words == 0:
                for _ in range(constant_words(self._config)):
                    self._take(self._constants, self._constant_releases, self._config.const_words)
                    self._constants += 1
            self._take(self._words, self._releases, self._config.wgt_words)
            self._latest += (self._config.lanes_out - 1) * self._ratio
            self._visible[self._words] = self._latest + ARRIVAL
            self._words += 1
        return int(self._visible[word])

    def _take(self, index: int, releases: list[tuple[int, int]], capacity: int) -> None:
        """The loader takes a word as soon as it is there and another has made room for it."""
        while releases[0][1] + capacity <= index:
            releases.pop(0)
        self._latest = max(self._latest + self._ratio, releases[0][0])

    def by(self, word: int) -> int:
        return 0 if self.tight else int(self._visible[word])

    def at(self, words: Times) -> Times:
        return self._visible[words]


class _Results:
    """From a window's last step to the result beats."""

    def __init__(self, layer: Layer, plan: _Plan, config: CoreConfig) -> None:
        self._plan = plan
        self._lanes = config.lanes_out
        self._out_bytes = config.out_bytes
        self._depth = DATAPATH + (config.lanes_in.bit_length()) // 2
        self._queue = config.result_queue
        self._fetch = constant_words(config) + 1
        self._slice = config.requant_lanes if layer.requantise else config.lanes_out // 4
        self._value_bytes = 1 if layer.requantise else 4
        self._frame_bytes = result_bytes(layer)
        self._frame_words = -(-self._frame_bytes // config.lanes_out)
        self._beat_bytes = config.out_stream_bytes
        self._ratio = config.lanes_out // config.out_stream_bytes
        self._pops: list[int] = []  # cycle in which each window's vector left the queue
        self._reads: list[int] = []  # cycle in which each result word was read
        self._entered = [-1, -1]  # reader's skid buffer: when the two latest words went in
        self._left = [-1, -1]  # and when they went out
        self._free = 0  # the first cycle in which the next word may go out
        self.last_beat = -1

    def credit(self) -> int:
        """The first cycle in which another window's last step may be taken."""
        return self._pops[-self._queue] + 1 if len(self._pops) >= self._queue else 0

    def window(self, step: int, item: _Item, window: _Window) -> int:
        """Follows a window's vector; the cycle of its first slice's turn, room or not."""
        head = max(step + self._depth, self._pops[-1] + 1 if self._pops else 0)
        if item.new_group and window.first:
            head += self._fetch
        filters = item.block.filters
        frame = item.frame * self._frame_words * self._lanes
        pixel = item.block_begin + (window.x - item.columns[0]) * self._plan.pixel_bytes
        begin = pixel + item.block.first_filter * self._value_bytes
        cycle = head - 1
        for offset in range(0, filters, self._slice):
            reach = frame + begin + offset * self._value_bytes + self._lanes - self._out_bytes
            cycle = max(cycle + 1, self._read_by(reach))
        self._pops.append(cycle)
        if item.last_group:
            self._commit(cycle + COMMIT, item.frame, begin + filters * self._value_bytes)
        return head

    def _read_by(self, address: int) -> int:
        """The first cycle in which everything before this address has been read."""
        if address <= 0:
            return 0
        return self._reads[-(-address // self._lanes) - 1] + 1

    def _commit(self, cycle: int, frame: int, upto: int) -> None:
        """Reads the words that are whole once the frame's first `upto` bytes may be read."""
        whole = upto // self._lanes if upto < self._frame_bytes else self._frame_words
        while len(self._reads) < frame * self._frame_words + whole:
            last_read = self._reads[-1] + 1 if self._reads else 0
            read = max(cycle, self._entered[1], last_read)
            entered = max(read + 1, self._entered[1] + 1, self._left[0] + 1)
            index = len(self._reads) % self._frame_words
            size = min(self._lanes, self._frame_bytes - index * self._lanes)
            beats = -(-size // self._beat_bytes)
            left = max(entered + 1, self._free)
            self._free = left + beats
            self._reads.append(read)
            self._entered = [self._entered[1], entered]
            self._left = [self._left[1], left]
            self.last_beat = left + (beats if self._ratio > 1 else 0) + 1
