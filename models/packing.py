"""Tensors to stream bytes and back, as docs/driving-the-core.md lays them out.

A packet is a dense array of bytes; cutting it into beats (TKEEP, TLAST) is the transport's work.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from conv_core.models.core_config import CONSTANT_BYTES, CoreConfig
from conv_core.models.layer import Int8Array, Int32Array, Layer, LayerCase

Bytes = NDArray[np.uint8]

DEPTHWISE_COLUMNS = 11
"""Taps of a kernel row that a depthwise lane remembers, at most."""
DEPTHWISE_ROWS = {1: 16, 2: 8, 3: 4, 4: 4}
"""Kernel rows that it remembers at most, by the phases of its columns."""


@dataclass(frozen=True)
class FilterBlock:
    """Filters that the array computes side by side, and where in a pixel their span starts."""

    first_filter: int
    filters: int
    first_channel: int


def pack_activations(
    case: LayerCase,
    config: CoreConfig,  # noqa: ARG001  no core packs them differently, but all packing takes it
) -> list[Bytes]:
    """The activation packets, one a frame: H * W * Cin bytes each."""
    return [np.ascontiguousarray(frame).view(np.uint8).reshape(-1) for frame in case.x]


def pack_weights(case: LayerCase, config: CoreConfig) -> Bytes:
    """The weight packet: for each block of filters its constants, then its weights.

    What is not a weight of the filter (positions after the end of a run, channels of other groups)
    is sent as the zero point of its weights, which counts as nothing.
    """
    layer, li, lo = case.layer, config.lanes_in, config.lanes_out
    blocks, span = filter_blocks(layer, config), block_span(layer, config)
    block, lane = np.array(
        [(index, lane) for index, block in enumerate(blocks) for lane in range(block.filters)]
    ).T  # of each filter

    constants = np.zeros((len(blocks), constant_words(config) * li), np.uint8)
    end = 0
    for field, dtype in (
        (case.bias, "<i4"),
        (_multipliers(case), "<i4"),
        (case.shift, "i1"),
        (case.w_zp, "i1"),
    ):
        column = np.zeros((len(blocks), lo), dtype)
        if field is not None:
            column[block, lane] = field
        start, end = end, end + lo * column.itemsize
        constants[:, start:end] = column.view(np.uint8)

    nothing = np.zeros((len(blocks), lo), np.int8)
    nothing[block, lane] = case.w_zp
    if is_depthwise(layer, config):
        taps = _filled(nothing, *layer.kernel)
        taps[block, lane] = case.w[:, :, ::-1, 0]  # the newest column first
    else:
        # A filter's own channels, counted from the first of its block's span.
        channels = layer.weight_shape[3]
        group = np.arange(layer.out_channels) // (layer.out_channels // layer.groups)
        first = group * channels - np.array([each.first_channel for each in blocks])[block]
        own = first[:, None] + np.arange(channels)
        taps = _filled(nothing, *layer.kernel, span)
        taps[block[:, None], lane[:, None], :, :, own] = case.w.transpose(0, 3, 1, 2)

    runs, length = weight_runs(layer, config)
    chunks = -(-length // li)
    positions = _filled(nothing, runs, chunks * li)
    positions[..., :length] = taps.reshape(len(blocks), lo, runs, length)
    words = positions.reshape(len(blocks), lo, runs, chunks, li).transpose(0, 2, 3, 1, 4)
    parts = [
        part
        for index, each in enumerate(blocks)
        for part in (constants[index], words[index, :, :, : each.filters].reshape(-1))
    ]
    return np.concatenate([part.view(np.uint8) for part in parts])


def unpack_results(frames: Sequence[Bytes], layer: Layer) -> Int8Array | Int32Array:
    """Result packets, one a frame, to (N, OH, OW, Cout): int8 if requantised, else int32.

    Raises `ValueError` naming the frame whose number of bytes is wrong.
    """
    if len(frames) != layer.batch:
        raise ValueError(f"{len(frames)} frames of results came, the layer has {layer.batch}")
    expected = result_bytes(layer)
    for n, frame in enumerate(frames):
        if frame.size != expected:
            raise ValueError(f"frame {n}: {frame.size} bytes of results came, expected {expected}")
    dense = np.concatenate([np.asarray(frame, np.uint8) for frame in frames])
    if layer.requantise:
        return dense.view(np.int8).reshape(layer.out_shape)
    return dense.view("<i4").astype(np.int32, copy=False).reshape(layer.out_shape)


def result_bytes(layer: Layer) -> int:
    """Bytes of one frame of results."""
    values = layer.out_height * layer.out_width * layer.out_channels
    return values if layer.requantise else 4 * values


def is_depthwise(layer: Layer, config: CoreConfig) -> bool:
    """Does the core compute this layer depthwise, lane by lane, reading each column once?"""
    rows, columns = layer.kernel
    return (
        layer.groups == layer.in_channels > 1
        and layer.out_channels // layer.groups in (1, 2, 4)
        and columns <= min(config.lanes_in, DEPTHWISE_COLUMNS)
        and rows <= DEPTHWISE_ROWS[column_phases(layer)]
    )


def column_phases(layer: Layer) -> int:
    """After how many windows one begins a multiple of the horizontal dilation further on."""
    return layer.dilation[1] // math.gcd(layer.dilation[1], layer.stride[1])


def groups_of_block(layer: Layer, config: CoreConfig) -> int:
    """Channel groups that a block of filters takes whole; 1 also where it takes a part of one.

    The largest power of two that fits the lanes and that the layer has.
    """
    filters = layer.out_channels // layer.groups
    most = min(max(config.lanes_out // filters, 1), layer.groups)
    if is_depthwise(layer, config):
        most = min(most, max(config.lanes_in // filters, 1))
    return 1 << (most.bit_length() - 1)


def block_span(layer: Layer, config: CoreConfig) -> int:
    """Channels of a pixel that each block of filters reads."""
    return groups_of_block(layer, config) * layer.weight_shape[3]


def filter_blocks(layer: Layer, config: CoreConfig) -> list[FilterBlock]:
    """The blocks of filters, in the order of the weight packet.

    With several groups to a block the last one is moved back, so that its span ends in the pixel;
    the channels that come with that belong to none of its filters. Depthwise it is not, since
    lanes and filters go together.
    """
    lanes, span, groups = (
        config.lanes_out,
        block_span(layer, config),
        groups_of_block(layer, config),
    )
    filters = layer.out_channels // layer.groups * groups
    last = layer.in_channels - (0 if is_depthwise(layer, config) else span)
    return [
        FilterBlock(
            unit + first,
            min(lanes, filters - first, layer.out_channels - unit - first),
            min(index * span, last),
        )
        for index, unit in enumerate(range(0, layer.out_channels, filters))
        for first in range(0, filters, lanes)
    ]


def filter_groups(layer: Layer, config: CoreConfig) -> int:
    """Blocks of filters that the weight packet takes one after the other."""
    filters = layer.out_channels // layer.groups * groups_of_block(layer, config)
    return -(-layer.out_channels // filters) * -(-filters // config.lanes_out)


def constant_words(config: CoreConfig) -> int:
    """Words of LI bytes that hold the constants of one block of filters."""
    return -(-CONSTANT_BYTES * config.lanes_out // config.lanes_in)


def weight_runs(layer: Layer, config: CoreConfig) -> tuple[int, int]:
    """Runs of a filter, and the positions of a run.

    The positions of a run lie side by side in the image: a kernel row, or a single tap where
    horizontal dilation or channels of other blocks tear the row apart. Depthwise, a run is a kernel
    row of one channel.
    """
    (kh, kw), span = layer.kernel, block_span(layer, config)
    if is_depthwise(layer, config):
        return kh, kw
    packed = layer.dilation[1] == 1 and span == layer.in_channels
    return (kh, kw * span) if packed else (kh * kw, span)


def block_words(layer: Layer, config: CoreConfig) -> int:
    """Weight words of a block, for each filter that it has."""
    runs, length = weight_runs(layer, config)
    return runs * -(-length // config.lanes_in)


def _filled(values: Int8Array, *shape: int) -> Int8Array:
    """An array of the shape (*values.shape, *shape), the values repeated all over it."""
    return np.broadcast_to(values[(..., *[None] * len(shape))], (*values.shape, *shape)).copy()


def _multipliers(case: LayerCase) -> Int32Array | None:
    return case.mult if case.scale is None else case.scale.view(np.int32)
