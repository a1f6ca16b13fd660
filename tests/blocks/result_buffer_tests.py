"""result_buffer against a list of bytes; runs inside the simulator, see test_result_buffer.py."""

from __future__ import annotations

import os
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

from tests.blocks.vectors import joined, log2


@cocotb.test()
async def bytes_stand_where_they_were_written(dut: Any) -> None:
    lanes, size = int(os.environ["LANES"]), int(os.environ["BYTES"])
    rng = np.random.default_rng(int(os.environ["COCOTB_RANDOM_SEED"]))
    cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
    dut.rst.value = 1
    dut.rd_en.value = dut.write.value = 0
    await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    dut.rst.value = 0
    memory = np.zeros(size, np.uint8)
    for start in range(0, size, lanes):
        dut.write.value = joined((2**lanes - 1, lanes), (start, log2(size)), (0, 8 * lanes))
        await FallingEdge(dut.clk)
    compared = 0
    for _ in range(500):
        written = set()
        for _ in range(int(rng.integers(1, 4))):
            address, data = int(rng.integers(size)), rng.integers(0, 256, lanes).astype(np.uint8)
            count = int(rng.integers(1, lanes + 1))
            value = int.from_bytes(data.tobytes(), "little")
            dut.write.value = joined(
                (2**count - 1, lanes), (address, log2(size)), (value, 8 * lanes)
            )
            places = (address + np.arange(count)) % size
            memory[places] = data[:count]
            written |= {int(place) // lanes for place in places}
            await FallingEdge(dut.clk)
        dut.write.value = 0
        await FallingEdge(dut.clk)
        for word in (*sorted(written), int(rng.integers(size // lanes))):
            dut.rd_en.value = 1
            dut.rd_word.value = word
            await FallingEdge(dut.clk)
            dut.rd_en.value = 0
            dut.rd_word.value = 0
            if rng.random() < 0.3:
                await FallingEdge(dut.clk)  # data stay
            found = dut.rd_data.value.to_unsigned().to_bytes(lanes, "little")
            assert found == memory[word * lanes : (word + 1) * lanes].tobytes(), f"word {word}"
            compared += lanes
    assert compared > 2000
