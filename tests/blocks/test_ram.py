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
