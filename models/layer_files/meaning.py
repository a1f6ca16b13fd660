"""From the fields of a layer file to a layer.

What `x` is decides what the other values of the file are:

- int8: everything is as the core has it.
- uint8, as in ONNX: `x`, `y` and what speaks of them (`in_zp`, `out_zp`, `act_min`, `act_max`) are
  0 to 255. All of it is shifted by 128: the core computes, and the results are, y - 128 in int8. A
  zero point that is left out is 0, so -128 after the shift.
- floating point, as Keras gives it: `w` and, if they are there, `bias`, `act_min` and `act_max` (0
  and 6 are a ReLU6) are real numbers, too. The layer is quantised: activations and results with one
  scale and a zero point, weights symmetrically with a scale for each filter; the scale of the
  results is calibrated on the float result. What follows from that (`in_zp`, `out_zp`, `mult`,
  `shift`, `scale`, `w_zp`, `acc`, `y`) may not be in the file; `rounding` may. `read_quantised`
  also gives the scales, and by them the error of the results against the float result.

`w` is int8 or, whatever `x` is, uint8: then `w_zp`, the weights' zero point, one number or one for
each filter, is 0 to 255, and both are shifted by 128.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conv_core.models.layer import (
    INT8_MAX,
    INT8_MIN,
    ROUNDINGS,
    Layer,
    LayerCase,
    LayerError,
    same_pads,
)
from conv_core.models.layer_files.fields import (
    FLOATING,
    Fields,
    count,
    each_filter,
    float32,
    int32,
    number,
    numbers,
    pair,
    real,
    tensor,
    word,
)
from conv_core.models.layer_files.weights import oriented_weights, weight_zero_points
from conv_core.models.quantisation import Quantisation, quantise

PADDINGS = ("same", "valid", "SAME_UPPER")
"""The last is ONNX's name of the first."""
FOLLOWING = ("in_zp", "out_zp", "w_zp", "mult", "shift", "scale", "acc", "y")
"""Fields that follow from the values of a floating point layer."""
_SHIFTED = (("in_zp", 0), ("out_zp", 0), ("act_min", INT8_MIN), ("act_max", INT8_MAX))
"""What speaks of `x` and `y`, and what it is if it is left out of a file with int8 activations."""


def case_of_fields(name: str, fields: Fields) -> tuple[LayerCase, Quantisation | None]:
    """The case that a file's fields describe, and its scales if it is in floating point.

    What the fields don't say gets the framework's default. Raises `LayerError` for what makes no
    sense.
    """
    x = tensor(fields, "x", ("int8", "uint8", FLOATING))
    if x.ndim != 4:
        raise LayerError("x", _axes_sentence(x, fields))
    if x.dtype.kind == "f":
        return _float_case(name, fields, x)
    w, layer = _weights_and_geometry(fields, x.shape, ("int8", "uint8"))
    w_zp = weight_zero_points(fields, layer.out_channels, w.dtype)
    _check_quantisation(fields, layer.rounding)
    said = _zero_points_and_clamps(fields, x.dtype)
    layer = replace(
        layer,
        in_zp=said["in_zp"],
        out_zp=said["out_zp"],
        act_min=said["act_min"],
        act_max=said["act_max"],
        requantise="mult" in fields or "scale" in fields,
    )

    def each(field: str, values: NDArray[Any] | None) -> NDArray[Any] | None:
        return None if values is None else each_filter(field, values, layer.out_channels)

    bias = int32(fields, "bias")
    if bias is None:
        bias = np.zeros(layer.out_channels, np.int32)
    bias = each_filter("bias", bias, layer.out_channels, one_for_all=False)
    case = LayerCase(
        name,
        layer,
        _as_int8(x),
        _as_int8(w),
        bias,
        w_zp,
        mult=each("mult", int32(fields, "mult")),
        shift=each("shift", int32(fields, "shift")),
        scale=each("scale", float32(fields, "scale")),
        expected_acc=_expected(fields, "acc", int32(fields, "acc"), layer),
        expected_y=_expected(fields, "y", _y(fields, x.dtype), layer),
    )
    return case, None


def _axes_sentence(x: NDArray[Any], fields: Fields) -> str:
    w_axes = fields["w"].ndim if "w" in fields else 0
    if (x.ndim, w_axes) == (3, 3):
        cure = ": a 1-D convolution is one on an image of height 1, x=x[:, None] for (N, W, Cin)"
    elif w_axes == 2:
        cure = (
            ": a fully connected layer is a 1x1 convolution on a 1x1 image, "
            f"x=x.reshape({x.shape[0] if x.ndim == 2 else 1}, 1, 1, -1)"
        )
    else:
        cure = {
            3: ": write x=x[None] for a single frame",
            2: ": write x=x[None, ..., None] for a single frame with one channel",
        }.get(x.ndim, "")
    return (
        f"its shape {x.shape} has {count(x.ndim, 'axis', 'axes')}, not the 4 (N, H, W, Cin){cure}"
    )


def _weights_and_geometry(
    fields: Fields, shape: tuple[int, ...], kinds: tuple[str, ...]
) -> tuple[NDArray[Any], Layer]:
    """`w` as OHWI, and a layer that knows sizes and rounding, but no zero points and clamps."""
    batch, height, width, in_channels = shape
    w, groups = oriented_weights(fields, shape, kinds)
    stride, dilation = pair(fields, "stride"), pair(fields, "dil")
    kernel = (w.shape[1], w.shape[2])
    layer = Layer(
        batch,
        height,
        width,
        in_channels,
        out_channels=w.shape[0],
        kernel=kernel,
        stride=stride,
        dilation=dilation,
        pads=_pads(fields, (height, width), kernel, stride, dilation),
        groups=groups,
        rounding=word(fields, "rounding", ROUNDINGS, "tflite"),
    )
    return w, layer


def _float_case(name: str, fields: Fields, x: NDArray[Any]) -> tuple[LayerCase, Quantisation]:
    for field in FOLLOWING:
        if field in fields:
            raise LayerError(field, f"x is {x.dtype}: leave it out, it follows from the values")
    w, layer = _weights_and_geometry(fields, x.shape, (FLOATING,))
    x, w = real("x", x), real("w", w)
    bias = real("bias", fields.get("bias", np.zeros(layer.out_channels)), (layer.out_channels,))
    low = float(real("act_min", fields["act_min"], ())) if "act_min" in fields else -np.inf
    high = float(real("act_max", fields["act_max"], ())) if "act_max" in fields else np.inf
    if low > high:
        raise LayerError("act_min", f"{low:g} is above act_max, {high:g}")
    return quantise(name, layer, x, w, bias, (low, high))


def _zero_points_and_clamps(fields: Fields, x_dtype: np.dtype[Any]) -> dict[str, int]:
    """Those of the layer in int8, whatever `x` is."""
    limits = np.iinfo(x_dtype)
    offset = limits.min - INT8_MIN
    said: dict[str, int] = {}
    for field, default in _SHIFTED:
        said[field] = number(fields, field, 0 if field.endswith("zp") else default + offset)
        if not limits.min <= said[field] <= limits.max:
            raise LayerError(
                field, f"{said[field]} is not in {limits.min} to {limits.max}, and x is {x_dtype}"
            )
    if said["act_min"] > said["act_max"]:
        raise LayerError("act_min", f"{said['act_min']} is above act_max, {said['act_max']}")
    return {field: value - offset for field, value in said.items()}


def _as_int8(values: NDArray[Any]) -> NDArray[np.int8]:
    """Those of uint8 less 128."""
    return values if values.dtype == np.int8 else (values ^ 0x80).view(np.int8)


def _y(fields: Fields, x_dtype: np.dtype[Any]) -> NDArray[np.int8] | None:
    if "y" not in fields:
        return None
    if fields["y"].dtype != x_dtype and fields["y"].dtype.name in ("int8", "uint8"):
        shifted = "y.astype(np.int16) - 128" if x_dtype == np.int8 else "y.astype(np.int16) + 128"
        raise LayerError(
            "y",
            f"it is {fields['y'].dtype}, not {x_dtype} like x: if that is how it is meant, write "
            f"y=({shifted}).astype(np.{x_dtype})",
        )
    return _as_int8(tensor(fields, "y", (x_dtype.name,)))


def _expected(
    fields: Fields, field: str, values: NDArray[Any] | None, layer: Layer
) -> NDArray[Any] | None:
    """The results that the file expects, of the layer's shape."""
    if values is None or values.shape == layer.out_shape:
        return values
    n, h, w, c = layer.out_shape
    cure = ""
    if (1, *values.shape) == layer.out_shape:
        cure = f": write {field}={field}[None]"
    elif values.shape == (n, c, h, w):
        cure = f": write {field}={field}.transpose(0, 2, 3, 1)"
    elif "pads" not in fields and "padding" not in fields:
        pads = same_pads(layer.in_shape[1:3], layer.kernel, layer.stride, layer.dilation)
        if replace(layer, pads=pads).out_shape == values.shape:
            cure = ': it would be that with padding="same"'
    raise LayerError(field, f"its shape is {values.shape}, the layer gives {layer.out_shape}{cure}")


def _pads(
    fields: Fields,
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
) -> tuple[int, int, int, int]:
    if "pads" in fields and "padding" in fields:
        raise LayerError("pads", "padding is there too, leave one of them out")
    if "pads" in fields:
        if fields["pads"].dtype.kind in "US":
            raise LayerError("pads", "it is text: write padding='same' or 'valid' in its place")
        values = numbers(fields, "pads", 4, (1, 2))
        top, left, bottom, right = values * (4 // len(values))
        return top, left, bottom, right
    if "padding" in fields and fields["padding"].dtype.kind in "iu":
        raise LayerError(
            "padding", "it is numbers: write pads=(top, left, bottom, right) in its place"
        )
    if word(fields, "padding", PADDINGS, "valid") == "valid":
        return 0, 0, 0, 0
    return same_pads(size, kernel, stride, dilation)


def _check_quantisation(fields: Fields, rounding: str) -> None:
    """Refuses fields that contradict each other on how results become int8."""
    if "mult" in fields and "scale" in fields:
        raise LayerError("mult", "scale is there too, leave one of them out")
    for field, other in (("mult", "shift"), ("shift", "mult")):
        if field in fields and other not in fields:
            raise LayerError(field, f"{other} is missing: multiplier = mult * 2^(shift - 31)")
    if rounding == "float" and "scale" not in fields:
        raise LayerError("scale", "missing, rounding 'float' reads it in place of mult and shift")
    if rounding != "float" and "scale" in fields:
        raise LayerError(
            "scale", f"rounding '{rounding}' reads mult and shift; say rounding 'float'"
        )
    if "y" in fields and "mult" not in fields and "scale" not in fields:
        raise LayerError("y", "without mult or scale the results are accumulators: acc, not y")
