"""rtl/streams/input_stream.v on its own: what input_stream_tests.py claims."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blocks.block import run_block

BUILDS = [
    {"BEAT_BYTES": 1, "RATIO": 1},
    {"BEAT_BYTES": 4, "RATIO": 1},
    {"BEAT_BYTES": 1, "RATIO": 4},
    {"BEAT_BYTES": 4, "RATIO": 2},
]


@pytest.mark.parametrize("parameters", BUILDS, ids=str)
def test_input_stream(parameters: dict[str, int], simulator: str, tmp_path: Path) -> None:
    run_block("input_stream", parameters, "input_stream_tests", simulator, tmp_path, seed=1)
