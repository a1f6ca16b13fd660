"""What an operator's function is given: the operator, its tensors and their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from conv_core.models.network.graph import Array, Operator, Tensor

ACTIVATIONS: Mapping[str, tuple[float | None, float | None]] = {
    "NONE": (None, None),
    "RELU": (0.0, None),
    "RELU6": (0.0, 6.0),
    "RELU_N1_TO_1": (-1.0, 1.0),
}
"""fused activation functions of TensorFlow Lite: the real numbers that they clamp at"""


@dataclass(frozen=True, eq=False)
class Call:
    """An operator about to be computed. None stands for an input that is left out."""

    operator: Operator
    inputs: tuple[Tensor | None, ...]
    values: tuple[Array | None, ...]
    outputs: tuple[Tensor, ...]

    def tensor(self, number: int) -> Tensor:
        """The input tensor with this number, which must be there."""
        tensor = self.inputs[number]
        assert tensor is not None
        return tensor

    def value(self, number: int) -> Array:
        """The values of the input with this number, which must be there."""
        value = self.values[number]
        assert value is not None
        return value

    def given(self, number: int) -> bool:
        """Is there an input with this number?"""
        return number < len(self.values) and self.values[number] is not None

    def option(self, name: str, default: Any = None) -> Any:
        """An attribute of the operator."""
        value = self.operator.options.get(name)
        return default if value is None else value

    def centred(self, number: int) -> Array:
        """The values of an input less its zero point, int64."""
        return self.value(number).astype(np.int64) - self.tensor(number).zero_point

    @property
    def output(self) -> Tensor:
        """The first output."""
        return self.outputs[0]


def limits(tensor: Tensor) -> tuple[int, int]:
    """The smallest and the largest value that a tensor can store."""
    info = np.iinfo(tensor.dtype)
    return int(info.min), int(info.max)


def activation_range(function: str, output: Tensor) -> tuple[int, int]:
    """The clamps, as stored values, of a fused activation function of TensorFlow Lite."""
    low, high = limits(output)
    ends = ACTIVATIONS[function]
    if ends[0] is not None:
        low = max(low, _stored(ends[0], output))
    if ends[1] is not None:
        high = min(high, _stored(ends[1], output))
    return low, high


def _stored(real: float, tensor: Tensor) -> int:
    quotient = float(np.float32(real) / tensor.scale)
    return tensor.zero_point + int(np.copysign(np.floor(abs(quotient) + 0.5), quotient))


def clamped(values: Array, output: Tensor, function: str = "NONE") -> Array:
    """Values, zero point included, as the output stores them."""
    return np.clip(values, *activation_range(function, output)).astype(output.dtype)


def round_away(values: Array) -> Array:
    """To the nearest whole number, ties away from zero."""
    return np.copysign(np.floor(np.abs(values) + 0.5), values)
