"""What frame_counter says of each word, against a list; runs inside the simulator."""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

from tests.blocks.layers import LayerSender

LAYERS = 60
MOST = (1 << 32) - 1


@dataclass(frozen=True)
class Word:
    """What holds for a word of a layer."""

    frame_end: bool
    next_frame_end: bool | None
    layer_end: bool
    last_byte: int


def words_of(frame_bytes: int, frames: int, lanes: int, most: int) -> list[Word]:
    """A layer's words, at most so many of them."""
    words = -(-frame_bytes // lanes)
    ends = [index % words == words - 1 for index in range(min(words * frames, most + 1))]
    last_byte = (frame_bytes - 1) % lanes
    return [
        Word(
            end,
            ends[index + 1] if index + 1 < len(ends) else None,
            index == words * frames - 1,
            last_byte,
        )
        for index, end in enumerate(ends)
    ][:most]


def random_layer(rng: np.random.Generator, lanes: int) -> dict[str, int]:
    """Frames of one word and of some, filled and not."""
    words = int(rng.choice([1, 1, 2, 3, 4, 9]))
    size = words * lanes - (int(rng.integers(lanes)) if rng.random() < 0.6 else 0)
    return {"FRAME_BYTES": size, "FRAMES": int(rng.choice([1, 1, 2, 3, 7]))}


@cocotb.test()
async def each_word_is_told(dut: Any) -> None:
    """Layers back to back, and one whose frame is too large to end."""
    rng = np.random.default_rng(int(os.environ["COCOTB_RANDOM_SEED"]))
    lanes = int(os.environ["LANES"])
    layers = [random_layer(rng, lanes) for _ in range(LAYERS)]
    layers.append({"FRAME_BYTES": MOST, "FRAMES": 65535})
    coming = [words_of(layer["FRAME_BYTES"], layer["FRAMES"], lanes, 200) for layer in layers]
    sender = LayerSender(rng, layers)
    cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
    dut.rst.value = 1
    dut.numbers.value = 0
    dut.take.value = 0
    dut.next.value = 0
    await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    dut.rst.value = 0
    state = deque(["idle"])  # what this cycle is, and the next ones if that is known
    left: list[Word] = []
    seen = 0
    while coming or left:
        await FallingEdge(dut.clk)
        now = state.popleft()
        assert bool(dut.ready.value) == (now == "idle")
        assert bool(dut.active.value) == (now == "active")
        bus, valid = sender.step(ready=now == "idle")
        passes = now == "active" and rng.random() < 0.8
        if now == "active":
            word = left[0]
            assert bool(dut.frame_end.value) == word.frame_end, left
            if word.next_frame_end is not None:
                assert bool(dut.next_frame_end.value) == word.next_frame_end, left
            assert bool(dut.layer_end.value) == word.layer_end, left
            assert int(dut.last_byte.value) == word.last_byte
            if passes:
                left.pop(0)
                seen += 1
        if now == "idle" and valid:
            left = coming.pop(0)
            state.extend(["loading", "active"])
        elif not state:
            state.append("active" if now == "active" and left else "idle")
        dut.numbers.value = bus
        dut.take.value = int(now == "idle" and valid)
        dut.next.value = int(passes)
    assert seen > 5 * LAYERS
    dut.rst.value = 1
    dut.next.value = 0
    await FallingEdge(dut.clk)
    assert dut.ready.value
    assert not dut.active.value
