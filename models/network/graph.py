"""A quantised network as data: tensors and the operators between them, whatever file it came from.

    graph = read_network(path)          # conv_core.models.network.files
    for operator in graph.operators:    # in the order in which they run
        graph.tensors[operator.outputs[0]].shape

Tensors have their file's own layout: NHWC in TensorFlow Lite, NCHW in ONNX. Scales and zero points
stand in the tensors, for ONNX too, so that an operator's inputs are only those that hold data:
activations, weights, bias. A convolution's layer is `conv_core.models.network.lowering`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conv_core.models.errors import RefusedError
from conv_core.models.layer import Float32Array, Int32Array

Array = NDArray[Any]

TFLITE, ONNX = "tflite", "onnx"


class NetworkError(RefusedError):
    """A network that can't be read or run: a sentence that names the file and what is wrong."""


@dataclass(frozen=True, eq=False)
class Quantisation:
    """What a tensor's stored values stand for: real = scale * (stored - zero point).

    `scale`, float32, and `zero_point`, int32, are (1), or (channels) along `axis`.
    """

    scale: Float32Array
    zero_point: Int32Array
    axis: int = 0

    @classmethod
    def of(cls, scale: Any, zero_point: Any, axis: int = 0) -> Quantisation:
        """From numbers or arrays; one zero point serves all scales."""
        scales = np.atleast_1d(np.asarray(scale, np.float32))
        points = np.atleast_1d(np.asarray(zero_point)).astype(np.int32)
        return cls(scales, np.broadcast_to(points, scales.shape).copy(), axis)

    @property
    def per_tensor(self) -> bool:
        """Has it one scale for all values?"""
        return self.scale.size == 1

    @property
    def one_scale(self) -> np.float32:
        """The scale of a tensor that has only one."""
        assert self.per_tensor
        return np.float32(self.scale[0])

    @property
    def one_zero_point(self) -> int:
        """The zero point of a tensor that has only one."""
        assert self.per_tensor
        return int(self.zero_point[0])

    def same_as(self, other: Quantisation) -> bool:
        """Do both say the same of every value?"""
        return bool(
            np.array_equal(self.scale, other.scale)
            and np.array_equal(self.zero_point, other.zero_point)
            and (self.per_tensor or self.axis == other.axis)
        )


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of a network; `data` is there if it is constant."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    quantisation: Quantisation | None = None
    data: Array | None = None

    @property
    def constant(self) -> bool:
        """Does the file hold its values?"""
        return self.data is not None

    @property
    def scale(self) -> np.float32:
        """The scale, of a tensor that has one for all values."""
        assert self.quantisation is not None, f"tensor {self.name} is not quantised"
        return self.quantisation.one_scale

    @property
    def zero_point(self) -> int:
        """The zero point, of a tensor that has one for all values."""
        assert self.quantisation is not None, f"tensor {self.name} is not quantised"
        return self.quantisation.one_zero_point


@dataclass(frozen=True, eq=False)
class Operator:
    """A step of a network.

    `kind` is the file format's word, such as "CONV_2D" or "QLinearConv"; `inputs` and `outputs`
    are indices into the graph's tensors, None for an input that is left out; `options` are the
    attributes under the names of the file format.
    """

    number: int
    """in the file, from 0 on"""
    kind: str
    inputs: tuple[int | None, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Graph:
    """A network. `operators` stand in the order in which they run.

    `variables` are what a streaming network keeps from one frame to the next, by name, with their
    values at the start. "READ_VARIABLE" and "ASSIGN_VARIABLE" name theirs as `options["variable"]`.
    """

    name: str
    file_format: str
    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    variables: Mapping[str, Array] = field(default_factory=dict)

    def inputs_of(self, operator: Operator) -> tuple[Tensor | None, ...]:
        """The input tensors of an operator, None where one is left out."""
        return tuple(None if i is None else self.tensors[i] for i in operator.inputs)

    def outputs_of(self, operator: Operator) -> tuple[Tensor, ...]:
        """The output tensors of an operator."""
        return tuple(self.tensors[i] for i in operator.outputs)

    def consumers(self, tensor: int) -> list[Operator]:
        """The operators that read a tensor."""
        return [operator for operator in self.operators if tensor in operator.inputs]

    def producer(self, tensor: int) -> Operator | None:
        """The operator that writes a tensor; None for inputs and constants."""
        return next((each for each in self.operators if tensor in each.outputs), None)
