"""number: it keeps the next layer's number while the one at hand is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blocks.block import run_block


@pytest.mark.parametrize(("index", "width"), [(0, 1), (5, 16), (63, 32)])
def test_the_number_at_hand_changes_with_take_only(
    index: int, width: int, simulator: str, tmp_path: Path
) -> None:
    parameters = {"INDEX": index, "WIDTH": width}
    run_block("number", parameters, "number_tests", simulator, tmp_path, seed=width)
