"""An operator placed on the core: its layer, and how its tensors get there and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from conv_core.models.layer import Float32Array, Int8Array, Int32Array, Layer
from conv_core.models.network.graph import Array, Tensor
from conv_core.models.quantisation import quantise_multipliers

Values = Mapping[int, Array]
OFFSET = 128
"""between uint8 and int8"""
ROW_BYTES = 16384
"""rows of a matrix stand side by side as pixels of an image up to so many bytes"""


@dataclass(frozen=True, eq=False)
class Constants:
    """What a layer's case has besides its activations, as `LayerCase` describes it."""

    w: Int8Array
    bias: Int32Array
    w_zp: Int32Array
    mult: Int32Array | None = None
    shift: Int32Array | None = None
    scale: Float32Array | None = None


@dataclass(frozen=True, eq=False)
class Placed:
    """How an operator is computed by the core."""

    layer: Layer
    source: int
    """the tensor that holds the activations"""
    image: Callable[[Array], Array]
    """from the activations as the file has them to (N, H, W, Cin), still of the file's type"""
    constants: Callable[[Values], Constants]
    output: Callable[[Array], Array]
    """from (N, OH, OW, Cout) to the file's layout"""


def constants_of(
    w: Array,
    w_zp: Array | int,
    bias: Array | None,
    *,
    real: Array | None = None,
    scale: Array | None = None,
) -> Constants:
    """Constants for weights OHWI of int8 or uint8.

    `real`, float64 (Cout), are multipliers for the rule `tflite`, `scale`, float32 (Cout), those
    for `float`.
    """
    filters = len(w)
    points = np.broadcast_to(np.asarray(w_zp, np.int32), filters).copy()
    if w.dtype == np.uint8:
        w, points = (w ^ 0x80).view(np.int8), points - OFFSET
    mult = shift = None
    if real is not None:
        mult, shift = quantise_multipliers(np.broadcast_to(np.asarray(real, np.float64), filters))
    if scale is not None:
        scale = np.broadcast_to(np.asarray(scale, np.float32), filters).copy()
    return Constants(
        np.ascontiguousarray(w),
        np.zeros(filters, np.int32) if bias is None else bias.astype(np.int32).reshape(filters),
        points,
        mult,
        shift,
        scale,
    )


def stored_zero_point(tensor: Tensor, zero_point: int) -> int:
    """A zero point as the core has it, where uint8 is shifted by 128."""
    return zero_point - OFFSET if tensor.dtype == np.uint8 else zero_point


def matrix_size(rows: int, channels: int) -> tuple[int, int]:
    """(height, width) of the image whose pixels are the rows of a matrix."""
    width = max(
        each
        for each in range(1, rows + 1)
        if rows % each == 0 and (each == 1 or each * channels <= ROW_BYTES)
    )
    return rows // width, width
