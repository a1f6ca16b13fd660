"""Convolutions, fully connected layers and matrix products as layers of the core.

    if on_core(operator):
        layer_of(graph, operator)                  # its geometry, without data
        case = lower(graph, operator, values)      # values: by tensor, constants may be left out
        raised(graph, operator, results)           # the core's results as the operator's output

Activations of uint8 are shifted by 128 on the way in and out. A PAD in front of a convolution is
folded into it where it only adds rows and columns. `rounding_of` says by which rule the operator's
results are requantised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from conv_core.models.layer import Int8Array, Int32Array, Layer, LayerCase
from conv_core.models.network import onnx_lowering, tflite_lowering
from conv_core.models.network.graph import ONNX, TFLITE, Array, Graph, Operator
from conv_core.models.network.placed import Placed, Values

Place = Callable[[Graph, Operator, Values], Placed]
"""how the core computes an operator; raises `LayerError` where it can't"""

FORMATS: Mapping[str, tuple[tuple[str, ...], Place]] = {
    TFLITE: (tflite_lowering.KINDS, tflite_lowering.place),
    ONNX: (onnx_lowering.KINDS, onnx_lowering.place),
}
"""for each file format the operators that the core computes, and how"""


def on_core(graph: Graph, operator: Operator) -> bool:
    """Is the operator computed by the core?"""
    kinds, _ = FORMATS[graph.file_format]
    return operator.kind in kinds


def rounding_of(graph: Graph, operator: Operator) -> str:
    """The core's rule for the operator's results, or "" where they stay accumulators."""
    placed = _place(graph, operator)
    return placed.layer.rounding if placed.layer.requantise else ""


def layer_of(graph: Graph, operator: Operator) -> Layer:
    """The geometry of the layer that computes the operator.

    A zero point that is known only when the network runs counts as 0.

    Raises `LayerError` where the core can't be told such a layer.
    """
    return _place(graph, operator).layer


def source_of(graph: Graph, operator: Operator) -> int:
    """The tensor that the layer's activations are: the first input, or that of a folded PAD."""
    return _place(graph, operator).source


def lower(graph: Graph, operator: Operator, values: Mapping[int, Array], name: str) -> LayerCase:
    """The layer with its tensors. `values` are those of the tensors computed so far."""
    placed = _place(graph, operator, values)
    x = values[placed.source] if placed.source in values else graph.tensors[placed.source].data
    assert x is not None
    constants = placed.constants(_Values(graph, values))
    return LayerCase(
        name,
        placed.layer,
        _signed(placed.image(x)),
        constants.w,
        constants.bias,
        constants.w_zp,
        mult=constants.mult,
        shift=constants.shift,
        scale=constants.scale,
    )


def raised(graph: Graph, operator: Operator, results: Int8Array | Int32Array) -> Array:
    """The operator's output, in its file's type and layout, of the core's results."""
    placed = _place(graph, operator)
    output = graph.outputs_of(operator)[0]
    values = placed.output(results).reshape(output.shape)
    return _unsigned(values) if output.dtype == np.uint8 else np.ascontiguousarray(values)


def folded(graph: Graph) -> dict[int, int]:
    """Numbers of the operators that are folded into another one, with that one's number.

    Only what nothing else reads counts.
    """
    into: dict[int, int] = {}
    for operator in graph.operators:
        if on_core(graph, operator) and source_of(graph, operator) != operator.inputs[0]:
            assert operator.inputs[0] is not None
            pad = graph.producer(operator.inputs[0])
            assert pad is not None
            readers = graph.consumers(pad.outputs[0])
            if len(readers) == 1 and pad.outputs[0] not in graph.outputs:
                into[pad.number] = operator.number
    return into


class _Values(Mapping[int, Array]):
    """Values of tensors: those computed, else the constants of the file."""

    def __init__(self, graph: Graph, computed: Mapping[int, Array]) -> None:
        self._graph = graph
        self._computed = computed

    def __getitem__(self, tensor: int) -> Array:
        if tensor in self._computed:
            return self._computed[tensor]
        data = self._graph.tensors[tensor].data
        if data is None:
            raise KeyError(tensor)
        return data

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self._graph.tensors)))

    def __len__(self) -> int:
        return len(self._graph.tensors)


def _place(graph: Graph, operator: Operator, values: Mapping[int, Array] | None = None) -> Placed:
    _, place = FORMATS[graph.file_format]
    return place(graph, operator, _Values(graph, values or {}))


def _signed(x: Array) -> Int8Array:
    flipped = (x ^ 0x80).view(np.int8) if x.dtype == np.uint8 else x
    return np.ascontiguousarray(flipped)


def _unsigned(y: Array) -> Array:
    return np.ascontiguousarray(y).view(np.uint8) ^ np.uint8(0x80)
