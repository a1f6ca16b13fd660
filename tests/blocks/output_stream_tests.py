"""See test_output_stream.py."""

from __future__ import annotations

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, RisingEdge

from tests.blocks.channel import Bench, parameter

IDLE = {"s_valid": 0, "m_ready": 0, "halted": 0, "stored": 0}
Beat = dict[str, int]


def random_words(
    rng: np.random.Generator, packets: int, *, layers: bool
) -> tuple[list[dict[str, int]], list[list[Beat]]]:
    """Words of packets, each a layer of its own or none the last of one; the beats of each."""
    size, ratio = parameter("BEAT_BYTES"), parameter("RATIO")
    whole = size * ratio
    words, beats = [], []
    for _ in range(packets):
        for left in reversed(range(int(rng.integers(2, 6)))):
            last = int(left == 0)
            count = int(rng.integers(1, whole + 1)) if last else whole
            data = rng.bytes(whole)
            keep = (1 << count) - 1
            head = (last & layers) << 1 | last
            words.append(
                {"word": (head << whole | keep) << 8 * whole | int.from_bytes(data, "little")}
            )
            beats.append(
                [
                    {
                        "data": int.from_bytes(data[start : start + size], "little"),
                        "keep": (1 << min(size, count - start)) - 1,
                        "last": last & (start + size >= count),
                    }
                    for start in range(0, count, size)
                ]
            )
    return words, beats


def seen(taker: Any) -> list[Beat]:
    return [{name: int(bits, 2) for name, bits in beat.items()} for _, beat in taker.got]


@cocotb.test()
async def beats_are_the_kept_parts_of_words(dut: Any) -> None:
    """The lowest first; what is not kept is not sent; `last` comes with a word's end."""
    bench = Bench(dut)
    for gives, takes in ((1, 1), (1, 0.3), (0.4, 0.8)):
        await bench.reset(**IDLE)
        words, beats = random_words(bench.rng, 40, layers=False)
        giver = bench.give(words, gives)
        taker = bench.take(("data", "keep", "last"), takes)
        await bench.until_taken(giver, len(words))
        assert seen(taker) == [beat for word in beats for beat in word]
        if gives == takes == 1:
            assert taker.got[-1][0] - taker.got[0][0] == len(taker.got) - 1
            latency = 2 if parameter("RATIO") > 1 else 1
            assert taker.got[0][0] - giver.taken[0][0] == latency


@cocotb.test()
async def no_beat_passes_between_a_layers_end_and_its_counters(dut: Any) -> None:
    """Otherwise beats come out as they went in, and each end is told once, a cycle later."""
    bench = Bench(dut)
    rng = bench.rng
    for takes in (1, 0.4):
        await bench.reset(**IDLE)
        words, beats = random_words(rng, 30, layers=True)
        giver = bench.give(words, 1)
        taker = bench.take(("data", "keep", "last"), takes)
        stored_at: list[int] = []
        ends = 0
        for cycle in range(2500):
            await FallingEdge(dut.clk)
            if str(dut.layer_end.value) == "1":
                ends += 1
                stored_at.append(cycle + int(rng.integers(1, 9)))
                assert taker.got[-1][1]["last"] == "1"
            await RisingEdge(dut.clk)
            dut.stored.value = int(bool(stored_at) and stored_at[-1] == cycle)
            out = [beat for _, beat in taker.got if beat["last"] == "1"]
            assert len(out) <= ends + 1
        await bench.until_taken(giver, len(words))
        assert seen(taker) == [beat for word in beats for beat in word]
        assert ends == 30


@cocotb.test()
async def a_halt_closes_an_open_packet_with_one_empty_beat(dut: Any) -> None:
    bench = Bench(dut)
    closed = 0
    for moment in range(24):
        await bench.reset(**IDLE)
        words, beats = random_words(bench.rng, 12, layers=False)
        expected = [beat for word in beats for beat in word]
        bench.give(words, 0.9)
        taker = bench.take(("data", "keep", "last"), 0.5)
        await bench.clock(3 + moment)
        dut.halted.value = 1
        await bench.clock(30)
        got = seen(taker)
        assert str(dut.closing.value) == "0"
        if not got:
            continue
        assert got[-1]["last"] == 1
        if got[-1] == {"data": 0, "keep": 0, "last": 1}:
            got.pop()
            assert not got[-1]["last"]
            closed += 1
        assert got == expected[: len(got)]
    assert 4 < closed < 24
