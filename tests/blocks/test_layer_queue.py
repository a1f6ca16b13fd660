"""rtl/control/layer_queue.v on its own: what layer_queue_tests.py claims."""

from __future__ import annotations

from pathlib import Path

from tests.blocks.block import run_block


def test_layer_queue(simulator: str, tmp_path: Path) -> None:
    run_block("layer_queue", {}, "layer_queue_tests", simulator, tmp_path, seed=1)
