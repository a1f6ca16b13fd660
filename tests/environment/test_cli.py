"""The command line: what it writes, and one clear sentence for what it refuses."""

from __future__ import annotations

import json
import os
import re
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
    *("efficiency", "pieces", "mismatches", "simulator", "array", "seed", "wall_s", "message"),
}
ANSWER_SECONDS = 4.0


def conv_core(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
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
    done = conv_core("run", tmp_path / "in", "--out", out, "--sim", simulator, "--array", "8x8")
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
    done = conv_core("run", tmp_path / "layer.npz", "--out", tmp_path / "out", "--sim", "verilator")
    assert done.returncode == 1
    assert "layer layer: 1 of 200 values differ from the file's y" in done.stderr
    assert "frame 0, row 4, column 3, channel 2, beat " in done.stderr
    assert json.loads((tmp_path / "out" / "summary.json").read_text())[0]["status"] == "FAIL"
    with np.load(tmp_path / "out" / "layer.npz") as archive:
        assert np.array_equal(archive["y"], result(case))


def _npz(folder: Path, **changed: Any) -> Path:
    """A layer file with other fields; a field that is None is left out."""
    write_layer(folder / "good.npz", case_of("good"))
    with np.load(folder / "good.npz") as archive:
        fields = {**archive, **changed}
    np.savez(folder / "bad.npz", **{k: v for k, v in fields.items() if v is not None})
    return folder / "bad.npz"


def _text(folder: Path) -> Path:
    (folder / "bad.npz").write_text("not a layer")
    return folder / "bad.npz"


REFUSALS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "no-w": (lambda f: _npz(f, w=None), "bad.npz: w: missing"),
    "no-shift": (lambda f: _npz(f, shift=None), "bad.npz: mult: shift is missing"),
    "stride": (lambda f: _npz(f, stride=np.array([1, 9])), "bad.npz: stride: 9 is not in 1 to 4"),
    "bias": (lambda f: _npz(f, bias=np.zeros(9, np.int32)), "bad.npz: bias: its shape is (9,)"),
    "misspelt": (lambda f: _npz(f, biass=np.zeros(8)), "bad.npz: biass: there is no such field"),
    "text": (_text, "bad.npz: this is not an .npz file"),
    "missing": (lambda f: f / "bad.npz", "bad.npz: there is no such file"),
    "too-large": (
        lambda f: _npz(f, x=np.zeros((1, 5, 70000, 8), np.int8)),
        "bad.npz: x (W): 70000 is not in 1 to",
    ),
}


def test_what_cannot_be_read_or_run_is_refused_by_name_and_the_others_run(tmp_path: Path) -> None:
    names = []
    for name, (spoil, _) in REFUSALS.items():
        (tmp_path / "in" / name).mkdir(parents=True)
        spoilt = spoil(tmp_path / "in" / name)
        (tmp_path / "in" / name / "good.npz").unlink(missing_ok=True)
        if spoilt.exists():
            spoilt.rename(tmp_path / "in" / f"{name}-bad.npz")
            names.append(f"{name}-bad")
    write_layer(tmp_path / "in" / "right.npz", case_of("right"))
    missing = tmp_path / "in" / "missing-bad.npz"
    out = tmp_path / "out"
    done = conv_core("run", tmp_path / "in", missing, "--out", out, "--sim", "verilator")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for name, (_, sentence) in REFUSALS.items():
        assert sentence.replace("bad.npz", f"{name}-bad.npz") in done.stderr
    summary = {entry["name"]: entry for entry in json.loads((out / "summary.json").read_text())}
    assert summary.pop("right")["status"] == "PASS"
    assert set(summary) == {*names, "missing-bad"}
    for name, entry in summary.items():
        assert set(entry) == SUMMARY_FIELDS
        assert entry["status"] == "REFUSED"
        sentence = REFUSALS[name.removesuffix("-bad")][1]
        assert sentence.partition(": ")[2] in entry["message"]
    assert f"FAIL: 1 of {len(REFUSALS) + 1} right" in done.stdout
    assert sorted(path.name for path in out.iterdir()) == ["right.npz", "summary.json"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--array", "16by16"), "'16by16' is not lanes in x lanes out"),
        (("--array", "5x5"), "lanes_in: 5 is not one of 4, 8, 16, 32"),
        (("--act-bytes", "1000"), "act_bytes: 1000 is not a power of two"),
        (("--sim", "modelsim"), "there is no simulator 'modelsim'"),
        (("--stall", "some"), "there is no stall profile 'some'; there are none, light"),
        (("--stall", "no.traffic"), "no.traffic: there is no recorded traffic"),
        (("--record", "a.txt"), "a.txt: recorded traffic goes to a file *.traffic"),
        (("--rules=-tkep",), "there is no rule '-tkep'; there are x-control, "),
        (("--seed", "x"), "SEED (--seed): 'x' is not a whole number"),
        (("--speed", "9"), "unrecognized arguments: --speed"),
    ],
)
def test_a_wrong_option_is_refused_in_a_sentence_and_nothing_is_written(
    words: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    write_layer(tmp_path / "good.npz", case_of("good"))
    done = conv_core("run", tmp_path / "good.npz", "--out", tmp_path / "out", *words)
    assert done.returncode != 0
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("variable", "sentence"),
    [
        ("COCOTB_TEST_FILTER", "LAYER names the layers to run"),
        ("GUI", "make waves shows the last run"),
        ("EXTRA_ARGS", "ACT_BYTES=n and so on"),
        ("COCOTB_PLUSARGS", "each option of make has a name of its own"),
    ],
)
def test_a_variable_of_cocotbs_that_does_nothing_is_refused(variable: str, sentence: str) -> None:
    done = conv_core("question", **{variable: "1"})
    assert done.returncode == 1
    assert f"error: {variable} has no effect here: " in done.stderr
    assert sentence in done.stderr


def test_the_seed_may_come_from_cocotbs_variable() -> None:
    words = ("question", "--sim", "verilator", "--array", "32x32")
    done = conv_core(*words, COCOTB_RANDOM_SEED="91")
    assert "seed 91" in done.stdout.splitlines()
    assert "seed 92" in conv_core(*words, "--seed", "92", COCOTB_RANDOM_SEED="91").stdout
    refused = conv_core(*words, COCOTB_RANDOM_SEED="ninety")
    assert refused.returncode == 1
    assert "COCOTB_RANDOM_SEED is 'ninety': a seed is a whole number" in refused.stderr


def test_an_input_is_never_replaced_by_its_result(tmp_path: Path) -> None:
    write_layer(tmp_path / "layer.npz", case_of("layer"))
    before = (tmp_path / "layer.npz").read_bytes()
    (tmp_path / "link").symlink_to(tmp_path)
    for out in (tmp_path, tmp_path / "link"):
        done = conv_core("run", tmp_path / "layer.npz", "--out", out, "--sim", "verilator")
        assert done.returncode == 1
        assert "layer.npz: this layer would be replaced by its own result" in done.stderr
    assert (tmp_path / "layer.npz").read_bytes() == before


def test_only_what_a_run_wrote_is_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_layer(tmp_path / "layer.npz", case_of("layer"))
    words = ("run", tmp_path / "layer.npz", "--out", out, "--sim", "verilator", "--array", "8x8")
    assert conv_core(*words).returncode == 0
    assert conv_core(*words).returncode == 0
    for name in ("layer.npz", "summary.json"):
        result = (out / name).read_bytes()
        (out / name).write_bytes(b"something else")
        done = conv_core(*words)
        assert done.returncode == 1
        assert f"{name}: this file is not a result of an earlier run" in done.stderr
        assert (out / name).read_bytes() == b"something else"
        (out / name).write_bytes(result)


def test_a_layer_without_a_result_leaves_the_one_of_an_earlier_run(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_layer(tmp_path / "layer.npz", case_of("layer"))
    words = ("run", tmp_path / "layer.npz", "--out", out, "--sim", "verilator", "--array", "8x8")
    assert conv_core(*words).returncode == 0
    before = (out / "layer.npz").read_bytes()
    (tmp_path / "layer.npz").write_text("no longer a layer")
    done = conv_core(*words)
    assert done.returncode == 1
    assert "layer.npz is of an earlier run" in done.stderr
    assert (out / "layer.npz").read_bytes() == before


def test_the_core_can_be_built_as_a_message_advises(tmp_path: Path) -> None:
    rng = np.random.default_rng(61)
    layer = Layer(1, 4, 64, 64, 8, (3, 1))
    case = LayerCase(
        "wide",
        layer,
        rng.integers(-128, 128, layer.in_shape, np.int8),
        rng.integers(-128, 128, layer.weight_shape, np.int8),
        np.zeros(8, np.int32),
    )
    write_layer(tmp_path / "wide.npz", case)
    words = ("run", tmp_path / "wide.npz", "--out", tmp_path / "out", "--sim", "verilator")
    small = (*words, "--array", "8x8", "--act-bytes", "64")
    refused = conv_core(*small)
    assert refused.returncode == 1
    advised = re.search(r"raise ACT_BYTES to (\d+)", refused.stderr)
    assert advised is not None, refused.stderr
    done = conv_core(*small[:-1], advised[1])
    assert done.returncode == 0, done.stderr


def test_a_run_with_conv_build_elsewhere_leaves_the_clone_alone(tmp_path: Path) -> None:
    def files() -> dict[Path, int]:
        own = [*ROOT.glob("*"), *(ROOT / "rtl").rglob("*"), *(ROOT / "tb").rglob("*")]
        return {p: p.stat().st_mtime_ns for p in own if p.is_file() and p.suffix != ".pyc"}

    write_layer(tmp_path / "layer.npz", case_of("layer"))
    words = ("run", tmp_path / "layer.npz", "--out", tmp_path / "out", "--array", "4x4")
    before = files()
    done = conv_core(*words, CONV_BUILD=str(tmp_path / "build"), CONV_LAST_RUN="")
    assert done.returncode == 0, done.stderr
    assert files() == before
    assert list((tmp_path / "build").glob("icarus-conv_bench-*/done"))
    assert (tmp_path / "build" / "last_run.json").exists()
    assert len(list((tmp_path / "build" / "runs").iterdir())) == 1  # the last run's


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("icarus", "Icarus Verilog is not installed"), ("verilator", "Verilator needs make, g++")],
)
def test_a_simulator_that_is_not_installed_is_named(
    name: str, sentence: str, tmp_path: Path
) -> None:
    write_layer(tmp_path / "layer.npz", case_of("layer"))
    done = conv_core(
        "run", tmp_path / "layer.npz", "--out", tmp_path / "out", "--sim", name, PATH=""
    )
    assert done.returncode == 1
    assert sentence in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_layer_of_15000_cycles_answers_within_4_seconds_once_built(tmp_path: Path) -> None:
    write_layer(tmp_path / "layer.npz", case_of("layer", size=38))
    words = ("run", tmp_path / "layer.npz", "--out", tmp_path / "out", "--sim", "verilator")
    assert conv_core(*words, "--array", "8x8").returncode == 0
    # Processor time, which other tests on the same machine do not change: the wait on an idle one.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert conv_core(*words, "--array", "8x8").returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    cycles = json.loads((tmp_path / "out" / "summary.json").read_text())[0]["cycles"]
    assert cycles >= 12_000
    assert seconds < ANSWER_SECONDS
