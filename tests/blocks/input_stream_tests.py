"""See test_input_stream.py."""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

from tests.blocks.channel import Bench, Taker, parameter, word_fields

IDLE = {
    "s_valid": 0,
    "m_ready": 0,
    "open": 0,
    "packets": 0,
    "halted": 0,
    "leaving": 0,
    "forced": 0,
}
Beat = dict[str, int]


def packet(rng: Any, count: int) -> list[Beat]:
    """Whole beats; the last one as it comes."""
    size = parameter("BEAT_BYTES")
    beats = [
        {"data": int(rng.integers(1 << 8 * size)), "keep": (1 << size) - 1, "last": 0}
        for _ in range(count)
    ]
    beats[-1] |= {"keep": int(rng.integers(1 << size)), "last": 1}
    return beats


def assert_words(taker: Taker, packets: list[list[Beat]]) -> None:
    """Beats side by side; `keep` says what a packet's last word lacks, and it may be anything."""
    size, ratio = parameter("BEAT_BYTES"), parameter("RATIO")
    words = [each[at : at + ratio] for each in packets for at in range(0, len(each), ratio)]
    assert len(taker.got) == len(words)
    for (_, got), word in zip(taker.got, words, strict=True):
        data, keep, last = word_fields(got["word"], size * ratio)
        assert int(keep, 2) == sum(beat["keep"] << size * i for i, beat in enumerate(word))
        assert int(last) == word[-1]["last"]
        there = data[-8 * size * len(word) :]
        assert int(there, 2) == sum(beat["data"] << 8 * size * i for i, beat in enumerate(word))


async def open_for(dut: Any, packets: int) -> None:
    dut.open.value = 1
    await RisingEdge(dut.clk)
    dut.open.value = 0
    dut.packets.value = packets  # the cycle after, and only then
    await RisingEdge(dut.clk)
    dut.packets.value = 0


@cocotb.test()
async def the_gate_lets_a_layers_packets_through_and_no_beat_more(dut: Any) -> None:
    bench = Bench(dut)
    rng = bench.rng
    for gives, takes in ((1, 1), (1, 0.4), (0.5, 0.8)):
        await bench.reset(**IDLE)
        layers = [
            [packet(rng, int(rng.integers(1, 5))) for _ in range(int(rng.integers(1, 5)))]
            for _ in range(30)
        ]
        packets = [each for layer in layers for each in layer]
        beats = [beat for each in packets for beat in each]
        giver = bench.give(beats, gives)
        taker = bench.take(("word",), takes)
        await bench.clock(10)
        assert not giver.taken
        upto = 0
        for layer in layers:
            upto += sum(map(len, layer))
            await open_for(dut, len(layer))
            for _ in range(400):
                if len(giver.taken) >= upto:
                    break
                await RisingEdge(dut.clk)
            await bench.clock(int(rng.integers(2, 6)))
            assert len(giver.taken) == upto
        await bench.until_taken(giver, len(beats))
        assert_words(taker, packets)


@cocotb.test()
async def a_beat_passes_in_each_cycle(dut: Any) -> None:
    bench = Bench(dut)
    rng = bench.rng
    await bench.reset(**IDLE)
    packets = [packet(rng, int(rng.integers(1, 3 * parameter("RATIO") + 1))) for _ in range(60)]
    beats = [beat for each in packets for beat in each]
    giver = bench.give(beats, 1)
    taker = bench.take(("word",), 1)
    await open_for(dut, len(packets))
    await bench.until_taken(giver, len(beats))
    assert_words(taker, packets)
    assert giver.taken[-1][0] - giver.taken[0][0] == len(beats) - 1
    assert taker.got[-1][0] - giver.taken[-1][0] == (2 if parameter("RATIO") > 1 else 1)


@cocotb.test()
async def halted_it_swallows_and_closes_at_the_end_of_a_packet(dut: Any) -> None:
    """At once, if forced. After it nothing is accepted until the gate opens."""
    bench = Bench(dut)
    rng = bench.rng
    for forced in (0, 1, 0, 1):
        await bench.reset(**IDLE)
        dut.halted.value = 1
        packets = [packet(rng, 6) for _ in range(3)]
        giver = bench.give([beat for each in packets for beat in each], 1)
        taker = bench.take(("word",), 1)
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


@cocotb.test()
async def a_halt_forgets_a_word_that_has_begun(dut: Any) -> None:
    bench = Bench(dut)
    rng = bench.rng
    for moment in range(12):
        await bench.reset(**IDLE)
        giver = bench.give(packet(rng, 40), 1)
        taker = bench.take(("word",), 1)
        await open_for(dut, 1)
        while len(giver.taken) < 1 + moment:
            await RisingEdge(dut.clk)
        dut.halted.value = 1
        await bench.clock(60)
        dut.leaving.value = dut.forced.value = 1
        await bench.clock(3)
        dut.halted.value = dut.leaving.value = dut.forced.value = 0
        await bench.clock(3)
        assert len(giver.taken) == 40
        packets = [packet(rng, 3 * parameter("RATIO") + 1)]
        taker.got.clear()
        giver = bench.give(packets[0], 1)
        await open_for(dut, 1)
        await bench.until_taken(giver, len(packets[0]))
        assert_words(taker, packets)
