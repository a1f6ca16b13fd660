"""What the benches of the two loaders share: a stream's words, and the clock by clock course."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.blocks.layers import LayerSender


@dataclass(frozen=True)
class Sent:
    """A word as it is put on the stream, and what it is by rights."""

    data: int
    keep: int
    last: bool
    end: bool
    """whether it is its packet's last word"""
    right_keep: int
    layer_end: bool

    @property
    def errors(self) -> tuple[bool, bool, bool]:
        """Early, late, keep: a keep is judged only where the end is right."""
        return (
            self.last and not self.end,
            self.end and not self.last,
            self.last == self.end and self.keep != self.right_keep,
        )


def sent(
    rng: np.random.Generator,
    data: int,
    right_keep: int,
    *,
    end: bool,
    layer_end: bool,
    faults: float,
) -> Sent:
    """A word with its `keep` and `last`, or, with a chance of `faults` each, wrong ones."""
    keep, last = right_keep, end
    if rng.random() < faults:
        keep ^= 1 << int(rng.integers(max(right_keep.bit_length(), 1)))
    if rng.random() < faults:
        last = not last
    return Sent(data, keep, last, end, right_keep, layer_end)


class Stream:
    """Drives the words of all layers, withdraws none, and follows which are taken.

    A loader takes a layer when it is idle; two cycles later, words while there is room.
    """

    def __init__(
        self,
        dut: Any,
        rng: np.random.Generator,
        layers: Sequence[dict[str, int]],
        words: Sequence[Sent],
        pace: float,
    ) -> None:
        self.dut, self.rng, self.pace = dut, rng, pace
        self.sender = LayerSender(rng, layers)
        self.words = deque(words)
        self.states = deque(["idle"])
        self.offered = False
        self.errors = deque([(False, False, False)] * 2)
        self.found = [0, 0, 0]
        self.lanes = len(dut.s_word) // 9

    def step(self, *, room: bool) -> Sent | None:
        """At a falling edge: checks what the loader says, drives it; the word that is taken."""
        dut, state = self.dut, self.states.popleft()
        ready = state == "active" and room
        assert bool(dut.layer_ready.value) == (state == "idle")
        assert bool(dut.s_ready.value) == ready, (state, room)
        errors = self.errors.popleft()
        assert tuple(bit == "1" for bit in reversed(str(dut.error.value))) == errors
        self.found = [count + error for count, error in zip(self.found, errors, strict=True)]

        dut.numbers.value, valid = self.sender.step(ready=state == "idle")
        dut.layer_valid.value = int(valid)
        self.offered = bool(self.words) and (self.offered or self.rng.random() < self.pace)
        dut.s_valid.value = int(self.offered)
        # What is not valid may say anything.
        word = self.words[0] if self.offered else None
        data = word.data if word else int(self.rng.integers(1 << 31))
        keep = word.keep if word else int(self.rng.integers(16))
        last = int(word.last) if word else int(self.rng.integers(2))
        dut.s_word.value = (last << self.lanes | keep) << 8 * self.lanes | data

        taken = word if ready else None
        if taken:
            self.words.popleft()
            self.offered = False
        if state == "idle" and valid:
            self.states.extend(["loading", "active"])
        elif not self.states:
            over = state == "idle" or (taken is not None and taken.layer_end)
            self.states.append("idle" if over else "active")
        self.errors.append(taken.errors if taken else (False, False, False))
        return taken


async def reset(dut: Any, edge: Any) -> None:
    """One cycle of reset, at a falling edge; whatever the inputs were."""
    dut.rst.value = 1
    dut.s_valid.value = 0
    dut.layer_valid.value = 0
    dut.numbers.value = 0
    await edge
    dut.rst.value = 0
