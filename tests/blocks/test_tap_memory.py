"""tap_memory: what filters see is the latest columns of a row, or shared."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.blocks.block import run_block


@pytest.mark.parametrize(
    "parameters",
    [
        {"CHANNELS": 4, "TAPS": 2},
        {"CHANNELS": 4, "TAPS": 4},
        {"CHANNELS": 8, "TAPS": 11},
    ],
    ids=str,
)
def test_taps_are_the_latest_columns_of_a_row(
    parameters: dict[str, int], simulator: str, tmp_path: Path
) -> None:
    seed = random.randrange(2**31)
    run_block("tap_memory", parameters, "tap_memory_tests", simulator, tmp_path, seed)
