"""Which cut of a layer is taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from conv_core.models.core_config import LEAST_WGT_WORDS, CoreConfig
from conv_core.models.fitting import fits, missing_rule, shortage
from conv_core.models.layer import Layer, LayerError
from conv_core.models.packing import groups_of_block
from conv_core.models.tiling.axes import Axis
from conv_core.models.tiling.cuts import Cut, Demand
from conv_core.models.tiling.filters import ChannelCut, channel_cuts
from conv_core.models.tiling.pieces import Piece


class NotFittingError(LayerError):
    """A layer that the core can't compute, not even in pieces. The sentence says what to raise."""


def plan(layer: Layer, config: CoreConfig) -> list[Piece]:
    """The pieces of a layer, each of which fits the core; one where the layer itself fits.

    Raises `NotFittingError` where that can't be, with the parameter to raise.
    """
    if fits(layer, config):
        return [Piece.whole(layer)]
    if (rule := missing_rule(layer, config)) is not None:
        raise NotFittingError(rule.field, rule.sentence)
    rows, columns = Axis(layer.rows), Axis(layer.columns)
    cuts = list(channel_cuts(layer, config))
    between_blocks = [each for each in cuts if each.unit in (0, groups_of_block(layer, config))]
    together = Cut(1, rows, columns, cuts[0])
    alone = Cut(layer.batch, rows.apart, columns, cuts[0])
    for base, channels in ((together, between_blocks), (together, cuts), (alone, cuts)):
        cut = _quickest(layer, config, base, channels, columns.apart.parts)
        if cut is not None:
            return list(_prefetching(layer, config, cut, base, channels).pieces(layer))
    finest = replace(alone, columns=columns.apart, channels=cuts[-1])
    shortages = list(filter(None, (shortage(kind, config) for kind in finest.kinds(layer))))
    worst = max(shortages, key=lambda each: (each.parameter == shortages[0].parameter, each.value))
    advice = f", and it can't be cut further: {worst.advice}" if worst.advice else ""
    raise NotFittingError(worst.field, worst.sentence + advice)


def _quickest(
    layer: Layer, config: CoreConfig, base: Cut, cuts: Sequence[ChannelCut], most: int
) -> Cut | None:
    """Of the cuts by channels and at most so many columns that fit, the one that takes the least
    time."""

    def with_parts(parts: int, channels: ChannelCut) -> Cut:
        return replace(base, columns=replace(base.columns, parts=parts), channels=channels)

    def fit(parts: int, channels: ChannelCut) -> bool:
        return with_parts(parts, channels).fits(layer, config)

    cost = Demand.of(layer, config).cut

    def affordable(parts: int, channels: ChannelCut, limit: tuple[int, int]) -> bool:
        return cost(with_parts(parts, channels)) <= limit

    first = _least(0, len(cuts) - 1, lambda index: fit(most, cuts[index]))
    best: tuple[tuple[int, int], Cut] | None = None  # cycles and pieces
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


def _prefetching(
    layer: Layer, config: CoreConfig, cut: Cut, base: Cut, cuts: Sequence[ChannelCut]
) -> Cut:
    """A cut in more channels, if there is one, that leaves room for the next piece's weights.

    They are then loaded while a piece is computed, which is worth more than fewer pieces.
    """
    if cut.channels.parts == 1 or config.wgt_words == LEAST_WGT_WORDS:
        return cut
    half = replace(config, wgt_words=config.wgt_words // 2)
    finer = _quickest(layer, half, base, cuts, cut.columns.parts)
    cost = Demand.of(layer, config).cut
    return cut if finer is None or cost(finer)[0] > cost(cut)[0] else finer


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
