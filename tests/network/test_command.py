"""`python -m conv_core network`: what it shows, what it writes, and its exit status."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from conv_core.commands import cli, last_run
from conv_core.models.network.runtimes import Call, LiteRtReference
from tests.network.chains import CLASSES, small_network

FRAMES = 3


def test_the_answers_of_several_frames_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_run, "FILE", tmp_path / "last_run.json")
    rng = np.random.default_rng(3)
    model = small_network("int8", rng)
    (x,) = model.inputs
    frames = rng.integers(-128, 128, (FRAMES, *x.shape[1:]), np.int8)
    path, image, out = tmp_path / "small.tflite", tmp_path / "x.npy", tmp_path / "out"
    path.write_bytes(model.content)
    np.save(image, frames)
    words = ["network", str(path), "--input", str(image), "--out", str(out), "--jobs", "2"]
    words += ["--sim", "icarus", "--array", "4x4"]
    assert cli.main(words) == 0

    (answer,) = LiteRtReference().run([Call(model.content, [[frame[None]] for frame in frames])])
    with np.load(out / "small.npz") as stored:
        np.testing.assert_array_equal(stored["y"], answer.outputs[0])
        assert stored["y"].shape == (FRAMES, 1, CLASSES)
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["status"], summary["frames"], summary["compared"]) == ("PASS", FRAMES, True)
    on_core = [each for each in summary["operators"] if each["cycles"]]
    assert sum(each["cycles"] for each in on_core) == summary["cycles"]
    assert [each["kind"] for each in on_core][-1] == "FULLY_CONNECTED"
    said = capsys.readouterr().out
    assert f"PASS: {FRAMES} frames, equal to LiteRT reference; {summary['cycles']:,} cycles" in said

    (out / "summary.json").write_text("mine")
    assert cli.main(words) == 1
    assert "is not a result of an earlier run" in capsys.readouterr().err
    assert (out / "summary.json").read_text() == "mine"
