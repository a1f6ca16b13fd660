"""Models of one operator whose accumulators are given: each is the bias of an output channel.

The input is the zero point everywhere, so the sum of products is 0, and what comes out is the bias
requantised. Written for runtimes, without arithmetic of `models`.

    scales = draw_scales(rng, channels, per_channel=True)
    acc = near_ties(rng, scales)
    model, x = tflite_operator("FULLY_CONNECTED", scales, acc, out_zp)
    model, x = onnx_operator("QGemm", scales, acc, out_zp)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from conv_core.models.layer import Float32Array, Int32Array
from tests.oracles import OFFSET, Graph, Quantised

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
TFLITE_OPERATORS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
ONNX_OPERATORS = ("QLinearConv", "QGemm", "Conv", "Gemm")
"""The last two in QDQ form, which ONNX Runtime turns into the first two."""
WEIGHT_ZERO_POINT = 120
"""of uint8 weights"""


@dataclass(frozen=True, eq=False)
class Scales:
    """Scales in float32; `filters` (Cout), all alike unless they are per channel."""

    image: np.float32
    filters: Float32Array
    results: np.float32
    per_channel: bool

    @property
    def real(self) -> NDArray[np.float64]:
        """(Cout): the multipliers, in float64 as TensorFlow Lite has them."""
        product = np.float64(self.image) * self.filters.astype(np.float64)
        return product / np.float64(self.results)


def draw_scales(
    rng: np.random.Generator, channels: int, *, per_channel: bool, exponents: tuple[int, int]
) -> Scales:
    """Scales whose multipliers are 2^low to 2^high; a third of them powers of two times 1, 3 or 5,
    which make true ties, a third just below or above a power of two."""
    image, results = (np.float32(value) for value in rng.uniform(0.001, 0.5, 2))
    kind = rng.integers(3)
    count = channels if per_channel else 1
    real = np.exp2(rng.uniform(*exponents, count))
    if kind == 0:
        image = results = np.float32(1)
        real = np.exp2(np.floor(np.log2(real))) * rng.choice([1, 0.75, 0.625], count)
    elif kind == 1:
        real = np.exp2(np.rint(np.log2(real))) * (1 + rng.integers(-9, 10, count) * 2.0**-24)
    filters = (real * np.float64(results) / np.float64(image)).astype(np.float32)
    return Scales(image, np.broadcast_to(filters, channels).copy(), results, per_channel)


def near_ties(rng: np.random.Generator, scales: Scales) -> Int32Array:
    """(Cout): accumulators of which most come within 2 of a tie, the others any int32.

    Times the next power of two above their multiplier, and with a zero point added, they fit int32:
    beyond, results wrap in some runtimes and are undefined in others.
    """
    count = len(scales.filters)
    wanted = (rng.integers(-140, 140, count) + 0.5) / scales.real
    near = np.rint(wanted) + rng.choice([0, 0, 0, -1, 1, -2, 2], count)
    wide = rng.integers(INT32_MIN, INT32_MAX, count, endpoint=True) >> rng.integers(0, 31, count)
    edge = rng.choice([INT32_MIN, INT32_MIN + 1, -1, 0, 1, INT32_MAX - 1, INT32_MAX], count)
    kind = rng.random(count)
    acc = np.where(kind < 0.8, near, np.where(kind < 0.95, wide, edge))
    power = np.frexp(scales.real * (1 + 2.0**-20))[1]  # the scales' product may round up
    most = np.where(power < 0, INT32_MAX, (INT32_MAX - 256) // np.exp2(np.maximum(power, 0)))
    least = np.where(power < 0, INT32_MIN, -most)
    return np.clip(acc, least, most).astype(np.int32)


def tflite_operator(
    operator: str, scales: Scales, acc: Int32Array, out_zp: int, *, unsigned: bool = False
) -> tuple[bytes, NDArray[Any]]:
    """A `.tflite` file and its input; `unsigned`: all is uint8, the zero points 128 more."""
    channels, dtype = len(acc), np.uint8 if unsigned else np.int8
    offset = OFFSET if unsigned else 0
    shape, filter_shape, out_shape = {
        "CONV_2D": ((1, 1, 1, 1), (channels, 1, 1, 1), (1, 1, 1, channels)),
        "DEPTHWISE_CONV_2D": ((1, 1, 1, channels), (1, 1, 1, channels), (1, 1, 1, channels)),
        "FULLY_CONNECTED": ((1, 1), (channels, 1), (1, channels)),
    }[operator]
    graph = Graph()
    in_zp = 3 + offset
    x = graph.tensor(shape, dtype, Quantised((float(scales.image),), in_zp))
    graph.inputs = [x]
    filter_scales = scales.filters if scales.per_channel else scales.filters[:1]
    w = graph.constant(
        np.full(filter_shape, WEIGHT_ZERO_POINT if unsigned else 1, dtype),
        Quantised(
            tuple(filter_scales.tolist()),
            WEIGHT_ZERO_POINT if unsigned else 0,
            3 if operator == "DEPTHWISE_CONV_2D" else 0,
        ),
    )
    products = tuple((filter_scales * scales.image).tolist())
    bias = graph.constant(acc, Quantised(products, 0))
    options = {
        "CONV_2D": schema.Conv2DOptionsT(
            strideH=1, strideW=1, dilationHFactor=1, dilationWFactor=1, padding=schema.Padding.VALID
        ),
        "DEPTHWISE_CONV_2D": schema.DepthwiseConv2DOptionsT(
            strideH=1,
            strideW=1,
            dilationHFactor=1,
            dilationWFactor=1,
            depthMultiplier=1,
            padding=schema.Padding.VALID,
        ),
        "FULLY_CONNECTED": schema.FullyConnectedOptionsT(),
    }[operator]
    code = getattr(schema.BuiltinOperator, operator)
    results = Quantised((float(scales.results),), out_zp + offset)
    y = graph.operator(code, [x, w, bias], options, out_shape, dtype, results)
    return graph.finish(y), np.full(shape, in_zp, dtype)


def onnx_operator(
    operator: str, scales: Scales, acc: Int32Array, out_zp: int, *, unsigned: bool = False
) -> tuple[bytes, NDArray[Any]]:
    """An ONNX file and its input; `unsigned`: activations and results are uint8."""
    channels, kind = len(acc), np.uint8 if unsigned else np.int8
    offset = OFFSET if unsigned else 0
    conv = operator in ("QLinearConv", "Conv")
    shape = (1, 1, 1, 1) if conv else (1, 1)
    filters = scales.filters if scales.per_channel else scales.filters[0]
    constants: dict[str, NDArray[Any]] = {
        "x_scale": np.asarray(scales.image),
        "x_zp": np.asarray(3 + offset, kind),
        "w": np.ones((channels, *shape[1:]), np.int8),
        "w_scale": np.asarray(filters),
        "w_zp": np.zeros(np.shape(filters), np.int8),
        "bias": acc,
        "bias_scale": np.asarray(scales.image * filters),
        "bias_zp": np.zeros(np.shape(filters), np.int32),
        "y_scale": np.asarray(scales.results),
        "y_zp": np.asarray(out_zp + offset, kind),
    }
    quantised = [f"{name}{part}" for name in ("x", "w") for part in ("", "_scale", "_zp")]
    if operator == "QLinearConv":
        nodes = [helper.make_node(operator, [*quantised, "y_scale", "y_zp", "bias"], ["y"])]
    elif operator == "QGemm":
        inputs = [*quantised, "bias", "y_scale", "y_zp"]
        nodes = [helper.make_node(operator, inputs, ["y"], domain="com.microsoft", transB=1)]
    else:
        axes = {"x": {}, "w": {"axis": 0}, "bias": {"axis": 0}}
        nodes = [
            helper.make_node(
                "DequantizeLinear", [name, f"{name}_scale", f"{name}_zp"], [f"{name}_real"], **axis
            )
            for name, axis in axes.items()
        ]
        more = {} if conv else {"transB": 1}
        reals = [f"{name}_real" for name in axes]
        nodes.append(helper.make_node(operator, reals, ["y_real"], **more))
        nodes.append(helper.make_node("QuantizeLinear", ["y_real", "y_scale", "y_zp"], ["y"]))
    element = TensorProto.UINT8 if unsigned else TensorProto.INT8
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes,
        "operator",
        [helper.make_tensor_value_info("x", element, shape)],
        [helper.make_tensor_value_info("y", element, None)],
        [
            numpy_helper.from_array(np.ascontiguousarray(value), name)
            for name, value in constants.items()
            if name in used
        ],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return model.SerializeToString(), np.full(shape, 3 + offset, kind)
