"""Values: each function makes the tensors, then the multipliers of its layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from conv_core.models.convolution import accumulate
from conv_core.models.layer import (
    INT8_MAX,
    INT8_MIN,
    MAX_SHIFT,
    MIN_SHIFT,
    BoolArray,
    Int8Array,
    Int32Array,
    Layer,
    LayerCase,
)
from conv_core.tb.stimuli.random_layers.draws import between, pair
from conv_core.tb.stimuli.random_layers.mix import Mix

HALF = 1 << 30
"""The multiplier 0.5: with a right shift, and small accumulators, it makes exact ties."""


@dataclass(frozen=True)
class Values:
    """How one kind of values is drawn: the tensors, and what is special about their multipliers."""

    tensors: Callable[[Generator, Layer], tuple[Int8Array, Int8Array, Int32Array]]
    multipliers: Callable[[Generator, Int32Array, Int32Array, LayerCase], None] | None = None
    """changes mult and shift, which were chosen to spread the results over int8, in place"""
    centred: bool = False
    """the weights mean so many from their zero point, if it leaves room for them"""


def _plain(rng: Generator, layer: Layer) -> tuple[Int8Array, Int8Array, Int32Array]:
    return (
        rng.integers(INT8_MIN, INT8_MAX + 1, layer.in_shape, np.int8),
        rng.integers(INT8_MIN, INT8_MAX + 1, layer.weight_shape, np.int8),
        _bias(rng, layer, 1 << 14),
    )


def _limits(rng: Generator, layer: Layer) -> tuple[Int8Array, Int8Array, Int32Array]:
    ends = np.array((INT8_MIN, INT8_MAX), np.int8)
    return rng.choice(ends, layer.in_shape), rng.choice(ends, layer.weight_shape), _bias(rng, layer)


def _small(rng: Generator, layer: Layer) -> tuple[Int8Array, Int8Array, Int32Array]:
    x = np.clip(rng.integers(-3, 4, layer.in_shape) + layer.in_zp, INT8_MIN, INT8_MAX)
    w = rng.integers(-2, 3, layer.weight_shape, np.int8)
    return x.astype(np.int8), w, _bias(rng, layer, 8)


def _large(rng: Generator, layer: Layer) -> tuple[Int8Array, Int8Array, Int32Array]:
    """Every product of a filter has the same sign, and the bias too: far above 2^24."""
    x = np.full(layer.in_shape, INT8_MIN if layer.in_zp >= 0 else INT8_MAX, np.int8)
    signs = rng.choice(np.array((-1, 1)), layer.out_channels)
    w = np.where(signs > 0, INT8_MAX, INT8_MIN).astype(np.int8).reshape(-1, 1, 1, 1)
    bias = signs * (-1 if layer.in_zp >= 0 else 1) * rng.integers(1 << 24, 1 << 30, signs.shape)
    return x, np.broadcast_to(w, layer.weight_shape).copy(), bias.astype(np.int32)


def _dead(rng: Generator, layer: Layer) -> tuple[Int8Array, Int8Array, Int32Array]:
    """Channels that real networks have switched off: a huge bias; `_dead_shift` brings it down."""
    x, w, bias = _plain(rng, layer)
    dead = _some(rng, layer)
    bias[dead] = rng.choice(np.array((-HALF, HALF), np.int32), layer.out_channels)[dead]
    w[dead] = 0
    return x, w, bias


def _blank(rng: Generator, layer: Layer) -> tuple[Int8Array, Int8Array, Int32Array]:
    """An image that is all zero point: the results are the bias."""
    _, w, bias = _plain(rng, layer)
    return np.full(layer.in_shape, layer.in_zp, np.int8), w, bias


def _wrapping(rng: Generator, layer: Layer) -> tuple[Int8Array, Int8Array, Int32Array]:
    """Biases so close to the ends of int32 that the sums wrap."""
    x, w, bias = _plain(rng, layer)
    ends = np.array((-(2**31), 2**31 - 1), np.int32)
    return x, w, rng.choice(ends, layer.out_channels) - bias // (1 << 10)


def _ties(rng: Generator, mult: Int32Array, shift: Int32Array, _: LayerCase) -> None:
    mult[:] = HALF
    shift[:] = rng.integers(-3, 1, len(shift))


def _left(rng: Generator, mult: Int32Array, shift: Int32Array, _: LayerCase) -> None:
    mult[:] = rng.integers(HALF, 2 * HALF, len(mult))
    shift[:] = rng.integers(0, MAX_SHIFT + 1, len(shift))


def _dead_shift(rng: Generator, mult: Int32Array, shift: Int32Array, case: LayerCase) -> None:
    dead = np.abs(case.bias) == HALF
    mult[dead] = rng.integers(HALF, 2 * HALF, len(mult))[dead]
    shift[dead] = MIN_SHIFT


def _zeros(rng: Generator, mult: Int32Array, shift: Int32Array, case: LayerCase) -> None:
    zero = _some(rng, case.layer)
    mult[zero] = 0
    shift[zero] = rng.integers(MIN_SHIFT, 1, len(shift))[zero]


def _any(rng: Generator, mult: Int32Array, shift: Int32Array, _: LayerCase) -> None:
    mult[:] = rng.integers(0, 2 * HALF, len(mult)) >> rng.integers(0, 31, len(mult))
    shift[:] = rng.integers(MIN_SHIFT, 1, len(shift))


VALUES: dict[str, Values] = {
    "plain": Values(_plain),
    "limits": Values(_limits),
    "ties": Values(_small, _ties, centred=True),
    "left-shift": Values(_small, _left, centred=True),
    "large": Values(_large),
    "dead": Values(_dead, _dead_shift, centred=True),
    "mult-zero": Values(_plain, _zeros),
    "any-shift": Values(_plain, _any),
    "blank": Values(_blank),
    "wrapping": Values(_wrapping, _any),
    "large-left": Values(_large, _left),
}
BEYOND_TFLITE = ("wrapping", "large-left")


def draw_values(rng: Generator, layer: Layer, kind: str, mix: Mix) -> LayerCase:
    requantise = bool(rng.random() >= mix.accumulators)
    out_zp = _zero_point(rng)
    act_min, act_max = _clamps(rng, out_zp)
    layer = replace(
        layer,
        in_zp=_zero_point(rng),
        out_zp=out_zp,
        act_min=act_min,
        act_max=act_max,
    )
    case = LayerCase(kind, layer, *VALUES[kind].tensors(rng, layer))
    if mix.weight_zero_points:
        case = _with_zero_points(rng.spawn(1)[0], case)
    if not requantise:
        return case
    real = _matched_multipliers(rng, case)
    rounding = "float" if mix.float_rounding and rng.random() < 0.5 else "tflite"
    if rounding == "tflite" and mix.single_rounding and rng.random() < 0.5:
        rounding = "single"
    return _requantised(rng, case, replace(layer, requantise=True, rounding=rounding), real)


def _with_zero_points(rng: Generator, case: LayerCase) -> LayerCase:
    """The case, named after its kind of `VALUES`, with zero points for its weights or without."""
    filters = case.layer.out_channels
    one, each = _zero_point(rng), [_zero_point(rng) for _ in range(filters)]
    kinds = (each, [one] * filters, [0] * filters)
    w_zp = np.array(kinds[rng.choice(len(kinds), p=(0.25, 0.25, 0.5))], np.int32)
    w = case.w
    if VALUES[case.name].centred:
        w = np.clip(w + w_zp[:, None, None, None], INT8_MIN, INT8_MAX).astype(np.int8)
    return replace(case, w=w, w_zp=w_zp)


def tensors_for(rng: Generator, layer: Layer, kind: str) -> LayerCase:
    """Tensors of one kind of `VALUES` for a layer whose geometry and scalars are given."""
    bare = replace(layer, requantise=False, rounding="tflite")
    case = LayerCase(kind, bare, *VALUES[kind].tensors(rng, bare))
    if not layer.requantise:
        return case
    return _requantised(rng, case, layer, _matched_multipliers(rng, case))


def _requantised(
    rng: Generator, case: LayerCase, layer: Layer, real: NDArray[np.float64]
) -> LayerCase:
    """The case as `layer`, which requantises, by the multipliers `real` (Cout) or by the special
    ones of the case's kind of values."""
    if layer.rounding == "float":
        return replace(case, layer=layer, scale=real.astype(np.float32))
    mantissa, exponent = np.frexp(real)
    mult = np.floor(mantissa * 2.0**31).astype(np.int32)
    shift = np.clip(exponent, MIN_SHIFT, MAX_SHIFT).astype(np.int32)
    special = VALUES[case.name].multipliers
    if special is not None:
        special(rng, mult, shift, case)
    return replace(case, layer=layer, mult=mult, shift=shift)


def _matched_multipliers(rng: Generator, case: LayerCase) -> NDArray[np.float64]:
    """(Cout): multipliers that spread a channel's results over int8, some a little beyond."""
    largest = np.abs(accumulate(case).astype(np.int64)).max(axis=(0, 1, 2))
    real: NDArray[np.float64] = 127 * 2.0 ** rng.uniform(-2, 1, largest.shape)
    real /= np.maximum(largest, 1)
    return real


def _clamps(rng: Generator, out_zp: int) -> tuple[int, int]:
    """act_min and act_max: none, ReLU, ReLU6 at some scale, any two, or rarely a single value."""
    low, high = sorted(pair(rng, INT8_MIN, INT8_MAX))
    six = min(INT8_MAX, out_zp + between(rng, 1, 255))
    kinds = (
        (INT8_MIN, INT8_MAX),
        (out_zp, INT8_MAX),
        (out_zp, six),
        (low, high),
        (INT8_MIN, INT8_MIN),
        (INT8_MAX, INT8_MAX),
    )
    return kinds[rng.choice(len(kinds), p=(0.4, 0.2, 0.2, 0.16, 0.02, 0.02))]


def _zero_point(rng: Generator) -> int:
    kinds = (0, INT8_MIN, INT8_MAX, between(rng, INT8_MIN, INT8_MAX), between(rng, -10, 10))
    return kinds[rng.integers(5)]


def _bias(rng: Generator, layer: Layer, most: int = 1 << 20) -> Int32Array:
    return rng.integers(-most, most + 1, layer.out_channels, np.int32)


def _some(rng: Generator, layer: Layer) -> BoolArray:
    """About half of the output channels, one at least."""
    some = rng.random(layer.out_channels) < 0.5
    some[rng.integers(layer.out_channels)] = True
    return some
