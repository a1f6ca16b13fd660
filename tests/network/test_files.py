"""What can't be read or run is refused in one clear sentence, before anything runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from conv_core.commands import cli
from conv_core.models.core_config import CoreConfig
from conv_core.models.network.files import check_network, frames_of, random_frames, read_network
from conv_core.models.network.graph import Graph, NetworkError
from tests.network.chains import CHANNELS, SIZE, small_network
from tests.network.sketch import Sketch
from tests.tflite_layers import wake_word_networks

CONFIG = CoreConfig.from_array("16x16")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The file of a small int8 network."""
    path = tmp_path / "small.tflite"
    path.write_bytes(small_network("int8", np.random.default_rng(1)).content)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(NetworkError) as refused:
        check_network(read_network(path), CONFIG)
    return str(refused.value)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tflite"
    path.write_bytes(b"not a model at all")
    assert refusal(path) == (
        f"{path}: this is neither a TensorFlow Lite nor an ONNX model, or it is cut short"
    )


def test_a_file_cut_short_anywhere_is_refused(small: Path) -> None:
    content = small.read_bytes()
    for size in range(8, len(content) - 64, 97):
        small.write_bytes(content[:size])
        assert refusal(small).startswith(f"{small}: "), size
        assert "cut short" in refusal(small), size


def test_a_float_network_is_refused(tmp_path: Path) -> None:
    sketch = Sketch(np.random.default_rng(1), np.dtype(np.float32))
    x = sketch.graph.tensor((1, 3, 3, 2), np.float32, None)
    sketch.graph.inputs.append(x)
    y = sketch.operator("ADD", [x, x], (1, 3, 3, 2), None, schema.AddOptionsT())
    path = tmp_path / "floats.tflite"
    path.write_bytes(sketch.graph.finish(y))
    assert refusal(path) == (
        "floats: 1 of its operators compute in floating point (ADD); quantise the network, "
        "activations and weights, to int8 or uint8 first"
    )


def test_all_that_cannot_be_run_is_named_at_once(small: Path) -> None:
    graph = read_network(small)
    kinds = {1: "SVDF", 4: "CUMSUM"}
    operators = [replace(each, kind=kinds.get(each.number, each.kind)) for each in graph.operators]
    wide = operators[2].options | {"strideH": 5}
    operators[2] = replace(operators[2], options=wide)
    with pytest.raises(NetworkError) as refused:
        check_network(replace(graph, operators=tuple(operators)), CONFIG)
    assert str(refused.value) == (
        "small can't be run: operator 1, SVDF: there is no such operator here; operator 2, "
        "DEPTHWISE_CONV_2D: stride: 5 is not in 1 to 4; operator 4, CUMSUM: there is no such "
        "operator here"
    )


def test_tensors_that_no_operator_here_can_take_are_named(small: Path) -> None:
    graph = read_network(small)
    tensors = list(graph.tensors)
    first, weights = graph.operators[1].outputs[0], graph.operators[3].inputs[1]
    assert weights is not None
    tensors[first] = replace(tensors[first], name="wide", dtype=np.dtype(np.int16))
    tensors[weights] = replace(tensors[weights], data=None)
    operators = list(graph.operators)
    options = operators[4].options | {"fusedActivationFunction": "TANH"}
    operators[4] = replace(operators[4], options=options)
    with pytest.raises(NetworkError) as refused:
        check_network(replace(graph, tensors=tuple(tensors), operators=tuple(operators)), CONFIG)
    assert str(refused.value) == (
        "small can't be run: operator 1, CONV_2D: tensor wide is int16, not int8 or uint8; "
        "operator 2, DEPTHWISE_CONV_2D: tensor wide is int16, not int8 or uint8; "
        "operator 3, CONV_2D: its weights are computed by the network; they must be constants; "
        "operator 4, ADD: its activation function is TANH, not one of NONE, RELU, RELU6, "
        "RELU_N1_TO_1"
    )


def test_an_input_of_the_wrong_shape_or_type_is_refused(small: Path) -> None:
    graph = read_network(small)
    shape = (1, SIZE, SIZE, CHANNELS)
    for wrong in (np.zeros((1, SIZE, SIZE), np.int8), np.zeros((0, *shape), np.int8)):
        with pytest.raises(NetworkError) as refused:
            frames_of(graph, wrong)
        assert str(refused.value) == (
            f"the input has the shape {wrong.shape}; small takes {shape}, or that with a number "
            "of frames in front"
        )
    with pytest.raises(NetworkError, match=r"^the input is uint8; small takes int8$"):
        frames_of(graph, np.zeros(shape, np.uint8))
    with pytest.raises(NetworkError, match=r"^the input has values that are infinite"):
        frames_of(graph, np.full(shape, np.nan))


def test_frames_stand_in_front_or_in_place_of_a_batch_of_one(small: Path) -> None:
    graph = read_network(small)
    given = random_frames(graph, np.random.default_rng(2), 3)
    for frames in (given, given[:, 0]):
        assert [frame_of(graph, each) for each in frames_of(graph, frames)] == list(
            map(bytes, given)
        )
    (single,) = frames_of(graph, given[0])
    assert frame_of(graph, single) == bytes(given[0])


def test_real_numbers_are_quantised_as_the_input_is(small: Path) -> None:
    graph = read_network(small)
    tensor = graph.tensors[graph.inputs[0]]
    given = random_frames(graph, np.random.default_rng(2), 1)
    real = (given.astype(np.float64) - tensor.zero_point) * float(tensor.scale)
    (frame,) = frames_of(graph, real)
    assert frame_of(graph, frame) == bytes(given)


def test_a_streaming_network_has_variables() -> None:
    graph = read_network(wake_word_networks()[0])
    reads = [each for each in graph.operators if each.kind == "READ_VARIABLE"]
    assert {each.options["variable"] for each in reads} == set(graph.variables)
    for each in reads:
        (tensor,) = graph.outputs_of(each)
        assert graph.variables[each.options["variable"]].shape == tensor.shape


def test_the_command_says_what_is_wrong(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = tmp_path / "x.npy"
    np.save(image, np.zeros((2, 2), np.int8))
    out = tmp_path / "out"
    words = ["network", str(small), "--input", str(image), "--out", str(out)]
    assert cli.main([*words, "--sim", "verilator"]) == 1
    assert "the input has the shape (2, 2); small takes" in capsys.readouterr().err
    assert not out.exists()
    assert cli.main(["network", "--sim", "verilator"]) == 1
    assert "MODEL=x.tflite" in capsys.readouterr().err


def frame_of(graph: Graph, frame: dict[int, np.ndarray]) -> bytes:
    return bytes(frame[graph.inputs[0]])
