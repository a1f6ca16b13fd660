"""Where the windows of a layer lie along an axis: the one geometry that everything else reads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Windows:
    """The windows of a layer in one direction, over the rows or over the columns of an image.

    Positions are those of the image: 0 to `size` - 1 lie inside, others in the padding.
    """

    size: int
    """of the image"""
    taps: int
    """of the kernel"""
    stride: int
    dilation: int
    before: int
    """padding at the top, or on the left"""
    after: int

    @property
    def span(self) -> int:
        """Positions from a window's first tap to its last, both included."""
        return (self.taps - 1) * self.dilation + 1

    @property
    def padded(self) -> int:
        """Size of the image with its padding."""
        return self.before + self.size + self.after

    @property
    def count(self) -> int:
        """Windows; below 1 where the padded image is smaller than one."""
        return (self.padded - self.span) // self.stride + 1

    def position(self, window: int) -> int:
        """Of the first tap of a window."""
        return window * self.stride - self.before

    @cached_property
    def positions(self) -> NDArray[np.int64]:
        """(count, taps)"""
        first = np.arange(self.count) * self.stride - self.before
        found: NDArray[np.int64] = first[:, None] + np.arange(self.taps) * self.dilation
        return found

    @cached_property
    def taps_inside(self) -> NDArray[np.bool_]:
        """(count, taps): does the tap lie inside the image?"""
        found: NDArray[np.bool_] = (self.positions >= 0) & (self.positions < self.size)
        return found
