"""docs/driving-the-core.md: the latencies that it names are those of the exact model."""

from __future__ import annotations

from pathlib import Path

import pytest

from conv_core.models.cycles import latencies

PAGE = (Path(__file__).parents[2] / "docs" / "driving-the-core.md").read_text()
FIRST_STEP = (
    latencies.FIRST_ITEM
    + latencies.LAYER_SETTLES
    + latencies.FIRST_WINDOW
    + latencies.WINDOW
    + latencies.WINDOW_PIPELINE
    + latencies.FIRST_STEP
)
"""from a layer offered to its first step"""
IDLE = FIRST_STEP - latencies.FIRST_ITEM + latencies.LAYER_CHANGE - 1
OFFERED = latencies.LOADER_START - latencies.PINS_IN
"""before the first beat"""
RESULT = latencies.DATAPATH + latencies.COMMIT + latencies.PINS_OUT
RESULT_INT32 = latencies.DATAPATH + latencies.COMMIT_INT32 + latencies.PINS_OUT


@pytest.mark.parametrize(
    "words",
    [
        f"to the first step it takes {FIRST_STEP - OFFERED} cycles",
        f"`{RESULT} + log2(LI)`, or `{RESULT_INT32} + log2(LI)` where results are int32",
        f"Between two layers in the queue {IDLE} cycles have no step",
        f"To set a layer up takes {latencies.SETUP} cycles, "
        f"{latencies.SETUP_HALVING} more for each halving of the column block, "
        f"{latencies.SETUP_DOUBLING} for each doubling of the band that is tried, "
        f"and with channel groups {latencies.SETUP_GROUPS}, "
        f"and {latencies.SETUP_JOINING} for each halving of LO",
    ],
)
def test_latencies_are_those_of_the_model(words: str) -> None:
    assert words in " ".join(PAGE.split())
