"""Each tool of `make lint` finds the fault that it is there for, and nothing in a clean design."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from conv_core.tools import lint

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


def test_icarus_reads_a_file_list_as_verilog_2005(tmp_path: Path) -> None:
    source, file_list = tmp_path / "top.v", tmp_path / "top.f"
    file_list.write_text(f"{source}\n")
    source.write_text(CLEAN)
    assert lint.icarus(file_list) == ""
    source.write_text(CLEAN.replace("always @", "always_ff @"))
    assert "top.v" in lint.icarus(file_list)
    file_list.write_text("missing.v\n")
    assert "missing.v" in lint.icarus(file_list)


def test_a_file_of_another_format_or_with_long_lines_is_named(tmp_path: Path) -> None:
    source = tmp_path / "top.v"
    source.write_text("module top (\n    input wire clk\n);\nendmodule\n")
    assert lint.formatting([source]) == ""
    source.write_text("module top (input wire clk\n);\nendmodule\n")
    assert "top.v" in lint.formatting([source])
    source.write_text(f"module top (\n    input wire clk\n);\n    // {'x' * 130}\nendmodule\n")
    assert "top.v:4: 137 columns, 120 are allowed" in lint.formatting([source])
