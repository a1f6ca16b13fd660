"""Shapes, counts and refusals of `conv_core.models.layer`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from conv_core.models.layer import Layer, LayerCase, LayerError, same_pads

QUESTION = Layer(1, 11, 11, 64, 64, (3, 3), pads=(1, 1, 1, 1))


def a_layer(**changes: Any) -> Layer:
    fields: dict[str, Any] = {
        "batch": 1,
        "height": 5,
        "width": 6,
        "in_channels": 4,
        "out_channels": 8,
        "kernel": (3, 2),
    }
    return Layer(**(fields | changes))


def a_case(layer: Layer, **changes: Any) -> LayerCase:
    channels = layer.out_channels
    fields: dict[str, Any] = {
        "x": np.zeros(layer.in_shape, np.int8),
        "w": np.zeros(layer.weight_shape, np.int8),
        "bias": np.zeros(channels, np.int32),
    }
    if layer.requantise and layer.rounding != "float":
        fields["mult"] = np.zeros(channels, np.int32)
        fields["shift"] = np.zeros(channels, np.int32)
    if layer.requantise and layer.rounding == "float":
        fields["scale"] = np.zeros(channels, np.float32)
    return LayerCase("a", layer, **(fields | changes))


def test_layer_of_the_question_has_the_published_counts() -> None:
    assert QUESTION.out_shape == (1, 11, 11, 64)
    assert QUESTION.weight_shape == (64, 3, 3, 64)
    assert QUESTION.macs == 4_460_544
    assert QUESTION.macs_inside == 3_936_256
    assert QUESTION.rows.taps_inside.sum() * QUESTION.columns.taps_inside.sum() == 961
    assert str(QUESTION) == "(11, 11, 64) * (3, 3, 64, 64) -> (11, 11, 64)"


# Layers of published networks: their output sizes are facts of the frameworks.
@pytest.mark.parametrize(
    ("size", "kernel", "stride", "dilation", "pads", "outputs"),
    [
        ((224, 224), (7, 7), (2, 2), (1, 1), (3, 3, 3, 3), (112, 112)),  # ResNet-50 in PyTorch
        ((227, 227), (11, 11), (4, 4), (1, 1), (0, 0, 0, 0), (55, 55)),  # AlexNet
        ((49, 10), (10, 4), (2, 2), (1, 1), (4, 1, 5, 1), (25, 5)),  # DS-CNN, padding same
        ((8, 8), (3, 3), (1, 1), (4, 4), (4, 4, 4, 4), (8, 8)),
        ((5, 7), (3, 2), (2, 3), (2, 4), (0, 0, 0, 0), (1, 1)),
        ((6, 1), (4, 1), (3, 1), (1, 1), (0, 0, 0, 0), (1, 1)),  # the last two rows go unused
    ],
)
def test_output_size_is_the_frameworks(
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    pads: tuple[int, int, int, int],
    outputs: tuple[int, int],
) -> None:
    layer = Layer(1, *size, 1, 1, kernel, stride, dilation, pads)
    assert (layer.out_height, layer.out_width) == outputs


# As TensorFlow pads: tf.nn's page on padding, and Keras' MobileNet for the even sizes.
@pytest.mark.parametrize(
    ("size", "kernel", "stride", "dilation", "pads"),
    [
        ((11, 11), (3, 3), (1, 1), (1, 1), (1, 1, 1, 1)),
        ((224, 224), (3, 3), (2, 2), (1, 1), (0, 0, 1, 1)),
        ((49, 10), (10, 4), (2, 2), (1, 1), (4, 1, 5, 1)),
        ((112, 112), (7, 7), (2, 2), (1, 1), (2, 2, 3, 3)),
        ((13, 13), (2, 2), (1, 1), (1, 1), (0, 0, 1, 1)),
        ((13, 13), (6, 6), (4, 3), (1, 1), (2, 2, 3, 3)),
        ((5, 5), (1, 1), (3, 3), (1, 1), (0, 0, 0, 0)),
        ((8, 9), (3, 3), (1, 2), (3, 2), (3, 2, 3, 2)),
    ],
)
def test_padding_same_is_tensorflows(
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    pads: tuple[int, int, int, int],
) -> None:
    assert same_pads(size, kernel, stride, dilation) == pads
    layer = Layer(1, *size, 1, 1, kernel, stride, dilation, pads)
    assert layer.out_height == -(-size[0] // stride[0])
    assert layer.out_width == -(-size[1] // stride[1])


def test_valid_taps_are_those_inside_the_image() -> None:
    layer = Layer(1, 2, 1, 1, 1, (3, 1), stride=(2, 1), dilation=(2, 1), pads=(5, 0, 3, 1))
    # Output row 0 has its taps on image rows -5, -3, -1; row 1 on -3, -1, 1; row 2 on -1, 1, 3.
    assert layer.rows.taps_inside.tolist() == [
        [False] * 3,
        [False, False, True],
        [False, True, False],
    ]
    assert layer.columns.taps_inside.tolist() == [[True], [False]]
    assert layer.macs_inside == 2 * 1
    assert replace(layer, batch=3, out_channels=5).macs_inside == 3 * 5 * 2


def test_groups_divide_the_channels_of_a_filter() -> None:
    layer = a_layer(groups=4)
    assert layer.weight_shape == (8, 3, 2, 1)
    assert layer.macs == 3 * 5 * 8 * 3 * 2


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"batch": 0}, "batch: 0 is not in 1 to 65535"),
        ({"height": 65536}, "height: 65536 is not in 1 to 65535"),
        ({"width": -1}, "width: -1 is not in 1 to 65535"),
        ({"in_channels": 0}, "in_channels: 0 is not in 1 to 65535"),
        ({"out_channels": 1.5}, "out_channels: 1.5 is not a whole number"),
        ({"kernel": (32, 3)}, "kernel: 32 is not in 1 to 31"),
        ({"kernel": (3,)}, r"kernel: \(3,\) is not a tuple of 2 numbers"),
        ({"stride": (1, 5)}, "stride: 5 is not in 1 to 4"),
        ({"stride": (0, 1)}, "stride: 0 is not in 1 to 4"),
        ({"dilation": (5, 1)}, "dilation: 5 is not in 1 to 4"),
        ({"pads": (0, -1, 0, 0)}, "pads: -1 is not in 0 to 65535"),
        ({"groups": 3}, "groups: 3 does not divide the 4 input channels"),
        ({"groups": 4, "out_channels": 6}, "groups: 4 does not divide the 6 output channels"),
        ({"in_zp": 128}, "in_zp: 128 is not in -128 to 127"),
        ({"out_zp": -129}, "out_zp: -129 is not in -128 to 127"),
        ({"act_min": 3, "act_max": 2}, "act_min: 3 is above act_max, 2"),
        ({"rounding": "even"}, "rounding: 'even' is not one of tflite, single, float"),
        ({"height": 2}, "kernel: it spans 3 rows, .* has only 2: there is no output"),
        ({"dilation": (1, 4), "width": 4}, "kernel: it spans 5 columns, .* has only 4"),
        ({"pads": (65535, 0, 0, 0)}, "pads: they make 65538 output rows; at most 65535 go"),
    ],
)
def test_nonsense_is_refused_by_name(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(LayerError, match=f"^{sentence}"):
        a_layer(**changes)


@pytest.mark.parametrize(
    ("layer", "changes", "sentence"),
    [
        ({}, {"x": np.zeros((1, 5, 6, 3), np.int8)}, r"x: its shape is \(1, 5, 6, 3\), the layer"),
        ({}, {"x": np.zeros((1, 5, 6, 4), np.uint8)}, "x: it is uint8, not int8"),
        ({}, {"w": np.zeros((8, 2, 3, 4), np.int8)}, r"w: its shape is \(8, 2, 3, 4\)"),
        ({}, {"bias": np.zeros(7, np.int32)}, r"bias: its shape is \(7,\)"),
        ({}, {"bias": np.zeros(8)}, "bias: it is float64, not int32"),
        ({}, {"bias": None}, "bias: it is NoneType, not int32"),
        ({}, {"w_zp": np.zeros(7, np.int32)}, r"w_zp: its shape is \(7,\)"),
        ({}, {"w_zp": np.zeros(8, np.int8)}, "w_zp: it is int8, not int32"),
        ({}, {"w_zp": np.full(8, 128, np.int32)}, "w_zp: 128 of channel 0 is not in -128 to 127"),
        ({}, {"mult": np.zeros(8, np.int32)}, "mult: accumulators need none"),
        ({"requantise": True}, {"mult": None}, "mult: missing, rounding 'tflite' needs it"),
        ({"requantise": True}, {"shift": None}, "shift: missing, rounding 'tflite' needs it"),
        (
            {"requantise": True, "rounding": "single"},
            {"mult": None},
            "mult: missing, rounding 'single' needs it",
        ),
        (
            {"requantise": True},
            {"scale": np.zeros(8, np.float32)},
            "scale: rounding 'tflite' does not read it",
        ),
        (
            {"requantise": True},
            {"mult": np.arange(8, dtype=np.int32) - 2},
            "mult: -2 of channel 0 is not in 0 to 2147483647",
        ),
        (
            {"requantise": True},
            {"shift": np.arange(8, dtype=np.int32) + 1},
            "shift: 8 of channel 7 is not in -31 to 7",
        ),
        ({"requantise": True}, {"shift": np.full(8, -32, np.int32)}, "shift: -32 of channel 0"),
        ({"requantise": True, "rounding": "float"}, {"scale": None}, "scale: missing, rounding"),
        (
            {"requantise": True, "rounding": "float"},
            {"scale": np.full(8, np.inf, np.float32)},
            "scale: inf of channel 0 is not a finite number of 0 and more",
        ),
        ({}, {"expected_acc": np.zeros((1, 3, 5, 7), np.int32)}, "acc: its shape"),
        ({}, {"expected_y": np.zeros((1, 3, 5, 8), np.int32)}, "y: it is int32, not int8"),
    ],
)
def test_tensors_that_do_not_fit_are_refused_by_name(
    layer: dict[str, Any], changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(LayerError, match=f"^{sentence}"):
        a_case(a_layer(**layer), **changes)


def test_tensors_that_fit_are_taken() -> None:
    for fields in ({}, {"requantise": True}, {"requantise": True, "rounding": "float"}):
        assert a_case(a_layer(**fields)).layer.out_shape == (1, 3, 5, 8)


def test_weights_without_zero_points_have_zeros() -> None:
    case = a_case(a_layer())
    assert case.w_zp.dtype == np.int32
    assert case.w_zp.tolist() == [0] * 8


def test_centred_weights_have_nine_bits() -> None:
    layer = a_layer(out_channels=2)
    w = np.full(layer.weight_shape, 127, np.int8)
    case = a_case(layer, w=w, w_zp=np.array([-128, 127], np.int32))
    assert case.centred_weights[:, 0, 0, 0].tolist() == [255, 0]
