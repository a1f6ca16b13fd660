"""A `.tflite` file that is drawn at random, piece by piece."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from tests.oracles import Graph, Quantised

FUNCTIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")
Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Model:
    """A file, and a value for each of its inputs."""

    content: bytes
    inputs: list[Array]


@dataclass
class Sketch:
    """A model being drawn."""

    rng: np.random.Generator
    dtype: np.dtype[Any]
    graph: Graph = field(default_factory=Graph)
    values: list[Array] = field(default_factory=list)

    def shape(self, axes: int = 4, largest: int = 7) -> tuple[int, ...]:
        """One frame of random size."""
        return (1, *(int(size) for size in self.rng.integers(1, largest + 1, axes - 1)))

    def pick(self, *choices: Any) -> Any:
        return choices[int(self.rng.integers(len(choices)))]

    def quantised(self, low: float = 0.002, high: float = 0.3) -> Quantised:
        """A scale between these, and any zero point."""
        info = np.iinfo(self.dtype)
        zero_point = int(self.rng.integers(info.min, info.max, endpoint=True))
        return Quantised((float(np.float32(self.rng.uniform(low, high))),), zero_point)

    def centred(self, low: float, high: float) -> Quantised:
        """A scale between these, and a zero point near the middle of the range."""
        info = np.iinfo(self.dtype)
        zero_point = (info.min + info.max) // 2 + int(self.rng.integers(-9, 10))
        return Quantised((float(np.float32(self.rng.uniform(low, high))),), zero_point)

    def lowest(self, scale: float) -> Quantised:
        """This scale, and the lowest zero point."""
        return Quantised((scale,), int(np.iinfo(self.dtype).min))

    def numbers(self, shape: Sequence[int], dtype: Any = None) -> Array:
        """Any values, or few different ones, which makes ties and zeros."""
        info = np.iinfo(dtype or self.dtype)
        low, high = info.min, info.max
        if self.rng.random() < 0.3:
            low = int(self.rng.integers(info.min, info.max - 4))
            high = low + 3
        return self.rng.integers(low, high, shape, info.dtype, endpoint=True)

    def input(self, shape: tuple[int, ...], quantised: Quantised, dtype: Any = None) -> int:
        """A new input of the network."""
        tensor = self.graph.tensor(shape, dtype or self.dtype, quantised)
        self.graph.inputs.append(tensor)
        self.values.append(self.numbers(shape, dtype))
        return tensor

    def function(self) -> dict[str, int]:
        word = self.pick(*FUNCTIONS)
        return {"fusedActivationFunction": getattr(schema.ActivationFunctionType, word)}

    def constant(self, values: Any) -> int:
        return self.graph.constant(np.asarray(values, np.int32), None)

    def operator(
        self,
        kind: str,
        inputs: list[int],
        shape: tuple[int, ...],
        quantised: Quantised | None,
        options: Any,
        dtype: Any = None,
    ) -> int:
        code = getattr(schema.BuiltinOperator, kind)
        kind_of = dtype or self.dtype
        return self.graph.operator(code, inputs, options, shape, kind_of, quantised)

    def without_options(
        self, kind: str, inputs: list[int], shape: tuple[int, ...], quantised: Quantised
    ) -> int:
        """An operator that has none."""
        output = self.operator(kind, inputs, shape, quantised, schema.AbsOptionsT())
        operator = self.graph.operators[-1]
        operator.builtinOptions, operator.builtinOptionsType = None, schema.BuiltinOptions.NONE
        return output

    def filters(self, shape: tuple[int, ...], axis: int, in_scale: float) -> list[int]:
        """Weights and bias: with a scale for each filter, if int8, or one zero point, if uint8."""
        count = shape[axis]
        per_filter = self.dtype == np.int8 and self.pick(True, False)
        scales = np.float32(self.rng.uniform(0.001, 0.02, count if per_filter else 1))
        zero_point = int(self.rng.integers(90, 166)) if self.dtype == np.uint8 else 0
        quantised = Quantised(tuple(scales.tolist()), zero_point, axis)
        products = tuple((scales * np.float32(in_scale)).tolist())
        bias = self.rng.integers(-4000, 4000, count, np.int32)
        return [
            self.graph.constant(self.numbers(shape), quantised),
            self.graph.constant(bias, Quantised(products, 0)),
        ]


def out_size(
    padding: str,
    size: tuple[int, ...],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
) -> tuple[int, int]:
    """Rows and columns of the results, as TensorFlow has them."""
    rows, columns = (
        -(-length // s) if padding == "SAME" else (length - (k - 1) * d - 1) // s + 1
        for length, k, s, d in zip(size, kernel, stride, dilation, strict=True)
    )
    return rows, columns
