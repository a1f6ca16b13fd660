"""What the steps of a pass wait for: the words that they read."""

from __future__ import annotations

import numpy as np

from conv_core.models.cycles.activations import Activations
from conv_core.models.cycles.columns import Times
from conv_core.models.cycles.latencies import STEPS_AHEAD
from conv_core.models.cycles.loops import KernelRows, Loops, Pass
from conv_core.models.cycles.rings import NEVER
from conv_core.models.cycles.weights import Weights

LAST_STEPS = STEPS_AHEAD + 1
"""Steps at the end of a window whose cycles others wait for."""


class Needs:
    """Of a pass. A window without a tap inside is one step, which only waits for its weights."""

    def __init__(
        self, some: Pass, loops: Loops, activations: Activations, weights: Weights
    ) -> None:
        self._loops, self._activations, self._weights = loops, activations, weights
        self._rows = [loops.kernel_rows[y] for y in some.rows]
        columns, chunks = loops.columns, loops.chunks(some.columns)
        self._counts = columns.chunks[some.columns.start : some.columns.stop]
        self._offsets = columns.offsets[chunks] + loops.last_offset(some.block)
        self._words, self._places = columns.words[chunks], columns.places[chunks]
        self._base = some.group * loops.schedule.block_words
        self._frame_word = some.frame * loops.frame_words
        self.last_act, self.last_word = -1, self._base
        furthest = int(self._offsets.max(initial=-1))
        for rows in self._rows:
            if rows.taps:
                row = rows.image_row + (rows.taps - 1) * loops.layer.dilation[0]
                byte = row * loops.row_bytes + furthest
                if furthest >= 0:
                    last = self._frame_word + byte // loops.lanes_in
                    self.last_act = max(self.last_act, last)
                end = (rows.first + rows.taps) * loops.kernel_row_words
                self.last_word = max(self.last_word, self._base + end - 1)

    def waits(self, windows: int, first: int) -> Times:
        """(LAST_STEPS, windows): the earliest cycles of each window's last step, of the one before,
        and so on, were it only for what its steps need. None comes before the cycle `first`."""
        found = np.full((LAST_STEPS, windows), NEVER)
        last_word = np.array([self.last_word])
        there = max(self._activations.by(self.last_act), int(self._weights.at(last_word)[0]))
        if there > first:
            width = len(self._counts)
            for index, rows in enumerate(self._rows):
                self._wait(rows, found[:, index * width : (index + 1) * width])
        return found

    def _wait(self, rows: KernelRows, found: Times) -> None:
        """Those of an output row."""
        some = self._counts > 0
        if not rows.taps or not some.all():
            empty = ~some if rows.taps else np.full_like(some, fill_value=True)
            found[0, empty] = self._weights.at(np.array([self._first_word(rows)]))[0]
        if not rows.taps or not some.any():
            return
        counts = np.repeat(self._counts, self._counts)
        starts = (np.cumsum(self._counts) - self._counts)[some]
        for row in range(rows.taps):
            after = (rows.taps - row) * counts - 1 - self._places  # steps after this one
            ready = self.ready(*self._needed(rows, row, slice(None))) + after
            best = np.maximum.reduceat(ready, starts)
            short = int(after.min()) < STEPS_AHEAD
            for back in range(LAST_STEPS):
                if short and back:
                    best = np.maximum.reduceat(np.where(after >= back, ready, NEVER), starts)
                found[back, some] = np.maximum(found[back, some], best - back)

    def of_window(self, window: int) -> tuple[Times, Times]:
        """Activation words of the frame (below 0: none) and weight words, step by step."""
        row, column = divmod(window, len(self._counts))
        rows, count = self._rows[row], int(self._counts[column])
        if not rows.taps or not count:
            return np.array([-1]), np.array([self._first_word(rows)])
        end = int(self._counts[: column + 1].sum())
        each = [self._needed(rows, tap, slice(end - count, end)) for tap in range(rows.taps)]
        return np.concatenate([acts for acts, _ in each]), np.concatenate([w for _, w in each])

    def ready(self, acts: Times, words: Times) -> Times:
        """The cycles in which all that steps need can be read."""
        here = self._activations.at(self._frame_word, acts)
        both: Times = np.maximum(here, self._weights.at(words))
        return both

    def _needed(self, rows: KernelRows, row: int, chunks: slice) -> tuple[Times, Times]:
        """Of the chunks of a kernel row, by its number among those inside."""
        loops = self._loops
        image_row = rows.image_row + row * loops.layer.dilation[0]
        acts = (image_row * loops.row_bytes + self._offsets[chunks]) // loops.lanes_in
        kernel_row = (rows.first + row) * loops.kernel_row_words
        return acts, self._base + kernel_row + self._words[chunks]

    def _first_word(self, rows: KernelRows) -> int:
        return self._base + (rows.first * self._loops.kernel_row_words if rows.taps else 0)
