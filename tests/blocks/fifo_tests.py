"""fifo against a deque; runs inside the simulator, see test_fifo.py."""

from __future__ import annotations

from collections import deque
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

from tests.blocks.pipeline import generator, parameter

CYCLES = 600
"""of each share"""


@cocotb.test()
async def entries_leave_in_their_order(dut: Any) -> None:
    """In turn it fills up, empties, and goes on half full; then a reset in between empties it."""
    rng, width, depth = generator(), parameter("WIDTH"), parameter("DEPTH")
    cocotb.start_soon(Clock(dut.clk, 10, "ns", impl="gpi").start())
    dut.push.value = dut.pop.value = 0
    await reset(dut)
    held: deque[int] = deque()
    left = full = empty = 0
    for pushes, pops in ((0.9, 0.3), (0.3, 0.9), (0.5, 0.5), (1.0, 1.0)) * 2:
        for _ in range(CYCLES):
            assert int(dut.head_valid.value) == bool(held)
            if held:
                assert int(dut.head.value) == held[0]
            pop = bool(held) and rng.random() < pops
            push = len(held) - pop < depth and rng.random() < pushes
            full, empty = full + (len(held) == depth), empty + (not held)
            entry = int.from_bytes(rng.bytes(-(-width // 8)), "little") & (1 << width) - 1
            dut.push.value, dut.pop.value, dut.push_data.value = int(push), int(pop), entry
            await FallingEdge(dut.clk)
            if pop:
                held.popleft()
                left += 1
            if push:
                held.append(entry)
        if held and rng.random() < 0.5:
            dut.push.value = dut.pop.value = 0
            await reset(dut)
            held.clear()
    assert left > 4 * CYCLES // 2
    assert min(full, empty) > 10


async def reset(dut: Any) -> None:
    dut.rst.value = 1
    await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    dut.rst.value = 0
