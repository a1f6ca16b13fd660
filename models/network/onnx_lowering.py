"""Quantised Conv, Gemm and MatMul of ONNX as layers of the core.

The rounding is that of ONNX Runtime, `float`; ConvInteger and MatMulInteger give accumulators.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from conv_core.models.layer import Layer, LayerError
from conv_core.models.network.graph import Array, Graph, Operator, Tensor
from conv_core.models.network.operators.call import limits
from conv_core.models.network.placed import (
    Constants,
    Placed,
    Values,
    constants_of,
    matrix_size,
    stored_zero_point,
)

CONVOLUTIONS = ("QLinearConv", "ConvInteger")
KINDS = (*CONVOLUTIONS, "QGemm", "QLinearMatMul", "MatMulInteger")
ROUNDING = "float"


def place(graph: Graph, operator: Operator, values: Values) -> Placed:
    """How the core computes the operator. Raises `LayerError`."""
    if operator.kind in CONVOLUTIONS:
        return _convolution(graph, operator, values)
    return _product(graph, operator, values)


def _convolution(graph: Graph, operator: Operator, values: Values) -> Placed:
    source, filters = operator.inputs[0], operator.inputs[1]
    assert source is not None
    assert filters is not None
    x, w = graph.tensors[source], graph.tensors[filters]
    flat = len(x.shape) == 3
    if len(x.shape) not in (3, 4):
        raise LayerError("x", f"it has {len(x.shape) - 2} dimensions besides channels, not 1 or 2")
    batch, channels, height, width = _image_shape(x.shape)
    kernel = _image_shape(w.shape)[2:]
    stride, dilation = (_pair(operator, name, flat) for name in ("strides", "dilations"))
    layer = Layer(
        batch,
        height,
        width,
        channels,
        w.shape[0],
        kernel,
        stride,
        dilation,
        _pads(operator, (height, width), kernel, stride, dilation),
        int(operator.options.get("group", 1)),
        **_scalars(graph, operator, x, values),
    )

    def image(taken: Array) -> Array:
        return taken.reshape(batch, channels, height, width).transpose(0, 2, 3, 1)

    def constants(given: Values) -> Constants:
        oriented = given[filters].reshape(_image_shape(w.shape)).transpose(0, 2, 3, 1)
        return _constants(graph, operator, oriented, given)

    return Placed(layer, source, image, constants, lambda y: y.transpose(0, 3, 1, 2))


def _product(graph: Graph, operator: Operator, values: Values) -> Placed:
    source, filters = operator.inputs[0], operator.inputs[1]
    assert source is not None
    assert filters is not None
    x, w = graph.tensors[source], graph.tensors[filters]
    options = operator.options
    if len(w.shape) != 2 or options.get("transA"):
        raise LayerError("w", f"the second matrix has shape {w.shape}, or the first is transposed")
    if any(float(options.get(name, 1)) != 1 for name in ("alpha", "beta")):
        raise LayerError("w", "alpha and beta must be 1")
    turned = bool(options.get("transB"))
    in_channels, out_channels = w.shape[::-1] if turned else w.shape
    height, width = matrix_size(int(np.prod(x.shape)) // in_channels, in_channels)
    layer = Layer(
        1, height, width, in_channels, out_channels, (1, 1), **_scalars(graph, operator, x, values)
    )

    def constants(given: Values) -> Constants:
        oriented = given[filters] if turned else given[filters].T
        return _constants(graph, operator, oriented[:, None, None, :], given)

    return Placed(layer, source, lambda a: a.reshape(layer.in_shape), constants, lambda y: y)


def _requantised(graph: Graph, operator: Operator) -> bool:
    return graph.outputs_of(operator)[0].quantisation is not None


def _scalars(graph: Graph, operator: Operator, x: Tensor, values: Values) -> dict[str, Any]:
    """Zero points, clamps and rounding, as `Layer` has them."""
    if not _requantised(graph, operator):
        point = _given(operator, 2, values)
        return {"in_zp": stored_zero_point(x, 0 if point is None else int(point.item()))}
    output = graph.outputs_of(operator)[0]
    act_min, act_max = (stored_zero_point(output, each) for each in limits(output))
    return {
        "in_zp": stored_zero_point(x, x.zero_point),
        "out_zp": stored_zero_point(output, output.zero_point),
        "act_min": act_min,
        "act_max": act_max,
        "requantise": True,
        "rounding": ROUNDING,
    }


def _constants(graph: Graph, operator: Operator, w: Array, values: Values) -> Constants:
    if not _requantised(graph, operator):
        point = _given(operator, 3, values)
        return constants_of(w, 0 if point is None else point.reshape(-1), None)
    x, filters, *_ = graph.inputs_of(operator)
    output = graph.outputs_of(operator)[0]
    assert x is not None
    assert filters is not None
    assert filters.quantisation is not None
    scale = x.scale * filters.quantisation.scale / output.scale
    bias = _given(operator, 2, values)
    return constants_of(w, filters.quantisation.zero_point, bias, scale=scale)


def _given(operator: Operator, number: int, values: Values) -> Array | None:
    """The values of an input, or None if it is left out, or not known before the network runs."""
    tensor = operator.inputs[number] if number < len(operator.inputs) else None
    return None if tensor is None else values.get(tensor)


def _image_shape(shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """With a height of 1 if there is only one dimension."""
    first, second, *sizes = shape
    height, width = sizes if len(sizes) == 2 else (1, *sizes)
    return first, second, height, width


def _pair(operator: Operator, name: str, flat: bool) -> tuple[int, int]:
    values = [int(each) for each in operator.options.get(name) or ((1,) if flat else (1, 1))]
    vertical, horizontal = (1, *values) if flat else values
    return vertical, horizontal


def _pads(
    operator: Operator,
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
) -> tuple[int, int, int, int]:
    """(top, left, bottom, right)"""
    mode = operator.options.get("auto_pad", "NOTSET")
    given = [int(each) for each in operator.options.get("pads") or ()]
    if mode == "VALID" or (mode == "NOTSET" and not given):
        return 0, 0, 0, 0
    if mode == "NOTSET":
        top, left, bottom, right = given if len(given) == 4 else (0, given[0], 0, given[1])
        return top, left, bottom, right
    sides = []
    for length, k, s, d in zip(size, kernel, stride, dilation, strict=True):
        total = max((-(-length // s) - 1) * s + (k - 1) * d + 1 - length, 0)
        half = total // 2
        sides.append((half, total - half) if mode == "SAME_UPPER" else (total - half, half))
    return sides[0][0], sides[1][0], sides[0][1], sides[1][1]
