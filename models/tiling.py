"""How a layer that does not fit the core is cut into pieces that do, and put together again.

    pieces = plan(layer, config)                # one piece, the layer itself, where it fits
    cases = split(case, pieces)                 # run each of them ...
    result = join(layer, pieces, results)       # ... and put their results in place

A piece is a layer of its own: some output channels on some output columns, on all rows of all
frames. It needs the input columns under its windows (neighbours share a halo) and, with channel
groups, only its own groups' channels. Each part of the columns takes all weights, and each part of
a channel group all its activations: the cut is one for which array and streams together need the
least time; of these the one with the fewest pieces, balanced; and of those the one that cuts
channels. Where channels are cut, half of the weight buffer is kept free for the next piece's, if
that needs no further columns and takes no longer.

A piece that is a single band uses its weights once, so that they stream through, whatever their
number: often a cut into such pieces has the fewest. What the weight buffer can't hold even so (one
block of filters that is larger) is cut into single windows, each with all its weights.

What fits is what the core does not refuse (docs/driving-the-core.md, errors 2 to 5). Nothing here
needs tensors or floating point, so that a driver in firmware can do the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conv_core.models.core_config import LEAST_WGT_WORDS, CoreConfig
from conv_core.models.fitting import fits, shortage
from conv_core.models.layer import Layer, LayerCase, LayerError
from conv_core.models.packing import block_words, filter_groups, groups_of_block


class NotFittingError(LayerError):
    """A layer that the core can't compute, not even in pieces. The sentence says what to raise."""


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


def plan(layer: Layer, config: CoreConfig) -> list[Piece]:
    """The pieces of a layer, each of which fits the core; one where the layer itself fits.

    Raises `NotFittingError` where that can't be, with the parameter to raise.
    """
    if fits(layer, config):
        return [Piece.whole(layer)]
    rows, columns = _Axis.rows(layer), _Axis.columns(layer)
    cuts = list(_channel_cuts(layer, config))
    between_blocks = [each for each in cuts if each.unit in (0, groups_of_block(layer, config))]
    together = _Cut(1, rows, columns, cuts[0])
    alone = _Cut(layer.batch, rows.apart, columns, cuts[0])
    for base, channels in ((together, between_blocks), (together, cuts), (alone, cuts)):
        cut = _quickest(layer, config, base, channels, columns.apart.parts)
        if cut is not None:
            return list(_prefetching(layer, config, cut, base, channels).pieces(layer))
    finest = replace(alone, columns=columns.apart, channels=cuts[-1])
    shortages = list(filter(None, (shortage(kind, config) for kind in finest.kinds(layer))))
    worst = max(shortages, key=lambda each: (each.parameter == shortages[0].parameter, each.value))
    advice = f", and it can't be cut further: {worst.advice}" if worst.advice else ""
    raise NotFittingError(worst.field, worst.sentence + advice)


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


# Cuts


@dataclass(frozen=True)
class _Span:
    """Windows along an axis, the image positions under them, and the padding on both sides."""

    windows: range
    inputs: range
    before: int
    after: int


@dataclass(frozen=True)
class _Axis:
    """The windows of an axis, in so many parts.

    Window i begins at position i * stride - pad of the image and ends `reach` further. Windows
    wholly in the padding can't be described without an image beside them: they go with the nearest
    of the others, `inside`, which the parts have in equal numbers, give or take one.
    """

    outputs: int
    size: int
    stride: int
    reach: int
    pad: int
    parts: int = 1

    @classmethod
    def rows(cls, layer: Layer) -> _Axis:
        reach = layer.window[0] - 1
        return cls(layer.out_height, layer.height, layer.stride[0], reach, layer.pads[0])

    @classmethod
    def columns(cls, layer: Layer) -> _Axis:
        reach = layer.window[1] - 1
        return cls(layer.out_width, layer.width, layer.stride[1], reach, layer.pads[1])

    @property
    def inside(self) -> range:
        """Windows that a part may end with, and may begin with."""
        first = max(0, (self.pad - self.reach) // self.stride)
        return range(first, min(self.outputs, (self.size - 1 + self.pad) // self.stride + 1))

    @property
    def apart(self) -> _Axis:
        return replace(self, parts=len(self.inside))

    def part(self, index: int) -> _Span:
        share = _share(len(self.inside), self.parts, index)
        start = self.inside.start + share.start if index else 0
        last = index == self.parts - 1
        windows = range(start, self.outputs if last else self.inside.start + share.stop)
        begin = windows[0] * self.stride - self.pad
        end = windows[-1] * self.stride - self.pad + self.reach + 1
        first = min(max(begin, 0), self.size - 1)
        inputs = range(first, min(max(end, first + 1), self.size))
        return _Span(windows, inputs, first - begin, max(0, end - inputs.stop))

    def kinds(self) -> Iterator[_Span]:
        """One part of each kind: those at the borders, and of those between them the two sizes."""
        for index in range(self.parts):
            yield (part := self.part(index))
            if not part.before:
                break
        for index in reversed(range(self.parts)):
            yield (part := self.part(index))
            if not part.after:
                break


@dataclass(frozen=True)
class _Channels:
    """Filters, and the input channels that they read, in so many groups."""

    filters: range
    inputs: range
    groups: int


@dataclass(frozen=True)
class _ChannelCut:
    """The filters in parts: of some units of channel groups each, or parts of each group."""

    groups: int
    filters: int
    """of a channel group"""
    inputs: int
    """of a channel group"""
    unit: int
    """groups that stay together; 0: each group is cut"""
    lanes: int
    """filters that stay together where groups are cut"""
    count: int
    """parts: of all groups, or of each"""

    @property
    def parts(self) -> int:
        return self.count if self.unit else self.count * self.groups

    @property
    def readings(self) -> int:
        """Parts that need the same input channels."""
        return 1 if self.unit else self.count

    def part(self, index: int) -> _Channels:
        if self.unit:
            share = _share(-(-self.groups // self.unit), self.count, index)
            a, b = share.start * self.unit, min(share.stop * self.unit, self.groups)
            return _Channels(
                range(a * self.filters, b * self.filters),
                range(a * self.inputs, b * self.inputs),
                b - a,
            )
        group, index = divmod(index, self.count)
        share = _share(-(-self.filters // self.lanes), self.count, index)
        first, channel = group * self.filters, group * self.inputs
        stop = min(share.stop * self.lanes, self.filters)
        return _Channels(
            range(first + share.start * self.lanes, first + stop),
            range(channel, channel + self.inputs),
            1,
        )

    def kinds(self) -> Iterator[_Channels]:
        """One part of each size: the first and the last of the larger ones and of the smaller."""
        units = -(-self.groups // self.unit) if self.unit else -(-self.filters // self.lanes)
        for index in {0, units % self.count, self.count - 1}:
            yield self.part(index)


def _channel_cuts(layer: Layer, config: CoreConfig) -> Iterator[_ChannelCut]:
    """The ways to cut the filters, fewest parts first.

    Whole blocks of filters stay together as long as there are enough of them, then whole channel
    groups, then the blocks of a group.
    """
    filters, inputs = layer.out_channels // layer.groups, layer.weight_shape[3]
    shape = partial(_ChannelCut, layer.groups, filters, inputs, lanes=config.lanes_out)
    unit, parts = groups_of_block(layer, config), 0
    while unit:
        units = -(-layer.groups // unit)
        for count in range(parts + 1, units + 1):
            yield shape(unit=unit, count=count)
        unit, parts = unit // 2, units
    for count in range(2, -(-filters // config.lanes_out) + 1):
        yield shape(unit=0, count=count)


@dataclass(frozen=True)
class _Cut:
    """A layer in parts along all that it can be cut along."""

    frames: int
    rows: _Axis
    columns: _Axis
    channels: _ChannelCut

    def pieces(self, layer: Layer) -> Iterator[Piece]:
        for frame in range(self.frames):
            frames = _share(layer.batch, self.frames, frame)
            for row in map(self.rows.part, range(self.rows.parts)):
                for some in map(self.channels.part, range(self.channels.parts)):
                    for column in map(self.columns.part, range(self.columns.parts)):
                        yield _piece(layer, frames, row, column, some)

    def kinds(self, layer: Layer) -> Iterator[Layer]:
        """The layers of the pieces; of those that are alike one at least."""
        frames = _share(layer.batch, self.frames, 0)
        for row in self.rows.kinds():
            for column in self.columns.kinds():
                for some in self.channels.kinds():
                    yield _piece(layer, frames, row, column, some).layer

    def fits(self, layer: Layer, config: CoreConfig) -> bool:
        return all(fits(kind, config) for kind in self.kinds(layer))


def _quickest(
    layer: Layer, config: CoreConfig, base: _Cut, cuts: Sequence[_ChannelCut], most: int
) -> _Cut | None:
    """Of the cuts by channels and at most so many columns that fit, the one that takes the least
    time."""

    def with_parts(parts: int, channels: _ChannelCut) -> _Cut:
        return replace(base, columns=replace(base.columns, parts=parts), channels=channels)

    def fit(parts: int, channels: _ChannelCut) -> bool:
        return with_parts(parts, channels).fits(layer, config)

    cost = _Load.of(layer, config).cut

    def affordable(parts: int, channels: _ChannelCut, limit: tuple[int, int]) -> bool:
        return cost(with_parts(parts, channels)) <= limit

    first = _least(0, len(cuts) - 1, lambda index: fit(most, cuts[index]))
    best: tuple[tuple[int, int], _Cut] | None = None  # cycles and pieces
    for channels in cuts[first:] if first is not None else ():
        limit = most
        if best is not None:
            no_worse = partial(affordable, channels=channels, limit=best[0])
            if not no_worse(1):
                break
            limit = _most(most, no_worse)
        parts = _least(1, limit, partial(fit, channels=channels))
        if parts is not None:
            cut = with_parts(parts, channels)
            best = cost(cut), cut
    return best[1] if best else None


@dataclass(frozen=True)
class _Load:
    """Cycles that the array and each input stream need for a layer in one piece."""

    steps: int
    weights: int
    activations: int

    @classmethod
    def of(cls, layer: Layer, config: CoreConfig) -> _Load:
        words = filter_groups(layer, config) * block_words(layer, config)  # for each filter
        windows = layer.batch * layer.out_height * layer.out_width
        frame_beats = -(-layer.height * layer.width * layer.in_channels // config.act_stream_bytes)
        return cls(
            windows * words * layer.macs_inside // layer.macs,
            config.lanes_out * (config.lanes_in // config.wgt_stream_bytes) * words,
            layer.batch * frame_beats,
        )

    def cut(self, cut: _Cut) -> tuple[int, int]:
        """Cycles of the busiest of them for all pieces, and the pieces."""
        readings = cut.frames * cut.rows.parts * cut.columns.parts
        cycles = (
            self.steps,
            self.weights * readings,
            self.activations * cut.channels.readings,
        )
        return max(cycles), readings * cut.channels.parts


def _prefetching(
    layer: Layer, config: CoreConfig, cut: _Cut, base: _Cut, cuts: Sequence[_ChannelCut]
) -> _Cut:
    """A cut in more channels, if there is one, that leaves room for the next piece's weights.

    They are then loaded while a piece is computed, which is worth more than fewer pieces.
    """
    if cut.channels.parts == 1 or config.wgt_words == LEAST_WGT_WORDS:
        return cut
    half = replace(config, wgt_words=config.wgt_words // 2)
    finer = _quickest(layer, half, base, cuts, cut.columns.parts)
    cost = _Load.of(layer, config).cut
    return cut if finer is None or cost(finer)[0] > cost(cut)[0] else finer


def _piece(layer: Layer, frames: range, row: _Span, column: _Span, some: _Channels) -> Piece:
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


def _share(count: int, parts: int, index: int) -> range:
    """Part `index` of 0 to `count` in equal parts, give or take one; the larger ones come first."""
    size, larger = divmod(count, parts)
    start = index * size + min(index, larger)
    return range(start, start + size + (index < larger))


def _least(low: int, high: int, holds: Callable[[int], bool]) -> int | None:
    """The least number of `low` to `high` for which `holds`, as it does for all above it."""
    if not holds(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _most(high: int, holds: Callable[[int], bool]) -> int:
    """The largest number of 1 to `high` for which `holds`, as it does for 1 and all below it."""
    low = 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


# Tensors


def _results(piece: Piece) -> tuple[range, range, range, range]:
    return piece.frames, piece.rows, piece.columns, piece.channels


def _part(tensor: NDArray[Any], *parts: range) -> NDArray[Any]:
    return tensor[tuple(slice(part.start, part.stop) for part in parts)]


def _part_or_none(tensor: NDArray[Any] | None, *parts: range) -> NDArray[Any] | None:
    return None if tensor is None else _part(tensor, *parts)
