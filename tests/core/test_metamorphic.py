"""What must hold between the results of related layers, whatever the model says of each.

No expectation here comes from models/convolution.py or models/requantisation.py: results out of the
RTL are compared with other results out of the RTL.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer, LayerCase
from conv_core.tb.runs.layers import run_layers
from conv_core.tb.stimuli.random_layers import Mix, random_cases
from tests.cases import case_of

CONFIG = CoreConfig.from_array("4x8")
MIX = Mix(max_macs=5_000, dilation=True, weight_zero_points=True)
FLOAT_MIX = replace(MIX, float_rounding=True)
LAYERS = 11
Values = NDArray[np.generic]


def through_rtl(cases: list[LayerCase], simulator: str) -> list[Values]:
    """The results of all layers, none missing."""
    values = []
    for result in run_layers(cases, CONFIG, simulator, seed=70):
        assert result.passed, result.message
        assert result.values is not None
        assert result.values.size > 0
        values.append(result.values)
    return values


@cache
def layers(accumulators: bool = False) -> tuple[LayerCase, ...]:
    """One layer of each kind of geometry."""
    mix = replace(MIX, accumulators=1.0) if accumulators else FLOAT_MIX
    return tuple(random_cases(np.random.default_rng([71, accumulators]), LAYERS, mix))


@cache
def results(simulator: str, accumulators: bool = False) -> tuple[Values, ...]:
    return tuple(through_rtl(list(layers(accumulators)), simulator))


def of_channels(case: LayerCase, channels: slice) -> LayerCase:
    """The layer on some of its input channels."""
    x, w = case.x[..., channels].copy(), case.w[..., channels].copy()
    return replace(case, layer=replace(case.layer, in_channels=x.shape[3]), x=x, w=w)


def test_permuted_filters_permute_the_results(simulator: str) -> None:
    rng = np.random.default_rng(72)
    orders = [rng.permutation(case.layer.out_channels) for case in layers()]
    permuted = [
        replace(
            case,
            w=case.w[order],
            bias=case.bias[order],
            w_zp=case.w_zp[order],
            mult=None if case.mult is None else case.mult[order],
            shift=None if case.shift is None else case.shift[order],
            scale=None if case.scale is None else case.scale[order],
        )
        for case, order in zip(layers(), orders, strict=True)
    ]
    for before, after, order in zip(
        results(simulator), through_rtl(permuted, simulator), orders, strict=True
    ):
        assert np.array_equal(after, before[..., order])


def test_channels_without_weights_change_nothing(simulator: str) -> None:
    rng = np.random.default_rng(73)
    wider = []
    for case in layers():
        more = int(rng.integers(1, 10))
        x = np.concatenate(
            [case.x, rng.integers(-128, 128, (*case.x.shape[:3], more), np.int8)], axis=3
        )
        nothing = np.broadcast_to(case.w_zp[:, None, None, None], (*case.w.shape[:3], more))
        w = np.concatenate([case.w, nothing.astype(np.int8)], axis=3)
        layer = replace(case.layer, in_channels=x.shape[3])
        wider.append(replace(case, layer=layer, x=x, w=w))
    for before, after in zip(results(simulator), through_rtl(wider, simulator), strict=True):
        assert np.array_equal(after, before)


def test_a_layer_split_by_input_channels_adds_up(simulator: str) -> None:
    split = [case for case in layers(accumulators=True) if case.layer.in_channels > 1]
    assert len(split) > LAYERS // 2
    halves = []
    for case in split:
        cut = case.layer.in_channels // 2
        halves.append(of_channels(case, slice(cut)))
        halves.append(replace(of_channels(case, slice(cut, None)), bias=np.zeros_like(case.bias)))
    parts = through_rtl(halves, simulator)
    whole = dict(zip(layers(accumulators=True), results(simulator, True), strict=True))
    for case, first, second in zip(split, parts[::2], parts[1::2], strict=True):
        # int32 wraps, in the core and in numpy.
        assert np.array_equal(whole[case], first + second)


def test_frames_do_not_know_of_each_other(simulator: str) -> None:
    batches = []
    for case in layers():
        other = case.x[:, ::-1, ::-1]
        x = np.concatenate([other, case.x])
        batches.append(replace(case, layer=replace(case.layer, batch=len(x)), x=x))
    for before, after in zip(results(simulator), through_rtl(batches, simulator), strict=True):
        assert np.array_equal(after[len(before) :], before)


@pytest.mark.parametrize("stride", [(1, 1), (2, 1), (1, 3)])
def test_a_shifted_image_shifts_the_result(simulator: str, stride: tuple[int, int]) -> None:
    rng = np.random.default_rng(74)
    layer = Layer(1, 12, 13, 5, 9, (3, 2), stride, in_zp=-7)
    case = case_of(layer, rng, "image", bias=9999)
    down, right = 2 * stride[0], stride[1]
    moved = rng.integers(-128, 128, layer.in_shape, np.int8)
    moved[:, down:, right:] = case.x[:, :-down, :-right]
    before, after = through_rtl([case, replace(case, x=moved)], simulator)
    assert np.array_equal(after[:, 2:, 1:], before[:, :-2, :-1])


def test_negated_weights_and_bias_negate_the_accumulators(simulator: str) -> None:
    cases = [
        replace(
            case,
            w=np.maximum(case.w, -127),
            w_zp=np.maximum(case.w_zp, -127),
            bias=np.maximum(case.bias, -(2**31) + 1),
        )
        for case in layers(accumulators=True)
    ]
    negated = [replace(case, w=-case.w, w_zp=-case.w_zp, bias=-case.bias) for case in cases]
    values = through_rtl([*cases, *negated], simulator)
    for plus, minus in zip(values[:LAYERS], values[LAYERS:], strict=True):
        assert np.array_equal(-plus, minus)
