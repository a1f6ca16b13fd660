"""What of an ONNX network can't be run, said before anything runs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import LayerError
from conv_core.models.network.graph import ONNX, Graph, Operator
from conv_core.models.network.lowering import layer_of, on_core
from conv_core.models.network.operators import FUNCTIONS
from conv_core.models.tiling import plan

MULTIPLYING = ("Conv", "Gemm", "MatMul")
"""operators that the core computes, if they are quantised"""


def refusal(graph: Graph) -> str:
    """Why the network as a whole can't be run; empty if nothing speaks against it."""
    on_the_core = any(on_core(graph, each) for each in graph.operators)
    if on_the_core or not any(_floating(graph, each) for each in graph.operators):
        return ""
    return (
        "this network computes in floating point; quantise it first, with onnxruntime.quantization"
    )


def _floating(graph: Graph, operator: Operator) -> bool:
    """Does the operator multiply real numbers?"""
    first = graph.inputs_of(operator)[0] if operator.inputs else None
    return operator.kind in MULTIPLYING and first is not None and first.dtype.kind == "f"


def problems(graph: Graph, operator: Operator, config: CoreConfig) -> Iterator[str]:
    """What keeps an operator from being run, each as a clause."""
    if _floating(graph, operator):
        yield "it is in floating point"
    elif on_core(graph, operator):
        first = graph.inputs_of(operator)[0]
        assert first is not None
        if first.dtype not in (np.int8, np.uint8):
            yield f"its activations are {first.dtype}, not int8 or uint8"
            return
        try:
            plan(layer_of(graph, operator), config)
        except LayerError as error:
            yield str(error)
    elif operator.kind == "ConvTranspose" and not _apart(graph, operator):
        yield "its kernels overlap, or it has pads, dilations or groups"
    elif operator.kind not in FUNCTIONS[ONNX]:
        yield "there is no such operator here"


def _apart(graph: Graph, operator: Operator) -> bool:
    """Does each pixel of a ConvTranspose go to pixels of its own?"""
    options, w = operator.options, graph.inputs_of(operator)[1]
    assert w is not None
    plain = ("pads", 0), ("output_padding", 0), ("dilations", 1)
    return (
        len(w.shape) == 4
        and list(options.get("strides", ())) == list(w.shape[2:])
        and options.get("group", 1) == 1
        and all(set(options.get(name, ())) <= {value} for name, value in plain)
    )
