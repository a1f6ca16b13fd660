"""frame_counter on its own: it tells each word of random layers what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blocks.block import run_block


@pytest.mark.parametrize("lanes", [4, 8, 16, 32])
def test_each_word_is_told(lanes: int, simulator: str, tmp_path: Path) -> None:
    run_block(
        "frame_counter", {"LANES": lanes}, "frame_counter_tests", simulator, tmp_path, seed=lanes
    )
