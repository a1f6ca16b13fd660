"""windows, steps and gate together: every step of random items, its marks, and its cycle."""

from __future__ import annotations

from pathlib import Path

import pytest

from conv_core.tb.runs.builds import Design, build
from tests.blocks.block import sources_of

SIZES = {
    "4": {
        "LANES_IN": 4,
        "ACT_BYTES": 1024,
        "WGT_WORDS": 256,
        "OUT_BYTES": 1024,
        "RESULT_QUEUE": 8,
    },
    "8": {
        "LANES_IN": 8,
        "ACT_BYTES": 2048,
        "WGT_WORDS": 128,
        "OUT_BYTES": 512,
        "RESULT_QUEUE": 4,
    },
}
LAYERS = {"icarus": 8, "verilator": 50}


@pytest.mark.parametrize("traffic", ["free", "slow"])
@pytest.mark.parametrize("lanes", SIZES)
def test_steps_are_right_and_in_their_cycle(
    lanes: str, traffic: str, simulator: str, tmp_path: Path
) -> None:
    seed = 1
    print(f"seed {seed}")
    parameters = SIZES[lanes]
    build(Design("walk", sources_of("walk"), parameters), simulator).simulate(
        "tests.blocks.walk_tests",
        tmp_path,
        seed=seed,
        environment={
            **{name: str(value) for name, value in parameters.items()},
            "LAYERS": str(LAYERS[simulator]),
            "TRAFFIC": traffic,
        },
    )
