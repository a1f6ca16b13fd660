"""What random layers may be."""

from __future__ import annotations

from dataclasses import dataclass


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
