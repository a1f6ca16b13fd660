"""What fits the core in one piece: what it does not refuse with the error codes 2 to 5."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from conv_core.models.core_config import LARGEST, CoreConfig
from conv_core.models.layer import Layer
from conv_core.models.packing import result_bytes
from conv_core.models.schedule import schedule

MAX_OFFSET = 1 << 24
"""Bytes from the first pixel of a row to the windows farthest from it, in the padding included."""
MAX_FRAME_BYTES = 1 << 32
MAX_OUT_ROW_BYTES = 1 << 26
MAX_BLOCK_WORDS = 1 << 22
"""Weight words of a filter block, for each of its filters."""


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


def missing_rule(layer: Layer, config: CoreConfig) -> Shortage | None:
    """Results by a rounding rule that the core is built without: no piece of the layer fits."""
    if layer.requantise and layer.rounding == "float" and not config.float_rule:
        return Shortage(
            "rounding",
            "this core is built with FLOAT_RULE=0, without the rule 'float': build it with "
            "FLOAT_RULE=1, or give mult and shift with rounding='tflite'",
        )
    return None


def fits(layer: Layer, config: CoreConfig) -> bool:
    """Does the core take the layer in one piece?"""
    return shortage(layer, config) is None


def shortage(layer: Layer, config: CoreConfig) -> Shortage | None:
    """The first reason why the core would refuse the layer; None where it fits."""
    return next(_shortages(layer, config), None)


def _shortages(layer: Layer, config: CoreConfig) -> Iterator[Shortage]:
    row = layer.width * layer.in_channels
    rows = min(layer.rows.span, layer.height)
    window = rows * row
    pixel = result_bytes(layer) // (layer.out_height * layer.out_width)
    if (rule := missing_rule(layer, config)) is not None:
        yield rule
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
    plan = schedule(layer, config)
    if plan.block_words >= MAX_BLOCK_WORDS:
        yield Shortage("w", f"{plan.block_words} words of a filter are more than the core counts")
    if plan.whole_words > config.wgt_words:
        yield Shortage(
            "w",
            f"{plan.whole_words} words of weights for each lane do not fit the weight buffer of "
            f"{config.wgt_words}",
            "WGT_WORDS",
            plan.whole_words,
        )
    if plan.whole_constants > config.const_words:
        yield Shortage(
            "bias",
            f"{plan.whole_constants} words of constants do not fit the constant buffer of "
            f"{config.const_words}",
            "CONST_WORDS",
            plan.whole_constants,
        )
