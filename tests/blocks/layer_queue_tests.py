"""See test_layer_queue.py."""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

from tests.blocks.channel import Bench
from tests.blocks.vectors import joined

IDLE = {"halted": 0, "write": 0, "start": 0, "layer_end": 0, "desc_ready": 0, "desc_index": 0}
WORDS, SLOTS = 8, 4
OFFERED = 9
"""cycles from START until the layer is offered"""


async def write(dut: Any, index: int, value: int) -> None:
    dut.write.value = joined((1, 1), (index, 3), (value, 32))
    await RisingEdge(dut.clk)
    dut.write.value = 0


async def read(dut: Any) -> list[int]:
    values = []
    for index in range(WORDS):
        dut.rd_index.value = index
        await FallingEdge(dut.clk)
        values.append(int(dut.rd_data.value))
        await RisingEdge(dut.clk)
    return values


async def start(dut: Any) -> None:
    dut.start.value = 1
    await RisingEdge(dut.clk)
    dut.start.value = 0


@cocotb.test()
async def layers_come_out_as_the_registers_were(dut: Any) -> None:
    """Registers keep their values; a reset makes them 0."""
    bench = Bench(dut)
    rng = bench.rng
    await bench.reset(**IDLE)
    await bench.clock(WORDS)
    registers = [0] * WORDS
    waiting: list[list[int]] = []
    running = 0
    assert await read(dut) == registers
    for _ in range(60):
        if rng.random() < 0.6 and len(waiting) < SLOTS:
            for _ in range(int(rng.integers(3))):
                index = int(rng.integers(WORDS))
                registers[index] = int(rng.integers(1 << 32))
                await write(dut, index, registers[index])
            await start(dut)
            waiting.append(registers.copy())
            running += 1
            await FallingEdge(dut.clk)
            assert (str(dut.copying.value), int(dut.layers.value)) == ("1", running)
            await bench.clock(WORDS)
        elif waiting:
            await FallingEdge(dut.clk)
            assert str(dut.desc_valid.value) == "1"
            for index in rng.permutation(WORDS).tolist():
                dut.desc_index.value = index
                await RisingEdge(dut.clk)
                await FallingEdge(dut.clk)
                assert int(dut.desc_word.value) == waiting[0][index]
            dut.desc_ready.value = 1
            await RisingEdge(dut.clk)
            dut.desc_ready.value = 0
            waiting.pop(0)
            if rng.random() < 0.5:
                running -= 1
                dut.layer_end.value = 1
                await RisingEdge(dut.clk)
                dut.layer_end.value = 0
        while running > SLOTS + 2:  # as many as there can be
            running -= 1
            dut.layer_end.value = 1
            await RisingEdge(dut.clk)
            dut.layer_end.value = 0
        await FallingEdge(dut.clk)
        assert str(dut.full.value) == str(int(len(waiting) == SLOTS))
        assert str(dut.desc_valid.value) == str(int(bool(waiting)))
        assert int(dut.layers.value) == running
        assert str(dut.more.value) == str(int(running > 1))
    assert await read(dut) == registers


@cocotb.test()
async def a_start_without_room_changes_nothing_and_a_halt_empties_the_queue(dut: Any) -> None:
    bench = Bench(dut)
    await bench.reset(**IDLE)
    await bench.clock(WORDS)
    await write(dut, 3, 33)
    for _ in range(SLOTS):
        await start(dut)
        await bench.clock(OFFERED)
    await write(dut, 3, 44)
    await start(dut)
    await bench.clock(OFFERED)
    dut.desc_index.value = 3
    await bench.clock(2)
    await FallingEdge(dut.clk)
    assert int(dut.desc_word.value) == 33
    assert (str(dut.full.value), int(dut.layers.value)) == ("1", SLOTS)
    dut.halted.value = 1
    await start(dut)
    await bench.clock(2)
    dut.halted.value = 0
    await FallingEdge(dut.clk)
    assert (str(dut.desc_valid.value), int(dut.layers.value)) == ("0", 0)
    assert (await read(dut))[3] == 44
    await start(dut)
    for cycle in range(2, OFFERED + 2):
        await FallingEdge(dut.clk)
        assert str(dut.desc_valid.value) == str(int(cycle > OFFERED)), cycle
    await bench.clock(2)
    assert int(dut.desc_word.value) == 44
