"""The random layers: are all the extremes among them, and do they stay within their limits?"""

from __future__ import annotations

import numpy as np
import pytest

from conv_core.models.convolution import accumulate
from conv_core.models.layer import Layer, LayerCase
from conv_core.models.requantisation import result
from conv_core.tb.stimuli.random_layers import (
    GEOMETRIES,
    VALUES,
    Mix,
    question_case,
    random_case,
    random_cases,
)

COUNT = 300


@pytest.fixture(scope="module")
def cases() -> list[LayerCase]:
    return random_cases(np.random.default_rng(8), COUNT)


@pytest.fixture(scope="module")
def layers(cases: list[LayerCase]) -> list[Layer]:
    return [case.layer for case in cases]


def test_every_extreme_of_the_geometry_is_there(layers: list[Layer]) -> None:
    claims = {
        "channels 1, 3 and 65 on both sides": {1, 3, 65}
        <= {layer.in_channels for layer in layers} & {layer.out_channels for layer in layers},
        "images of one pixel": any(layer.height == layer.width == 1 for layer in layers),
        "images smaller than the kernel": any(
            layer.height < layer.kernel[0] and layer.width < layer.kernel[1] for layer in layers
        ),
        "windows wholly in the padding": any(
            not layer.rows.taps_inside.any(axis=1).all() for layer in layers
        ),
        "four different pads": any(len(set(layer.pads)) == 4 for layer in layers),
        "strides of 4 both ways": any(layer.stride == (4, 4) for layer in layers),
        "strides that differ": any(layer.stride[0] != layer.stride[1] for layer in layers),
        "kernels of 31x31": any(layer.kernel == (31, 31) for layer in layers),
        "kernels of 31, not square": any(
            max(layer.kernel) == 31 and min(layer.kernel) < 31 for layer in layers
        ),
        "kernels of a column": any(layer.kernel == (21, 1) for layer in layers),
        "batches": any(layer.batch > 2 for layer in layers),
        "fully connected layers": any(
            layer.in_shape[1:3] == layer.kernel == (1, 1) and layer.in_channels > 65
            for layer in layers
        ),
    }
    assert [claim for claim, holds in claims.items() if not holds] == []


def test_every_extreme_of_the_values_is_there(cases: list[LayerCase]) -> None:
    requantised = [case for case in cases if case.layer.requantise]
    accumulators = [np.abs(accumulate(case).astype(np.int64)).max() for case in requantised]
    claims = {
        "accumulators above 2^24": max(accumulators) > 2**24,
        "no accumulator that wraps": max(accumulators) < 2**31 - 2**28,
        "exact ties": any("ties" in case.name for case in requantised),
        "biases of 2^30 with shift -31": any(
            ((case.bias == 2**30) & (case.shift == -31)).any() for case in requantised
        ),
        "biases of -2^30 with shift -31": any(
            ((case.bias == -(2**30)) & (case.shift == -31)).any() for case in requantised
        ),
        "multipliers of 0": any((case.mult == 0).any() for case in requantised),
        "left shifts of 7": any((case.shift == 7).any() for case in requantised),
        "zero points at both ends": {-128, 127}
        <= {case.layer.in_zp for case in cases} & {case.layer.out_zp for case in cases},
        "clamps at both ends": {-128, 127}
        <= {case.layer.act_min for case in cases} & {case.layer.act_max for case in cases},
        "clamps in between": any(
            case.layer.act_min > -128 and case.layer.act_max < 127 for case in cases
        ),
        "values -128 and 127": any(set(np.unique(case.x)) == {-128, 127} for case in cases),
        "int32 results": len(requantised) < len(cases),
    }
    assert [claim for claim, holds in claims.items() if not holds] == []


def test_exact_ties_are_met_in_both_directions(cases: list[LayerCase]) -> None:
    ties = {-1: 0, 1: 0}
    for case in cases:
        if case.layer.requantise and "ties" in case.name:
            shift = np.broadcast_to(case.shift, case.layer.out_shape)
            high = (accumulate(case) + 1) // 2
            tie = (shift < 0) & (high % 2 ** np.abs(shift) == 2 ** np.abs(shift) // 2)
            for sign in ties:
                ties[sign] += np.count_nonzero(tie & (np.sign(high) == sign))
    assert min(ties.values()) > 100


def test_results_are_spread_over_int8(cases: list[LayerCase]) -> None:
    """A layer whose results are all alike tests little: most must not be so."""
    spread = [len(np.unique(result(case))) > 4 for case in cases if case.layer.requantise]
    assert np.mean(spread) > 0.5


def test_every_kind_is_named_and_met(cases: list[LayerCase]) -> None:
    names = [case.name for case in cases]
    assert len(set(names)) == COUNT
    for kind in GEOMETRIES:
        assert any(f"-{kind}-" in name for name in names), kind
    for kind in set(VALUES) - {"wrapping", "large-left"}:
        assert any(name.endswith(f"-{kind}") for name in names), kind


def test_layers_are_as_small_as_asked_for() -> None:
    for max_macs in (1_000, 50_000):
        mix = Mix(max_macs=max_macs, dilation=True, groups=True)
        layers = [case.layer for case in random_cases(np.random.default_rng(9), 66, mix)]
        assert max_macs / 2 < max(layer.macs for layer in layers) <= max_macs


def test_what_is_not_asked_for_does_not_come(cases: list[LayerCase], layers: list[Layer]) -> None:
    assert not any(case.w_zp.any() for case in cases)
    for layer in layers:
        assert (layer.dilation, layer.groups, layer.rounding) == ((1, 1), 1, "tflite")


def test_what_is_asked_for_comes() -> None:
    mix = Mix(
        dilation=True,
        groups=True,
        float_rounding=True,
        single_rounding=True,
        weight_zero_points=True,
        beyond_tflite=True,
    )
    cases = random_cases(np.random.default_rng(10), 200, mix)
    zero_points = [set(case.w_zp.tolist()) for case in cases]
    assert 60 < sum(each == {0} for each in zero_points) < 140
    assert {-128} in zero_points
    assert {127} in zero_points
    assert any(len(each) > 1 for each in zero_points)
    largest = [int(np.abs(case.centred_weights).max()) for case in cases]
    assert max(largest) == 255
    layers = [case.layer for case in cases]
    assert {layer.dilation[0] for layer in layers} == {1, 2, 3, 4}
    assert any(layer.groups == layer.in_channels > 1 for layer in layers)
    assert any(1 < layer.groups < layer.in_channels for layer in layers)
    assert {layer.rounding for layer in layers} == {"tflite", "single", "float"}
    assert any(case.name.endswith("-wrapping") for case in cases)


def test_one_seed_gives_the_same_layers() -> None:
    first, second = (random_cases(np.random.default_rng(11), 20) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert one.layer == other.layer
        np.testing.assert_array_equal(one.x, other.x)
        np.testing.assert_array_equal(one.w, other.w)


def test_more_layers_do_not_change_the_first_ones() -> None:
    few, many = (random_cases(np.random.default_rng(12), count) for count in (5, 50))
    assert [case.layer for case in few] == [case.layer for case in many[:5]]


def test_zero_points_change_nothing_else() -> None:
    few, many = (
        random_cases(np.random.default_rng(16), 44, Mix(weight_zero_points=points))
        for points in (False, True)
    )
    for one, other in zip(few, many, strict=True):
        assert one.layer == other.layer
        np.testing.assert_array_equal(one.x, other.x)
        np.testing.assert_array_equal(one.bias, other.bias)


def test_values_do_not_change_the_geometry() -> None:
    plain, ties = (random_case(np.random.default_rng(13), "primes", v) for v in ("plain", "ties"))
    for field in ("in_shape", "weight_shape", "stride", "pads"):
        assert getattr(plain.layer, field) == getattr(ties.layer, field)


def test_the_question_is_a_case() -> None:
    case = question_case(np.random.default_rng(14))
    assert str(case.layer) == "(11, 11, 64) * (3, 3, 64, 64) -> (11, 11, 64)"
    assert result(case).dtype == np.int8
    assert len(np.unique(result(case))) > 50
    assert result(question_case(np.random.default_rng(14), requantise=False)).dtype == np.int32
