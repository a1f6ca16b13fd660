"""The models against ONNX: its node tests, and ONNX Runtime on random layers."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest

from conv_core.models.convolution import accumulate
from conv_core.models.layer import LayerCase
from conv_core.models.requantisation import result
from conv_core.tb.stimuli.random_layers import Mix, random_cases
from tests.onnx_oracles import (
    NotOursError,
    case_of,
    node_tests,
    onnxruntime_accumulators,
    onnxruntime_conv,
)

LAYERS = (
    *("test_basic_conv_with_padding", "test_basic_conv_without_padding"),
    *("test_conv_with_strides_padding", "test_conv_with_strides_no_padding"),
    *("test_conv_with_strides_and_asymmetric_padding", "test_conv_with_autopad_same"),
    *("test_convinteger_without_padding", "test_convinteger_with_padding", "test_qlinearconv"),
)


def assert_results_are_expected(case: LayerCase) -> None:
    expected = case.expected_y if case.layer.requantise else case.expected_acc
    assert expected is not None
    assert expected.size
    np.testing.assert_array_equal(result(case), expected, case.name)


def test_every_node_test_is_a_layer() -> None:
    assert {test.name for test in node_tests()} == set(LAYERS)


@pytest.mark.parametrize("name", LAYERS)
def test_node_tests_give_what_onnx_expects(name: str) -> None:
    (test,) = (test for test in node_tests() if test.name == name)
    assert_results_are_expected(case_of(test))


def test_an_image_of_one_dimension_is_refused_with_the_reason() -> None:
    test = copy.deepcopy(node_tests()[0])
    ((inputs, _),) = test.data_sets
    inputs[0] = inputs[0][..., 0]
    with pytest.raises(NotOursError, match="the image has 1 dimensions, not 2"):
        case_of(test)


@pytest.mark.parametrize("seed", range(2))
def test_results_of_the_float_rule_equal_onnxruntime(seed: int) -> None:
    mix = Mix(
        accumulators=0, dilation=True, groups=True, float_rounding=True, weight_zero_points=True
    )
    compared = with_one = with_each = 0
    for case in random_cases(np.random.default_rng([8, seed]), 198, mix):
        if case.scale is not None:
            y, which = result(case), f"{case.name} {case.layer}"
            np.testing.assert_array_equal(y, onnxruntime_conv(case), which)
            compared += y.size
            zero_points = len(set(case.w_zp.tolist()))
            with_one += zero_points == 1 and case.w_zp.any()
            with_each += zero_points > 1
    assert compared > 20_000
    assert min(with_one, with_each) > 10


@pytest.mark.parametrize("seed", range(2))
def test_accumulators_of_weights_with_a_zero_point_equal_onnxruntime(seed: int) -> None:
    mix = Mix(dilation=True, groups=True, weight_zero_points=True)
    compared = 0
    for case in random_cases(np.random.default_rng([9, seed]), 198, mix):
        if len(set(case.w_zp.tolist())) == 1 and case.w_zp.any():
            acc = accumulate(replace(case, bias=np.zeros_like(case.bias)))
            expected = onnxruntime_accumulators(case)
            np.testing.assert_array_equal(acc, expected, f"{case.name} {case.layer}")
            compared += acc.size
    assert compared > 10_000
