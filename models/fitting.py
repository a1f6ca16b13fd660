"""What fits the core in one piece: what it does not refuse with the error codes 2 to 5."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from models.core_config import LARGEST, CoreConfig
from models.layer import Layer
from models.packing import block_words, constant_words, filter_groups, result_bytes

MAX_OFFSET = 1 << 24
"""Bytes from the first pixel of a row to the windows farthest from it, in the padding included."""
MAX_FRAME_BYTES = 1 << 32
MAX_OUT_ROW_BYTES = 1 << 26


@dataclass(frozen=True)
class Shortage:
    """Why a layer does not fit, and what of the core would have to be how large."""

    field: str
    """of the layer, as LayerError names it"""
    sentence: str
    parameter: str = ""
    """of the core; none helps if it is empty"""
    value: int = 0

    @property
    def advice(self) -> str:
        """What to raise; empty where nothing helps."""
        power = 1 << (self.value - 1).bit_length()
        possible = self.parameter and power <= LARGEST[self.parameter.lower()]
        return f"raise {self.parameter} to {power}" if possible else ""


def fits(layer: Layer, config: CoreConfig) -> bool:
    """Does the core take the layer in one piece?"""
    return shortage(layer, config) is None


def shortage(layer: Layer, config: CoreConfig) -> Shortage | None:
    """The first reason why the core would refuse the layer; None where it fits."""
    return next(_shortages(layer, config), None)


def _shortages(layer: Layer, config: CoreConfig) -> Iterator[Shortage]:
    row = layer.width * layer.in_channels
    rows = min(layer.window[0], layer.height)
    window = rows * row
    pixel = result_bytes(layer) // (layer.out_height * layer.out_width)
    if window > config.act_bytes - config.lanes_in:
        yield Shortage(
            "kernel",
            f"{rows} rows of {layer.width} columns of {layer.in_channels} channels, {window} bytes,"
            f" do not fit the activation buffer of {config.act_bytes} bytes",
            "ACT_BYTES",
            window + config.lanes_in,
        )
    if layer.in_channels * layer.pads[1] >= MAX_OFFSET:
        yield Shortage("pads", f"{layer.pads[1]} columns on the left are more than the core counts")
    if layer.in_channels * layer.stride[1] * layer.out_width >= MAX_OFFSET:
        yield Shortage("pads", f"{layer.out_width} windows are more than the core counts")
    if pixel > config.out_bytes - 2 * config.lanes_out:
        yield Shortage(
            "w",
            f"the {pixel} bytes of a result pixel do not fit the result buffer of "
            f"{config.out_bytes} bytes",
            "OUT_BYTES",
            pixel + 2 * config.lanes_out,
        )
    for field, size, limit in (
        ("x", row * layer.height, MAX_FRAME_BYTES),
        ("x", pixel * layer.out_width, MAX_OUT_ROW_BYTES),
        ("x", result_bytes(layer), MAX_FRAME_BYTES),
    ):
        if size >= limit:
            yield Shortage(field, f"{size} bytes are more than the core counts")
    # Weights of a single output row are used once, and need not all be there at the same time.
    single_row = (
        layer.batch == layer.out_height == 1
        and _columns_of_block(layer.out_width, pixel, config) == layer.out_width
    )
    blocks, words = filter_groups(layer, config), block_words(layer, config)
    needed = blocks * words
    if single_row:
        needed = 0 if layer.out_width == 1 else words
    if needed > config.wgt_words:
        yield Shortage(
            "w",
            f"{needed} words of weights for each lane do not fit the weight buffer of "
            f"{config.wgt_words}",
            "WGT_WORDS",
            needed,
        )
    constants = 0 if single_row else blocks * constant_words(config)
    if constants > config.const_words:
        yield Shortage(
            "bias",
            f"{constants} words of constants do not fit the constant buffer of "
            f"{config.const_words}",
            "CONST_WORDS",
            constants,
        )


def _columns_of_block(out_width: int, pixel: int, config: CoreConfig) -> int:
    """Output columns whose results the core buffers together: halved until they fill half of it."""
    columns = out_width
    while columns > 1 and columns * pixel > config.out_bytes // 2:
        columns = (columns + 1) // 2
    return columns
