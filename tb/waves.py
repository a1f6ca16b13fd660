"""GTKWave: a save file with named groups for the waves of a run, and the program itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from vcd.gtkw import GTKWSave

from models.core_config import CoreConfig

FILE = "waves.fst"
VIEW = "waves.gtkw"
PICOSECONDS = 1000
"""dump times are in picoseconds, ours in nanoseconds"""
CLOCKS_BEFORE = 50
CLOCK_PS = 10_000


class WavesError(Exception):
    """Waves that can't be shown. The text says why."""


def _stream(name: str, stream_bytes: int) -> list[tuple[str, int]]:
    """The signals of a stream in the bench: (name, bits)."""
    bits = {"tvalid": 1, "tready": 1, "tlast": 1, "tkeep": stream_bytes, "tdata": 8 * stream_bytes}
    return [(f"{name}_{signal}", width) for signal, width in bits.items()]


def _groups(config: CoreConfig) -> dict[str, list[tuple[str, int]]]:
    """What is shown, by group: names below conv_bench, and bits."""
    core = "u_core."
    return {
        "clock": [("clk", 1), ("rst", 1), ("irq", 1), ("host_cycle", 32)],
        "activations": _stream("act", config.act_stream_bytes),
        "weights": _stream("wgt", config.wgt_stream_bytes),
        "results": _stream("out", config.out_stream_bytes),
        "array": [
            (core + name, 1) for name in ("step_valid", "u_engine.result_valid", "u_engine.credit")
        ],
        "why a step waits": [(core + name, 1) for name in ("stall_act", "stall_wgt", "stall_out")],
        "held by the bench": [("hold_act", 1), ("hold_wgt", 1), ("hold_out", 1)],
        "registers": [
            *(("axil_" + name, 1) for name in ("awvalid", "awready", "wvalid", "wready", "bvalid")),
            ("axil_awaddr", 8),
            ("axil_wdata", 32),
            *(("axil_" + name, 1) for name in ("arvalid", "arready", "rvalid")),
            ("axil_araddr", 8),
            ("axil_rdata", 32),
        ],
    }


def write_view(folder: Path, config: CoreConfig, first_wrong_ns: int | None) -> Path:
    """Writes the save file beside the waves; the marker stands on the first wrong beat."""
    top = "conv_bench."
    path = folder / VIEW
    with path.open("w") as file:
        view = GTKWSave(file)
        view.dumpfile(str(folder / FILE))
        view.savefile(str(path))
        view.size(1600, 900)
        view.signals_width(250)
        if first_wrong_ns is None:
            view.zoom_markers(-16.0)
        else:
            marker = first_wrong_ns * PICOSECONDS
            view.timestart(max(0, marker - CLOCKS_BEFORE * CLOCK_PS))
            view.zoom_markers(-16.0, marker=marker)
        view.treeopen(top)
        for group, signals in _groups(config).items():
            with view.group(group):
                for name, bits in signals:
                    view.trace(top + name + (f"[{bits - 1}:0]" if bits > 1 else ""))
    return path


def show(folder: Path) -> None:
    """Opens GTKWave on the waves of a run. Raises `WavesError`."""
    waves, view = folder / FILE, folder / VIEW
    if not waves.exists():
        raise WavesError(f"there are no waves in {folder}")
    program = shutil.which("gtkwave")
    if program is None:
        raise WavesError(
            f"GTKWave is not installed; on Debian and Ubuntu: apt-get install gtkwave. "
            f"The waves are in {waves}"
        )
    if not os.environ.get("DISPLAY"):
        raise WavesError(f"there is no display for GTKWave to open; the waves are in {waves}")
    command = [program, "--dump", str(waves), "--save", str(view)]
    subprocess.Popen(
        command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
