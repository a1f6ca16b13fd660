"""fifo: entries leave in the order in which they came, and it says when there is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blocks.block import run_block


@pytest.mark.parametrize(
    "parameters",
    [{"WIDTH": 80, "DEPTH": 16}, {"WIDTH": 7, "DEPTH": 2}, {"WIDTH": 1, "DEPTH": 8}],
    ids=str,
)
def test_entries_leave_in_their_order(
    parameters: dict[str, int], simulator: str, tmp_path: Path
) -> None:
    run_block("fifo", parameters, "fifo_tests", simulator, tmp_path, seed=parameters["WIDTH"])
