"""Waves of a run, and what viewers are told to show of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import numpy as np
import pytest
import pywellen

from conv_core.models.convolution import accumulate
from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer, LayerCase
from conv_core.models.layer_files import write_layer
from conv_core.models.requantisation import result
from conv_core.tb.core.signals import CoreSignals
from conv_core.tb.runs.layers import run_layers
from conv_core.tb.waves.prepare import prepare
from conv_core.tb.waves.view import COMMANDS, FILE, LINK, MAPPINGS, VIEW
from conv_core.tb.waves.viewers import CHOICE, Viewer, WavesError, find_viewer
from tests.environment.test_cli import conv_core

CONFIG = CoreConfig.from_array("4x4")
PIXELS_PER_FRAME = 200
"""the unit in which GTKWave's zoom counts (`pixelsperframe` in its zoombuttons.c)"""
BORDERS = 80
"""what GTKWave 3.3 takes of its window beside signals and waves, measured on a picture of it, and
rounded up"""
PLACE = (0, 1, 0, 2)
BEAT = 3


def case_of(name: str = "layer") -> LayerCase:
    """(2, 3, 4) * (1, 1, 4, 4): each result pixel is a beat of 4 bytes."""
    rng = np.random.default_rng(80)
    layer = Layer(1, 2, 3, 4, 4, (1, 1), requantise=True)
    return LayerCase(
        name,
        layer,
        rng.integers(-128, 128, layer.in_shape, np.int8),
        rng.integers(-128, 128, layer.weight_shape, np.int8),
        rng.integers(-1000, 1000, 4, np.int32),
        mult=np.full(4, 1 << 30, np.int32),
        shift=np.full(4, -7, np.int32),
    )


def wrong_case(name: str = "layer") -> LayerCase:
    """A layer whose file expects something else in beat 3 of its results."""
    case = case_of(name)
    expected = result(case).copy()
    expected[PLACE] ^= 1
    return replace(case, expected_y=expected)


# -------------------------------------------------------------------------------- what files say
@dataclass(frozen=True)
class Trace:
    """A line of GTKWave's save file."""

    path: str
    bits: int
    alias: str
    flags: int
    names: Path | None


class SaveFile:
    """GTKWave's save file, and what of the waves its window shows."""

    def __init__(self, path: Path) -> None:
        self.text = path.read_text()
        (numbers,) = re.findall(r"^\*(.*)$", self.text, re.MULTILINE)
        zoom, self.marker, *self.named = (float(number) for number in numbers.split())
        ticks_per_pixel = 2**-zoom / PIXELS_PER_FRAME
        (width, _) = self._numbers("size")
        (signals,) = self._numbers("signals_width")
        (self.left,) = self._numbers("timestart")
        self.right = self.left + (width - signals - BORDERS) * ticks_per_pixel
        self.pixels_per_cycle = 10_000 / ticks_per_pixel

    def _numbers(self, key: str) -> list[int]:
        (line,) = re.findall(rf"^\[{key}\] (.*)$", self.text, re.MULTILINE)
        return [int(number) for number in line.split()]

    def traces(self) -> Iterator[Trace]:
        flags, names = 0, None
        for line in self.text.splitlines():
            if line.startswith("@"):
                flags = int(line[1:], 16)
            elif line.startswith("^"):
                number, _, path = line[1:].partition(" ")
                names = None if number == "0" else Path(path)
            elif match := re.fullmatch(r"\+\{(.*)\} ([\w.]+)(?:\[(\d+):0\])?", line):
                alias, path, highest = match.groups()
                yield Trace(path, int(highest or 0) + 1, alias, flags, names)


class Waves:
    """A dump, and the value of a watched signal at a time in picoseconds."""

    def __init__(self, path: Path) -> None:
        self.variables = {
            re.sub(r"\s*\[.*", "", v.full_name): v for v in pywellen.Waveform(str(path)).all_vars()
        }

    def at(self, name: str, time: float, *, signed: bool = False) -> int:
        variable = self.variables[f"conv_bench.u_watch.{name}"]
        value = int(variable.signal.value_at(int(time)))
        bits = variable.bitwidth or 1
        return value - (1 << bits) if signed and value >> (bits - 1) else value


def recorded(case: LayerCase, simulator: str, folder: Path) -> tuple[SaveFile, Waves]:
    results = run_layers([case], CONFIG, simulator, waves=True, out_dir=folder)
    prepare(folder, CONFIG, [case], results, CoreSignals(CONFIG))
    return SaveFile(folder / VIEW), Waves(folder / FILE)


# -------------------------------------------------------------------------------- GTKWave
def test_a_passing_run_opens_on_its_first_beat(simulator: str, tmp_path: Path) -> None:
    view, waves = recorded(case_of(), simulator, tmp_path)
    assert view.left < view.marker < view.right
    assert view.named == [-1] * len(view.named)
    streams = ("act", "wgt", "out")
    taken = [
        waves.at(f"{s}_tvalid", view.marker) & waves.at(f"{s}_tready", view.marker) for s in streams
    ]
    assert any(taken)
    assert [waves.at(f"{s}_beat", view.marker) for s in streams] == [0, 0, 0]
    for trace in view.traces():
        variable = waves.variables[trace.path]
        assert trace.bits == (variable.bitwidth or 1), trace


def test_make_waves_repeats_the_wrong_layer_and_shows_the_beat_and_where_it_comes_from(
    simulator: str, tmp_path: Path
) -> None:
    write_layer(tmp_path / "a.npz", case_of("a"))
    write_layer(tmp_path / "b.npz", wrong_case("b"))
    asked = tmp_path / "asked"
    viewer = tmp_path / "gtkwave"
    viewer.write_text(f'#!/bin/sh\necho "$@" > {asked}.partial && mv {asked}.partial {asked}\n')
    viewer.chmod(0o755)
    environment = {
        "CONV_LAST_RUN": str(tmp_path / "last_run.json"),
        "DISPLAY": ":0",
        CHOICE: str(viewer),
    }
    words = ("--sim", simulator, "--array", "4x4", "--out", tmp_path / "out")
    done = conv_core("run", tmp_path / "a.npz", tmp_path / "b.npz", *words, **environment)
    assert done.returncode == 1
    assert f"result beat {BEAT}; cycle 0 ends at" in done.stderr
    before = sorted(path.name for path in (tmp_path / "out").iterdir())
    shown = conv_core("waves", **environment)
    assert shown.returncode == 0, shown.stderr
    assert "it is repeated with them --only b" in shown.stdout
    assert "0 of 1 right" in shown.stdout
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == before
    assert len(json.loads((tmp_path / "out" / "summary.json").read_text())) == 2

    folder = Path(json.loads((tmp_path / "last_run.json").read_text())["folder"])
    while not asked.exists():  # the viewer runs on its own
        os.sched_yield()
    assert asked.read_text().split() == ["--dump", str(folder / FILE), "--save", str(folder / VIEW)]
    view, waves = SaveFile(folder / VIEW), Waves(folder / FILE)
    assert view.left < view.marker < view.right
    assert view.pixels_per_cycle >= len("-128") * 7
    assert waves.at("out_beat", view.marker) == BEAT
    assert waves.at("out_tvalid", view.marker) == waves.at("out_tready", view.marker) == 1
    case = wrong_case()
    for lane in range(4):
        value = waves.at(f"int8_{lane}", view.marker, signed=True)
        assert value == result(case)[(*PLACE[:3], lane)]

    left, begun, *rest = view.named
    assert rest == [-1] * 24
    assert begun < left < view.marker
    assert waves.at("sums_leave", left) == 1
    for lane in range(4):
        total = accumulate(case)[(*PLACE[:3], lane)] - case.bias[lane]
        assert waves.at(f"sum_{lane}", left, signed=True) == total
    named = {trace.alias: trace for trace in view.traces() if trace.names is not None}
    assert waves.at("step_valid", begun) == 1
    position = {"frame": "0", "row": "1", "column": "0", "filters": "0+4", "kernel row": "0"}
    for alias, text in {**position, "chunk": "0", "step": "MAC"}.items():
        assert name_of(waves, named[alias], begun) == text
    subprocess.run(["rm", "-r", folder], check=True)


def name_of(waves: Waves, trace: Trace, time: float) -> str:
    """What GTKWave shows: it looks for the value as it would print it, in hexadecimal digits."""
    assert trace.names is not None
    names = dict(line.split(" ", 1) for line in trace.names.read_text().splitlines())
    value = waves.at(trace.path.rpartition(".")[2], time)
    return names[f"{value:0{-(-trace.bits // 4)}x}"]


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SaveFile, Waves]:
    """A failing run on Icarus."""
    folder = tmp_path_factory.mktemp("waves")
    return folder, *recorded(wrong_case(), "icarus", folder)


def test_signals_are_grouped_values_are_decimals_and_what_is_secondary_is_closed(
    view: tuple[Path, SaveFile, Waves],
) -> None:
    _, file, _ = view
    groups = re.findall(r"^@([8c]00200)\n-(.*)$", file.text, re.MULTILINE)
    assert groups == [
        ("800200", "time"),
        ("800200", "results"),
        ("800200", "position of the step"),
        ("800200", "accumulator"),
        ("800200", "finisher"),
        ("c00200", "lanes in"),
        ("c00200", "control"),
        ("800200", "activations"),
        ("800200", "weights"),
        ("c00200", "held by the bench"),
    ]
    traces = {trace.alias: trace for trace in file.traces()}
    decimal, signed = 0x004, 0x400
    for lane in range(4):
        assert traces[f"int8 {lane}"].flags & signed
        assert traces[f"sum {lane}"].flags & signed
        assert traces[f"lane {lane}"].flags & signed
    assert "int32 0" not in traces  # this layer's results are int8
    for stream in ("act", "wgt", "out"):
        assert traces[f"{stream} beat"].flags & decimal
    for alias, name in {"core": "halted", "rows program": "BAND_2", "write of": "CTRL"}.items():
        names = traces[alias].names
        assert names is not None
        assert f" {name}\n" in names.read_text()


def test_the_marks_are_named_in_the_save_file(view: tuple[Path, SaveFile, Waves]) -> None:
    _, file, _ = view
    assert "[markername] Avalue leaves the array\n" in file.text
    assert "[markername] Bwindow begins\n" in file.text
    assert f"[*] first wrong beat: {int(file.marker) // 1000} ns\n" in file.text


def test_on_icarus_the_recording_may_begin_late(tmp_path: Path) -> None:
    start_ns = 4_600  # the beats come at about 4,800 ns
    run_layers(
        [case_of()],
        CONFIG,
        "icarus",
        waves=True,
        out_dir=tmp_path,
        plus_args=[f"+waves_from={start_ns}"],
    )
    waves = Waves(tmp_path / FILE)
    for name in ("clk", "out_beat"):
        changes = list(waves.variables[f"conv_bench.u_watch.{name}"].signal)
        assert len(changes) >= 6
        assert changes[0][0] == start_ns * 1000


# -------------------------------------------------------------------------------- Surfer
def test_surfer_gets_the_same_signals_marks_and_names(view: tuple[Path, SaveFile, Waves]) -> None:
    folder, file, waves = view
    commands = (folder / COMMANDS).read_text().splitlines()
    words = [command.split() for command in commands]
    added = [command[1] for command in words if command[0] == "variable_add"]
    assert set(added) == {trace.path for trace in file.traces()}
    assert set(added) <= waves.variables.keys()
    marks = [float(command[2]) for command in words if command[0] == "marker_set_at"]
    assert marks == [file.marker, *file.named[:2]]
    ((_, cursor),) = (command for command in words if command[0] == "cursor_set")
    assert float(cursor) == file.marker
    ((_, start, end),) = (command for command in words if command[0] == "zoom_to")
    assert float(start) < file.marker < float(end)
    formats = {command[1] for command in words if command[0] == "item_set_format"}
    known = {
        path.read_text().splitlines()[0].removeprefix("Name = ")
        for path in (folder / MAPPINGS).iterdir()
    }
    assert formats == known | {"Signed", "Unsigned", "Hexadecimal"}
    mapping = (folder / MAPPINGS / "conv_step.txt").read_text().splitlines()
    assert mapping[1:3] == ["Bits = 4", "0x0 -"]
    assert "0x8 MAC" in mapping


def test_the_link_for_surfers_web_build_carries_the_commands(
    view: tuple[Path, SaveFile, Waves],
) -> None:
    folder, file, _ = view
    link = urlparse((folder / LINK).read_text().strip())
    assert link.netloc == "app.surfer-project.org"
    query = parse_qs(link.query)
    assert query["load_url"] == ["URL"]
    commands = query["startup_commands"][0].split(";")
    assert f"cursor_set {int(file.marker)}" in commands
    assert "variable_add conv_bench.u_watch.int8_0" in commands


# -------------------------------------------------------------------------------- programs
def program(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_gtkwave_comes_first_then_surfer_and_the_variable_before_both(tmp_path: Path) -> None:
    surfer = program(tmp_path / "a", "surfer")
    gtkwave = program(tmp_path / "b", "gtkwave")
    other = program(tmp_path / "c", "other")
    path = f"{tmp_path / 'a'}:{tmp_path / 'c'}"
    screen = {"DISPLAY": ":0", "PATH": path}
    assert find_viewer(screen).path == str(surfer)
    assert find_viewer({**screen, "PATH": f"{path}:{tmp_path / 'b'}"}).path == str(gtkwave)
    assert find_viewer({**screen, CHOICE: "other"}).path == str(other)
    folder = tmp_path / "run"
    waves = str(folder / FILE)
    assert Viewer(str(surfer)).command(folder)[1:] == [
        waves,
        "--command-file",
        str(folder / COMMANDS),
    ]
    assert Viewer(str(other)).command(folder)[1:] == [waves]


def test_a_viewer_or_a_display_that_is_missing_is_named(tmp_path: Path) -> None:
    program(tmp_path / "a", "gtkwave")
    with pytest.raises(WavesError, match="there is no viewer for waves: install GTKWave"):
        find_viewer({"DISPLAY": ":0", "PATH": str(tmp_path)})
    with pytest.raises(
        WavesError, match="COCOTB_WAVEFORM_VIEWER names other, which is not on PATH"
    ):
        find_viewer({"DISPLAY": ":0", "PATH": str(tmp_path / "a"), CHOICE: "other"})
    with pytest.raises(WavesError, match="gtkwave has no display"):
        find_viewer({"PATH": str(tmp_path / "a")})
    assert find_viewer({"WAYLAND_DISPLAY": "wayland-0", "PATH": str(tmp_path / "a")})


def test_waves_looks_for_viewer_and_display_before_it_simulates(tmp_path: Path) -> None:
    last = tmp_path / "last_run.json"
    last.write_text(json.dumps({"folder": str(tmp_path), "arguments": ["question"]}))
    gtkwave = str(program(tmp_path / "a", "gtkwave"))
    for environment, words in (
        ({"DISPLAY": "", "WAYLAND_DISPLAY": "", CHOICE: gtkwave}, "has no display"),
        ({"DISPLAY": ":0", CHOICE: "nothing"}, "which is not on PATH"),
    ):
        done = conv_core("waves", CONV_LAST_RUN=str(last), **environment)
        assert done.returncode == 1
        assert words in done.stderr
        assert done.stdout == ""
