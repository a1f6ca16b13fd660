"""rtl/streams/stream_entry.v on its own: what stream_entry_tests.py claims."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blocks.block import run_block

BUILDS = [{"BYTES": 1}, {"BYTES": 4}]


@pytest.mark.parametrize("parameters", BUILDS, ids=str)
def test_stream_entry(parameters: dict[str, int], simulator: str, tmp_path: Path) -> None:
    run_block("stream_entry", parameters, "stream_entry_tests", simulator, tmp_path, seed=1)
