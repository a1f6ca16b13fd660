"""`make doctor`: what this machine has, what it lacks, and the cure.

Imports only the standard library and two modules of ours that do the same, so that it runs where
nothing is set up yet.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from typing import NamedTuple

from conv_core.tb.paths import ROOT
from conv_core.tb.runs.tools import ToolMissingError, find_simulator

REQUIREMENTS = ROOT / "requirements.txt"
OLDEST_PYTHON = (3, 11)


class Finding(NamedTuple):
    """One thing that was looked for; `found` is empty when it is not there or not right."""

    name: str
    found: str
    needed_for: str
    optional: bool = False


def output_of(*command: str, given: str = "") -> str | None:
    """The first line that a command prints, or None if it is not there or fails."""
    try:
        done = subprocess.run(
            command, input=given, capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return (done.stdout or done.stderr).strip().partition("\n")[0]


def python() -> str:
    version = ".".join(map(str, sys.version_info[:3]))
    return f"{version}, {sys.executable}" if sys.version_info >= OLDEST_PYTHON else ""


def shared_python() -> str:
    """The libpython that the simulators load."""
    library = "/".join(map(str, sysconfig.get_config_vars("LIBDIR", "INSTSONAME")))
    try:
        ctypes.CDLL(library)
    except OSError:
        return ""
    return library


def packages() -> str:
    """The Python packages, if they are those of requirements.txt."""
    pins = re.findall(r"^([\w.-]+)==(\S+)", REQUIREMENTS.read_text(), re.MULTILINE)
    installed = {
        distribution.name.lower().replace("-", "_"): distribution.version
        for distribution in importlib.metadata.distributions()
    }
    right = [installed.get(name.lower().replace("-", "_")) == version for name, version in pins]
    return f"all {len(pins)} of requirements.txt" if all(right) else ""


def simulator(name: str) -> str:
    try:
        tool = find_simulator(name)
    except ToolMissingError:
        return ""
    return f"{tool.version}, {tool.path}"


def program(*command: str) -> str:
    return output_of(*command) or ""


def header(name: str) -> str:
    """A C header, if g++ finds it."""
    found = output_of("g++", "-x", "c++", "-E", "-", given=f"#include <{name}>\n")
    return "" if found is None else "there"


def findings() -> Iterator[Finding]:
    """Everything that this project uses."""
    yield Finding("Python 3.11 or later", python(), "everything")
    yield Finding("Python packages", packages(), "everything")
    yield Finding("shared libpython", shared_python(), "simulating")
    yield Finding("Icarus Verilog", simulator("icarus"), "SIM=icarus")
    yield Finding("Verilator", simulator("verilator"), "SIM=verilator")
    yield Finding("g++", program("g++", "--version"), "SIM=verilator")
    yield Finding("make", program("make", "--version"), "SIM=verilator")
    yield Finding("perl", program("perl", "-MPod::Usage", "-e", "print $^V"), "SIM=verilator")
    yield Finding("ccache", program("ccache", "--version"), "quick rebuilds", optional=True)
    yield Finding("lz4.h", header("lz4.h"), "SIM=verilator WAVES=1", optional=True)
    yield Finding("zlib.h", header("zlib.h"), "SIM=verilator WAVES=1", optional=True)
    yield Finding("GTKWave", shutil.which("gtkwave") or "", "make waves", optional=True)
    browsers = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    yield Finding("Chromium", next(filter(None, browsers), ""), "make test", optional=True)


def main() -> int:
    """Prints the findings; 1 if something is missing that is not optional."""
    missing = []
    for finding in findings():
        if finding.found:
            print(f"  ok       {finding.name:22} {finding.found}")
        else:
            missing.append(finding)
            print(f"  MISSING  {finding.name:22} needed for {finding.needed_for}")
    if missing:
        print("What is missing comes by: make setup")
    return int(any(not finding.optional for finding in missing))


if __name__ == "__main__":
    sys.exit(main())
