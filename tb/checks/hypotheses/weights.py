"""How the weights stand in the core, and those of the layer before in their place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Int64Array, Layer, LayerCase
from conv_core.models.packing import (
    block_span,
    block_words,
    constant_words,
    filter_blocks,
    is_depthwise,
    pack_weights,
    weight_runs,
)
from conv_core.tb.checks.hypotheses.recomputation import Forms, Recomputation


def weights_of_the_previous_layer(layer: Recomputation) -> Forms:
    previous = layer.previous
    if previous is None:
        return
    if previous.w.shape == layer.case.w.shape:
        sums = layer.sums(weights=previous.centred_weights)
        yield "", layer.finish(sums)
        if (previous.mult is None) == (layer.case.mult is None):
            both = layer.finish(sums, bias=previous.bias, mult=previous.mult, shift=previous.shift)
            yield "its constants too", both
        return
    words = weight_words(layer.case, layer.config)
    before = weight_words(previous, layer.config)
    if words is not None and before is not None:
        # The layer begins at the words of the one before and goes on into its own.
        lanes = words.shape[-2:]
        run = np.concatenate([before.reshape(-1, *lanes), words.reshape(-1, *lanes)])
        stale = run[: words[..., 0, 0].size].reshape(words.shape)
        yield "word by word", layer.finish(layer.sums(weights=weights_of(stale, layer)))


def weight_words(case: LayerCase, config: CoreConfig) -> NDArray[np.int16] | None:
    """(blocks, words of a filter, lanes_out, lanes_in): the weights as they stand in the core, less
    their zero points; zeros for lanes without a filter.

    None for a layer with groups: its blocks hold more than the weights of the filters.
    """
    layer = case.layer
    if layer.groups > 1:
        return None
    blocks, each = filter_blocks(layer, config), block_words(layer, config)
    packet = pack_weights(case, config).view(np.int8).reshape(-1, config.lanes_in)
    words = np.zeros((len(blocks), each, config.lanes_out, config.lanes_in), np.int16)
    begin = 0
    for block, place in zip(blocks, words, strict=True):
        begin += constant_words(config)
        sent = packet[begin : begin + each * block.filters].reshape(each, block.filters, -1)
        own = slice(block.first_filter, block.first_filter + block.filters)
        place[:, : block.filters] = sent - case.w_zp[own].astype(np.int16)[:, None]
        begin += each * block.filters
    return words


def weights_of(words: NDArray[np.int16], layer: Recomputation) -> NDArray[np.int16]:
    """(Cout, KH, KW, Cin): the way back from `weight_words`."""
    runs, length = weight_runs(layer.layer, layer.config)
    blocks, _, lanes_out, lanes_in = words.shape
    by_filter = words.reshape(blocks, runs, -1, lanes_out, lanes_in).transpose(0, 3, 1, 2, 4)
    positions = by_filter.reshape(blocks * lanes_out, runs, -1)[..., :length]
    return positions[: layer.layer.out_channels].reshape(layer.layer.weight_shape)


def input_lanes(layer: Layer, config: CoreConfig) -> Int64Array:
    """(Cout, KH, KW, Cin / groups): which input lane each weight is multiplied in."""
    filters, _, kw, channels = layer.weight_shape
    columns = np.arange(kw)[:, None]
    if is_depthwise(layer, config):
        positions = columns[::-1]  # the newest column first
    else:
        # A filter's channels, counted from the first that its block reads.
        blocks, span = filter_blocks(layer, config), block_span(layer, config)
        starts = np.repeat([b.first_channel for b in blocks], [b.filters for b in blocks])
        group = np.arange(filters) // (filters // layer.groups)
        own = (group * channels - starts)[:, None] + np.arange(channels)
        _, length = weight_runs(layer, config)
        pixel = span if length > span else 0  # a run of one tap begins anew with each column
        positions = own[:, None, None, :] + pixel * columns
    lanes: Int64Array = np.broadcast_to(positions % config.lanes_in, layer.weight_shape)
    return lanes
