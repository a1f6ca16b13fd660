"""multiplier: products of all signs, side by side."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.blocks.block import run_block


@pytest.mark.parametrize(
    "parameters",
    [
        {"LANES": 1, "A_W": 18, "B_W": 18},
        {"LANES": 4, "A_W": 9, "B_W": 9},
        {"LANES": 2, "A_W": 17, "B_W": 3},
    ],
    ids=str,
)
@pytest.mark.parametrize("ecp5", [False, True], ids=["generic", "ecp5"])
def test_products_are_exact(
    parameters: dict[str, int], ecp5: bool, simulator: str, tmp_path: Path
) -> None:
    seed = random.randrange(2**31)
    run_block("multiplier", parameters, "multiplier_tests", simulator, tmp_path, seed, ecp5=ecp5)
