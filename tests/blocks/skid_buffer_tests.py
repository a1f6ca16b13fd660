"""See test_skid_buffer.py."""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, Timer

from tests.blocks.channel import Bench, parameter

BEATS = 200


@cocotb.test()
async def beats_come_out_as_they_went_in(dut: Any) -> None:
    bench = Bench(dut)
    rng = bench.rng
    for gives, takes in ((1, 1), (1, 0.3), (0.3, 1), (0.5, 0.5)):
        await bench.reset(s_valid=0, m_ready=0)
        width = parameter("WIDTH")
        beats = [{"data": int(rng.integers(1 << width))} for _ in range(BEATS)]
        giver, taker = bench.give(beats, gives), bench.take(("data",), takes)
        await bench.until_taken(giver, BEATS)
        assert [{"data": int(got["data"], 2)} for _, got in taker.got] == beats
        latencies = {out - into for (out, _), (into, _) in zip(taker.got, giver.taken, strict=True)}
        if (gives, takes) == (1, 1):
            assert latencies == {1}
            assert giver.taken[-1][0] - giver.taken[0][0] == BEATS - 1


@cocotb.test()
async def it_holds_two_beats_and_ready_does_not_follow_the_other_side(dut: Any) -> None:
    bench = Bench(dut)
    await bench.reset(s_valid=0, m_ready=0)
    giver = bench.give([{"data": number % 2} for number in range(4)], 1)
    for _ in range(10):
        await FallingEdge(dut.clk)
    assert len(giver.taken) == 2
    dut.m_ready.value = 1
    await Timer(1, unit="ns")
    assert str(dut.s_ready.value) == "0"
