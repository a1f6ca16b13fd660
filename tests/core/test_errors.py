"""Errors are reported and left behind without a reset: what error_*tests.py claim at the pins.

Other configurations run on Icarus only, where they take no time to build.
"""

from __future__ import annotations

from pathlib import Path

from tests.core.pins import run_at_the_pins
from tests.core.rig import NARROW, SPACIOUS


def test_every_error_is_reported_and_left_behind(simulator: str, tmp_path: Path) -> None:
    run_at_the_pins("error_tests", simulator, tmp_path)


def test_wrong_packets_of_narrow_streams_are_reported_and_left_behind(tmp_path: Path) -> None:
    run_at_the_pins("error_narrow_tests", "icarus", tmp_path, config=NARROW)


def test_sizes_that_cannot_be_counted_are_refused(tmp_path: Path) -> None:
    run_at_the_pins("error_size_tests", "icarus", tmp_path, config=SPACIOUS)
