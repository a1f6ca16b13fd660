"""From int32 accumulators to int8 results, per output channel, by one of three rules.

`tflite` is the rule of LiteRT's reference kernels of convolutions and of TensorFlow Lite Micro: the
multiplier is mult * 2^(shift - 31), and both roundings are in integers. `single` takes the same
multiplier and rounds once: that is what LiteRT's reference kernel of fully connected layers does,
whose own multiplier is a float64 (see `requantise_double`). `float` is the rule of XNNPACK, ONNX
Runtime's QLinearConv and PyTorch's fbgemm: the multiplier is a float32. They differ by one in a few
of a thousand results.
"""

from __future__ import annotations

import numpy as np

from conv_core.models.convolution import accumulate
from conv_core.models.layer import (
    INT8_MAX,
    INT8_MIN,
    BoolArray,
    Float32Array,
    Float64Array,
    Int8Array,
    Int32Array,
    Int64Array,
    LayerCase,
)

LEAST_SHIFT, LARGEST_SHIFT = -31, 8
"""What a core makes of shifts further out."""
HALF = 0.5
INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
LARGEST_RESULT = 256
"""No result further from 0 is inside the clamps, whatever the zero point."""


def requantise(
    acc: Int32Array,
    mult: Int32Array,
    shift: Int32Array,
    out_zp: int,
    act_min: int,
    act_max: int,
) -> Int8Array:
    """The rule `tflite` on accumulators (..., Cout), with `mult` and `shift` (Cout).

        h = floor((acc * 2^max(shift, 0) * mult + 2^30) / 2^31)
        t = h / 2^max(-shift, 0), to the nearest, ties away from zero
        y = clamp(t + out_zp, act_min, act_max)

    `mult` is any int32. A shift above 8 counts as 8, one below -31 as -31. Nothing overflows on the
    way.
    """
    shift = np.clip(shift, LEAST_SHIFT, LARGEST_SHIFT)
    left = np.maximum(shift, 0).astype(np.int64)
    right = np.maximum(-shift, 0).astype(np.int64)
    high = _rounded_high_half(acc.astype(np.int64) << left, mult.astype(np.int64))
    half = (np.int64(1) << right) >> 1
    quotient = np.sign(high) * ((np.abs(high) + half) >> right)
    clamped: Int64Array = np.clip(quotient + out_zp, act_min, act_max)
    return clamped.astype(np.int8)


def _rounded_high_half(a: Int64Array, q: Int64Array) -> Int64Array:
    """floor((a * q + 2^30) / 2^31) for |a| <= 2^39 and |q| <= 2^31.

    The product has up to 70 bits, so `a` is taken in two parts, a = upper * 2^16 + lower.
    """
    upper, lower = a >> 16, a & 0xFFFF
    return (upper * q + ((lower * q + (1 << 30)) >> 16)) >> 15


def requantise_single(
    acc: Int32Array,
    mult: Int32Array,
    shift: Int32Array,
    out_zp: int,
    act_min: int,
    act_max: int,
) -> Int8Array:
    """The rule `single` on accumulators (..., Cout), with `mult` and `shift` (Cout).

        t = acc * mult * 2^(shift - 31), to the nearest, ties away from zero
        y = clamp(t + out_zp, act_min, act_max)

    `mult` is any int32. A shift above 8 counts as 8, one below -31 as -31.
    """
    places = 31 - np.clip(shift, LEAST_SHIFT, LARGEST_SHIFT).astype(np.int64)
    product = acc.astype(np.int64) * mult.astype(np.int64)  # at most 2^62, and half of 2^62 fits
    half = np.int64(1) << (places - 1)
    quotient = np.sign(product) * ((np.abs(product) + half) >> places)
    clamped: Int64Array = np.clip(quotient + out_zp, act_min, act_max)
    return clamped.astype(np.int8)


def requantise_double(
    acc: Int32Array, real: Float64Array, out_zp: int, act_min: int, act_max: int
) -> Int8Array:
    """LiteRT's reference FULLY_CONNECTED on accumulators (..., Cout), `real` float64 (Cout).

    y = clamp(t + out_zp, act_min, act_max), where t is float64(acc) * real, a float64 product, to
    the nearest, ties away from zero; `real` is in_scale * filter_scale / out_scale in float64.

    No core has it: cores have `single`, whose multiplier of 31 bits gives the same results for all
    accumulators but those of `single_misses`. Source: measured, see
    `tests/models/test_runtimes_rules.py`.
    """
    product = acc.astype(np.float64) * real
    whole = np.trunc(product)
    nearest = whole + np.where(np.abs(product - whole) >= HALF, np.sign(product), 0)
    clamped: Float64Array = np.clip(nearest + out_zp, act_min, act_max)
    return clamped.astype(np.int8)


def single_misses(real: float, mult: int, shift: int) -> Int32Array:
    """All accumulators that `single` and `requantise_double` round apart, clamps to int8 aside.

    Both rise with the accumulator, and their multipliers differ by less than 2^-31 of themselves:
    so they can only part beside the accumulators where a result of -256 to 256 changes to the next.
    """
    if real == 0:
        return np.array([], np.int32)
    steps = np.rint((np.arange(-LARGEST_RESULT, LARGEST_RESULT) + HALF) / real)
    near = np.clip(steps[:, None] + np.arange(-2, 3), INT32_MIN, INT32_MAX).astype(np.int32)
    acc = np.unique(near).reshape(-1, 1)
    missed: BoolArray = np.zeros(len(acc), np.bool_)
    pair = np.array([mult], np.int32), np.array([shift], np.int32)
    for out_zp in (INT8_MIN, INT8_MAX):  # between them they let all results through
        single = requantise_single(acc, *pair, out_zp, INT8_MIN, INT8_MAX)
        double = requantise_double(acc, np.array([real]), out_zp, INT8_MIN, INT8_MAX)
        missed |= (single != double).reshape(-1)
    return acc[missed].reshape(-1)


def requantise_float(
    acc: Int32Array, scale: Float32Array, out_zp: int, act_min: int, act_max: int
) -> Int8Array:
    """The rule `float` on accumulators (..., Cout), with `scale` float32 (Cout).

    y = clamp(t + out_zp, act_min, act_max), where t is float32(acc) * scale, a float32 product,
    rounded half to even. float32(acc) rounds half to even as well, above 2^24.

    What a core makes of other scales: the sign is not looked at, a subnormal one counts as 0, and
    one that is infinite or not a number takes every accumulator but 0 to the clamp on its side.
    """
    real = np.float32(acc)
    scale = np.abs(scale)
    scale = np.where(scale < np.finfo(np.float32).tiny, np.float32(0), scale)
    scale = np.where(np.isnan(scale), np.float32(np.inf), scale)
    with np.errstate(over="ignore", invalid="ignore"):  # infinity is clamped like all that is large
        product = np.where(real == 0, np.float32(0), real * scale)
    nearest: Float32Array = np.clip(np.rint(product), act_min - out_zp, act_max - out_zp)
    return (nearest + out_zp).astype(np.int8)


def result(case: LayerCase) -> Int32Array | Int8Array:
    """What the core must give, (N, OH, OW, Cout): int32 accumulators, or int8 if requantised."""
    layer, acc = case.layer, accumulate(case)
    if not layer.requantise:
        return acc
    if case.scale is not None:
        return requantise_float(acc, case.scale, layer.out_zp, layer.act_min, layer.act_max)
    assert case.mult is not None  # LayerCase saw to it
    assert case.shift is not None
    rule = requantise if layer.rounding == "tflite" else requantise_single
    return rule(acc, case.mult, case.shift, layer.out_zp, layer.act_min, layer.act_max)
