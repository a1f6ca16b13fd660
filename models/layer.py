"""A convolution layer: its geometry, its quantisation, its tensors, and whether they make sense.

Everything that the core can be told at run time is a field of `Layer`; a `LayerCase` adds the
tensors. Both refuse nonsense on construction with a `LayerError` that names the field, so that
nothing behind them has to check again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conv_core.models.errors import RefusedError
from conv_core.models.windows import Windows

MAX_SIZE = 65535
"""Largest height, width, channels, batch, padding and output size: the fields have 16 bits."""
MAX_KERNEL = 31
MAX_STRIDE = 4
MAX_DILATION = 4
MIN_SHIFT, MAX_SHIFT = -31, 7
ROUNDINGS = ("tflite", "single", "float")
INT8_MIN, INT8_MAX = -128, 127

Int8Array = NDArray[np.int8]
Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]
Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_ZEROS: Any = None  # what a field holds until __post_init__ puts zeros there


class LayerError(RefusedError):
    """A layer that makes no sense: `field` is the culprit's name, `sentence` what is wrong."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(f"{field}: {sentence}")
        self.field = field
        self.sentence = sentence


@dataclass(frozen=True)
class Layer:
    """Geometry and scalars of a convolution layer, without tensors.

    Pairs are (vertical, horizontal); `pads` is (top, left, bottom, right), in pixels. Zero points
    are those of the int8 tensors: real value = scale * (stored value - zero point). A padded tap is
    worth the input's zero point, that is nothing. With `requantise` the results are int8, by the
    rule that `rounding` names (see `conv_core.models.requantisation`), else they are the int32
    accumulators.

    Raises `LayerError` for values out of the core's range and for a layer without a single window.
    """

    batch: int
    height: int
    width: int
    in_channels: int
    out_channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    groups: int = 1
    in_zp: int = 0
    out_zp: int = 0
    act_min: int = INT8_MIN
    act_max: int = INT8_MAX
    requantise: bool = False
    rounding: str = "tflite"

    def __post_init__(self) -> None:
        for field in ("batch", "height", "width", "in_channels", "out_channels", "groups"):
            _check_range(field, getattr(self, field), 1, MAX_SIZE)
        _check_each("kernel", self.kernel, 2, 1, MAX_KERNEL)
        _check_each("stride", self.stride, 2, 1, MAX_STRIDE)
        _check_each("dilation", self.dilation, 2, 1, MAX_DILATION)
        _check_each("pads", self.pads, 4, 0, MAX_SIZE)
        for field in ("in_zp", "out_zp", "act_min", "act_max"):
            _check_range(field, getattr(self, field), INT8_MIN, INT8_MAX)
        if self.act_min > self.act_max:
            raise LayerError("act_min", f"{self.act_min} is above act_max, {self.act_max}")
        if self.rounding not in ROUNDINGS:
            raise LayerError("rounding", f"{self.rounding!r} is not one of {', '.join(ROUNDINGS)}")
        for field, channels in (("in", self.in_channels), ("out", self.out_channels)):
            if channels % self.groups:
                raise LayerError(
                    "groups", f"{self.groups} does not divide the {channels} {field}put channels"
                )
        for what, windows in (("rows", self.rows), ("columns", self.columns)):
            if windows.count < 1:
                raise LayerError(
                    "kernel",
                    f"it spans {windows.span} {what}, but the image with its padding has only "
                    f"{windows.padded}: there is no output",
                )
            if windows.count > MAX_SIZE:
                raise LayerError(
                    "pads", f"they make {windows.count} output {what}; at most {MAX_SIZE} go"
                )

    @cached_property
    def rows(self) -> Windows:
        """Where the windows lie along the rows of the image, padding included."""
        return self._windows(self.height, 0)

    @cached_property
    def columns(self) -> Windows:
        """Likewise along its columns."""
        return self._windows(self.width, 1)

    def _windows(self, size: int, axis: int) -> Windows:
        return Windows(
            size,
            self.kernel[axis],
            self.stride[axis],
            self.dilation[axis],
            before=self.pads[axis],
            after=self.pads[axis + 2],
        )

    @cached_property
    def out_height(self) -> int:
        return self.rows.count

    @cached_property
    def out_width(self) -> int:
        return self.columns.count

    @property
    def in_shape(self) -> tuple[int, int, int, int]:
        """(N, H, W, Cin)"""
        return self.batch, self.height, self.width, self.in_channels

    @property
    def out_shape(self) -> tuple[int, int, int, int]:
        """(N, OH, OW, Cout)"""
        return self.batch, self.out_height, self.out_width, self.out_channels

    @property
    def weight_shape(self) -> tuple[int, int, int, int]:
        """(Cout, KH, KW, Cin / groups), the layout OHWI."""
        return self.out_channels, *self.kernel, self.in_channels // self.groups

    @property
    def macs(self) -> int:
        """Nominal multiply-accumulates of all frames: every tap counts, padded or not."""
        return int(np.prod(self.out_shape)) * int(np.prod(self.weight_shape[1:]))

    @property
    def macs_inside(self) -> int:
        """Multiply-accumulates of all frames whose tap lies inside the image."""
        taps = int(self.rows.taps_inside.sum()) * int(self.columns.taps_inside.sum())
        return self.batch * taps * self.out_channels * self.weight_shape[3]

    def __str__(self) -> str:
        """One frame in the framework's shapes: `(11, 11, 64) * (3, 3, 64, 64) -> (11, 11, 64)`."""
        weights = (*self.kernel, self.in_channels // self.groups, self.out_channels)
        return f"{self.in_shape[1:]} * {weights} -> {self.out_shape[1:]}"


@dataclass(frozen=True, eq=False)
class LayerCase:
    """A layer with its tensors, ready to be computed.

    `x` int8 (N, H, W, Cin), `w` int8 (Cout, KH, KW, Cin / groups), `bias` int32 (Cout), `w_zp`
    int32 (Cout), the weights' zero points of -128 to 127: zeros where they are left out. A
    requantised layer has `mult` and `shift`, int32 (Cout), when its rounding is `tflite` or
    `single`, and `scale`, float32 (Cout), when it is `float`; a layer that gives accumulators has
    none of them.
    `expected_acc` and `expected_y`, (N, OH, OW, Cout), are what others say the results are.

    Raises `LayerError` where a tensor is missing, too much, of the wrong type, shape or range.
    """

    name: str
    layer: Layer
    x: Int8Array
    w: Int8Array
    bias: Int32Array
    w_zp: Int32Array = _ZEROS
    mult: Int32Array | None = None
    shift: Int32Array | None = None
    scale: Float32Array | None = None
    expected_acc: Int32Array | None = None
    expected_y: Int8Array | None = None

    def __post_init__(self) -> None:
        layer = self.layer
        channels = (layer.out_channels,)
        _check_tensor("x", self.x, np.int8, layer.in_shape)
        _check_tensor("w", self.w, np.int8, layer.weight_shape)
        _check_tensor("bias", self.bias, np.int32, channels)
        if self.w_zp is None:
            object.__setattr__(self, "w_zp", np.zeros(channels, np.int32))
        _check_tensor("w_zp", self.w_zp, np.int32, channels)
        _check_values("w_zp", self.w_zp, INT8_MIN, INT8_MAX)
        by_mult = layer.requantise and layer.rounding != "float"
        by_scale = layer.requantise and layer.rounding == "float"
        for field, tensor, wanted in (
            ("mult", self.mult, by_mult),
            ("shift", self.shift, by_mult),
            ("scale", self.scale, by_scale),
        ):
            if wanted and tensor is None:
                raise LayerError(field, f"missing, rounding {layer.rounding!r} needs it")
            if tensor is not None and not wanted:
                reason = f"rounding {layer.rounding!r} does not read it"
                raise LayerError(field, reason if layer.requantise else "accumulators need none")
        if self.mult is not None:
            _check_tensor("mult", self.mult, np.int32, channels)
            _check_values("mult", self.mult, 0, 2**31 - 1)
        if self.shift is not None:
            _check_tensor("shift", self.shift, np.int32, channels)
            _check_values("shift", self.shift, MIN_SHIFT, MAX_SHIFT)
        if self.scale is not None:
            _check_tensor("scale", self.scale, np.float32, channels)
            wrong = np.flatnonzero(~(np.isfinite(self.scale) & (self.scale >= 0)))
            if wrong.size:
                raise LayerError(
                    "scale",
                    f"{self.scale[wrong[0]]} of channel {wrong[0]} is not a finite number of 0 and "
                    "more",
                )
        if self.expected_acc is not None:
            _check_tensor("acc", self.expected_acc, np.int32, layer.out_shape)
        if self.expected_y is not None:
            _check_tensor("y", self.expected_y, np.int8, layer.out_shape)

    @property
    def centred_weights(self) -> NDArray[np.int16]:
        """`w` less its zero points: what an activation is multiplied by, nine bits."""
        return self.w - self.w_zp.astype(np.int16)[:, None, None, None]


def same_pads(
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int] = (1, 1),
) -> tuple[int, int, int, int]:
    """The framework's padding "same" for an image of `size` (H, W): (top, left, bottom, right).

    TensorFlow's definition: the output has ceil(size / stride) rows, and of the padding that this
    takes the smaller half goes to the top, the larger to the bottom; columns alike.

    Raises `LayerError` for a stride or a dilation out of range.
    """
    _check_each("stride", stride, 2, 1, MAX_STRIDE)
    _check_each("dilation", dilation, 2, 1, MAX_DILATION)
    both = []
    for length, k, s, d in zip(size, kernel, stride, dilation, strict=True):
        outputs = -(-length // s)
        total = max((outputs - 1) * s + (k - 1) * d + 1 - length, 0)
        both.append((total // 2, total - total // 2))
    (top, bottom), (left, right) = both
    return top, left, bottom, right


def _check_range(field: str, value: Any, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise LayerError(field, f"{value!r} is not a whole number")
    if not low <= value <= high:
        raise LayerError(field, f"{value} is not in {low} to {high}")


def _check_each(field: str, values: Any, count: int, low: int, high: int) -> None:
    if not isinstance(values, tuple) or len(values) != count:
        raise LayerError(field, f"{values!r} is not a tuple of {count} numbers")
    for value in values:
        _check_range(field, value, low, high)


def _check_tensor(field: str, tensor: Any, dtype: type, shape: tuple[int, ...]) -> None:
    if not isinstance(tensor, np.ndarray) or tensor.dtype != np.dtype(dtype):
        kind = tensor.dtype.name if isinstance(tensor, np.ndarray) else type(tensor).__name__
        raise LayerError(field, f"it is {kind}, not {np.dtype(dtype).name}")
    if tensor.shape != shape:
        raise LayerError(field, f"its shape is {tensor.shape}, the layer needs {shape}")


def _check_values(field: str, tensor: Int32Array, low: int, high: int) -> None:
    wrong = np.flatnonzero((tensor < low) | (tensor > high))
    if wrong.size:
        raise LayerError(
            field, f"{tensor[wrong[0]]} of channel {wrong[0]} is not in {low} to {high}"
        )
