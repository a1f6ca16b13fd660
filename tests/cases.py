"""Layers for tests: a geometry gets random tensors."""

from __future__ import annotations

import numpy as np

from conv_core.models.layer import Layer, LayerCase

HALF = 1 << 30
"""a multiplier of a half"""


def case_of(
    layer: Layer,
    rng: np.random.Generator,
    name: str = "layer",
    *,
    bias: int = 1000,
    mult: int | None = None,
    shift: int | None = None,
) -> LayerCase:
    """The layer with random tensors; most int8 results are not clamped.

    Biases lie in -bias to bias - 1. `mult` and `shift` are those of all channels; left out, the
    multipliers are random, and the shift spreads sums of so many products over int8. A layer of the
    rule `float` has the same multipliers as scales.
    """
    channels = layer.out_channels
    case = {
        "x": rng.integers(-128, 128, layer.in_shape, np.int8),
        "w": rng.integers(-128, 128, layer.weight_shape, np.int8),
        "bias": rng.integers(-bias, bias, channels, np.int32),
    }
    if not layer.requantise:
        return LayerCase(name, layer, **case)
    mults = rng.integers(HALF, 1 << 31, channels, np.int32) if mult is None else mult
    if shift is None:
        shift = -int(np.log2(np.prod(layer.weight_shape[1:])) / 2 + 6)
    if layer.rounding == "float":
        scale = np.ldexp(np.full(channels, mults, np.float32), shift - 31).astype(np.float32)
        return LayerCase(name, layer, **case, scale=scale)
    return LayerCase(
        name,
        layer,
        **case,
        mult=np.full(channels, mults, np.int32),
        shift=np.full(channels, shift, np.int32),
    )
