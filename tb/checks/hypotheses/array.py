"""The multipliers and accumulators."""

from __future__ import annotations

import numpy as np

from conv_core.models.packing import block_span, is_depthwise
from conv_core.tb.checks.hypotheses.recomputation import Forms, Recomputation, wrapped
from conv_core.tb.checks.hypotheses.weights import input_lanes

LEAST_WINDOWS = 4
"""that prove a form which takes something from the first of them"""


def accumulator_too_narrow(layer: Recomputation) -> Forms:
    sums, bias = layer.right_sums, layer.case.bias.astype(np.int64)
    for bits in (16, 24):
        most = (1 << (bits - 1)) - 1
        yield f"{bits} bits", layer.finish(wrapped(sums, bits))
        yield f"{bits} bits, bias included", layer.finish(wrapped(sums + bias, bits) - bias)
        yield f"{bits} bits, it saturates", layer.finish(np.clip(sums, -most - 1, most))
        saturated = np.clip(sums + bias, -most - 1, most)
        yield f"{bits} bits, bias included, it saturates", layer.finish(saturated - bias)


def accumulator_not_cleared(layer: Recomputation) -> Forms:
    """Windows follow each other in some order; each accumulator goes on from the one before."""
    n, oh, ow, _ = layer.layer.out_shape
    own = layer.case.bias.astype(np.int64)
    for bias, how in ((np.zeros_like(own), ""), (own, ", the bias either")):
        values = layer.right_sums + bias
        # The core's order: row, block of filters, column; each lane has an accumulator.
        lanes = layer.in_lanes(values).transpose(0, 1, 3, 2, 4)
        for steps, when in ((1, "ever"), (n, "within a frame"), (n * oh, "within a row")):
            going_on = lanes.reshape(steps, -1, lanes.shape[-1]).cumsum(axis=1)
            back = going_on.reshape(lanes.shape).transpose(0, 1, 3, 2, 4)
            yield f"{when}{how}", layer.finish(layer.from_lanes(back) - bias)
        if not layer.layer.requantise and n * oh * ow >= LEAST_WINDOWS:
            # Nor in front of the layer: its first results say what each accumulator began with.
            ever = lanes.reshape(-1, lanes.shape[-1]).cumsum(axis=0)
            came = layer.in_lanes(layer.got.astype(np.int64) - layer.case.bias + bias)
            came = came.transpose(0, 1, 3, 2, 4).reshape(ever.shape)
            back = (ever + came[:1] - ever[:1]).reshape(lanes.shape).transpose(0, 1, 3, 2, 4)
            yield f"ever, nor before the layer{how}", layer.finish(layer.from_lanes(back) - bias)
        blockwise = lanes.cumsum(axis=3).transpose(0, 1, 3, 2, 4)
        yield f"within a row of a channel{how}", layer.finish(layer.from_lanes(blockwise) - bias)
        # One accumulator that computes value by value, channels innermost or outermost.
        flat = values.reshape(-1).cumsum().reshape(values.shape)
        yield f"from value to value{how}", layer.finish(flat - bias)
        pixelwise = values.cumsum(axis=3)
        yield f"from channel to channel of a pixel{how}", layer.finish(pixelwise - bias)
        outermost = values.transpose(0, 3, 1, 2).reshape(n, -1).cumsum(axis=1)
        inner = outermost.reshape(n, -1, oh, ow).transpose(0, 2, 3, 1)
        yield f"from value to value, channels outermost{how}", layer.finish(inner - bias)


def input_lane_dead(layer: Recomputation) -> Forms:
    """The multipliers of an input lane add nothing; or all of them meet a byte that reads 0."""
    worth, lanes = layer.worth, input_lanes(layer.layer, layer.config)
    reads_0 = np.full_like(worth, -layer.layer.in_zp)
    for lane in np.unique(lanes):
        own = np.where(lanes == lane, layer.weights, 0)
        rest = layer.right_sums - layer.sums(weights=own)
        yield f"lane {lane} adds nothing", layer.finish(rest)
        if layer.layer.in_zp:
            zeros = layer.sums(weights=own, worth=reads_0)
            yield f"lane {lane} reads 0", layer.finish(rest + zeros)
    if is_depthwise(layer.layer, layer.config):
        # A lane of the array is a tap here, one of the activation buffer is a channel.
        lanes_of_channels = np.arange(worth.shape[-1]) % block_span(layer.layer, layer.config)
        for lane in np.unique(lanes_of_channels):
            alive = lanes_of_channels != lane
            without = layer.finish(layer.sums(worth=np.where(alive, worth, 0)))
            yield f"lane {lane} of the activation buffer adds nothing", without
            if layer.layer.in_zp:
                zeros = layer.sums(worth=np.where(alive, worth, reads_0))
                yield f"lane {lane} of the activation buffer reads 0", layer.finish(zeros)


def multiplier_dead(layer: Recomputation) -> Forms:
    """One product of a lane of filters is left out: which filters, the first wrong value says."""
    wrong = (layer.got != layer.right).any(axis=(0, 1, 2))
    if not wrong.any():
        return
    filters = layer.lanes_of_filters
    lane_out = filters[np.flatnonzero(wrong)[0]]
    of_lane = (filters == lane_out)[:, None, None, None]
    lanes = input_lanes(layer.layer, layer.config)
    for lane in np.unique(lanes):
        own = np.where((lanes == lane) & of_lane, layer.weights, 0)
        products = layer.sums(weights=own)
        yield (
            f"input lane {lane}, output lane {lane_out}",
            layer.finish(layer.right_sums - products),
        )
