"""Counts and room of ring_fill, against a ring in Python; runs inside the simulator."""

from __future__ import annotations

import os
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

from tests.blocks.ring import Ring, releases

CYCLES = 8000


@cocotb.test()
async def words_are_counted_and_room_is_told(dut: Any) -> None:
    """Writes whenever there is room and a coin says so, releases at random, and resets."""
    rng = np.random.default_rng(int(os.environ["COCOTB_RANDOM_SEED"]))
    ring = Ring(int(os.environ["WORDS"]), int(os.environ["COUNT_W"]))
    cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
    dut.rst.value = 1
    dut.write.value = 0
    dut.released.value = 0
    await FallingEdge(dut.clk)
    full = wraps = 0
    for cycle in range(CYCLES):
        await FallingEdge(dut.clk)
        assert int(dut.count.value) == ring.count, cycle
        assert int(dut.room.value) == ring.room, cycle
        reset = rng.random() < 0.0003
        write = ring.room and rng.random() < 0.7
        full += not ring.room
        wraps += write and ring.count == ring.modulus - 1
        dut.rst.value = int(reset)
        dut.write.value = int(write)
        ring.clock(write=write, released=0 if reset else releases(rng, ring), reset=reset)
        dut.released.value = ring.released % ring.modulus
    assert full > 10
    assert wraps or ring.modulus > 256
