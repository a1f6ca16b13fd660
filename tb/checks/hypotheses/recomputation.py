"""A layer computed anew with one of its pieces replaced: what all hypotheses are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Int8Array, Int32Array, Int64Array, LayerCase
from conv_core.models.packing import filter_blocks
from conv_core.models.requantisation import requantise, requantise_float, requantise_single

Results = NDArray[Any]
"""(N, OH, OW, Cout), int8 or int32"""
Forms = Iterator[tuple[str, Results]]
"""(what exactly, results)"""
Hypothesis = Callable[["Recomputation"], Forms]

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
        filters, kh, kw, channels = weights.shape
        pixels = worth.reshape(layer.batch, -1, layer.groups, channels)
        nothing = np.full((layer.batch, 1, layer.groups, channels), outside)
        pixels = np.concatenate([pixels, nothing], axis=1)
        windows = layer.batch * places[..., 0, 0].size
        total = np.zeros((layer.groups, windows, filters // layer.groups))
        for ky, kx in np.ndindex(kh, kw) if taps is None else taps:
            tap = weights[:, ky, kx].reshape(layer.groups, -1, channels).transpose(0, 2, 1)
            # Of one lane's weights most are 0: channels that count nothing are left out.
            counting = np.flatnonzero(tap.any(axis=(0, 2)))
            few = pixels if counting.size == channels else pixels[..., counting]
            under = few[:, places[:, :, ky, kx].reshape(-1)]
            under = under.reshape(windows, layer.groups, -1).transpose(1, 0, 2)
            total += under @ tap[:, counting]
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

    @cached_property
    def lanes_of_filters(self) -> Int64Array:
        """(Cout): the output lane of each filter."""
        blocks = filter_blocks(self.layer, self.config)
        return np.concatenate([np.arange(block.filters) for block in blocks])

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
