"""Layer files as users of Keras, PyTorch and ONNX write them first.

What is plain is taken, what is not is refused with a sentence that says what to write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import DTypeLike

from conv_core.models.layer_files import FIELDS, LayerFileError, read_layer, write_layer

Fields = dict[str, Any]


def ints(*shape: int, dtype: DTypeLike = np.int8) -> np.ndarray[Any, Any]:
    """Numbers of -50 to 49, or of 0 to 99 in types without sign."""
    values = np.arange(np.prod(shape)) * 7 % 100
    signed = np.issubdtype(dtype, np.signedinteger) or np.issubdtype(dtype, np.floating)
    return (values - 50 * signed).astype(dtype).reshape(shape)


X8, X16 = ints(1, 6, 6, 8), ints(1, 6, 6, 16)
REQUANTISED = {"mult": np.full(8, 2**30), "shift": np.full(8, -6)}
OHWI = {"x": X8, "w": ints(8, 3, 3, 8)}
SCALED = {**OHWI, "rounding": "float"}
HWCM = 'w_layout="HWCM" (depthwise: 8 filters of 3x3, 1 for each of 8 channels)'
WRITE_W = "w=w[:, None, None] for (Cout, Cin), w=w.T[:, None, None] for Keras's (Cin, Cout)"

REFUSALS: list[tuple[str, Fields, str]] = [
    # Keras
    (
        "keras",
        {"x": X8, "w": ints(3, 3, 8, 4)},
        'w_layout="HWIO" (4 filters of 3x3 for 8 channels)',
    ),
    (
        "keras that fits both ways",
        {"x": X16, "w": ints(3, 3, 16, 16)},
        "w: its shape (3, 3, 16, 16) is, as OHWI, 3 filters of 3x16 for 16 channels; it would fit "
        'with w_layout="HWIO" (16 filters of 3x3 for 16 channels); say w_layout, '
        "also if it is OHWI",
    ),
    (
        "keras that fits both ways, with a bias",
        {"x": X16, "w": ints(3, 3, 16, 16), "bias": np.zeros(16, np.int32)},
        'but other fields are for 16 filters; it would fit with w_layout="HWIO"',
    ),
    ("depthwise", {"x": X8, "w": ints(3, 3, 8, 1)}, HWCM),
    ("depthwise groups", {"x": X8, "w": ints(3, 3, 8, 1), "groups": 8}, HWCM),
    (
        "depthwise HWIO groups",
        {"x": X8, "w": ints(3, 3, 8, 1), "w_layout": "HWIO", "groups": 8},
        HWCM,
    ),
    (
        "depthwise HWIO with a bias",
        {"x": X8, "w": ints(3, 3, 8, 1), "w_layout": "HWIO", "bias": np.zeros(8, np.int32)},
        "w: its shape (3, 3, 8, 1) is, as HWIO, 1 filter of 3x3 for 8 channels, but other "
        f"fields are for 8 filters; it would fit with {HWCM}",
    ),
    (
        "depthwise HWIO with an expected result",
        {
            "x": X8,
            "w": ints(3, 3, 8, 1),
            "w_layout": "HWIO",
            "acc": ints(1, 4, 4, 8, dtype=np.int32),
        },
        f"but other fields are for 8 filters; it would fit with {HWCM}",
    ),
    ("dense", {"x": ints(1, 8), "w": ints(8, 4)}, "x=x.reshape(1, 1, 1, -1)"),
    ("dense w", {"x": ints(1, 1, 1, 8), "w": ints(8, 4)}, WRITE_W),
    ("conv1d", {"x": ints(1, 9, 8), "w": ints(3, 8, 4)}, "x=x[:, None] for (N, W, Cin)"),
    ("conv1d w", {"x": ints(1, 1, 9, 8), "w": ints(3, 8, 4)}, 'w=w[None] with w_layout="HWIO"'),
    (
        "float kernel",
        {"x": X8, "w": ints(8, 3, 3, 8, dtype=np.float32)},
        "w: it is float32, not int8 or uint8: give x and w both in floating point, or both as int8",
    ),
    (
        "float bias",
        {**OHWI, "bias": np.zeros(8)},
        "write bias=np.rint(bias / (x_scale * w_scale)).astype",
    ),
    ("padding numbers", {**OHWI, "padding": 1}, "padding: it is numbers: write pads="),
    (
        "pads text",
        {**OHWI, "pads": "same"},
        "pads: it is text: write padding='same' or 'valid' in its place",
    ),
    ("names", {"kernel": ints(3, 3, 8, 8)}, "kernel: there is no such field, do you mean w?"),
    (
        "dilation_rate",
        {**OHWI, "dilation_rate": 1},
        "dilation_rate: there is no such field, do you mean dil?",
    ),
    (
        "depthwise layout on other channels",
        {"x": X8, "w": ints(3, 3, 4, 2), "w_layout": "HWCM"},
        "w: its shape (3, 3, 4, 2) is not HWCM, (KH, KW, 8, M) with groups=8 as x has 8 channels",
    ),
    # PyTorch
    (
        "torch",
        {"x": X8, "w": ints(4, 8, 3, 3)},
        'w_layout="OIHW" (4 filters of 3x3 for 8 channels)',
    ),
    (
        "torch depthwise",
        {"x": X8, "w": ints(8, 1, 3, 3)},
        'w_layout="OIHW", groups=8 (depthwise: 8 filters of 3x3, 1 for each of 8 channels)',
    ),
    (
        "depthwise OHWI",
        {"x": X8, "w": ints(8, 3, 3, 1)},
        "it would fit with groups=8 (depthwise: 8 filters",
    ),
    (
        "torch channels first",
        {"x": ints(1, 8, 6, 6), "w": ints(4, 8, 3, 3), "w_layout": "OIHW"},
        "x has 6 channels; it would fit with x=x.transpose(0, 2, 3, 1)",
    ),
    (
        "torch channels first without layout",
        {"x": ints(1, 8, 6, 6), "w": ints(4, 8, 3, 3)},
        'it would fit with x=x.transpose(0, 2, 3, 1), w_layout="OIHW"',
    ),
    (
        "y channels first",
        {**OHWI, **REQUANTISED, "y": ints(1, 8, 4, 4)},
        "y=y.transpose(0, 2, 3, 1)",
    ),
    (
        "y of one frame",
        {**OHWI, **REQUANTISED, "y": ints(4, 4, 8)},
        "y: its shape is (4, 4, 8), the layer gives (1, 4, 4, 8): write y=y[None]",
    ),
    (
        "y of padding same",
        {**OHWI, **REQUANTISED, "y": ints(1, 6, 6, 8)},
        'it would be that with padding="same"',
    ),
    (
        "no batch",
        {"x": ints(6, 6, 8), "w": OHWI["w"]},
        "x: its shape (6, 6, 8) has 3 axes, not the 4 "
        "(N, H, W, Cin): write x=x[None] for a single frame",
    ),
    ("grey image", {"x": ints(6, 6), "w": ints(8, 3, 3, 1)}, "x=x[None, ..., None]"),
    (
        "numpy's own integers",
        {"x": ints(1, 6, 6, 8, dtype=int), "w": OHWI["w"]},
        "x: it is int64, not int8 or uint8 or floating point: write x=x.astype(np.int8)",
    ),
    (
        "numpy's own integers, w",
        {"x": X8, "w": ints(8, 3, 3, 8, dtype=int)},
        "write w=w.astype(np.int8)",
    ),
    (
        "pixels",
        {"x": ints(1, 6, 6, 8, dtype=np.uint16) + 100, "w": OHWI["w"]},
        "write x=x.astype(np.uint8)",
    ),
    (
        "too wide",
        {"x": np.full((1, 6, 6, 8), 300), "w": OHWI["w"]},
        "its values, 300 to 300, do not fit",
    ),
    (
        "y int64",
        {**OHWI, **REQUANTISED, "y": ints(1, 4, 4, 8, dtype=int)},
        "write y=y.astype(np.int8)",
    ),
    (
        "bias None",
        {**OHWI, "bias": None},
        "bias: it holds Python objects, not numbers: leave it out if",
    ),
    (
        "groups bool",
        {**OHWI, "groups": True},
        "groups: it is bool, not whole numbers: write one number",
    ),
    (
        "stride float",
        {**OHWI, "stride": 2.0},
        "stride: it is float64, not whole numbers: write stride=2",
    ),
    (
        "pads of numpy",
        {**OHWI, "pads": ((1, 1), (1, 1))},
        "pads: its shape is (2, 2), it must be 4 numbers in a row, (top, left, bottom, right)",
    ),
    (
        "kernel too large",
        {"x": ints(1, 40, 40, 8), "w": ints(8, 35, 35, 8)},
        "w: its shape (8, 35, 35, 8) "
        "is, as OHWI, 8 filters of 35x35 for 8 channels; kernels are 1x1 to 31x31",
    ),
    ("real mult", {**OHWI, "mult": 0.01, "shift": 0}, "a real one is scale, with rounding='float'"),
    (
        "scale NaN",
        {**SCALED, "scale": np.where(np.arange(8) == 3, np.nan, 1)},
        "scale: nan of channel 3 is not a finite number",
    ),
    (
        "scale infinite",
        {**SCALED, "scale": 1e300},
        "scale: inf of channel 0 is not a finite number",
    ),
    ("scale without rounding", {**OHWI, "scale": 0.01}, "say rounding 'float'"),
    (
        "bias of too many",
        {**OHWI, "bias": np.zeros(9, np.int32)},
        "bias: its shape is (9,), it must be one number for each of the 8 filters",
    ),
    (
        "mult of too many",
        {**OHWI, "mult": np.ones(9, int), "shift": 0},
        "mult: its shape is (9,), it must be one number or one for each of the 8 filters",
    ),
    (
        "unnamed arrays",
        {"arr_0": X8},
        "arr_0: there is no such field, name the arrays: np.savez(path, x=x, w=w)",
    ),
    (
        "groups of a dense kernel",
        {**OHWI, "groups": 2},
        "8 filters of 3x3 for 8 channels in each of 2 groups; 16 together, x has 8 channels",
    ),
    ("one pixel", {"x": ints(8), "w": OHWI["w"]}, "x: its shape (8,) has 1 axis, not the 4"),
    # ONNX
    (
        "zero point of uint8",
        {**OHWI, "in_zp": 128},
        "in_zp: 128 is not in -128 to 127, and x is int8",
    ),
    (
        "zero point each",
        {**OHWI, "in_zp": np.zeros(8, int)},
        "in_zp: it is 8 numbers, it must be one number",
    ),
    (
        "w_zp of uint8",
        {**OHWI, "w_zp": 128},
        "w_zp: 128 is not in -128 to 127, and w is int8; uint8 weights have 0 to 255",
    ),
    (
        "scales",
        {**OHWI, "x_scale": 0.1},
        "scale = x_scale * w_scale / y_scale, with rounding='float'",
    ),
    (
        "SAME_LOWER",
        {**OHWI, "padding": "SAME_LOWER"},
        "is not one of same, valid, SAME_UPPER, or give pads=(top, left, bottom, right)",
    ),
    (
        "uint8 clamps",
        {"x": ints(1, 6, 6, 8, dtype=np.uint8), "w": OHWI["w"], "act_min": 6, "act_max": 0},
        "act_min: 6 is above act_max, 0",
    ),
    (
        "uint8 y of an int8 layer",
        {**OHWI, **REQUANTISED, "y": ints(1, 4, 4, 8, dtype=np.uint8)},
        "write y=(y.astype(np.int16) - 128).astype(np.int8)",
    ),
    ("empty", {"x": ints(1, 0, 6, 8), "w": OHWI["w"]}, "x (H): 0 is not in 1 to 65535"),
]


@pytest.mark.parametrize(
    ("fields", "sentence"), [case[1:] for case in REFUSALS], ids=[case[0] for case in REFUSALS]
)
def test_a_refusal_says_what_to_write(tmp_path: Path, fields: Fields, sentence: str) -> None:
    path = tmp_path / "first.npz"
    np.savez(path, **fields)
    with pytest.raises(LayerFileError) as refusal:
        read_layer(path)
    said = str(refusal.value)
    assert sentence in said
    assert "\n" not in said
    assert len(said) - len(str(path)) < 300


TAKEN: list[tuple[str, Fields, Fields]] = [
    ("stride", {**OHWI, "stride": 2}, {**OHWI, "stride": (2, 2)}),
    ("dil", {**OHWI, "dil": [2]}, {**OHWI, "dil": (2, 2)}),
    ("groups", {**OHWI, "groups": [1]}, OHWI),
    ("pads of one number", {**OHWI, "pads": 1}, {**OHWI, "pads": (1, 1, 1, 1)}),
    ("pads of PyTorch", {**OHWI, "pads": (1, 2)}, {**OHWI, "pads": (1, 2, 1, 2)}),
    ("SAME", {**OHWI, "padding": "SAME"}, {**OHWI, "pads": (1, 1, 1, 1)}),
    ("SAME_UPPER", {**OHWI, "padding": "SAME_UPPER"}, {**OHWI, "padding": "same"}),
    ("bytes", {**OHWI, "padding": b"same"}, {**OHWI, "padding": "same"}),
    ("one mult", {**OHWI, "mult": 2**30, "shift": [-6]}, {**OHWI, **REQUANTISED}),
    (
        "mult of Keras",
        {**OHWI, **REQUANTISED, "mult": np.full((1, 1, 1, 8), 2**30)},
        {**OHWI, **REQUANTISED},
    ),
    ("one scale", {**SCALED, "scale": 0.1}, {**SCALED, "scale": np.full(8, 0.1, np.float32)}),
    ("one w_zp", {**OHWI, "w_zp": np.uint8(3)}, {**OHWI, "w_zp": np.full(8, 3)}),
    ("one zero point", {**OHWI, "in_zp": np.array([[3]])}, {**OHWI, "in_zp": 3}),
    ("bias int64", {**OHWI, "bias": np.arange(8)}, {**OHWI, "bias": np.arange(8, dtype=np.int32)}),
    (
        "depthwise of Keras",
        {"x": X8, "w": ints(3, 3, 8, 2), "w_layout": "HWCM"},
        {"x": X8, "w": ints(3, 3, 8, 2).reshape(3, 3, 1, 16), "w_layout": "HWIO", "groups": 8},
    ),
    (
        "depthwise of TensorFlow Lite",
        {"x": X8, "w": ints(1, 3, 3, 8), "w_layout": "1hwo"},
        {"x": X8, "w": ints(1, 3, 3, 8).transpose(3, 1, 2, 0), "groups": 8},
    ),
]


@pytest.mark.parametrize(
    ("fields", "meant"), [case[1:] for case in TAKEN], ids=[case[0] for case in TAKEN]
)
def test_what_is_plain_is_taken(tmp_path: Path, fields: Fields, meant: Fields) -> None:
    np.savez(tmp_path / "conv.npz", **fields)
    (tmp_path / "other").mkdir()
    np.savez(tmp_path / "other" / "conv.npz", **meant)

    case, other = read_layer(tmp_path / "conv.npz"), read_layer(tmp_path / "other" / "conv.npz")

    assert case.layer == other.layer
    for name in ("x", "w", "bias", "w_zp", "mult", "shift", "scale"):
        np.testing.assert_array_equal(getattr(case, name), getattr(other, name), name)


def test_a_depthwise_layer_of_keras_is_the_sum_over_its_own_channel(tmp_path: Path) -> None:
    """Filter m of channel c is result c * M + m, as in Keras's documentation."""
    kernel = ints(3, 3, 8, 2)
    np.savez(tmp_path / "conv.npz", x=X8, w=kernel, w_layout="HWCM")

    case = read_layer(tmp_path / "conv.npz")

    assert case.layer.groups == 8
    for c, m in np.ndindex(8, 2):
        np.testing.assert_array_equal(case.w[2 * c + m, :, :, 0], kernel[:, :, c, m])


def test_layers_that_fit_both_ways_are_read_back_as_written(tmp_path: Path) -> None:
    np.savez(tmp_path / "one.npz", x=ints(1, 20, 20, 16), w=ints(3, 3, 16, 16), w_layout="OHWI")
    case = read_layer(tmp_path / "one.npz")

    write_layer(tmp_path / "two.npz", case)

    np.testing.assert_array_equal(read_layer(tmp_path / "two.npz").w, ints(3, 3, 16, 16))


@pytest.mark.parametrize("seed", range(3))
def test_whatever_a_field_holds_the_answer_is_a_layer_or_a_sentence(
    tmp_path: Path, seed: int
) -> None:
    print(f"seed {seed}")
    rng = np.random.default_rng([71, seed])
    types = (np.int8, np.uint8, np.int64, np.uint64, np.float32, np.float64, np.bool_, "U4", "S4")
    shapes = ((), (1,), (2,), (4,), (8,), (0,), (1, 1), (2, 2), (1, 8), (3, 3, 8, 1), (1, 4, 4, 8))
    sentences = []
    for _ in range(300):
        fields: Fields = {**OHWI, **REQUANTISED}
        for field in rng.choice(FIELDS, rng.integers(1, 4), replace=False):
            numbers = rng.choice((-129, -1, 0, 1, 2, 8, 255, 2**31), shapes[rng.integers(11)])
            with np.errstate(invalid="ignore"):
                fields[field] = numbers.astype(types[rng.integers(len(types))])
        np.savez(tmp_path / "any.npz", **fields)
        try:
            assert read_layer(tmp_path / "any.npz").w.ndim == 4
        except LayerFileError as error:
            sentences.append(str(error))
    assert 150 < len(sentences) < 300
    assert not any("\n" in sentence for sentence in sentences)
