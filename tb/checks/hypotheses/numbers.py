"""What an activation or a weight counts: zero points and signs."""

from __future__ import annotations

import numpy as np

from conv_core.tb.checks.hypotheses.recomputation import Forms, Recomputation, wrapped


def pad_value_zero(layer: Recomputation) -> Forms:
    yield "", layer.finish(layer.sums(outside=-layer.layer.in_zp))


def input_zero_point_forgotten(layer: Recomputation) -> Forms:
    raw = layer.case.x.astype(np.float64)
    yield "", layer.finish(layer.sums(worth=raw))
    padded = layer.sums(worth=raw, outside=layer.layer.in_zp)
    yield "padding counts as the zero point", layer.finish(padded)


def output_zero_point_forgotten(layer: Recomputation) -> Forms:
    if layer.layer.requantise:
        yield "", layer.limited(layer.quotients)
        values = layer.limited(layer.quotients).astype(np.int64) + layer.layer.out_zp
        yield "it is added behind the clamp", wrapped(values, 8).astype(np.int8)


def weight_zero_points_forgotten(layer: Recomputation) -> Forms:
    yield "", layer.finish(layer.sums(weights=layer.case.w))
    first = np.broadcast_to(layer.case.w_zp[:1, None, None, None], layer.case.w.shape)
    yield "all but the first", layer.finish(layer.sums(weights=layer.case.w - first))


def weights_unsigned(layer: Recomputation) -> Forms:
    raw = layer.case.w.view(np.uint8).astype(np.float64)
    zero_points = layer.case.w_zp[:, None, None, None]
    yield "", layer.finish(layer.sums(weights=raw - zero_points))
    yield "the zero points too", layer.finish(layer.sums(weights=raw - (zero_points & 0xFF)))


def activations_unsigned(layer: Recomputation) -> Forms:
    raw = layer.case.x.view(np.uint8).astype(np.float64)
    yield "", layer.finish(layer.sums(worth=raw - layer.layer.in_zp))
    yield "the zero point too", layer.finish(layer.sums(worth=raw - (layer.layer.in_zp & 0xFF)))
