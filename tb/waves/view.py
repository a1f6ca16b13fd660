"""Save files for viewers: what is shown of a run's waves, under which names, and where one looks.

GTKWave reads `waves.gtkw`, with a file for each signal whose values have names. Surfer reads the
commands in `waves.sucl`, and the names in .surfer/mappings of the folder that it is started in; the
address for its web build is in `surfer.url`. Nothing needs Tcl, which GTKWave 4 has given up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from vcd.gtkw import GTKWSave

from conv_core.tb.bench.bench import CLOCK_NS
from conv_core.tb.waves.signals import Group, Names, Signal
from conv_core.tb.waves.watch import SCOPE

FILE = "waves.fst"
VIEW = "waves.gtkw"
COMMANDS = "waves.sucl"
LINK = "surfer.url"
MAPPINGS = Path(".surfer") / "mappings"
PICOSECONDS = 1000
"""dump times are in picoseconds, ours in nanoseconds"""

WINDOW = (1600, 1000)
SIGNALS_WIDTH = 330
"""of GTKWave's window, for names and values"""
BORDERS = 80
"""what GTKWave's borders and its closed tree take, at most"""
FRAME_PIXELS = 200
"""GTKWave's unit of width, `pixelsperframe`"""
CYCLE_PIXELS = 30
"""wide enough for -128"""
WAVES_WIDTH = WINDOW[0] - SIGNALS_WIDTH - BORDERS
CYCLES_SHOWN = WAVES_WIDTH // CYCLE_PIXELS
CYCLES_BEFORE = 2 * CYCLES_SHOWN // 3
MARGIN = 6
"""cycles that are left and right of marks together, at least"""

FORMATS = {"bit": "bin", "hex": "hex", "unsigned": "dec", "signed": "signed", "names": "hex"}
SURFER_FORMATS = {"hex": "Hexadecimal", "unsigned": "Unsigned", "signed": "Signed"}


@dataclass(frozen=True)
class Marks:
    """Where one looks first, and where else. Times in ns, in the middle of cycles."""

    beat_ns: int
    """the first wrong beat; where nothing is wrong, the first beat of all"""
    left_ns: int | None = None
    """its value left the array"""
    begun_ns: int | None = None
    """the first step of its window"""
    wrong: bool = False

    @property
    def start_ns(self) -> int:
        """The left edge of what is shown: as many of the marks as there is room for.

        Before the first beat of all there is little to see.
        """
        start = self.beat_ns - (CYCLES_BEFORE if self.wrong else MARGIN) * CLOCK_NS
        for mark in (self.left_ns, self.begun_ns):
            if mark is not None and self.beat_ns - mark < (CYCLES_SHOWN - MARGIN) * CLOCK_NS:
                start = min(start, mark - MARGIN // 2 * CLOCK_NS)
        return max(0, start)

    @property
    def named(self) -> list[tuple[str, int]]:
        """The marks that are known: what they stand on, and when that is."""
        first = "first wrong beat" if self.wrong else "first beat"
        others = (("value leaves the array", self.left_ns), ("window begins", self.begun_ns))
        return [(first, self.beat_ns), *((name, ns) for name, ns in others if ns is not None)]


def write_views(folder: Path, groups: Sequence[Group], names: Names, marks: Marks) -> None:
    """Writes the save files beside the waves. `names` are those that depend on the layer."""
    named = {
        signal.name: dict(names.get(signal.name, signal.names))
        for group in groups
        for signal in group.signals
        if signal.show == "names"
    }
    _write_names(folder, groups, named)
    _write_gtkwave(folder, groups, marks)
    commands = list(_surfer(groups, marks))
    (folder / COMMANDS).write_text("\n".join(commands) + "\n")
    (folder / LINK).write_text(surfer_link("URL", commands) + "\n")


def _write_names(folder: Path, groups: Sequence[Group], named: dict[str, dict[int, str]]) -> None:
    """For each signal one file in GTKWave's format and one in Surfer's."""
    (folder / MAPPINGS).mkdir(parents=True, exist_ok=True)
    for group in groups:
        for signal in group.signals:
            if signal.show != "names":
                continue
            digits = -(-signal.bits // 4)
            pairs = sorted(named[signal.name].items())
            lines = [f"{value:0{digits}x} {name}" for value, name in pairs]
            _translation(folder, signal).write_text("\n".join(lines) + "\n")
            head = [f"Name = {_format(signal)}", f"Bits = {signal.bits}"]
            lines = [f"0x{value:x} {name}" for value, name in pairs]
            mapping = folder / MAPPINGS / f"{_format(signal)}.txt"
            mapping.write_text("\n".join([*head, *lines]) + "\n")


def _translation(folder: Path, signal: Signal) -> Path:
    return folder / f"{signal.name}.names"


def _format(signal: Signal) -> str:
    """What Surfer calls the names of a signal's values."""
    return f"conv_{signal.name}"


def _path(signal: Signal) -> str:
    return f"{SCOPE}.{signal.name}"


def _write_gtkwave(folder: Path, groups: Sequence[Group], marks: Marks) -> None:
    # GTKWave takes the logarithm to base two of the ticks that a frame of pixels is worth, negated.
    zoom = -math.log2(CLOCK_NS * PICOSECONDS / CYCLE_PIXELS * FRAME_PIXELS)
    letters = {"left_ns": "a", "begun_ns": "b"}
    others = {
        letter: getattr(marks, name) * PICOSECONDS
        for name, letter in letters.items()
        if getattr(marks, name) is not None
    }
    with (folder / VIEW).open("w") as file:
        view = GTKWSave(file)
        view.comment(*(f"{name}: {ns} ns" for name, ns in marks.named))
        view.dumpfile(str(folder / FILE))
        view.savefile(str(folder / VIEW))
        view.timestart(marks.start_ns * PICOSECONDS)
        view.size(*WINDOW)
        view.zoom_markers(zoom, marker=marks.beat_ns * PICOSECONDS, **others)
        if marks.left_ns is not None:
            file.write("[markername] Avalue leaves the array\n")
        if marks.begun_ns is not None:
            file.write("[markername] Bwindow begins\n")
        view.sst_expanded(False)
        view.signals_width(SIGNALS_WIDTH)
        view.treeopen("conv_bench.")
        for group in groups:
            with view.group(group.title, closed=group.closed):
                for signal in group.signals:
                    width = f"[{signal.bits - 1}:0]" if signal.bits > 1 else ""
                    names = str(_translation(folder, signal)) if signal.show == "names" else None
                    view.trace(
                        _path(signal) + width,
                        alias=signal.label,
                        datafmt=FORMATS[signal.show],
                        translate_filter_file=names,
                    )


def _surfer(groups: Sequence[Group], marks: Marks) -> Iterator[str]:
    """Surfer's commands. A divider's name must be one word; its groups can't be closed."""
    for group in [*(g for g in groups if not g.closed), *(g for g in groups if g.closed)]:
        yield f"divider_add {group.title.replace(' ', '_')}"
        for signal in group.signals:
            yield f"variable_add {_path(signal)}"
            known = _format(signal) if signal.show == "names" else SURFER_FORMATS.get(signal.show)
            if known is not None:
                yield f"item_set_format {known}"
    for number, (_, ns) in enumerate(marks.named):
        yield f"marker_set_at {number} {ns * PICOSECONDS}"
    yield f"cursor_set {marks.beat_ns * PICOSECONDS}"
    yield "goto_cursor"
    end_ns = marks.start_ns + CYCLES_SHOWN * CLOCK_NS
    yield f"zoom_to {marks.start_ns * PICOSECONDS} {end_ns * PICOSECONDS}"


def surfer_link(url: str, commands: Sequence[str]) -> str:
    """The address that opens waves in Surfer's web build; they must lie at a `url` that it reaches.

    Without the names of values, which the web build has no folder for.
    """
    plain = [each for each in commands if not each.startswith("item_set_format conv_")]
    return (
        f"https://app.surfer-project.org/?load_url={quote(url, safe='')}"
        f"&startup_commands={quote(';'.join(plain), safe='')}"
    )
