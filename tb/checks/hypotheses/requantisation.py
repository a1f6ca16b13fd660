"""From accumulators to int8: rounding, clamp, and the constants of each channel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conv_core.models.layer import INT8_MAX, INT8_MIN, Int64Array
from conv_core.models.requantisation import requantise_float
from conv_core.tb.checks.hypotheses.recomputation import Forms, Recomputation, divided, wrapped


def wrap_in_place_of_saturate(layer: Recomputation) -> Forms:
    if layer.layer.requantise:
        values = layer.quotients + layer.layer.out_zp
        yield "without a clamp", wrapped(values, 8).astype(np.int8)
        yield "before the clamp", layer.limited(wrapped(values, 8))
        early = wrapped(layer.quotients, 8) + layer.layer.out_zp
        yield "before the zero point", layer.limited(early)


def clamp_missing(layer: Recomputation) -> Forms:
    if layer.layer.requantise:
        values = layer.quotients + layer.layer.out_zp
        yield "below", layer.limited(values, low=INT8_MIN)
        yield "above", layer.limited(values, high=INT8_MAX)
        yield "on both sides", layer.limited(values, low=INT8_MIN, high=INT8_MAX)


def rounding_rule(layer: Recomputation) -> Forms:
    case = layer.case
    if not layer.layer.requantise:
        return
    if case.scale is not None:
        with np.errstate(over="ignore"):
            product = layer.right_acc.astype(np.float32) * case.scale
            exact = layer.right_acc * case.scale.astype(np.float64)
        floats: dict[str, NDArray[Any]] = {
            "down": np.floor(product),
            "towards zero": np.trunc(product),
            "ties up": np.floor(product + np.float32(0.5)),
            "ties away": np.trunc(product + np.copysign(np.float32(0.5), product)),
            "the product not rounded to float32": np.rint(exact),
        }
        for how, values in floats.items():
            whole = np.clip(values, -(2.0**40), 2.0**40).astype(np.int64)
            yield how, layer.limited(whole + layer.layer.out_zp)
        return
    value, rest = layer.high_half()
    shift = layer.right_shift
    forms: dict[str, Int64Array] = {}
    for rule in ("down", "towards zero", "half down", "even", "away"):
        forms[f"high half {rule}"] = divided(value, rest, shift, "away", high=rule)
    for rule in ("down", "towards zero", "up", "half down", "even", "half towards zero"):
        forms[f"right shift {rule}"] = divided(value, rest, shift, rule, high="up")
    for rule in ("away", "up", "even", "down", "towards zero"):
        forms[f"once, {rule}"] = divided(value, rest, shift, rule, high=None)
    forms["twice, that of tflite"] = divided(value, rest, shift, "away", high="up")
    for how, quotients in forms.items():
        yield how, layer.limited(quotients + layer.layer.out_zp)
    assert case.mult is not None
    assert case.shift is not None
    scale = np.ldexp(case.mult.astype(np.float32), case.shift - 31).astype(np.float32)
    limits = layer.layer.out_zp, layer.layer.act_min, layer.layer.act_max
    yield "that of float", requantise_float(layer.right_acc.astype(np.int32), scale, *limits)


def bias_missing(layer: Recomputation) -> Forms:
    yield "", layer.finish(layer.right_sums, bias=0)


def bias_of_another_channel(layer: Recomputation) -> Forms:
    for how, moved in _moved(layer, layer.case.bias):
        yield how, layer.finish(layer.right_sums, bias=moved)


def multiplier_of_another_channel(layer: Recomputation) -> Forms:
    own = layer.case.mult if layer.case.scale is None else layer.case.scale
    if own is not None:
        for how, moved in _moved(layer, own):
            yield how, layer.finish(layer.right_sums, mult=moved)


def shift_of_another_channel(layer: Recomputation) -> Forms:
    if layer.case.shift is not None:
        for how, moved in _moved(layer, layer.case.shift):
            yield how, layer.finish(layer.right_sums, shift=moved)


def _moved(layer: Recomputation, own: NDArray[Any]) -> Iterator[tuple[str, NDArray[Any]]]:
    """A constant per channel, (Cout), as it is when channels get each other's."""
    lanes = layer.in_lanes(own)
    for by, name in ((1, "the channel before"), (-1, "the channel behind")):
        yield f"{name}, all around", np.roll(own, by)
        edge = np.roll(own, by)
        edge[0 if by == 1 else -1] = 0
        yield f"{name}, 0 at the end", edge
        rolled = np.roll(lanes, by, axis=-1)
        yield f"{name}, around the lanes", layer.from_lanes(rolled)
        rolled[..., 0 if by == 1 else -1] = 0
        yield f"{name}, 0 at the end of the lanes", layer.from_lanes(rolled)
    yield "the first channel for all", np.full_like(own, own[0])
    if lanes.shape[0] > 1:
        first = np.broadcast_to(lanes[:1], lanes.shape)
        yield "the first block of channels", layer.from_lanes(first)
        yield "the block before", layer.from_lanes(np.roll(lanes, 1, axis=0))
        yield "the block behind", layer.from_lanes(np.roll(lanes, -1, axis=0))
    for slice_lanes in {layer.config.requant_lanes, layer.config.lanes_out // 4}:
        slices = lanes.reshape(*lanes.shape[:-1], -1, slice_lanes)
        first = np.broadcast_to(slices[..., :1, :], slices.shape).reshape(lanes.shape)
        yield f"the first {slice_lanes} of the lanes", layer.from_lanes(first)
