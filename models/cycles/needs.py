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
        further = loops.last_offsets[some.groups.start : some.groups.stop]
        if (further == further[0]).all():
            further = further[:1]
        self._offsets = columns.offsets[chunks] + further[:, None]  # (blocks or 1, chunks)
        self._words, self._places = columns.words[chunks], columns.places[chunks]
        self._bases = np.array(some.groups)[:, None] * loops.schedule.block_words  # (blocks, 1)
        self._frame_word = some.frame * loops.frame_words
        self.last_act, self.last_word = loops.last_needs(some)

    def waits(self, first: int) -> Times:
        """(LAST_STEPS, windows): the earliest cycles of each window's last step, of the one before,
        and so on, were it only for what its steps need. None comes before the cycle `first`."""
        shape = (LAST_STEPS, len(self._bases), len(self._rows), len(self._counts))
        found = np.full(shape, NEVER)
        last_word = int(self._weights.at(np.array(self.last_word)))
        there = max(self._activations.by(self.last_act), last_word)
        if there > first:
            for index, rows in enumerate(self._rows):
                self._wait(rows, found[:, :, index])
        return found.reshape(LAST_STEPS, -1)

    def _wait(self, rows: KernelRows, found: Times) -> None:
        """Those of an output row: (LAST_STEPS, blocks, columns)."""
        some = self._counts > 0
        if not rows.taps or not some.all():
            empty = ~some if rows.taps else np.full_like(some, fill_value=True)
            found[0][:, empty] = self._weights.at(self._bases + self._first_word(rows))
        if not rows.taps or not some.any():
            return
        counts = np.repeat(self._counts, self._counts)
        starts = (np.cumsum(self._counts) - self._counts)[some]
        for row in range(rows.taps):
            after = (rows.taps - row) * counts - 1 - self._places  # steps after this one
            acts, words = self._needed(rows, row, slice(None))
            ready = self.ready(acts, self._bases + words) + after
            best = np.maximum.reduceat(ready, starts, axis=1)
            short = int(after.min()) < STEPS_AHEAD
            for back in range(LAST_STEPS):
                if short and back:
                    later = np.where(after >= back, ready, NEVER)
                    best = np.maximum.reduceat(later, starts, axis=1)
                found[back][:, some] = np.maximum(found[back][:, some], best - back)

    def of_last_windows(self) -> tuple[Times, Times]:
        """(blocks, steps): activation words of the frame (below 0: none) and weight words, step by
        step, of the last window of each filter block."""
        rows, count = self._rows[-1], int(self._counts[-1])
        if not rows.taps or not count:
            return np.full_like(self._bases, -1), self._bases + self._first_word(rows)
        chunks = slice(len(self._words) - count, None)
        each = [self._needed(rows, tap, chunks) for tap in range(rows.taps)]
        acts = np.concatenate([of_all for of_all, _ in each], axis=1)
        words = self._bases + np.concatenate([words for _, words in each])
        return np.broadcast_to(acts, words.shape), words

    def ready(self, acts: Times, words: Times) -> Times:
        """The cycles in which all that steps need can be read."""
        here = self._activations.at(self._frame_word, acts)
        both: Times = np.maximum(here, self._weights.at(words))
        return both

    def _needed(self, rows: KernelRows, row: int, chunks: slice) -> tuple[Times, Times]:
        """Of the chunks of a kernel row, by its number among those inside: the activation words of
        each block (or of all), and the weight words from a block's first."""
        loops = self._loops
        image_row = rows.image_row + row * loops.layer.dilation[0]
        acts = (image_row * loops.row_bytes + self._offsets[:, chunks]) // loops.lanes_in
        kernel_row = (rows.first + row) * loops.kernel_row_words
        return acts, kernel_row + self._words[chunks]

    def _first_word(self, rows: KernelRows) -> int:
        return rows.first * self._loops.kernel_row_words if rows.taps else 0
