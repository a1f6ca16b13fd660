"""rtl/control/halt.v on its own: what halt_tests.py claims."""

from __future__ import annotations

from pathlib import Path

from tests.blocks.block import run_block


def test_halt(simulator: str, tmp_path: Path) -> None:
    run_block("halt", {}, "halt_tests", simulator, tmp_path, seed=1)
