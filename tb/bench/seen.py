"""What the bench's monitors saw: broken rules, when packets passed, where a stream stands."""

from __future__ import annotations

from dataclasses import dataclass

from conv_core.tb.checks.rules import Rule

BUS = "bus"
BUS_CHANNELS = ("AW", "W", "B", "AR", "R", "irq")
"""By the number that axil_monitor.v gives them."""
STREAM_NAMES = {"act": "activations", "wgt": "weights", "out": "results"}


@dataclass(frozen=True)
class Broken:
    """The first time that a stream, or the control port, broke a rule."""

    stream: str
    rule: Rule
    beat: int
    """of the control port: accesses answered before"""
    time_ns: int
    channel: str = ""
    """of the control port"""

    def __str__(self) -> str:
        if self.stream == BUS:
            where = f"control port, {self.channel}, access {self.beat}"
        else:
            where = f"{STREAM_NAMES[self.stream]}, beat {self.beat}"
        return f"{where}, {self.time_ns} ns: {self.rule}"


@dataclass(frozen=True)
class Record:
    """When one layer's packets passed a stream. `held` counts held cycles of all streams."""

    first_cycle: int
    last_cycle: int
    held_at_first: int
    held_at_last: int


@dataclass(frozen=True)
class StreamState:
    """What a stream stands at."""

    stream: str
    offered: int
    accepted: int
    valid: bool
    ready: bool
