"""result_queue against a list; runs inside the simulator, see test_result_queue.py."""

from __future__ import annotations

import os
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge


@cocotb.test()
async def entries_come_out_as_they_went_in(dut: Any) -> None:
    depth, width = int(os.environ["DEPTH"]), int(os.environ["WIDTH"])
    rng = np.random.default_rng(int(os.environ["COCOTB_RANDOM_SEED"]))
    cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
    dut.push.value = dut.pop.value = 0
    dut.rst.value = 1
    for _ in range(2):
        await FallingEdge(dut.clk)
    dut.rst.value = 0
    waiting: list[tuple[int, int]] = []  # entry, cycle of its push
    free, popped, together = depth, 0, 0
    for cycle in range(2000):
        pushes, pops = (0.9, 0.3) if cycle // 100 % 2 else (0.4, 1.0)
        at_hand = bool(int(dut.head_valid.value))
        assert at_hand or not waiting or cycle < waiting[0][1] + 2, "an entry is late"
        if at_hand:
            assert dut.head.value.to_unsigned() == waiting[0][0]
        pop = at_hand and bool(rng.random() < pops)
        push = free > 0 and bool(rng.random() < pushes)
        dut.pop.value = int(pop)
        dut.push.value = int(push)
        if push:
            waiting.append((int.from_bytes(rng.bytes(width // 8), "little"), cycle))
            dut.push_data.value = waiting[-1][0]
            free -= 1
        if pop:
            del waiting[0]
            popped += 1
            together += push
        await FallingEdge(dut.clk)
        free = depth - max(len(waiting) - 1, 0)  # one is the head
    assert popped > 500
    assert together > 100
