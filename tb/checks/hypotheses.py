"""Single faults of a convolution engine, each able to say what a layer's results would be with it.

A hypothesis is a function that takes a `Recomputation` and yields (what exactly, results) for each
form of its fault; results are (N, OH, OW, Cout). A form that can't differ on the layer at hand may
be yielded all the same: whoever compares knows what is right. `HYPOTHESES` is the list of them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import INT8_MAX, INT8_MIN, Int8Array, Int32Array, Int64Array, LayerCase
from conv_core.models.packing import (
    block_span,
    block_words,
    constant_words,
    filter_blocks,
    pack_weights,
    weight_runs,
)
from conv_core.models.requantisation import requantise, requantise_float, requantise_single

Results = NDArray[Any]
"""(N, OH, OW, Cout), int8 or int32"""
Forms = Iterator[tuple[str, Results]]
Hypothesis = Callable[["Recomputation"], Forms]

LEAST_WINDOWS = 4
"""that prove a form which takes something from the first of them"""
OUTSIDE = -1
"""The place of a tap that lies outside the image."""


@dataclass(frozen=True)
class Axis:
    """Where the taps of the windows lie in one direction of the image."""

    outputs: int
    start: int
    """of the first window's first tap: minus the padding"""
    stride: int
    dilation: int
    taps: int
    size: int
    """of the image; what lies outside is worth nothing"""
    first: int = 0
    """what lies before this is worth nothing either"""

    def positions(self) -> Int64Array:
        """(outputs, taps), inside the image or not."""
        steps = np.arange(self.taps) * self.dilation
        positions: Int64Array = self.start + np.arange(self.outputs)[:, None] * self.stride + steps
        return positions

    def inside(self) -> NDArray[np.bool_]:
        """(outputs, taps)"""
        positions = self.positions()
        return (positions >= self.first) & (positions < self.size)


class Recomputation:
    """A layer that is computed anew with one of its pieces replaced."""

    def __init__(
        self, case: LayerCase, got: Results, config: CoreConfig, previous: LayerCase | None
    ) -> None:
        self.case = case
        self.layer = case.layer
        self.got = got
        self.config = config
        self.previous = previous
        layer = case.layer
        (kh, kw), (sh, sw), (dh, dw) = layer.kernel, layer.stride, layer.dilation
        self.rows = Axis(layer.out_height, -layer.pads[0], sh, dh, kh, layer.height)
        self.columns = Axis(layer.out_width, -layer.pads[1], sw, dw, kw, layer.width)

    # ---------------------------------------------------------------- sums of products
    @cached_property
    def worth(self) -> NDArray[np.float64]:
        """(N, H, W, Cin): what each activation counts, its zero point off."""
        return self.case.x.astype(np.float64) - self.layer.in_zp

    @cached_property
    def weights(self) -> NDArray[np.int16]:
        """(Cout, KH, KW, Cin / groups): what each weight counts, its zero point off."""
        return self.case.centred_weights

    @cached_property
    def right_sums(self) -> Int64Array:
        """(N, OH, OW, Cout): the sums of products as they ought to be, without bias."""
        return self.sums()

    @cached_property
    def right(self) -> Results:
        """The results as they ought to be."""
        return self.finish(self.right_sums)

    def places(self, rows: Axis | None = None, columns: Axis | None = None) -> Int64Array:
        """(OH, OW, KH, KW): which pixel lies under each tap, counted row by row, or `OUTSIDE`."""
        rows, columns = rows or self.rows, columns or self.columns
        place = (rows.positions() * columns.size)[:, None, :, None]
        place = place + columns.positions()[None, :, None, :]
        inside = rows.inside()[:, None, :, None] & columns.inside()[None, :, None, :]
        return np.where(inside, place, OUTSIDE)

    def sums(
        self,
        *,
        worth: NDArray[np.float64] | None = None,
        weights: NDArray[Any] | None = None,
        rows: Axis | None = None,
        columns: Axis | None = None,
        places: Int64Array | None = None,
        outside: float = 0.0,
        taps: Sequence[tuple[int, int]] | None = None,
    ) -> Int64Array:
        """(N, OH, OW, Cout): sums of products without bias. What is left out is right.

        `worth` (N, H, W, Cin), `weights` OHWI less their zero points, `places` as above in place of
        `rows` and `columns`; `outside`: what a tap outside counts; `taps`: the only taps that are
        added up.
        """
        layer = self.layer
        worth = self.worth if worth is None else worth
        weights = (self.weights if weights is None else weights).astype(np.float64)
        places = self.places(rows, columns) if places is None else places
        pixels = worth.reshape(layer.batch, -1, layer.in_channels)
        nothing = np.full((layer.batch, 1, layer.in_channels), outside)
        pixels = np.concatenate([pixels, nothing], axis=1)
        filters, kh, kw, channels = weights.shape
        windows = layer.batch * places[..., 0, 0].size
        total = np.zeros((layer.groups, windows, filters // layer.groups))
        for ky, kx in np.ndindex(kh, kw) if taps is None else taps:
            under = pixels[:, places[:, :, ky, kx].reshape(-1)]
            under = under.reshape(-1, layer.groups, channels).transpose(1, 0, 2)
            tap = weights[:, ky, kx].reshape(layer.groups, -1, channels).transpose(0, 2, 1)
            total += under @ tap
        return np.rint(total.transpose(1, 0, 2)).astype(np.int64).reshape(layer.out_shape)

    # ---------------------------------------------------------------- from sums to results
    def finish(
        self,
        sums: Int64Array,
        *,
        bias: Int32Array | int | None = None,
        mult: NDArray[Any] | None = None,
        shift: Int32Array | None = None,
    ) -> Results:
        """Results from sums of products. `mult`: multipliers, or scales if the layer has them."""
        case, layer = self.case, self.layer
        acc = wrapped(sums + (case.bias if bias is None else bias), 32).astype(np.int32)
        if not layer.requantise:
            return acc
        limits = layer.out_zp, layer.act_min, layer.act_max
        if case.scale is not None:
            return requantise_float(acc, case.scale if mult is None else mult, *limits)
        assert case.mult is not None  # LayerCase saw to it
        assert case.shift is not None
        rule = requantise_single if layer.rounding == "single" else requantise
        return rule(
            acc,
            case.mult if mult is None else mult,
            case.shift if shift is None else shift,
            *limits,
        )

    def with_layer(self, **fields: Any) -> Recomputation:
        """The same with other scalars, such as `out_zp`."""
        case = replace(self.case, layer=replace(self.layer, **fields))
        return Recomputation(case, self.got, self.config, self.previous)

    @cached_property
    def right_acc(self) -> Int64Array:
        """(N, OH, OW, Cout): the right accumulators with their bias."""
        return wrapped(self.right_sums + self.case.bias, 32)

    @cached_property
    def quotients(self) -> Int64Array:
        """(N, OH, OW, Cout): the right results before zero point and clamp; requantised layers."""
        if self.case.scale is not None:
            with np.errstate(over="ignore"):
                product = self.right_acc.astype(np.float32) * self.case.scale
                whole: Int64Array = np.rint(np.clip(product, -(2.0**40), 2.0**40)).astype(np.int64)
            return whole
        high = None if self.layer.rounding == "single" else "up"
        return divided(*self.high_half(), self.right_shift, "away", high=high)

    def high_half(self) -> tuple[Int64Array, Int64Array]:
        """acc * 2^max(shift, 0) * mult / 2^31: (rounded down, remainder)."""
        assert self.case.mult is not None
        assert self.case.shift is not None
        a = self.right_acc << np.maximum(self.case.shift, 0).astype(np.int64)
        q = self.case.mult.astype(np.int64)
        lower = (a & 0xFFFF) * q
        upper = (a >> 16) * q + (lower >> 16)
        return upper >> 15, (upper & 0x7FFF) << 16 | (lower & 0xFFFF)

    @property
    def right_shift(self) -> Int64Array:
        """(Cout): max(-shift, 0)"""
        assert self.case.shift is not None
        return np.maximum(-self.case.shift, 0).astype(np.int64)

    def limited(
        self, values: Int64Array, low: int | None = None, high: int | None = None
    ) -> Int8Array:
        """Results from quotients with their zero point; limits that are not given are right."""
        low = self.layer.act_min if low is None else low
        high = self.layer.act_max if high is None else high
        limited: Int64Array = np.clip(values, low, high)
        return limited.astype(np.int8)

    # ---------------------------------------------------------------- how the core lays things out
    def in_lanes(self, values: NDArray[Any]) -> NDArray[Any]:
        """(..., Cout) to (..., blocks, lanes_out), 0 where a lane has no filter."""
        blocks = filter_blocks(self.layer, self.config)
        lanes = np.zeros((*values.shape[:-1], len(blocks), self.config.lanes_out), values.dtype)
        for index, block in enumerate(blocks):
            end = block.first_filter + block.filters
            lanes[..., index, : block.filters] = values[..., block.first_filter : end]
        return lanes

    def from_lanes(self, lanes: NDArray[Any]) -> NDArray[Any]:
        """The way back from `in_lanes`."""
        blocks = filter_blocks(self.layer, self.config)
        parts = [lanes[..., index, : block.filters] for index, block in enumerate(blocks)]
        return np.concatenate(parts, axis=-1)

    def beats(self, results: Results) -> NDArray[np.uint8]:
        """(N, beats of a frame, bytes of a beat), what is behind the end is 0."""
        width = self.config.out_stream_bytes
        frames = np.ascontiguousarray(results).view(np.uint8).reshape(self.layer.batch, -1)
        padded = np.zeros((len(frames), -(-frames.shape[1] // width) * width), np.uint8)
        padded[:, : frames.shape[1]] = frames
        return padded.reshape(len(frames), -1, width)

    def from_beats(self, beats: NDArray[np.uint8]) -> Results:
        """The way back from `beats`."""
        dtype = np.dtype(np.int8 if self.layer.requantise else "<i4")
        size = int(np.prod(self.layer.out_shape[1:])) * dtype.itemsize
        frames = beats.reshape(len(beats), -1)[:, :size]
        return np.ascontiguousarray(frames).view(dtype).reshape(self.layer.out_shape)


def wrapped(values: Int64Array, bits: int) -> Int64Array:
    """What two's complement of so many bits keeps."""
    half = np.int64(1) << (bits - 1)
    kept: Int64Array = (values + half) % (2 * half) - half
    return kept


def rounded(
    value: Int64Array, rest: Int64Array, whole: Int64Array | np.int64, rule: str
) -> Int64Array:
    """value + rest / whole, with 0 <= rest < whole, as a whole number by one of several rules."""
    more, tie = 2 * rest > whole, 2 * rest == whole
    negative = value < 0
    up = {
        "down": np.zeros_like(tie),
        "towards zero": negative & (rest > 0),
        "up": more | tie,
        "half down": more,
        "even": more | (tie & (value % 2 == 1)),
        "away": more | (tie & ~negative),
        "half towards zero": more | (tie & negative),
    }[rule]
    whole_value: Int64Array = value + up
    return whole_value


def divided(
    value: Int64Array, rest: Int64Array, shift: Int64Array, rule: str, *, high: str | None
) -> Int64Array:
    """(value + rest / 2^31) / 2^shift: rounded to `value` by `high` first, unless that is None."""
    one = np.int64(1)
    if high is not None:
        value = rounded(value, rest, one << 31, high)
        return rounded(value >> shift, value & ((one << shift) - 1), one << shift, rule)
    # All at once. The lowest bit of the rest is folded, so that it fits 63 bits: only ties need it.
    rest = (value & ((one << shift) - 1)) << 30 | rest >> 1 | rest & 1
    return rounded(value >> shift, rest, one << (shift + 30), rule)


# -------------------------------------------------------------------------------- geometry
def kernel_flipped(layer: Recomputation) -> Forms:
    w = layer.weights
    yield "vertically", layer.finish(layer.sums(weights=w[:, ::-1]))
    yield "horizontally", layer.finish(layer.sums(weights=w[:, :, ::-1]))
    if min(layer.layer.kernel) > 1:
        yield "both ways", layer.finish(layer.sums(weights=w[:, ::-1, ::-1]))


def height_and_width_swapped(layer: Recomputation) -> Forms:
    rows, columns, w, shape = layer.rows, layer.columns, layer.weights, layer.layer
    kh, kw = shape.kernel
    sideways = w.reshape(len(w), kw, kh, -1)
    yield "of the weights", layer.finish(layer.sums(weights=sideways.transpose(0, 2, 1, 3)))
    if kh != kw:
        swapped = layer.sums(
            weights=sideways, rows=replace(rows, taps=kw), columns=replace(columns, taps=kh)
        )
        yield "of the kernel", layer.finish(swapped)
    if shape.height == shape.width:
        yield "of the image", layer.finish(layer.sums(worth=layer.worth.transpose(0, 2, 1, 3)))
    else:
        swapped = layer.sums(
            rows=replace(rows, size=shape.width), columns=replace(columns, size=shape.height)
        )
        yield "of the image", layer.finish(swapped)
    for what, field in (("strides", "stride"), ("dilations", "dilation"), ("pads", "start")):
        swapped = layer.sums(
            rows=replace(rows, **{field: getattr(columns, field)}),
            columns=replace(columns, **{field: getattr(rows, field)}),
        )
        yield f"of the {what}", layer.finish(swapped)
    if shape.out_height == shape.out_width:
        yield "of the results", layer.right.transpose(0, 2, 1, 3)


def channel_order(layer: Recomputation) -> Forms:
    x, w, shape = layer.worth, layer.weights, layer.layer
    filters, kh, kw, channels = w.shape
    yield "input channels reversed", layer.finish(layer.sums(worth=x[..., ::-1]))
    yield "results reversed", layer.right[..., ::-1]
    yield "filters reversed", layer.finish(layer.right_sums[..., ::-1])
    lanes = layer.in_lanes(layer.right_sums)[..., ::-1]
    yield "filters reversed among the lanes", layer.finish(layer.from_lanes(lanes))
    planes = x.reshape(shape.batch, shape.in_channels, shape.height, shape.width)
    yield "image taken as planes", layer.finish(layer.sums(worth=planes.transpose(0, 2, 3, 1)))
    first = w.reshape(filters, channels, kh, kw)
    yield "weights taken as OIHW", layer.finish(layer.sums(weights=first.transpose(0, 2, 3, 1)))
    last = w.reshape(kh, kw, channels, filters)
    yield "weights taken as HWIO", layer.finish(layer.sums(weights=last.transpose(3, 0, 1, 2)))
    words = weight_words(layer.case, layer.config)
    if words is not None:
        backwards = weights_of(words[..., ::-1], layer)
        yield "bytes of a weight word reversed", layer.finish(layer.sums(weights=backwards))
    lanes_in = layer.config.lanes_in
    if x[0].size % lanes_in == 0:
        backwards_x = x.reshape(-1, lanes_in)[:, ::-1].reshape(x.shape)
        yield "bytes of an activation word reversed", layer.finish(layer.sums(worth=backwards_x))


def channels_of_another_group(layer: Recomputation) -> Forms:
    """Filters of a channel group take the input channels of another one for their own."""
    groups = layer.layer.groups
    if groups == 1:
        return
    size = layer.layer.in_channels // groups
    own = np.arange(groups) * size
    blocks = filter_blocks(layer.layer, layer.config)
    filters = layer.layer.out_channels // groups
    of_group = [
        max((b for b in blocks if b.first_filter <= g * filters), key=lambda b: b.first_filter)
        for g in range(groups)
    ]
    first = np.array([block.first_channel for block in of_group])
    span = block_span(layer.layer, layer.config)
    forms = {
        "the first group's for all": np.zeros_like(own),
        "the group's before": np.roll(own, 1),
        "the group's behind": np.roll(own, -1),
        "the first block's for all": own - first,
        "the last block's end with the pixel": own
        - first
        + np.minimum(first, layer.layer.in_channels - span),
    }
    for how, at in forms.items():
        channels = (at[:, None] + np.arange(size)).reshape(-1)
        yield how, layer.finish(layer.sums(worth=layer.worth[..., channels]))
    dealt = np.arange(layer.layer.in_channels).reshape(size, groups).T.reshape(-1)
    yield "channels dealt out in turn", layer.finish(layer.sums(worth=layer.worth[..., dealt]))
    order = np.arange(layer.layer.out_channels).reshape(filters, groups).T.reshape(-1)
    by_group = layer.sums(weights=layer.weights[order])
    back = np.argsort(order)
    yield "filters dealt out in turn", layer.finish(by_group[..., back])


def padding_off_by_one(layer: Recomputation) -> Forms:
    for (before, behind), field in ((("top", "bottom"), "rows"), (("left", "right"), "columns")):
        axis: Axis = getattr(layer, field)
        what = "row" if field == "rows" else "column"
        forms = {
            f"{before}, one more": replace(axis, start=axis.start - 1),
            f"{before}, one less": replace(axis, start=axis.start + 1),
            f"{before}, the image's first {what} counts as padding": replace(axis, first=1),
            f"{behind}, the image's last {what} counts as padding": replace(
                axis, size=axis.size - 1
            ),
        }
        for detail, wrong in forms.items():
            places = layer.places(**{field: wrong})
            if wrong.size != axis.size and field == "columns":
                # The image itself is as wide as ever.
                places = _narrowed(layer, wrong)
            yield detail, layer.finish(layer.sums(places=places))
    pixels = layer.layer.height * layer.layer.width
    for side, wrong in (
        ("left, one less: the row before is read", replace(layer.columns, first=-1)),
        (
            "right, one less: the next row is read",
            replace(layer.columns, size=layer.columns.size + 1),
        ),
    ):
        places = _narrowed(layer, wrong)
        places = np.where((places < 0) | (places >= pixels), OUTSIDE, places)
        yield side, layer.finish(layer.sums(places=places))


def _narrowed(layer: Recomputation, columns: Axis) -> Int64Array:
    """`Recomputation.places` with other columns inside, in an image as wide as it is."""
    place = (layer.rows.positions() * layer.layer.width)[:, None, :, None]
    place = place + columns.positions()[None, :, None, :]
    inside = layer.rows.inside()[:, None, :, None] & columns.inside()[None, :, None, :]
    return np.where(inside, place, OUTSIDE)


def _ignored(layer: Recomputation, field: str) -> Forms:
    rows, columns = (
        replace(layer.rows, **{field: 1}),
        replace(layer.columns, **{field: 1}),
    )
    yield "vertically", layer.finish(layer.sums(rows=rows))
    yield "horizontally", layer.finish(layer.sums(columns=columns))
    if getattr(layer.rows, field) > 1 and getattr(layer.columns, field) > 1:
        yield "both ways", layer.finish(layer.sums(rows=rows, columns=columns))


def stride_ignored(layer: Recomputation) -> Forms:
    yield from _ignored(layer, "stride")


def dilation_ignored(layer: Recomputation) -> Forms:
    yield from _ignored(layer, "dilation")


def pad_value_zero(layer: Recomputation) -> Forms:
    yield "", layer.finish(layer.sums(outside=-layer.layer.in_zp))


def tap_missing(layer: Recomputation) -> Forms:
    kh, kw = layer.layer.kernel
    taps = list(np.ndindex(kh, kw))
    products = {tap: layer.sums(taps=[tap]) for tap in taps}
    right = layer.right_sums
    for ky, kx in taps:
        yield f"row {ky}, column {kx}", layer.finish(right - products[ky, kx])
    if kw > 1:
        for ky in range(kh):
            row = np.sum([products[ky, kx] for kx in range(kw)], axis=0)
            yield f"row {ky} of the kernel", layer.finish(right - row)
    if kh > 1:
        for kx in range(kw):
            column = np.sum([products[ky, kx] for ky in range(kh)], axis=0)
            yield f"column {kx} of the kernel", layer.finish(right - column)


# -------------------------------------------------------------------------------- numbers
def input_zero_point_forgotten(layer: Recomputation) -> Forms:
    raw = layer.case.x.astype(np.float64)
    yield "", layer.finish(layer.sums(worth=raw))
    padded = layer.sums(worth=raw, outside=layer.layer.in_zp)
    yield "padding counts as the zero point", layer.finish(padded)


def output_zero_point_forgotten(layer: Recomputation) -> Forms:
    if layer.layer.requantise:
        yield "", layer.limited(layer.quotients)
        values = layer.limited(layer.quotients).astype(np.int64) + layer.layer.out_zp
        yield "it is added behind the clamp", wrapped(values, 8).astype(np.int8)


def weight_zero_points_forgotten(layer: Recomputation) -> Forms:
    yield "", layer.finish(layer.sums(weights=layer.case.w))
    first = np.broadcast_to(layer.case.w_zp[:1, None, None, None], layer.case.w.shape)
    yield "all but the first", layer.finish(layer.sums(weights=layer.case.w - first))


def weights_unsigned(layer: Recomputation) -> Forms:
    raw = layer.case.w.view(np.uint8).astype(np.float64)
    zero_points = layer.case.w_zp[:, None, None, None]
    yield "", layer.finish(layer.sums(weights=raw - zero_points))
    yield "the zero points too", layer.finish(layer.sums(weights=raw - (zero_points & 0xFF)))


def activations_unsigned(layer: Recomputation) -> Forms:
    raw = layer.case.x.view(np.uint8).astype(np.float64)
    yield "", layer.finish(layer.sums(worth=raw - layer.layer.in_zp))
    yield "the zero point too", layer.finish(layer.sums(worth=raw - (layer.layer.in_zp & 0xFF)))


def accumulator_too_narrow(layer: Recomputation) -> Forms:
    sums, bias = layer.right_sums, layer.case.bias.astype(np.int64)
    for bits in (16, 24):
        most = (1 << (bits - 1)) - 1
        yield f"{bits} bits", layer.finish(wrapped(sums, bits))
        yield f"{bits} bits, bias included", layer.finish(wrapped(sums + bias, bits) - bias)
        yield f"{bits} bits, it saturates", layer.finish(np.clip(sums, -most - 1, most))
        saturated = np.clip(sums + bias, -most - 1, most)
        yield f"{bits} bits, bias included, it saturates", layer.finish(saturated - bias)


def accumulator_not_cleared(layer: Recomputation) -> Forms:
    """Windows follow each other in some order; each accumulator goes on from the one before."""
    n, oh, ow, _ = layer.layer.out_shape
    own = layer.case.bias.astype(np.int64)
    for bias, how in ((np.zeros_like(own), ""), (own, ", the bias either")):
        values = layer.right_sums + bias
        # The core's order: row, block of filters, column; each lane has an accumulator.
        lanes = layer.in_lanes(values).transpose(0, 1, 3, 2, 4)
        for steps, when in ((1, "ever"), (n, "within a frame"), (n * oh, "within a row")):
            going_on = lanes.reshape(steps, -1, lanes.shape[-1]).cumsum(axis=1)
            back = going_on.reshape(lanes.shape).transpose(0, 1, 3, 2, 4)
            yield f"{when}{how}", layer.finish(layer.from_lanes(back) - bias)
        if not layer.layer.requantise and n * oh * ow >= LEAST_WINDOWS:
            # Nor in front of the layer: its first results say what each accumulator began with.
            ever = lanes.reshape(-1, lanes.shape[-1]).cumsum(axis=0)
            came = layer.in_lanes(layer.got.astype(np.int64) - layer.case.bias + bias)
            came = came.transpose(0, 1, 3, 2, 4).reshape(ever.shape)
            back = (ever + came[:1] - ever[:1]).reshape(lanes.shape).transpose(0, 1, 3, 2, 4)
            yield f"ever, nor before the layer{how}", layer.finish(layer.from_lanes(back) - bias)
        blockwise = lanes.cumsum(axis=3).transpose(0, 1, 3, 2, 4)
        yield f"within a row of a channel{how}", layer.finish(layer.from_lanes(blockwise) - bias)
        # One accumulator that computes value by value, channels innermost or outermost.
        flat = values.reshape(-1).cumsum().reshape(values.shape)
        yield f"from value to value{how}", layer.finish(flat - bias)
        pixelwise = values.cumsum(axis=3)
        yield f"from channel to channel of a pixel{how}", layer.finish(pixelwise - bias)
        outermost = values.transpose(0, 3, 1, 2).reshape(n, -1).cumsum(axis=1)
        inner = outermost.reshape(n, -1, oh, ow).transpose(0, 2, 3, 1)
        yield f"from value to value, channels outermost{how}", layer.finish(inner - bias)


def wrap_in_place_of_saturate(layer: Recomputation) -> Forms:
    if layer.layer.requantise:
        values = layer.quotients + layer.layer.out_zp
        yield "without a clamp", wrapped(values, 8).astype(np.int8)
        yield "before the clamp", layer.limited(wrapped(values, 8))
        early = wrapped(layer.quotients, 8) + layer.layer.out_zp
        yield "before the zero point", layer.limited(early)


def clamp_missing(layer: Recomputation) -> Forms:
    if layer.layer.requantise:
        values = layer.quotients + layer.layer.out_zp
        yield "below", layer.limited(values, low=INT8_MIN)
        yield "above", layer.limited(values, high=INT8_MAX)
        yield "on both sides", layer.limited(values, low=INT8_MIN, high=INT8_MAX)


def rounding_rule(layer: Recomputation) -> Forms:
    case = layer.case
    if not layer.layer.requantise:
        return
    if case.scale is not None:
        with np.errstate(over="ignore"):
            product = layer.right_acc.astype(np.float32) * case.scale
            exact = layer.right_acc * case.scale.astype(np.float64)
        floats: dict[str, NDArray[Any]] = {
            "down": np.floor(product),
            "towards zero": np.trunc(product),
            "ties up": np.floor(product + np.float32(0.5)),
            "ties away": np.trunc(product + np.copysign(np.float32(0.5), product)),
            "the product not rounded to float32": np.rint(exact),
        }
        for how, values in floats.items():
            whole = np.clip(values, -(2.0**40), 2.0**40).astype(np.int64)
            yield how, layer.limited(whole + layer.layer.out_zp)
        return
    value, rest = layer.high_half()
    shift = layer.right_shift
    forms: dict[str, Int64Array] = {}
    for rule in ("down", "towards zero", "half down", "even", "away"):
        forms[f"high half {rule}"] = divided(value, rest, shift, "away", high=rule)
    for rule in ("down", "towards zero", "up", "half down", "even", "half towards zero"):
        forms[f"right shift {rule}"] = divided(value, rest, shift, rule, high="up")
    for rule in ("away", "up", "even", "down", "towards zero"):
        forms[f"once, {rule}"] = divided(value, rest, shift, rule, high=None)
    forms["twice, that of tflite"] = divided(value, rest, shift, "away", high="up")
    for how, quotients in forms.items():
        yield how, layer.limited(quotients + layer.layer.out_zp)
    assert case.mult is not None
    assert case.shift is not None
    scale = np.ldexp(case.mult.astype(np.float32), case.shift - 31).astype(np.float32)
    limits = layer.layer.out_zp, layer.layer.act_min, layer.layer.act_max
    yield "that of float", requantise_float(layer.right_acc.astype(np.int32), scale, *limits)


# -------------------------------------------------------------------------------- constants
def bias_missing(layer: Recomputation) -> Forms:
    yield "", layer.finish(layer.right_sums, bias=0)


def bias_of_another_channel(layer: Recomputation) -> Forms:
    for how, moved in _moved(layer, layer.case.bias):
        yield how, layer.finish(layer.right_sums, bias=moved)


def multiplier_of_another_channel(layer: Recomputation) -> Forms:
    own = layer.case.mult if layer.case.scale is None else layer.case.scale
    if own is not None:
        for how, moved in _moved(layer, own):
            yield how, layer.finish(layer.right_sums, mult=moved)


def shift_of_another_channel(layer: Recomputation) -> Forms:
    if layer.case.shift is not None:
        for how, moved in _moved(layer, layer.case.shift):
            yield how, layer.finish(layer.right_sums, shift=moved)


def _moved(layer: Recomputation, own: NDArray[Any]) -> Iterator[tuple[str, NDArray[Any]]]:
    """A constant per channel, (Cout), as it is when channels get each other's."""
    lanes = layer.in_lanes(own)
    for by, name in ((1, "the channel before"), (-1, "the channel behind")):
        yield f"{name}, all around", np.roll(own, by)
        edge = np.roll(own, by)
        edge[0 if by == 1 else -1] = 0
        yield f"{name}, 0 at the end", edge
        rolled = np.roll(lanes, by, axis=-1)
        yield f"{name}, around the lanes", layer.from_lanes(rolled)
        rolled[..., 0 if by == 1 else -1] = 0
        yield f"{name}, 0 at the end of the lanes", layer.from_lanes(rolled)
    yield "the first channel for all", np.full_like(own, own[0])
    if lanes.shape[0] > 1:
        first = np.broadcast_to(lanes[:1], lanes.shape)
        yield "the first block of channels", layer.from_lanes(first)
        yield "the block before", layer.from_lanes(np.roll(lanes, 1, axis=0))
        yield "the block behind", layer.from_lanes(np.roll(lanes, -1, axis=0))
    for slice_lanes in {layer.config.requant_lanes, layer.config.lanes_out // 4}:
        slices = lanes.reshape(*lanes.shape[:-1], -1, slice_lanes)
        first = np.broadcast_to(slices[..., :1, :], slices.shape).reshape(lanes.shape)
        yield f"the first {slice_lanes} of the lanes", layer.from_lanes(first)


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


# -------------------------------------------------------------------------------- beats
def beats_swapped(layer: Recomputation) -> Forms:
    right = layer.beats(layer.right)
    count = right.shape[1]
    pairs = np.arange(count) ^ 1
    pairs[pairs >= count] = count - 1
    yield "in each pair", layer.from_beats(right[:, pairs])
    word = _beats_of_word(layer)
    if word > 2 and count % word == 0:
        words = np.arange(count).reshape(-1, word)[:, ::-1].reshape(-1)
        yield "in each word", layer.from_beats(right[:, words])
    frame, beat = _first_wrong_beat(layer)
    if beat + 1 < count:
        once = right.copy()
        once[frame, [beat, beat + 1]] = once[frame, [beat + 1, beat]]
        yield f"beats {beat} and {beat + 1} of frame {frame}", layer.from_beats(once)


def beats_duplicated(layer: Recomputation) -> Forms:
    right = layer.beats(layer.right)
    count = right.shape[1]
    for size, name in {1: "", _beats_of_word(layer): "word "}.items():
        late = np.where(np.arange(count) < size, np.arange(count), np.arange(count) - size)
        yield (
            f"the first {name}of each frame, all others come late",
            layer.from_beats(right[:, late]),
        )
    frame, beat = _first_wrong_beat(layer)
    if beat > 0:
        name = f"beat {beat - 1} of frame {frame}"
        once = right.copy()
        once[frame, beat] = once[frame, beat - 1]
        yield f"{name}, in place of the next", layer.from_beats(once)
        once = right.copy()
        once[frame, beat:] = right[frame, beat - 1 : -1]
        yield f"{name}, all others come late", layer.from_beats(once)


def _beats_of_word(layer: Recomputation) -> int:
    """A word is a result of each lane."""
    return layer.config.lanes_out // layer.config.out_stream_bytes


def _first_wrong_beat(layer: Recomputation) -> tuple[int, int]:
    """(frame, beat of the frame)"""
    wrong = (layer.beats(layer.got) != layer.beats(layer.right)).any(axis=2)
    frame, beat = np.argwhere(wrong)[0]
    return int(frame), int(beat)


HYPOTHESES: dict[str, Hypothesis] = {
    "kernel flipped": kernel_flipped,
    "height and width swapped": height_and_width_swapped,
    "channel order": channel_order,
    "channels of another group": channels_of_another_group,
    "padding off by one": padding_off_by_one,
    "stride ignored": stride_ignored,
    "dilation ignored": dilation_ignored,
    "pad value 0 in place of the zero point": pad_value_zero,
    "tap missing": tap_missing,
    "input zero point forgotten": input_zero_point_forgotten,
    "output zero point forgotten": output_zero_point_forgotten,
    "weights taken as unsigned": weights_unsigned,
    "zero points of the weights forgotten": weight_zero_points_forgotten,
    "activations taken as unsigned": activations_unsigned,
    "accumulator too narrow": accumulator_too_narrow,
    "accumulator not cleared": accumulator_not_cleared,
    "wrap in place of saturate": wrap_in_place_of_saturate,
    "clamp missing": clamp_missing,
    "rounding rule": rounding_rule,
    "bias missing": bias_missing,
    "bias of another channel": bias_of_another_channel,
    "multiplier of another channel": multiplier_of_another_channel,
    "shift of another channel": shift_of_another_channel,
    "weights of the previous layer": weights_of_the_previous_layer,
    "output beats swapped": beats_swapped,
    "output beats duplicated": beats_duplicated,
}
