"""result_queue: what goes in comes out, in order and after two cycles."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blocks.block import run_block


@pytest.mark.parametrize(("depth", "block"), [(4, 1), (16, 0)])
def test_entries_come_out_as_they_went_in(
    depth: int, block: int, simulator: str, tmp_path: Path
) -> None:
    parameters = {"WIDTH": 24, "DEPTH": depth, "BLOCK": block}
    run_block("result_queue", parameters, "result_queue_tests", simulator, tmp_path, seed=1)
