"""One RTL module on its own, driven from Python by the cocotb tests of a module of this folder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from conv_core.tb.paths import ROOT
from conv_core.tb.runs.builds import Design, build

MODULES = {path.stem: path for path in sorted((ROOT / "rtl").rglob("*.v"))}
TIMESCALE = ROOT / "tests" / "core" / "timescale.v"
ECP5_BLOCKS = Path(__file__).with_name("ecp5_blocks.v")


def sources_of(top: str) -> tuple[Path, ...]:
    """The file of a module, and those of the modules in it."""
    found: list[str] = []
    left = [top]
    while left:
        name = left.pop()
        if name not in found:
            found.append(name)
            words = re.findall(r"^ +(\w+) (?:#\(|u_\w+ \()", MODULES[name].read_text(), re.M)
            left += [word for word in words if word in MODULES]
    return (TIMESCALE, *(MODULES[name] for name in sorted(found)))


def run_block(
    top: str,
    parameters: Mapping[str, int],
    module: str,
    simulator: str,
    folder: Path,
    seed: int,
    *,
    ecp5: bool = False,
) -> None:
    """Runs the cocotb tests of `tests.blocks.<module>`; raises `SimulationError` if one fails.

    `ecp5`: with the blocks of that FPGA, as `make synth` takes them.
    """
    print(
        f"{top}, {dict(parameters)}, {simulator}, seed {seed}{', blocks of ECP5' if ecp5 else ''}"
    )
    sources = (*sources_of(top), ECP5_BLOCKS) if ecp5 else sources_of(top)
    design = Design(top, sources, parameters, ("CONV_ECP5",) if ecp5 else ())
    build(design, simulator).simulate(
        f"tests.blocks.{module}",
        folder,
        seed=seed,
        environment={name: str(value) for name, value in parameters.items()},
    )
