"""dot_product: sums are exact, at both ends of their range, too."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.blocks.block import run_block


@pytest.mark.parametrize(
    "parameters",
    [
        {"LANES": 4},
        {"LANES": 8},
        {"LANES": 32},
    ],
    ids=str,
)
def test_sums_are_exact(parameters: dict[str, int], simulator: str, tmp_path: Path) -> None:
    seed = random.randrange(2**31)
    run_block("dot_product", parameters, "dot_product_tests", simulator, tmp_path, seed)
