"""rtl/streams/skid_buffer.v on its own: what skid_buffer_tests.py claims."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blocks.block import run_block

BUILDS = [{"WIDTH": 1}, {"WIDTH": 17}]


@pytest.mark.parametrize("parameters", BUILDS, ids=str)
def test_skid_buffer(parameters: dict[str, int], simulator: str, tmp_path: Path) -> None:
    run_block("skid_buffer", parameters, "skid_buffer_tests", simulator, tmp_path, seed=1)
