"""Random layers for tests: seeded, small enough to simulate, and nasty on purpose.

Every layer is ordinary but for one extreme of its geometry and one of its values. `random_cases`
goes through both lists side by side, so that the first few dozen layers have met every extreme.
The generator is handed in; geometry and values draw from streams of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from conv_core.models.convolution import accumulate
from conv_core.models.layer import (
    INT8_MAX,
    INT8_MIN,
    MAX_DILATION,
    MAX_KERNEL,
    MAX_SHIFT,
    MAX_STRIDE,
    MIN_SHIFT,
    BoolArray,
    Int8Array,
    Int32Array,
    Layer,
    LayerCase,
    LayerError,
    same_pads,
)

CHANNELS = (1, 2, 3, 4, 5, 7, 8, 12, 15, 16, 17, 24, 31, 32, 33, 48, 64, 65)
PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 67)
HALF = 1 << 30
"""The multiplier 0.5: with a right shift, and small accumulators, it makes exact ties."""


@dataclass(frozen=True)
class Mix:
    """What random layers may be."""

    max_macs: int = 200_000
    """nominal multiply-accumulates of a layer, at most"""
    accumulators: float = 0.25
    """share of layers that give int32 accumulators"""
    dilation: bool = False
    groups: bool = False
    float_rounding: bool = False
    """half of the requantised layers round by the rule `float`"""
    single_rounding: bool = False
    """half of the layers that would round by `tflite` round by `single`"""
    weight_zero_points: bool = False
    """half of the layers have weights with zero points: one for all filters, or one for each"""
    beyond_tflite: bool = False
    """also what LiteRT leaves undefined: accumulators that wrap, large ones shifted to the left"""


def random_cases(rng: Generator, count: int, mix: Mix | None = None) -> list[LayerCase]:
    """`count` layers that go through all extremes; each is named after its own two."""
    geometries, values = list(GEOMETRIES), list(VALUES)
    if mix is None or not mix.beyond_tflite:
        values = [kind for kind in values if kind not in BEYOND_TFLITE]
    cases = []
    for index, child in enumerate(rng.spawn(count)):
        # After each round of the geometries they move on by one, to meet other values.
        geometry = geometries[(index + index // len(geometries)) % len(geometries)]
        kind = values[index % len(values)]
        case = random_case(child, geometry, kind, mix)
        cases.append(replace(case, name=f"{index:04d}-{case.name}"))
    return cases


def random_case(
    rng: Generator, geometry: str = "ordinary", values: str = "plain", mix: Mix | None = None
) -> LayerCase:
    """A layer with one extreme of `GEOMETRIES` and one of `VALUES`, named after them."""
    mix = mix or Mix()
    for_geometry, for_values = rng.spawn(2)
    layer = _draw_layer(for_geometry, geometry, mix)
    return replace(_draw_values(for_values, layer, values, mix), name=f"{geometry}-{values}")


def question_case(rng: Generator, requantise: bool = True) -> LayerCase:
    """The layer of the question: (11, 11, 64) * (3, 3, 64, 64) -> (11, 11, 64), padding "same"."""
    layer = Layer(1, 11, 11, 64, 64, (3, 3), pads=same_pads((11, 11), (3, 3), (1, 1)))
    case = _draw_values(rng, layer, "plain", Mix(accumulators=0 if requantise else 1))
    return replace(case, name="question")


# Geometry: each function draws the fields in which its layers differ from ordinary ones.


def _ordinary(rng: Generator) -> dict[str, Any]:
    return {
        "batch": int(rng.choice((1, 1, 1, 2))),
        "height": _between(rng, 1, 12),
        "width": _between(rng, 1, 12),
        "in_channels": int(rng.choice(CHANNELS)),
        "out_channels": int(rng.choice(CHANNELS)),
        "kernel": ((1, 1), (3, 3), _pair(rng, 1, 5))[rng.integers(3)],
        "stride": (1, 1) if rng.random() < 0.6 else _pair(rng, 1, MAX_STRIDE),
        "pads": ("valid", "same", _pads(rng, 0, 2))[rng.integers(3)],
    }


def _off_tile(rng: Generator) -> dict[str, Any]:
    return {
        "height": _between(rng, 1, 6),
        "width": _between(rng, 1, 6),
        "in_channels": int(rng.choice((1, 3, 65))),
        "out_channels": int(rng.choice((1, 3, 65))),
        "kernel": _pair(rng, 1, 3),
    }


def _primes(rng: Generator) -> dict[str, Any]:
    fields = ("height", "width", "in_channels", "out_channels")
    return {field: int(rng.choice(PRIMES)) for field in fields}


def _one_pixel(rng: Generator) -> dict[str, Any]:
    return {"height": 1, "width": 1, "pads": _pads(rng, 0, 5)}


def _below_kernel(rng: Generator) -> dict[str, Any]:
    kh, kw = _pair(rng, 2, MAX_KERNEL)
    return {
        "height": _between(rng, 1, kh - 1),
        "width": _between(rng, 1, kw - 1),
        "kernel": (kh, kw),
        "pads": _pads(rng, 0, MAX_KERNEL),
    }


def _all_padding(rng: Generator) -> dict[str, Any]:
    kh, kw = _pair(rng, 1, 4)
    most = (kh, kw, kh, kw)
    top, left, bottom, right = (k + _between(rng, 0, 3) for k in most)
    return {
        "height": _between(rng, 1, 6),
        "width": _between(rng, 1, 6),
        "kernel": (kh, kw),
        "pads": (top, left, bottom, right),
    }


def _asymmetric(rng: Generator) -> dict[str, Any]:
    return {"kernel": _pair(rng, 2, 6), "pads": _pads(rng, 0, 5)}


def _long_kernel(rng: Generator) -> dict[str, Any]:
    most = MAX_KERNEL
    kernels = ((1, most), (most, 1), (most, most), (21, 1), (11, 11), (17, 3), (2, 9))
    return {
        "height": _between(rng, 1, 24),
        "width": _between(rng, 1, 24),
        "kernel": kernels[rng.integers(len(kernels))],
        "pads": ("same", _pads(rng, 0, most))[rng.integers(2)],
    }


def _strides(rng: Generator) -> dict[str, Any]:
    return {
        "height": _between(rng, 1, 24),
        "width": _between(rng, 1, 24),
        "stride": _pair(rng, 1, MAX_STRIDE),
        "kernel": _pair(rng, 1, 7),
    }


def _dense(rng: Generator) -> dict[str, Any]:
    """A fully connected layer: 1x1 on one pixel."""
    return {
        "height": 1,
        "width": 1,
        "kernel": (1, 1),
        "stride": (1, 1),
        "pads": "valid",
        "in_channels": _between(rng, 1, 300),
        "out_channels": _between(rng, 1, 100),
    }


def _batch(rng: Generator) -> dict[str, Any]:
    return {"batch": _between(rng, 2, 5), "height": _between(rng, 1, 7)}


GEOMETRIES: dict[str, Callable[[Generator], dict[str, Any]]] = {
    "ordinary": _ordinary,
    "off-tile": _off_tile,
    "primes": _primes,
    "one-pixel": _one_pixel,
    "below-kernel": _below_kernel,
    "all-padding": _all_padding,
    "asymmetric": _asymmetric,
    "long-kernel": _long_kernel,
    "strides": _strides,
    "dense": _dense,
    "batch": _batch,
}


def _draw_layer(rng: Generator, kind: str, mix: Mix) -> Layer:
    """Draws until there is a layer with a window, no larger than it may be."""
    while True:
        fields = _ordinary(rng) | GEOMETRIES[kind](rng)
        if mix.dilation and rng.random() < 0.5:
            fields["dilation"] = _pair(rng, 1, MAX_DILATION)
        if mix.groups and rng.random() < 0.5:
            fields["groups"] = int(rng.choice((2, 3, 4, 5, 8, 16, 17, 33)))
            depthwise = rng.random() < 0.5
            per_group = 1 if depthwise else _between(rng, 1, 5)
            filters = int(rng.choice((1, 1, 2, 3, 4, 5, 8, 17, 33)))
            fields["in_channels"] = fields["groups"] * per_group
            fields["out_channels"] = fields["groups"] * filters
        if fields["pads"] == "same":
            size = fields["height"], fields["width"]
            dilation = fields.get("dilation", (1, 1))
            fields["pads"] = same_pads(size, fields["kernel"], fields["stride"], dilation)
        elif fields["pads"] == "valid":
            fields["pads"] = (0, 0, 0, 0)
        try:
            layer = Layer(**fields)
        except LayerError:
            continue
        if layer.macs <= mix.max_macs:
            return layer


# Values: each function makes the tensors, then the multipliers of its layers.


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


def _draw_values(rng: Generator, layer: Layer, kind: str, mix: Mix) -> LayerCase:
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
    low, high = sorted(_pair(rng, INT8_MIN, INT8_MAX))
    six = min(INT8_MAX, out_zp + _between(rng, 1, 255))
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
    kinds = (0, INT8_MIN, INT8_MAX, _between(rng, INT8_MIN, INT8_MAX), _between(rng, -10, 10))
    return kinds[rng.integers(5)]


def _bias(rng: Generator, layer: Layer, most: int = 1 << 20) -> Int32Array:
    return rng.integers(-most, most + 1, layer.out_channels, np.int32)


def _some(rng: Generator, layer: Layer) -> BoolArray:
    """About half of the output channels, one at least."""
    some = rng.random(layer.out_channels) < 0.5
    some[rng.integers(layer.out_channels)] = True
    return some


def _between(rng: Generator, low: int, high: int) -> int:
    return int(rng.integers(low, high + 1))


def _pair(rng: Generator, low: int, high: int) -> tuple[int, int]:
    return _between(rng, low, high), _between(rng, low, high)


def _pads(rng: Generator, low: int, high: int) -> tuple[int, int, int, int]:
    return (*_pair(rng, low, high), *_pair(rng, low, high))
