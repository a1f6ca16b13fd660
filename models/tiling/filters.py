"""The filters in parts, with the input channels that each reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer
from conv_core.models.packing import groups_of_block
from conv_core.models.tiling.axes import even_share


@dataclass(frozen=True)
class Channels:
    """Filters, and the input channels that they read, in so many groups."""

    filters: range
    inputs: range
    groups: int


@dataclass(frozen=True)
class ChannelCut:
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

    def part(self, index: int) -> Channels:
        if self.unit:
            share = even_share(-(-self.groups // self.unit), self.count, index)
            a, b = share.start * self.unit, min(share.stop * self.unit, self.groups)
            return Channels(
                range(a * self.filters, b * self.filters),
                range(a * self.inputs, b * self.inputs),
                b - a,
            )
        group, index = divmod(index, self.count)
        share = even_share(-(-self.filters // self.lanes), self.count, index)
        first, channel = group * self.filters, group * self.inputs
        stop = min(share.stop * self.lanes, self.filters)
        return Channels(
            range(first + share.start * self.lanes, first + stop),
            range(channel, channel + self.inputs),
            1,
        )

    def kinds(self) -> Iterator[Channels]:
        """One part of each size: the first and the last of the larger ones and of the smaller."""
        units = -(-self.groups // self.unit) if self.unit else -(-self.filters // self.lanes)
        for index in {0, units % self.count, self.count - 1}:
            yield self.part(index)


def channel_cuts(layer: Layer, config: CoreConfig) -> Iterator[ChannelCut]:
    """The ways to cut the filters, fewest parts first.

    Whole blocks of filters stay together as long as there are enough of them, then whole channel
    groups, then the blocks of a group.
    """
    filters, inputs = layer.out_channels // layer.groups, layer.weight_shape[3]
    shape = partial(ChannelCut, layer.groups, filters, inputs, lanes=config.lanes_out)
    unit, parts = groups_of_block(layer, config), 0
    while unit:
        units = -(-layer.groups // unit)
        for count in range(parts + 1, units + 1):
            yield shape(unit=unit, count=count)
        unit, parts = unit // 2, units
    for count in range(2, -(-filters // config.lanes_out) + 1):
        yield shape(unit=0, count=count)
