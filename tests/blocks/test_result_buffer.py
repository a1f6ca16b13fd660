"""result_buffer: bytes are written at any address and read word by word."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blocks.block import run_block


@pytest.mark.parametrize(("lanes", "size"), [(4, 64), (16, 256)])
def test_bytes_stand_where_they_were_written(
    lanes: int, size: int, simulator: str, tmp_path: Path
) -> None:
    parameters = {"LANES": lanes, "BYTES": size}
    run_block("result_buffer", parameters, "result_buffer_tests", simulator, tmp_path, seed=1)
