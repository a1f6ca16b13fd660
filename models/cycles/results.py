"""From a window's last step to the result beats."""

from __future__ import annotations

import numpy as np

from conv_core.models.core_config import CoreConfig
from conv_core.models.cycles.columns import Times
from conv_core.models.cycles.latencies import COMMIT, COMMIT_INT32, FETCH, PINS_OUT, READ, STORED
from conv_core.models.cycles.loops import Loops, Pass
from conv_core.models.cycles.rings import NEVER, Growing, Left
from conv_core.models.packing import result_bytes


class Results:
    """The finisher and the reader."""

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        self._lanes = config.lanes_out
        self._beat_bytes = config.out_stream_bytes
        self._ratio = config.lanes_out // config.out_stream_bytes
        self._reads = Growing()  # cycle in which each result word was read
        self._moved = NEVER  # the latest word into the register after the memory
        self._entered = NEVER  # the same into the reader's skid buffer
        self._left = [NEVER, NEVER]  # when the two latest words left it
        self._free = 0  # the first cycle in which the next word may leave it
        self._fetched = NEVER  # the latest constants
        self._constants_taken = NEVER  # when the finisher took them
        self.fetched = self.taken = np.zeros(0, np.int64)
        """of the latest pass: the cycles from which on the constants of its filter blocks are in
        the finisher, and when they were taken"""
        self.last_beat = -1

    def begin(self, loops: Loops, offered: int) -> int:
        """Goes on to the next layer; the cycle in which finisher and reader take it."""
        layer = loops.layer
        self._loops = loops
        self._slice = self._config.requant_lanes if layer.requantise else self._lanes // 4
        self._value_bytes = 1 if layer.requantise else 4
        self._commits = COMMIT if layer.requantise else COMMIT_INT32
        self._frame_bytes = result_bytes(layer)
        self._frame_words = -(-self._frame_bytes // self._lanes)
        self._base = self._reads.size  # words of the layers before
        self._taken = offered
        if self._reads.size:
            self._taken = max(self._last_read + 1, offered)
            self._free = max(self._free, self.last_beat + STORED - (self._ratio > 1))
        return self._taken

    def left(self, earliest: int) -> Left:
        """The cycles that the next layer may depend on, whose slices come after `earliest`. Those
        that it can't depend on are forgotten."""
        reads = self._reads.values[-self._config.out_bytes // self._lanes - 1 :].copy()
        self._reads = Growing()
        self._reads.extend(reads)
        own = [self._moved, self._entered, *self._left, self._free, self._fetched]
        own += [self._constants_taken, self._last_read]
        return Left([np.array(own), reads[reads + READ > earliest]])

    @property
    def _last_read(self) -> int:
        return int(self._reads.values[-1])

    def slices(self, some: Pass) -> Times:
        """Cycles of the finisher for each window."""
        blocks = self._loops.blocks[some.groups.start : some.groups.stop]
        slices = np.array([-(-block.filters // self._slice) for block in blocks])
        return np.repeat(slices, some.block_windows)

    def constants(self, marks: Times, vectors: Times) -> Times:
        """The cycles in which the constants of filter blocks may be taken, one after the other.

        `marks` are those of the last step of each block's first window, whose mark has them
        fetched; `vectors`, when that window's vector is taken.
        """
        taken = self._constants_taken_by(marks, vectors)
        before = np.concatenate([[max(self._fetched, self._constants_taken)], taken[:-1]])
        fetched: Times = np.maximum(marks, before) + FETCH + self._loops.schedule.block_constants
        return fetched + 1

    def _constants_taken_by(self, marks: Times, vectors: Times) -> Times:
        apart = FETCH + self._loops.schedule.block_constants + 1
        least = np.maximum(vectors, marks + apart)
        least[0] = max(int(least[0]), max(self._fetched, self._constants_taken) + apart)
        places = np.arange(len(marks)) * apart
        taken: Times = np.maximum.accumulate(least - places) + places
        return taken

    def follow_constants(self, some: Pass, ends: Times, vectors: Times) -> None:
        """Goes through the marks of a pass; `ends` are the windows' last steps, `vectors` the
        cycles in which their vectors were taken."""
        heads = slice(0, None, some.block_windows)
        self.taken = np.zeros(0, np.int64)
        if some.new_blocks:
            self.fetched = self.constants(ends[heads], vectors[heads])
            self.taken = self._constants_taken_by(ends[heads], vectors[heads])
            self._fetched, self._constants_taken = int(self.fetched[-1]) - 1, int(self.taken[-1])
        alone = some.new_blocks and ends[-1] == ends[-some.block_windows]
        if some.layer_end and not alone:  # the layer's last mark takes a cycle of its own
            self._fetched = max(int(ends[-1]), self._fetched) + 1

    # ---------------------------------------------------------------- passes that repeat
    def at_rest(self, some: Pass, earliest: int) -> bool:
        """Is there room for all results of a pass whose slices come after the cycle `earliest`?"""
        return self._taken < earliest and self._room_by(some) <= earliest

    def phase(self, some: Pass) -> tuple[int, int, bool]:
        """How the results of a pass lie in the words that are read."""
        layer = self._loops.layer
        pixel = some.rows.start * layer.out_width + some.columns.start
        word, byte = divmod(pixel * self._loops.pixel_bytes, self._lanes)
        words = self._reads.size - self._base - some.frame * self._frame_words
        frame_end = some.rows.stop == layer.out_height and some.columns.stop == layer.out_width
        return words - word, byte, frame_end

    def state(self, some: Pass) -> list[int]:
        """All cycles that matter for what comes after a pass, or before it."""
        state = [self._moved, self._entered, *self._left, self._free, self.last_beat]
        return [*state, self._fetched, self._constants_taken] if some.new_blocks else state

    def go_on(self, state: list[int], reads: Times) -> None:
        """To a state, with so many words read on the way."""
        self._moved, self._entered, *self._left, self._free, self.last_beat = state[:6]
        if state[6:]:
            self._fetched, self._constants_taken = state[6:]
        self._reads.extend(reads)

    @property
    def words(self) -> int:
        """Words that have been read."""
        return self._reads.size

    def reads_from(self, word: int) -> Times:
        """The cycles in which this word and all after it were read."""
        return self._reads.values[word:].copy()

    @property
    def marks_done(self) -> int:
        """The cycle from which on all marks up to now are done with."""
        return self._fetched + 1

    def ready(self, some: Pass, earliest: int) -> Times:
        """Of each window: the cycle of its last slice, were it only for the room in the buffer.

        No slice comes before the cycle `earliest`.
        """
        slices, begins = self.slices(some), self._begins(some)
        floor = self._taken + slices
        if self._room_by(some) <= earliest:
            return floor
        limit = self._config.out_bytes - self._lanes
        step = np.minimum(np.arange(slices.max()), slices[:, None] - 1)
        reach = begins[:, None] + step * self._slice * self._value_bytes - limit
        rooms = self._read_by(reach.ravel()).reshape(reach.shape)
        found: Times = np.maximum((rooms + slices[:, None] - 1 - step).max(axis=1), floor)
        return found

    def _room_by(self, some: Pass) -> int:
        """The first cycle in which there is room for all results of a pass."""
        loops = self._loops
        slices = -(-loops.blocks[some.groups[-1]].filters // self._slice)
        pixel = some.rows[-1] * loops.layer.out_width + some.columns[-1]
        address = (self._base + some.frame * self._frame_words) * self._lanes
        address += pixel * loops.pixel_bytes
        first_filter = loops.blocks[some.groups[-1]].first_filter
        address += (first_filter + (slices - 1) * self._slice) * self._value_bytes
        last = address - (self._config.out_bytes - self._lanes)
        return int(self._read_by(np.array([last]))[0]) if last > 0 else NEVER

    def done(self, some: Pass, vectors: Times, earliest: int) -> Times:
        """The cycles of the windows' last slices, by those in which their vectors were taken."""
        slices = self.slices(some)
        done: Times = np.maximum(vectors + slices, self.ready(some, earliest))
        if some.new_blocks:
            heads = slice(0, None, some.block_windows)
            done[heads] = np.maximum(done[heads], self.taken + slices[heads])
        return done

    def _begins(self, some: Pass) -> Times:
        """Address of each window's first result, counted from the first layer on."""
        loops = self._loops
        frame = (self._base + some.frame * self._frame_words) * self._lanes
        rows = np.array(some.rows)[:, None] * (loops.layer.out_width * loops.pixel_bytes)
        columns = np.array(some.columns) * loops.pixel_bytes
        blocks = loops.blocks[some.groups.start : some.groups.stop]
        filters = np.array([block.first_filter for block in blocks]) * self._value_bytes
        begins: Times = frame + filters[:, None, None] + (rows + columns)
        return begins.ravel()

    def _read_by(self, addresses: Times) -> Times:
        """The first cycles in which the finisher knows that all before these is read."""
        words = -(-addresses // self._lanes) - 1
        reads = self._reads.values
        if not len(reads):
            return np.zeros(len(addresses), np.int64)
        return np.where(words < 0, 0, reads[np.clip(words, 0, len(reads) - 1)] + READ)

    def commit(self, some: Pass, done: Times) -> None:
        """The windows of the last filter block are complete; `done`: cycle of the last slices."""
        last = slice(-some.block_windows, None)
        frame = some.frame * self._frame_words
        upto = self._begins(some)[last] - (self._base + frame) * self._lanes
        upto += self._loops.blocks[-1].filters * self._value_bytes
        whole = np.where(upto < self._frame_bytes, upto // self._lanes, self._frame_words)
        had = self._reads.size - self._base - frame
        counts = np.diff(whole, prepend=had)
        self._read(np.repeat(done[last] + self._commits, counts), had)

    def _read(self, cycles: Times, first: int) -> None:
        """Words that may be read from these cycles on go out, beat by beat."""
        count = len(cycles)
        if not count:
            return
        index = first + np.arange(count)
        size = np.minimum(self._lanes, self._frame_bytes - index * self._lanes)
        beats = -(-size // self._beat_bytes)
        places = np.cumsum(beats) - beats
        left = np.maximum.accumulate(np.maximum(cycles + 3, self._free) - places) + places
        before = np.concatenate([self._left, left])[:count]
        order = np.arange(count)
        waits = np.maximum(np.maximum(cycles + 2, before + 1), self._entered + 1) - order
        entered = np.maximum.accumulate(waits) + order
        waits = np.maximum(cycles + 1, np.concatenate([[self._entered], entered])[:count])
        moved = np.maximum.accumulate(np.maximum(waits, self._moved + 1) - order) + order
        self._reads.extend(np.maximum(cycles, np.concatenate([[self._moved], moved])[:count]))
        self._moved, self._entered = int(moved[-1]), int(entered[-1])
        self._left = [*self._left, *left[-2:].tolist()][-2:]
        self._free = int(left[-1] + beats[-1])
        self.last_beat = int(left[-1]) + (int(beats[-1]) if self._ratio > 1 else 0) + PINS_OUT - 3
