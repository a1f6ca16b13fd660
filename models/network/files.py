"""Network files of all formats: `graph = read_network(path)`, and what in it can't be run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import LayerError
from conv_core.models.network.graph import ONNX, Array, Graph, NetworkError, Operator, Tensor
from conv_core.models.network.lowering import layer_of, on_core
from conv_core.models.network.onnx_check import check_onnx
from conv_core.models.network.onnx_file import read_onnx
from conv_core.models.network.operators import ANY_TYPE, FUNCTIONS, STATE
from conv_core.models.network.operators.call import ACTIVATIONS
from conv_core.models.network.tflite_file import is_tflite, read_tflite
from conv_core.models.tiling import plan

BYTES = ("int8", "uint8")
"""what quantised values are stored in"""
CONVERSIONS = ("QUANTIZE", "DEQUANTIZE")
"""operators with real numbers on one side"""


def read_network(path: Path) -> Graph:
    """The network in a file, whose content says which format it has.

    Raises `NetworkError` with a sentence that names the file and what is wrong with it, OSError.
    """
    content = path.read_bytes()
    return read_tflite(path, content) if is_tflite(content) else read_onnx(path, content)


def check_network(graph: Graph, config: CoreConfig) -> None:
    """Looks whether all operators can be run on this core.

    Raises `NetworkError`, which names all that can't be.
    """
    if graph.file_format == ONNX:
        check_onnx(graph, config)
        return
    floats = [each for each in graph.operators if _in_floats(graph, each)]
    if floats:
        kinds = ", ".join(dict.fromkeys(each.kind for each in floats))
        raise NetworkError(
            f"{graph.name}: {len(floats)} of its operators compute in floating point ({kinds}); "
            "quantise the network, activations and weights, to int8 or uint8 first"
        )
    problems = [
        f"operator {operator.number}, {operator.kind}: {problem}"
        for operator in graph.operators
        for problem in _problems(graph, operator, config)
    ]
    if problems:
        raise NetworkError(f"{graph.name} can't be run: " + "; ".join(problems))


def _in_floats(graph: Graph, operator: Operator) -> bool:
    known = operator.kind in FUNCTIONS[graph.file_format] or on_core(graph, operator)
    if not known or operator.kind in (*CONVERSIONS, *ANY_TYPE):
        return False
    return any(each.dtype.kind == "f" for each in _data(graph, operator))


def _problems(graph: Graph, operator: Operator, config: CoreConfig) -> Iterator[str]:
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


def frames_of(graph: Graph, given: Array) -> list[dict[int, Array]]:
    """Values for the network's input: one frame, or several along a further axis in front.

    Real numbers are quantised as the input's scale and zero point say. A batch of one may be left
    out, and a larger one is so many frames.

    Raises `NetworkError` where shape or type do not fit.
    """
    if len(graph.inputs) != 1:
        raise NetworkError(f"{graph.name} has {len(graph.inputs)} inputs; one is what can be given")
    tensor = graph.tensors[graph.inputs[0]]
    size = int(np.prod(tensor.shape))
    inner = tensor.shape[1:] if tensor.shape[:1] == (1,) else tensor.shape
    fits = given.shape in (tensor.shape, inner) or (
        given.size > 0 and given.shape[1:] in (tensor.shape, inner)
    )
    if not fits:
        raise NetworkError(
            f"the input has the shape {given.shape}; {graph.name} takes {tensor.shape}, "
            "or that with a number of frames in front"
        )
    if given.dtype.kind == "f" and tensor.quantisation is not None:
        given = _quantised(tensor, given)
    if given.dtype != tensor.dtype:
        raise NetworkError(
            f"the input is {given.dtype.name}; {graph.name} takes {tensor.dtype.name}"
        )
    return [
        {graph.inputs[0]: np.ascontiguousarray(frame.reshape(tensor.shape))}
        for frame in given.reshape(-1, size)
    ]


def random_frames(graph: Graph, rng: np.random.Generator, count: int) -> Array:
    """(count, *input's shape): random values of the input's type, real ones from -1 to 1.

    Raises `NetworkError` for other than one input.
    """
    if len(graph.inputs) != 1:
        raise NetworkError(f"{graph.name} has {len(graph.inputs)} inputs; one is what can be given")
    tensor = graph.tensors[graph.inputs[0]]
    shape = (count, *tensor.shape)
    if tensor.dtype.kind == "f":
        return rng.uniform(-1, 1, shape).astype(tensor.dtype)
    info = np.iinfo(tensor.dtype)
    return rng.integers(info.min, info.max, shape, tensor.dtype, endpoint=True)


def _quantised(tensor: Tensor, real: Array) -> Array:
    info = np.iinfo(tensor.dtype)
    if not np.isfinite(real).all():
        raise NetworkError("the input has values that are infinite or not a number")
    stored: Array = np.rint(real / tensor.scale) + tensor.zero_point
    quantised: Array = np.clip(stored, info.min, info.max).astype(tensor.dtype)
    return quantised
