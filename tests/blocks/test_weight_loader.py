"""weight_loader on its own: constants, weights less zero points, counts, room and errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blocks.block import run_block


@pytest.mark.parametrize(
    ("lanes_in", "lanes_out"),
    [(4, 4), (8, 8), (4, 8), (16, 4), (8, 4), (32, 4), (4, 32), (16, 16), (32, 16), (8, 32)],
)
def test_packets_arrive_in_the_buffers(
    lanes_in: int, lanes_out: int, simulator: str, tmp_path: Path
) -> None:
    constants = -(-10 * lanes_out // lanes_in)
    const_words = 1 << max(4, (constants - 1).bit_length())
    run_block(
        "weight_loader",
        {
            "LANES_IN": lanes_in,
            "LANES_OUT": lanes_out,
            "WGT_WORDS": 16,
            "CONST_WORDS": const_words,
        },
        "weight_loader_tests",
        simulator,
        tmp_path,
        seed=100 * lanes_in + lanes_out,
    )
