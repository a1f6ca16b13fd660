"""Random layers in random traffic, drawn by Hypothesis inside the running simulation.

`search` runs them until one is wrong, and shrinks that. `play` repeats one scenario in a simulation
of its own. `explore` does both, and says what it found and which command shows it with waves.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import LayerCase
from conv_core.tb.bench.drivers import OUR_DRIVER, watched_by
from conv_core.tb.paths import BUILD, ROOT
from conv_core.tb.runs.builds import build, core_design, core_sources
from conv_core.tb.runs.job import Job, LayerResult, Progress
from conv_core.tb.runs.layers import run_folder, run_job, watched
from conv_core.tb.runs.scenario_job import Found, PlayJob, SearchJob
from conv_core.tb.stimuli.scenario import Record, Scenario, save
from conv_core.tb.stimuli.stalls import PROFILES
from conv_core.tb.stimuli.strategies import Space
from conv_core.tb.waves.explain import EXPLAIN_SECONDS, explained
from conv_core.tb.waves.watch import RECORDING

EXPLORER = "conv_core.tb.inside.explorer"
FAILURES = BUILD / "failures"
FIRST = "first"
"""in the folder of a failure, what failed before it shrank"""
MACS = {"verilator": 120_000, "icarus": 3_000}
"""of a layer, at most: Icarus is a hundred times slower"""
PIECES = 4
"""of a layer, at most: they take as long as layers"""
PATIENT = ("starve-act", "starve-wgt", "starve-out")
"""stalls that take thousands of cycles, which Icarus is spared"""


@dataclass(frozen=True)
class Exploration:
    """What became of a search; of a failure, where it is kept and what it says on its own."""

    config: CoreConfig
    simulator: str
    seed: int
    found: Found
    folder: Path | None = None
    replayed: tuple[LayerResult, ...] = ()

    @property
    def passed(self) -> bool:
        return self.found.smallest is None

    @property
    def layers_a_minute(self) -> float:
        return 60 * self.found.layers / self.found.seconds_to_first

    def __str__(self) -> str:
        found = self.found
        where = f"{self.simulator}, {self.config.array}, seed {self.seed}"
        if found.smallest is None:
            return (
                f"{where}: {found.layers} layers in {found.scenarios} scenarios, "
                f"{found.compared} values compared, nothing wrong, "
                f"{self.layers_a_minute:.0f} layers a minute"
            )
        wrong = [result.message for result in self.replayed if not result.passed]
        if not wrong:
            wrong = [
                "In a simulation of its own it is right: it needs what ran before it. The same "
                "seed finds it again. It failed with:",
                *found.messages,
            ]
        verdict = "\n".join(wrong)
        assert self.folder is not None
        folder = self.folder.relative_to(ROOT) if self.folder.is_relative_to(ROOT) else self.folder
        return (
            f"{where}: wrong after {found.layers} layers. Of {found.shrink_layers} further ones "
            f"the smallest that is wrong has {found.smallest.macs} multiply-accumulates:\n"
            + "".join(f"  {line}\n" for line in str(found.smallest).splitlines())
            + f"{verdict}\nthis shows it, with waves: make replay FAILURE={folder} WAVES=1\n"
            f"what failed first, before it shrank: make replay FAILURE={folder / FIRST} WAVES=1"
        )


def explore(
    config: CoreConfig, simulator: str, layers: int, seed: int, **others: Any
) -> Exploration:
    """Searches, and keeps and replays what is wrong. `others` are those of `search`."""
    found = search(config, simulator, layers, seed, **others)
    if found.smallest is None:
        return Exploration(config, simulator, seed, found)
    core: dict[str, Any] = {n: others[n] for n in ("dut", "driver") if n in others}
    if others.get("rtl_sources") is not None:
        core["rtl_sources"] = tuple(map(str, others["rtl_sources"]))
    record = Record(found.smallest, config, simulator, seed, **core)
    name = hashlib.sha256(pickle.dumps(record)).hexdigest()[:10]
    folder = FAILURES / f"{simulator}-{config.array}-{seed}-{name}"
    save(folder, record)
    if found.first is not None:
        save(folder / FIRST, replace(record, scenario=found.first))
    others.pop("space", None)
    return Exploration(
        config,
        simulator,
        seed,
        found,
        folder,
        tuple(play(record, explain=EXPLAIN_SECONDS, **others)),
    )


def search(
    config: CoreConfig,
    simulator: str,
    layers: int,
    seed: int,
    *,
    space: Space | None = None,
    **others: Any,
) -> Found:
    """Runs random scenarios until `layers` layers were right or one is wrong, and shrinks that.

    All that is random follows from `seed`. `space` says which layers there are. `others`: see
    `play_all`.

    Raises `ToolMissingError`, `SimulationError`.
    """
    most = MACS[simulator]
    driver = others.get("driver", OUR_DRIVER)
    space = space or Space(config, most, max(most, 10_000), PIECES, driver)
    stalls = tuple(name for name in PROFILES if simulator == "verilator" or name not in PATIENT)

    def job(base: Job) -> SearchJob:
        return SearchJob(base, space, stalls, layers)

    found: Found = _run(job, config, simulator, seed, **others)
    return found


def play(record: Record, *, explain: float = 0.0, **others: Any) -> list[LayerResult]:
    """Plays one scenario; results of its layers, up to the first that is wrong.

    `explain` plays it again where that is so, for the cycles around the wrong beat, unless it takes
    more than so many seconds. `others`: see `play_all`.

    Raises `ToolMissingError`, `SimulationError`.
    """
    scenario, config = record.scenario, record.config
    core = {"dut": record.dut, "driver": record.driver, "rtl_sources": record.rtl_sources}
    others = {**core, **others}

    def again(**more: Any) -> list[LayerResult]:
        (results,) = play_all([scenario], config, record.simulator, record.seed, **others | more)
        return results

    results = again()
    if not explain:
        return results

    def rerun(_: Sequence[LayerCase], plus_args: Sequence[str], folder: Path) -> object:
        return again(out_dir=folder, plus_args=[*others.get("plus_args", ()), *plus_args])

    sources = core_sources(others["rtl_sources"])
    disturbance = scenario.disturbance
    return explained(
        scenario.layers[: len(results)],
        results,
        config,
        rerun,
        watched_by(others["driver"], config, others["dut"], sources),
        seconds=explain,
        alone=False,
        from_reset=disturbance is None or disturbance.kind == "reset",
    )


def play_all(
    scenarios: Sequence[Scenario], config: CoreConfig, simulator: str, seed: int, **others: Any
) -> list[list[LayerResult]]:
    """Plays scenarios in one simulation, each from a reset on; the results of each.

    `others`: `waves` leaves waves.fst in `out_dir`; `rtl_sources`, `dut` and `driver` put another
    core in place of ours, and `plus_args` go to the simulator, as
    `conv_core.tb.runs.layers.run_layers` has them.

    Raises `ToolMissingError`, `SimulationError`.
    """

    def job(base: Job) -> PlayJob:
        return PlayJob(base, tuple(scenarios))

    results: list[list[LayerResult]] = _run(job, config, simulator, seed, **others)
    return results


def _run(
    job_of: Callable[[Job], SearchJob | PlayJob],
    config: CoreConfig,
    simulator: str,
    seed: int,
    *,
    waves: bool = False,
    out_dir: Path | None = None,
    rtl_sources: Sequence[Path | str] | None = None,
    dut: str = "conv_core",
    driver: str = OUR_DRIVER,
    plus_args: Sequence[str] = (),
    on_progress: Callable[[Progress], None] | None = None,
) -> Any:
    """What tb/inside/explorer.py makes of a job."""
    built = build(core_design(config, rtl_sources, dut, driver), simulator, waves=waves)
    with run_folder(out_dir) as folder:
        base = Job(
            cases=(),
            config=config,
            simulator=simulator,
            stall="none",
            seed=seed,
            batches=(),
            trace=False,
            driver=driver,
            results_path=folder / "results.pickle",
            progress_path=folder / "progress.pickle",
        )
        with watched(base.progress_path, on_progress):
            cut = [f"+cut={folder / RECORDING}"] if waves else []
            return run_job(built, EXPLORER, job_of(base), base, plus_args=[*cut, *plus_args])
