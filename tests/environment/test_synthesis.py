"""The core's area can't creep: what `make synth` allows is asserted here, for the smallest array.

For the others, and the clock, `make synth` does it, which takes its time.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from conv_core.models.core_config import CoreConfig
from conv_core.tools.synthesis import (
    PAGE,
    SEEDS,
    Area,
    Clock,
    area_of,
    limits,
    page,
    readable,
    row,
    synthesise,
    warnings,
)

FAST = Clock(
    "8x8",
    mhz=130.0,
    start="u_finisher.limit_q",
    end="u_finisher.slice_q",
    pin_ns=10.0,
    pin="m_axis_out_tready to u_narrower.data_q",
)
GOOD = Area("8x8", "ecp5", luts=12_800, flip_flops=1, memories=1, multipliers=82)


def test_the_core_keeps_its_limits_and_its_buffers_are_block_memories() -> None:
    config = CoreConfig.from_array("4x4")
    area = synthesise("4x4", "ecp5")
    assert not limits([area], [])
    assert row(area) in PAGE.read_text(), "docs/synthesis.md is of another RTL: make synth"
    lanes = config.lanes_in * config.lanes_out
    assert area.multipliers >= lanes + 4 * config.requant_lanes
    buffers = (
        config.act_bytes
        + config.wgt_words * lanes
        + config.const_words * config.lanes_in
        + config.out_bytes
    )
    assert 18 * 1024 * area.memories >= 8 * buffers
    assert area.flip_flops < 8 * buffers // 10


@pytest.mark.parametrize(
    ("area", "sentence"),
    [
        (replace(GOOD, luts=12_801), "8x8: 12,801 LUT4, 12,800 are allowed"),
        (replace(GOOD, multipliers=83), "8x8: 83 multiplier blocks, 82 are allowed"),
    ],
)
def test_a_larger_core_is_refused(area: Area, sentence: str) -> None:
    assert not limits([GOOD], [FAST])
    assert limits([area], []) == [sentence]


def test_a_slower_core_is_refused_with_its_path() -> None:
    (sentence,) = limits([], [replace(FAST, mhz=129.9)])
    assert sentence == (
        "8x8: 129.9 MHz, 130 are wanted; from u_finisher.limit_q to u_finisher.slice_q"
    )


def test_a_long_way_to_a_pin_is_refused() -> None:
    (sentence,) = limits([], [replace(FAST, pin_ns=11.04)])
    assert sentence == "8x8: 11.04 ns, 11.0 are allowed: m_axis_out_tready to u_narrower.data_q"


def test_cells_are_counted_from_the_last_statistics() -> None:
    said = (
        "Printing statistics\n      9   LUT4\nPrinting statistics\n     10   CCU2C\n"
        "   100   LUT4\n     3   TRELLIS_DPR16X4\n     7   TRELLIS_FF\n     2   DP16KD\n"
    )
    assert area_of("4x4", "ecp5", said) == Area("4x4", "ecp5", 100 + 2 * 10 + 6 * 3, 7, 2, 0)
    xilinx = "Printing statistics\n   5   LUT6\n   2   SRL16E\n   1   RAMB36E1\n   1   RAMB18E1\n"
    assert area_of("4x4", "xc7", xilinx) == Area("4x4", "xc7", 7, 0, 3, 0)


def test_warnings_about_the_core_count_and_those_about_libraries_do_not() -> None:
    ours = "rtl/ram.v:27: Warning: something"
    assert warnings(f"share/abc9_map.v:35: Warning: other\n{ours}\n") == [ours]


def test_paths_are_named_by_their_registers() -> None:
    cell = "u_sequencer.u_step_gate.valid_q_TRELLIS_FF_Q_DI_LUT4_Z"
    assert readable(cell) == "u_sequencer.u_step_gate.valid_q"
    text = page([GOOD], [replace(FAST, mhz=131.5)])
    assert "| 8x8 | Lattice ECP5 | 12,800 | 200 | 1 | 1 | 82 |" in text
    seed = SEEDS["8x8"]
    path = "`u_finisher.limit_q` to `u_finisher.slice_q`"
    assert f"| 8x8 | {seed} | 131.5 | {path} | 10.0 | " in text
