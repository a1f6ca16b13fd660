"""Network files of all formats: `graph = read_network(path)`, and what in it can't be run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from conv_core.models.core_config import CoreConfig
from conv_core.models.network import onnx_check, tflite_check
from conv_core.models.network.graph import (
    ONNX,
    TFLITE,
    Array,
    Graph,
    NetworkError,
    Operator,
    Tensor,
)
from conv_core.models.network.onnx_file import read_onnx
from conv_core.models.network.tflite_file import is_tflite, read_tflite

Rules = tuple[Callable[[Graph], str], Callable[[Graph, Operator, CoreConfig], Iterator[str]]]
"""of a file format: what keeps a whole network from being run, and what an operator, as clauses"""

RULES: Mapping[str, Rules] = {
    TFLITE: (tflite_check.refusal, tflite_check.problems),
    ONNX: (onnx_check.refusal, onnx_check.problems),
}


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
    refusal, problems_of = RULES[graph.file_format]
    if sentence := refusal(graph):
        raise NetworkError(f"{graph.name}: {sentence}")
    problems = [
        f"operator {operator.number}, {operator.kind}: {problem}"
        for operator in graph.operators
        for problem in problems_of(graph, operator, config)
    ]
    if problems:
        raise NetworkError(f"{graph.name} can't be run: " + "; ".join(problems))


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
