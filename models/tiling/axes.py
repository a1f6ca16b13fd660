"""The windows of an axis in parts, with the image positions that each needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from conv_core.models.windows import Windows


@dataclass(frozen=True)
class Span:
    """Windows along an axis, the image positions under them, and the padding on both sides."""

    windows: range
    inputs: range
    before: int
    after: int


@dataclass(frozen=True)
class Axis:
    """The windows of an axis, in so many parts.

    Windows wholly in the padding can't be described without an image beside them: they go with the
    nearest of the others, `inside`, which the parts have in equal numbers, give or take one.
    """

    windows: Windows
    parts: int = 1

    @property
    def inside(self) -> range:
        """Windows that a part may end with, and may begin with."""
        windows = self.windows
        first = max(0, (windows.before - windows.span + 1) // windows.stride)
        last = (windows.size - 1 + windows.before) // windows.stride
        return range(first, min(windows.count, last + 1))

    @property
    def apart(self) -> Axis:
        return replace(self, parts=len(self.inside))

    def part(self, index: int) -> Span:
        share = even_share(len(self.inside), self.parts, index)
        start = self.inside.start + share.start if index else 0
        last = index == self.parts - 1
        windows = range(start, self.windows.count if last else self.inside.start + share.stop)
        begin = self.windows.position(windows[0])
        end = self.windows.position(windows[-1]) + self.windows.span
        first = min(max(begin, 0), self.windows.size - 1)
        inputs = range(first, min(max(end, first + 1), self.windows.size))
        return Span(windows, inputs, first - begin, max(0, end - inputs.stop))

    def kinds(self) -> Iterator[Span]:
        """One part of each kind: those at the borders, and of those between them the two sizes."""
        for index in range(self.parts):
            yield (part := self.part(index))
            if not part.before:
                break
        for index in reversed(range(self.parts)):
            yield (part := self.part(index))
            if not part.after:
                break


def even_share(count: int, parts: int, index: int) -> range:
    """Part `index` of 0 to `count` in equal parts, give or take one; the larger ones come first."""
    size, larger = divmod(count, parts)
    start = index * size + min(index, larger)
    return range(start, start + size + (index < larger))
