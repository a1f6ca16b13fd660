"""result_reader in front of a memory; runs inside the simulator, see test_result_reader.py."""

from __future__ import annotations

import os
from collections import deque
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

from tests.blocks.channel import word_fields
from tests.blocks.layers import LayerSender
from tests.blocks.vectors import joined, log2

LAYERS = 12
MOST_CYCLES = 20_000
WRITTEN = 1
"""cycles from a write to what says that it is committed"""


@cocotb.test()
async def frames_come_out_with_zeros_after_their_end(dut: Any) -> None:
    lanes, size = int(os.environ["LANES_OUT"]), int(os.environ["OUT_BYTES"])
    address_bits = log2(size) + 2
    rng = np.random.default_rng(int(os.environ["COCOTB_RANDOM_SEED"]))
    cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
    dut.rst.value = 1
    dut.numbers.value = dut.take.value = dut.committed.value = dut.m_ready.value = 0
    dut.write.value = 0
    await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    dut.rst.value = 0
    sizes = [(int(rng.integers(1, 5 * lanes)), int(rng.integers(1, 4))) for _ in range(LAYERS)]
    words, expected = [], []  # of the memory; of the output: data, keep, last, layer's end
    ends = []  # addresses up to which bytes may be committed, by frame
    for frame_bytes, frames in sizes:
        for frame in range(frames):
            data = rng.bytes(frame_bytes)
            for start in range(0, frame_bytes, lanes):
                part = data[start : start + lanes]
                last = start + lanes >= frame_bytes
                words.append(part + rng.bytes(lanes - len(part)))
                zeros = part + bytes(lanes - len(part))
                end = last and frame == frames - 1
                expected.append((zeros, 2 ** len(part) - 1, last, end))
            ends.append((len(words) * lanes, len(words) * lanes - -frame_bytes % lanes))
    sender = LayerSender(
        rng, [{"OUT_FRAME_BYTES": size, "FRAMES": frames} for size, frames in sizes]
    )
    memory = b"".join(words)
    sent, committed, beats = 0, 0, []
    on_the_way = deque([0] * WRITTEN)  # how far results are written, in the cycles to come
    for cycle in range(MOST_CYCLES):
        fast = cycle // 50 % 2
        free = bool(int(dut.ready.value))
        numbers, offered = sender.step(ready=free)
        dut.numbers.value = numbers
        dut.take.value = int(offered and free)
        # Results are written a few bytes at a time, and committed once they can be read; a frame
        # begins on a word. Nothing is written over what is not read yet.
        upper = -(-committed // lanes) * lanes
        read = upper - (upper - int(dut.read.value)) % 2**address_bits
        count = min(int(rng.integers(1, lanes + 1)), len(memory) - sent, read + size - lanes - sent)
        written = rng.random() < 0.8 and count > 0
        data = int.from_bytes(memory[sent : sent + count], "little") if written else 0
        enables = 2**count - 1 if written else 0
        dut.write.value = joined((enables, lanes), (sent, address_bits), (data, 8 * lanes))
        sent += count if written else 0
        on_the_way.append(sent)
        reached = on_the_way.popleft()
        end = next((pair for pair in ends if committed < pair[0]), None)
        if end:
            committed = max(committed, min(reached, end[1]))
            dut.committed.value = committed % 2**address_bits
            if reached >= end[0]:
                committed = end[0]
        ready = bool(fast or rng.random() < 0.3)
        dut.m_ready.value = int(ready)
        if int(dut.m_valid.value) and ready:
            assert dut.m_word.value.is_resolvable, "X at the output"
            data, keep, flags = word_fields(str(dut.m_word.value), lanes)
            beats.append(
                (
                    int(data, 2).to_bytes(lanes, "little"),
                    int(keep, 2),
                    flags[1] == "1",
                    flags[0] == "1",
                )
            )
            assert beats[-1] == expected[len(beats) - 1]
        await FallingEdge(dut.clk)
        if len(beats) == len(expected):
            break
    assert len(beats) == len(expected) > LAYERS
