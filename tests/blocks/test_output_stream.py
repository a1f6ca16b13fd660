"""rtl/streams/output_stream.v on its own: what output_stream_tests.py claims."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blocks.block import run_block

BUILDS = [
    {"BEAT_BYTES": 2, "RATIO": 1},
    {"BEAT_BYTES": 1, "RATIO": 4},
    {"BEAT_BYTES": 4, "RATIO": 2},
]


@pytest.mark.parametrize("parameters", BUILDS, ids=str)
def test_output_stream(parameters: dict[str, int], simulator: str, tmp_path: Path) -> None:
    run_block("output_stream", parameters, "output_stream_tests", simulator, tmp_path, seed=1)
