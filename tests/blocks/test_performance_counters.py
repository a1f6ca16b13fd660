"""rtl/control/performance_counters.v on its own: what performance_counters_tests.py claims."""

from __future__ import annotations

from pathlib import Path

from tests.blocks.block import run_block


def test_performance_counters(simulator: str, tmp_path: Path) -> None:
    run_block("performance_counters", {}, "performance_counters_tests", simulator, tmp_path, seed=1)
