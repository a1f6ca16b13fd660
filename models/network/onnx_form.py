"""A layer of a TensorFlow Lite network as an ONNX operator: QLinearConv, or QGemm if it is 1x1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from conv_core.models.layer import Int8Array, Layer
from conv_core.models.network.tflite_operators import Requantiser

OFFSET = 128
"""Between int8 and uint8, in which all goes: ONNX Runtime's kernels for int8 weights saturate sums
of two products on processors without VNNI."""
OPSET, IR_VERSION = 17, 8
GEMM_DOMAIN = "com.microsoft"


@dataclass(frozen=True, eq=False)
class OnnxLayer:
    """A model and its input `x`, uint8, (N, Cin, H, W) or (N, Cin)."""

    model: bytes
    x: NDArray[np.uint8]


def onnx_layer(layer: Requantiser) -> OnnxLayer:
    """The model gives uint8, 128 more than TensorFlow Lite's int8 results."""
    case = layer.case
    gemm = (case.layer.height, case.layer.width, case.layer.kernel) == (1, 1, (1, 1))
    gemm = gemm and case.layer.groups == 1
    axes = (slice(None), 0, 0) if gemm else (slice(None),)
    x, w = (_unsigned(each if gemm else each.transpose(0, 3, 1, 2)) for each in (case.x, case.w))
    filters = layer.filter_scales
    constants: dict[str, Any] = {
        "x_scale": layer.in_scale,
        "x_zp": np.uint8(case.layer.in_zp + OFFSET),
        "w": w[axes],
        "w_scale": filters,
        "w_zp": np.full(len(filters), OFFSET, np.uint8),
        "bias": case.bias,
        "y_scale": layer.out_scale,
        "y_zp": np.uint8(case.layer.out_zp + OFFSET),
        "low": np.uint8(case.layer.act_min + OFFSET),
        "high": np.uint8(case.layer.act_max + OFFSET),
    }
    if (filters == filters[0]).all():
        constants |= {"w_scale": filters[0], "w_zp": np.uint8(OFFSET)}
    before = ["x", "x_scale", "x_zp", "w", "w_scale", "w_zp"]
    after = ["y_scale", "y_zp"]
    if gemm:
        node = helper.make_node(
            "QGemm", [*before, "bias", *after], ["all"], domain=GEMM_DOMAIN, transB=1
        )
    else:
        node = helper.make_node(
            "QLinearConv", [*before, *after, "bias"], ["all"], **_attributes(case.layer)
        )
    graph = helper.make_graph(
        [node, helper.make_node("Clip", ["all", "low", "high"], ["y"])],
        "layer",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, x[axes].shape)],
        [helper.make_tensor_value_info("y", TensorProto.UINT8, None)],
        [
            numpy_helper.from_array(np.ascontiguousarray(value).reshape(np.shape(value)), name)
            for name, value in constants.items()
        ],
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(GEMM_DOMAIN, 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    return OnnxLayer(model.SerializeToString(), x[axes])


def _attributes(layer: Layer) -> dict[str, Any]:
    return {
        "kernel_shape": layer.kernel,
        "strides": layer.stride,
        "dilations": layer.dilation,
        "pads": layer.pads,
        "group": layer.groups,
    }


def _unsigned(values: Int8Array) -> NDArray[np.uint8]:
    return np.ascontiguousarray(values).view(np.uint8) ^ np.uint8(OFFSET)
