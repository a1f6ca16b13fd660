"""The programs that show waves: which there is, whether it has a display, how it is called."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from conv_core.models.errors import RefusedError
from conv_core.tb.waves.view import COMMANDS, FILE, VIEW

CHOICE = "COCOTB_WAVEFORM_VIEWER"
"""environment variable that names the program, as cocotb has it"""
KNOWN = ("gtkwave", "surfer")
"""in the order in which they are looked for"""


class WavesError(RefusedError):
    """Waves that can't be shown. The text says why."""


@dataclass(frozen=True)
class Viewer:
    """A program that is there."""

    path: str

    def command(self, folder: Path) -> list[str]:
        """What shows the waves of a run; one that is not known here gets the waves alone."""
        waves = str(folder / FILE)
        name = Path(self.path).name
        if name.startswith("gtkwave"):
            return [self.path, "--dump", waves, "--save", str(folder / VIEW)]
        if name.startswith("surfer"):
            return [self.path, waves, "--command-file", str(folder / COMMANDS)]
        return [self.path, waves]


def find_viewer(environment: Mapping[str, str] | None = None) -> Viewer:
    """The viewer, if it has a display to open. Raises `WavesError`."""
    environment = os.environ if environment is None else environment
    chosen = environment.get(CHOICE)
    paths = [shutil.which(n, path=environment.get("PATH")) for n in ([chosen] if chosen else KNOWN)]
    path = next(filter(None, paths), None)
    if path is None and chosen:
        raise WavesError(f"{CHOICE} names {chosen}, which is not on PATH")
    if path is None:
        raise WavesError(
            "there is no viewer for waves: install GTKWave (on Debian and Ubuntu: apt-get install "
            f"gtkwave) or Surfer, or name yours in {CHOICE}"
        )
    windows = ("DISPLAY", "WAYLAND_DISPLAY")
    if sys.platform == "linux" and not any(environment.get(name) for name in windows):
        raise WavesError(
            f"{Path(path).name} has no display to open a window on: DISPLAY is not set; the "
            "cycles around a wrong beat are in the report of the failure"
        )
    return Viewer(path)


def show(viewer: Viewer, folder: Path) -> None:
    """Opens the viewer on the waves of a run. Raises `WavesError`."""
    if not (folder / FILE).exists():
        raise WavesError(f"there are no waves in {folder}")
    subprocess.Popen(
        viewer.command(folder),
        cwd=folder,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
