"""requantizer: all rules are exact for every accumulator, multiplier, scale and shift."""

from __future__ import annotations

from pathlib import Path

import pytest

from conv_core.tb.paths import ROOT
from conv_core.tb.runs.builds import Design, build
from tests.blocks.block import sources_of
from tests.blocks.rounding import by_float, by_single, by_tflite, to_even

LANES = 16
PUBLIC = """\
`verilator_config
public_flat_rw -module "requantizers" -var "*"
"""
BATCHES = {"icarus": 6, "verilator": 210}
"""of 1,600 numbers each"""


@pytest.mark.parametrize("rules", [1, 0], ids=["all", "without-float"])
def test_results_are_exact(rules: int, simulator: str, tmp_path: Path) -> None:
    seed = 1
    print(f"seed {seed}")
    parameters = {"LANES": LANES, "FLOAT": rules}
    wrapper = ROOT / "tests" / "blocks" / "requantizers.v"
    build(
        Design("requantizers", (*sources_of("requantizer"), wrapper), parameters, public=PUBLIC),
        simulator,
    ).simulate(
        "tests.blocks.requantizer_tests",
        tmp_path,
        seed=seed,
        environment={
            **{name: str(value) for name, value in parameters.items()},
            "BATCHES": str(BATCHES[simulator] * (2 + rules) // 3),
        },
    )


def test_the_rules_by_hand() -> None:
    assert [by_tflite(acc, 2**30, 0) for acc in (1, 3, -1, -3)] == [1, 2, 0, -1]
    assert [by_tflite(acc, 2**30, -1) for acc in (2, 6, -2, -6)] == [1, 2, -1, -2]
    assert by_tflite(3, 2**30, 9) == by_tflite(3, 2**30, 8) == 384
    assert by_tflite(-(2**31), 2**31 - 1, -40) == -1
    assert [to_even(n, 1) for n in (1, 3, 5, -1, -3)] == [0, 2, 2, 0, -2]
    assert [by_single(acc, 2**30, 0) for acc in (1, 3, -1, -3)] == [1, 2, -1, -2]
    assert [by_single(acc, 2**29, 1) for acc in (1, 3, -1, -3)] == [1, 2, -1, -2]
    # Sixteenths: tflite makes 4 of the half of 7, and a whole of 4 eighths.
    assert [by_single(acc, 2**30, -3) for acc in (7, 8, 24, -7, -8, -24)] == [0, 1, 2, 0, -1, -2]
    assert [by_tflite(acc, 2**30, -3) for acc in (7, -7)] == [1, 0]
    half, infinite, nan, subnormal = 0x3F000000, 0x7F800000, 0x7FC00000, 0x7FFFFF
    assert [by_float(acc, half) for acc in (1, 3, 5, -1, -3)] == [0, 2, 2, 0, -2]
    assert by_float(2**24 + 1, half) == 2**23
    assert by_float(0, infinite) == by_float(0, nan) == by_float(2**31 - 1, subnormal) == 0
    assert by_float(1, infinite) > 255
    assert by_float(-1, nan) < -255
