"""rows on its own: the items of random layers, number by number and cycle by cycle."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blocks.block import run_block


@pytest.mark.parametrize("lanes_out", [4, 8, 16, 32])
def test_items_are_those_of_the_loops(lanes_out: int, simulator: str, tmp_path: Path) -> None:
    run_block("rows", {"LANES_OUT": lanes_out}, "rows_tests", simulator, tmp_path, seed=lanes_out)
