"""Layers through the RTL: the job that a simulation gets, and what becomes of its results."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from conv_core.models.core_config import CoreConfig
from conv_core.models.files import write_whole
from conv_core.models.layer import LayerCase
from conv_core.tb.bench.drivers import OUR_DRIVER, Planner, planner_named, watched_by
from conv_core.tb.bench.parameters import MAX_JOBS
from conv_core.tb.bench.seen import BUS
from conv_core.tb.checks.rules import rules_off
from conv_core.tb.paths import BUILD
from conv_core.tb.runs.builds import Build, build, core_design, core_sources
from conv_core.tb.runs.job import (
    JOB_VARIABLE,
    Job,
    LayerResult,
    Progress,
    read_pickle,
    write_pickle,
)
from conv_core.tb.runs.pieces import CutLayer, judge_all
from conv_core.tb.runs.simulators import SimulationError
from conv_core.tb.stimuli.recording import (
    SUFFIX,
    Recording,
    check_target,
    recording_named,
    recording_of,
)
from conv_core.tb.stimuli.stalls import profile_named, stream_seeds
from conv_core.tb.waves.explain import explained
from conv_core.tb.waves.watch import RECORDING

SESSION = "conv_core.tb.inside.session"
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

    A layer that does not fit is cut (see tb/runs/pieces.py), and its pieces are queued one after
    another; `queue` does that with all layers. `waves` leaves waves.fst and `trace` gives the cycle
    of each beat. `stall` is a profile's name, or a file of recorded traffic, which `record` writes
    (see tb/stimuli/recording.py). `rules` switches protocol rules off, "-tkeep,-tlast-early".
    `rtl_sources` and `dut` put other RTL in place of the core, and `driver`, "module:class", is
    what knows how to drive it. `out_dir` keeps the files of the run. `x_random`: on Verilator, what
    is not initialised is random, from the seed. `explain` runs the first layer that is wrong once
    more if that takes at most so many seconds, and its result shows the cycles around its wrong
    beat.

    Raises `ToolMissingError`, `SimulationError`, `StallError`, `RuleError`, `NotFittingError`, and
    `InterruptedRun`, with the results that there are, on a KeyboardInterrupt.
    """
    if not cases:
        return []
    config = CoreConfig() if config is None else config
    off = rules_off(rules)
    replay = recording_named(stall)
    if record is not None:
        check_target(record)
    planner = planner_named(driver, config)
    layers = [CutLayer.of(case, planner) for case in cases]
    pieces = [piece for layer in layers for piece in layer.pieces]
    built = build(core_design(config, rtl_sources, dut, driver), simulator, waves=waves)
    batches = tuple(_batches([len(layer.pieces) for layer in layers], queue))
    with run_folder(out_dir) as folder:
        traffic = _Traffic(folder, stall, seed, replay, record, _heads(pieces, batches))
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
        cut = [f"+cut={folder / RECORDING}"] if waves else []
        arguments = [*cut, *plus_args, *traffic.arguments()]
        try:
            with watched(job.progress_path, on_progress):
                results: list[LayerResult] = run_job(
                    built, SESSION, job, job, plus_args=arguments, random_reset=x_random
                )
        except KeyboardInterrupt:
            raise InterruptedRun(_finished(layers, job.results_path, planner)) from None
        if len(results) != len(pieces):
            raise SimulationError(f"{len(pieces)} layers went in, {len(results)} results came out")
        traffic.keep()
    judged = judge_all(layers, results, planner)
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

    watching = watched_by(driver, config, dut, core_sources(rtl_sources))
    return explained(cases, judged, config, rerun, watching, seconds=explain, alone=replay is None)


class InterruptedRun(KeyboardInterrupt):
    """A run that was interrupted; `results` are those of the layers that came to their end."""

    def __init__(self, results: list[LayerResult]) -> None:
        super().__init__()
        self.results = results


def _finished(
    layers: Sequence[CutLayer], results_path: Path, planner: Planner
) -> list[LayerResult]:
    """The results of the layers all of whose pieces have run."""
    try:
        came: list[LayerResult] = read_pickle(results_path)
    except FileNotFoundError:
        return []
    done, end = [], 0
    for layer in layers:
        end += len(layer.pieces)
        if end > len(came):
            break
        done.append(layer)
    return judge_all(done, came, planner)


def _heads(pieces: Sequence[LayerCase], batches: Sequence[int]) -> list[str]:
    """The name of each batch's first piece."""
    ends = np.cumsum(batches)
    return [pieces[end - size].name for end, size in zip(ends, batches, strict=True)]


@dataclass(frozen=True)
class _Traffic:
    """Traffic that is recorded, or repeated from a recording, in a run."""

    folder: Path
    stall: str
    seed: int
    replay: Recording | None
    record: Path | None
    heads: Sequence[str]
    """the first layer of each batch"""

    @property
    def _file(self) -> Path:
        return self.folder / f"traffic{SUFFIX}"

    def arguments(self) -> list[str]:
        """Of the simulator."""
        arguments = []
        if self.replay is not None:
            self.replay.check(self.heads)
            bits = self._file.with_suffix(".replay")
            bits.write_text(self.replay.bits())
            arguments.append(f"+replay={bits}")
        if self.record is not None:
            arguments.append(f"+record={self._file}")
        return arguments

    def keep(self) -> None:
        """Writes what was recorded where the user wants it."""
        if self.record is None:
            return
        if self.replay is not None:
            given = [(run.layer, run.profile, run.bus_seed) for run in self.replay.runs]
        else:
            profile = profile_named(self.stall)
            given = [(head, profile, stream_seeds(self.seed, head)[BUS]) for head in self.heads]
        write_whole(self.record, recording_of(self._file.read_text(), given).text())


@contextlib.contextmanager
def run_folder(out_dir: Path | None) -> Iterator[Path]:
    """Where the files of a run go: `out_dir`, made if need be, or a new folder below build/.

    The new folder is gone afterwards, except when a simulation fails, whose message names its log.
    """
    if out_dir is not None:
        out_dir.mkdir(parents=True, exist_ok=True)
        yield out_dir.resolve()
        return
    (BUILD / "runs").mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=BUILD / "runs")).resolve()
    try:
        yield folder
    except SimulationError:
        raise
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder)


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
        # Nothing is asserted there: pytest need not rewrite modules for it.
        environment={JOB_VARIABLE: str(path), "COCOTB_REWRITE_ASSERTION_FILES": ""},
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
def watched(path: Path, on_progress: Callable[[Progress], None] | None) -> Iterator[None]:
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
