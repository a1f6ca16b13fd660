"""CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED as layers of the core.

The rounding is that of LiteRT's reference kernels: `ROUNDINGS`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conv_core.models.layer import Layer, same_pads
from conv_core.models.network.graph import Array, Graph, Operator, Quantisation, Tensor
from conv_core.models.network.operators.call import activation_range
from conv_core.models.network.placed import (
    Constants,
    Placed,
    Values,
    constants_of,
    matrix_size,
    stored_zero_point,
)

ROUNDINGS = {"CONV_2D": "tflite", "DEPTHWISE_CONV_2D": "tflite", "FULLY_CONNECTED": "single"}
"""the core's rule for each kind, as LiteRT's reference kernels have it"""
KINDS = tuple(ROUNDINGS)
NO_PADS = (0, 0, 0, 0)


def place(graph: Graph, operator: Operator, values: Values) -> Placed:  # noqa: ARG001
    """How the core computes the operator. Raises `LayerError`."""
    if operator.kind == "FULLY_CONNECTED":
        return _fully_connected(graph, operator)
    return _convolution(graph, operator)


def _fully_connected(graph: Graph, operator: Operator) -> Placed:
    source, filters = operator.inputs[0], operator.inputs[1]
    assert source is not None
    assert filters is not None
    x, w = graph.tensors[source], graph.tensors[filters]
    out_channels, in_channels = w.shape
    height, width = matrix_size(int(np.prod(x.shape)) // in_channels, in_channels)
    layer = Layer(1, height, width, in_channels, out_channels, (1, 1))
    layer = _quantised(graph, operator, x, layer)
    return Placed(
        layer,
        source,
        lambda values: values.reshape(layer.in_shape),
        lambda values: _constants(graph, operator, values[filters][:, None, None, :], values),
        lambda results: results,
    )


def _convolution(graph: Graph, operator: Operator) -> Placed:
    options = operator.options
    depthwise = operator.kind == "DEPTHWISE_CONV_2D"
    first, filters = operator.inputs[0], operator.inputs[1]
    assert first is not None
    assert filters is not None
    source, around = _without_pad(graph, first)
    x, w = graph.tensors[source], graph.tensors[filters]
    kernel = (w.shape[1], w.shape[2])
    stride = (int(options["strideH"]), int(options["strideW"]))
    dilation = (int(options["dilationHFactor"]), int(options["dilationWFactor"]))
    pads = NO_PADS
    if options["padding"] == "SAME":
        height, width = graph.tensors[first].shape[1:3]
        pads = same_pads((height, width), kernel, stride, dilation)
    batch, height, width, channels = x.shape
    layer = Layer(
        batch,
        height,
        width,
        channels,
        w.shape[3] if depthwise else w.shape[0],
        kernel,
        stride,
        dilation,
        tuple(one + other for one, other in zip(pads, around, strict=True)),  # type: ignore[arg-type]
        channels if depthwise else channels // w.shape[3],
    )
    layer = _quantised(graph, operator, x, layer)

    def constants(values: Values) -> Constants:
        oriented = values[filters].transpose(3, 1, 2, 0) if depthwise else values[filters]
        return _constants(graph, operator, oriented, values)

    return Placed(layer, source, lambda values: values, constants, lambda results: results)


def _quantised(graph: Graph, operator: Operator, x: Tensor, layer: Layer) -> Layer:
    """The layer with zero points, clamps and rounding."""
    output = graph.outputs_of(operator)[0]
    clamps = activation_range(operator.options["fusedActivationFunction"], output)
    act_min, act_max = (stored_zero_point(output, each) for each in clamps)
    return replace(
        layer,
        in_zp=stored_zero_point(x, x.zero_point),
        out_zp=stored_zero_point(output, output.zero_point),
        act_min=act_min,
        act_max=act_max,
        requantise=True,
        rounding=ROUNDINGS[operator.kind],
    )


def _constants(graph: Graph, operator: Operator, w: Array, values: Values) -> Constants:
    x, filters, output = (
        _quantisation(graph.tensors[each])
        for each in (*operator.inputs[:2], operator.outputs[0])
        if each is not None
    )
    bias = operator.inputs[2] if len(operator.inputs) > 2 else None
    scales = filters.scale.astype(np.float64)
    real = float(x.one_scale) * scales / float(output.one_scale)
    return constants_of(w, filters.zero_point, None if bias is None else values[bias], real=real)


def _quantisation(tensor: Tensor) -> Quantisation:
    assert tensor.quantisation is not None
    return tensor.quantisation


def _without_pad(graph: Graph, tensor: int) -> tuple[int, tuple[int, int, int, int]]:
    """The tensor in front of a PAD of rows and columns, and (top, left, bottom, right)."""
    pad = graph.producer(tensor)
    if pad is None or pad.kind != "PAD" or len(graph.tensors[tensor].shape) != 4:
        return tensor, NO_PADS
    source, amounts = pad.inputs[0], pad.inputs[1]
    assert source is not None
    assert amounts is not None
    given = graph.tensors[amounts].data
    before, after = graph.tensors[source].quantisation, graph.tensors[tensor].quantisation
    if given is None or before is None or after is None or not before.same_as(after):
        return tensor, NO_PADS
    (frames, (top, bottom), (left, right), channels) = given.tolist()
    if any((*frames, *channels)):
        return tensor, NO_PADS
    return source, (top, left, bottom, right)
