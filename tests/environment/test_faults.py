"""A core that is broken on purpose turns the run red, with a message that says where."""

from __future__ import annotations

import numpy as np
import pytest

from models.core_config import CoreConfig
from models.layer import Layer, LayerCase
from tb.job import LayerResult
from tb.runner import ROOT, rtl_files, run_layers

CONFIG = CoreConfig.from_array("4x4")
SOURCES = (*rtl_files(), ROOT / "tests" / "environment" / "faulty_core.v")


def small_case() -> LayerCase:
    """(4, 5, 4) * (3, 3, 4, 8) -> (4, 5, 8): 40 beats of results, no two of them alike."""
    rng = np.random.default_rng(40)
    layer = Layer(1, 4, 5, 4, 8, (3, 3), pads=(1, 1, 1, 1), requantise=True)
    return LayerCase(
        "small",
        layer,
        rng.integers(-128, 128, layer.in_shape, np.int8),
        rng.integers(-128, 128, layer.weight_shape, np.int8),
        rng.integers(-1000, 1000, 8, np.int32),
        mult=np.full(8, 1 << 30, np.int32),
        shift=np.full(8, -9, np.int32),
    )


def run_with_fault(
    fault: int, simulator: str, *, stall: str = "none", seed: int = 1
) -> LayerResult:
    (result,) = run_layers(
        [small_case()],
        CONFIG,
        simulator,
        stall=stall,
        seed=seed,
        rtl_sources=SOURCES,
        dut="faulty_core",
        plus_args=[f"+fault={fault}"],
    )
    return result


@pytest.mark.parametrize("stall", ["none", "heavy"])
def test_without_a_fault_the_run_is_green(simulator: str, stall: str) -> None:
    result = run_with_fault(0, simulator, stall=stall)
    assert result.passed, result.message


# Channels 8 on 4 lanes: beat b holds channels 0-3 (b even) or 4-7 (b odd) of place b // 2.
FAULTS = {
    "valid-stuck": (
        1,
        "none",
        ["results: 0 of 40 beats accepted", "the core offers none", "nothing was compared"],
    ),
    "dropped-after-the-8th": (
        2,
        "none",
        [
            "results: 8 of 40 beats accepted",
            "32 of 40 beats are missing, the first is beat 8: it begins with "
            "frame 0, row 0, column 4, channel 0",
        ],
    ),
    "one-too-many": (3, "none", ["results, beat 40", "1 beats too many came"]),
    "wrong-bit": (
        5,
        "none",
        ["1 of 160 values differ", "frame 0, row 0, column 3, channel 5, beat 7, "],
    ),
    "channels-swapped": (
        6,
        "none",
        ["frame 0, row 0, column 0, channel 0, beat 0, ", "wrong in channels 0-1, 4-5 "],
    ),
    "payload-changes": (8, "heavy", ["results, beat 6, ", "the payload changed while stalled"]),
    "valid-withdrawn": (9, "heavy", ["results, beat 6, ", "tvalid was withdrawn before tready"]),
    "tlast-early": (10, "none", ["results, beat 8, ", "tlast came before the end"]),
    "tlast-missing": (11, "none", ["results, beat 39, ", "tlast is missing"]),
    "wrong-tkeep": (12, "none", ["results, beat 4, ", "tkeep does not mark the bytes"]),
    "wrong-counter": (13, "none", ["CYCLES reads", "but the monitor at the pins counted"]),
    "beat-left-over": (15, "none", ["activations: 19 of 20 beats", "are left over"]),
    "weights-refused": (
        16,
        "none",
        ["weights: 0 of ", "tvalid 1, tready 0: the core takes none", "nothing was compared"],
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_turns_the_run_red_and_is_named(name: str, simulator: str) -> None:
    fault, stall, expected = FAULTS[name]
    result = run_with_fault(fault, simulator, stall=stall)
    assert not result.passed
    assert result.message.startswith("layer small: ")
    for words in expected:
        assert words in result.message
    if "left over" in result.message:  # then nobody knows when the layer's last beat passed
        assert "CYCLES reads" not in result.message
        assert result.cycles is None


def test_x_on_a_byte_is_named_by_icarus() -> None:
    result = run_with_fault(4, "icarus")
    assert not result.passed
    assert "results, beat 5, " in result.message
    assert "tdata, tkeep or tlast is X" in result.message
    assert "it begins with frame 0, row 0, column 2, channel 4" in result.message


def test_x_on_a_byte_is_a_wrong_value_on_verilator() -> None:
    # What is X is random there: one value in 256 is right by accident.
    results = [run_with_fault(4, "verilator", seed=seed) for seed in (1, 2, 3)]
    red = [result for result in results if not result.passed]
    assert red
    assert "frame 0, row 0, column 2, channel 7, beat 5, " in red[0].message


def test_x_on_valid_is_named_by_icarus() -> None:
    result = run_with_fault(7, "icarus")
    assert not result.passed
    assert "results, beat 0, " in result.message
    assert "tvalid or tready is X" in result.message
