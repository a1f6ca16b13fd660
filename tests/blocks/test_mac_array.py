"""mac_array: windows are summed modulo 2^32, whatever lies between their steps."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.blocks.block import run_block


@pytest.mark.parametrize(
    "parameters",
    [
        {"LANES_IN": 4, "LANES_OUT": 8, "WGT_WORDS": 16},
        {"LANES_IN": 16, "LANES_OUT": 4, "WGT_WORDS": 16},
    ],
    ids=str,
)
def test_windows_are_summed(parameters: dict[str, int], simulator: str, tmp_path: Path) -> None:
    seed = random.randrange(2**31)
    run_block("mac_array", parameters, "mac_array_tests", simulator, tmp_path, seed)
