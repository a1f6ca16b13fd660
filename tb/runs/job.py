"""What goes into a simulation and what comes out of it, as both processes see it."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conv_core.models.core_config import CoreConfig
from conv_core.models.files import write_whole
from conv_core.models.layer import LayerCase
from conv_core.tb.stimuli.recording import Recording
from conv_core.tb.waves.cut import Cut

JOB_VARIABLE = "CONV_JOB"
"""Environment variable with the path of the pickled `Job`."""


PASS, FAIL, REFUSED = "PASS", "FAIL", "REFUSED"
SUMMARY_FIELDS = (
    *("name", "status", "macs", "cycles", "cycles_limit", "cycles_model", "utilisation"),
    *("efficiency", "pieces", "mismatches", "simulator", "array", "seed", "wall_s", "message"),
)
"""of summary.json"""


@dataclass(frozen=True)
class Job:
    """Layers to run in one simulation."""

    cases: tuple[LayerCase, ...]
    config: CoreConfig
    simulator: str
    stall: str
    seed: int
    batches: tuple[int, ...]
    """layers of each batch; those of a batch are queued behind each other"""
    trace: bool
    driver: str
    """the core's, see `conv_core.tb.core.driver.driver_named`"""
    results_path: Path
    progress_path: Path
    recording: Recording | None = None
    """what to repeat, in place of the stall profile"""
    rules_off: frozenset[str] = frozenset()
    """protocol rules that are not checked, by name, see `conv_core.tb.checks.rules`"""


@dataclass(frozen=True)
class Progress:
    """How far a simulation is: result beats of the running layer, and layers done."""

    name: str
    beats: int
    beats_expected: int
    layers_done: int
    layers: int


@dataclass(frozen=True)
class LayerResult:
    """What became of a layer."""

    name: str
    status: str
    simulator: str
    array: str
    seed: int
    macs: int | None = None
    """None, like all that is measured, of a layer that was refused"""
    cycles: int | None = None
    cycles_limit: int | None = None
    cycles_model: int | None = None
    pieces: int | None = None
    mismatches: int = 0
    wall_s: float | None = None
    message: str = ""
    """why it failed or was refused; empty for PASS"""
    held: int = 0
    """cycles in which the bench held some stream"""
    compared: int = 0
    """values compared"""
    counters: dict[str, int] = field(default_factory=dict)
    """the core's counters, by name in lower case"""
    first_wrong_ns: int | None = None
    """simulation time of the first thing that is wrong: a value, or a rule that a result broke"""
    wrong_beat_ns: int | None = None
    """simulation time of the first beat with a wrong value"""
    values: NDArray[Any] | None = None
    """(N, OH, OW, Cout) as it came out of the RTL, int32 or int8; None where it is not complete"""
    cut: Cut | None = None
    """on demand: the cycles around the first wrong beat; the message ends with it as text"""
    traces: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    """on demand: for each stream the cycle of each beat, counted from the layer's first"""

    @property
    def passed(self) -> bool:
        return self.status == PASS

    @property
    def look_at_ns(self) -> int | None:
        """The simulation time that explains most: of a wrong value, else of what else is wrong."""
        return self.first_wrong_ns if self.wrong_beat_ns is None else self.wrong_beat_ns

    @property
    def multipliers(self) -> int:
        """Of the array, lanes in times lanes out."""
        lanes_in, _, lanes_out = self.array.partition("x")
        return int(lanes_in) * int(lanes_out)

    @property
    def utilisation(self) -> float | None:
        """Nominal multiply-accumulates for each multiplier and cycle; padding may make it > 1."""
        if not self.macs or not self.cycles:
            return None
        return self.macs / (self.multipliers * self.cycles)

    @property
    def efficiency(self) -> float | None:
        """The cycles that no core can do without, in proportion to those taken."""
        if not self.cycles_limit or not self.cycles:
            return None
        return self.cycles_limit / self.cycles

    def summary(self) -> dict[str, Any]:
        """The layer's entry in summary.json."""
        return {name: getattr(self, name) for name in SUMMARY_FIELDS}


def write_pickle(path: Path, value: Any) -> None:
    """Whole or not at all."""
    write_whole(path, pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL))


def read_pickle(path: Path) -> Any:
    """What `write_pickle` wrote. Only for files that this program wrote itself."""
    return pickle.loads(path.read_bytes())
