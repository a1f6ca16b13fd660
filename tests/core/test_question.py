"""The layer of the question through the RTL, and how many cycles layers may take."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer, LayerCase, same_pads
from conv_core.tb.runs.layers import run_layers
from conv_core.tb.stimuli.random_layers import question_case
from tests.cases import HALF, case_of

QUESTION_VALUES = 11 * 11 * 64


@pytest.mark.parametrize("bits", [8, 32])
def test_every_value_of_the_question_is_right(simulator: str, bits: int) -> None:
    case = question_case(np.random.default_rng(bits), requantise=bits == 8)
    (result,) = run_layers([case], simulator=simulator)
    assert result.passed, result.message
    assert result.compared == QUESTION_VALUES
    assert result.values is not None
    assert result.values.dtype == np.dtype(f"int{bits}")
    assert result.cycles == result.cycles_model


def small_image_case() -> LayerCase:
    """(32, 32, 3) * (3, 3, 3, 16), padding "same"."""
    rng = np.random.default_rng(1)
    layer = Layer(
        1, 32, 32, 3, 16, (3, 3), pads=same_pads((32, 32), (3, 3), (1, 1)), requantise=True
    )
    return case_of(layer, rng, "small-image", mult=HALF, shift=-8)


@pytest.mark.parametrize(
    ("array", "case", "goal"),
    [
        ("16x16", question_case(np.random.default_rng(1)), 17_100),
        ("8x8", question_case(np.random.default_rng(1)), 63_000),
        ("32x32", question_case(np.random.default_rng(1)), 5_000),
        ("16x16", small_image_case(), 3_200),
    ],
    ids=["question-16x16", "question-8x8", "question-32x32", "small-image-16x16"],
)
def test_cycles_stay_within_the_goal(array: str, case: LayerCase, goal: int) -> None:
    (result,) = run_layers([replace(case)], CoreConfig.from_array(array), "verilator")
    assert result.passed, result.message
    assert result.cycles is not None
    assert result.cycles <= goal
    assert result.cycles == result.cycles_model
    assert result.counters["cycles"] == result.cycles
