"""activation_loader on its own: words, counts, room and errors, cycle by cycle."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blocks.block import run_block


@pytest.mark.parametrize(("lanes", "words"), [(4, 8), (8, 64), (16, 16), (32, 8)])
def test_frames_arrive_in_the_buffer(
    lanes: int, words: int, simulator: str, tmp_path: Path
) -> None:
    run_block(
        "activation_loader",
        {"LANES_IN": lanes, "ACT_BYTES": lanes * words},
        "activation_loader_tests",
        simulator,
        tmp_path,
        seed=lanes,
    )
