"""From a layer in floating point to int8: the scales, and how far the results then are off.

The scheme is TensorFlow Lite's: real value = scale * (stored value - zero point); weights symmetric
with a scale for each filter, activations and results asymmetric with one each. The range of the
results is that of the layer's own float result on its own activations.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from conv_core.models.layer import (
    INT8_MAX,
    INT8_MIN,
    MAX_SHIFT,
    MIN_SHIFT,
    Int8Array,
    Int32Array,
    Layer,
    LayerCase,
)

LARGEST_BIAS = 1 << 30
"""The scale of a filter is no finer than what keeps its bias below."""
LARGEST_MULTIPLIER = 64.0
"""The scale of the results is no finer than what keeps all multipliers below."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class QuantisationError:
    """How far int8 results are from the float result, in its unit."""

    largest: float
    rms: float
    lowest_result: float
    highest_result: float

    def __str__(self) -> str:
        return (
            f"error {self.rms:.3g} rms, {self.largest:.3g} at most, in results of "
            f"{self.lowest_result:.3g} to {self.highest_result:.3g}"
        )


@dataclass(frozen=True, eq=False)
class Quantisation:
    """What stored values stand for: real = scale * (stored - zero point)."""

    in_scale: float
    in_zp: int
    filter_scales: FloatArray
    """(Cout)"""
    out_scale: float
    out_zp: int
    result: FloatArray
    """(N, OH, OW, Cout): the layer computed in floating point"""

    def real(self, y: Int8Array) -> FloatArray:
        """What int8 results stand for."""
        return self.out_scale * (y.astype(np.float64) - self.out_zp)

    def error(self, y: Int8Array) -> QuantisationError:
        """Of the int8 results (N, OH, OW, Cout) against the float result."""
        off = self.real(y) - self.result
        return QuantisationError(
            largest=float(np.abs(off).max()),
            rms=float(np.sqrt(np.square(off).mean())),
            lowest_result=float(self.result.min()),
            highest_result=float(self.result.max()),
        )

    def __str__(self) -> str:
        low, high = self.filter_scales.min(), self.filter_scales.max()
        return (
            f"x: scale {self.in_scale:.6g}, zero point {self.in_zp}; "
            f"w: scales {low:.6g} to {high:.6g}; "
            f"y: scale {self.out_scale:.6g}, zero point {self.out_zp}"
        )


def quantise(
    name: str,
    layer: Layer,
    x: FloatArray,
    w: FloatArray,
    bias: FloatArray,
    clamps: tuple[float, float] = (-np.inf, np.inf),
) -> tuple[LayerCase, Quantisation]:
    """The int8 layer for `x` (N, H, W, Cin), `w` (Cout, KH, KW, Cin / groups), `bias` (Cout).

    `layer` gives geometry and rounding; the rest follows from the values, which are finite.
    `clamps` are real numbers: (0, 6) is a ReLU6.
    """
    result = np.clip(convolve(layer, x, w) + bias, *clamps)
    in_scale, in_zp = asymmetric(x)
    filter_scales = np.abs(w).max(axis=(1, 2, 3)) / INT8_MAX
    filter_scales[filter_scales == 0] = 1 / INT8_MAX
    filter_scales = np.maximum(filter_scales, np.abs(bias) / in_scale / LARGEST_BIAS)
    products = in_scale * filter_scales
    out_scale, out_zp = asymmetric(result, products.max() / LARGEST_MULTIPLIER)
    multipliers = products / out_scale

    act_min, act_max = (
        int(np.clip(np.rint(limit / out_scale) + out_zp, INT8_MIN, INT8_MAX)) for limit in clamps
    )
    layer = replace(
        layer, in_zp=in_zp, out_zp=out_zp, act_min=act_min, act_max=act_max, requantise=True
    )
    by_mult = layer.rounding != "float"
    mult, shift = quantise_multipliers(multipliers) if by_mult else (None, None)
    case = LayerCase(
        name,
        layer,
        np.clip(np.rint(x / in_scale) + in_zp, INT8_MIN, INT8_MAX).astype(np.int8),
        np.rint(w / filter_scales[:, None, None, None]).astype(np.int8),
        np.rint(bias / products).astype(np.int32),
        mult=mult,
        shift=shift,
        scale=None if by_mult else multipliers.astype(np.float32),
    )
    return case, Quantisation(in_scale, in_zp, filter_scales, out_scale, out_zp, result)


def asymmetric(values: FloatArray, finest: float = 0.0) -> tuple[float, int]:
    """Scale and zero point for values, so that 0 is met exactly; no finer than `finest`."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    scale = max((high - low) / (INT8_MAX - INT8_MIN), finest) or 1.0
    return scale, int(np.clip(np.rint(INT8_MIN - low / scale), INT8_MIN, INT8_MAX))


def quantise_multipliers(real: FloatArray) -> tuple[Int32Array, Int32Array]:
    """`mult` of 31 bits and `shift` nearest to real = mult * 2^(shift - 31); 0 below 2^-32.

    TensorFlow Lite's QuantizeMultiplier.
    """
    fraction, exponent = np.frexp(real)
    mult = np.floor(fraction * 2.0**31 + 0.5).astype(np.int64)
    carried = mult == 1 << 31
    mult, shift = np.where(carried, mult >> 1, mult), exponent + carried
    small = shift < MIN_SHIFT
    assert (shift <= MAX_SHIFT).all(), "multipliers are below 128"
    mult, shift = np.where(small, 0, mult), np.where(small, 0, shift)
    return mult.astype(np.int32), shift.astype(np.int32)


def convolve(layer: Layer, x: FloatArray, w: FloatArray) -> FloatArray:
    """The layer in floating point, without bias: (N, OH, OW, Cout)."""
    n, oh, ow, _ = layer.out_shape
    (sh, sw), (dh, dw), groups = layer.stride, layer.dilation, layer.groups
    top, left, bottom, right = layer.pads
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
    filters = w.reshape(groups, -1, *w.shape[1:])
    total = np.zeros((groups, n * oh * ow, filters.shape[1]))
    for ky, kx in np.ndindex(layer.kernel):
        rows = slice(ky * dh, ky * dh + (oh - 1) * sh + 1, sh)
        columns = slice(kx * dw, kx * dw + (ow - 1) * sw + 1, sw)
        taps = padded[:, rows, columns].reshape(n * oh * ow, groups, -1)
        total += taps.transpose(1, 0, 2) @ filters[:, :, ky, kx].transpose(0, 2, 1)
    return total.transpose(1, 0, 2).reshape(layer.out_shape)
