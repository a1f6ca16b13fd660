"""float_normalizer: an int32 is taken apart as it is, or as numpy's float32 has it."""

from __future__ import annotations

from pathlib import Path

from tests.blocks.block import run_block


def test_numbers_are_exact_or_the_nearest_float32(simulator: str, tmp_path: Path) -> None:
    run_block("float_normalizer", {}, "float_normalizer_tests", simulator, tmp_path, seed=1)
