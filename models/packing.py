"""Tensors to stream bytes and back, as docs/driving-the-core.md lays them out.

A packet is a dense array of bytes; cutting it into beats (TKEEP, TLAST) is the transport's work.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.core_config import CoreConfig
from models.layer import Int8Array, Int32Array, Layer, LayerCase, LayerError

CONSTANT_BYTES = 9
"""Constants of one filter: bias and multiplier, four bytes each, and a byte of shift."""

Bytes = NDArray[np.uint8]


def pack_activations(
    case: LayerCase,
    config: CoreConfig,  # noqa: ARG001  no core packs them differently, but all packing takes it
) -> list[Bytes]:
    """The activation packets, one a frame: H * W * Cin bytes each."""
    _check_groups(case.layer)
    return [np.ascontiguousarray(frame).view(np.uint8).reshape(-1) for frame in case.x]


def pack_weights(case: LayerCase, config: CoreConfig) -> Bytes:
    """The weight packet: for each group of LO filters its constants, then its weights."""
    layer, li, lo = case.layer, config.lanes_in, config.lanes_out
    _check_groups(layer)
    groups = filter_groups(layer, config)
    filters = groups * lo

    constants = np.zeros((groups, constant_words(config) * li), np.uint8)
    end = 0
    for field, dtype in ((case.bias, "<i4"), (_multipliers(case), "<i4"), (case.shift, "i1")):
        column = np.zeros(filters, dtype)
        if field is not None:
            column[: layer.out_channels] = field
        start, end = end, end + lo * column.itemsize
        constants[:, start:end] = column.reshape(groups, lo).view(np.uint8)

    runs, length = weight_runs(layer)
    chunks = -(-length // li)
    positions = np.zeros((filters, runs, chunks * li), np.int8)
    positions[: layer.out_channels, :, :length] = case.w.reshape(layer.out_channels, runs, length)
    words = positions.reshape(groups, lo, runs, chunks, li).transpose(0, 2, 3, 1, 4)
    weights = np.ascontiguousarray(words).view(np.uint8).reshape(groups, -1)
    return np.concatenate([constants, weights], axis=1).reshape(-1)


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


def filter_groups(layer: Layer, config: CoreConfig) -> int:
    """Groups of LO filters that the weight packet takes one after the other."""
    return -(-layer.out_channels // config.lanes_out)


def constant_words(config: CoreConfig) -> int:
    """Words of LI bytes that hold the constants of one group of filters."""
    return -(-CONSTANT_BYTES * config.lanes_out // config.lanes_in)


def weight_runs(layer: Layer) -> tuple[int, int]:
    """Runs of a filter, and the positions of a run.

    The positions of a run lie side by side in the image: a kernel row, or, where horizontal
    dilation tears the row apart, a single tap.
    """
    (kh, kw), channels = layer.kernel, layer.weight_shape[3]
    return (kh, kw * channels) if layer.dilation[1] == 1 else (kh * kw, channels)


def _multipliers(case: LayerCase) -> Int32Array | None:
    return case.mult if case.scale is None else case.scale.view(np.int32)


def _check_groups(layer: Layer) -> None:
    if layer.groups != 1:
        raise LayerError("groups", f"the core takes groups = 1 so far, not {layer.groups}")
