"""Whole networks through the RTL, chained: every operator equal to LiteRT's reference kernels.

One network of a package is always run; `NETWORKS="a.tflite b.tflite"` adds others.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from conv_core.models.core_config import CoreConfig
from conv_core.models.network.files import frames_of, random_frames, read_network
from conv_core.models.network.graph import Graph
from conv_core.models.network.tflite_file import read_tflite
from conv_core.tb.runs.network import Frames, NetworkResult, run_network
from tests.network.chains import small_network
from tests.tflite_layers import wake_word_networks

SEED = 22
FRAMES = 30
"""until what streaming networks keep has filled"""
FEW_FRAMES = 2
NETWORKS = [wake_word_networks()[0], *map(Path, os.environ.get("NETWORKS", "").split())]


def check(result: NetworkResult) -> None:
    """Everything came, was compared with the runtime, and is equal."""
    print(f"seed {SEED}")
    assert result.compared, result.runtime
    wrong = [
        f"{each.operator.number} {each.operator.kind}" for each in result.operators if each.wrong
    ]
    assert not wrong, wrong
    assert result.passed
    on_core = [each for each in result.operators if each.layers]
    vary = [
        each for each in on_core if np.unique(result.tensors[0][each.operator.outputs[0]]).size > 1
    ]
    assert len(vary) >= 4
    for each in on_core:
        assert len(each.layers) == result.frames
        assert each.values == result.frames * np.prod(each.shape)
        assert each.cycles == each.layers[0].cycles_model


def run(path: Path, frames: int) -> NetworkResult:
    """Random frames through the network of a file."""
    graph = read_network(path)
    given = frames_of(graph, random_frames(graph, np.random.default_rng(SEED), frames))
    config = CoreConfig.from_array("16x16")
    return run_network(graph, given, config, "verilator", model=path.read_bytes(), seed=SEED)


def small(dtype: str) -> tuple[bytes, Graph, Frames]:
    model = small_network(dtype, np.random.default_rng([SEED, *dtype.encode()]))
    graph = read_tflite(Path(dtype), model.content)
    return model.content, graph, [{graph.inputs[0]: model.inputs[0]}]


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_a_small_network_equals_the_runtime(dtype: str, simulator: str) -> None:
    content, graph, frames = small(dtype)
    config = CoreConfig.from_array("4x4")
    result = run_network(graph, frames, config, simulator, model=content, seed=SEED)
    check(result)
    assert [each.operator.kind for each in result.operators if each.folded] == ["PAD"]


def test_an_operator_that_differs_from_the_runtime_is_wrong() -> None:
    content, graph, frames = small("int8")
    added = next(each for each in graph.operators if each.kind == "ADD")
    (output,) = added.outputs
    scales = graph.tensors[output].quantisation
    assert scales is not None
    doubled = replace(scales, scale=scales.scale * np.float32(2))
    tensors = list(graph.tensors)
    tensors[output] = replace(tensors[output], quantisation=doubled)
    graph = replace(graph, tensors=tuple(tensors))
    config = CoreConfig.from_array("4x4")
    result = run_network(graph, frames, config, "verilator", model=content, seed=SEED)
    assert not result.passed
    first = next(each for each in result.operators if each.wrong)
    assert first.operator.number == added.number
    assert first.differ > first.values // 2


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.stem)
def test_a_network_equals_the_runtime(path: Path) -> None:
    result = run(path, FEW_FRAMES)
    check(result)
    assert len(result.outputs[0]) == FEW_FRAMES


@pytest.mark.long
@pytest.mark.parametrize("path", wake_word_networks(), ids=lambda path: path.stem)
def test_a_streaming_network_equals_the_runtime_until_its_state_is_full(path: Path) -> None:
    check(run(path, FRAMES))
