"""Layers through the RTL: the job that a simulation gets, and what becomes of its results."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import LayerCase
from conv_core.tb.bench.drivers import watched_by
from conv_core.tb.bench.parameters import MAX_JOBS
from conv_core.tb.bench.seen import BUS
from conv_core.tb.checks.rules import rules_off
from conv_core.tb.paths import BUILD
from conv_core.tb.runs.builds import Build, build, core_design, core_sources
from conv_core.tb.runs.job import (
    JOB_VARIABLE,
    OUR_DRIVER,
    Job,
    LayerResult,
    Progress,
    read_pickle,
    write_pickle,
)
from conv_core.tb.runs.pieces import CutLayer, judge_all
from conv_core.tb.runs.simulators import SimulationError
from conv_core.tb.stimuli.recording import SUFFIX, check_target, recording_named, recording_of
from conv_core.tb.stimuli.stalls import profile_named, stream_seeds
from conv_core.tb.waves.explain import explained
from conv_core.tb.waves.watch import RECORDING

MAX_BATCH = MAX_JOBS // 2
"""layers that are queued behind each other at most; behind them a new queue begins"""


def run_layers(
    cases: Sequence[LayerCase],
    config: CoreConfig | None = None,
    simulator: str = "verilator",
    *,
    stall: str = "none",
    rules: str = "",
    seed: int = 1,
    waves: bool = False,
    out_dir: Path | None = None,
    queue: bool = False,
    trace: bool = False,
    record: Path | None = None,
    rtl_sources: Sequence[Path] | None = None,
    dut: str = "conv_core",
    driver: str = OUR_DRIVER,
    plus_args: Sequence[str] = (),
    x_random: bool = True,
    explain: float = 0.0,
    on_progress: Callable[[Progress], None] | None = None,
) -> list[LayerResult]:
    """Runs layers through the RTL, all of them in one simulation, and judges each.

    A layer that does not fit is cut (see `conv_core.tb.runs.pieces`), and its pieces are queued
    behind each other; `queue` does that with all layers. `waves` leaves waves.fst and `trace` gives
    the cycle of each beat. `stall` is a profile's name, or a file of recorded traffic, which
    `record` writes (see `conv_core.tb.stimuli.recording`). `rules` switches protocol rules off,
    "-tkeep,-tlast-early". `rtl_sources` and `dut` put other RTL in place of the core, and `driver`,
    "module:class", is what knows how to drive it. `out_dir` keeps the files of the run. `x_random`:
    on Verilator, what is not initialised is random, from the seed. `explain` runs the first layer
    that is wrong once more if that takes at most so many seconds, and its result shows the cycles
    around its wrong beat.

    Raises `ToolMissingError`, `SimulationError`, `StallError`, `RuleError`, `NotFittingError`.
    """
    if not cases:
        return []
    config = CoreConfig() if config is None else config
    off = rules_off(rules)
    replay = recording_named(stall)
    if record is not None:
        check_target(record)
    layers = [CutLayer.of(case, config) for case in cases]
    pieces = [piece for layer in layers for piece in layer.pieces]
    built = build(core_design(config, rtl_sources, dut, driver), simulator, waves=waves)
    folder = run_folder(out_dir)
    batches = tuple(_batches([len(layer.pieces) for layer in layers], queue))
    ends = np.cumsum(batches)
    heads = [pieces[end - size].name for end, size in zip(ends, batches, strict=True)]
    traffic = folder / f"traffic{SUFFIX}"
    if replay is not None:
        replay.check(heads)
        traffic.with_suffix(".replay").write_text(replay.bits())
        plus_args = [*plus_args, f"+replay={traffic.with_suffix('.replay')}"]
    if record is not None:
        plus_args = [*plus_args, f"+record={traffic}"]
    if waves:
        plus_args = [f"+cut={folder / RECORDING}", *plus_args]
    job = Job(
        cases=tuple(pieces),
        config=config,
        simulator=simulator,
        stall="none" if replay else stall,
        seed=seed,
        batches=batches,
        trace=trace,
        recording=replay,
        rules_off=off,
        driver=driver,
        results_path=folder / "results.pickle",
        progress_path=folder / "progress.pickle",
    )
    with _watched(job.progress_path, on_progress):
        results: list[LayerResult] = run_job(
            built,
            "conv_core.tb.inside.session",
            job,
            job,
            plus_args=plus_args,
            random_reset=x_random,
        )
    if len(results) != len(pieces):
        raise SimulationError(f"{len(pieces)} layers went in, {len(results)} results came out")
    if record is not None:
        if replay is not None:
            given = [(run.layer, run.profile, run.bus_seed) for run in replay.runs]
        else:
            given = [(h, profile_named(stall), stream_seeds(seed, h)[BUS]) for h in heads]
        record.write_text(recording_of(traffic.read_text(), given).text())
    if out_dir is None:
        shutil.rmtree(folder)
    judged = judge_all(layers, results, config)
    if not explain:
        return judged

    def rerun(again: Sequence[LayerCase], plus_args: Sequence[str], folder: Path) -> object:
        return run_layers(
            again,
            config,
            simulator,
            stall=stall,
            rules=rules,
            seed=seed,
            waves=waves,
            out_dir=folder,
            queue=queue,
            rtl_sources=rtl_sources,
            dut=dut,
            driver=driver,
            plus_args=plus_args,
            x_random=x_random,
        )

    watched = watched_by(driver, config, dut, core_sources(rtl_sources))
    return explained(cases, judged, config, rerun, watched, seconds=explain, alone=replay is None)


def run_folder(out_dir: Path | None) -> Path:
    """Where the files of a run go: `out_dir`, made if need be, or a new folder below build/."""
    if out_dir is None:
        (BUILD / "runs").mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=BUILD / "runs")).resolve()
    out_dir.mkdir(parents=True, exist_ok=True)
    return out_dir.resolve()


def run_job(
    built: Build,
    module: str,
    job: Any,
    base: Job,
    *,
    plus_args: Sequence[str] = (),
    random_reset: bool = True,
) -> Any:
    """Hands a job to the cocotb module that carries it out; what that writes.

    `base` has the seed and says where the files are. Raises `SimulationError`.
    """
    folder = base.results_path.parent
    path = folder / "job.pickle"
    write_pickle(path, job)
    built.simulate(
        module,
        folder,
        seed=base.seed,
        environment={JOB_VARIABLE: str(path)},
        plus_args=plus_args,
        random_reset=random_reset,
    )
    return read_pickle(base.results_path)


def _batches(pieces: Sequence[int], queue: bool) -> Iterator[int]:
    """Sizes of the batches of layers with so many pieces; a batch has a largest size."""
    for count in [sum(pieces)] if queue else pieces:
        yield from [MAX_BATCH] * (count // MAX_BATCH)
        if count % MAX_BATCH:
            yield count % MAX_BATCH


@contextlib.contextmanager
def _watched(path: Path, on_progress: Callable[[Progress], None] | None) -> Iterator[None]:
    """Reports the progress that the simulation writes to a file."""
    if on_progress is None:
        yield
        return
    finished = threading.Event()

    def watch() -> None:
        seen = None
        while not finished.wait(0.1):
            with contextlib.suppress(OSError):
                changed = path.stat().st_mtime_ns
                if changed != seen:
                    seen = changed
                    on_progress(read_pickle(path))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()
