"""Results at the pins: what result_tests.py claims, on wide and narrow streams."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.pins import run_at_the_pins
from tests.core.rig import CONFIG, NARROW


@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
def test_every_byte_and_every_constant_is_as_the_page_says(
    narrow: bool, simulator: str, tmp_path: Path
) -> None:
    config = NARROW if narrow else CONFIG
    run_at_the_pins("result_tests", simulator, tmp_path, config=config, NARROW=str(int(narrow)))
