"""See test_performance_counters.py."""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

from tests.blocks.channel import Bench
from tests.blocks.vectors import joined

IDLE = {"halted": 0, "opens": 0, "beat": 0, "layer_end": 0, "more_queued": 0, "layer": 1}
IDLE |= {"active": 0, "stalls": 0, "read": 0}
STORED = 7
IDLE_CAUSE = 5


def drive(dut: Any, cause: int) -> None:
    """1 to 5: the array works, waits for activations, weights, a result's place, is idle."""
    dut.active.value = int(cause == 1)
    dut.stalls.value = 1 << cause - 2 if 1 < cause < IDLE_CAUSE else 0


async def figures(dut: Any, layer: int) -> list[int]:
    """Cycles, then what they went into, idle last."""
    values = []
    for index in range(6):
        dut.read.value = joined((layer % 16, 4), (index, 3))
        await RisingEdge(dut.clk)
        await FallingEdge(dut.clk)
        assert str(dut.storing.value) == "0"
        values.append(int(dut.figure.value))
    return values


@cocotb.test()
async def each_cycle_of_a_layer_is_counted_once(dut: Any) -> None:
    """20 layers, each begun by its first beat; the last 16 are kept."""
    bench = Bench(dut)
    rng = bench.rng
    await bench.reset(**IDLE)
    for layer in range(16):
        assert await figures(dut, layer) == [0] * 6
    expected: list[list[int]] = []
    for layer in range(1, 21):
        dut.layer.value = layer % 16
        dut.opens.value = 3
        counts = [0] * 5
        cycles = int(rng.integers(12, 60))
        first = 2 + int(rng.integers(4))
        cause = IDLE_CAUSE
        for cycle in range(cycles):
            # What the array does is looked at a cycle later: beats and ends come from registers.
            counts[cause - 1] += cycle >= first
            dut.beat.value = int(rng.integers(1, 4)) if cycle == first else 0
            dut.layer_end.value = int(cycle == cycles - 1)
            cause = int(rng.integers(1, 6))
            drive(dut, cause)
            await RisingEdge(dut.clk)
            dut.opens.value = 0
        dut.layer_end.value = 0
        expected.append([sum(counts), *counts])
        drive(dut, IDLE_CAUSE)
        wait = 0
        while True:
            await FallingEdge(dut.clk)
            done = str(dut.stored.value) == "1"
            await RisingEdge(dut.clk)
            wait += 1
            if done:
                break
        assert wait == STORED - 1
        assert await figures(dut, layer) == expected[-1]
    assert [await figures(dut, layer) for layer in range(5, 21)] == expected[4:]


@cocotb.test()
async def a_layer_that_waits_counts_from_the_end_of_the_one_before(dut: Any) -> None:
    """The other bank counts while figures are stored."""
    bench = Bench(dut)
    await bench.reset(**IDLE)
    dut.opens.value = 3
    dut.active.value = 1
    await bench.clock()
    dut.beat.value = 3
    dut.more_queued.value = 1
    await bench.clock(9)
    for layer, cycles in ((1, 12), (2, 8), (3, 31)):
        dut.layer.value = layer
        await bench.clock(cycles - 1)
        dut.layer_end.value = 1
        await bench.clock()
        dut.layer_end.value = 0
    await bench.clock(STORED + 1)
    assert await figures(dut, 1) == [9 + 12, 9 + 12, 0, 0, 0, 0]
    assert await figures(dut, 2) == [8, 8, 0, 0, 0, 0]
    assert await figures(dut, 3) == [31, 31, 0, 0, 0, 0]


@cocotb.test()
async def beats_of_layers_that_have_ended_begin_nothing(dut: Any) -> None:
    """Two layers end that needed no activations; then those come."""
    bench = Bench(dut)
    await bench.reset(**IDLE)
    dut.opens.value = 0b11
    await bench.clock()
    for layer in (1, 2):
        dut.opens.value = 0b10 if layer == 1 else 0
        dut.layer.value = layer
        dut.beat.value = 0b10
        await bench.clock()
        dut.opens.value = dut.beat.value = 0
        await bench.clock(3)
        dut.layer_end.value = 1
        await bench.clock()
        dut.layer_end.value = 0
        await bench.clock(10)
    dut.layer.value = 3
    dut.beat.value = 0b01  # of the first layer
    await bench.clock(5)
    dut.opens.value = 0b01  # for the second
    await bench.clock()
    dut.opens.value = 0
    await bench.clock(5)
    dut.beat.value = 0
    dut.opens.value = 0b11  # for the third
    await bench.clock()
    dut.opens.value = 0
    await bench.clock(7)
    dut.beat.value = 0b01
    await bench.clock()
    dut.beat.value = 0
    await bench.clock(3)
    dut.layer_end.value = 1
    await bench.clock()
    dut.layer_end.value = 0
    await bench.clock(10)
    assert (await figures(dut, 3))[0] == 5
