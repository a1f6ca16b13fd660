"""The layouts of `w`, and which one a file may mean where the one it names does not fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conv_core.models.layer import MAX_KERNEL, MAX_SIZE, Int32Array, LayerError
from conv_core.models.layer_files.fields import Fields, count, each_filter, number, tensor, word

LAYOUTS = ("OHWI", "HWIO", "OIHW", "HWCM", "1HWO")
"""Of `w`: the core's, Keras's and PyTorch's; and two for depthwise layers, where C is the channel
and M the filter of that channel: Keras's, and TensorFlow Lite's."""
_AXES = {"OHWI": (0, 1, 2, 3), "HWIO": (3, 0, 1, 2), "OIHW": (0, 2, 3, 1)}
"""What brings `w` to OHWI."""
_DEPTHWISE = ("HWCM", "1HWO")
_MOST_MULTIPLIER = 4
"""Filters of a channel up to which a depthwise layer is suggested beside others."""


@dataclass(frozen=True)
class Reading:
    """What a shape of `w` is in one of the layouts."""

    layout: str
    groups: int
    filters: int
    kernel: tuple[int, int]
    channels: int
    """of a group"""

    def __str__(self) -> str:
        filters = "1 filter" if self.filters == 1 else f"{self.filters} filters"
        kernel = f"{self.kernel[0]}x{self.kernel[1]}"
        if self.channels == 1 < self.groups and self.filters % self.groups == 0:
            each = self.filters // self.groups
            return f"depthwise: {filters} of {kernel}, {each} for each of {self.groups} channels"
        return f"{filters} of {kernel} for {count(self.channels, 'channel')}" + (
            f" in each of {self.groups} groups" if self.groups > 1 else ""
        )

    @property
    def square(self) -> bool:
        return self.kernel[0] == self.kernel[1]

    def mistake(self, in_channels: int) -> str:
        """What does not fit, empty if all does."""
        if self.channels * self.groups != in_channels:
            together = f"{self.channels * self.groups} together, " if self.groups > 1 else ""
            return f"{together}x has {count(in_channels, 'channel')}"
        if not 1 <= min(self.kernel) <= max(self.kernel) <= MAX_KERNEL:
            return f"kernels are 1x1 to {MAX_KERNEL}x{MAX_KERNEL}"
        if self.filters % self.groups:
            return "the groups must divide the filters"
        return ""


def oriented_weights(
    fields: Fields, x_shape: tuple[int, ...], kinds: tuple[str, ...]
) -> tuple[NDArray[Any], int]:
    """`w` in the layout OHWI, for the channels of `x` (N, H, W, Cin), and the channel groups."""
    w, in_channels = tensor(fields, "w", kinds), x_shape[3]
    if w.ndim != 4:
        raise LayerError("w", _axes_sentence(w))
    layout = word(fields, "w_layout", LAYOUTS, "OHWI")
    groups = number(fields, "groups", in_channels if layout in _DEPTHWISE else 1)
    if not 1 <= groups <= MAX_SIZE:
        raise LayerError("groups", f"{groups} is not in 1 to {MAX_SIZE}")
    said = _reading(w.shape, layout, groups, in_channels)
    if said is None:
        raise LayerError("w", f"its shape {w.shape} is not {_depthwise_shape(layout, in_channels)}")
    others = list(_others(w.shape, in_channels, fields, said))
    if mistake := said.mistake(in_channels):
        hint = _hint(others, said) or _hint_on_x(fields, w.shape, x_shape, said)
        raise LayerError("w", f"its shape {w.shape} is, as {layout}, {said}; {mistake}{hint}")
    known = _known_filters(fields)
    if known not in (None, said.filters) and others and others[0].filters == known:
        raise LayerError(
            "w",
            f"its shape {w.shape} is, as {layout}, {said}, but other fields are for {known} "
            f"filters{_hint(others, said)}",
        )
    if "w_layout" not in fields and not said.square:
        square = [other for other in others if other.square and other.groups == said.groups]
        if square:
            raise LayerError(
                "w",
                f"its shape {w.shape} is, as OHWI, {said}{_hint(square, said)}; say w_layout, "
                "also if it is OHWI",
            )
    return np.ascontiguousarray(_to_ohwi(w, layout)), groups


def weight_zero_points(fields: Fields, filters: int, dtype: np.dtype[Any]) -> Int32Array:
    """(Cout), as they are for int8 weights."""
    limits = np.iinfo(dtype)
    given = fields.get("w_zp", np.array(0))
    if given.dtype.kind not in "iu":
        raise LayerError("w_zp", f"it is {given.dtype}, not whole numbers")
    each = each_filter("w_zp", given, filters)
    wrong = each[(each < limits.min) | (each > limits.max)]
    if wrong.size:
        other = "uint8 weights have 0 to 255" if dtype == np.int8 else "int8 weights -128 to 127"
        raise LayerError(
            "w_zp",
            f"{wrong[0]} is not in {limits.min} to {limits.max}, and w is {dtype}; {other}",
        )
    return each.astype(np.int32) - (limits.min + 128)


def _to_ohwi(w: NDArray[Any], layout: str) -> NDArray[Any]:
    if layout == "HWCM":
        kh, kw, channels, multiplier = w.shape
        w, layout = w.reshape(kh, kw, 1, channels * multiplier), "HWIO"
    return w.transpose((3, 1, 2, 0) if layout == "1HWO" else _AXES[layout])


def _reading(shape: tuple[int, ...], layout: str, groups: int, in_channels: int) -> Reading | None:
    """None where the shape can't be of the layout."""
    if layout == "HWCM":
        kh, kw, channels, multiplier = shape
        fits = channels == in_channels == groups
        return Reading(layout, groups, channels * multiplier, (kh, kw), 1) if fits else None
    if layout == "1HWO":
        one, kh, kw, filters = shape
        fits = one == 1 and in_channels == groups
        return Reading(layout, groups, filters, (kh, kw), 1) if fits else None
    filters, kh, kw, channels = (shape[axis] for axis in _AXES[layout])
    return Reading(layout, groups, filters, (kh, kw), channels)


def _fitting(shape: tuple[int, ...], in_channels: int, groups: list[int]) -> Iterator[Reading]:
    for layout in LAYOUTS:
        for each in groups:
            if layout in _DEPTHWISE and each == 1:
                continue
            reading = _reading(shape, layout, each, in_channels)
            if reading is not None and not reading.mistake(in_channels):
                yield reading


def _others(
    shape: tuple[int, ...], in_channels: int, fields: Fields, said: Reading
) -> Iterator[Reading]:
    """What the shape could be otherwise. Where other fields say how many filters there are, only
    that, if anything."""
    groups = [said.groups] if "groups" in fields else sorted({1, in_channels})
    found = [each for each in _fitting(shape, in_channels, groups) if each != said]
    known = _known_filters(fields)
    usual = [
        each
        for each in found
        if each.layout not in _DEPTHWISE or each.filters <= _MOST_MULTIPLIER * in_channels
    ]
    yield from [each for each in found if each.filters == known] or usual or found


def _known_filters(fields: Fields) -> int | None:
    """The number of filters that other fields speak of; None where they say nothing, or differ."""
    each = [fields[name] for name in ("bias", "mult", "shift", "scale", "w_zp") if name in fields]
    counts = {values.size for values in each if values.size > 1}
    expected = [fields[name] for name in ("acc", "y") if name in fields]
    counts |= {values.shape[-1] for values in expected if values.ndim == 4}
    return counts.pop() if len(counts) == 1 else None


def _hint(others: list[Reading], said: Reading) -> str:
    if not others:
        return ""
    return "; it would fit with " + " or ".join(f"{_say(each, said)} ({each})" for each in others)


def _say(reading: Reading, said: Reading) -> str:
    """What to write in a file to have this reading."""
    fields = [f'w_layout="{reading.layout}"'] if reading.layout != said.layout else []
    if reading.groups != said.groups and reading.layout not in _DEPTHWISE:
        fields.append(f"groups={reading.groups}")
    return ", ".join(fields)


def _hint_on_x(
    fields: Fields, shape: tuple[int, ...], x_shape: tuple[int, ...], said: Reading
) -> str:
    """Channels first, as PyTorch and ONNX have them?"""
    groups = [said.groups] if "groups" in fields else sorted({1, x_shape[1]})
    for reading in _fitting(shape, x_shape[1], groups):
        more = _say(reading, said)
        return "; it would fit with x=x.transpose(0, 2, 3, 1)" + (f", {more}" if more else "")
    return ""


def _depthwise_shape(layout: str, in_channels: int) -> str:
    shape = f"(KH, KW, {in_channels}, M)" if layout == "HWCM" else "(1, KH, KW, Cout)"
    return f"{layout}, {shape} with groups={in_channels} as x has {count(in_channels, 'channel')}"


def _axes_sentence(w: NDArray[Any]) -> str:
    cure = {
        3: ': a 1-D kernel is one of height 1, w=w[None] with w_layout="HWIO" in Keras, '
        'w=w[:, :, None] with w_layout="OIHW" in PyTorch',
        2: ": a fully connected layer has 1x1 kernels, w=w[:, None, None] for (Cout, Cin), "
        "w=w.T[:, None, None] for Keras's (Cin, Cout)",
    }.get(w.ndim, "")
    return f"its shape {w.shape} has {count(w.ndim, 'axis', 'axes')}, not 4{cure}"
