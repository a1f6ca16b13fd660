"""Convolutions as ONNX has them: ONNX Runtime's QLinearConv, and ONNX's own node tests.

Nothing here takes arithmetic from `models`.

    onnxruntime_conv(case)               # int8 (N, OH, OW, Cout), rounding "float"
    onnxruntime_accumulators(case)       # int32, without bias
    node_tests()                         # ONNX's tests of Conv, ConvInteger and QLinearConv
    case_of(node_test)                   # as a layer with its expected results, or NotOursError
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from conv_core.models.layer import (
    INT8_MAX,
    INT8_MIN,
    Int8Array,
    Int32Array,
    Layer,
    LayerCase,
    same_pads,
)

with warnings.catch_warnings():  # importing them runs them, some with deliberate overflows
    warnings.simplefilter("ignore")
    from onnx.backend.test.case import node
    from onnx.backend.test.case.node import conv, convinteger, qlinearconv

OPSET = 17
IR_VERSION = 8
OFFSET = 128
"""Between uint8 and int8."""


class NotOursError(Exception):
    """A node test that is no layer of the core; the text says why."""


# ONNX Runtime


def onnxruntime_conv(case: LayerCase) -> Int8Array:
    """The int8 results (N, OH, OW, Cout) of ONNX Runtime's QLinearConv.

    Activations and weights are passed as uint8, since on processors without VNNI its kernels for
    int8 weights add pairs of products in 16 bits with saturation.
    """
    layer = case.layer
    assert case.scale is not None, f"{case.name}: ONNX Runtime's rounding is float"
    constants = {
        "one": np.float32(1),
        "in_zp": np.uint8(layer.in_zp + OFFSET),
        "w": _unsigned(case.w.transpose(0, 3, 1, 2)),
        "scale": case.scale,
        "w_zp": (case.w_zp + OFFSET).astype(np.uint8),
        "out_zp": np.uint8(layer.out_zp + OFFSET),
        "bias": case.bias,
        "low": np.uint8(layer.act_min + OFFSET),
        "high": np.uint8(layer.act_max + OFFSET),
    }
    inputs = ["x", "one", "in_zp", "w", "scale", "w_zp", "one", "out_zp", "bias"]
    nodes = [
        helper.make_node("QLinearConv", inputs, ["all"], **_attributes(layer)),
        helper.make_node("Clip", ["all", "low", "high"], ["y"]),
    ]
    return _signed(_run(nodes, constants, case.x, TensorProto.UINT8))


def onnxruntime_accumulators(case: LayerCase) -> Int32Array:
    """The int32 results (N, OH, OW, Cout) of ONNX Runtime's ConvInteger, which knows no bias.

    Its weights have one zero point for all filters.
    """
    layer = case.layer
    assert len(set(case.w_zp.tolist())) == 1, f"{case.name}: ConvInteger has one zero point"
    constants = {
        "w": _unsigned(case.w.transpose(0, 3, 1, 2)),
        "in_zp": np.uint8(layer.in_zp + OFFSET),
        "w_zp": np.uint8(case.w_zp[0] + OFFSET),
    }
    inputs = ["x", "w", "in_zp", "w_zp"]
    nodes = [helper.make_node("ConvInteger", inputs, ["y"], **_attributes(layer))]
    return _run(nodes, constants, case.x, TensorProto.INT32)


def _attributes(layer: Layer) -> dict[str, Any]:
    return {
        "kernel_shape": layer.kernel,
        "strides": layer.stride,
        "dilations": layer.dilation,
        "pads": layer.pads,
        "group": layer.groups,
    }


def _run(nodes: list[Any], constants: dict[str, Any], image: Int8Array, kind: int) -> NDArray[Any]:
    """What a graph from x to y makes of an image, in NHWC; it is passed as uint8."""
    graph = helper.make_graph(
        nodes,
        "layer",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, None)],
        [helper.make_tensor_value_info("y", kind, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    (y,) = session.run(None, {"x": _unsigned(image.transpose(0, 3, 1, 2))})
    result: NDArray[Any] = y.transpose(0, 2, 3, 1)
    return result


def _unsigned(values: Int8Array) -> NDArray[np.uint8]:
    return np.ascontiguousarray(values).view(np.uint8) ^ OFFSET


def _signed(values: NDArray[np.uint8]) -> Int8Array:
    return (np.ascontiguousarray(values) ^ OFFSET).view(np.int8)


# ONNX's node tests

INPUTS = {
    "Conv": ("x", "w", "bias"),
    "ConvInteger": ("x", "w", "x_zp", "w_zp"),
    "QLinearConv": (*("x", "x_scale", "x_zp", "w", "w_scale", "w_zp", "y_scale", "y_zp", "bias"),),
}
"""What the inputs of the operators mean."""


def node_tests() -> list[Any]:
    """ONNX's tests of Conv, ConvInteger and QLinearConv.

    `collect_testcases(None)` would run those of all other operators first, which takes half a
    minute; those of an operator are collected when its module is imported.
    """
    modules = {module.__name__.rsplit(".", 1)[1] for module in (conv, convinteger, qlinearconv)}
    return [
        test
        for test in node._NodeTestCases
        if {each.op_type.lower() for each in test.model.graph.node} <= modules
    ]


def case_of(test: Any) -> LayerCase:
    """A node test as a layer. Expected are accumulators, or the results of QLinearConv.

    Raises `NotOursError`.
    """
    (operator,) = test.model.graph.node
    ((inputs, (expected,)),) = test.data_sets
    roles = [
        role for role, name in zip(INPUTS[operator.op_type], operator.input, strict=False) if name
    ]
    given = dict(zip(roles, map(np.asarray, inputs), strict=True))
    x, w = given["x"], given["w"]
    if x.ndim != 4:
        raise NotOursError(f"the image has {x.ndim - 2} dimensions, not 2")

    in_zp = given.get("x_zp", np.zeros((), np.uint8)).astype(int)
    offset = OFFSET if max(x.max(), in_zp) > INT8_MAX else 0
    image = _int8("activations", x.astype(float) - offset)
    zero_point = _int8("zero point", in_zp - offset)
    w_zp = given.get("w_zp", np.zeros((), np.uint8)).astype(int)
    offset = OFFSET if max(w.max(), w_zp.max()) > INT8_MAX else 0
    filters = _int8("weights", w.astype(float) - offset)
    filter_zero_points = np.broadcast_to(w_zp - offset, len(w)).astype(np.int32)
    bias = given.get("bias", np.zeros(len(w), np.int32))

    attributes = {each.name: helper.get_attribute_value(each) for each in operator.attribute}
    stride = tuple(attributes.get("strides", (1, 1)))
    dilation = tuple(attributes.get("dilations", (1, 1)))
    same = same_pads(x.shape[2:], w.shape[2:], stride, dilation)
    layer = Layer(
        *(x.shape[0], x.shape[2], x.shape[3], x.shape[1], w.shape[0]),
        kernel=w.shape[2:],
        stride=stride,
        dilation=dilation,
        pads={
            b"NOTSET": tuple(attributes.get("pads", (0, 0, 0, 0))),
            b"VALID": (0, 0, 0, 0),
            b"SAME_UPPER": same,
            b"SAME_LOWER": (*same[2:], *same[:2]),
        }[attributes.get("auto_pad", b"NOTSET")],
        groups=attributes.get("group", 1),
        in_zp=int(zero_point),
    )
    case = LayerCase(
        test.name,
        layer,
        np.ascontiguousarray(image.transpose(0, 2, 3, 1)),
        np.ascontiguousarray(filters.transpose(0, 2, 3, 1)),
        bias.astype(np.int32),
        filter_zero_points,
    )
    results = np.ascontiguousarray(expected.transpose(0, 2, 3, 1))
    if operator.op_type != "QLinearConv":
        if not (results == np.rint(results)).all():
            raise NotOursError("the results are no whole numbers")
        return replace(case, expected_acc=results.astype(np.int32))
    shift = OFFSET if results.dtype == np.uint8 else 0
    out_zp = int(given["y_zp"]) - shift
    scale = given["x_scale"] * given["w_scale"] / given["y_scale"]
    return replace(
        case,
        layer=replace(layer, out_zp=out_zp, requantise=True, rounding="float"),
        scale=np.broadcast_to(scale, len(w)).astype(np.float32),
        expected_y=(results.astype(int) - shift).astype(np.int8),
    )


def _int8(what: str, values: NDArray[Any]) -> Int8Array:
    if not (values == np.rint(values)).all():
        raise NotOursError(f"the {what} are no whole numbers")
    if values.min() < INT8_MIN or values.max() > INT8_MAX:
        raise NotOursError(f"{what}: {values.min():g} to {values.max():g} do not fit in int8")
    return values.astype(np.int8)
