"""A layer in the RTL, and what the core does in each cycle of it.

observed_core.v stands around the core and writes it down; see there for the file.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from conv_core.models.core_config import CoreConfig
from conv_core.models.errors import RefusedError
from conv_core.models.layer import LayerCase
from conv_core.tb.paths import BUILD
from conv_core.tb.runs.builds import rtl_files
from conv_core.tb.runs.job import LayerResult
from conv_core.tb.runs.layers import run_layers

OBSERVER = Path(__file__).with_name("observed_core.v")
UNKNOWN = str.maketrans("xXzZ", "0000")
BITS = ("act", "wgt", "out", "step", "stall_act", "stall_wgt", "stall_out")
"""of a cycle, in the order of the file"""


class ExplainError(RefusedError):
    """A layer that can't be shown. The text says why, and what can."""


@dataclass(frozen=True, eq=False)
class Observed:
    """What was seen of a layer, from its first accepted beat to its last result."""

    result: LayerResult
    bits: NDArray[np.bool_]
    """(cycles, 7): BITS"""
    steps: NDArray[np.int64]
    """(steps, 5): cycle, whether a lane is inside the image, first lane, last lane, weight word"""
    sums: NDArray[np.int32]
    """(steps, lanes out): the accumulators after each step"""

    def seen(self, name: str) -> NDArray[np.bool_]:
        """(cycles): was it so in each cycle?"""
        return self.bits[:, BITS.index(name)]


def observe(
    case: LayerCase, config: CoreConfig, simulator: str = "verilator", seed: int = 1
) -> Observed:
    """Runs a layer that is neither cut nor depthwise.

    Raises `ExplainError` where it fails, and what `run_layers` raises.
    """
    (BUILD / "runs").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD / "runs") as folder:
        path = Path(folder) / "observed.txt"
        (result,) = run_layers(
            [case],
            config,
            simulator,
            seed=seed,
            rtl_sources=[*rtl_files(), OBSERVER],
            dut="observed_core",
            plus_args=[f"+observe={path}"],
        )
        if not result.passed:
            raise ExplainError(
                f"this layer fails, so there is nothing to explain: {result.message}"
            )
        return _read(path, result, config.lanes_out)


def _read(path: Path, result: LayerResult, lanes: int) -> Observed:
    bits: list[list[bool]] = []
    steps: list[list[int]] = []
    sums = []
    for line in path.read_text().splitlines():
        kind, first, *rest = line.split()
        if kind == "c":
            if rest:
                steps.append([len(bits), *map(int, rest)])
            bits.append([each == "1" for each in first])
        else:
            # A lane that has no filter may hold X, which counts as 0: nobody looks at it.
            digits = bytes.fromhex(first.translate(UNKNOWN))
            sums.append(np.frombuffer(digits, ">i4")[::-1])
    seen = np.array(bits, bool)
    ends = int(np.flatnonzero(seen[:, BITS.index("out")])[-1])
    if len(sums) != len(steps) or ends + 1 != result.cycles:
        raise ExplainError(
            f"the core took {len(steps)} steps and {result.cycles} cycles, but {len(sums)} "
            f"sums and {ends + 1} cycles were seen"
        )
    return Observed(
        result,
        seen[: ends + 1],
        np.array(steps, np.int64).reshape(-1, 5),
        np.array(sums, np.int32).reshape(-1, lanes),
    )
