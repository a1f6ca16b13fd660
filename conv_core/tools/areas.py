"""Cores on ECP5: those that the area of `models/plan` is fitted to, and those that check it.

    python -m conv_core.tools.areas fit             measures the former, writes areas.csv
    python -m conv_core.tools.areas check           measures the latter, adds them to the file

`make synth` measures square cores with default buffers and streams; here both vary, too. What was
measured is kept below build/ as long as the RTL stays as it is.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from conv_core.commands import endings
from conv_core.models.core_config import CoreConfig
from conv_core.tb.paths import ROOT
from conv_core.tb.runs.builds import rtl_files
from conv_core.tools.synthesis import (
    DEFINES,
    INCLUDE,
    SCRIPTS,
    SYNTHESIS,
    Area,
    SynthesisError,
    area_of,
    kept,
    run,
    warnings,
)

TABLE = ROOT / "models" / "plan" / "areas.csv"
FAMILY = "ecp5"
COLUMNS = ("role", "array", "settings", "luts", "flip_flops", "memories", "multipliers")
Settings = Mapping[str, int]

CORES: Mapping[str, Sequence[tuple[str, Settings]]] = {
    "fit": (
        ("4x4", {}),
        ("8x8", {}),
        ("16x4", {}),
        ("4x4", {"act_stream_bytes": 1, "wgt_stream_bytes": 1, "out_stream_bytes": 1}),
        ("16x16", {}),
    ),
    "check": (
        ("8x16", {}),
        ("16x8", {"act_stream_bytes": 4, "wgt_stream_bytes": 4, "out_stream_bytes": 4}),
        ("32x8", {}),
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints and writes; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m conv_core.tools.areas", description=__doc__)
    parser.add_argument("role", choices=[*CORES])
    options = parser.parse_args(arguments)
    for array, settings in CORES[options.role]:
        started = time.monotonic()
        try:
            area = synthesise(CoreConfig.from_array(array, **settings))
        except SynthesisError as error:
            print(error, file=sys.stderr)
            return 1
        enter(options.role, settings, area)
        print(f"{area} {written(settings)} {time.monotonic() - started:.0f} s", flush=True)
    return 0


def synthesise(config: CoreConfig) -> Area:
    """The area of a core on ECP5. Raises `SynthesisError`."""
    settings = " ".join(f"-set {name} {n}" for name, n in config.verilog_parameters().items())
    making = " ".join((settings, SYNTHESIS, *DEFINES[FAMILY], SCRIPTS[FAMILY]))
    base = kept(f"area-{config.array}-{FAMILY}", making)
    figures = base.with_suffix(".json")
    if not figures.exists():
        netlist = base.with_suffix(".netlist")
        script: list[str | Path] = ["-c", SYNTHESIS, "conv_core", settings, SCRIPTS[FAMILY]]
        script += [netlist, *DEFINES[FAMILY], INCLUDE, *rtl_files()]
        said = run(base.with_suffix(".log"), script)
        if found := warnings(said):
            raise SynthesisError("\n".join(found))
        figures.write_text(json.dumps(asdict(area_of(config.array, FAMILY, said))))
    return Area(**json.loads(figures.read_text()))


def enter(role: str, settings: Settings, area: Area) -> None:
    """Writes a core's row into the table, in the place of an earlier one."""
    row = {"role": role, "settings": written(settings), **asdict(area)}
    cells = {name: str(row[name]) for name in COLUMNS}
    name = ("role", "array", "settings")
    rows = [each for each in table() if any(each[n] != cells[n] for n in name)]
    with TABLE.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted([*rows, cells], key=lambda each: [each[n] for n in name]))


def table() -> list[dict[str, str]]:
    """The rows so far."""
    if not TABLE.exists():
        return []
    with TABLE.open(newline="") as file:
        return list(csv.DictReader(file))


def written(settings: Settings) -> str:
    """As the table has them: names and values."""
    return " ".join(f"{name}={value}" for name, value in settings.items())


if __name__ == "__main__":
    sys.exit(endings.run(main))
