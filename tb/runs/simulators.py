"""The simulators: a class for each, around that of cocotb-test. The only file that calls it.

Building and running are two steps here, and a run's files stand apart from the build's. A further
simulator is one class here, its name in `SIMULATORS` of tb/runs/tools.py, and how it is found
there.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
import shutil
import signal
import sys
import threading
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from cocotb_test import simulator as cocotb_simulators

from conv_core.models.errors import RefusedError
from conv_core.tb.paths import PYTHON_PATH
from conv_core.tb.runs import processes
from conv_core.tb.runs.tools import Tool, find_simulator


class SimulationError(RefusedError):
    """A build or a simulation that did not come to its end. The text ends with its last words."""


@dataclass(frozen=True)
class Flags:
    """Arguments of the compiler, and of the make that it calls."""

    compile: tuple[str, ...] = ()
    make: tuple[str, ...] = ()


class Simulator(ABC):
    """A simulator that is installed, as `tool` says."""

    traces_when_built = False
    """waves are a matter of the build, not of the run alone"""

    def __init__(self, tool: Tool) -> None:
        self.tool = tool

    @abstractmethod
    def flags(self, *, traced: bool) -> Flags:
        """How a design is built; `traced`: so that it can record waves."""

    @abstractmethod
    def arguments(self, waves: Path | None, seed: int, *, random_reset: bool) -> list[str]:
        """Arguments of a run; `waves` is the file to write, `seed` that of random registers."""

    @property
    @abstractmethod
    def _adapted(self) -> Callable[..., Any]:
        """The class of cocotb-test, adapted."""

    def sources(self, sources: Sequence[Path], public: str, directory: Path) -> list[Path]:  # noqa: ARG002
        """The files to compile; `public` is what Verilator has to keep visible."""
        return list(sources)

    def call(self, log_path: Path, what: str, **arguments: Any) -> None:
        """Builds or runs to the end, all words in a log file.

        Raises `SimulationError`, or `StoppedError` if it was stopped.
        """
        log_path.unlink(missing_ok=True)
        try:
            with _undisturbed():
                adapted = self._adapted(
                    tool=self.tool,
                    log_path=log_path,
                    toplevel_lang="verilog",
                    python_search=[str(PYTHON_PATH)],
                    **arguments,
                )
            adapted.run()
        except (SystemExit, ParseError) as error:
            raise SimulationError(f"{what} failed: {error}\n{_tail(log_path)}") from None


@contextlib.contextmanager
def _undisturbed() -> Any:
    """Takes back what classes of cocotb-test change when made: warnings, logging, signals."""
    root = logging.getLogger()
    root_handlers = root.handlers[:]
    main_thread = threading.current_thread() is threading.main_thread()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in signals]
    try:
        with warnings.catch_warnings():
            root.addHandler(logging.NullHandler())  # else it logs to stderr
            yield
    finally:
        root.handlers[:] = root_handlers
        if main_thread:
            for number, handler_before in zip(signals, before, strict=True):
                signal.signal(number, handler_before)


class _Adapted:
    """What is different from the simulator classes of cocotb-test.

    Building and running are two steps, of which the second may come from elsewhere (`run_from`);
    what is said goes to a file; environment variables given here win over those of the process.
    """

    def __init__(
        self,
        *,
        tool: Tool,
        log_path: Path,
        environment: Mapping[str, str] | None = None,
        run_from: Path | None = None,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.tool = tool
        self.logger = logging.Logger("conv_core.runs")
        self.log_path = log_path
        self.environment = dict(environment or {})
        self.run_from = run_from

    env: dict[str, str]
    work_dir: str
    plus_args: list[str]
    run: Callable[[], Any]

    def set_env(self) -> None:
        super().set_env()  # type: ignore[misc]
        self.env.update(self.environment)
        if self.tool.root is not None:
            self.env["VERILATOR_ROOT"] = str(self.tool.root)
        # cocotb-test looks for the program on PATH only.
        self.env["PATH"] = f"{self.tool.path.parent}{os.pathsep}{self.env['PATH']}"

    def execute(self, cmds: Sequence[Sequence[str]]) -> None:
        for command in cmds:
            with self.log_path.open("a") as log:
                log.write(f"Running {shlex.join(command)}\n")
            status = processes.run(
                command, self.log_path, folder=Path(self.work_dir), environment=self.env
            )
            if status:
                raise SystemExit(f"{command[0]} ended with status {status}")


class _AdaptedIcarus(_Adapted, cocotb_simulators.Icarus):  # type: ignore[misc]
    def build_command(self) -> list[list[str]]:
        if self.run_from is None:
            return [self.compile_command()]
        self.sim_file = str(self.run_from / f"{self.toplevel_module}.vvp")
        return [self.run_command()]


class _AdaptedVerilator(_Adapted, cocotb_simulators.Verilator):  # type: ignore[misc]
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


class Icarus(Simulator):
    """Icarus Verilog."""

    _adapted = _AdaptedIcarus

    def flags(self, *, traced: bool) -> Flags:  # noqa: ARG002
        return Flags()

    def arguments(self, waves: Path | None, seed: int, *, random_reset: bool) -> list[str]:  # noqa: ARG002
        return [] if waves is None else ["-fst", f"+waves={waves}"]


class Verilator(Simulator):
    """Verilator."""

    traces_when_built = True
    _adapted = _AdaptedVerilator

    def flags(self, *, traced: bool) -> Flags:
        compile_args = [
            *("-O3", "--x-assign", "unique", "--x-initial", "unique", "--timing", "-Wno-fatal"),
            *("-CFLAGS", "-std=c++20 -fcoroutines"),
        ]
        if traced:
            compile_args += ["--trace-max-width", "1024"]  # cocotb-test adds --trace-fst
        make_args = ["CFG_CXXFLAGS_PCH_I=-include", "OPT_FAST=-O3 -march=native", "OPT_SLOW=-O1"]
        make_args.append(f"PYTHON3={sys.executable}")  # it would call `python`, which Debian lacks
        make_args.append(f"-j{len(os.sched_getaffinity(0))}")
        if shutil.which("ccache"):
            make_args.append("OBJCACHE=ccache")
        return Flags(tuple(compile_args), tuple(make_args))

    def sources(self, sources: Sequence[Path], public: str, directory: Path) -> list[Path]:
        if not public:
            return list(sources)
        control = directory / "public.vlt"
        control.write_text(public)
        return [control, *sources]

    def arguments(self, waves: Path | None, seed: int, *, random_reset: bool) -> list[str]:
        arguments = []
        if random_reset:
            arguments += ["+verilator+rand+reset+2", f"+verilator+seed+{seed % (2**31 - 1) + 1}"]
        if waves is not None:
            arguments += ["--trace", "--trace-file", str(waves)]
        return arguments


_CLASSES: Mapping[str, type[Simulator]] = {"icarus": Icarus, "verilator": Verilator}


def simulator_named(name: str) -> Simulator:
    """The simulator of that name, which is installed. Raises `ToolMissingError`."""
    tool = find_simulator(name)
    return _CLASSES[name](tool)


def _tail(log_path: Path, lines: int = 25) -> str:
    """The last words of a log, its errors first."""
    text = log_path.read_text(errors="replace").splitlines()
    errors = [line for line in text if "rror" in line and not line.startswith("Running")][:10]
    kept = [line if len(line) < 400 else line[:400] + " ..." for line in [*errors, *text[-lines:]]]
    return "\n".join([*kept, f"(all of it: {log_path})"])
