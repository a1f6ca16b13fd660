"""Cycles that layers of well-known networks may take on 16x16 lanes, cold: no engine that computes
padded taps, or a tap at a time, gets there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from conv_core.models.core_config import CoreConfig
from conv_core.models.cycles import queue_model
from conv_core.models.layer import LayerCase
from conv_core.models.networks import same_layer
from conv_core.models.tiling import plan
from conv_core.tb.runs.layers import run_layers
from conv_core.tb.stimuli.random_layers import tensors_for

CONFIG = CoreConfig.from_array("16x16")

DEPTHWISE = same_layer(56, 64, 64, 3, 1, groups=64)
GOALS = {
    "56x56x64 to 64, 3x3": (same_layer(56, 64, 64, 3, 1), 442_500),
    "7x7x512 to 512, 3x3, weights streamed": (same_layer(7, 512, 512, 3, 1), 378_000),
    "112x112x3 to 64, 7x7 stride 2": (same_layer(112, 3, 64, 7, 2), 174_000),
    "56x56x64 to 256, 1x1": (same_layer(56, 64, 256, 1, 1), 203_000),
    "56x56x64 depthwise 3x3": (DEPTHWISE, 40_000),
    "56x56x64 depthwise 3x3, dilation 2": (
        replace(DEPTHWISE, dilation=(2, 2), pads=(2, 2, 2, 2)),
        42_000,
    ),
    "56x56x64 depthwise 3x3, two filters a channel": (
        replace(DEPTHWISE, out_channels=128),
        77_000,
    ),
}


@pytest.mark.parametrize("name", GOALS)
def test_the_model_stays_within_the_goal(name: str) -> None:
    layer, goal = GOALS[name]
    assert sum(queue_model([piece.layer for piece in plan(layer, CONFIG)], CONFIG)) <= goal


@pytest.mark.long
def test_the_core_stays_within_the_goals() -> None:
    rng = np.random.default_rng(3)
    cases = [replace(tensors_for(rng, GOALS[name][0], "plain"), name=name) for name in GOALS]
    results = run_layers(cases, CONFIG, "verilator")
    assert len(results) == len(GOALS)
    for result in results:
        assert result.passed, result.message
        assert result.cycles == result.cycles_model, result.name
        assert result.cycles <= GOALS[result.name][1], result.name


FULL = CoreConfig.from_array("16x16", requant_lanes=16)
SHALLOW_ENDS = 220
"""cycles from the first beat to the first window, and from the last one to the last beat"""


def shallow(side: int, channels: int, filters: int) -> LayerCase:
    layer = same_layer(side, channels, filters, 1, 1)
    return replace(tensors_for(np.random.default_rng(4), layer, "plain"), name="shallow")


@pytest.mark.long
def test_a_shallow_layer_runs_at_the_pace_of_the_array() -> None:
    (result,) = run_layers([shallow(112, 16, 96)], FULL, "verilator")
    assert result.passed, result.message
    assert result.cycles == result.cycles_model <= 80_000
    assert result.cycles_limit == 75_264


def test_a_small_shallow_layer_loses_three_cycles_a_row() -> None:
    (result,) = run_layers(
        [shallow(28, 8, 48)], CoreConfig.from_array("8x8", requant_lanes=8), "verilator"
    )
    assert result.passed, result.message
    assert result.cycles == result.cycles_model <= 28 * (28 + 3) * 6 + SHALLOW_ENDS
