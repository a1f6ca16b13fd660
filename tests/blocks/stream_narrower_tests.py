"""See test_stream_narrower.py."""

from __future__ import annotations

from typing import Any

import cocotb

from tests.blocks.channel import Bench, parameter

WORDS = 150


@cocotb.test()
async def beats_are_the_kept_parts_of_words(dut: Any) -> None:
    """The lowest first; what is not kept is not sent; `last` and `user` come with a word's end."""
    bench = Bench(dut)
    rng = bench.rng
    size, ratio = parameter("BEAT_BYTES"), parameter("RATIO")
    for gives, takes in ((1, 1), (1, 0.3), (0.4, 0.8)):
        await bench.reset(s_valid=0, m_ready=0)
        words, beats = [], []
        for _ in range(WORDS):
            last = int(rng.random() < 0.4)
            count = int(rng.integers(1, size * ratio + 1)) if last else size * ratio
            data = rng.bytes(size * ratio)
            user = int(rng.integers(2))
            words.append(
                {
                    "data": int.from_bytes(data, "little"),
                    "keep": (1 << count) - 1,
                    "last": last,
                    "user": user,
                }
            )
            for start in range(0, count, size):
                end = start + size >= count
                keep = (1 << min(size, count - start)) - 1
                beats.append((data[start : start + size], keep, last and end, user and end))
        giver = bench.give(words, gives)
        taker = bench.take(("data", "keep", "last", "user"), takes)
        await bench.until_taken(giver, WORDS)
        got = [
            (
                int(payload["data"], 2).to_bytes(size, "little"),
                int(payload["keep"], 2),
                int(payload["last"]),
                int(payload["user"]),
            )
            for _, payload in taker.got
        ]
        assert got == [(data, keep, int(last), int(user)) for data, keep, last, user in beats]
        if gives == takes == 1:
            assert taker.got[-1][0] - taker.got[0][0] == len(beats) - 1
