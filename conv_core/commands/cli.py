"""The command line: `python -m conv_core question`, `run`, `regress` ..., which the Makefile calls.

Exit status 0 says that everything that was asked was done and right; 1 that something is wrong,
with a sentence on stderr; 2 that the command line makes no sense.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from conv_core.models.core_config import ConfigError, CoreConfig
from conv_core.models.layer import LayerCase, LayerError
from conv_core.models.layer_file import LayerFileError, find, load_quantised, save_result
from conv_core.tb.bench.drivers import watched_by
from conv_core.tb.checks.rules import RuleError, rules_off
from conv_core.tb.paths import BUILD
from conv_core.tb.runs.builds import build, core_design, core_sources
from conv_core.tb.runs.exploration import explore, play
from conv_core.tb.runs.job import OUR_DRIVER, LayerResult
from conv_core.tb.runs.job import Progress as Step
from conv_core.tb.runs.layers import run_layers
from conv_core.tb.runs.pieces import CutLayer
from conv_core.tb.runs.simulators import SimulationError
from conv_core.tb.runs.tools import SIMULATORS, ToolMissingError, find_simulator
from conv_core.tb.stimuli.random_layers import question_case
from conv_core.tb.stimuli.recording import SUFFIX, check_target, recording_named
from conv_core.tb.stimuli.scenario import ScenarioError, load
from conv_core.tb.stimuli.stalls import ORDERS, PROFILES, StallError
from conv_core.tb.waves.explain import EXPLAIN_SECONDS
from conv_core.tb.waves.prepare import prepare
from conv_core.tb.waves.view import FILE, LINK
from conv_core.tb.waves.viewers import WavesError, find_viewer, show

LATE_NS = 20_000
"""a window that begins later than this is worth skipping what comes before"""
PATIENCE_SECONDS = 2.0
"""what takes longer shows a progress bar"""
SUMMARY = "summary.json"
LAST_RUN = Path(os.environ.get("CONV_LAST_RUN", BUILD / "last_run.json"))
"""the last run's folder, and the words that repeat it"""

EXPECTED_ERRORS = (
    ConfigError,
    LayerError,
    LayerFileError,
    RuleError,
    ScenarioError,
    SimulationError,
    StallError,
    ToolMissingError,
    WavesError,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(words)
    try:
        return int(options.command(options))
    except EXPECTED_ERRORS as error:
        print(f"error: {error}", file=sys.stderr)
    except OSError as error:
        print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m conv_core", description="Layers through the RTL."
    )
    commands = parser.add_subparsers(
        required=True, metavar="question | run | regress | replay | waves"
    )

    core = argparse.ArgumentParser(add_help=False)
    core.add_argument("--sim", default="icarus", metavar="|".join(SIMULATORS))
    core.add_argument("--array", default="16x16", help="lanes in x lanes out")
    core.add_argument("--seed", type=_seed, help="what is random follows from it")
    shared = argparse.ArgumentParser(add_help=False, parents=[core])
    shared.add_argument(
        "--stall",
        default="none",
        metavar="PROFILE",
        help=f"{', '.join([*PROFILES, *ORDERS])}, or recorded traffic (a file *{SUFFIX})",
    )
    shared.add_argument("--record", metavar="FILE", help=f"write the traffic down, as *{SUFFIX}")
    shared.add_argument(
        "--rules", default="", metavar="-NAME,...", help="protocol rules to switch off"
    )
    shared.add_argument("--waves", action="store_true", help="record the run for `waves`")
    shared.add_argument("--waves-from", type=_count, metavar="NS", help=argparse.SUPPRESS)
    shared.add_argument("--only", metavar="LAYER", help=argparse.SUPPRESS)  # as `waves` repeats it
    shared.add_argument("--queue", action="store_true", help="layers back to back")

    question = commands.add_parser(
        "question", parents=[shared], help="the layer of the question, on random data"
    )
    question.set_defaults(command=_question)
    run = commands.add_parser("run", parents=[shared], help="layer files")
    run.add_argument("layers", nargs="*", metavar="LAYER", help=".npz files, or folders of them")
    run.add_argument("--out", default="out", help="folder for the results (default: out)")
    run.set_defaults(command=_run)
    regress = commands.add_parser("regress", parents=[core], help="random layers in random traffic")
    regress.add_argument("--layers", type=_count, default=1000, help="of each seed")
    regress.add_argument("--seeds", type=_count, default=1, help="how many, from --seed on")
    regress.add_argument("--jobs", type=_count, default=1, help="seeds side by side")
    regress.set_defaults(command=_regress)
    replay = commands.add_parser("replay", help="what `regress` found, once more")
    replay.add_argument("failure", metavar="FOLDER", help="as `regress` names it")
    replay.add_argument("--waves", action="store_true", help="record the run for `waves`")
    replay.set_defaults(command=_replay)
    viewer = commands.add_parser("waves", help="GTKWave or Surfer on the last run")
    viewer.set_defaults(command=_waves)
    return parser


def _new_seed() -> int:
    return int(np.random.SeedSequence().generate_state(1)[0])


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 0 and more")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 1 and more")
    return int(text)


# -------------------------------------------------------------------------------- commands
def _question(options: argparse.Namespace) -> int:
    """The layer of the question, once with int8 and once with int32 results."""
    seed = _new_seed() if options.seed is None else options.seed
    print(f"seed {seed}")
    cases = [
        replace(
            question_case(np.random.default_rng([seed, bits]), requantise=bits == 8),
            name=f"int{bits}",
        )
        for bits in (8, 32)
        if options.only in (None, f"int{bits}")
    ]
    results, seconds = _simulate(cases, options, seed)
    table = Table(title=str(cases[0].layer), title_style="bold")
    table.add_column("results")
    for heading in ("values", "array", "cycles", "limit", "efficiency", "wall time"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for result in results:
        table.add_row(
            result.name,
            f"{result.compared:,}",
            result.array,
            _number(result.cycles),
            _number(result.cycles_limit),
            _percent(result.efficiency),
            f"{result.wall_s:.1f} s",
            _coloured(result.status),
        )
    _console().print(table)
    return _finish(results, seconds, options.rules)


def _run(options: argparse.Namespace) -> int:
    """Layer files: everything is read and checked before anything is simulated or written."""
    if not options.layers:
        raise LayerFileError('there is no layer: name .npz files or folders, LAYER="a.npz dir/"')
    loaded = [load_quantised(path) for path in find(options.layers)]
    loaded = [each for each in loaded if options.only in (None, each[0].name)]
    cases = [case for case, _ in loaded]
    out = Path(options.out)
    _check_folder(out)
    seed = 1 if options.seed is None else options.seed
    results, seconds = _simulate(cases, options, seed)
    if options.only is None:
        _write_results(out, results)
    table = Table(title=f"{options.array} lanes, {options.sim}, results in {out}")
    table.add_column("layer")
    table.add_column("shapes")
    for heading in ("pieces", "cycles", "limit", "efficiency", "wall time"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for case, result in zip(cases, results, strict=True):
        table.add_row(
            result.name,
            str(case.layer),
            str(result.pieces),
            _number(result.cycles),
            _number(result.cycles_limit),
            _percent(result.efficiency),
            f"{result.wall_s:.1f} s",
            _coloured(result.status),
        )
    _console().print(table)
    for (case, scales), result in zip(loaded, results, strict=True):
        if scales is not None:
            print(f"{case.name}: quantised, {scales}")
            if result.values is not None:
                print(f"{case.name}: {scales.error(result.values)}")
    return _finish(results, seconds, options.rules)


def _regress(options: argparse.Namespace) -> int:
    """Random scenarios of some seeds, each in a simulation of its own."""
    config = CoreConfig.from_array(options.array)
    find_simulator(options.sim)
    first = _new_seed() if options.seed is None else options.seed
    wanted = [(config, options.sim, options.layers, first + n) for n in range(options.seeds)]
    print(f"seeds {first} to {first + options.seeds - 1}", flush=True)
    build(core_design(config), options.sim)
    started = time.perf_counter()
    done = []
    with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        for exploration in pool.map(explore, *zip(*wanted, strict=True)):
            print(exploration, flush=True)
            done.append(exploration)
    seconds = time.perf_counter() - started
    layers = sum(each.found.layers for each in done)
    wrong = sum(not each.passed for each in done)
    print(
        f"{'FAIL' if wrong else 'PASS'}: {layers} layers of {len(done)} seeds, {wrong} seeds with "
        f"a wrong one, {seconds:.0f} s in all, {60 * layers / seconds:.0f} layers a minute"
    )
    return 1 if wrong else 0


def _replay(options: argparse.Namespace) -> int:
    """A scenario from its folder."""
    failure = Path(options.failure)
    record = load(failure)
    print(record.scenario)
    folder = _run_folder()
    started = time.perf_counter()
    results = play(record, explain=EXPLAIN_SECONDS, waves=options.waves, out_dir=folder)
    seconds = time.perf_counter() - started
    if options.waves:
        _write_view(folder, record.config, (), results)
    _remember(folder, ["replay", str(failure.resolve())])
    return _finish(results, seconds)


def _waves(options: argparse.Namespace) -> int:  # noqa: ARG001
    """A viewer on the last run; one that kept no waves is repeated first, as far as it matters."""
    viewer = find_viewer()
    if not (last := _last_run()):
        raise WavesError("there was no run yet whose waves could be shown")
    if not (Path(last["folder"]) / FILE).exists():
        words, part = last["arguments"], last.get("part", [])
        print("the last run kept no waves, it is repeated with them", *part, flush=True)
        if main([*words, *part, "--waves"]) == 0 and part:
            print("on its own that layer is right: all of the run is repeated", flush=True)
            main([*words, "--waves"])
        last = _last_run()
    show(viewer, Path(last["folder"]))
    print(f"for Surfer in a browser: {Path(last['folder']) / LINK}")
    return 0


def _last_run() -> dict[str, Any]:
    """What LAST_RUN holds; empty where there was no run."""
    try:
        last: dict[str, Any] = json.loads(LAST_RUN.read_text())
    except (OSError, ValueError):
        return {}
    return last


# -------------------------------------------------------------------------------- the run
def _simulate(
    cases: Sequence[LayerCase], options: argparse.Namespace, seed: int
) -> tuple[list[LayerResult], float]:
    """The cases through the RTL as the options say: results and seconds."""
    config = CoreConfig.from_array(options.array)
    recording_named(options.stall)
    record = None if options.record is None else Path(options.record)
    if record is not None:
        check_target(record)
    rules_off(options.rules)
    find_simulator(options.sim)
    for case in cases:
        CutLayer.of(case, config)  # refuses what does not fit and can't be cut
    folder = _run_folder()
    started = time.perf_counter()
    with _progress_bar() as advance:
        results = run_layers(
            cases,
            config,
            options.sim,
            explain=EXPLAIN_SECONDS,
            plus_args=[f"+waves_from={options.waves_from}"] if options.waves_from else [],
            stall=options.stall,
            record=record,
            rules=options.rules,
            seed=seed,
            waves=options.waves,
            queue=options.queue,
            out_dir=folder,
            on_progress=advance,
        )
    seconds = time.perf_counter() - started
    if options.waves:
        _write_view(folder, config, cases, results)
    _remember(folder, _arguments(options, seed), _part(results, options.sim))
    return results, seconds


def _run_folder() -> Path:
    """A new folder for the files of a run."""
    (BUILD / "runs").mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=BUILD / "runs"))


def _write_view(
    folder: Path, config: CoreConfig, cases: Sequence[LayerCase], results: Sequence[LayerResult]
) -> None:
    watched = watched_by(OUR_DRIVER, config, "conv_core", core_sources(None))
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


def _remember(folder: Path, arguments: Sequence[str], part: Sequence[str] = ()) -> None:
    """Makes this the last run, and removes the files of the one before.

    `part` are words that repeat only what `waves` should show of it.
    """
    before = _last_run()
    partial = folder / "last_run.json"
    partial.write_text(
        json.dumps({"folder": str(folder), "arguments": [*arguments], "part": [*part]})
    )
    partial.replace(LAST_RUN)
    if before:
        shutil.rmtree(before["folder"], ignore_errors=True)


def _arguments(options: argparse.Namespace, seed: int) -> list[str]:
    """The words that repeat a run from any folder, without --waves."""
    words = ["question"]
    if hasattr(options, "layers"):
        layers = [str(Path(layer).resolve()) for layer in options.layers]
        words = ["run", *layers, "--out", str(Path(options.out).resolve())]
    stall = options.stall
    words += ["--stall", str(Path(stall).resolve()) if stall.endswith(SUFFIX) else stall]
    for name in ("sim", "array"):
        words += [f"--{name}", str(getattr(options, name))]
    words += [f"--rules={options.rules}"] if options.rules else []
    return [*words, "--seed", str(seed), *(["--queue"] if options.queue else [])]


def _finish(results: Sequence[LayerResult], seconds: float, rules: str = "") -> int:
    """Says what went wrong; the exit status."""
    wrong = [result for result in results if not result.passed]
    for result in wrong:
        print(result.message, file=sys.stderr)
    verdict = "FAIL" if wrong else "PASS"
    right = len(results) - len(wrong)
    off = ", ".join(sorted(rules_off(rules)))
    unchecked = f"; rules that were off: {off}" if off else ""
    print(f"{verdict}: {right} of {len(results)} right, {seconds:.1f} s in all{unchecked}")
    return 1 if wrong else 0


# -------------------------------------------------------------------------------- files
def _check_folder(out: Path) -> None:
    """Refuses a folder that can't be written before time is spent on simulating."""
    nearest = next(p for p in (out, *out.resolve().parents) if p.exists())
    if not nearest.is_dir():
        raise LayerFileError(f"{nearest}: results go to a folder, and this is a file")
    if not os.access(nearest, os.W_OK):
        raise LayerFileError(f"{nearest}: this folder can't be written")


def _write_results(out: Path, results: Sequence[LayerResult]) -> None:
    """`<name>.npz` for each layer and summary.json, each whole or not at all."""
    out.mkdir(parents=True, exist_ok=True)
    (out / SUMMARY).unlink(missing_ok=True)
    for result in results:
        if result.values is None:
            (out / f"{result.name}.npz").unlink(missing_ok=True)
        else:
            save_result(out, result.name, result.values)
    partial = out / f".{SUMMARY}.{os.getpid()}"
    partial.write_text(json.dumps([result.summary() for result in results], indent=1) + "\n")
    partial.replace(out / SUMMARY)


# -------------------------------------------------------------------------------- the screen
def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else 120, highlight=False)


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def _coloured(status: str) -> str:
    return f"[bold green]{status}[/]" if status == "PASS" else f"[bold red]{status}[/]"


@contextlib.contextmanager
def _progress_bar() -> Iterator[Any]:
    """A bar on stderr that appears when something takes longer; yields what advances it."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task("building the simulation", total=None)
    timer = threading.Timer(PATIENCE_SECONDS, bar.start)

    def advance(step: Step) -> None:
        share = step.beats / max(step.beats_expected, 1)
        bar.update(
            task,
            description=f"layer {step.name}",
            total=float(step.layers),
            completed=step.layers_done + share,
        )

    timer.daemon = True
    timer.start()
    try:
        yield advance
    finally:
        timer.cancel()
        bar.stop()
