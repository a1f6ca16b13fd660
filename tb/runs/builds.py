"""Builds: a design compiled by a simulator, once, and run as often as one likes.

A build stands below build/ under a name that is a hash of all it depends on, so that nothing is
ever rebuilt without need, nothing stale is ever used, and processes that run side by side share it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from conv_core.models.core_config import CoreConfig
from conv_core.tb.bench.drivers import OUR_DRIVER, watched_by
from conv_core.tb.bench.parameters import bench_parameters
from conv_core.tb.paths import BENCH, BUILD, FILE_LIST
from conv_core.tb.runs.processes import StoppedError
from conv_core.tb.runs.simulators import Flags, Simulator, simulator_named
from conv_core.tb.waves.watch import watch_file

BENCH_SOURCES = tuple(sorted(BENCH.glob("*.v")))
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
    simulator: Simulator
    directory: Path
    waves: bool
    reused: bool
    seconds: float

    def simulate(
        self,
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

        Returns the path of the waves, if there are some. With `random_reset` Verilator starts
        registers and X at random values, from the seed. Raises `SimulationError` if a test fails.
        """
        run_dir.mkdir(parents=True, exist_ok=True)
        waves = run_dir / "waves.fst" if self.waves else None
        arguments = self.simulator.arguments(waves, seed, random_reset=random_reset)
        self.simulator.call(
            run_dir / "run.log",
            f"the simulation on {self.simulator.tool.simulator}",
            toplevel=self.design.top,
            module=module,
            verilog_sources=[],
            sim_build=str(run_dir),
            run_from=self.directory,
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


def rtl_files(file_list: Path = FILE_LIST) -> tuple[Path, ...]:
    """The sources of a file list; its paths begin above its own folder."""
    lines = (line.split("//")[0].strip() for line in file_list.read_text().splitlines())
    return tuple(file_list.parents[1] / line for line in lines if line.endswith(".v"))


def core_sources(rtl_sources: Sequence[Path | str] | None) -> tuple[Path, ...]:
    """Our core's files, or others in their place."""
    return rtl_files() if rtl_sources is None else tuple(Path(p) for p in rtl_sources)


def core_design(
    config: CoreConfig,
    rtl_sources: Sequence[Path | str] | None = None,
    dut: str = "conv_core",
    driver: str = OUR_DRIVER,
) -> Design:
    """The bench around a core: ours, or the module `dut` in `rtl_sources`.

    What the waves show of its inside is what its driver says, see `conv_core.tb.bench.drivers`.
    """
    sources = core_sources(rtl_sources)
    watch = watch_file(config, watched_by(driver, config, dut, sources))
    return Design(
        top="conv_bench",
        sources=(*sources, *BENCH_SOURCES, watch),
        parameters=bench_parameters(config),
        defines=("CONV_WATCH", *(() if dut == "conv_core" else (f"CONV_DUT={dut}",))),
        public=PUBLIC_CONTROL,
    )


def build(design: Design, simulator: str, *, waves: bool = False) -> Build:
    """Builds a design unless it stands there already. Safe to call from many processes at once.

    Raises `ToolMissingError`, or `SimulationError` if it can't be built.
    """
    builder = simulator_named(simulator)
    traced = waves and builder.traces_when_built
    flags = builder.flags(traced=traced)
    name = f"{simulator}-{design.top}-{_digest(design, builder, flags)}"
    directory = BUILD / name
    done = directory / "done"
    started = time.perf_counter()
    reused = done.exists()
    if not reused:
        BUILD.mkdir(parents=True, exist_ok=True)
        with _locked(BUILD / f"{name}.lock"):
            reused = done.exists()
            if not reused:
                shutil.rmtree(directory, ignore_errors=True)
                directory.mkdir()
                try:
                    _compile(design, builder, directory, flags, traced=traced)
                except (StoppedError, KeyboardInterrupt):
                    shutil.rmtree(directory, ignore_errors=True)
                    raise
                for left in LEFTOVERS:
                    for path in directory.glob(left):
                        path.unlink()
                done.touch()
                _remove_unused()
    os.utime(done)
    return Build(design, builder, directory, waves, reused, time.perf_counter() - started)


def _digest(design: Design, simulator: Simulator, flags: Flags) -> str:
    """A hash of all that a build depends on."""
    digest = hashlib.sha256()
    for source in (*design.sources, *design.headers):
        digest.update(f"{source.name} ".encode() + hashlib.sha256(source.read_bytes()).digest())
    versions = [importlib.metadata.version(name) for name in ("cocotb", "cocotb-test")]
    tool = simulator.tool
    facts = [
        design.top,
        sorted(design.parameters.items()),
        design.defines,
        design.public,
        (str(tool.path), tool.version),
        (flags.compile, flags.make),
        versions,
        (sys.prefix, platform.node(), platform.machine()),
    ]
    digest.update(json.dumps(facts, default=str).encode())
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Holds a lock that ends with the process at the latest; its file is gone afterwards."""
    while True:
        file = path.open("w")
        fcntl.flock(file, fcntl.LOCK_EX)
        # Whoever held it before has removed the file: then it is another file that counts.
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                break
        file.close()
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        file.close()


def _remove_unused() -> None:
    """Removes builds, and files of failed runs, that nobody has looked at for long."""
    oldest = time.time() - UNUSED_DAYS * 86400
    for done in BUILD.glob("*/done"):
        if done.stat().st_mtime < oldest:
            shutil.rmtree(done.parent, ignore_errors=True)
    for run in BUILD.glob("runs/*"):
        if run.stat().st_mtime < oldest:
            shutil.rmtree(run, ignore_errors=True)


def _compile(
    design: Design, simulator: Simulator, directory: Path, flags: Flags, *, traced: bool
) -> None:
    sources = simulator.sources(design.sources, design.public, directory)
    simulator.call(
        directory / "build.log",
        f"the build of {design.top} for {simulator.tool.simulator}",
        toplevel=design.top,
        module="unused",
        verilog_sources=[str(source) for source in sources],
        includes=sorted({str(header.parent) for header in design.headers}),
        parameters=dict(design.parameters),
        defines=list(design.defines),
        compile_args=list(flags.compile),
        sim_build=str(directory),
        compile_only=True,
        waves=traced,
        **({"make_args": list(flags.make)} if flags.make else {}),
    )
