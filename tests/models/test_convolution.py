"""Both convolutions against each other, against numbers by hand, and against LiteRT."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from conv_core.models import convolution
from conv_core.models.convolution import accumulate, accumulate_loop
from conv_core.models.layer import Layer, LayerCase
from conv_core.tb.stimuli.random_layers import Mix, random_cases
from tests.oracles import litert_accumulators

ALL = Mix(dilation=True, groups=True, weight_zero_points=True, beyond_tflite=True)
BOTH = pytest.mark.parametrize("model", [accumulate_loop, accumulate])


@BOTH
def test_by_hand_the_kernel_is_not_flipped(model: type[accumulate]) -> None:
    layer = Layer(1, 2, 3, 1, 1, (2, 2), pads=(0, 1, 0, 0), in_zp=1)
    x = np.array([[2, 3, 4], [5, 6, 7]], np.int8).reshape(layer.in_shape)
    w = np.array([[1, 10], [100, -1]], np.int8).reshape(layer.weight_shape)
    case = LayerCase("by hand", layer, x, w, np.array([1000], np.int32))
    # Less the zero point the image is 1 2 3 / 4 5 6, with nothing on its left.
    assert model(case).reshape(-1).tolist() == [
        1000 + 10 * 1 - 4,
        1000 + 1 + 10 * 2 + 100 * 4 - 5,
        1000 + 2 + 10 * 3 + 100 * 5 - 6,
    ]


@BOTH
def test_by_hand_channels_are_added_into_one_plane(model: type[accumulate]) -> None:
    layer = Layer(1, 1, 1, 3, 2, (1, 1))
    x = np.array([1, 2, 3], np.int8).reshape(layer.in_shape)
    w = np.array([[1, 1, 1], [100, 10, 1]], np.int8).reshape(layer.weight_shape)
    case = LayerCase("by hand", layer, x, w, np.zeros(2, np.int32))
    assert model(case).reshape(-1).tolist() == [6, 123]


@BOTH
def test_by_hand_a_window_in_the_padding_gives_the_bias(model: type[accumulate]) -> None:
    layer = Layer(1, 1, 1, 1, 1, (1, 1), stride=(2, 2), pads=(2, 2, 0, 0), in_zp=-128)
    x, w = np.full(layer.in_shape, 127, np.int8), np.full(layer.weight_shape, -128, np.int8)
    case = LayerCase("by hand", layer, x, w, np.array([77], np.int32))
    assert model(case).reshape(-1).tolist() == [77, 77, 77, 77 - 255 * 128]


@BOTH
def test_by_hand_weights_count_from_the_zero_point_of_their_filter(
    model: type[accumulate],
) -> None:
    layer = Layer(1, 1, 1, 2, 3, (1, 1), in_zp=-1)
    x = np.array([1, 2], np.int8).reshape(layer.in_shape)
    w = np.array([[1, 10], [1, 10], [-128, 127]], np.int8).reshape(layer.weight_shape)
    zero_points = np.array([0, 1, 127], np.int32)
    case = LayerCase("by hand", layer, x, w, np.array([1000, 1000, 0], np.int32), zero_points)
    assert model(case).reshape(-1).tolist() == [1000 + 2 + 30, 1000 + 2 * 0 + 3 * 9, 2 * -255]


@BOTH
def test_a_sum_beyond_32_bits_wraps(model: type[accumulate]) -> None:
    layer = Layer(1, 1, 1, 1, 2, (1, 1))
    x = np.full(layer.in_shape, 2, np.int8)
    w = np.array([1, -1], np.int8).reshape(layer.weight_shape)
    case = LayerCase("wrap", layer, x, w, np.array([2**31 - 1, -(2**31)], np.int32))
    assert model(case).reshape(-1).tolist() == [-(2**31) + 1, 2**31 - 2]


@pytest.mark.parametrize("seed", range(4))
def test_fast_convolution_equals_the_loop(seed: int) -> None:
    mix = replace(ALL, max_macs=8_000)
    for case in random_cases(np.random.default_rng((1, seed)), 66, mix):
        np.testing.assert_array_equal(accumulate(case), accumulate_loop(case), str(case.layer))


def test_fast_convolution_is_exact_where_float32_is_not() -> None:
    """Sums of 31 * 31 * 64 products of -128 and 255, and one that only the last bit tells apart."""
    layer = Layer(1, 31, 31, 64, 2, (31, 31))
    x, w = np.full(layer.in_shape, -128, np.int8), np.full(layer.weight_shape, 127, np.int8)
    w[1, -1, -1, -1] = 126
    case = LayerCase("large", layer, x, w, np.ones(2, np.int32), np.full(2, -128, np.int32))
    exact = 1 - 31 * 31 * 64 * 128 * 255
    assert accumulate(case).reshape(-1).tolist() == [exact, exact + 128]


def test_fast_convolution_in_blocks_equals_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolution, "BLOCK_VALUES", 300)
    monkeypatch.setattr(convolution, "EXACT_PRODUCTS", 7)
    for case in random_cases(np.random.default_rng(2), 44, replace(ALL, max_macs=8_000)):
        np.testing.assert_array_equal(accumulate(case), accumulate_loop(case), str(case.layer))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "mix",
    [Mix(), Mix(dilation=True, groups=True, weight_zero_points=True)],
    ids=["core", "all"],
)
def test_accumulators_equal_litert(mix: Mix, seed: int) -> None:
    compared = 0
    for case in random_cases(np.random.default_rng((3, seed)), 99, mix):
        expected = litert_accumulators(case)
        np.testing.assert_array_equal(accumulate(case), expected, f"{case.name} {case.layer}")
        compared += expected.size
    assert compared > 20_000
