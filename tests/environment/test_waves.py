"""Waves of a run, and the view that GTKWave opens."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from models.core_config import CoreConfig
from models.layer import Layer, LayerCase
from models.layer_file import save
from models.requantisation import result
from tb import waves
from tb.runner import ROOT
from tests.environment.test_cli import tb

CORE, ENGINE, BENCH = (
    path.read_text()
    for path in (
        *(ROOT / "rtl" / name for name in ("conv_core.v", "engine.v")),
        ROOT / "tb" / "verilog" / "conv_bench.v",
    )
)
GROUPS = ("clock", "activations", "weights", "results", "array", "registers")


def wrong_case() -> LayerCase:
    """A layer whose file expects something else in beat 3 of its results."""
    rng = np.random.default_rng(80)
    layer = Layer(1, 2, 3, 4, 4, (1, 1), requantise=True)
    case = LayerCase(
        "layer",
        layer,
        rng.integers(-128, 128, layer.in_shape, np.int8),
        rng.integers(-128, 128, layer.weight_shape, np.int8),
        rng.integers(-1000, 1000, 4, np.int32),
        mult=np.full(4, 1 << 30, np.int32),
        shift=np.full(4, -7, np.int32),
    )
    expected = result(case).copy()
    expected[0, 1, 0, 2] ^= 1
    fields = {name: getattr(case, name) for name in case.__dataclass_fields__}
    return LayerCase(**{**fields, "expected_y": expected})


def test_every_signal_of_the_view_is_one_of_the_core_or_the_bench(tmp_path: Path) -> None:
    view = waves.write_view(tmp_path, CoreConfig.from_array("4x4"), None).read_text()
    shown = re.findall(r"^conv_bench\.(u_core\.)?(u_engine\.)?(\w+)", view, re.MULTILINE)
    assert len(shown) > 30
    for core, engine, name in shown:
        declared = rf"^ *(?:input|output|wire|reg)\b[^/\n]*\b{name}\b(?! *\()"
        assert re.search(declared, ENGINE if engine else CORE if core else BENCH, re.M), name


@pytest.mark.skipif(shutil.which("fst2vcd") is None, reason="GTKWave is for people with a screen")
def test_the_marker_stands_on_the_first_wrong_beat(
    simulator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONV_LAST_RUN", str(tmp_path / "last_run.json"))
    save(tmp_path / "layer.npz", wrong_case())
    words = ("--sim", simulator, "--array", "4x4", "--waves", "--out", tmp_path / "out")
    done = tb("run", tmp_path / "layer.npz", *words)
    assert done.returncode == 1
    time_ns = int(done.stderr.split("beat 3, ")[1].split(" ns")[0])

    folder = Path(json.loads((tmp_path / "last_run.json").read_text())["folder"])
    view = (folder / "waves.gtkw").read_text()
    assert all(f"-{group}\n" in view for group in GROUPS)
    assert f"*-16.000000 {time_ns * 1000} " in view

    dump = subprocess.run(
        ["fst2vcd", folder / "waves.fst"], capture_output=True, text=True, check=True
    ).stdout
    names = [line.split(" ")[4] for line in dump.splitlines() if line.startswith("$var")]
    shown = [
        line.split(".")[-1].split("[")[0] for line in view.splitlines() if "conv_bench." in line
    ]
    assert shown
    assert set(shown) - {""} <= set(names)
    assert f"#{time_ns * 1000}\n" in dump
    shutil.rmtree(folder)
