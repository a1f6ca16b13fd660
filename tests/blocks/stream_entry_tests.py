"""See test_stream_entry.py."""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

from tests.blocks.channel import Bench, parameter

IDLE = {
    "s_valid": 0,
    "m_ready": 0,
    "open": 0,
    "packets": 0,
    "halted": 0,
    "leaving": 0,
    "forced": 0,
}


def packet(rng: Any, size: int, count: int) -> list[dict[str, int]]:
    return [
        {
            "data": int(rng.integers(1 << 8 * size)),
            "keep": int(rng.integers(1 << size)),
            "last": int(number == count - 1),
        }
        for number in range(count)
    ]


@cocotb.test()
async def the_gate_lets_a_layers_packets_through_and_no_beat_more(dut: Any) -> None:
    bench = Bench(dut)
    rng = bench.rng
    size = parameter("BYTES")
    for gives, takes in ((1, 1), (1, 0.4), (0.5, 0.8)):
        await bench.reset(**IDLE)
        layers = [
            [packet(rng, size, int(rng.integers(1, 5))) for _ in range(int(rng.integers(1, 5)))]
            for _ in range(30)
        ]
        beats = [beat for layer in layers for frame in layer for beat in frame]
        giver = bench.give(beats, gives)
        taker = bench.take(("data", "keep", "last"), takes)
        await bench.clock(10)
        assert not giver.taken
        upto = 0
        for layer in layers:
            upto += sum(map(len, layer))
            dut.open.value = 1
            await RisingEdge(dut.clk)
            dut.open.value = 0
            dut.packets.value = len(layer)  # the cycle after, and only then
            await RisingEdge(dut.clk)
            dut.packets.value = 0
            for _ in range(400):
                if len(giver.taken) >= upto:
                    break
                await RisingEdge(dut.clk)
            await bench.clock(int(rng.integers(2, 6)))
            assert len(giver.taken) == upto
        await bench.until_taken(giver, len(beats))
        got = [{name: int(bits, 2) for name, bits in beat.items()} for _, beat in taker.got]
        assert got == beats


@cocotb.test()
async def halted_it_swallows_and_closes_at_the_end_of_a_packet(dut: Any) -> None:
    """At once, if forced. After it nothing is accepted until the gate opens."""
    bench = Bench(dut)
    rng = bench.rng
    size = parameter("BYTES")
    for forced in (0, 1, 0, 1):
        await bench.reset(**IDLE)
        dut.halted.value = 1
        frames = [packet(rng, size, 6) for _ in range(3)]
        giver = bench.give([beat for frame in frames for beat in frame], 1)
        taker = bench.take(("data",), 1)
        while len(giver.taken) < 8:
            await RisingEdge(dut.clk)
        await FallingEdge(dut.clk)
        assert str(dut.in_packet.value) == "1"
        dut.leaving.value = 1
        dut.forced.value = forced
        for _ in range(20):
            await FallingEdge(dut.clk)
            if str(dut.closed.value) == "1":
                break
        await RisingEdge(dut.clk)
        dut.halted.value = dut.leaving.value = dut.forced.value = 0
        await bench.clock(10)
        taken = len(giver.taken)
        assert taken < 12 if forced else taken == 12
        assert str(dut.in_packet.value) == "0"
        assert not taker.got
