"""The parts of a layer as layers, their tensors, and their results put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conv_core.models.layer import Layer, LayerCase
from conv_core.models.tiling.axes import Span
from conv_core.models.tiling.filters import Channels


@dataclass(frozen=True)
class Piece:
    """A part of a layer, computed as a layer of its own."""

    layer: Layer
    frames: range
    rows: range
    """of the results"""
    columns: range
    """of the results"""
    channels: range
    """of the results: the filters"""
    in_rows: range
    in_columns: range
    in_channels: range

    @classmethod
    def whole(cls, layer: Layer) -> Piece:
        """The layer itself."""
        return cls(layer, *(range(size) for size in (*layer.out_shape, *layer.in_shape[1:])))


def piece_of(layer: Layer, frames: range, row: Span, column: Span, some: Channels) -> Piece:
    part = replace(
        layer,
        batch=len(frames),
        height=len(row.inputs),
        width=len(column.inputs),
        in_channels=len(some.inputs),
        out_channels=len(some.filters),
        groups=some.groups,
        pads=(row.before, column.before, row.after, column.after),
    )
    return Piece(
        part,
        frames,
        rows=row.windows,
        columns=column.windows,
        channels=some.filters,
        in_rows=row.inputs,
        in_columns=column.inputs,
        in_channels=some.inputs,
    )


def split(case: LayerCase, pieces: Sequence[Piece]) -> list[LayerCase]:
    """The cases of the pieces: slices of the tensors, expected results included."""
    if [piece.layer for piece in pieces] == [case.layer]:
        return [case]
    return [
        LayerCase(
            f"{case.name}, piece {number} of {len(pieces)}",
            piece.layer,
            _part(case.x, piece.frames, piece.in_rows, piece.in_columns, piece.in_channels),
            _part(case.w, piece.channels),
            _part(case.bias, piece.channels),
            w_zp=_part(case.w_zp, piece.channels),
            mult=_part_or_none(case.mult, piece.channels),
            shift=_part_or_none(case.shift, piece.channels),
            scale=_part_or_none(case.scale, piece.channels),
            expected_acc=_part_or_none(case.expected_acc, *_results(piece)),
            expected_y=_part_or_none(case.expected_y, *_results(piece)),
        )
        for number, piece in enumerate(pieces, 1)
    ]


def join(layer: Layer, pieces: Sequence[Piece], results: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """The layer's results (N, OH, OW, Cout) from those of its pieces; nothing is computed.

    Raises `ValueError` naming the piece whose results have another shape than the piece.
    """
    if len(results) != len(pieces):
        raise ValueError(f"there are results of {len(results)} pieces, the layer has {len(pieces)}")
    whole = np.empty(layer.out_shape, np.int8 if layer.requantise else np.int32)
    for number, (piece, values) in enumerate(zip(pieces, results, strict=True), 1):
        if values.shape != piece.layer.out_shape or values.dtype != whole.dtype:
            raise ValueError(
                f"piece {number} of {len(pieces)}: its results are {values.dtype} {values.shape}, "
                f"expected {whole.dtype} {piece.layer.out_shape}"
            )
        _part(whole, *_results(piece))[...] = values
    return whole


def _results(piece: Piece) -> tuple[range, range, range, range]:
    return piece.frames, piece.rows, piece.columns, piece.channels


def _part(tensor: NDArray[Any], *parts: range) -> NDArray[Any]:
    return tensor[tuple(slice(part.start, part.stop) for part in parts)]


def _part_or_none(tensor: NDArray[Any] | None, *parts: range) -> NDArray[Any] | None:
    return None if tensor is None else _part(tensor, *parts)
