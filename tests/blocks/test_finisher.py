"""finisher, with its queues and constants: random layers, int8 by both rules and int32, each result
where it belongs; constants and room are given back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blocks.block import run_block


@pytest.mark.parametrize(("lanes_in", "requant_lanes"), [(4, 2), (16, 4), (8, 8)])
def test_results_stand_in_order(
    lanes_in: int, requant_lanes: int, simulator: str, tmp_path: Path
) -> None:
    parameters = {
        "LANES_IN": lanes_in,
        "LANES_OUT": 8,
        "REQUANT_LANES": requant_lanes,
        "RESULT_QUEUE": 4,
        "OUT_BYTES": 1024,
        "CONST_WORDS": 64,
    }
    run_block("finisher", parameters, "finisher_tests", simulator, tmp_path, seed=1)
