"""`python -m tests.environment.cost`: what all the checking costs on Verilator, in one run.

Layers go through the core with all checks, and without any: a bench built without its rules and
traces (`CONV_UNCHECKED`), no scoreboard, no diagnosis. The two take turns; time is that of the
simulator's process from the first beat staged to the verdict, so that other programs and the start
do not count. Exit status 0 if the median cost is at most 20 % on every array.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer, LayerCase
from conv_core.tb.bench.drivers import OUR_DRIVER
from conv_core.tb.runs.builds import build, core_design
from conv_core.tb.runs.job import JOB_VARIABLE, Job, read_pickle, write_pickle
from conv_core.tb.stimuli.random_layers import question_case
from tests.cases import HALF, case_of

MOST = 0.2
ARRAYS = ("16x16", "8x8")


def layers() -> dict[str, list[LayerCase]]:
    """The layer of the question, many times, and a large one."""
    rng = np.random.default_rng(90)
    question = question_case(rng)
    layer = Layer(1, 56, 56, 64, 64, (3, 3), pads=(1, 1, 1, 1), requantise=True)
    large = case_of(layer, rng, "large", mult=HALF, shift=-9)
    return {str(question.layer): [question] * 16, str(layer): [large]}


def measure(cases: list[LayerCase], config: CoreConfig, *, checked: bool) -> float:
    """Cycles a second."""
    design = core_design(config)
    if not checked:
        design = replace(design, defines=(*design.defines, "CONV_UNCHECKED"))
    built = build(design, "verilator")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        job = Job(
            cases=tuple(cases),
            config=config,
            simulator="verilator",
            stall="none",
            seed=1,
            batches=(1,) * len(cases),
            trace=False,
            driver=OUR_DRIVER,
            results_path=folder / "results.pickle",
            progress_path=folder / "progress.pickle",
        )
        write_pickle(folder / "job.pickle", job)
        built.simulate(
            "tests.environment.cost_tests",
            folder,
            seed=1,
            environment={JOB_VARIABLE: str(folder / "job.pickle"), "CHECKED": str(int(checked))},
        )
        cycles, seconds = read_pickle(job.results_path)
    return float(cycles / seconds)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.environment.cost")
    parser.add_argument("--array", action="append", help=f"default: {' and '.join(ARRAYS)}")
    parser.add_argument("--pairs", type=int, default=5, help="runs with and without, in turns")
    options = parser.parse_args()
    good = True
    for array in options.array or ARRAYS:
        for name, cases in layers().items():
            pairs = []
            for number in range(options.pairs):
                order = (True, False) if number % 2 else (False, True)
                speed = {c: measure(cases, CoreConfig.from_array(array), checked=c) for c in order}
                pairs.append((speed[True], speed[False]))
            costs = sorted(unchecked / checked - 1 for checked, unchecked in pairs)
            middle = [statistics.median(side) for side in zip(*pairs, strict=True)]
            print(
                f"{array} {name}: {middle[0]:,.0f} cycles a second with all checks, "
                f"{middle[1]:,.0f} without; they cost {statistics.median(costs):.1%} more time "
                f"({costs[0]:.1%} to {costs[-1]:.1%} in {len(costs)} pairs)",
                flush=True,
            )
            good &= statistics.median(costs) <= MOST
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
