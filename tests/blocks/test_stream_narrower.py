"""rtl/streams/stream_narrower.v on its own: what stream_narrower_tests.py claims."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blocks.block import run_block

BUILDS = [
    {"BEAT_BYTES": 2, "RATIO": 1},
    {"BEAT_BYTES": 1, "RATIO": 8},
    {"BEAT_BYTES": 4, "RATIO": 2},
]


@pytest.mark.parametrize("parameters", BUILDS, ids=str)
def test_stream_narrower(parameters: dict[str, int], simulator: str, tmp_path: Path) -> None:
    run_block("stream_narrower", parameters, "stream_narrower_tests", simulator, tmp_path, seed=1)
