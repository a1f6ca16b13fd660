"""ADD, SUB, MUL, QUANTIZE, DEQUANTIZE, SOFTMAX, LOGISTIC of TensorFlow Lite's reference kernels."""

from __future__ import annotations

import numpy as np

from conv_core.models.network.graph import Array
from conv_core.models.network.operators.call import Call, clamped, limits, round_away
from conv_core.models.network.operators.fixed_point import (
    divide_by_power,
    exp_of_negative,
    high_product,
    input_radius,
    multiplier_of,
    multiply,
    reciprocal_of_one_plus,
)

ADD_SHIFT = 20
"""bits by which the terms of a sum are shifted up before they are scaled"""
SOFTMAX_BITS, SUM_BITS = 5, 12
"""integer bits of a softmax's differences, and of their sum"""


def add(call: Call) -> list[Array]:
    """Both terms scaled to twice the larger scale, added, and scaled to the output's."""
    return _sum(call, 1)


def sub(call: Call) -> list[Array]:
    """As `add`, with the second term negative."""
    return _sum(call, -1)


def _sum(call: Call, sign: int) -> list[Array]:
    one, other = (float(call.tensor(i).scale) for i in (0, 1))
    twice = 2 * max(one, other)
    terms = [
        multiply(call.centred(i) << ADD_SHIFT, *multiplier_of(scale / twice))
        for i, scale in enumerate((one, other))
    ]
    out = call.output
    scaled = multiply(
        terms[0] + sign * terms[1], *multiplier_of(twice / ((1 << ADD_SHIFT) * float(out.scale)))
    )
    return [clamped(scaled + out.zero_point, out, call.option("fusedActivationFunction", "NONE"))]


def mul(call: Call) -> list[Array]:
    """The product of the centred values, scaled. The multiplier is derived in float32."""
    real = call.tensor(0).scale * call.tensor(1).scale / call.output.scale
    product = multiply(call.centred(0) * call.centred(1), *multiplier_of(float(real)))
    function = call.option("fusedActivationFunction", "NONE")
    return [clamped(product + call.output.zero_point, call.output, function)]


def quantize(call: Call) -> list[Array]:
    """From real numbers, or from one quantisation to another."""
    source, out = call.tensor(0), call.output
    if source.dtype.kind == "f":
        nearest = round_away(call.value(0).astype(np.float32) / out.scale)
        return [clamped(nearest.astype(np.int64) + out.zero_point, out)]
    mult, shift = multiplier_of(float(source.scale) / float(out.scale))
    return [clamped(multiply(call.centred(0), mult, shift) + out.zero_point, out)]


def dequantize(call: Call) -> list[Array]:
    """scale * (stored - zero point), as float32."""
    return [(call.centred(0) * float(call.tensor(0).scale)).astype(np.float32)]


def softmax(call: Call) -> list[Array]:
    """Along the last axis, in fixed point."""
    out = call.output
    x = call.value(0).astype(np.int64)
    real = float(np.float32(call.option("beta", 1.0))) * float(call.tensor(0).scale)
    mult, shift = multiplier_of(min(real * 2.0 ** (31 - SOFTMAX_BITS), 2.0**31 - 1))
    difference = x - x.max(-1, keepdims=True)
    near = difference >= -input_radius(SOFTMAX_BITS, shift)
    scaled = high_product(np.where(near, difference, 0) << shift, np.int64(mult))
    exponentials = np.where(near, exp_of_negative(scaled, SOFTMAX_BITS), 0)
    total = np.where(near, divide_by_power(exponentials, SUM_BITS), 0).sum(-1, keepdims=True)
    headroom = 32 - np.frexp(total.astype(np.float64))[1]
    reciprocal = reciprocal_of_one_plus((total << headroom) - (1 << 31))
    low, high = limits(out)
    bits = SUM_BITS - headroom + 31 - 8 * out.dtype.itemsize
    product = high_product(exponentials, reciprocal)
    rounded = (product + ((1 << bits) >> 1)) >> bits
    return [np.where(near, np.clip(rounded + low, low, high), low).astype(out.dtype)]


def logistic(call: Call) -> list[Array]:
    """1 / (1 + exp(-x)), step by step in float32. The exponential is the nearest float32."""
    out = call.output
    real = (call.tensor(0).scale * call.centred(0).astype(np.float32)).astype(np.float64)
    with np.errstate(over="ignore"):
        exponential = np.exp(-real).astype(np.float32)
    one = np.float32(1)
    scaled = one / (one + exponential) * (one / out.scale)
    return [clamped(round_away(scaled).astype(np.int64) + out.zero_point, out)]
