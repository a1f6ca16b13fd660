"""Recorded traffic: what the bench let through in a run, cycle by cycle, from which it is repeated.

A recording is a text file. For each run of the streams (a layer, or layers that were queued behind
each other) it holds a line `run`, what the control port was given, and a line `cycle bits` for each
change: may activations flow, may weights flow, are results taken. Cycles count from the first one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from conv_core.tb.stimuli.stalls import Profile, StallError, profile_named

SUFFIX = ".traffic"
RUN_LINE = f"{2**32 - 1} 000"
"""what begins a run for tb/bench/verilog"""
HEADER = "conv_core traffic 1"
RUN = re.compile(r"run first=(\d+) bus_seed=(\d+) bus_delay=(\d+) after_valid=([01]) (.*)")


@dataclass(frozen=True)
class Run:
    """The streams from the start of a layer to its end, or to that of those queued behind it."""

    layer: str
    """the first one's name"""
    bus_seed: int
    bus_delay: int
    after_valid: bool
    lines: tuple[str, ...]

    @property
    def profile(self) -> Profile:
        """What is done to the control port, and how long the streams were watched."""
        last = int(self.lines[-1].split()[0]) if self.lines else 0
        return Profile(
            "recorded",
            ready_after_valid=self.after_valid,
            bus_delay=self.bus_delay,
            recorded_cycles=last,
        )


@dataclass(frozen=True)
class Recording:
    """The runs of a simulation, in their order."""

    runs: tuple[Run, ...]

    def text(self) -> str:
        """The file's text."""
        lines = [HEADER]
        for run in self.runs:
            lines.append(
                f"run first={len(run.lines)} bus_seed={run.bus_seed} bus_delay={run.bus_delay} "
                f"after_valid={int(run.after_valid)} {run.layer}"
            )
            lines += run.lines
        return "\n".join(lines) + "\n"

    def bits(self) -> str:
        """What tb/bench/verilog/traffic_player.v reads."""
        return "".join(f"{line}\n" for run in self.runs for line in (RUN_LINE, *run.lines))

    def check(self, layers: Sequence[str]) -> None:
        """Raises `StallError` unless these are the first layers of its runs."""
        recorded = [run.layer for run in self.runs]
        if recorded != list(layers):
            raise StallError(
                f"the recording is of {len(recorded)} runs, that begin with the layers "
                f"{', '.join(recorded)}; here are {len(layers)}: {', '.join(layers)}"
            )


def recording_named(stall: str) -> Recording | None:
    """The recording in that file; None if it is a profile's name. Raises `StallError`."""
    if stall.endswith(SUFFIX):
        return load(Path(stall))
    profile_named(stall)
    return None


def check_target(path: Path) -> None:
    """Raises `StallError` where no recording can be written, or none that is known as such."""
    if path.suffix != SUFFIX:
        raise StallError(f"{path}: recorded traffic goes to a file *{SUFFIX}")
    if not path.resolve().parent.is_dir():
        raise StallError(f"{path}: there is no folder {path.parent}")


def load(path: Path) -> Recording:
    """Raises `StallError` if it is no recording."""
    try:
        header, *lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError, ValueError):
        raise StallError(f"{path}: there is no recorded traffic") from None
    runs = []
    while header == HEADER and lines:
        found = RUN.fullmatch(lines.pop(0))
        if found is None:
            break
        count, seed, delay, after_valid = (int(found[i]) for i in range(1, 5))
        body, lines = lines[:count], lines[count:]
        if len(body) < count or not all(re.fullmatch(r"\d+ [01]{3}", line) for line in body):
            break
        runs.append(Run(found[5], seed, delay, bool(after_valid), tuple(body)))
    else:
        if header == HEADER:
            return Recording(tuple(runs))
    raise StallError(f"{path}: this is not recorded traffic, or it is damaged")


def recording_of(bits: str, runs: Sequence[tuple[str, Profile, int]]) -> Recording:
    """What traffic_recorder.v wrote; `runs`: (first layer, profile, seed of the control port)."""
    bodies = [tuple(body.splitlines()) for body in bits.split(f"{RUN_LINE}\n")[1:]]
    return Recording(
        tuple(
            Run(layer, bus_seed, profile.bus_delay, profile.ready_after_valid, lines)
            for (layer, profile, bus_seed), lines in zip(runs, bodies, strict=True)
        )
    )
