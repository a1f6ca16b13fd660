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

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from itertools import permutations
from typing import Any

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import (
    INT8_MAX,
    INT8_MIN,
    MAX_KERNEL,
    ROUNDINGS,
    Int8Array,
    Layer,
    LayerCase,
    same_pads,
)
from conv_core.models.tiling import NotFittingError, plan
from conv_core.tb.stimuli.random_layers import HALF, VALUES, tensors_for

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

    def cuts(self, layer: Layer) -> bool:
        """Can the layer be computed, in not too many pieces?"""
        try:
            return len(plan(layer, self.config)) <= self.max_pieces
        except NotFittingError:
            return False


@st.composite
def layer_cases(draw: Draw, space: Space) -> LayerCase:
    """Layers with their tensors, all of them named "layer"."""
    return draw(_tensors(draw(layers(space))))  # type: ignore[no-any-return]


def _weighted(*values: tuple[int, Iterable[int]]) -> tuple[int, ...]:
    """(weight, values): the larger the weight, the more often. In the order of the values."""
    return tuple(sorted(v for weight, some in values for v in weight * list(some)))


def _first(*values: Any) -> st.SearchStrategy[Any]:
    """One of the values; shrinks to the first."""
    return st.sampled_from(values)


# -------------------------------------------------------------------------------- geometry
KERNELS = _weighted((24, (1,)), (4, range(2, 12)), (1, range(12, MAX_KERNEL + 1)))
STRIDES = _weighted((3, (1,)), (2, (2, 3, 4)))
DILATIONS = _weighted((4, (1,)), (2, (2, 3, 4)))
OUTPUTS = _weighted((30, (1,)), (8, range(2, 8)), (1, range(8, 25)))
RESTS = _weighted((3, (0,)), (1, (1, 2, 3)))
PADS = _weighted((30, (0,)), (4, range(1, 12)), (1, range(12, MAX_KERNEL + 2)))
GROUPS = _weighted((6, (2, 3, 4)), (4, (5, 8, 17)), (1, range(1, 34)))
OF_A_GROUP = _weighted((3, (1, 2)), (1, range(3, 10)))
MOST_CHANNELS = 72
BATCHES = _weighted((4, (1,)), (2, (2, 3)), (1, (4,)))
PADDINGS = _first("valid", "same", *6 * ("each",))
GROUPINGS = _first(*10 * ("none",), "depthwise", "groups")
ORDERS = _first(*permutations(("inputs", "filters", "rows", "columns", "batch")))
"""Which sizes take their share of the multiply-accumulates first"""


@cache
def _channels(lanes: int) -> tuple[int, ...]:
    """Any number, but most meet the lanes."""
    near = {lanes * times + d for times in range(1, 9) for d in (-1, 0, 1)}
    return _weighted((30, (1,)), (10, range(2, 6)), (16, near), (1, range(6, MOST_CHANNELS + 1)))


@dataclass
class _Budget:
    """What is left of something that sizes are factors of."""

    left: int

    def take(self, wish: int) -> int:
        """The wish, or what there is."""
        size = min(wish, self.left)
        self.left //= size
        return size


@dataclass(frozen=True)
class _Side:
    """One side of an image, by what is wished for."""

    kernel: int
    outputs: int
    stride: int
    dilation: int
    rest: int
    """pixels that are left over behind the last window, below the stride"""
    pads: tuple[int, int] | None
    """before and after; `None` is "same" padding"""

    @classmethod
    def draw(cls, draw: Draw, padding: str) -> _Side:
        kernel, outputs, stride, dilation, rest = (
            draw(st.sampled_from(values))
            for values in (KERNELS, OUTPUTS, STRIDES, DILATIONS, RESTS)
        )
        pads = None if padding == "same" else (0, 0)
        if padding == "each":
            pads = draw(st.sampled_from(PADS)), draw(st.sampled_from(PADS))
        return cls(kernel, outputs, stride, dilation, rest % stride, pads)

    def within(self, budget: _Budget) -> tuple[int, int, int, int]:
        """(kernel, size, padding before, and after), with as many windows as there may be."""
        kernel, stride = budget.take(self.kernel), self.stride
        window = (kernel - 1) * self.dilation + 1
        if self.pads is None:
            size = (budget.take(self.outputs) - 1) * stride + 1 + self.rest
            before, _, after, _ = same_pads((size, 1), (kernel, 1), (stride, 1), (self.dilation, 1))
            return kernel, size, before, after
        # At least one pixel is left of the image: more padding makes more windows.
        room = window + budget.left * stride - 2
        before = min(self.pads[0], room)
        after = min(self.pads[1], room - before)
        least = max(before + after + 1 - window, 0) // stride + 1
        span = (budget.take(max(self.outputs, least)) - 1) * stride + window + self.rest
        return kernel, max(span - before - after, 1), before, after


@st.composite
def layers(draw: Draw, space: Space) -> Layer:
    """Layers without tensors.

    Each size is drawn by itself, from all there are; what is too much is cut, in a random order.
    So every two sizes meet, and each shrinks without the others.
    """
    padding, order = draw(PADDINGS), draw(ORDERS)
    groups, inputs, filters = _draw_channels(draw, space.config)
    rows, columns = _Side.draw(draw, padding), _Side.draw(draw, padding)
    batch = draw(st.sampled_from(BATCHES))
    budget = _Budget(space.max_macs)
    for part in order:
        if part == "inputs":
            groups, inputs = budget.take(groups), budget.take(inputs)
        elif part == "filters":
            filters = budget.take(filters)
        elif part == "rows":
            kernel_y, height, top, bottom = rows.within(budget)
        elif part == "columns":
            kernel_x, width, left, right = columns.within(budget)
        else:
            batch = budget.take(batch)
    layer = Layer(
        batch,
        height,
        width,
        groups * inputs,
        groups * filters,
        (kernel_y, kernel_x),
        (rows.stride, columns.stride),
        (rows.dilation, columns.dilation),
        (top, left, bottom, right),
        groups,
    )
    if _too_large(layer, space):
        reject()
    layer = _draw_scalars(draw, layer)
    if not space.cuts(layer):
        reject()
    return layer


def _draw_channels(draw: Draw, config: CoreConfig) -> tuple[int, int, int]:
    """Channel groups, and channels and filters of each."""
    inputs = draw(st.sampled_from(_channels(config.lanes_in)))
    filters = draw(st.sampled_from(_channels(config.lanes_out)))
    grouping = draw(GROUPINGS)
    if grouping == "depthwise":
        return inputs, 1, 1
    if grouping == "groups":
        return tuple(draw(st.sampled_from(s)) for s in (GROUPS, OF_A_GROUP, OF_A_GROUP))
    return 1, inputs, filters


def _too_large(layer: Layer, space: Space) -> bool:
    most = max(np.prod(layer.in_shape), np.prod(layer.weight_shape), 4 * np.prod(layer.out_shape))
    return layer.macs > space.max_macs or int(most) > space.max_bytes


# -------------------------------------------------------------------------------- scalars
ALL_INT8 = range(INT8_MIN, INT8_MAX + 1)
ZERO_POINTS = _first(
    *sorted((*ALL_INT8, *200 * (0, -1, 1, INT8_MIN, INT8_MAX)), key=lambda v: (abs(v), -v))
)
CLAMPS = st.integers(INT8_MIN, INT8_MAX)


def _draw_scalars(draw: Draw, layer: Layer) -> Layer:
    layer = replace(layer, in_zp=draw(ZERO_POINTS))
    if not draw(_first(False, True, True, True)):
        return layer
    rounding, out_zp = draw(_first(*ROUNDINGS)), draw(ZERO_POINTS)
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
    x, w = _draw_values(draw, case.x, layer.in_zp), _draw_values(draw, case.w, 0, sign=-1)
    zero_points = draw(_first(*4 * ("none",), "one", "each"))
    w_zp = np.zeros(layer.out_channels, np.int32)
    if zero_points != "none":
        w_zp += draw(ZERO_POINTS)
    if zero_points == "each":
        rng = np.random.default_rng([seed, 1])
        w_zp[1:] = rng.integers(INT8_MIN, INT8_MAX + 1, layer.out_channels - 1, np.int32)
    case = replace(case, name="layer", x=x, w=w, w_zp=w_zp)
    if not draw(MOSTLY):
        case = replace(case, bias=np.zeros_like(case.bias))
    if layer.requantise and not draw(MOSTLY):
        ones = np.ones(layer.out_channels, np.int32)
        if layer.rounding == "float":
            return replace(case, scale=ones.astype(np.float32))
        return replace(case, mult=HALF * ones, shift=ones)  # which is times 1
    return case


def _draw_values(draw: Draw, random: Int8Array, zero: int, sign: int = 1) -> Int8Array:
    """The tensor with some bits of its values; with none, they count from `zero` to a few more.

    Were they all alike, a wrong address would soon go unseen, and the layer shrink no further; nor
    if all results were at the limit of int8, so `sign` -1 lets every other value count downwards.
    """
    bits = draw(BITS)
    index = np.arange(random.size)
    counting = zero + (1 if zero < 100 else -1) * sign**index * (1 + index % COUNT)
    values = random >> (8 - bits) if bits else counting.astype(np.int8).reshape(random.shape)
    more = np.frombuffer(draw(ADDED), np.int8)[: values.size]
    values.reshape(-1)[: more.size] += more
    return values
