"""What of a TensorFlow Lite network can't be run, said before anything runs."""

from __future__ import annotations

from collections.abc import Iterator

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import LayerError
from conv_core.models.network.graph import Graph, Operator, Tensor
from conv_core.models.network.lowering import layer_of, on_core
from conv_core.models.network.operators import ANY_TYPE, FUNCTIONS, STATE
from conv_core.models.network.operators.call import ACTIVATIONS
from conv_core.models.tiling import plan

BYTES = ("int8", "uint8")
"""what quantised values are stored in"""
CONVERSIONS = ("QUANTIZE", "DEQUANTIZE")
"""operators with real numbers on one side"""


def refusal(graph: Graph) -> str:
    """Why the network as a whole can't be run; empty if nothing speaks against it."""
    floats = [each for each in graph.operators if _in_floats(graph, each)]
    if not floats:
        return ""
    kinds = ", ".join(dict.fromkeys(each.kind for each in floats))
    return (
        f"{len(floats)} of its operators compute in floating point ({kinds}); quantise the "
        "network, activations and weights, to int8 or uint8 first"
    )


def _in_floats(graph: Graph, operator: Operator) -> bool:
    known = operator.kind in FUNCTIONS[graph.file_format] or on_core(graph, operator)
    if not known or operator.kind in (*CONVERSIONS, *ANY_TYPE):
        return False
    return any(each.dtype.kind == "f" for each in _data(graph, operator))


def problems(graph: Graph, operator: Operator, config: CoreConfig) -> Iterator[str]:
    """What keeps an operator from being run, each as a clause."""
    core = on_core(graph, operator)
    if not core and operator.kind not in (*FUNCTIONS[graph.file_format], *STATE):
        yield "there is no such operator here"
        return
    function = operator.options.get("fusedActivationFunction", "NONE")
    if function not in ACTIVATIONS:
        yield f"its activation function is {function}, not one of {', '.join(ACTIVATIONS)}"
        return
    if operator.kind in (*ANY_TYPE, *STATE, *CONVERSIONS):
        return
    wrong = list(_wrong_tensors(graph, operator))
    yield from wrong
    if core and not wrong:
        try:
            plan(layer_of(graph, operator), config)
        except LayerError as error:
            yield str(error)


def _wrong_tensors(graph: Graph, operator: Operator) -> Iterator[str]:
    weights = operator.inputs[1] if on_core(graph, operator) else None
    if weights is not None and not graph.tensors[weights].constant:
        yield "its weights are computed by the network; they must be constants"
        return
    for tensor in _data(graph, operator):
        if tensor.dtype.name not in BYTES:
            yield f"tensor {tensor.name} is {tensor.dtype.name}, not int8 or uint8"
        elif tensor.quantisation is None:
            yield f"tensor {tensor.name} has no scale"
        elif not tensor.quantisation.per_tensor and not tensor.constant:
            yield f"tensor {tensor.name} has a scale for each channel; only weights may have that"


def _data(graph: Graph, operator: Operator) -> list[Tensor]:
    """An operator's first input, its weights if it has some, and its output."""
    count = 2 if on_core(graph, operator) else 1
    inputs = [each for each in graph.inputs_of(operator)[:count] if each is not None]
    return [*inputs, *graph.outputs_of(operator)[:1]]
