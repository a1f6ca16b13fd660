"""What a core can compute at all: random layers keep to it, other layers are refused by it."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from conv_core.models.layer import INT8_MAX, INT8_MIN, MAX_KERNEL, MAX_STRIDE, ROUNDINGS, Layer


@dataclass(frozen=True)
class Limits:
    """Everything that `conv_core` can do, except for what is given."""

    kernels: tuple[int, ...] = tuple(range(1, MAX_KERNEL + 1))
    """sides of a kernel"""
    square: bool = False
    """kernel, stride, dilation and padding are the same in both directions, on all sides"""
    strides: tuple[int, ...] = tuple(range(1, MAX_STRIDE + 1))
    dilations: tuple[int, ...] = tuple(range(1, MAX_STRIDE + 1))
    padding: bool = True
    groups: bool = True
    depthwise: bool = True
    largest_batch: int = 4
    input_zero_points: bool = True
    weight_zero_points: bool = True
    int32_results: bool = True
    roundings: tuple[str, ...] = ROUNDINGS
    """by which int8 results are rounded; none if there are only int32 results"""
    clamps: bool = True
    largest_frame: int | None = None
    """bytes of a frame of activations, at most"""
    largest_weights: int | None = None
    """bytes of a layer's weights, at most"""

    def refusal(self, layer: Layer) -> str:
        """Why a layer is beyond these limits, as a sentence; empty if it is not."""
        pads, uneven = layer.pads, not _alike(layer)
        frame, weights = prod(layer.in_shape[1:]), prod(layer.weight_shape)
        for name, value, allowed in (
            ("kernel", layer.kernel, self.kernels),
            ("stride", layer.stride, self.strides),
            ("dilation", layer.dilation, self.dilations),
        ):
            for side in value:
                if side not in allowed:
                    return f"{name}: this core has no {side}, only {_listed(allowed)}"
        grouped = layer.groups > 1
        depthwise = grouped and layer.groups == layer.in_channels
        for is_so, sentence in (
            (self.square and uneven, "it must be the same in both directions and on all sides"),
            (not self.padding and any(pads), "pads: this core knows no padding"),
            (depthwise and not self.depthwise, "groups: this core has no depthwise layers"),
            (
                grouped and not depthwise and not self.groups,
                "groups: this core has no channel groups",
            ),
            (
                layer.batch > self.largest_batch,
                f"batch: {layer.batch} frames are more than {self.largest_batch}",
            ),
            (
                self.largest_frame is not None and frame > self.largest_frame,
                f"x: a frame has {frame} bytes, more than {self.largest_frame}",
            ),
            (
                self.largest_weights is not None and weights > self.largest_weights,
                f"w: there are {weights} bytes of weights, more than {self.largest_weights}",
            ),
            (layer.in_zp and not self.input_zero_points, "in_zp: this core takes none but 0"),
            (not layer.requantise and not self.int32_results, "this core has only int8 results"),
            (layer.requantise and not self.roundings, "this core has only int32 results"),
        ):
            if is_so:
                return sentence
        if layer.requantise and layer.rounding not in self.roundings:
            return f"rounding: this core rounds by {' or '.join(self.roundings)}"
        clamped = (layer.act_min, layer.act_max) != (INT8_MIN, INT8_MAX)
        if layer.requantise and clamped and not self.clamps:
            return "act_min, act_max: this core does not clamp"
        return ""


def _alike(layer: Layer) -> bool:
    """Is all of it the same in both directions?"""
    pairs = (layer.kernel, layer.stride, layer.dilation)
    return all(y == x for y, x in pairs) and len(set(layer.pads)) == 1


def _listed(numbers: tuple[int, ...]) -> str:
    """[1, 2, 3] as "1 to 3", and [1, 3] as "1, 3"."""
    if len(numbers) > 2 and numbers == tuple(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]} to {numbers[-1]}"
    return ", ".join(map(str, numbers))
