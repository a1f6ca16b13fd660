"""activation_loader against lists of words; runs inside the simulator."""

from __future__ import annotations

import os
from collections import deque
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

from tests.blocks.loader import Sent, Stream, reset, sent
from tests.blocks.ring import Ring, releases
from tests.blocks.vectors import log2, split

ROUNDS = 6
LAYERS = 12


def random_layer(
    rng: np.random.Generator, lanes: int, faults: float
) -> tuple[dict[str, int], list[Sent]]:
    """A layer's numbers, and its frames as words: whole ones, but for a frame's last."""
    words = int(rng.choice([1, 1, 2, 3, 8, 20]))
    size = words * lanes - (int(rng.integers(lanes)) if rng.random() < 0.6 else 0)
    frames = int(rng.choice([1, 1, 2, 3]))
    stream = []
    for frame in range(frames):
        for first in range(0, size, lanes):
            filled = min(lanes, size - first)
            end = first + lanes >= size
            stream.append(
                sent(
                    rng,
                    int.from_bytes(rng.bytes(lanes), "little"),
                    (1 << filled) - 1,
                    end=end,
                    layer_end=end and frame == frames - 1,
                    faults=faults,
                )
            )
    return {"FRAME_BYTES": size, "FRAMES": frames}, stream


@cocotb.test()
async def frames_arrive_in_the_buffer(dut: Any) -> None:
    """Random layers, stalls, releases and faults; every output in every cycle."""
    rng = np.random.default_rng(int(os.environ["COCOTB_RANDOM_SEED"]))
    lanes, size = int(os.environ["LANES_IN"]), int(os.environ["ACT_BYTES"])
    words = size // lanes
    count_w = log2(words) + 4
    edge = FallingEdge(dut.clk)
    cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
    dut.released.value = 0
    await edge
    found = np.zeros(3, int)
    full = complete = 0
    for round_index in range(ROUNDS):
        await reset(dut, edge)
        faults = 0.1 if round_index % 2 else 0.0
        layers, streams = zip(
            *(random_layer(rng, lanes, faults) for _ in range(LAYERS)), strict=True
        )
        stream = Stream(
            dut,
            rng,
            layers,
            [word for each in streams for word in each],
            float(rng.uniform(0.3, 1)),
        )
        ring = Ring(words, count_w)
        counted = deque([0, 0])
        writing: Sent | None = None
        ends = int(rng.integers(50, 200)) if round_index == 2 else -1  # a reset midway
        while (stream.words or writing or stream.sender.left) and ends:
            ends -= 1
            assert int(dut.written.value) == counted.popleft() % ring.modulus
            valid, word, data = split(str(dut.write.value), 1, log2(words), 8 * lanes)
            assert valid == str(int(writing is not None))
            if writing:
                assert int(data, 2) == writing.data
                assert int(word, 2) == (ring.written - 1) % words
            full += stream.states[0] == "active" and not ring.room
            taken = stream.step(room=ring.room)
            released = releases(rng, ring)
            dut.released.value = released % ring.modulus
            ring.clock(write=taken is not None, released=released)
            counted.append(ring.written)
            writing = taken
            await edge
        if ends:
            for _ in range(3):
                stream.step(room=ring.room)
                await edge
            complete += 1
        found += stream.found
        dut.released.value = 0
    print(f"{found} errors, {full} cycles without room")
    assert complete == ROUNDS - 1
    assert full > 10
    assert found.all()
