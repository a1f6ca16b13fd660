"""The operators of a `.tflite` network, one by one: as files of their own, and as layers.

network = Network.read(path)
for operator in network.operators:
    operator.name, operator.inputs          # "CONV_2D", indices of the tensors it is fed with
    network.alone(operator)                 # a `.tflite` file of this operator only
    network.requantiser(operator, tensors)  # as a layer, if it is a convolution or the like
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from conv_core.models.errors import RefusedError
from conv_core.models.layer import (
    INT8_MAX,
    INT8_MIN,
    Float32Array,
    Float64Array,
    Layer,
    LayerCase,
    same_pads,
)
from conv_core.models.quantisation import quantise_multipliers

LAYERS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
STATE = ("VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE")
"""Operators that keep something from call to call: they are nothing by themselves."""
CODES = {code: name for name, code in vars(schema.BuiltinOperator).items() if name.isupper()}
DTYPES = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.INT8: np.int8,
    schema.TensorType.UINT8: np.uint8,
    schema.TensorType.INT16: np.int16,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.INT64: np.int64,
    schema.TensorType.BOOL: np.bool_,
}

Tensors = Mapping[int, NDArray[Any]]


class NotATfliteFileError(RefusedError):
    """The text names the file and says what is wrong with it."""


@dataclass(frozen=True, eq=False)
class Operator:
    """An operator of the main graph: its place there, its name, its tensors' indices."""

    number: int
    name: str
    inputs: tuple[int, ...]
    """those that are no constants"""
    outputs: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Requantiser:
    """A layer with the scales that its multipliers come from.

    The multiplier of filter o is in_scale * filter_scales[o] / out_scale; the layer's `mult` and
    `shift` are TensorFlow Lite's for that number in float64.
    """

    case: LayerCase
    in_scale: np.float32
    filter_scales: Float32Array
    out_scale: np.float32

    @property
    def real(self) -> Float64Array:
        """(Cout): the multipliers in float64."""
        product = np.float64(self.in_scale) * self.filter_scales.astype(np.float64)
        return product / np.float64(self.out_scale)

    @property
    def scale(self) -> Float32Array:
        """(Cout): the multipliers in float32."""
        scale: Float32Array = self.in_scale * self.filter_scales / self.out_scale
        return scale


class Network:
    """A `.tflite` file, read."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        self.content = content
        self.model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
        self.graph = self.model.subgraphs[0]
        self.operators = [
            self._operator(number, each) for number, each in enumerate(self.graph.operators)
        ]

    @classmethod
    def read(cls, path: str | Path) -> Network:
        """Raises `NotATfliteFileError`."""
        path = Path(path)
        content = path.read_bytes()
        if content[4:8] != b"TFL3":
            raise NotATfliteFileError(f"{path}: this is no TensorFlow Lite file")
        try:
            return cls(path.stem, content)
        except Exception as error:  # flatbuffers fails in many ways on a file that is cut short
            raise NotATfliteFileError(f"{path}: the file is cut short or damaged") from error

    def inputs(self) -> list[tuple[tuple[int, ...], Any]]:
        """Shape and type of each input of the network."""
        tensors = (self.graph.tensors[index] for index in self.graph.inputs)
        return [(tuple(map(int, each.shape)), DTYPES[each.type]) for each in tensors]

    def _operator(self, number: int, operator: Any) -> Operator:
        code = self.model.operatorCodes[operator.opcodeIndex]
        name = CODES.get(max(code.builtinCode, code.deprecatedBuiltinCode), "an unknown operator")
        fed = (int(i) for i in operator.inputs if i >= 0 and self._data(int(i)) is None)
        return Operator(number, name, tuple(fed), tuple(map(int, operator.outputs)))

    def _data(self, index: int) -> NDArray[np.uint8] | None:
        data = self.model.buffers[self.graph.tensors[index].buffer].data
        return None if data is None or len(data) == 0 else np.asarray(data, np.uint8)

    def constant(self, index: int) -> NDArray[Any]:
        """A constant tensor."""
        tensor, data = self.graph.tensors[index], self._data(index)
        assert data is not None, f"tensor {index} is no constant"
        return data.view(DTYPES[tensor.type]).reshape(tuple(map(int, tensor.shape)))

    def activations(self) -> list[int]:
        """The tensors that operators read and write, without constants and handles of state."""
        used = {index for each in self.operators for index in (*each.inputs, *each.outputs)}
        return sorted(index for index in used if self.graph.tensors[index].type in DTYPES)

    def alone(self, operator: Operator) -> bytes:
        """A `.tflite` file of one operator: its inputs are `operator.inputs`, in this order."""
        original = self.graph.operators[operator.number]
        used = list(dict.fromkeys(int(i) for i in (*original.inputs, *original.outputs) if i >= 0))
        buffers, tensors = [schema.BufferT()], []
        for index in used:
            old, data = self.graph.tensors[index], self._data(index)
            buffers.append(schema.BufferT(data=data))
            tensors.append(
                schema.TensorT(
                    shape=old.shape,
                    type=old.type,
                    name=old.name,
                    quantization=old.quantization,
                    buffer=len(buffers) - 1 if data is not None else 0,
                )
            )
        place = {index: number for number, index in enumerate(used)} | {-1: -1}
        moved = schema.OperatorT(
            opcodeIndex=0,
            inputs=[place[int(i)] for i in original.inputs],
            outputs=[place[int(i)] for i in original.outputs],
            builtinOptionsType=original.builtinOptionsType,
            builtinOptions=original.builtinOptions,
        )
        graph = schema.SubGraphT(
            tensors=tensors,
            inputs=[place[i] for i in operator.inputs],
            outputs=moved.outputs,
            operators=[moved],
            name=operator.name,
        )
        model = schema.ModelT(
            version=3,
            operatorCodes=[self.model.operatorCodes[original.opcodeIndex]],
            subgraphs=[graph],
            buffers=buffers,
        )
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def requantiser(self, operator: Operator, tensors: Tensors) -> Requantiser | None:
        """The operator as a layer on the input it has in `tensors`; None if it is none in int8."""
        if operator.name not in LAYERS:
            return None
        original = self.graph.operators[operator.number]
        x_index, w_index = (int(i) for i in original.inputs[:2])
        y_index = operator.outputs[0]
        types = {self.graph.tensors[index].type for index in (x_index, w_index, y_index)}
        if types != {schema.TensorType.INT8} or w_index in operator.inputs:
            return None
        image, filters, results = (
            self.graph.tensors[index].quantization for index in (x_index, w_index, y_index)
        )
        x, w, geometry = _oriented(
            operator.name, original.builtinOptions, tensors[x_index], self.constant(w_index)
        )
        bias_index = [int(i) for i in original.inputs[2:3] if i >= 0]
        bias = self.constant(bias_index[0]) if bias_index else np.zeros(len(w), np.int32)
        out_zp, out_scale = int(results.zeroPoint[0]), np.float32(results.scale[0])
        low, high = _clamps(original.builtinOptions.fusedActivationFunction, out_zp, out_scale)
        batch, height, width, channels = x.shape
        layer = Layer(
            batch,
            height,
            width,
            channels,
            out_channels=len(w),
            kernel=w.shape[1:3],
            **geometry,
            in_zp=int(image.zeroPoint[0]),
            out_zp=out_zp,
            act_min=low,
            act_max=high,
            requantise=True,
        )
        scales = np.broadcast_to(np.asarray(filters.scale, np.float32), len(w)).copy()
        in_scale = np.float32(image.scale[0])
        real = np.float64(in_scale) * scales.astype(np.float64) / np.float64(out_scale)
        mult, shift = quantise_multipliers(real)
        title = f"{self.name} {operator.number} {operator.name}"
        case = LayerCase(title, layer, x, w, bias, mult=mult, shift=shift)
        return Requantiser(case, in_scale, scales, out_scale)


def _oriented(
    name: str, options: Any, x: NDArray[Any], w: NDArray[Any]
) -> tuple[NDArray[np.int8], NDArray[np.int8], dict[str, Any]]:
    """Image NHWC, weights OHWI, and what `Layer` calls the rest of the geometry."""
    if name == "FULLY_CONNECTED":
        x, w = x.reshape(-1, 1, 1, w.shape[1]), w[:, None, None, :]
        return np.ascontiguousarray(x), np.ascontiguousarray(w), {}
    geometry: dict[str, Any] = {
        "stride": (options.strideH, options.strideW),
        "dilation": (options.dilationHFactor, options.dilationWFactor),
    }
    if name == "DEPTHWISE_CONV_2D":
        geometry["groups"] = x.shape[3]
        w = w.transpose(3, 1, 2, 0)
    else:
        geometry["groups"] = x.shape[3] // w.shape[3]
    if options.padding == schema.Padding.SAME:
        size, kernel = (x.shape[1], x.shape[2]), (w.shape[1], w.shape[2])
        geometry["pads"] = same_pads(size, kernel, geometry["stride"], geometry["dilation"])
    return np.ascontiguousarray(x), np.ascontiguousarray(w), geometry


def _clamps(function: int, out_zp: int, out_scale: np.float32) -> tuple[int, int]:
    kinds = schema.ActivationFunctionType

    def stored(value: float) -> int:
        return int(np.clip(out_zp + round(value / float(out_scale)), INT8_MIN, INT8_MAX))

    return {
        kinds.NONE: (INT8_MIN, INT8_MAX),
        kinds.RELU: (stored(0), INT8_MAX),
        kinds.RELU6: (stored(0), stored(6)),
        kinds.RELU_N1_TO_1: (stored(-1), stored(1)),
    }[function]
