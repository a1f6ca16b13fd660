"""The models against ONNX: its node tests, and ONNX Runtime on random layers."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from onnx.reference import ReferenceEvaluator

from models.layer import LayerCase
from models.random_layers import Mix, random_cases
from models.requantisation import result
from tests.onnx_oracles import NotOursError, case_of, node_tests, onnxruntime_conv

LAYERS = (
    *("test_basic_conv_with_padding", "test_basic_conv_without_padding"),
    *("test_conv_with_strides_padding", "test_conv_with_strides_no_padding"),
    *("test_conv_with_strides_and_asymmetric_padding", "test_conv_with_autopad_same"),
    *("test_convinteger_without_padding", "test_convinteger_with_padding"),
)
REFUSED = {"test_qlinearconv": "weights minus zero point: -255 to -255 do not fit in int8"}


def assert_results_are_expected(case: LayerCase) -> None:
    expected = case.expected_y if case.layer.requantise else case.expected_acc
    assert expected is not None
    assert expected.size
    np.testing.assert_array_equal(result(case), expected, case.name)


def test_every_node_test_is_a_layer_or_refused_by_name() -> None:
    assert {test.name for test in node_tests()} == {*LAYERS, *REFUSED}


@pytest.mark.parametrize("name", LAYERS)
def test_node_tests_give_what_onnx_expects(name: str) -> None:
    (test,) = (test for test in node_tests() if test.name == name)
    assert_results_are_expected(case_of(test))


@pytest.mark.parametrize(("name", "reason"), REFUSED.items())
def test_node_tests_that_are_no_layers_are_refused_with_the_reason(name: str, reason: str) -> None:
    (test,) = (test for test in node_tests() if test.name == name)
    with pytest.raises(NotOursError, match=reason):
        case_of(test)


def test_the_refused_node_test_with_weights_that_fit_is_a_layer() -> None:
    (test,) = (copy.deepcopy(test) for test in node_tests() if test.name == "test_qlinearconv")
    (((*inputs,), _),) = test.data_sets
    inputs[5] = np.array([100], np.uint8)  # the weights' zero point
    names = [each.name for each in test.model.graph.input]
    expected = ReferenceEvaluator(test.model).run(None, dict(zip(names, inputs, strict=True)))
    test.data_sets = [(inputs, expected)]
    case = case_of(test)
    assert case.layer.requantise
    assert len(np.unique(expected[0])) > 30
    assert_results_are_expected(case)


@pytest.mark.parametrize("seed", range(2))
def test_results_of_the_float_rule_equal_onnxruntime(seed: int) -> None:
    mix = Mix(accumulators=0, dilation=True, groups=True, float_rounding=True)
    compared = 0
    for case in random_cases(np.random.default_rng([8, seed]), 198, mix):
        if case.scale is not None:
            y, which = result(case), f"{case.name} {case.layer}"
            np.testing.assert_array_equal(y, onnxruntime_conv(case), which)
            compared += y.size
    assert compared > 20_000
