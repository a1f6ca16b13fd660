"""See test_packet_guard.py."""

from __future__ import annotations

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, RisingEdge

from tests.blocks.channel import Bench, parameter

IDLE = {"s_valid": 0, "m_ready": 0, "halted": 0, "stored": 0}


def packets(rng: np.random.Generator, count: int, size: int) -> list[dict[str, int]]:
    """Beats of packets, each a layer of its own."""
    beats = []
    for _ in range(count):
        for left in reversed(range(int(rng.integers(2, 6)))):
            end = int(left == 0)
            keep = int(rng.integers(1, 1 << size)) if end else (1 << size) - 1
            data = int(rng.integers(1 << 8 * size))
            beats.append({"data": data, "keep": keep, "last": end, "layer_end": end})
    return beats


def seen(taker: Any) -> list[dict[str, int]]:
    return [{name: int(bits, 2) for name, bits in beat.items()} for _, beat in taker.got]


@cocotb.test()
async def no_beat_passes_between_a_layers_end_and_its_counters(dut: Any) -> None:
    """Otherwise beats come out as they went in, and each end is told once, a cycle later."""
    bench = Bench(dut)
    rng = bench.rng
    for takes in (1, 0.4):
        await bench.reset(**IDLE)
        beats = packets(rng, 30, parameter("BYTES"))
        giver = bench.give(beats, 1)
        taker = bench.take(("data", "keep", "last"), takes)
        stored_at: list[int] = []
        ends = 0
        for cycle in range(2000):
            await FallingEdge(dut.clk)
            if str(dut.layer_end.value) == "1":
                ends += 1
                stored_at.append(cycle + int(rng.integers(1, 9)))
                assert taker.got[-1][1]["last"] == "1"
            await RisingEdge(dut.clk)
            dut.stored.value = int(bool(stored_at) and stored_at[-1] == cycle)
            out = [beat for _, beat in taker.got if beat["last"] == "1"]
            assert len(out) <= ends + 1
        await bench.until_taken(giver, len(beats))
        kept = ("data", "keep", "last")
        assert seen(taker) == [{name: beat[name] for name in kept} for beat in beats]
        assert ends == 30


@cocotb.test()
async def a_halt_closes_an_open_packet_with_one_empty_beat(dut: Any) -> None:
    bench = Bench(dut)
    rng = bench.rng
    size = parameter("BYTES")
    closed = 0
    for moment in range(24):
        await bench.reset(**IDLE)
        beats = [beat | {"layer_end": 0} for beat in packets(rng, 12, size)]
        giver = bench.give(beats, 0.9)
        taker = bench.take(("data", "keep", "last"), 0.5)
        await bench.clock(3 + moment)
        dut.halted.value = 1
        await bench.clock(30)
        got = seen(taker)
        assert str(dut.closing.value) == "0"
        if not got:
            continue
        assert got[-1]["last"] == 1
        whole = [{name: beat[name] for name in got[0]} for _, beat in giver.taken]
        empty = {"data": 0, "keep": 0, "last": 1}
        if whole and not whole[-1]["last"]:
            whole.append(empty)
            closed += 1
        assert got == whole
    assert 4 < closed < 24
