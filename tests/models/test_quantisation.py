"""Quantising layers of floating point: scales, zero points, multipliers, the error they make."""

from __future__ import annotations

import numpy as np
import pytest

from conv_core.models.layer import Layer
from conv_core.models.quantisation import asymmetric, convolve, quantise, quantise_multipliers
from conv_core.models.requantisation import result
from tests.oracles import quantise_multiplier


def test_by_hand_scales_and_zero_points_meet_zero_exactly() -> None:
    assert asymmetric(np.array([-1.0, 1.55])) == (pytest.approx(0.01), -28)
    assert asymmetric(np.array([1.0, 2.55])) == (pytest.approx(0.01), -128)
    assert asymmetric(np.array([-2.55, -1.0])) == (pytest.approx(0.01), 127)
    assert asymmetric(np.zeros(3)) == (1.0, -128)
    assert asymmetric(np.array([0.0, 2.55]), finest=0.5) == (0.5, -128)


def test_multipliers_are_those_of_tflite() -> None:
    rng = np.random.default_rng(1)
    real = 2.0 ** rng.uniform(-40, 6, 1000)
    real[:6] = (0.5, 1, 1 - 2.0**-40, 0, 2.0**-32, 2.0**-33)
    mult, shift = quantise_multipliers(real)
    assert mult.dtype == shift.dtype == np.int32
    expected = [quantise_multiplier(float(value)) for value in real]
    assert list(zip(mult.tolist(), shift.tolist(), strict=True)) == expected


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_the_float_convolution_is_the_formula(groups: int) -> None:
    rng = np.random.default_rng(groups)
    layer = Layer(2, 6, 7, 4, 8, (3, 2), (2, 1), (1, 2), (1, 0, 2, 1), groups=groups)
    x, w = rng.normal(size=layer.in_shape), rng.normal(size=layer.weight_shape)
    padded = np.pad(x, ((0, 0), (1, 2), (0, 1), (0, 0)))
    y = convolve(layer, x, w)
    assert y.shape == layer.out_shape
    channels, filters = 4 // groups, 8 // groups
    for n, oy, ox, o in np.ndindex(layer.out_shape):
        first = o // filters * channels
        rows, columns = slice(2 * oy, 2 * oy + 3), slice(ox, ox + 3, 2)
        window = padded[n, rows, columns, first : first + channels]
        assert y[n, oy, ox, o] == pytest.approx(np.sum(window * w[o]))


@pytest.mark.parametrize("rounding", ["tflite", "single", "float"])
def test_random_layers_come_within_a_few_steps_of_the_float_result(rounding: str) -> None:
    rng = np.random.default_rng(4)
    for groups in (1, 2, 8):
        layer = Layer(1, 9, 9, 8, 16, (3, 3), pads=(1, 1, 1, 1), groups=groups, rounding=rounding)
        x, w = rng.normal(size=layer.in_shape), rng.normal(size=layer.weight_shape)
        case, quantisation = quantise("layer", layer, x, w, rng.normal(size=16))
        y = result(case)
        assert y.dtype == np.int8
        assert quantisation.error(y).largest < 4 * quantisation.out_scale
        assert np.abs(case.w).max(axis=(1, 2, 3)).tolist() == [127] * 16
        by_mult = (case.mult is not None, case.scale is not None)
        assert by_mult == ((False, True) if rounding == "float" else (True, False))


def test_channels_without_weights_and_with_large_biases_keep_their_bias() -> None:
    layer = Layer(1, 2, 2, 3, 3, (1, 1))
    x = np.linspace(0, 1e-6, 12).reshape(layer.in_shape)
    w = np.zeros(layer.weight_shape)
    w[2] = 1e-12
    case, quantisation = quantise("dead", layer, x, w, np.array([0.0, 1000.0, -1000.0]))
    error = quantisation.error(result(case))
    assert error.largest <= quantisation.out_scale
    assert (error.lowest_result, error.highest_result) == (pytest.approx(-1000), 1000)


def test_results_that_cancel_out_stay_in_the_range_of_the_multipliers() -> None:
    layer = Layer(1, 4, 4, 2, 1, (1, 1))
    x = np.repeat(np.random.default_rng(3).normal(size=(1, 4, 4, 1)), 2, axis=3)
    w = np.array([1.0, -1.0 + 1e-9]).reshape(layer.weight_shape)
    case, quantisation = quantise("cancelled", layer, x, w, np.zeros(1))
    assert quantisation.error(result(case)).largest < 2 * quantisation.out_scale


def test_zeros_are_quantised_to_zeros() -> None:
    layer = Layer(1, 3, 3, 2, 4, (2, 2))
    zeros = np.zeros(layer.in_shape), np.zeros(layer.weight_shape), np.zeros(4)
    case, quantisation = quantise("zeros", layer, *zeros)
    assert quantisation.error(result(case)).largest == 0
