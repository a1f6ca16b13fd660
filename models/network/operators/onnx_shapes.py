"""Operators of ONNX that only move values, and MaxPool."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from conv_core.models.network.graph import Array
from conv_core.models.network.operators.call import Call


def reshape(call: Call) -> list[Array]:
    """Reshape, Flatten, Squeeze, Unsqueeze: the output's shape says all."""
    return [call.value(0).reshape(call.output.shape)]


def transpose(call: Call) -> list[Array]:
    """Axes in another order."""
    order = call.option("perm") or range(call.value(0).ndim)[::-1]
    return [call.value(0).transpose(list(order))]


def concat(call: Call) -> list[Array]:
    """One behind the other."""
    parts = [call.value(number) for number in range(len(call.values))]
    return [np.concatenate(parts, int(call.option("axis")))]


def cast(call: Call) -> list[Array]:
    """The same numbers in the output's type."""
    return [call.value(0).astype(call.output.dtype)]


def max_pool(call: Call) -> list[Array]:
    """The largest value inside the image of each window, NCHW."""
    x = call.value(0)
    kernel = call.option("kernel_shape")
    stride = call.option("strides") or [1, 1]
    dilation = call.option("dilations") or [1, 1]
    _, _, oh, ow = call.output.shape
    top, left = _before(call, x.shape[2:], kernel, stride, dilation)
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    reach = [
        (n - 1) * s + (k - 1) * d + 1
        for n, s, k, d in zip((oh, ow), stride, kernel, dilation, strict=True)
    ]
    padded = np.full(
        (
            *x.shape[:2],
            *(max(r, p + size) for r, p, size in zip(reach, (top, left), x.shape[2:], strict=True)),
        ),
        lowest,
        x.dtype,
    )
    padded[:, :, top : top + x.shape[2], left : left + x.shape[3]] = x
    largest = np.full(call.output.shape, lowest, x.dtype)
    for ky, kx in np.ndindex(*kernel):
        rows = slice(ky * dilation[0], ky * dilation[0] + (oh - 1) * stride[0] + 1, stride[0])
        columns = slice(kx * dilation[1], kx * dilation[1] + (ow - 1) * stride[1] + 1, stride[1])
        largest = np.maximum(largest, padded[:, :, rows, columns])
    return [largest]


def _before(
    call: Call, size: tuple[int, ...], kernel: list[int], stride: list[int], dilation: list[int]
) -> tuple[int, int]:
    """Rows above and columns to the left of the image."""
    mode = call.option("auto_pad", "NOTSET")
    if mode == "NOTSET":
        pads = call.option("pads") or [0, 0, 0, 0]
        return int(pads[0]), int(pads[1])
    totals = [
        max((-(-length // s) - 1) * s + (k - 1) * d + 1 - length, 0) if mode != "VALID" else 0
        for length, k, s, d in zip(size, kernel, stride, dilation, strict=True)
    ]
    top, left = (t // 2 if mode == "SAME_UPPER" else t - t // 2 for t in totals)
    return top, left


def resize(call: Call) -> list[Array]:
    """The nearest pixel."""
    x = call.value(0)
    for axis, (size, outputs) in enumerate(zip(x.shape, call.output.shape, strict=True)):
        if size == outputs:
            continue
        position = np.arange(outputs, dtype=np.float32)
        step = np.float32(size) / np.float32(outputs)
        where = call.option("coordinate_transformation_mode", "half_pixel")
        if where == "asymmetric":
            position = position * step
        else:
            position = (position + np.float32(0.5)) * step - np.float32(0.5)
        how = call.option("nearest_mode", "round_prefer_floor")
        index = np.floor(position) if how == "floor" else np.ceil(position - np.float32(0.5))
        x = np.take(x, np.clip(index, 0, size - 1).astype(np.int64), axis)
    return [x]


FUNCTIONS: Mapping[str, Callable[[Call], list[Array]]] = {
    "Reshape": reshape,
    "Flatten": reshape,
    "Squeeze": reshape,
    "Unsqueeze": reshape,
    "Identity": reshape,
    "Transpose": transpose,
    "Concat": concat,
    "Cast": cast,
    "MaxPool": max_pool,
    "Resize": resize,
}
