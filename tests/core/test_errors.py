"""Errors are reported and left behind without a reset: what error_tests.py claims at the pins."""

from __future__ import annotations

from pathlib import Path

from tests.core.pins import run_at_the_pins


def test_every_error_is_reported_and_left_behind(simulator: str, tmp_path: Path) -> None:
    run_at_the_pins("error_tests", simulator, tmp_path)
