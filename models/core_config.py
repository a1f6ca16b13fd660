"""How a core is built: its parameters as docs/driving-the-core.md lists them."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any

from conv_core.models.errors import RefusedError

LANES = (4, 8, 16, 32)
RESULT_QUEUES = (4, 8, 16, 32)
WEIGHT_BYTES_PER_FILTER = 16384
LEAST_WGT_WORDS = 16
LARGEST = {"act_bytes": 1 << 22, "wgt_words": 1 << 20, "const_words": 1 << 20, "out_bytes": 1 << 24}
"""The largest buffers that a core can have."""
CONSTANT_BYTES = 10
"""Constants of one filter: bias and multiplier, four bytes each, a byte of shift, and a byte of the
weights' zero point."""

_DERIVED: Any = None  # what a field holds until __post_init__ derives its default from the lanes


class ConfigError(RefusedError):
    """A core that can't be built. The text names the parameter."""


@dataclass(frozen=True)
class CoreConfig:
    """The build parameters of `conv_core`. What is left out, or None, gets the documented default.

    Raises `ConfigError` where a value is not legal.
    """

    lanes_in: int = 16
    """input bytes multiplied each cycle"""
    lanes_out: int = 16
    """filters computed side by side"""
    act_bytes: int = 65536
    """activation buffer, in bytes"""
    wgt_words: int = _DERIVED
    """weight buffer, in words of lanes_in bytes for each filter; default 16 KiB a filter"""
    const_words: int = 1024
    """constant buffer, in words of lanes_in bytes"""
    out_bytes: int = 16384
    """result buffer, in bytes"""
    requant_lanes: int = _DERIVED
    """results requantised each cycle; default half of lanes_out"""
    float_rule: int = 1
    """1: results by all rules; 0: without `float`"""
    result_queue: int = 16
    """accumulator vectors between the array and the requantiser"""
    act_stream_bytes: int = _DERIVED
    """bytes of an activation beat; default lanes_in"""
    wgt_stream_bytes: int = _DERIVED
    """bytes of a weight beat; default lanes_in"""
    out_stream_bytes: int = _DERIVED
    """bytes of a result beat; default lanes_out"""

    def __post_init__(self) -> None:
        for name in ("lanes_in", "lanes_out"):
            _check_choice(name, getattr(self, name), LANES)
        defaults = {
            "wgt_words": WEIGHT_BYTES_PER_FILTER // self.lanes_in,
            "requant_lanes": self.lanes_out // 2,
            "act_stream_bytes": self.lanes_in,
            "wgt_stream_bytes": self.lanes_in,
            "out_stream_bytes": self.lanes_out,
        }
        for name, value in defaults.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        _check_choice("float_rule", self.float_rule, (0, 1))
        _check_choice("result_queue", self.result_queue, RESULT_QUEUES)
        constants = -(-CONSTANT_BYTES * self.lanes_out // self.lanes_in)
        for name, least in (
            ("act_bytes", 4 * self.lanes_in),
            ("wgt_words", LEAST_WGT_WORDS),
            ("const_words", max(16, constants)),
            ("out_bytes", 16 * self.lanes_out),
        ):
            _check_power(name, getattr(self, name), least, LARGEST[name])
        _check_power("requant_lanes", self.requant_lanes, self.lanes_out // 4, self.lanes_out)
        _check_power("act_stream_bytes", self.act_stream_bytes, 1, self.lanes_in)
        _check_power("wgt_stream_bytes", self.wgt_stream_bytes, 1, self.lanes_in)
        _check_power("out_stream_bytes", self.out_stream_bytes, 1, self.lanes_out)

    @classmethod
    def from_array(cls, array: str, **others: int) -> CoreConfig:
        """The core of an array such as "16x8": 16 lanes in, 8 out. `others` are further fields."""
        match = re.fullmatch(r"(\d+)x(\d+)", array.strip().lower())
        if match is None:
            raise ConfigError(f"array: {array!r} is not lanes in x lanes out, such as 16x16")
        return cls(lanes_in=int(match[1]), lanes_out=int(match[2]), **others)

    @property
    def array(self) -> str:
        """The array's name: "16x8" has 16 lanes in and 8 lanes out."""
        return f"{self.lanes_in}x{self.lanes_out}"

    @property
    def multipliers(self) -> int:
        """Multipliers of the array: lanes in times lanes out."""
        return self.lanes_in * self.lanes_out

    def verilog_parameters(self) -> dict[str, int]:
        """Every parameter of `conv_core` by its Verilog name."""
        return {field.name.upper(): getattr(self, field.name) for field in fields(self)}


def _check_choice(name: str, value: Any, legal: tuple[int, ...]) -> None:
    if not isinstance(value, int) or value not in legal:
        raise ConfigError(f"{name}: {value!r} is not one of {', '.join(map(str, legal))}")


def _check_power(name: str, value: Any, low: int, high: int) -> None:
    power = isinstance(value, int) and value > 0 and value & (value - 1) == 0
    if not power or not low <= value <= high:
        raise ConfigError(f"{name}: {value!r} is not a power of two, {low} to {high}")
