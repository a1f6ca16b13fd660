"""Random layers in random traffic, behind resets and malformed frames, drawn in the simulation.

`make regress` runs as many as one likes.
"""

from __future__ import annotations

import pytest

from conv_core.models.core_config import CoreConfig
from conv_core.tb.runs.exploration import explore
from tests.core.test_envelope import CONFIGS

QUICK = {
    "verilator": {"8x8": 300, "8x8 with small buffers and narrow streams": 200},
    "icarus": {"4x4 with the smallest buffers": 25},
}
"""layers on each core"""
ARRAYS = {"verilator": "8x8", "icarus": "4x4"}
MANY = 1000
SEEDS = 4
"""of many layers: on Verilator each has its own values in what is not initialised"""


def assert_nothing_wrong(config: CoreConfig, simulator: str, layers: int, seed: int) -> None:
    exploration = explore(config, simulator, layers, seed)
    print(exploration)
    assert exploration.passed, str(exploration)
    assert exploration.found.layers >= layers
    assert exploration.found.compared > layers


def test_random_layers_in_random_traffic_are_right(simulator: str) -> None:
    for name, layers in QUICK[simulator].items():
        assert_nothing_wrong(CONFIGS[name], simulator, layers, 80)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(90, 90 + SEEDS))
def test_a_thousand_random_layers_in_random_traffic_are_right(simulator: str, seed: int) -> None:
    assert_nothing_wrong(CONFIGS[ARRAYS[simulator]], simulator, MANY // SEEDS, seed)
