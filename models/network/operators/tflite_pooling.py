"""AVERAGE_POOL_2D, MAX_POOL_2D, MEAN and RESIZE_BILINEAR of TensorFlow Lite's reference kernels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from conv_core.models.network.graph import Array
from conv_core.models.network.operators.call import Call, clamped
from conv_core.models.network.operators.fixed_point import multiplier_of, multiply

RESIZE_BITS = 10
"""fraction bits of a position between two pixels"""


def _windows(call: Call, fill: int) -> tuple[Array, Array]:
    """(taps, N, OH, OW, C) with `fill` outside the image, and (taps, OH, OW): is it inside?"""
    x = call.value(0).astype(np.int64)
    kernel = (int(call.option("filterHeight")), int(call.option("filterWidth")))
    stride = (int(call.option("strideH")), int(call.option("strideW")))
    _, oh, ow, _ = call.output.shape
    top, left = _pads(call, x.shape[1:3], kernel, stride)
    bottom = max((oh - 1) * stride[0] + kernel[0] - top - x.shape[1], 0)
    right = max((ow - 1) * stride[1] + kernel[1] - left - x.shape[2], 0)
    around = ((0, 0), (top, bottom), (left, right), (0, 0))
    padded = np.pad(x, around, constant_values=fill)
    inside = np.pad(np.ones(x.shape[1:3], bool), around[1:3])
    taps, valid = [], []
    for ky, kx in np.ndindex(kernel):
        rows = slice(ky, ky + (oh - 1) * stride[0] + 1, stride[0])
        columns = slice(kx, kx + (ow - 1) * stride[1] + 1, stride[1])
        taps.append(padded[:, rows, columns])
        valid.append(inside[rows, columns])
    return np.stack(taps), np.stack(valid)


def _pads(
    call: Call, size: tuple[int, ...], kernel: tuple[int, int], stride: tuple[int, int]
) -> tuple[int, int]:
    """Rows above and columns to the left of the image."""
    if call.option("padding") != "SAME":
        return 0, 0
    pads = []
    for length, k, s in zip(size, kernel, stride, strict=True):
        outputs = -(-length // s)
        pads.append(max((outputs - 1) * s + k - length, 0) // 2)
    return pads[0], pads[1]


def average_pool(call: Call) -> list[Array]:
    """The mean of the pixels inside the image, to the nearest, ties away from zero."""
    taps, inside = _windows(call, 0)
    count = inside.sum(0)[..., None]
    total = taps.sum(0)
    mean = np.sign(total) * ((np.abs(total) + count // 2) // count)
    return [clamped(mean, call.output, call.option("fusedActivationFunction", "NONE"))]


def max_pool(call: Call) -> list[Array]:
    """The largest of the pixels inside the image."""
    taps, _ = _windows(call, np.iinfo(call.output.dtype).min)
    return [clamped(taps.max(0), call.output, call.option("fusedActivationFunction", "NONE"))]


def mean(call: Call) -> list[Array]:
    """The sum along some axes, scaled by a multiplier that holds the division by their size."""
    source, out = call.tensor(0), call.output
    x = call.centred(0)
    axes = tuple(int(axis) % x.ndim for axis in np.atleast_1d(call.value(1)))
    count = int(np.prod([x.shape[axis] for axis in axes]))
    mult, shift = multiplier_of(float(source.scale) / float(out.scale))
    bits = min(count.bit_length() - 1, 32, 31 + shift)
    scaled = multiply(x.sum(axes), (mult << bits) // count, shift - bits)
    return [clamped(scaled + out.zero_point, out).reshape(out.shape)]


def resize_bilinear(call: Call) -> list[Array]:
    """Between four pixels: of int8 at positions of ten fraction bits, of uint8 in float32."""
    if call.output.dtype == np.uint8:
        return [_resize_in_float(call)]
    x = call.value(0).astype(np.int64)
    rows = _positions(call, x.shape[1], call.output.shape[1])
    columns = _positions(call, x.shape[2], call.output.shape[2])
    total = np.zeros(call.output.shape, np.int64)
    for row, row_weight in rows:
        for column, column_weight in columns:
            pixels = x[:, row][:, :, column]
            total += pixels * row_weight[:, None, None] * column_weight[:, None]
    half = np.where(total > 0, 1 << (2 * RESIZE_BITS - 1), -(1 << (2 * RESIZE_BITS - 1)))
    rounded = np.sign(total + half) * (np.abs(total + half) >> 2 * RESIZE_BITS)
    return [rounded.astype(call.output.dtype)]


def _resize_in_float(call: Call) -> Array:
    x = call.value(0).astype(np.float32)
    (top, bottom, down), (left, right, across) = (
        _real_positions(call, x.shape[axis], call.output.shape[axis]) for axis in (1, 2)
    )
    down, across, one = down[:, None, None], across[:, None], np.float32(1)
    upper, lower = x[:, top], x[:, bottom]
    total = upper[:, :, left] * (one - down) * (one - across)
    total = total + lower[:, :, left] * down * (one - across)
    total = total + upper[:, :, right] * (one - down) * across
    total = total + lower[:, :, right] * down * across
    rounded: Array = (total + np.float32(0.5)).astype(np.uint8)
    return rounded


def _real_positions(call: Call, size: int, outputs: int) -> tuple[Array, Array, Array]:
    """The pixels on both sides of each output's position, and its distance from the first."""
    corners = call.option("alignCorners") and outputs > 1
    step = np.float32(size - 1) / np.float32(outputs - 1) if corners else np.float32(size) / outputs
    step, half = np.float32(step), np.float32(0.5)
    number = np.arange(outputs, dtype=np.float32)
    position = (number + half) * step - half if call.option("halfPixelCenters") else number * step
    first = np.maximum(np.floor(position).astype(np.int64), 0)
    second = np.minimum(np.ceil(position).astype(np.int64), size - 1)
    return first, second, position - first.astype(np.float32)


def _positions(call: Call, size: int, outputs: int) -> list[tuple[Array, Array]]:
    """The two pixels around each output's position, with their weights."""
    return list(_neighbours(call, size, outputs))


def _neighbours(call: Call, size: int, outputs: int) -> Iterator[tuple[Array, Array]]:
    one = 1 << RESIZE_BITS
    if call.option("alignCorners") and outputs > 1:
        step = (one * (size - 1) + (outputs - 1) // 2) // (outputs - 1)
    else:
        step = (one * size + outputs // 2) // outputs
    position = np.arange(outputs) * step
    if call.option("halfPixelCenters"):
        position += step // 2 - one // 2
    lower = np.maximum(np.trunc(position / one).astype(np.int64), 0)
    upper = np.minimum(np.trunc((position + one - 1) / one).astype(np.int64), size - 1)
    offset = position - one * lower
    yield lower, one - offset
    yield upper, offset
