"""rtl/streams/packet_guard.v on its own: what packet_guard_tests.py claims."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blocks.block import run_block

BUILDS = [{"BYTES": 1}, {"BYTES": 4}]


@pytest.mark.parametrize("parameters", BUILDS, ids=str)
def test_packet_guard(parameters: dict[str, int], simulator: str, tmp_path: Path) -> None:
    run_block("packet_guard", parameters, "packet_guard_tests", simulator, tmp_path, seed=1)
