"""A network on the model of the core, every operator of it compared with the runtime's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader

from conv_core.models.core_config import CoreConfig
from conv_core.models.network.execution import run_on_model
from conv_core.models.network.files import check_network, frames_of, random_frames, read_network
from conv_core.models.network.runtimes import Call, OnnxRuntime


class Images(CalibrationDataReader):  # type: ignore[misc]
    """What onnxruntime.quantization calibrates on: some images for one input."""

    def __init__(self, name: str, images: Iterable[NDArray[Any]]) -> None:
        self._images = iter([{name: image.astype(np.float32)} for image in images])

    def get_next(self) -> Any:
        return next(self._images, None)


@dataclass(frozen=True)
class Comparison:
    """How many values were compared, by kind of operator, and how many differ, by operator."""

    compared: Counter[str]
    differ: Counter[str]


def compare(path: Path, frames: int, seed: int) -> Comparison:
    """An ONNX network on random frames."""
    graph = read_network(path)
    check_network(graph, CoreConfig())
    inputs = frames_of(graph, random_frames(graph, np.random.default_rng(seed), frames))
    wanted = [tensor for operator in graph.operators for tensor in operator.outputs]
    tensors = [graph.tensors[tensor] for tensor in wanted]
    call = Call(
        path.read_bytes(),
        [[frame[tensor] for tensor in graph.inputs] for frame in inputs],
        wanted,
        [each.name for each in tensors],
        [each.dtype for each in tensors],
    )
    (theirs,) = OnnxRuntime().run([call])
    assert not theirs.refusal
    found = Comparison(Counter(), Counter())
    for number, ours in enumerate(run_on_model(graph, inputs)):
        for operator in graph.operators:
            for tensor in set(operator.outputs) & set(ours):
                one, other = ours[tensor], theirs.kept[tensor][number]
                assert (one.shape, one.dtype) == (other.shape, other.dtype), operator
                found.compared[operator.kind] += one.size
                if wrong := int(np.count_nonzero(one != other)):
                    found.differ[f"{operator.kind} {operator.number}"] += wrong
    return found
