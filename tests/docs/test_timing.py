"""docs/driving-the-core.md: the latencies that it names are those of the exact model."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.cycles import COMMIT, DATAPATH, FIRST_STEP, PRODUCT, PRODUCTS, SETUP

PAGE = (Path(__file__).parents[2] / "docs" / "driving-the-core.md").read_text()
PINS = 4
"""cycles from a word's read to its beat: the reader's three registers and the packet guard"""


@pytest.mark.parametrize(
    "words",
    [
        f"to the first step it takes {FIRST_STEP} cycles at least",
        f"`{DATAPATH + COMMIT + PINS} + log2(LI)`",
        f"Between two layers in the queue {FIRST_STEP + 1} cycles have no step",
        f"To set a layer up takes {SETUP + PRODUCTS * PRODUCT} cycles",
    ],
)
def test_latencies_are_those_of_the_model(words: str) -> None:
    assert words in " ".join(PAGE.split())
