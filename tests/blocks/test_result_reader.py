"""result_reader: words as soon as they are whole, frames with their ends, zeros after them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blocks.block import run_block


@pytest.mark.parametrize("lanes", [4, 16])
def test_frames_come_out_with_zeros_after_their_end(
    lanes: int, simulator: str, tmp_path: Path
) -> None:
    parameters = {"LANES_OUT": lanes, "OUT_BYTES": 1024}
    run_block("result_reader", parameters, "result_reader_tests", simulator, tmp_path, seed=1)
