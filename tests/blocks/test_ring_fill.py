"""ring_fill on its own: it counts, and has room while it holds fewer words than it can."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blocks.block import run_block


@pytest.mark.parametrize(
    ("words", "count_w"), [(16, 6), (16, 12), (64, 8), (1024, 24)], ids=lambda value: str(value)
)
def test_room_is_what_is_not_held(words: int, count_w: int, simulator: str, tmp_path: Path) -> None:
    run_block(
        "ring_fill",
        {"WORDS": words, "COUNT_W": count_w},
        "ring_fill_tests",
        simulator,
        tmp_path,
        seed=words + count_w,
    )
