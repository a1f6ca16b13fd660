"""The command line: what it writes, and one clear sentence for what it refuses."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conv_core.models.layer import Layer, LayerCase
from conv_core.models.layer_files import write_layer
from conv_core.models.requantisation import result
from conv_core.tb.paths import ROOT

SUMMARY_FIELDS = {
    *("name", "status", "macs", "cycles", "cycles_limit", "cycles_model", "utilisation"),
    *("efficiency", "pieces", "mismatches", "simulator", "array", "seed", "wall_s"),
}
ANSWER_SECONDS = 4.0


def tb(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "conv_core", *map(str, words)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def case_of(name: str, *, requantise: bool = True, size: int = 5) -> LayerCase:
    rng = np.random.default_rng(60)
    layer = Layer(1, size, size, 8, 8, (3, 3), pads=(1, 1, 1, 1), requantise=requantise)
    return LayerCase(
        name,
        layer,
        rng.integers(-128, 128, layer.in_shape, np.int8),
        rng.integers(-128, 128, layer.weight_shape, np.int8),
        rng.integers(-1000, 1000, 8, np.int32),
        mult=np.full(8, 1 << 30, np.int32) if requantise else None,
        shift=np.full(8, -9, np.int32) if requantise else None,
    )


def test_run_writes_the_results_and_the_summary(simulator: str, tmp_path: Path) -> None:
    cases = [case_of("first"), case_of("second", requantise=False)]
    (tmp_path / "in").mkdir()
    for case in cases:
        write_layer(tmp_path / "in" / f"{case.name}.npz", case)
    out = tmp_path / "out"
    done = tb("run", tmp_path / "in", "--out", out, "--sim", simulator, "--array", "8x8")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASS: 2 of 2 right" in done.stdout
    summary = json.loads((out / "summary.json").read_text())
    assert [set(entry) for entry in summary] == [SUMMARY_FIELDS] * 2
    for case, entry, field in zip(cases, summary, ("y", "acc"), strict=True):
        assert entry["name"] == case.name
        assert entry["status"] == "PASS"
        assert entry["simulator"] == simulator
        assert entry["array"] == "8x8"
        assert entry["cycles"] == entry["cycles_model"] >= entry["cycles_limit"]
        with np.load(out / f"{case.name}.npz") as archive:
            assert list(archive) == [field]
            assert np.array_equal(archive[field], result(case))
    assert sorted(p.name for p in out.iterdir()) == ["first.npz", "second.npz", "summary.json"]


def test_a_wrong_expectation_fails_and_the_values_stay_those_of_the_rtl(tmp_path: Path) -> None:
    case = case_of("layer")
    write_layer(tmp_path / "layer.npz", case)
    with np.load(tmp_path / "layer.npz") as archive:
        fields = dict(archive)
    wrong = result(case).copy()
    wrong[0, 4, 3, 2] ^= 1
    np.savez(tmp_path / "layer.npz", **fields, y=wrong)
    done = tb("run", tmp_path / "layer.npz", "--out", tmp_path / "out", "--sim", "verilator")
    assert done.returncode == 1
    assert "layer layer: 1 of 200 values differ from the file's y" in done.stderr
    assert "frame 0, row 4, column 3, channel 2, beat " in done.stderr
    assert json.loads((tmp_path / "out" / "summary.json").read_text())[0]["status"] == "FAIL"
    with np.load(tmp_path / "out" / "layer.npz") as archive:
        assert np.array_equal(archive["y"], result(case))


Spoiler = Callable[[Path], list[str | Path]]


def _without(field: str) -> Spoiler:
    def spoil(folder: Path) -> list[str | Path]:
        with np.load(folder / "good.npz") as archive:
            np.savez(folder / "bad.npz", **{k: v for k, v in archive.items() if k != field})
        return []

    return spoil


def _with(**changed: Any) -> Spoiler:
    def spoil(folder: Path) -> list[str | Path]:
        with np.load(folder / "good.npz") as archive:
            np.savez(folder / "bad.npz", **{**archive, **changed})
        return []

    return spoil


def _words(*words: str) -> Spoiler:
    return lambda _: list(words)


def _text_file(folder: Path) -> list[str | Path]:
    (folder / "bad.npz").write_text("not a layer")
    return []


def _nothing(_: Path) -> list[str | Path]:
    return []


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (_without("w"), "bad.npz: w: missing"),
        (_without("shift"), "bad.npz: mult: shift is missing"),
        (_with(stride=np.array([1, 9])), "bad.npz: stride: 9 is not in 1 to 4"),
        (_with(bias=np.zeros(9, np.int32)), "bad.npz: bias: its shape is (9,)"),
        (_with(biass=np.zeros(8, np.int32)), "bad.npz: biass: there is no such field"),
        (_text_file, "bad.npz: this is not an .npz file"),
        (_nothing, "bad.npz: there is no such file"),
        (_words("--array", "16by16"), "'16by16' is not lanes in x lanes out"),
        (_words("--array", "5x5"), "lanes_in: 5 is not one of 4, 8, 16, 32"),
        (_words("--sim", "modelsim"), "there is no simulator 'modelsim'"),
        (_words("--stall", "some"), "there is no stall profile 'some'; there are none, light"),
        (_words("--stall", "no.traffic"), "no.traffic: there is no recorded traffic"),
        (_words("--record", "a.txt"), "a.txt: recorded traffic goes to a file *.traffic"),
        (_words("--rules=-tkep"), "there is no rule '-tkep'; there are x-control, "),
        (_words("--seed", "x"), "'x' is not a number"),
        (_words("--speed", "9"), "unrecognized arguments: --speed"),
    ],
)
def test_bad_input_is_refused_in_a_sentence_and_nothing_is_written(
    spoil: Spoiler, sentence: str, tmp_path: Path
) -> None:
    write_layer(tmp_path / "good.npz", case_of("good"))
    more = spoil(tmp_path)
    layers = [tmp_path / "good.npz", *([] if more else [tmp_path / "bad.npz"])]
    done = tb("run", *layers, "--out", tmp_path / "out", *more)
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("icarus", "Icarus Verilog is not installed"), ("verilator", "Verilator needs make, g++")],
)
def test_a_simulator_that_is_not_installed_is_named(
    name: str, sentence: str, tmp_path: Path
) -> None:
    write_layer(tmp_path / "layer.npz", case_of("layer"))
    done = tb("run", tmp_path / "layer.npz", "--out", tmp_path / "out", "--sim", name, PATH="")
    assert done.returncode == 1
    assert sentence in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_layer_of_15000_cycles_answers_within_4_seconds_once_built(tmp_path: Path) -> None:
    write_layer(tmp_path / "layer.npz", case_of("layer", size=38))
    words = ("run", tmp_path / "layer.npz", "--out", tmp_path / "out", "--sim", "verilator")
    assert tb(*words, "--array", "8x8").returncode == 0
    # Processor time, which other tests on the same machine do not change: the wait on an idle one.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert tb(*words, "--array", "8x8").returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    cycles = json.loads((tmp_path / "out" / "summary.json").read_text())[0]["cycles"]
    assert cycles >= 12_000
    assert seconds < ANSWER_SECONDS
