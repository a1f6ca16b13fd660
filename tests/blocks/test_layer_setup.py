"""`layer_setup`: every number of a layer, every refusal, the exact time; and its table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conv_core.tb.paths import ROOT
from tests.blocks.block import run_block
from tests.blocks.set_up import Core

CORES = {
    "8x8": Core(),
    "4x16": Core(4, 16, 4096, 256, 128, 1024, 4, 0),
    "32x4": Core(32, 4, 16384, 64, 16, 512, 4),
    "16x32": Core(16, 32, 1 << 20, 1 << 14, 1 << 12, 1 << 16, 1),
}


@pytest.mark.parametrize("core", CORES)
def test_numbers_refusals_and_time(core: str, simulator: str, tmp_path: Path) -> None:
    """Against plain arithmetic, on cores that differ in everything."""
    parameters = CORES[core].parameters()
    run_block("layer_setup", parameters, "layer_setup_tests", simulator, tmp_path, seed=2026)


def test_no_line_reads_a_number_too_early() -> None:
    """A number may be read from the third line after the one that makes it, LAST by the next."""
    text = (ROOT / "rtl" / "control" / "setup_table.v").read_text()
    rows = re.findall(r"^ +\S+: +l = \{([^}]+)\};", text, re.M)
    lines = [[part.strip() for part in row.split(",")] for row in rows]
    assert len(lines) > 100
    for number, (_, _, a, _, kind, operand, *_) in enumerate(lines):
        read = {a} | ({operand} if kind == "N" else set())
        for earlier in lines[max(number - 2, 0) : number]:
            assert not (read - {"LAST"}) & {earlier[1]}, f"line {number} reads too early"
