"""See test_stream_widener.py."""

from __future__ import annotations

from typing import Any

import cocotb

from tests.blocks.channel import Bench, parameter

PACKETS = 60


@cocotb.test()
async def words_are_the_beats_side_by_side(dut: Any) -> None:
    """A packet's last word may have fewer; keep says so, and of the rest nothing is said."""
    bench = Bench(dut)
    rng = bench.rng
    size, ratio = parameter("BEAT_BYTES"), parameter("RATIO")
    for gives, takes in ((1, 1), (1, 0.3), (0.4, 0.8)):
        await bench.reset(s_valid=0, m_ready=0)
        beats: list[dict[str, int]] = []
        words: list[list[dict[str, int]]] = []
        for _ in range(PACKETS):
            count = int(rng.integers(1, 3 * ratio + 1))
            packet = [
                {"data": int(rng.integers(1 << 8 * size)), "keep": (1 << size) - 1, "last": 0}
                for _ in range(count)
            ]
            packet[-1] |= {"keep": int(rng.integers(1 << size)), "last": 1}
            beats += packet
            words += [packet[start : start + ratio] for start in range(0, count, ratio)]
        giver = bench.give(beats, gives)
        taker = bench.take(("data", "keep", "last"), takes)
        await bench.until_taken(giver, len(beats))
        assert len(taker.got) == len(words) > PACKETS
        for (_, got), word in zip(taker.got, words, strict=True):
            keep = sum(beat["keep"] << size * i for i, beat in enumerate(word))
            assert int(got["keep"], 2) == keep
            assert got["last"] == str(word[-1]["last"])
            data = got["data"][-8 * size * len(word) :]
            assert int(data, 2) == sum(beat["data"] << 8 * size * i for i, beat in enumerate(word))
        if gives == takes == 1:
            assert giver.taken[-1][0] - giver.taken[0][0] == len(beats) - 1
            assert taker.got[-1][0] - giver.taken[-1][0] == int(ratio > 1)
