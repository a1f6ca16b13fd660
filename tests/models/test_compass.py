"""Every int8 layer of real networks, classified against each runtime.

Those of a package are always run; `NETWORKS="a.tflite b.tflite"` adds others.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from conv_core.models.network.compass import (
    REFERENCE,
    Report,
    first_divergence,
    probe,
    survey,
    table,
)
from conv_core.models.network.runtimes import (
    RUNTIMES,
    Answer,
    Call,
    LiteRtReference,
    LiteRtXnnpack,
    OnnxRuntime,
    Runtime,
    RuntimeMissingError,
    TfliteMicro,
)
from conv_core.models.network.tflite_operators import LAYERS, Network, NotATfliteFileError
from tests.requantising import draw_scales, near_ties, tflite_operator
from tests.tflite_layers import wake_word_networks

SEED = 21
FRAMES = 30
PROBED = 20_000
"""results of each fully connected layer, at least"""
NETWORKS = [*wake_word_networks(), *map(Path, os.environ.get("NETWORKS", "").split())]
FOLLOWED = {
    (LiteRtReference.name, "FULLY_CONNECTED"): "single",
    LiteRtReference.name: "tflite",
    LiteRtXnnpack.name: "float",
    TfliteMicro.name: "tflite",
    OnnxRuntime.name: "float",
}
"""the rule of each runtime's layers, and of one of its operators"""


def followed(runtime: str, operator: str) -> str:
    return FOLLOWED.get((runtime, operator), FOLLOWED[runtime])


def surveyed(path: Path) -> tuple[Network, list[Report]]:
    rng = np.random.default_rng(SEED)
    print(f"seed {SEED}")
    network = Network.read(path)
    frames = [
        [rng.integers(-128, 128, shape).astype(dtype) for shape, dtype in network.inputs()]
        for _ in range(FRAMES)
    ]
    return network, survey(network, frames)


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.stem)
def test_every_layer_of_a_network_is_explained_for_every_runtime(path: Path) -> None:
    network, reports = surveyed(path)
    print(table(reports))
    layers = [each for each in reports if each.operator.name in LAYERS]
    assert len(layers) == sum(each.name in LAYERS for each in network.operators) >= 10
    for report in layers:
        for runtime in (each.name for each in RUNTIMES):
            verdict = report.verdicts[runtime]
            assert not verdict.refusal, (runtime, report.operator)
            assert followed(runtime, report.operator.name) in verdict.rules, str(verdict)
        assert not report.unexplained()
    for report in reports:
        assert report.verdicts[REFERENCE].differs == 0
        by_two_rules = report.operator.name == "FULLY_CONNECTED"
        assert by_two_rules or TfliteMicro.name in report.agreeing()
    first = first_divergence(reports, REFERENCE, LiteRtXnnpack.name)
    parted = [each for each in reports if each.verdicts[LiteRtXnnpack.name].differs]
    assert (first is None) == (not parted)
    assert first is None or first.operator.number == parted[0].operator.number


def test_fully_connected_layers_follow_four_runtimes_by_their_rules() -> None:
    rng = np.random.default_rng(SEED)
    print(f"seed {SEED}")
    misses = {"tflite": 0, "single": 0}
    beside_ties = Network("beside ties", one_operator()[0])
    for network in (*map(Network.read, NETWORKS), beside_ties):
        for operator in (each for each in network.operators if each.name == "FULLY_CONNECTED"):
            entry, end = (
                network.graph.tensors[index].shape.tolist()
                for index in (operator.inputs[0], operator.outputs[0])
            )
            count = -(-PROBED // int(np.prod(end)))
            inputs = [rng.integers(-128, 128, entry).astype(np.int8) for _ in range(count)]
            report = probe(network, operator, inputs)
            assert report.values >= PROBED
            print(f"{network.name}: {report.values} results")
            for runtime, verdict in report.verdicts.items():
                print(f"  {runtime}: {verdict.wrong}")
                assert verdict.wrong[followed(runtime, operator.name)] == 0
            for rule in misses:
                misses[rule] += report.verdicts[REFERENCE].wrong[rule]
    assert misses["single"] == 0 < misses["tflite"]


def one_operator(operator: str = "FULLY_CONNECTED") -> tuple[bytes, NDArray[np.int8]]:
    rng = np.random.default_rng(1)
    scales = draw_scales(rng, 500, per_channel=True, exponents=(-12, -6))
    return tflite_operator(operator, scales, near_ties(rng, scales), 3)


def test_tensors_that_are_off_by_one_are_explained_by_no_rule() -> None:
    model, x = one_operator()
    network = Network("one", model)

    class OffByOne(LiteRtReference):
        name = "off by one"

        def run(self, calls: list[Call]) -> list[Answer]:  # type: ignore[override]
            return [Answer(outputs=[each.outputs[0] ^ 1]) for each in super().run(calls)]

    (report,) = survey(network, [[x]], [LiteRtReference, OffByOne])
    assert report.unexplained() == ["off by one"]
    assert report.agreeing() == [REFERENCE]
    assert "none: " in str(report.verdicts["off by one"])
    assert first_divergence([report], "off by one", REFERENCE) is report
    assert "off by one first differs from LiteRT reference at 0 FULLY_CONNECTED" in table([report])


def test_a_runtime_that_is_not_installed_is_named() -> None:
    class Absent(LiteRtReference):
        name = "Absent"
        package = "absent-runtime"
        module = "absent_runtime"

    with pytest.raises(
        RuntimeMissingError, match=r"^Absent is not installed: pip install absent-ru"
    ):
        Absent().run([])


@pytest.mark.parametrize("runtime", [LiteRtReference, TfliteMicro, OnnxRuntime])
def test_a_model_that_a_runtime_refuses_stops_no_other(runtime: type[Runtime]) -> None:
    model, x = one_operator()
    good = Call(model, [[x]])
    bad = Call(b"\0\0\0\0TFL3 and no more", [[x]])
    answers = runtime().run([bad, good] if runtime.form == "tflite" else [bad])
    assert answers[0].refusal
    assert all(each.outputs[0].shape == (1, 1, 500) for each in answers[1:])


def test_files_that_are_no_networks_are_named(tmp_path: Path) -> None:
    path = tmp_path / "x.tflite"
    path.write_bytes(b"no network")
    with pytest.raises(NotATfliteFileError, match="no TensorFlow Lite file"):
        Network.read(path)
    path.write_bytes(one_operator()[0][:60])
    with pytest.raises(NotATfliteFileError, match="cut short or damaged"):
        Network.read(path)
