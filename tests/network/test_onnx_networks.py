"""Small random ONNX networks, quantised by onnxruntime.quantization: every operator is equal to
ONNX Runtime's, in QOperator, QDQ and ConvInteger form.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnxruntime.quantization import (
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)

from conv_core.models.core_config import CoreConfig
from conv_core.models.network.files import frames_of, random_frames, read_network
from conv_core.models.network.lowering import layer_of, on_core
from conv_core.tb.runs.network import run_network
from tests.network.comparing import Images, compare

SEEDS = (1, 2, 3)
SIZE = (1, 3, 12, 10)
TYPES = {"s8": QuantType.QInt8, "u8": QuantType.QUInt8}


def float_network(path: Path, seed: int) -> Path:
    """Convolutions, grouped and depthwise, a sum, a product, pooling, Gemm and MatMul."""
    rng = np.random.default_rng(seed)
    constants: list[Any] = []

    def constant(*shape: int) -> str:
        values = rng.normal(0, 0.4, shape).astype(np.float32)
        constants.append(onnx.numpy_helper.from_array(values, f"c{len(constants)}"))
        return str(constants[-1].name)

    def conv(x: str, y: str, shape: tuple[int, ...], **attributes: Any) -> Any:
        inputs = [x, constant(*shape), constant(shape[0])]
        return helper.make_node("Conv", inputs, [y], kernel_shape=shape[2:], **attributes)

    nodes = [
        conv("x", "a0", (8, 3, 3, 3), pads=[1, 0, 1, 2], strides=[1, 2]),
        helper.make_node("Relu", ["a0"], ["a"]),
        conv("a", "b", (8, 1, 3, 3), auto_pad="SAME_UPPER", group=8),
        helper.make_node("Sigmoid", ["b"], ["s"]),
        helper.make_node("Mul", ["b", "s"], ["c"]),
        conv("c", "d", (8, 4, 1, 1), group=2),
        helper.make_node("Add", ["a", "d"], ["e"]),
        helper.make_node("MaxPool", ["e"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("GlobalAveragePool", ["p"], ["g"]),
        helper.make_node("Flatten", ["g"], ["f"]),
        helper.make_node("Gemm", ["f", constant(7, 8), constant(7)], ["h"], transB=1),
        helper.make_node("MatMul", ["h", constant(7, 5)], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, SIZE)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 5))],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(onnx.shape_inference.infer_shapes(model), str(path))
    return path


def quantised(folder: Path, form: str, activations: str, weights: str, seed: int) -> Path:
    """A network in the form QOperator, QDQ or ConvInteger; it has a scale for each filter of int8
    weights.
    """
    rng = np.random.default_rng([seed, 1])
    plain, path = float_network(folder / "float.onnx", seed), folder / f"{form}.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if form == "ConvInteger":
            quantize_dynamic(plain, path, weight_type=TYPES[weights])
        else:
            quantize_static(
                plain,
                path,
                Images("x", [rng.normal(size=SIZE) for _ in range(4)]),
                quant_format=QuantFormat[form],
                activation_type=TYPES[activations],
                weight_type=TYPES[weights],
                per_channel=weights == "s8",
            )
    return path


FORMS = [
    ("QOperator", "u8", "s8"),
    ("QOperator", "u8", "u8"),
    ("QDQ", "u8", "s8"),
    ("QDQ", "u8", "u8"),
    ("QDQ", "s8", "s8"),
    ("ConvInteger", "u8", "u8"),
]


@pytest.mark.parametrize(("form", "activations", "weights"), FORMS)
def test_network_equals_onnxruntime(
    form: str, activations: str, weights: str, tmp_path: Path
) -> None:
    for seed in SEEDS:
        path = quantised(tmp_path, form, activations, weights, seed)
        graph = read_network(path)
        assert sum(on_core(graph, operator) for operator in graph.operators) == 5
        comparison = compare(path, frames=2, seed=seed)
        assert not comparison.differ, f"seed {seed}"
        kind = "ConvInteger" if form == "ConvInteger" else "QLinearConv"
        assert comparison.compared[kind] > 1000


def test_network_on_the_core_equals_onnxruntime(simulator: str, tmp_path: Path) -> None:
    path = quantised(tmp_path, "QDQ", "u8", "s8", seed=4)
    config = CoreConfig.from_array("8x8")
    graph = read_network(path)
    frames = frames_of(graph, random_frames(graph, np.random.default_rng(9), 2))
    run = run_network(graph, frames, config, simulator, model=path.read_bytes())
    assert run.passed
    assert run.compared
    assert sum(each.values for each in run.operators) > 1000
    layers = [layer for each in run.operators for layer in each.layers]
    assert len(layers) == 2 * 5
    assert all(layer.cycles == layer.cycles_model for layer in layers)


def test_one_dimensional_convolution_is_one_of_height_one(tmp_path: Path) -> None:
    quant = [("s", np.float32(0.1)), ("z", np.uint8(3)), ("w", np.ones((4, 2, 5), np.int8))]
    quant += [("ws", np.float32(0.02)), ("wz", np.int8(0))]
    inputs = ["x", "s", "z", "w", "ws", "wz", "s", "z"]
    node = helper.make_node("QLinearConv", inputs, ["y"], strides=[2], pads=[1, 2])
    graph = helper.make_graph(
        [node],
        "flat",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, (1, 2, 20))],
        [helper.make_tensor_value_info("y", TensorProto.UINT8, None)],
        [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in quant],
    )
    path = tmp_path / "flat.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))
    read = read_network(path)
    layer = layer_of(read, read.operators[0])
    assert (layer.height, layer.width, layer.kernel) == (1, 20, (1, 5))
    assert (layer.stride, layer.pads) == ((1, 2), (0, 1, 0, 2))
    assert not compare(path, frames=2, seed=1).differ
