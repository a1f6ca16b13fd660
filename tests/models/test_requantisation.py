"""Requantisation against exact arithmetic, numbers by hand, and three frameworks."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from conv_core.models.layer import INT8_MAX, INT8_MIN, Int32Array
from conv_core.models.requantisation import requantise, requantise_float, requantise_single, result
from conv_core.tb.stimuli.random_layers import Mix, random_cases
from tests.oracles import (
    ScaledCase,
    litert_conv,
    litert_uint8_conv,
    quantise_multiplier,
    realise,
    tflite_micro_conv,
    xnnpack_conv,
)

HALF = 2**30
FULL = (0, INT8_MIN, INT8_MAX)


def ints(*values: int) -> Int32Array:
    return np.array(values, np.int32)


def exact(acc: int, mult: int, shift: int, out_zp: int, act_min: int, act_max: int) -> int:
    """The rule `tflite` as DESIGN states it, in fractions."""
    high = math.floor(Fraction(acc * 2 ** max(shift, 0) * mult, 2**31) + Fraction(1, 2))
    quotient = Fraction(high, 2 ** max(-shift, 0))
    nearest = math.floor(abs(quotient) + Fraction(1, 2)) * (-1 if quotient < 0 else 1)
    return min(max(nearest + out_zp, act_min), act_max)


def exact_once(acc: int, mult: int, shift: int, out_zp: int, act_min: int, act_max: int) -> int:
    """The rule `single`, in fractions."""
    product = acc * mult * Fraction(2) ** (shift - 31)
    nearest = math.floor(abs(product) + Fraction(1, 2)) * (-1 if product < 0 else 1)
    return min(max(nearest + out_zp, act_min), act_max)


def test_by_hand_ties_of_the_first_rounding_go_up_of_the_second_away_from_zero() -> None:
    acc = ints(1, 3, -1, -3)
    assert requantise(acc, ints(HALF), ints(0), *FULL).tolist() == [1, 2, 0, -1]
    # First 2, 6, -2, -6 halved, exactly; then the quarter of 1, 3, -1, -3 times 2.
    acc = ints(2, 6, -2, -6)
    assert requantise(acc, ints(HALF), ints(-1), *FULL).tolist() == [1, 2, -1, -2]


def test_by_hand_zero_point_comes_before_the_clamps() -> None:
    acc = ints(-2000, -20, 0, 20, 2000)
    assert requantise(acc, ints(HALF), ints(0), 5, -4, 14).tolist() == [-4, -4, 5, 14, 14]
    assert requantise_float(acc, np.array([0.5], np.float32), 5, -4, 14).tolist() == [
        *(-4, -4, 5, 14, 14)
    ]


def test_by_hand_channels_have_multipliers_of_their_own() -> None:
    acc = ints(100, 100, 100, 2**30).reshape(1, 1, 1, 4)
    y = requantise(acc, ints(HALF, HALF, 0, 2**31 - 1), ints(0, -2, 0, -31), *FULL)
    assert y.shape == acc.shape
    assert y.reshape(-1).tolist() == [50, 13, 0, 1]


@pytest.mark.parametrize("seed", range(4))
def test_tflite_and_single_rules_equal_exact_arithmetic(seed: int) -> None:
    rng = np.random.default_rng((4, seed))
    edges = (-(2**31), -(2**31) + 1, -HALF, -1, 0, 1, HALF, 2**31 - 2, 2**31 - 1)
    acc = np.concatenate(
        [ints(*edges), rng.integers(-(2**31), 2**31, 200) >> rng.integers(0, 31, 200)]
    )
    acc = acc.astype(np.int32).reshape(-1, 1)
    mult = np.concatenate([ints(0, 1, HALF, HALF + 1, 2**31 - 1), rng.integers(HALF, 2**31, 40)])
    shift = rng.integers(-31, 8, mult.size)
    shift[::7] = (-31, 7, 0, -1, 1, -30, 6)
    y = requantise(acc, mult.astype(np.int32), shift.astype(np.int32), 3, -100, 101)
    single = requantise_single(acc, mult.astype(np.int32), shift.astype(np.int32), 3, -100, 101)
    assert single.tolist() == [
        [exact_once(int(a), int(m), int(s), 3, -100, 101) for m, s in zip(mult, shift, strict=True)]
        for a in acc[:, 0]
    ]
    expected = [
        [exact(int(a), int(m), int(s), 3, -100, 101) for m, s in zip(mult, shift, strict=True)]
        for a in acc[:, 0]
    ]
    assert y.tolist() == expected


def test_tflite_rule_does_not_overflow_on_left_shifts() -> None:
    acc = ints(2**31 - 1, -(2**31))
    assert requantise(acc, ints(2**31 - 1), ints(7), *FULL).tolist() == [127, -128]
    assert requantise(acc, ints(1), ints(7), *FULL).tolist() == [127, -128]
    assert requantise(acc, ints(1), ints(5), *FULL).tolist() == [32, -32]


def test_single_rule_rounds_once_ties_away_from_zero() -> None:
    assert requantise_single(ints(1, 3, -1, -3), ints(HALF), ints(0), *FULL).tolist() == [
        *(1, 2, -1, -2)
    ]
    acc = ints(7, 8, 24, -7, -8, -24)  # sixteenths; tflite rounds 7 to 4 eighths first
    assert requantise_single(acc, ints(HALF), ints(-3), *FULL).tolist() == [0, 1, 2, 0, -1, -2]
    assert requantise(acc, ints(HALF), ints(-3), *FULL).tolist() == [1, 1, 2, 0, -1, -2]
    extremes = ints(2**31 - 1, -(2**31))
    assert requantise_single(extremes, ints(2**31 - 1), ints(9), *FULL).tolist() == [127, -128]
    assert requantise_single(extremes, ints(2**31 - 1), ints(-40), *FULL).tolist() == [1, -1]


def test_float_rule_rounds_half_to_even() -> None:
    acc = ints(1, 3, 5, -1, -3, -5)
    half = np.array([0.5], np.float32)
    assert requantise_float(acc, half, *FULL).tolist() == [0, 2, 2, 0, -2, -2]


def test_float_rule_rounds_accumulators_to_float32() -> None:
    """2^24 + 1 becomes 2^24, and that times 2.5 * 2^-24 is a tie."""
    scale = np.array([2.5 * 2.0**-24], np.float32)
    assert requantise_float(ints(2**24 + 1, 2**24 + 2), scale, *FULL).tolist() == [2, 3]


def test_float_rule_rounds_products_to_float32() -> None:
    """Three times the float32 next to 1/6 is above a half, but not in float32."""
    assert requantise_float(ints(3), np.array([1 / 6], np.float32), *FULL).tolist() == [0]


def test_float_rule_clamps_infinity() -> None:
    huge = np.array([3e38], np.float32)
    assert requantise_float(ints(2**31 - 1, -(2**31)), huge, 7, -100, 101).tolist() == [101, -100]


def test_shifts_out_of_range_count_as_the_last_ones() -> None:
    acc, mult = ints(5, -(2**31)), ints(2**30, 2**31 - 1)
    for shift, same in ((9, 8), (127, 8), (-32, -31), (-128, -31)):
        y = requantise(acc, mult, ints(shift, shift), *FULL)
        assert y.tolist() == [
            exact(int(a), int(m), same, *FULL) for a, m in zip(acc, mult, strict=True)
        ]


def test_scales_that_are_no_numbers_are_larger_than_all_others() -> None:
    acc = ints(-3, 0, 3)
    for scale in (np.inf, -np.inf, np.nan):
        y = requantise_float(acc, np.array([scale], np.float32), 5, -4, 14)
        assert y.tolist() == [-4, 5, 14]
    for scale in (0.0, -0.0, 1e-45, -1e-39):
        y = requantise_float(acc, np.array([scale], np.float32), 5, -4, 14)
        assert y.tolist() == [5, 5, 5]
    half = np.array([-0.5], np.float32)
    assert requantise_float(ints(-3, 4), half, *FULL).tolist() == [-2, 2]


def test_multipliers_of_the_oracle_are_tensorflows() -> None:
    assert quantise_multiplier(0.5) == (2**30, 0)
    assert quantise_multiplier(1.0) == (2**30, 1)
    assert quantise_multiplier(0.25 + 2**-32) == (2**30 + 1, -1)
    assert quantise_multiplier(1 - 2**-40) == (2**30, 1)  # the mantissa rounds up to 1
    assert quantise_multiplier(2.0**-32) == (2**30, -31)
    assert quantise_multiplier(2.0**-33) == (0, 0)
    assert quantise_multiplier(0.0) == (0, 0)


def scaled_cases(seed: int, count: int, mix: Mix) -> list[ScaledCase]:
    rng, scales = np.random.default_rng((5, seed)).spawn(2)
    return [realise(case, scales) for case in random_cases(rng, count, mix)]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("more", [False, True], ids=["core", "dilation-groups"])
def test_results_equal_litert_and_tflite_micro(more: bool, seed: int) -> None:
    cases = scaled_cases(seed, 99, Mix(accumulators=0, dilation=more, groups=more))
    compared = 0
    for scaled, second in zip(cases, tflite_micro_conv(cases), strict=True):
        y, which = result(scaled.case), f"{scaled.case.name} {scaled.case.layer}"
        np.testing.assert_array_equal(y, litert_conv(scaled), f"LiteRT: {which}")
        np.testing.assert_array_equal(y, second, f"tflite-micro: {which}")
        compared += y.size
    assert compared > 20_000


@pytest.mark.parametrize("seed", range(2))
def test_results_of_the_float_rule_equal_xnnpack(seed: int) -> None:
    mix = Mix(accumulators=0, float_rounding=True)
    compared = differs_from_reference = 0
    for scaled in scaled_cases(seed, 198, mix):
        scale = scaled.case.scale
        if scale is not None and ((scale >= 2**-32) & (scale < 256)).all():
            y, which = result(scaled.case), f"{scaled.case.name} {scaled.case.layer}"
            np.testing.assert_array_equal(y, xnnpack_conv(scaled), which)
            compared += y.size
            differs_from_reference += np.count_nonzero(y != litert_conv(scaled))
    assert compared > 20_000
    assert differs_from_reference > 0, "it was not XNNPACK that ran"


@pytest.mark.parametrize("seed", range(2))
def test_results_of_uint8_layers_equal_litert(seed: int) -> None:
    """As in TensorFlow Lite's uint8 networks: one scale and one zero point for all weights."""
    compared = 0
    mix = Mix(accumulators=0, dilation=True, groups=True, weight_zero_points=True)
    for case in random_cases(np.random.default_rng((7, seed)), 198, mix):
        if len(set(case.w_zp.tolist())) == 1 and case.w_zp.any() and (case.mult > 0).all():
            scale = np.ldexp(float(case.mult[0]), int(case.shift[0]) - 31).astype(np.float32)
            mult, shift = quantise_multiplier(float(scale))
            channels = case.layer.out_channels
            case = replace(
                case,
                layer=replace(case.layer, act_min=INT8_MIN, act_max=INT8_MAX),
                mult=np.full(channels, mult, np.int32),
                shift=np.full(channels, shift, np.int32),
            )
            y, which = result(case), f"{case.name} {case.layer}"
            np.testing.assert_array_equal(y, litert_uint8_conv(case, float(scale)), which)
            compared += y.size
    assert compared > 10_000


def test_accumulators_come_out_as_they_are() -> None:
    for case in random_cases(np.random.default_rng(6), 11, Mix(accumulators=1)):
        assert result(case).dtype == np.int32
