"""Layers back to back on 16x16 lanes: what is lost between them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conv_core.models.core_config import CoreConfig
from conv_core.models.networks import mobilenet_v1, resnet50
from conv_core.tb.runs.layers import run_layers
from conv_core.tb.stimuli.random_layers import question_case, tensors_for

CONFIG = CoreConfig.from_array("16x16")
QUESTION_GOAL = 15_420
"""cycles; 15,376 of them are steps inside the image"""
MOST_LOST = 0.015
"""of the sum of the limits"""

NETWORKS = {"ResNet-50": resnet50(), "MobileNet": mobilenet_v1()}
TEN = (
    "MobileNet conv1",
    "MobileNet conv4 depthwise",
    "MobileNet conv4 pointwise",
    "MobileNet conv5 depthwise",
    "ResNet-50 conv2_1 a",
    "question",
    "MobileNet conv8 depthwise",
    "MobileNet conv6 pointwise",
    "MobileNet conv12 pointwise",
    "ResNet-50 conv2_1 projection",
)


def test_the_layer_of_the_question_back_to_back_stays_within_the_goal() -> None:
    case = question_case(np.random.default_rng(1))
    cases = [replace(case, name=f"question {number}") for number in range(3)]
    results = run_layers(cases, CONFIG, "verilator", queue=True)
    assert len(results) == 3
    for result in results:
        assert result.passed, result.message
        assert result.cycles == result.cycles_model
    for result in results[1:]:
        assert result.cycles is not None
        assert result.cycles <= QUESTION_GOAL


def test_ten_layers_back_to_back_take_little_more_than_their_limits() -> None:
    rng = np.random.default_rng(2)
    cases = []
    for name in TEN:
        network, _, layer = name.partition(" ")
        known = NETWORKS[network][layer] if layer else None
        case = tensors_for(rng, known, "plain") if known else question_case(rng)
        cases.append(replace(case, name=name))
    assert len({case.layer for case in cases}) == 10
    results = run_layers(cases, CONFIG, "verilator", queue=True)
    assert len(results) == 10
    for result in results:
        assert result.passed, result.message
        assert result.cycles == result.cycles_model, result.name
    cycles = sum(result.cycles or 0 for result in results)
    limit = sum(result.cycles_limit for result in results)
    assert limit > 700_000
    assert cycles <= (1 + MOST_LOST) * limit
