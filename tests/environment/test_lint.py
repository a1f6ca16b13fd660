"""Each tool of `make lint` finds the fault that it is there for, and nothing in a clean design."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tb import lint

CLEAN = """
`default_nettype none
module top (input wire clk, input wire signed [7:0] a, input wire signed [7:0] b,
            output reg signed [15:0] y);
    always @(posedge clk) y <= a * b;
endmodule
`default_nettype wire
"""
FAULTS = {
    "width": (lint.verilator, "reg signed [15:0] y", "reg signed [3:0] y", "WIDTH"),
    "blocking assignment": (lint.verilator, "y <= a", "y = a", "BLKSEQ"),
    "lost sign": (lint.slang, "wire signed [7:0] b", "wire [7:0] b", "different types"),
    "two drivers": (lint.yosys, "endmodule", "always @(posedge clk) y <= 0;\nendmodule", "drivers"),
}


@pytest.mark.parametrize("tool", [lint.verilator, lint.slang, lint.yosys])
def test_a_clean_design_passes(tool: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "top.v").write_text(CLEAN)
    assert tool([tmp_path / "top.v"], "top") == ""


@pytest.mark.parametrize("fault", FAULTS)
def test_the_fault_is_found(fault: str, tmp_path: Path) -> None:
    tool, before, after, complaint = FAULTS[fault]
    (tmp_path / "top.v").write_text(CLEAN.replace(before, after))
    assert complaint in tool([tmp_path / "top.v"], "top")
