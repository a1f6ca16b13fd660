"""Stall profiles: when the bench holds the streams back.

A profile says for each stream how long it flows and how long it is held, in turns; the lengths are
drawn by tb/bench/verilog/stall_generator.v from a seed, so that one seed gives one pattern on every
simulator. A source never withdraws a beat that it offers: a hold begins behind it.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import numpy as np

from conv_core.models.errors import RefusedError

STREAMS = ("act", "wgt", "out")
PORTS = (*STREAMS, "bus")
"""What has a seed of its own."""


class StallError(RefusedError):
    """A stall profile that does not exist. The text names those that do."""


@dataclass(frozen=True)
class Pattern:
    """Cycles of flow and of hold: `least` to `least + mask`, masks are 2**n - 1."""

    flow_least: int = 0
    flow_mask: int = 0
    hold_least: int = 0
    hold_mask: int = 0

    @property
    def word(self) -> int:
        """The 64 bits that stall_generator.v takes."""
        return self.hold_mask << 48 | self.hold_least << 32 | self.flow_mask << 16 | self.flow_least

    @property
    def slowdown(self) -> float:
        """How many times longer a stream takes that is limited by nothing else, on average."""
        hold = self.hold_least + self.hold_mask / 2
        return 1.0 + hold / max(self.flow_least + self.flow_mask / 2, 1.0) if hold else 1.0


@dataclass(frozen=True)
class Profile:
    """What is done to each stream, and to the control port.

    `ready_after_valid`: results and answers are taken one at a time, in answer to their valid;
    `bus_delay`: cycles, 2**n - 1, that address, data and the taking of an answer are late at most.
    """

    name: str
    act: Pattern = field(default_factory=Pattern)
    wgt: Pattern = field(default_factory=Pattern)
    out: Pattern = field(default_factory=Pattern)
    ready_after_valid: bool = False
    bus_delay: int = 0
    first: str = ""
    """the stream, "wgt" or "act", whose packets of a layer must all have passed before the other"""
    recorded_cycles: int = 0
    """cycles of the run that is repeated"""

    @property
    def slowdown(self) -> float:
        """Upper estimate of the factor by which a layer takes longer, for time-outs."""
        return self.act.slowdown + self.wgt.slowdown + 2 * self.out.slowdown - 3

    @property
    def longest_hold(self) -> int:
        """The longest hold of any stream, in cycles."""
        holds = [p.hold_least + p.hold_mask for p in (self.act, self.wgt, self.out)]
        return max(*holds, self.recorded_cycles)


def _alike(name: str, pattern: Pattern, bus_delay: int) -> Profile:
    return Profile(name, pattern, pattern, pattern, bus_delay=bus_delay)


_STARVED = Pattern(flow_least=512, flow_mask=511, hold_least=2048, hold_mask=1023)

PROFILES = {
    profile.name: profile
    for profile in (
        Profile("none"),
        _alike("light", Pattern(4, 15, 1, 1), 1),
        _alike("heavy", Pattern(1, 1, 1, 7), 7),
        _alike("bursty", Pattern(1, 63, 1, 63), 15),
        Profile("ready-after-valid", ready_after_valid=True),
        Profile("starve-act", act=_STARVED),
        Profile("starve-wgt", wgt=_STARVED),
        Profile("starve-out", out=_STARVED),
    )
}
"""Those that every layer must bear."""

ORDERS = {
    profile.name: profile
    for profile in (
        Profile("weights-first", first="wgt"),
        Profile("activations-first", first="act"),
    )
}
"""Those under which a layer comes to a standstill whose data do not fit the core's buffers."""


@dataclass(frozen=True)
class Traffic:
    """A profile by its name, and the seed of its patterns."""

    stall: str = "none"
    seed: int = 1

    @property
    def profile(self) -> Profile:
        """Raises `StallError`."""
        return profile_named(self.stall)


def profile_named(name: str) -> Profile:
    """The profile of that name. Raises `StallError`."""
    try:
        return (PROFILES | ORDERS)[name]
    except KeyError:
        names = ", ".join([*PROFILES, *ORDERS])
        raise StallError(
            f"there is no stall profile {name!r}; there are {names}, and files of recorded traffic"
        ) from None


def stream_seeds(seed: int, name: str) -> dict[str, int]:
    """A seed, 32 bits and not zero, for each of `PORTS`, of the layer `name` in the run of `seed`.

    They do not depend on the layers that ran before, so that a layer stalls alone as it did in
    company.
    """
    words = np.random.SeedSequence([seed, zlib.crc32(name.encode())]).generate_state(len(PORTS))
    return {port: int(word) | 1 for port, word in zip(PORTS, words, strict=True)}
