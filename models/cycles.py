"""How long a layer takes: the least that any engine of its kind needs, and what the core takes.

`cycles_limit` counts chunks, taps and beats. `cycles_model` and `queue_model` follow the core:
every decision that it takes is a comparison of counts ("has this word arrived?", "is there room?"),
so the cycle of each event is the latest of the cycles that it waits for, plus a constant. Nothing
is simulated; the constants are the pipeline depths that the headers of the RTL state.

A layer is taken by four users, each as soon as it has finished the one before and the layer is set
up: the loaders of activations and weights, the sequencer, and the finisher with the reader. No
event of a layer waits for one of a later layer, so a queue is modelled layer by layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.core_config import CoreConfig
from models.layer import Layer
from models.packing import (
    FilterBlock,
    column_phases,
    constant_words,
    filter_blocks,
    groups_of_block,
    is_depthwise,
    result_bytes,
    weight_runs,
)

FIRST_STEP = 15
"""Cycles from the first beat to the earliest step: the sequencer's pipeline."""
ARRIVAL = 2
"""Cycles from the beat that completes a word to the first step that may read it."""
RELEASE = 6
"""Cycles from the step that frees a word to the first beat that may take its place."""
DATAPATH = 11
"""Cycles from a window's last step to its vector in the finisher, less the adder levels."""
STORED = 8
"""Cycles from a layer's last result beat until its counters are kept: no other comes before."""
COMMIT, COMMIT_INT32 = 21, 5
"""Cycles from a slice's turn in the finisher until its bytes may be read, int8 and int32."""
SETUP = 28
"""Cycles to read a descriptor and set the layer up, without products and joined channel groups."""
PRODUCTS, PRODUCT, HALVING = 24, 4, 5
"""Products of the set-up, cycles of each, and cycles of each halving of the block of columns."""

Times = NDArray[np.int64]


def cycles_limit(layer: Layer, config: CoreConfig) -> int:
    """Cycles below which no engine with these lanes and streams can stay, for all frames.

    The largest of: chunks of LANES_IN bytes with a tap inside the image, over all windows and
    groups of LANES_OUT filters (with horizontal dilation: taps inside times chunks of a pixel; with
    channel groups: multiply-accumulates inside over all lanes, or the words of the rows read for
    every output row); windows, each as often as its results fill the requantiser's lanes, or a
    result word with int32; beats of activations, of the last frame only up to the last byte that a
    window uses; beats of results; beats of weights and constants without their padding.
    """
    filters = -(-layer.out_channels // config.lanes_out)
    frame_bytes = layer.height * layer.width * layer.in_channels
    weight_bytes = int(np.prod(layer.weight_shape)) + 9 * layer.out_channels
    if layer.groups > 1:
        row_words = -(-layer.width * layer.in_channels // config.lanes_in)
        steps = max(
            -(-layer.macs_inside // config.multipliers),
            layer.batch * int(layer.valid_rows().sum()) * row_words,
        )
    else:
        chunks = sum(column.chunks for column in _columns(layer, config, layer.out_width))
        steps = layer.batch * int(layer.valid_rows().sum()) * chunks * filters
    slice_filters = config.requant_lanes if layer.requantise else config.lanes_out // 4
    slices = -(-layer.out_channels // slice_filters)
    return max(
        steps,
        layer.batch * layer.out_height * layer.out_width * slices,
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
    return queue_model([layer], config)[0]


def queue_model(layers: Sequence[Layer], config: CoreConfig) -> list[int]:
    """Cycles of layers that are queued behind each other, while nobody outside stalls a stream.

    Of the first as `cycles_model` has them, then from the last result beat of the layer before to
    the layer's last. Descriptors come before the core has finished the set-up that they wait for.
    """
    activations, weights, results = _Activations(config), _Weights(config), _Results(config)
    offered = -1  # cycle in which a layer can be taken first
    step = offered - 1  # cycle of the latest step
    ends = [-1]  # last result beats
    for number, layer in enumerate(layers):
        plan = _Plan.of(layer, config)
        if number:
            offered += 1 + plan.setup_cycles
        sequencer = max(step + 1, offered)
        step = max(sequencer + FIRST_STEP, step)
        offered = max(
            sequencer,
            activations.begin(layer, offered),
            weights.begin(plan, offered),
            results.begin(layer, plan, offered),
        )  # cycle in which the last user takes it
        for item in plan.items(layer):
            step = _item(step, item, plan, activations, weights, results)
        activations.end()
        weights.end()
        ends.append(results.last_beat)
    return [end - before for before, end in pairwise(ends)]


def _item(
    step: int,
    item: _Item,
    plan: _Plan,
    activations: _Activations,
    weights: _Weights,
    results: _Results,
) -> int:
    """The cycle of an item's last step; `step` is that of the latest before it."""
    ready = max(activations.by(item), weights.by(item.last_set))
    for window in item.windows(plan):
        first = step + 1
        last_use = item.final and window.last
        if weights.tight:
            acts, sets = window.needs(item, plan)
            here = activations.at(item, acts)
            for act, word in zip(here.tolist(), sets.tolist(), strict=True):
                if last_use:
                    weights.release(step + 1 + RELEASE, word)
                step = max(step + 1, act, weights.reach(word))
        elif ready <= first and not last_use:
            step += window.steps
        else:
            acts, sets = window.needs(item, plan)
            order = np.arange(window.steps)
            waits = np.maximum(activations.at(item, acts), weights.at(sets))
            steps = np.maximum.accumulate(np.maximum(waits, first) - order) + order
            step = int(steps[-1])
            if last_use:
                weights.release(first + RELEASE, int(sets[0]))
                weights.release_all(steps[:-1] + 1 + RELEASE, sets[1:])
        step = max(step, results.credit())
        if window.last:
            step = max(step, activations.release_by(item))
        results.window(step, item, window)
        if window.first and item.new_group and item.final:
            weights.release_constants(results.constants_fetched, item.group + 1)
    if item.final:
        weights.release(step + RELEASE, (item.group + 1) * plan.group_words)
        if item.last_group:
            weights.release_constants(results.constants_fetched, item.group + 1)
    activations.release(step + RELEASE, item)
    return step


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
        phases = column_phases(layer)
        return [
            _depthwise_column(layer, x, first=x % block < phases) for x in range(layer.out_width)
        ]
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
    """The image columns that the windows before have not seen; those outside take a step as well.

    A row's first windows begin with the first column inside.
    """
    (_, taps), (_, stride), (_, dilation) = layer.kernel, layer.stride, layer.dilation
    fresh = stride * column_phases(layer) // dilation
    columns = x * stride - layer.pads[1] + dilation * np.arange(taps)
    columns = columns if first else columns[max(taps - fresh, 0) :]
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
    final: bool  # nothing uses these weights later
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
    setup_cycles: int  # from the layer before taken by its last user to this one offered

    @classmethod
    def of(cls, layer: Layer, config: CoreConfig) -> _Plan:
        runs, run_bytes = weight_runs(layer, config)
        tap_row_words = runs // layer.kernel[0] * -(-run_bytes // config.lanes_in)
        row_bytes = layer.width * layer.in_channels
        pixel_bytes = layer.out_channels * (1 if layer.requantise else 4)
        block, halvings = layer.out_width, 0
        while block > 1 and block * pixel_bytes > config.out_bytes // 2:
            block, halvings = (block + 1) // 2, halvings + 1
        joined = groups_of_block(layer, config).bit_length() - 1
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
            setup_cycles=SETUP + 2 * joined + PRODUCT * PRODUCTS + HALVING * halvings,
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
        filters_of_channel = layer.out_channels // layer.groups
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
                            last_offset += (block.filters - 1) // filters_of_channel
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
                            final=frame == layer.batch - 1
                            and y == layer.out_height - 1
                            and columns is column_blocks[-1],
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
    """When each word of the frames of the layer at hand can be read.

    Words are counted from the first layer on in releases, and from this layer on in all else.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        self._ratio = config.lanes_in // config.act_stream_bytes
        self._capacity = config.act_bytes // config.lanes_in
        self._beats = self._visible = self._before = np.zeros(0, np.int64)
        self._base = 0  # words of the layers before
        self._known = 0
        self._latest = -2  # cycle in which the loader took the latest word
        self._releases = [(0, 0)]  # (cycle, words), of which not all are used

    def begin(self, layer: Layer, offered: int) -> int:
        """Goes on to the next layer; the cycle in which the loader takes it."""
        config = self._config
        frame_bytes = layer.height * layer.width * layer.in_channels
        frame_words = -(-frame_bytes // config.lanes_in)
        tail = frame_bytes - (frame_words - 1) * config.lanes_in
        beats = np.full(frame_words, self._ratio, np.int64)
        beats[-1] = -(-tail // config.act_stream_bytes)
        self._base += len(self._beats)
        self._beats = np.tile(beats, layer.batch)
        self._before = self._visible  # those of the layer before
        self._visible = np.zeros(len(self._beats), np.int64)
        self._known = 0
        taken, self._latest = _hand_over(self._latest, offered, self._ratio)
        return taken

    def end(self) -> None:
        """The layer has been computed: what no window uses is swallowed."""
        self._follow(len(self._beats) - 1)

    def release(self, cycle: int, item: _Item) -> None:
        if item.released is not None:
            self._releases.append((cycle, self._base + item.frame_word + item.released))

    def release_by(self, item: _Item) -> int:
        """The first cycle in which the item may release: less than four buffers ahead."""
        if item.released is None:
            return 0
        word = item.frame_word + item.released - 4 * self._capacity
        if word < 0:
            return int(self._before[word]) if -word <= len(self._before) else 0
        self._follow(word)
        return int(self._visible[word])

    def by(self, item: _Item) -> int:
        """The first cycle in which all that the item needs can be read.

        What those words wait for has been released by earlier items.
        """
        if item.last_word < 0:
            return 0
        word = item.frame_word + item.last_word
        self._follow(word)
        return int(self._visible[word])

    def _follow(self, word: int) -> None:
        while self._known <= word:
            cycle, words = self._releases[0]
            end = min(words + self._capacity - self._base, len(self._beats))
            if end <= self._known:
                self._releases.pop(0)
                continue
            span = slice(self._known, end)
            beats = np.cumsum(self._beats[span])
            start = max(self._latest + int(beats[0]), cycle) - int(beats[0])
            self._visible[span] = start + beats + ARRIVAL
            self._latest = int(self._visible[end - 1]) - ARRIVAL
            self._known = end

    def at(self, item: _Item, words: Times) -> Times:
        """The cycles in which words of the item's frame can be read; 0 for a word below 0."""
        return np.where(words < 0, 0, self._visible[item.frame_word + np.maximum(words, 0)])


def _hand_over(latest: int, offered: int, ratio: int) -> tuple[int, int]:
    """When a loader takes a layer, and a cycle so that its first word needs `ratio` more.

    The loader is free the cycle after its latest word. The stream opens the cycle after it took the
    layer; a beat is in the register behind the pins a cycle later, and gathering narrow beats takes
    one more.
    """
    taken = max(latest + 1, offered)
    return taken, taken + 1 + (ratio > 1)


class _Weights:
    """When each weight word (one for each filter of its group) of the layer at hand can be read.

    `tight`: weights or constants are more than their buffers hold, as a layer of a single row may
    have them; then what is used makes room for what comes. Otherwise only what the layers before
    use makes room.
    """

    def __init__(self, config: CoreConfig) -> None:
        self.tight = False
        self._config = config
        self._ratio = config.lanes_in // config.wgt_stream_bytes
        self._words = _Ring(config.wgt_words)
        self._constants = _Ring(config.const_words)
        self._of_group = constant_words(config)
        self._group_words = self._taken = self._total = 0  # words of the layer
        self._latest = -2  # cycle in which the loader took the latest word
        self._visible = np.zeros(0, np.int64)

    def begin(self, plan: _Plan, offered: int) -> int:
        """Goes on to the next layer; the cycle in which the loader takes it."""
        config, groups = self._config, len(plan.blocks)
        self._words.begin(self._total)
        self._constants.begin(self._total // max(self._group_words, 1) * self._of_group)
        self._group_words = plan.group_words
        self._taken, self._total = 0, groups * plan.group_words
        constants = groups * self._of_group
        self.tight = plan.single_pass and (
            self._total > config.wgt_words or constants > config.const_words
        )
        taken, self._latest = _hand_over(self._latest, offered, self._ratio)
        if self.tight:
            self._visible = np.zeros(self._total, np.int64)
            return taken
        # Each word waits for the one before and, the first of a set or a constant, for room.
        group_words = self._of_group + config.lanes_out * plan.group_words
        begins = np.concatenate(
            [
                np.arange(self._of_group),
                self._of_group + config.lanes_out * np.arange(plan.group_words),
            ]
        )
        places = (np.arange(groups)[:, None] * group_words + begins).ravel() * self._ratio
        room = np.concatenate(
            [
                self._constants.room(constants).reshape(groups, -1),
                self._words.room(self._total).reshape(groups, -1),
            ],
            axis=1,
        ).ravel()
        waits = np.maximum(room, self._latest + self._ratio) - places
        times = (np.maximum.accumulate(waits) + places).reshape(groups, -1)[:, self._of_group :]
        last_lane = (config.lanes_out - 1) * self._ratio
        self._visible = times.ravel() + last_lane + ARRIVAL
        self._latest = int(self._visible[-1]) - ARRIVAL
        return taken

    def end(self) -> None:
        """The layer has been computed: what no window uses is swallowed."""
        if self.tight:
            self.reach(self._total - 1)

    def release(self, cycle: int, words: int) -> None:
        self._words.release(cycle, words)

    def release_all(self, cycles: Times, words: Times) -> None:
        for cycle, count in zip(cycles.tolist(), words.tolist(), strict=True):
            self._words.release(cycle, count)

    def release_constants(self, cycle: int, groups: int) -> None:
        self._constants.release(cycle + 1, groups * self._of_group)

    def reach(self, word: int) -> int:
        """The first cycle in which a word can be read, where the buffers are tight."""
        while self._taken <= word:
            group, index = divmod(self._taken, self._group_words)
            if index == 0:
                for constant in range(group * self._of_group, (group + 1) * self._of_group):
                    self._take(self._constants.room_for(constant))
            self._take(self._words.room_for(self._taken))
            self._latest += (self._config.lanes_out - 1) * self._ratio
            self._visible[self._taken] = self._latest + ARRIVAL
            self._taken += 1
        return int(self._visible[word])

    def _take(self, room: int) -> None:
        """The loader takes a word as soon as it is there and another has made room for it."""
        self._latest = max(self._latest + self._ratio, room)

    def by(self, word: int) -> int:
        return 0 if self.tight else int(self._visible[word])

    def at(self, words: Times) -> Times:
        return self._visible[words]


class _Ring:
    """When a buffer has room for each word of the layer at hand."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._base = 0  # words of the layers before
        self._cycles = [0]  # of releases that may still be waited for
        self._words = [0]  # released, of all layers
        self._first = 0  # of those releases

    def begin(self, words: int) -> None:
        """Goes on to the next layer; the one before had so many words."""
        self._base += words
        del self._cycles[: self._first], self._words[: self._first]
        self._first = 0

    def release(self, cycle: int, words: int) -> None:
        """So many words of the layer are free from this cycle on."""
        self._cycles.append(cycle)
        self._words.append(self._base + words)

    def room_for(self, word: int) -> int:
        """The first cycle in which there is room for a word; words are asked for in order."""
        while self._words[self._first] + self._capacity <= self._base + word:
            self._first += 1
        return self._cycles[self._first]

    def room(self, words: int) -> Times:
        """The same of all `words` words of the layer, where only the layers before make room."""
        needed = self._base + np.arange(words) - self._capacity
        releases = np.searchsorted(self._words, needed, side="right")
        self._first = int(releases[-1])
        return np.array(self._cycles, np.int64)[releases]


class _Results:
    """From a window's last step to the result beats."""

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        self._lanes = config.lanes_out
        self._depth = DATAPATH + config.lanes_in.bit_length() - 1
        self._fetch = constant_words(config)
        self._fetched = -1  # cycle in which the latest mark with constants was done with
        self._constants_taken = -1  # cycle in which the finisher took the latest constants
        self._beat_bytes = config.out_stream_bytes
        self._ratio = config.lanes_out // config.out_stream_bytes
        self._pops: list[int] = []  # cycle in which each window's vector left the queue
        self._done = -1  # cycle in which the finisher took the latest vector's last slice
        self._reads: list[int] = []  # cycle in which each result word was read
        self._moved = -1  # when the latest word went from the memory's output to the register
        self._entered = [-1, -1]  # reader's skid buffer: when the two latest words went in
        self._left = [-1, -1]  # and when they went out
        self._free = 0  # the first cycle in which the next word may go out
        self.last_beat = -1

    def begin(self, layer: Layer, plan: _Plan, offered: int) -> int:
        """Goes on to the next layer; the cycle in which finisher and reader take it."""
        config = self._config
        self._plan = plan
        self._slice = config.requant_lanes if layer.requantise else config.lanes_out // 4
        self._value_bytes = 1 if layer.requantise else 4
        self._commits = COMMIT if layer.requantise else COMMIT_INT32
        self._frame_bytes = result_bytes(layer)
        self._frame_words = -(-self._frame_bytes // config.lanes_out)
        self._base = len(self._reads)  # words of the layers before
        self._taken = max(self._reads[-1] + 1 if self._reads else offered, offered)
        if self._reads:
            self._free = max(self._free, self.last_beat + STORED - (self._ratio > 1))
        return self._taken

    @property
    def constants_fetched(self) -> int:
        """The cycle from which on the constants of the latest block are in the finisher."""
        return self._fetched + 1

    def credit(self) -> int:
        """The first cycle in which another window's last step may be taken."""
        queue = self._config.result_queue
        return self._pops[-queue] + 2 if len(self._pops) >= queue else 0

    def window(self, step: int, item: _Item, window: _Window) -> None:
        """Follows a window's vector through queue, finisher and reader.

        Constants of a block are fetched when its first window's mark comes, if those of the block
        before have been taken; the layer's last mark takes a cycle as well.
        """
        pop = max(step + self._depth - 1, self._done)
        self._pops.append(pop)
        head = max(pop, self._taken) + 1
        if item.new_group and window.first:
            start = max(step, self._fetched, self._constants_taken) + 1
            self._fetched = start + self._fetch
            self._constants_taken = max(pop, self._fetched + 1)
            head = max(head, self._constants_taken + 1)
        elif window.last and item.final and item.last_group:
            self._fetched = max(step, self._fetched) + 1
        filters = item.block.filters
        frame = (self._base + item.frame * self._frame_words) * self._lanes
        pixel = item.block_begin + (window.x - item.columns[0]) * self._plan.pixel_bytes
        begin = pixel + item.block.first_filter * self._value_bytes
        cycle = head - 1
        for offset in range(0, filters, self._slice):
            reach = (
                frame + begin + offset * self._value_bytes + self._lanes - self._config.out_bytes
            )
            cycle = max(cycle + 1, self._read_by(reach))
        self._done = cycle
        if item.last_group:
            self._commit(cycle + self._commits, item.frame, begin + filters * self._value_bytes)

    def _read_by(self, address: int) -> int:
        """The first cycle in which the finisher knows that all before this address is read."""
        if address <= 0:
            return 0
        return self._reads[-(-address // self._lanes) - 1] + 3

    def _commit(self, cycle: int, frame: int, upto: int) -> None:
        """Reads the words that are whole once the frame's first `upto` bytes may be read."""
        whole = upto // self._lanes if upto < self._frame_bytes else self._frame_words
        while len(self._reads) < self._base + frame * self._frame_words + whole:
            last_read = self._reads[-1] + 1 if self._reads else 0
            read = max(cycle, self._moved, last_read)
            self._moved = max(read + 1, self._moved + 1, self._entered[1])
            entered = max(self._moved + 1, self._entered[1] + 1, self._left[0] + 1)
            index = (len(self._reads) - self._base) % self._frame_words
            size = min(self._lanes, self._frame_bytes - index * self._lanes)
            beats = -(-size // self._beat_bytes)
            left = max(entered + 1, self._free)
            self._free = left + beats
            self._reads.append(read)
            self._entered = [self._entered[1], entered]
            self._left = [self._left[1], left]
            self.last_beat = left + (beats if self._ratio > 1 else 0) + 1
