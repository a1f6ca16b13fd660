"""When each word of the image can be read."""

from __future__ import annotations

import numpy as np

from conv_core.models.core_config import CoreConfig
from conv_core.models.cycles.columns import Times
from conv_core.models.cycles.latencies import ACT_ARRIVAL
from conv_core.models.cycles.rings import NEVER, Left, hand_over
from conv_core.models.layer import Layer


class Activations:
    """Of the layer at hand. Words are counted from it on, but in releases from the first layer."""

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        self._ratio = config.lanes_in // config.act_stream_bytes
        self._capacity = config.act_bytes // config.lanes_in
        self._beats = self._visible = self._before = np.zeros(0, np.int64)
        self._base = 0  # words of the layers before
        self._known = 0
        self._latest = NEVER  # cycle in which the loader took the latest word
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
        taken, self._latest = hand_over(self._latest, offered, self._ratio)
        return taken

    def end(self) -> None:
        """The layer has been computed: what no window uses is swallowed."""
        self.by(len(self._beats) - 1)

    def left(self, step: int) -> Left:
        """What the next layer may depend on, whose steps come after the cycle `step`: cycles, and
        words counted from its first one. What it can't depend on is forgotten."""
        base = self._base + len(self._beats)
        self._releases = [each for each in self._releases if each[1] + self._capacity > base]
        releases = [(max(cycle, self._latest), words - base) for cycle, words in self._releases]
        cycles, words = np.array(releases, np.int64).reshape(-1, 2).T
        visible = self._visible[-4 * self._capacity :]
        return Left([np.array([self._latest]), cycles, visible[visible > step]], [words])

    def release(self, cycle: int, words: int) -> None:
        """So many words of the layer are free from this cycle on."""
        self._releases.append((cycle, self._base + words))

    def release_by(self, words: int) -> int:
        """The first cycle in which so many may be released: less than four buffers ahead."""
        word = words - 4 * self._capacity
        if word < 0:
            return int(self._before[word]) if -word <= len(self._before) else 0
        return self.by(word)

    def by(self, word: int) -> int:
        """The first cycle in which a word and all before it can be read; 0 if it is below 0.

        What those words wait for has been released already.
        """
        if word < 0:
            return 0
        while self._known <= word:
            cycle, words = self._releases[0]
            end = min(words + self._capacity - self._base, len(self._beats))
            if end <= self._known:
                self._releases.pop(0)
                continue
            span = slice(self._known, end)
            beats = np.cumsum(self._beats[span])
            start = max(self._latest + int(beats[0]), cycle) - int(beats[0])
            self._visible[span] = start + beats + ACT_ARRIVAL
            self._latest = int(self._visible[end - 1]) - ACT_ARRIVAL
            self._known = end
        return int(self._visible[word])

    def at(self, base: int, words: Times) -> Times:
        """The cycles in which words can be read that are counted from `base`; 0 for those below."""
        return np.where(words < 0, 0, self._visible[base + np.maximum(words, 0)])
