"""Layer files: what they mean, what they leave out, and how each mistake in them is refused."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conv_core.models.convolution import accumulate
from conv_core.models.layer import Layer
from conv_core.models.layer_files import (
    LayerFileError,
    find_layers,
    read_layer,
    read_quantised,
    write_layer,
    write_result,
)
from conv_core.models.requantisation import result
from conv_core.tb.stimuli.random_layers import Mix, random_cases

REMOVED = object()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "conv2.npz"


def fields(**changes: Any) -> dict[str, Any]:
    """A 5x6x4 image and 8 filters of 3x2, requantised, with `changes`."""
    tensors = {
        "x": np.arange(-60, 60, dtype=np.int8).reshape(1, 5, 6, 4),
        "w": (np.arange(8 * 3 * 2 * 4) % 251 - 125).astype(np.int8).reshape(8, 3, 2, 4),
        "mult": np.arange(8, dtype=np.int32) + 2**30,
        "shift": np.arange(8, dtype=np.int32) - 7,
    }
    return {name: value for name, value in (tensors | changes).items() if value is not REMOVED}


def test_a_file_that_says_little_gets_the_frameworks_defaults(path: Path) -> None:
    np.savez(path, **fields(mult=REMOVED, shift=REMOVED))
    case = read_layer(path)
    assert case.name == "conv2"
    assert case.layer == Layer(1, 5, 6, 4, 8, (3, 2))
    assert case.bias.dtype == np.int32
    assert not case.bias.any()
    assert case.mult is case.shift is case.scale is case.expected_acc is case.expected_y is None


def test_a_file_that_says_everything_is_read_in_full(path: Path) -> None:
    groups = 2
    y = np.zeros((1, 3, 1, 8), np.int8)
    acc = np.full((1, 3, 1, 8), 5, np.int32)
    everything = fields(
        w=np.arange(8 * 3 * 2 * 2, dtype=np.int8).reshape(8, 3, 2, 2),
        bias=np.arange(8, dtype=np.int32),
        stride=(2, 3),
        dil=(1, 4),
        pads=(1, 0, 2, 1),
        groups=groups,
        in_zp=-3,
        out_zp=4,
        act_min=-5,
        act_max=6,
        rounding="tflite",
        acc=acc,
        y=y,
    )
    np.savez(path, **everything)
    case = read_layer(path)
    assert case.layer == Layer(
        *(1, 5, 6, 4, 8, (3, 2), (2, 3), (1, 4), (1, 0, 2, 1), groups),
        *(-3, 4, -5, 6, True, "tflite"),
    )
    for name, tensor in (
        ("x", case.x),
        ("w", case.w),
        ("bias", case.bias),
        ("mult", case.mult),
        ("shift", case.shift),
        ("acc", case.expected_acc),
        ("y", case.expected_y),
    ):
        np.testing.assert_array_equal(tensor, everything[name], name)


@pytest.mark.parametrize(
    ("layout", "axes"), [("OHWI", "ohwi"), ("HWIO", "hwio"), ("OIHW", "oihw"), ("hwio", "hwio")]
)
def test_weights_are_read_in_any_layout(path: Path, layout: str, axes: str) -> None:
    w = fields()["w"]
    np.savez(path, **fields(w=np.einsum(f"ohwi->{axes}", w), w_layout=layout))
    np.testing.assert_array_equal(read_layer(path).w, w)


@pytest.mark.parametrize(
    ("padding", "stride", "pads"),
    [
        ("valid", (1, 1), (0, 0, 0, 0)),
        ("same", (1, 1), (1, 0, 1, 1)),
        ("SAME", (2, 2), (1, 0, 1, 0)),
        ("same", (4, 4), (1, 0, 1, 0)),
    ],
)
def test_padding_by_name_is_the_frameworks(
    path: Path, padding: str, stride: tuple[int, int], pads: tuple[int, int, int, int]
) -> None:
    np.savez(path, **fields(padding=padding, stride=stride))
    assert read_layer(path).layer.pads == pads


def test_float_rounding_reads_scale(path: Path) -> None:
    scale = np.linspace(0.001, 0.1, 8, dtype=np.float32)
    np.savez(path, **fields(mult=REMOVED, shift=REMOVED, scale=scale, rounding="float"))
    case = read_layer(path)
    assert (case.layer.requantise, case.layer.rounding) == (True, "float")
    np.testing.assert_array_equal(case.scale, scale)


def test_whole_numbers_of_any_width_are_taken_for_int32(path: Path) -> None:
    np.savez(path, **fields(bias=np.arange(8), shift=np.arange(8, dtype=np.int8) - 7))
    case = read_layer(path)
    assert case.bias.dtype == np.int32
    assert case.bias.tolist() == list(range(8))


F32 = np.float32
LAYOUT_HINT = "it would fit with w_layout"
REFUSALS: list[tuple[str, dict[str, Any], str]] = [
    ("no x", {"x": REMOVED}, "x: missing, it is int8 (N, H, W, Cin)"),
    ("no w", {"w": REMOVED}, "w: missing, it is int8 (Cout, KH, KW, Cin / groups)"),
    (
        "x int32",
        {"x": np.zeros((1, 5, 6, 4), np.int32)},
        "x: it is int32, not int8 or uint8 or floating point",
    ),
    (
        "x text",
        {"x": np.full((1, 5, 6, 4), "a")},
        "x: it is <U1, not int8 or uint8 or floating point",
    ),
    (
        "x without batch",
        {"x": np.zeros((5, 6, 4), np.int8)},
        "x: its shape (5, 6, 4) has 3 axes, not the 4 (N, H, W, Cin)",
    ),
    ("x empty", {"x": np.zeros((0, 5, 6, 4), np.int8)}, "x (N): 0 is not in 1 to 65535"),
    ("x no rows", {"x": np.zeros((1, 0, 6, 4), np.int8)}, "x (H): 0 is not in 1 to 65535"),
    ("x no columns", {"x": np.zeros((1, 5, 0, 4), np.int8)}, "x (W): 0 is not in 1 to 65535"),
    ("w float", {"w": np.zeros((8, 3, 2, 4))}, "w: it is float64, not int8 or uint8"),
    ("no filters", {"w": np.zeros((0, 3, 2, 4), np.int8)}, "w (Cout): 0 is not in 1 to 65535"),
    ("w int32", {"w": np.zeros((8, 3, 2, 4), np.int32)}, "w: it is int32, not int8 or uint8"),
    ("w_zp 128", {"w_zp": 128}, "w_zp: 128 is not in -128 to 127, and w is int8"),
    (
        "w_zp -1",
        {"w_zp": [0] * 7 + [-1], "w": np.zeros((8, 3, 2, 4), np.uint8)},
        "w_zp: -1 is not in 0 to 255, and w is uint8",
    ),
    ("w_zp float", {"w_zp": 0.5}, "w_zp: it is float64, not whole numbers"),
    (
        "w_zp 7",
        {"w_zp": [0] * 7},
        "w_zp: its shape is (7,), it must be one number or one for each of the 8 filters",
    ),
    ("w flat", {"w": np.zeros((8, 24), np.int8)}, "w: its shape (8, 24) has 2 axes"),
    (
        "channels",
        {"w": np.zeros((8, 3, 2, 5), np.int8)},
        "w: its shape (8, 3, 2, 5) is, as OHWI, 8 filters of 3x2 for 5 channels; x has 4 channels",
    ),
    ("Keras", {"w": np.zeros((3, 2, 4, 8), np.int8)}, f'{LAYOUT_HINT}="HWIO"'),
    ("PyTorch", {"w": np.zeros((8, 4, 3, 2), np.int8)}, f'{LAYOUT_HINT}="OIHW"'),
    (
        "Keras, as many filters as channels",
        {"x": np.zeros((1, 5, 6, 64), np.int8), "w": np.zeros((3, 3, 64, 64), np.int8)},
        f'{LAYOUT_HINT}="HWIO"',
    ),
    ("kernel", {"w": np.zeros((8, 32, 2, 4), np.int8)}, "kernels are 1x1 to 31x31"),
    ("layout", {"w_layout": "OHW"}, "w_layout: 'OHW' is not one of OHWI, HWIO, OIHW, HWCM, 1HWO"),
    (
        "layout number",
        {"w_layout": 3},
        "w_layout: it must be one of OHWI, HWIO, OIHW, HWCM, 1HWO, not int64",
    ),
    ("bias float", {"bias": np.zeros(8)}, "bias: it is float64, not int32"),
    (
        "bias short",
        {"bias": np.zeros(7, np.int32)},
        "bias: its shape is (7,), it must be one number for each of the 8 filters",
    ),
    ("bias wide", {"bias": np.full(8, 2**31)}, "bias: 2147483648 does not fit in int32"),
    ("stride 3", {"stride": (1, 2, 3)}, "stride: it is 3 numbers, it must be 2 numbers"),
    ("stride float", {"stride": (1.0, 2.0)}, "stride: it is float64, not whole numbers"),
    ("stride 0", {"stride": (0, 1)}, "stride: 0 is not in 1 to 4"),
    ("stride 0 same", {"stride": (0, 1), "padding": "same"}, "stride: 0 is not in 1 to 4"),
    ("stride 5", {"stride": (1, 5)}, "stride: 5 is not in 1 to 4"),
    ("dil 5", {"dil": (5, 1)}, "dil: 5 is not in 1 to 4"),
    ("dil 0 same", {"dil": (0, 1), "padding": "same"}, "dil: 0 is not in 1 to 4"),
    ("pads 3", {"pads": (1, 1, 1)}, "pads: it is 3 numbers, it must be 4 numbers"),
    ("pads negative", {"pads": (0, -1, 0, 0)}, "pads: -1 is not in 0 to 65535"),
    (
        "pads and padding",
        {"pads": (0, 0, 0, 0), "padding": "same"},
        "pads: padding is there too, leave one of them out",
    ),
    ("padding", {"padding": "full"}, "padding: 'full' is not one of same, valid"),
    ("no window", {"x": np.zeros((1, 2, 6, 4), np.int8)}, "w (kernel): it spans 3 rows, but"),
    ("groups 3", {"groups": 3}, "w: its shape (8, 3, 2, 4) is, as OHWI, 8 filters of 3x2 for 4"),
    (
        "groups and filters",
        {"groups": 4, "w": np.zeros((6, 3, 2, 1), np.int8), "mult": REMOVED, "shift": REMOVED},
        "w: its shape (6, 3, 2, 1) is, as OHWI, 6 filters of 3x2 for 1 channel in each of 4 "
        "groups; the groups must divide the filters",
    ),
    (
        "groups 0",
        {"groups": 0, "w": np.zeros((8, 3, 2, 0), np.int8)},
        "groups: 0 is not in 1 to 65535",
    ),
    ("groups 2", {"groups": (1, 1)}, "groups: it is 2 numbers, it must be one number"),
    ("in_zp", {"in_zp": 128}, "in_zp: 128 is not in -128 to 127"),
    ("in_zp float", {"in_zp": 0.5}, "in_zp: it is float64, not whole numbers"),
    ("in_zp bool", {"in_zp": True}, "in_zp: it is bool, not whole numbers"),
    ("out_zp", {"out_zp": -129}, "out_zp: -129 is not in -128 to 127"),
    ("act_max", {"act_max": 255}, "act_max: 255 is not in -128 to 127"),
    ("clamps", {"act_min": 6, "act_max": 0}, "act_min: 6 is above act_max, 0"),
    ("no shift", {"shift": REMOVED}, "mult: shift is missing: multiplier = mult * 2^(shift - 31)"),
    ("no mult", {"mult": REMOVED}, "shift: mult is missing"),
    ("mult float", {"mult": np.ones(8)}, "mult: it is float64, not int32"),
    ("mult short", {"mult": np.ones(7, np.int32)}, "mult: its shape is (7,)"),
    ("mult negative", {"mult": np.full(8, -1)}, "mult: -1 of channel 0 is not in 0 to 2147483647"),
    ("shift 8", {"shift": np.arange(8) + 1}, "shift: 8 of channel 7 is not in -31 to 7"),
    ("shift -32", {"shift": np.full(8, -32)}, "shift: -32 of channel 0 is not in -31 to 7"),
    (
        "mult and scale",
        {"scale": np.ones(8, F32)},
        "mult: scale is there too, leave one of them out",
    ),
    ("rounding", {"rounding": "even"}, "rounding: 'even' is not one of tflite, single, float"),
    (
        "float with mult",
        {"rounding": "float"},
        "scale: missing, rounding 'float' reads it in place of mult and shift",
    ),
    (
        "float without scale",
        {"rounding": "float", "mult": REMOVED, "shift": REMOVED},
        "scale: missing, rounding 'float' reads it in place of mult and shift",
    ),
    (
        "scale without float",
        {"scale": np.ones(8, F32), "mult": REMOVED, "shift": REMOVED},
        "scale: rounding 'tflite' reads mult and shift; say rounding 'float'",
    ),
    (
        "scale and single",
        {"scale": np.ones(8, F32), "rounding": "single", "mult": REMOVED, "shift": REMOVED},
        "scale: rounding 'single' reads mult and shift; say rounding 'float'",
    ),
    (
        "scale NaN",
        {"scale": np.full(8, np.nan, F32), "rounding": "float", "mult": REMOVED, "shift": REMOVED},
        "scale: nan of channel 0 is not a finite number",
    ),
    (
        "acc",
        {"acc": np.zeros((1, 3, 5, 7), np.int32)},
        "acc: its shape is (1, 3, 5, 7), the layer gives (1, 3, 5, 8)",
    ),
    ("acc float", {"acc": np.zeros((1, 3, 5, 8))}, "acc: it is float64, not int32"),
    ("y", {"y": np.zeros((3, 5, 8), np.int8)}, "y: its shape is (3, 5, 8), the layer gives"),
    ("y wide", {"y": np.zeros((1, 3, 5, 8), np.int32)}, "y: it is int32, not int8"),
    (
        "y of accumulators",
        {"y": np.zeros((1, 3, 5, 8), np.int8), "mult": REMOVED, "shift": REMOVED},
        "y: without mult or scale the results are accumulators: acc, not y",
    ),
    ("unknown", {"strides": (1, 1)}, "strides: there is no such field, do you mean stride?"),
    ("unknown case", {"X": np.zeros(1)}, "X: there is no such field, do you mean x?"),
    ("unknown at all", {"qqq": 1}, "qqq: there is no such field, known are x, w, w_zp"),
    ("objects", {"bias": np.array([None] * 8)}, "bias: it holds Python objects, not numbers"),
]


@pytest.mark.parametrize(
    ("changes", "sentence"), [case[1:] for case in REFUSALS], ids=[case[0] for case in REFUSALS]
)
def test_a_mistake_is_refused_by_file_and_field(
    path: Path, changes: dict[str, Any], sentence: str
) -> None:
    np.savez(path, **fields(**changes))
    with pytest.raises(LayerFileError, match=f"^{re.escape(str(path))}: .*{re.escape(sentence)}"):
        read_layer(path)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"in_zp": 256}, "in_zp: 256 is not in 0 to 255, and x is uint8"),
        ({"out_zp": -1}, "out_zp: -1 is not in 0 to 255, and x is uint8"),
        ({"act_min": -128}, "act_min: -128 is not in 0 to 255, and x is uint8"),
        ({"y": np.zeros((1, 3, 5, 8), np.int8)}, "y: it is int8, not uint8 like x"),
        ({"w_zp": 128}, "w_zp: 128 is not in -128 to 127, and w is int8"),
    ],
)
def test_a_mistake_in_a_uint8_layer_is_refused(
    path: Path, changes: dict[str, Any], sentence: str
) -> None:
    np.savez(path, **(fields(x=np.zeros((1, 5, 6, 4), np.uint8)) | changes))
    with pytest.raises(LayerFileError, match=re.escape(f"{path}: {sentence}")):
        read_layer(path)


def test_uint8_activations_are_shifted_by_128_with_all_that_speaks_of_them(path: Path) -> None:
    x = np.arange(120, dtype=np.uint8).reshape(1, 5, 6, 4) * 2
    y = np.arange(120, dtype=np.uint8).reshape(1, 3, 5, 8) + 100
    np.savez(path, **fields(x=x, in_zp=np.uint8(3), out_zp=200, act_min=100, act_max=220, y=y))
    case = read_layer(path)
    layer = case.layer
    assert (layer.in_zp, layer.out_zp, layer.act_min, layer.act_max) == (-125, 72, -28, 92)
    assert case.expected_y is not None
    np.testing.assert_array_equal(case.x.astype(int), x.astype(int) - 128)
    np.testing.assert_array_equal(case.expected_y.astype(int), y.astype(int) - 128)


def test_a_uint8_layer_that_says_little_has_zero_points_of_0(path: Path) -> None:
    x = np.full((1, 5, 6, 4), 7, np.uint8)
    np.savez(path, **fields(x=x, mult=REMOVED, shift=REMOVED))
    case = read_layer(path)
    assert (case.layer.in_zp, case.layer.out_zp) == (-128, -128)
    assert (case.layer.act_min, case.layer.act_max) == (-128, 127)
    w = fields()["w"].astype(int)
    np.testing.assert_array_equal(accumulate(case)[0, 0, 0], 7 * w.sum(axis=(1, 2, 3)))


@pytest.mark.parametrize("x_type", [np.int8, np.uint8])
@pytest.mark.parametrize("w_zp", [7, [7], [0, 1, 2, 3, 100, 128, 254, 255]])
def test_uint8_weights_are_shifted_by_128_with_their_zero_points(
    path: Path, x_type: type[Any], w_zp: Any
) -> None:
    w = np.arange(8 * 3 * 2 * 4, dtype=np.uint8).reshape(8, 3, 2, 4) + 60
    np.savez(path, **fields(x=np.ones((1, 5, 6, 4), x_type), w=w, w_zp=w_zp))
    case = read_layer(path)
    assert (case.w.dtype, case.w_zp.dtype) == (np.int8, np.int32)
    np.testing.assert_array_equal(case.w.astype(int), w.astype(int) - 128)
    np.testing.assert_array_equal(case.w_zp, np.broadcast_to(w_zp, 8) - 128)
    means = w.astype(int) - np.broadcast_to(w_zp, 8).reshape(-1, 1, 1, 1)
    np.testing.assert_array_equal(case.centred_weights, means)


def test_uint8_weights_that_say_no_more_count_from_0(path: Path) -> None:
    np.savez(path, **fields(w=np.full((8, 3, 2, 4), 200, np.uint8)))
    assert (read_layer(path).centred_weights == 200).all()


def test_zero_points_of_int8_weights_are_taken_as_they_are(path: Path) -> None:
    np.savez(path, **fields(w_zp=np.arange(-128, -120, dtype=np.int8)))
    case = read_layer(path)
    assert case.w_zp.tolist() == list(range(-128, -120))
    np.testing.assert_array_equal(case.w, fields()["w"])


def float_fields(**changes: Any) -> dict[str, Any]:
    """As Keras gives it: an image, a kernel HWIO of 3x2, biases, in float32."""
    rng = np.random.default_rng(5)
    tensors = {
        "x": rng.normal(1, 2, (2, 7, 6, 4)).astype(np.float32),
        "w": rng.normal(0, 0.1, (3, 2, 4, 8)).astype(np.float32),
        "w_layout": "HWIO",
        "bias": rng.normal(0, 1, 8).astype(np.float32),
        "padding": "same",
    }
    return {name: value for name, value in (tensors | changes).items() if value is not REMOVED}


@pytest.mark.parametrize("rounding", ["tflite", "single", "float"])
def test_floating_point_layers_are_quantised_and_come_within_a_step_of_the_result(
    path: Path, rounding: str
) -> None:
    np.savez(path, **float_fields(rounding=rounding))
    case, quantisation = read_quantised(path)
    assert quantisation is not None
    assert (case.layer.requantise, case.layer.rounding) == (True, rounding)
    y = result(case)
    assert y.dtype == np.int8
    error = quantisation.error(y)
    assert error.largest < 3 * quantisation.out_scale
    assert 0 < error.rms < quantisation.out_scale
    assert y.min() == -128
    assert y.max() == 127
    assert re.match(r"error 0\.0\d+ rms, 0\.\d+ at most, in results of -\d", str(error))
    assert re.match(r"x: scale 0\.0\d+, zero point -?\d+; w: scales 0\.", str(quantisation))


def test_clamps_of_a_floating_point_layer_are_real_numbers(path: Path) -> None:
    np.savez(path, **float_fields(act_min=0.0, act_max=1.5))
    case, quantisation = read_quantised(path)
    assert quantisation is not None
    y = quantisation.real(result(case))
    assert y.min() == 0
    assert abs(y.max() - 1.5) < quantisation.out_scale
    assert quantisation.error(result(case)).largest < quantisation.in_scale


def test_int8_layers_have_no_scales(path: Path) -> None:
    np.savez(path, **fields())
    assert read_quantised(path)[1] is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"w": np.zeros((3, 2, 4, 8), np.int8)},
            "w: it is int8, not floating point like x: give both",
        ),
        ({"in_zp": 3}, "in_zp: x is float32: leave it out, it follows from the values"),
        ({"scale": np.ones(8)}, "scale: x is float32: leave it out, it follows from the values"),
        ({"y": np.zeros((2, 7, 6, 8))}, "y: x is float32: leave it out"),
        ({"bias": np.zeros(7)}, "bias: its shape is (7,), the layer needs (8,)"),
        ({"bias": np.full(8, "a")}, "bias: it is text, x is floating point, so it must be, too"),
        ({"bias": np.full(8, np.nan)}, "bias: there are values that are no finite float32"),
        ({"act_min": 2.0, "act_max": 1.0}, "act_min: 2 is above act_max, 1"),
        ({"act_min": (0.0, 1.0)}, "act_min: its shape is (2,), it must be one number"),
        ({"x": np.full((2, 7, 6, 4), np.inf)}, "x: there are values that are no finite float32"),
        ({"x": np.zeros((0, 7, 6, 4))}, "x (N): 0 is not in 1 to 65535"),
        ({"w_layout": "OHWI"}, "w: its shape (3, 2, 4, 8) is, as OHWI, 3 filters of 2x4"),
    ],
)
def test_a_mistake_in_a_floating_point_layer_is_refused(
    path: Path, changes: dict[str, Any], sentence: str
) -> None:
    np.savez(path, **float_fields(**changes))
    with pytest.raises(LayerFileError, match=re.escape(f"{path}: {sentence}")):
        read_layer(path)


def test_the_fields_of_the_refusals_are_right_but_for_one_mistake(path: Path) -> None:
    np.savez(path, **fields())
    assert read_layer(path).layer.requantise


def test_what_is_no_layer_file_is_refused(tmp_path: Path) -> None:
    text, empty, single, folder = (
        tmp_path / name for name in ("text.npz", "empty.npz", "single.npy", "folder.npz")
    )
    text.write_text("not a layer")
    empty.write_bytes(b"")
    np.save(single, np.zeros(3))
    folder.mkdir()
    for path, sentence in (
        (text, "this is not an .npz file, or a damaged one"),
        (empty, "this is not an .npz file, or a damaged one"),
        (single, "this is a single array, not an .npz file of named ones"),
        (folder, "it can't be read: Is a directory"),
        (tmp_path / "none.npz", "there is no such file"),
    ):
        with pytest.raises(LayerFileError, match=f"^{re.escape(str(path))}: {sentence}"):
            read_layer(path)


def test_a_damaged_file_is_refused(path: Path) -> None:
    np.savez(path, **fields())
    whole = path.read_bytes()
    for size in (len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(LayerFileError, match="or a damaged one"):
            read_layer(path)
    middle = whole.index(fields()["w"].tobytes())
    path.write_bytes(whole[:middle] + b"\x55" + whole[middle + 1 :])
    with pytest.raises(LayerFileError, match="w: it is damaged, write the file again"):
        read_layer(path)


def test_a_zip_of_something_else_is_refused(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x", "text")
    with pytest.raises(LayerFileError, match="x: it is "):
        read_layer(path)


def test_cases_come_back_as_they_were_saved(path: Path) -> None:
    mix = Mix(
        dilation=True,
        groups=True,
        float_rounding=True,
        single_rounding=True,
        weight_zero_points=True,
    )
    for case in random_cases(np.random.default_rng(15), 33, mix):
        write_layer(path, case)
        back = read_layer(path)
        assert back.layer == case.layer
        for name in ("x", "w", "w_zp", "bias", "mult", "shift", "scale"):
            one, other = getattr(case, name), getattr(back, name)
            assert (one is None) == (other is None), name
            np.testing.assert_array_equal(one, other, name)


def test_results_are_written_whole_and_alone(tmp_path: Path) -> None:
    for name, field, dtype in (("a", "acc", np.int32), ("b", "y", np.int8)):
        values = np.arange(12, dtype=dtype).reshape(1, 2, 2, 3)
        path = write_result(tmp_path / "out", name, values)
        with np.load(path) as results:
            assert results.files == [field]
            assert results[field].dtype == dtype
            np.testing.assert_array_equal(results[field], values)
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["a.npz", "b.npz"]


def test_a_result_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(file: Any, **_: Any) -> None:
        file.write(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez", half)
    with pytest.raises(OSError, match="no space left"):
        write_result(tmp_path, "a", np.zeros((1, 1, 1, 1), np.int8))
    assert list(tmp_path.iterdir()) == []


def test_folders_stand_for_their_layer_files(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    names = [tmp_path / "z.npz", tmp_path / "net" / "a.npz", tmp_path / "net" / "b.npz"]
    for name in (*names, tmp_path / "net" / "notes.txt"):
        name.touch()
    assert find_layers([tmp_path / "z.npz", str(tmp_path / "net")]) == names


def test_missing_and_ambiguous_layer_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    for sentence, paths in (
        ("net: there is no .npz file in this folder", ["net"]),
        ("none.npz: there is no such file", ["none.npz"]),
    ):
        with pytest.raises(LayerFileError, match=sentence):
            find_layers(tmp_path / path for path in paths)
    for path in (tmp_path / "a.npz", tmp_path / "net" / "a.npz"):
        path.touch()
    with pytest.raises(LayerFileError, match=r"net/a\.npz: .*/a\.npz has the same name"):
        find_layers([tmp_path / "a.npz", tmp_path / "net"])
