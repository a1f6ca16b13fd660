"""`make lint`: the RTL and the Python, read by tools that do not run them.

Four tools read the RTL, because each finds what the others miss: Verilator widths, latches and
blocking assignments; slang signed operands that meet unsigned ones; Yosys nets with several drivers
or with none, and combinational loops; Icarus what is not Verilog-2005. Verible keeps the format:
`make lint` says which files differ, `python -m conv_core.tools.lint --format` rewrites them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from pyslang import DiagnosticSeverity
from pyslang import driver as slang_driver

from conv_core.commands import endings
from conv_core.pages.outcomes import Outcome, keep
from conv_core.tb.paths import INCLUDES, ROOT
from conv_core.tb.runs.tools import find_simulator

TOP = "conv_core"
CONFIGURATIONS: tuple[dict[str, int], ...] = (
    {},
    {"LANES_IN": 4, "LANES_OUT": 8},
    {"LANES_IN": 8, "LANES_OUT": 8, "ACT_BYTES": 1024, "WGT_WORDS": 128, "CONST_WORDS": 64},
    {"LANES_IN": 32, "LANES_OUT": 4},
    {"LANES_IN": 32, "LANES_OUT": 32, "REQUANT_LANES": 8, "RESULT_QUEUE": 32, "FLOAT_RULE": 0},
    {"ACT_STREAM_BYTES": 1, "WGT_STREAM_BYTES": 4, "OUT_STREAM_BYTES": 2, "OUT_BYTES": 256},
)
"""Parameters of the core that Verilator elaborates: the widths inside follow from them."""

YOSYS = """
import sys
from pyosys import libyosys
design = libyosys.Design()
libyosys.run_pass("read_verilog -I" + sys.argv[2] + " " + " ".join(sys.argv[3:]), design)
libyosys.run_pass(f"hierarchy -check -top {sys.argv[1]}; proc; check -assert", design)
"""


def run(command: Sequence[str | Path], **environment: str | Path) -> tuple[str, int]:
    """What a command prints, and its exit status."""
    done = subprocess.run(
        list(map(str, command)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        check=False,
        env=os.environ | {name: str(value) for name, value in environment.items()},
    )
    return done.stdout.strip(), done.returncode


def complaints(command: Sequence[str | Path], **environment: str | Path) -> str:
    """What a command prints if it fails, else nothing."""
    said, status = run(command, **environment)
    return f"{said}\n(exit {status})" if status else ""


def verilator(
    sources: Sequence[Path], top: str, configurations: Sequence[dict[str, int]] = ({},)
) -> str:
    """Every warning of Verilator about the first configuration that has one."""
    tool = find_simulator("verilator")
    environment = {"VERILATOR_ROOT": tool.root} if tool.root else {}
    for parameters in configurations:
        settings = [f"-G{name}={value}" for name, value in parameters.items()]
        command = [
            str(tool.path),
            "--lint-only",
            "-Wall",
            f"-I{INCLUDES}",
            *settings,
            "--top-module",
            top,
        ]
        if said := complaints([*command, *sources], **environment):
            return said
    return ""


def slang(sources: Sequence[Path], top: str) -> str:
    """slang's errors and warnings, and of its pedantic ones those where a sign gets lost."""
    driver = slang_driver.Driver()
    driver.addStandardArgs()
    words = " ".join(["slang", "-I", str(INCLUDES), "--top", top, *map(str, sources)])
    options = slang_driver.CommandLineOptions()
    if not (
        driver.parseCommandLine(words, options)
        and driver.processOptions()
        and driver.parseAllSources()
    ):
        return "slang cannot read the sources"
    files, engine = driver.sourceManager, driver.diagEngine
    lines = []
    for found in driver.createCompilation().getAllDiagnostics():
        place = found.location
        if engine.getSeverity(found.code, place) == DiagnosticSeverity.Ignored and not (
            engine.getOptionName(found.code) in ("sign-compare", "arith-op-mismatch")
            and files.getSourceText(place.buffer)[place.offset] in "*/%<>"
            and sign_is_lost([str(operand) for operand in found.args])
        ):
            continue
        where = f"{files.getFileName(place)}:{files.getLineNumber(place)}"
        lines.append(f"{where}: {engine.formatMessage(found)}")
    return "\n".join(lines)


def sign_is_lost(types: Sequence[str]) -> bool:
    """Is one of the two operands signed and the other not?

    Both are then read as unsigned, and products, quotients and comparisons change. Parameters are
    signed 32-bit numbers, never negative here: they pass.
    """
    signed = ["signed" in name for name in types]
    return any(signed) and not all(signed) and not any("signed[31:0]" in name for name in types)


def icarus(file_list: Path) -> str:
    """Every warning of Icarus about a file list, read as Verilog-2005."""
    tool = find_simulator("icarus")
    said, status = run([tool.path, "-g2005", "-Wall", "-c", file_list, "-o", os.devnull])
    return said or (f"(exit {status})" if status else "")


VERIBLE = Path(sys.executable).with_name("verible-verilog-format")
FORMAT = (
    "--column_limit=120",
    "--indentation_spaces=4",
    "--wrap_spaces=4",
    *(
        f"--{what}_alignment=preserve"
        for what in (
            "assignment_statement",
            "case_items",
            "formal_parameters",
            "module_net_variable",
            "named_parameter",
            "named_port",
            "port_declarations",
        )
    ),
)
"""How Verible formats; what is aligned stays as it was aligned."""
LONGEST_LINE = 120


def verible(sources: Sequence[Path], *options: str) -> str:
    """Formats the files, or with `--verify` says which would change."""
    return complaints([VERIBLE, *FORMAT, *options, "--inplace", *sources])


def formatting(sources: Sequence[Path]) -> str:
    """The files that Verible would format otherwise, and lines that are too long for it."""
    said = verible(sources, "--verify")
    long = [
        f"{file}:{number}: {len(line)} columns, {LONGEST_LINE} are allowed"
        for file in sources
        for number, line in enumerate((ROOT / file).read_text().splitlines(), 1)
        if len(line) > LONGEST_LINE
    ]
    return "\n".join([said, *long]).strip()


def yosys(sources: Sequence[Path], top: str) -> str:
    """What Yosys' `check` says of the netlist."""
    said = complaints([sys.executable, "-c", YOSYS, top, INCLUDES, *sources])
    return "\n".join(said.splitlines()[-20:])


def checks() -> Iterator[tuple[str, Callable[[], str]]]:
    """Everything that is read, by name."""
    rtl = rtl_sources()
    yield "verilator -Wall", partial(verilator, rtl, TOP, CONFIGURATIONS)
    yield "slang", partial(slang, rtl, TOP)
    yield "yosys check", partial(yosys, rtl, TOP)
    yield "iverilog -g2005 -Wall", partial(icarus, Path("rtl") / "conv_core.f")
    yield "verible format", partial(formatting, rtl)
    python = [sys.executable, "-m"]
    yield "ruff check", partial(complaints, [*python, "ruff", "check", "--quiet"])
    yield "ruff format", partial(complaints, [*python, "ruff", "format", "--check", "--quiet"])
    yield "mypy --strict", partial(complaints, [*python, "mypy"])


def rtl_sources() -> list[Path]:
    """The core's modules, from the root."""
    return [path.relative_to(ROOT) for path in sorted((ROOT / "rtl").rglob("*.v"))]


def main() -> int:
    """Prints one line for each check, and what it complains of; 1 if one does."""
    parser = argparse.ArgumentParser(prog="python -m conv_core.tools.lint", description=__doc__)
    parser.add_argument("--format", action="store_true", help="only format the Verilog")
    if parser.parse_args().format:
        said = verible(rtl_sources())
        print(said, file=sys.stderr, end="\n" if said else "")
        return int(bool(said))
    rows = []
    begun = time.monotonic()
    for name, check in checks():
        start = time.monotonic()
        said = check()
        print(f"  {'FAILED' if said else 'ok':8} {name:26} {time.monotonic() - start:5.1f} s")
        seconds = time.monotonic() - start
        status = "FAIL" if said else "PASS"
        rows.append({"check": name, "status": status, "seconds": seconds, "message": said})
        if said:
            print("".join(f"    {line}\n" for line in said.splitlines()))
    failed = any(row["message"] for row in rows)
    keep(Outcome("lint", "FAIL" if failed else "PASS", time.monotonic() - begun, rows=rows))
    return int(failed)


if __name__ == "__main__":
    sys.exit(endings.run(main))
