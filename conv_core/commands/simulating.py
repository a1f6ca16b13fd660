"""What `question` and `run` share: layers through the RTL, with a bar, and the verdict."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conv_core.commands import screen
from conv_core.commands.cores import Core, core_of
from conv_core.commands.endings import INTERRUPTED
from conv_core.commands.last_run import remember
from conv_core.commands.options import config_of, words_of
from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import LayerCase
from conv_core.pages.outcomes import Outcome, keep
from conv_core.tb.bench.drivers import watched_by
from conv_core.tb.checks.rules import rules_off
from conv_core.tb.paths import BUILD
from conv_core.tb.runs.builds import core_sources
from conv_core.tb.runs.job import LayerResult, Progress
from conv_core.tb.runs.layers import InterruptedRun, run_layers
from conv_core.tb.runs.tools import find_simulator
from conv_core.tb.stimuli.recording import SUFFIX, check_target, recording_named
from conv_core.tb.waves.cut import svg
from conv_core.tb.waves.explain import EXPLAIN_SECONDS
from conv_core.tb.waves.prepare import prepare

LATE_NS = 20_000
"""a window that begins later than this is worth skipping what comes before"""


@dataclass(frozen=True)
class Run:
    """The results of a run, in the order of its layers."""

    results: list[LayerResult]
    seconds: float
    words: list[str]
    """that repeat the run"""
    interrupted: bool = False
    """the results are those of the layers that came to their end"""


def check(options: argparse.Namespace) -> CoreConfig:
    """Looks at all options of a run before anything is built; the core they describe.

    Raises what each of them is refused by.
    """
    recording_named(options.stall)
    if options.record is not None:
        check_target(Path(options.record))
    rules_off(options.rules)
    find_simulator(options.sim)
    return config_of(options)


def simulate(
    cases: Sequence[LayerCase], options: argparse.Namespace, seed: int, words: Sequence[str]
) -> Run:
    """The cases through the RTL as the options say. `words` are those of the command itself."""
    config = check(options)
    folder = new_folder()
    started = time.perf_counter()
    interrupted = False
    with screen.progress_bar("building the simulation, or looking for it") as advance:

        def progress(step: Progress) -> None:
            share = step.beats / max(step.beats_expected, 1)
            advance(f"layer {step.name}", step.layers_done + share, step.layers)

        try:
            results = run_layers(
                cases,
                config,
                options.sim,
                stall=options.stall,
                record=None if options.record is None else Path(options.record),
                rules=options.rules,
                seed=seed,
                waves=options.waves,
                queue=options.queue,
                out_dir=folder,
                explain=EXPLAIN_SECONDS,
                plus_args=[f"+waves_from={options.waves_from}"] if options.waves_from else (),
                on_progress=progress,
                **core_of(options).arguments(),
            )
        except InterruptedRun as run:
            results, interrupted = run.results, True
    seconds = time.perf_counter() - started
    if options.waves and not interrupted:
        write_view(folder, core_of(options), config, cases, results)
    again = [*words, *_words(options, seed)]
    remember(folder, again, _part(results, options.sim))
    return Run(results, seconds, again, interrupted)


def new_folder() -> Path:
    """A new folder for the files of a run, which becomes the last run's."""
    (BUILD / "runs").mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=BUILD / "runs"))


def write_view(
    folder: Path,
    core: Core,
    config: CoreConfig,
    cases: Sequence[LayerCase],
    results: Sequence[LayerResult],
) -> None:
    """Writes what a viewer of the waves is to show. Without `cases` it knows less."""
    watched = watched_by(core.driver, config, core.dut, core_sources(core.rtl_sources))
    prepare(folder, config, cases, results, watched)


def _part(results: Sequence[LayerResult], simulator: str) -> list[str]:
    """The words that repeat of a run what its waves are wanted for: all, or the wrong layer."""
    wrong = next((result for result in results if not result.passed), None)
    if wrong is None or (wrong.cut is not None and not wrong.cut.alone):
        return []
    words = ["--only", wrong.name]
    begun_ns = None if wrong.cut is None else wrong.cut.begun_ns
    # Recording makes Icarus three times slower, and Verilator can't begin late.
    if simulator == "icarus" and begun_ns is not None and begun_ns > LATE_NS:
        words += ["--waves-from", str(begun_ns - LATE_NS // 10)]
    return words


def _words(options: argparse.Namespace, seed: int) -> list[str]:
    """The options' words, for a run from any folder, without --waves."""
    stall = options.stall
    words = ["--stall", str(Path(stall).resolve()) if stall.endswith(SUFFIX) else stall]
    words += [*words_of(options), "--seed", str(seed)]
    words += [f"--rules={options.rules}"] if options.rules else []
    return [*words, *(["--queue"] if options.queue else [])]


def conclude(command: str, run: Run, asked: int, *, rules: str = "", waves: bool = False) -> int:
    """Says what went wrong, and how to see it with waves; the exit status.

    `asked`: how many layers there are, of which an interrupted run has done some.
    """
    results, seconds = run.results, run.seconds
    wrong = [result for result in results if not result.passed]
    for result in wrong:
        print(result.message, file=sys.stderr)
    verdict = "INTERRUPTED" if run.interrupted else "FAIL" if wrong else "PASS"
    keep(Outcome(command, verdict, seconds, run.words, [_row(result) for result in results]))
    if run.interrupted:
        print(
            f"INTERRUPTED: {len(results)} of {asked} layers were done, "
            f"{len(results) - len(wrong)} of them right, {seconds:.1f} s in all"
        )
        return INTERRUPTED
    off = ", ".join(sorted(rules_off(rules)))
    unchecked = f"; rules that were off: {off}" if off else ""
    print(
        f"{verdict}: {len(results) - len(wrong)} of {len(results)} right, {seconds:.1f} s in all"
        f"{unchecked}"
    )
    if any(result.cycles is not None or result.mismatches for result in wrong):
        again = "" if waves else " (it runs once more for that)"
        print(f"this shows it in GTKWave{again}: make waves")
    return 1 if wrong else 0


def _row(result: LayerResult) -> dict[str, Any]:
    """What the report shows of a layer."""
    picture = "" if result.cut is None else svg(result.cut)
    return {**result.summary(), "compared": result.compared, "cut": picture}
