"""Hypothesis strategies for layers: nasty while it searches, small once it shrinks.

    @given(layer_cases(Space(config)))
    def test(case): ...

What is interesting for a core lies where a size meets its lanes, so sizes are drawn from there, and
a layer is drawn by its *outputs* (how many windows, and how much image is left over behind the
last one), so that hardly a draw is in vain. Layers shrink towards one pixel, one channel, a kernel
of 1x1, no padding, accumulators, and tensors that count.

For that every draw has its simplest value first, and nothing simpler ever takes more draws than
what it came from: Hypothesis only goes on with shorter sequences of draws. Tensors come from a
seed, so that a large one takes no more draws than a small one. What they hold shrinks all the same:
each has a number of bits that are kept of its values, and the first few have something added.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st

from models.core_config import CoreConfig
from models.layer import INT8_MAX, INT8_MIN, Int8Array, Layer, LayerCase, same_pads
from models.random_layers import HALF, VALUES, tensors_for
from models.tiling import NotFittingError, plan

FEW_VALUES = 12
"""values of a tensor that shrink one by one"""

Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass(frozen=True)
class Space:
    """Which layers there are."""

    config: CoreConfig
    """of the core, that must be able to compute them"""
    max_macs: int = 20_000
    """nominal multiply-accumulates of a layer, at most"""
    max_bytes: int = 20_000
    """of activations, of weights and of results, at most"""
    max_pieces: int = 1
    """that a layer is cut into, at most"""


@st.composite
def layer_cases(draw: Draw, space: Space) -> LayerCase:
    """Layers with their tensors, all of them named "layer"."""
    return draw(_tensors(draw(layers(space))))  # type: ignore[no-any-return]


def _weighted(*values: tuple[int, Iterable[int]]) -> tuple[int, ...]:
    """(weight, values): the larger the weight, the more often. In the order of the values."""
    return tuple(sorted(v for weight, some in values for v in weight * list(some)))


def _up_to(draw: Draw, values: tuple[int, ...], most: int) -> int:
    """One of the values, at most `most`; shrinks to the first, which must not be larger.

    One draw stands for the same value whatever `most` is, so that other sizes can shrink.
    """
    return int(draw(_sampled(values, bisect_right(values, most))))


@cache
def _sampled(values: tuple[int, ...], count: int) -> st.SearchStrategy[int]:
    return st.sampled_from(values[:count])


def _first(*values: Any) -> st.SearchStrategy[Any]:
    """One of the values; shrinks to the first."""
    return st.sampled_from(values)


# -------------------------------------------------------------------------------- geometry
KERNELS = _weighted((5, (1, 3)), (2, (2, 5, 7, 11)), (1, range(4, 12)))
STRIDES = st.sampled_from(_weighted((5, (1,)), (2, (2, 3, 4))))
DILATIONS = st.sampled_from(_weighted((7, (1,)), (2, (2, 3, 4))))
OUTPUTS = _weighted((10, (1,)), (6, (2, 3)), (3, range(4, 10)), (1, range(10, 25)))
RESTS = st.sampled_from(_weighted((3, (0,)), (1, (1, 2, 3))))
PADS = st.sampled_from(_weighted((4, (0, 1)), (2, (2, 3, 4)), (1, range(5, 13))))
GROUPS = _weighted((6, (2, 3, 4)), (4, (5, 8, 17)), (1, range(1, 34)))
OF_A_GROUP = _weighted((3, (1, 2)), (1, range(3, 10)))
MOST_CHANNELS = 72
BATCHES = _weighted((6, (1,)), (2, (2,)), (1, (3, 4)))
ORDERS = _first("channels kernel windows", "kernel windows channels", "windows channels kernel")
"""Which sizes take their share of the multiply-accumulates first"""


@cache
def _channels(lanes: int) -> tuple[int, ...]:
    """Any number, but many a one that meets the lanes."""
    near = {lanes * times + d for times in range(1, 9) for d in (-1, 0, 1)}
    least = ((12, (1, lanes, lanes + 1)), (8, (2, 3, 4, 5)), (4, (65,)))
    return _weighted(*least, (3, near), (1, range(6, MOST_CHANNELS + 1)))


@dataclass
class _Sizes:
    """What the multiply-accumulates of a layer are the product of."""

    left: int
    """multiply-accumulates that are left for what is still to be drawn"""
    inputs: int = 1
    """of a channel group"""
    filters: int = 1
    """of a channel group"""
    groups: int = 1
    kernel: tuple[int, int] = (1, 1)
    outputs: tuple[int, int] = (1, 1)
    batch: int = 1

    def draw(self, draw: Draw, values: tuple[int, ...]) -> int:
        value = _up_to(draw, values, self.left)
        self.left //= value
        return value

    def draw_channels(self, draw: Draw, config: CoreConfig) -> None:
        self.inputs = self.draw(draw, _channels(config.lanes_in))
        self.filters = self.draw(draw, _channels(config.lanes_out))
        grouping = draw(_first("none", "none", "none", "depthwise", "groups"))
        if grouping == "depthwise":
            self.left *= self.filters
            self.groups, self.inputs, self.filters = self.inputs, 1, 1
        elif grouping == "groups":
            self.left *= self.inputs * self.filters
            sizes = (OF_A_GROUP, OF_A_GROUP, GROUPS)
            self.inputs, self.filters, self.groups = (self.draw(draw, values) for values in sizes)

    def draw_kernel(self, draw: Draw) -> None:
        self.kernel = self.draw(draw, KERNELS), self.draw(draw, KERNELS)

    def draw_windows(self, draw: Draw) -> None:
        self.outputs = self.draw(draw, OUTPUTS), self.draw(draw, OUTPUTS)
        self.batch = self.draw(draw, BATCHES)


def _draw_side(
    draw: Draw, padding: str, outputs: int, kernel: int
) -> tuple[int, int, int, int, int]:
    """One side of an image, by its windows: (size, stride, dilation, padding before, and after)."""
    stride, dilation = draw(STRIDES), draw(DILATIONS)
    steps, rest = (outputs - 1) * stride, draw(RESTS) % stride
    if padding == "same":
        size = steps + 1 + rest
        before, _, after, _ = same_pads((size, 1), (kernel, 1), (stride, 1), (dilation, 1))
        return size, stride, dilation, before, after
    before, after = (draw(PADS), draw(PADS)) if padding == "each" else (0, 0)
    # At least one pixel is left of the image; more padding makes more windows.
    size = max(steps + (kernel - 1) * dilation + 1 + rest - before - after, 1)
    return size, stride, dilation, before, after


@st.composite
def layers(draw: Draw, space: Space) -> Layer:
    """Layers without tensors."""
    padding, order = draw(_first("valid", "same", "each", "each")), draw(ORDERS)
    sizes = _Sizes(space.max_macs)
    for part in order.split():
        if part == "channels":
            sizes.draw_channels(draw, space.config)
        elif part == "kernel":
            sizes.draw_kernel(draw)
        else:
            sizes.draw_windows(draw)
    rows, columns = (
        _draw_side(draw, padding, outputs, kernel)
        for outputs, kernel in zip(sizes.outputs, sizes.kernel, strict=True)
    )
    (height, *steps_y, top, bottom), (width, *steps_x, left, right) = rows, columns
    layer = Layer(
        sizes.batch,
        height,
        width,
        sizes.groups * sizes.inputs,
        sizes.groups * sizes.filters,
        sizes.kernel,
        (steps_y[0], steps_x[0]),
        (steps_y[1], steps_x[1]),
        (top, left, bottom, right),
        sizes.groups,
    )
    if _too_large(layer, space):
        reject()
    layer = _draw_scalars(draw, layer)
    try:
        if len(plan(layer, space.config)) > space.max_pieces:
            reject()
    except NotFittingError:
        reject()
    return layer


def _too_large(layer: Layer, space: Space) -> bool:
    most = max(np.prod(layer.in_shape), np.prod(layer.weight_shape), 4 * np.prod(layer.out_shape))
    return layer.macs > space.max_macs or int(most) > space.max_bytes


# -------------------------------------------------------------------------------- scalars
ALL_INT8 = range(INT8_MIN, INT8_MAX + 1)
ZERO_POINTS = _first(
    *sorted((*ALL_INT8, *64 * (0,), *32 * (-1, 1, INT8_MIN, INT8_MAX)), key=lambda v: (abs(v), -v))
)
CLAMPS = st.integers(INT8_MIN, INT8_MAX)


def _draw_scalars(draw: Draw, layer: Layer) -> Layer:
    layer = replace(layer, in_zp=draw(ZERO_POINTS))
    if not draw(_first(False, True, True, True)):
        return layer
    rounding, out_zp = draw(_first("tflite", "tflite", "float")), draw(ZERO_POINTS)
    clamp = draw(_first("none", "none", "relu", "any"))
    low, high = INT8_MIN, INT8_MAX
    if clamp == "relu":
        low = out_zp
    elif clamp == "any":
        low, high = sorted((draw(CLAMPS), draw(CLAMPS)))
    return replace(
        layer, requantise=True, rounding=rounding, out_zp=out_zp, act_min=low, act_max=high
    )


# -------------------------------------------------------------------------------- tensors
SEEDS = st.integers(0, 2**32 - 1)
KINDS = st.sampled_from(list(VALUES))
BITS = st.sampled_from(_weighted((1, (0, 1, 3)), (12, (8,))))
MOSTLY = _first(False, *[True] * 9)
COUNT = 7
ADDED = st.binary(max_size=FEW_VALUES)


@st.composite
def _tensors(draw: Draw, layer: Layer) -> LayerCase:
    kind, seed = draw(KINDS), draw(SEEDS)
    case = tensors_for(np.random.default_rng(seed), layer, kind)
    x, w = _draw_values(draw, case.x, layer.in_zp), _draw_values(draw, case.w, 0)
    case = replace(case, name="layer", x=x, w=w)
    if not draw(MOSTLY):
        case = replace(case, bias=np.zeros_like(case.bias))
    if layer.requantise and not draw(MOSTLY):
        ones = np.ones(layer.out_channels, np.int32)
        if layer.rounding == "float":
            return replace(case, scale=ones.astype(np.float32))
        return replace(case, mult=HALF * ones, shift=ones)  # which is times 1
    return case


def _draw_values(draw: Draw, random: Int8Array, zero: int) -> Int8Array:
    """The tensor with some bits of its values; with none, they count from `zero` to a few more.

    Were they all alike, a wrong address would soon go unseen, and the layer shrink no further.
    """
    bits = draw(BITS)
    counting = zero + (1 if zero < 100 else -1) * (1 + np.arange(random.size) % COUNT)
    values = random >> (8 - bits) if bits else counting.astype(np.int8).reshape(random.shape)
    more = np.frombuffer(draw(ADDED), np.int8)[: values.size]
    values.reshape(-1)[: more.size] += more
    return values
