"""ram: a read returns what was written last, one cycle later or two."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.blocks.block import run_block


@pytest.mark.parametrize(
    "parameters",
    [
        {"WIDTH": 8, "DEPTH": 16, "OUTPUT_REGISTER": 0},
        {"WIDTH": 36, "DEPTH": 64, "OUTPUT_REGISTER": 1},
    ],
    ids=str,
)
def test_a_read_returns_what_was_written_last(
    parameters: dict[str, int], simulator: str, tmp_path: Path
) -> None:
    seed = random.randrange(2**31)
    run_block("ram", parameters, "ram_tests", simulator, tmp_path, seed)


@pytest.mark.parametrize(("width", "depth"), [(40, 1024), (20, 2048), (9, 4096), (3, 8192)])
def test_a_read_of_ecp5_blocks_returns_what_was_written_last(
    width: int, depth: int, simulator: str, tmp_path: Path
) -> None:
    parameters = {"WIDTH": width, "DEPTH": depth, "OUTPUT_REGISTER": 1}
    seed = random.randrange(2**31)
    run_block("ram", parameters, "ram_tests", simulator, tmp_path, seed, ecp5=True)
