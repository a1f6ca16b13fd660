"""Builds and runs simulations: the only file that calls cocotb-test.

A build stands in build/ under a name that is a hash of all it depends on, so that nothing is ever
rebuilt without need, nothing stale is ever used, and processes that run side by side share it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.metadata
import json
import logging
import os
import platform
import shutil
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import numpy as np
from cocotb_test import simulator as cocotb_simulators

from models.core_config import CoreConfig
from models.layer import LayerCase
from tb.bench import BUS, MAX_JOBS, bench_parameters
from tb.job import JOB_VARIABLE, OUR_DRIVER, Job, LayerResult, Progress, read_pickle, write_pickle
from tb.pieces import CutLayer, judge_all
from tb.recording import SUFFIX, check_target, recording_named, recording_of
from tb.rules import rules_off
from tb.stalls import profile_named, stream_seeds
from tb.tools import Tool, find_simulator

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
BENCH_SOURCES = tuple(sorted((ROOT / "tb" / "verilog").glob("*.v")))
FILE_LIST = ROOT / "rtl" / "conv_core.f"
MAX_BATCH = MAX_JOBS // 2
"""layers that are queued behind each other at most; behind them a new queue begins"""
UNUSED_DAYS = 14
"""builds that nobody used for so long are removed"""
LEFTOVERS = ("*.o", "*.a", "*.gch")
"""what a build leaves behind that running it does not need, most of its size"""

PUBLIC_CONTROL = """\
`verilator_config
public_flat_rw -module "conv_bench" -var "host_*"
public_flat_rd -module "conv_bench" -var "clk"
"""
"""What cocotb sees of the bench. `--public-flat-rw` would make everything public and slow."""


class SimulationError(Exception):
    """A build or a simulation that did not come to its end. The text ends with its last words."""


@dataclass(frozen=True)
class Design:
    """What is simulated."""

    top: str
    sources: tuple[Path, ...]
    parameters: Mapping[str, int] = field(default_factory=dict)
    defines: tuple[str, ...] = ()
    public: str = ""
    """Verilator control file text; empty makes all of the top public"""

    @property
    def headers(self) -> tuple[Path, ...]:
        """What the sources include: the header files of their folders."""
        folders = {source.parent for source in self.sources}
        return tuple(sorted(header for folder in folders for header in folder.glob("*.vh")))


@dataclass(frozen=True)
class Build:
    """A design that is ready to run."""

    design: Design
    tool: Tool
    directory: Path
    waves: bool
    reused: bool
    seconds: float


def rtl_files(file_list: Path = FILE_LIST) -> tuple[Path, ...]:
    """The sources of a file list; its paths begin above its own folder."""
    lines = (line.split("//")[0].strip() for line in file_list.read_text().splitlines())
    return tuple(file_list.parents[1] / line for line in lines if line.endswith(".v"))


def core_design(
    config: CoreConfig, rtl_sources: Sequence[Path] | None = None, dut: str = "conv_core"
) -> Design:
    """The bench around a core: ours, or the module `dut` in `rtl_sources`."""
    sources = rtl_files() if rtl_sources is None else tuple(Path(p) for p in rtl_sources)
    return Design(
        top="conv_bench",
        sources=(*sources, *BENCH_SOURCES),
        parameters=bench_parameters(config),
        defines=() if dut == "conv_core" else (f"CONV_DUT={dut}",),
        public=PUBLIC_CONTROL,
    )


# -------------------------------------------------------------------------------- builds
def build(design: Design, simulator: str, *, waves: bool = False) -> Build:
    """Builds a design unless it stands there already. Safe to call from many processes at once.

    Raises `ToolMissingError`, or `SimulationError` if it can't be built.
    """
    tool = find_simulator(simulator)
    # On Icarus waves are a matter of the run.
    traced = waves and simulator == "verilator"
    flags = _flags(tool, waves=traced)
    name = f"{simulator}-{design.top}-{_digest(design, tool, flags)}"
    directory = BUILD / name
    done = directory / "done"
    started = time.perf_counter()
    reused = done.exists()
    if not reused:
        BUILD.mkdir(exist_ok=True)
        with _locked(BUILD / f"{name}.lock"):
            reused = done.exists()
            if not reused:
                shutil.rmtree(directory, ignore_errors=True)
                directory.mkdir()
                _compile(design, tool, directory, flags, waves=traced)
                for left in LEFTOVERS:
                    for path in directory.glob(left):
                        path.unlink()
                done.touch()
                _remove_unused()
    os.utime(done)
    return Build(design, tool, directory, waves, reused, time.perf_counter() - started)


def _flags(tool: Tool, *, waves: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Arguments of the compiler, and of make behind it."""
    if tool.simulator == "icarus":
        return (), ()
    compile_args = [
        *("-O3", "--x-assign", "unique", "--x-initial", "unique", "--timing", "-Wno-fatal"),
        *("-CFLAGS", "-std=c++20 -fcoroutines"),
    ]
    if waves:
        # cocotb-test adds --trace-fst
        compile_args += ["--trace-max-width", "1024"]
    make_args = ["CFG_CXXFLAGS_PCH_I=-include", "OPT_FAST=-O3 -march=native", "OPT_SLOW=-O1"]
    make_args.append(f"PYTHON3={sys.executable}")  # they would call `python`, which Debian lacks
    if shutil.which("ccache"):
        make_args.append("OBJCACHE=ccache")
    return tuple(compile_args), tuple(make_args)


def _digest(design: Design, tool: Tool, flags: Any) -> str:
    """A hash of all that a build depends on."""
    digest = hashlib.sha256()
    for source in (*design.sources, *design.headers):
        digest.update(f"{source.name} ".encode() + hashlib.sha256(source.read_bytes()).digest())
    versions = [importlib.metadata.version(name) for name in ("cocotb", "cocotb-test")]
    facts = [
        design.top,
        sorted(design.parameters.items()),
        design.defines,
        design.public,
        (str(tool.path), tool.version),
        flags,
        versions,
        (sys.prefix, platform.node(), platform.machine()),
    ]
    digest.update(json.dumps(facts, default=str).encode())
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Holds a lock that ends with the process at the latest."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _remove_unused() -> None:
    oldest = time.time() - UNUSED_DAYS * 86400
    for done in BUILD.glob("*/done"):
        if done.stat().st_mtime < oldest:
            shutil.rmtree(done.parent, ignore_errors=True)
            done.parent.with_suffix(".lock").unlink(missing_ok=True)


def _compile(
    design: Design,
    tool: Tool,
    directory: Path,
    flags: tuple[tuple[str, ...], tuple[str, ...]],
    *,
    waves: bool,
) -> None:
    compile_args, make_args = flags
    sources = list(design.sources)
    extra: dict[str, Any] = {}
    if tool.simulator == "verilator":
        if design.public:
            control = directory / "public.vlt"
            control.write_text(design.public)
            sources.insert(0, control)
        extra["make_args"] = [f"-j{len(os.sched_getaffinity(0))}", *make_args]
    _call(
        tool,
        directory / "build.log",
        f"the build of {design.top} for {tool.simulator}",
        toplevel=design.top,
        module="unused",
        verilog_sources=[str(source) for source in sources],
        includes=sorted({str(header.parent) for header in design.headers}),
        parameters=dict(design.parameters),
        defines=list(design.defines),
        compile_args=list(compile_args),
        sim_build=str(directory),
        compile_only=True,
        waves=waves,
        **extra,
    )


# -------------------------------------------------------------------------------- runs
def simulate(
    built: Build,
    module: str,
    run_dir: Path,
    *,
    seed: int,
    environment: Mapping[str, str] | None = None,
    plus_args: Sequence[str] = (),
    testcase: str | None = None,
    random_reset: bool = True,
) -> Path | None:
    """Runs the cocotb tests of a module; all files of the run go to `run_dir`.

    Returns the path of the waves, if there are some. With `random_reset` Verilator starts registers
    and X at random values, from the seed. Raises `SimulationError` if a test fails.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    waves = run_dir / "waves.fst" if built.waves else None
    arguments: list[str] = []
    if built.tool.simulator == "verilator":
        if random_reset:
            arguments += ["+verilator+rand+reset+2", f"+verilator+seed+{seed % (2**31 - 1) + 1}"]
        if waves:
            arguments += ["--trace", "--trace-file", str(waves)]
    elif waves:
        arguments += ["-fst", f"+waves={waves}"]
    _call(
        built.tool,
        run_dir / "run.log",
        f"the simulation on {built.tool.simulator}",
        toplevel=built.design.top,
        module=module,
        verilog_sources=[],
        sim_build=str(run_dir),
        run_from=built.directory,
        plus_args=[*arguments, *plus_args],
        environment={
            "COCOTB_RANDOM_SEED": str(seed),
            # Threads of numpy's would take the processor from the simulator.
            "OPENBLAS_NUM_THREADS": "1",
            **({"COCOTB_TEST_FILTER": testcase} if testcase else {}),
            **(environment or {}),
        },
    )
    return waves


class _Adapted:
    """What is different from the simulator classes of cocotb-test.

    Building and running are two steps, of which the second may come from elsewhere (`run_from`);
    logs go to a file; environment variables given here win over those of the process.
    """

    def __init__(
        self,
        *,
        tool: Tool,
        log: logging.Logger,
        environment: Mapping[str, str] | None = None,
        run_from: Path | None = None,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.tool = tool
        self.logger = log
        self.environment = dict(environment or {})
        self.run_from = run_from

    env: dict[str, str]
    process: Any
    plus_args: list[str]
    run: Callable[[], Any]

    def set_env(self) -> None:
        super().set_env()  # type: ignore[misc]
        self.env.update(self.environment)
        if self.tool.root is not None:
            self.env["VERILATOR_ROOT"] = str(self.tool.root)
        # cocotb-test looks for the program on PATH only.
        self.env["PATH"] = f"{self.tool.path.parent}{os.pathsep}{self.env['PATH']}"

    def exit_gracefully(self, signum: int, frame: Any) -> None:  # noqa: ARG002
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
        raise KeyboardInterrupt


class _Icarus(_Adapted, cocotb_simulators.Icarus):  # type: ignore[misc]
    def build_command(self) -> list[list[str]]:
        if self.run_from is None:
            return [self.compile_command()]
        self.sim_file = str(self.run_from / f"{self.toplevel_module}.vvp")
        return [self.run_command()]


class _Verilator(_Adapted, cocotb_simulators.Verilator):  # type: ignore[misc]
    def build_command(self) -> list[list[str]]:
        if self.run_from is not None:
            return [[str(self.run_from / self.toplevel_module), *self.plus_args]]
        path = os.environ["PATH"]
        os.environ["PATH"] = self.env["PATH"]
        try:
            verilate, *rest = super().build_command()
        finally:
            os.environ["PATH"] = path
        if any(str(argument).endswith(".vlt") for argument in verilate):
            verilate.remove("--public-flat-rw")
        return [verilate, *rest]


def _call(tool: Tool, log_path: Path, what: str, **arguments: Any) -> None:
    """Runs a simulator class of cocotb-test to its end, its words in a log file."""
    log = logging.Logger("tb.runner", logging.INFO)
    handler = logging.FileHandler(log_path, "w")
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.addHandler(handler)
    adapted = {"icarus": _Icarus, "verilator": _Verilator}[tool.simulator]
    root = logging.getLogger()
    root_handlers = root.handlers[:]
    main_thread = threading.current_thread() is threading.main_thread()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in signals]
    try:
        with warnings.catch_warnings():
            # cocotb-test switches all deprecation warnings on and logging to stderr.
            root.addHandler(logging.NullHandler())
            adapted(
                tool=tool,
                log=log,
                toplevel_lang="verilog",
                python_search=[str(ROOT)],
                **arguments,
            ).run()
    except (SystemExit, ParseError) as error:
        raise SimulationError(f"{what} failed: {error}\n{_tail(log_path)}") from None
    finally:
        root.handlers[:] = root_handlers
        if main_thread:
            for number, handler_before in zip(signals, before, strict=True):
                signal.signal(number, handler_before)
        handler.close()


def _tail(log_path: Path, lines: int = 25) -> str:
    """The last words of a log, its errors first."""
    text = log_path.read_text(errors="replace").splitlines()
    errors = [line for line in text if "rror" in line and not line.startswith("Running")][:10]
    kept = [line if len(line) < 400 else line[:400] + " ..." for line in [*errors, *text[-lines:]]]
    return "\n".join([*kept, f"(all of it: {log_path})"])


# -------------------------------------------------------------------------------- layers
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
    on_progress: Callable[[Progress], None] | None = None,
) -> list[LayerResult]:
    """Runs layers through the RTL, all of them in one simulation, and judges each.

    A layer that does not fit is cut (see `tb.pieces`), and its pieces are queued behind each other;
    `queue` does that with all layers. `waves` leaves waves.fst and `trace` gives the cycle of
    each beat. `stall` is a profile's name, or a file of recorded traffic, which `record` writes
    (see `tb.recording`). `rules` switches protocol rules off, "-tkeep,-tlast-early". `rtl_sources`
    and `dut` put other RTL in place of the core, and `driver`, "module:class", is what knows how to
    drive it. `out_dir` keeps the files of the run. `x_random`: on Verilator, what is not
    initialised is random, from the seed.

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
    built = build(core_design(config, rtl_sources, dut), simulator, waves=waves)
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
            built, "tb.simulation", job, job, plus_args=plus_args, random_reset=x_random
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
    return judge_all(layers, results, config)


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
    simulate(
        built,
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
