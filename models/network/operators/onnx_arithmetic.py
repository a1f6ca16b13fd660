"""ONNX Runtime's quantised operators besides convolutions, and the float ones between them.

Values of int8 and uint8 are treated alike: whole numbers less their zero point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from conv_core.models.layer import Float32Array
from conv_core.models.network.graph import Array, Tensor
from conv_core.models.network.operators.call import Call, limits

F32 = np.float32
LOGISTIC_END = 18
"""where the logistic function is 0 or 1"""
LOGISTIC_ABOVE = (
    4.37031012579801e-11,
    1.15627324459942e-07,
    6.08574864600143e-05,
    8.51377133304701e-03,
    2.48287947061529e-01,
)
LOGISTIC_BELOW = (
    6.10247389755681e-13,
    5.76102136993427e-09,
    6.29106785017040e-06,
    1.70198817374094e-03,
    1.16817656904453e-01,
    9.93151921023180e-01,
)
"""ONNX Runtime's approximation of it: coefficients of powers of the square of x, highest first"""
LARGEST_POWER = float(0x7FFFFF)
"""of a softmax's table of exponentials"""


def _requantised(real: Array, output: Tensor) -> Array:
    """Real multiples of the output's scale, rounded half to even."""
    stored = np.rint(real).astype(np.int64) + output.zero_point
    return np.clip(stored, *limits(output)).astype(output.dtype)


def _real(call: Call, number: int) -> Float32Array:
    """An input's real numbers in float32."""
    tensor, value = call.tensor(number), call.value(number)
    quantisation = tensor.quantisation
    assert quantisation is not None
    shape = [1] * value.ndim
    if not quantisation.per_tensor:
        shape[quantisation.axis] = -1
    points = quantisation.zero_point.reshape(shape if value.ndim else ())
    scale = quantisation.scale.reshape(shape if value.ndim else ())
    real: Float32Array = (value.astype(np.int32) - points).astype(F32) * scale
    return real


def quantize_linear(call: Call) -> list[Array]:
    """x / scale in float32, rounded half to even, plus the zero point."""
    return [_requantised(call.value(0) / call.output.scale, call.output)]


def dequantize_linear(call: Call) -> list[Array]:
    """(stored - zero point) * scale in float32."""
    return [_real(call, 0)]


def dynamic_quantize_linear(call: Call) -> list[Array]:
    """uint8 values, their scale and zero point, from the range of the values and 0."""
    x = call.value(0)
    low, high = min(F32(0), x.min()), max(F32(0), x.max())
    scale = F32((high - low) / F32(255)) if high > low else F32(1)
    point = np.uint8(np.clip(np.rint(F32(0) - low / scale), 0, 255))
    stored = np.clip(np.rint(x / scale) + F32(point), 0, 255).astype(np.uint8)
    return [stored, np.asarray(scale), np.asarray(point)]


def qlinear_add(call: Call) -> list[Array]:
    """Both scaled in float32 to the output's scale, by fused multiply-adds onto a constant that
    holds the zero points, as ONNX Runtime does on processors with AVX2.
    """
    out = call.output
    ratios = [call.tensor(i).scale / out.scale for i in (0, 1)]
    points = [F32(call.tensor(i).zero_point) for i in (0, 1)]
    fixed = F32(out.zero_point) - _multiply_add(points[0], ratios[0], ratios[1] * points[1])
    total = _multiply_add(call.value(1), ratios[1], fixed)
    total = _multiply_add(call.value(0), ratios[0], total)
    return [np.clip(np.rint(total), *limits(out)).astype(out.dtype)]


def _multiply_add(a: Any, b: np.float32, c: Any) -> Any:
    """a * b + c of float32 numbers, rounded once; `a` has at most eight bits."""
    return (np.asarray(a, np.float64) * np.float64(b) + np.asarray(c, np.float64)).astype(F32)


def qlinear_mul(call: Call) -> list[Array]:
    """The product of the centred values times a float32 multiplier; the zero point is added before
    it is rounded.
    """
    out = call.output
    multiplier = call.tensor(0).scale * call.tensor(1).scale / out.scale
    product = (call.centred(0) * call.centred(1)).astype(F32) * multiplier
    stored = np.rint(product + F32(out.zero_point))
    return [np.clip(stored, *limits(out)).astype(out.dtype)]


def qlinear_global_average_pool(call: Call) -> list[Array]:
    """The sum of each plane times a float32 multiplier that holds the division by its size."""
    x = call.centred(0)
    axes = tuple(range(2, x.ndim))
    count = int(np.prod(x.shape[2:]))
    multiplier = call.tensor(0).scale / (call.output.scale * F32(count))
    return [_requantised(x.sum(axes, keepdims=True).astype(F32) * multiplier, call.output)]


def qlinear_sigmoid(call: Call) -> list[Array]:
    """1 / (1 + exp(-x)) of each stored value."""
    return [_requantised(_logistic(_real(call, 0)) / call.output.scale, call.output)]


def qlinear_leaky_relu(call: Call) -> list[Array]:
    """x, or alpha * x below 0."""
    real = _real(call, 0)
    alpha = F32(call.option("alpha", 0.01))
    return [_requantised(np.where(real >= 0, real, real * alpha) / call.output.scale, call.output)]


def qlinear_concat(call: Call) -> list[Array]:
    """Each input brought to the output's scale."""
    out = call.output
    assert out.quantisation is not None
    parts = []
    for number, (tensor, value) in enumerate(zip(call.inputs, call.values, strict=True)):
        assert tensor is not None
        assert value is not None
        assert tensor.quantisation is not None
        same = tensor.quantisation.same_as(out.quantisation)
        parts.append(value if same else _requantised(_real(call, number) / out.scale, out))
    return [np.concatenate(parts, int(call.option("axis", 0)))]


def qlinear_softmax(call: Call) -> list[Array]:
    """exp(x - max) from a table of whole numbers, divided by their sum in whole numbers."""
    out, axis = call.output, int(call.option("axis", -1))
    x = call.value(0).astype(np.int64)
    largest = min((2**32 - 1) / x.shape[axis], LARGEST_POWER)
    powers = largest * np.exp((np.arange(256) - 255) * float(call.tensor(0).scale))
    table = powers.astype(np.int64) if out.dtype == np.uint8 else np.rint(powers).astype(np.int64)
    each = table[x - x.max(axis, keepdims=True) + 255]
    total = each.sum(axis, keepdims=True)
    quotient = (each * int(F32(1) / out.scale) + total // 2) // total
    return [np.clip(quotient + out.zero_point, *limits(out)).astype(out.dtype)]


def hard_sigmoid(call: Call) -> list[Array]:
    """alpha * x + beta, between 0 and 1."""
    alpha, beta = F32(call.option("alpha", 0.2)), F32(call.option("beta", 0.5))
    return [np.clip(call.value(0) * alpha + beta, F32(0), F32(1))]


def clip(call: Call) -> list[Array]:
    """Between its second and its third input."""
    x = call.value(0)
    low = call.value(1) if call.given(1) else call.option("min", -np.inf)
    high = call.value(2) if call.given(2) else call.option("max", np.inf)
    return [np.minimum(np.maximum(x, x.dtype.type(low)), x.dtype.type(high))]


def global_average_pool(call: Call) -> list[Array]:
    """The mean of each plane in float32: four sums side by side, then the rest pixel by pixel."""
    x = call.value(0)
    planes = x.reshape(*x.shape[:2], -1)
    size = planes.shape[-1]
    rows = planes[..., : size // 4 * 4].reshape(*x.shape[:2], -1, 4)
    start = np.zeros((*x.shape[:2], 1, 4), F32)
    four = np.add.accumulate(np.concatenate([start, rows], 2), 2, dtype=F32)[:, :, -1]
    total = (four[..., 0] + four[..., 2]) + (four[..., 1] + four[..., 3])
    for number in range(size // 4 * 4, size):
        total = total + planes[..., number]
    return [(total / F32(size)).reshape(call.output.shape)]


def conv_transpose(call: Call) -> list[Array]:
    """Each pixel's channels times the kernel, by fused multiply-adds in float32, put where the
    strides say. Kernels may not overlap, nor be dilated, grouped or padded.
    """
    x, w = call.value(0), call.value(1)
    frames, channels, height, width = x.shape
    _, filters, kh, kw = w.shape
    total = np.zeros((frames, filters, kh, kw, height, width), F32)
    for channel in range(channels):
        product = w[channel].astype(np.float64)[None, :, :, :, None, None] * x[
            :, channel, None, None, None
        ].astype(np.float64)
        total = (total + product).astype(F32)
    image = total.transpose(0, 1, 4, 2, 5, 3).reshape(frames, filters, height * kh, width * kw)
    return [image + call.value(2).reshape(1, -1, 1, 1) if call.given(2) else image]


def softmax(call: Call) -> list[Array]:
    """exp(x - max) divided by its sum, in floating point."""
    x, axis = call.value(0), int(call.option("axis", -1))
    power = np.exp(x - x.max(axis, keepdims=True))
    return [power / power.sum(axis, keepdims=True)]


def sigmoid(call: Call) -> list[Array]:
    """1 / (1 + exp(-x)), in floating point."""
    return [_logistic(call.value(0))]


def _logistic(x: Float32Array) -> Float32Array:
    """1 / (1 + exp(-x)) as a quotient of polynomials plus a half, by fused multiply-adds."""
    x = np.clip(x, -F32(LOGISTIC_END), F32(LOGISTIC_END))
    square = x * x
    sums = []
    for coefficients in (LOGISTIC_ABOVE, LOGISTIC_BELOW):
        total = np.full_like(x, coefficients[0])
        for each in coefficients[1:]:
            total = (total.astype(np.float64) * square + np.float64(F32(each))).astype(F32)
        sums.append(total)
    result: Float32Array = np.clip(sums[0] * x / sums[1] + F32(0.5), F32(0), F32(1))
    return result


def batch_normalization(call: Call) -> list[Array]:
    """scale * (x - mean) / sqrt(variance + epsilon) + bias, for each channel."""
    x = call.value(0)
    shape = (1, -1, *[1] * (x.ndim - 2))
    scale, bias, mean, variance = (call.value(i).reshape(shape) for i in range(1, 5))
    factor = F32(1) / np.sqrt(variance + F32(call.option("epsilon", 1e-5))) * scale
    return [x * factor + (bias - mean * factor)]


FUNCTIONS: Mapping[str, Callable[[Call], list[Array]]] = {
    "QuantizeLinear": quantize_linear,
    "DequantizeLinear": dequantize_linear,
    "DynamicQuantizeLinear": dynamic_quantize_linear,
    "QLinearAdd": qlinear_add,
    "QLinearMul": qlinear_mul,
    "QLinearGlobalAveragePool": qlinear_global_average_pool,
    "QLinearSigmoid": qlinear_sigmoid,
    "QLinearLeakyRelu": qlinear_leaky_relu,
    "QLinearConcat": qlinear_concat,
    "QLinearSoftmax": qlinear_softmax,
    "HardSigmoid": hard_sigmoid,
    "Clip": clip,
    "GlobalAveragePool": global_average_pool,
    "ConvTranspose": conv_transpose,
    "Softmax": softmax,
    "Sigmoid": sigmoid,
    "BatchNormalization": batch_normalization,
    "Add": lambda call: [call.value(0) + call.value(1)],
    "Sub": lambda call: [call.value(0) - call.value(1)],
    "Mul": lambda call: [call.value(0) * call.value(1)],
    "Div": lambda call: [call.value(0) / call.value(1)],
    "Relu": lambda call: [np.maximum(call.value(0), call.value(0).dtype.type(0))],
}
