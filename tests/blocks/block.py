"""One RTL module on its own, driven from Python by the cocotb tests of a module of this folder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tb.runner import ROOT, Design, build, simulate

MODULES = {path.stem: path for path in sorted((ROOT / "rtl").rglob("*.v"))}
TIMESCALE = ROOT / "tests" / "core" / "timescale.v"


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
) -> None:
    """Runs the cocotb tests of `tests.blocks.<module>`; raises `SimulationError` if one fails."""
    print(f"{top}, {dict(parameters)}, {simulator}, seed {seed}")
    simulate(
        build(Design(top, sources_of(top), parameters), simulator),
        f"tests.blocks.{module}",
        folder,
        seed=seed,
        environment={name: str(value) for name, value in parameters.items()},
    )
