"""`.tflite` files of one operator, drawn at random: `model = draw(kind, dtype, rng)`.

`KINDS` are those that can be drawn; each is a function of a `Sketch` below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from tests.oracles import Graph, Quantised

FUNCTIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")
PADDINGS = ("SAME", "VALID")
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

    def filters(self, shape: tuple[int, ...], axis: int, in_scale: float) -> list[int]:
        """Weights and bias: with a scale for each filter, if int8, or one zero point, if uint8."""
        count = shape[axis]
        per_filter = self.dtype == np.int8 and self.pick(True, False)
        scales = np.float32(self.rng.uniform(0.001, 0.02, count if per_filter else 1))
        zero_point = int(self.rng.integers(0, 256)) if self.dtype == np.uint8 else 0
        quantised = Quantised(tuple(scales.tolist()), zero_point, axis)
        products = tuple((scales * np.float32(in_scale)).tolist())
        bias = self.rng.integers(-4000, 4000, count, np.int32)
        return [
            self.graph.constant(self.numbers(shape), quantised),
            self.graph.constant(bias, Quantised(products, 0)),
        ]


def draw(kind: str, dtype: Any, rng: np.random.Generator) -> Model:
    """A random model of one operator, whose data are int8 or uint8."""
    sketch = Sketch(rng, np.dtype(dtype))
    output = KINDS[kind](sketch, kind)
    return Model(sketch.graph.finish(output), sketch.values)


def _two_terms(sketch: Sketch, kind: str) -> int:
    options = {
        "ADD": schema.AddOptionsT,
        "SUB": schema.SubOptionsT,
        "MUL": schema.MulOptionsT,
    }[kind](**sketch.function())
    shape = sketch.shape()
    other = sketch.pick(shape, shape, (1, 1, 1, shape[3]), (1, 1, 1, 1))
    results = sketch.quantised(*((0.01, 0.6) if kind == "MUL" else (0.004, 0.5)))
    inputs = [sketch.input(each, sketch.quantised()) for each in (shape, other)]
    if sketch.pick(True, False):
        inputs.reverse()
    return sketch.operator(kind, inputs, shape, results, options)


def _quantize(sketch: Sketch, kind: str) -> int:
    shape = sketch.shape()
    source = sketch.pick(np.int8, np.uint8)
    other = Sketch(sketch.rng, np.dtype(source)).quantised()
    x = sketch.input(shape, other, source)
    return sketch.operator(kind, [x], shape, sketch.quantised(), schema.QuantizeOptionsT())


def _dequantize(sketch: Sketch, kind: str) -> int:
    shape = sketch.shape()
    x = sketch.input(shape, sketch.quantised())
    return sketch.operator(kind, [x], shape, None, schema.DequantizeOptionsT(), np.float32)


def _softmax(sketch: Sketch, kind: str) -> int:
    shape = (1, int(sketch.rng.integers(1, 40)))
    x = sketch.input(shape, sketch.quantised(0.0005, 1.0))
    options = schema.SoftmaxOptionsT(beta=sketch.pick(1.0, 1.0, 0.5))
    return sketch.operator(kind, [x], shape, sketch.lowest(1 / 256), options)


def _logistic(sketch: Sketch, kind: str) -> int:
    shape = sketch.shape()
    x = sketch.input(shape, sketch.quantised(0.0005, 0.5))
    output = sketch.operator(kind, [x], shape, sketch.lowest(1 / 256), schema.AbsOptionsT())
    operator = sketch.graph.operators[-1]  # it has no options
    operator.builtinOptions, operator.builtinOptionsType = None, schema.BuiltinOptions.NONE
    return output


def _pool(sketch: Sketch, kind: str) -> int:
    _, height, width, channels = sketch.shape(largest=9)
    kernel = (int(sketch.rng.integers(1, height + 1)), int(sketch.rng.integers(1, width + 1)))
    stride = (int(sketch.rng.integers(1, 4)), int(sketch.rng.integers(1, 4)))
    padding = sketch.pick(*PADDINGS)
    quantised = sketch.quantised(0.01, 0.1)
    x = sketch.input((1, height, width, channels), quantised)
    options = schema.Pool2DOptionsT(
        padding=getattr(schema.Padding, padding),
        filterHeight=kernel[0],
        filterWidth=kernel[1],
        strideH=stride[0],
        strideW=stride[1],
        **sketch.function(),
    )
    size = out_size(padding, (height, width), kernel, stride, (1, 1))
    return sketch.operator(kind, [x], (1, *size, channels), quantised, options)


def _mean(sketch: Sketch, kind: str) -> int:
    shape = sketch.shape(largest=12)
    axes = sketch.pick((1, 2), (1,), (2,), (3,), (1, 2, 3), (-1,))
    keep = sketch.pick(True, False)
    reduced = {axis % 4 for axis in axes}
    left = [1 if i in reduced else size for i, size in enumerate(shape)]
    out = tuple(left) if keep else tuple(s for i, s in enumerate(shape) if i not in reduced)
    x = sketch.input(shape, sketch.quantised())
    options = schema.ReducerOptionsT(keepDims=keep)
    results = sketch.pick(sketch.quantised(), sketch.quantised(0.002, 0.05))
    return sketch.operator(kind, [x, sketch.constant(axes)], out, results, options)


def _resize(sketch: Sketch, kind: str) -> int:
    _, height, width, channels = sketch.shape()
    size = tuple(int(each) for each in sketch.rng.integers(1, 15, 2))
    corners, centres = sketch.pick((True, False), (False, True), (False, False))
    quantised = sketch.quantised()
    x = sketch.input((1, height, width, channels), quantised)
    options = schema.ResizeBilinearOptionsT(alignCorners=corners, halfPixelCenters=centres)
    shape = (1, *size, channels)
    return sketch.operator(kind, [x, sketch.constant(size)], shape, quantised, options)


def _reshape(sketch: Sketch, kind: str) -> int:
    shape = sketch.shape()
    out = (1, int(np.prod(shape)))
    quantised = sketch.quantised()
    x = sketch.input(shape, quantised)
    options = schema.ReshapeOptionsT(newShape=list(out))
    return sketch.operator(kind, [x, sketch.constant(out)], out, quantised, options)


def _pad(sketch: Sketch, kind: str) -> int:
    shape, quantised = sketch.shape(), sketch.quantised()
    around = sketch.rng.integers(0, 3, (4, 2))
    out = tuple(int(size) for size in around.sum(1) + shape)
    inputs = [sketch.input(shape, quantised), sketch.constant(around)]
    options: Any = schema.PadOptionsT()
    if kind == "PADV2":
        inputs.append(sketch.graph.constant(sketch.numbers((1,)), quantised))
        options = schema.PadV2OptionsT()
    return sketch.operator(kind, inputs, out, quantised, options)


def _concatenation(sketch: Sketch, kind: str) -> int:
    shape, axis = list(sketch.shape()), sketch.pick(1, 2, 3, -1)
    quantised = sketch.quantised()
    parts, total = [], 0
    for _ in range(sketch.pick(2, 3)):
        shape[axis] = int(sketch.rng.integers(1, 5))
        total += shape[axis]
        alike = sketch.dtype == np.int8 or sketch.pick(True, False)
        parts.append(sketch.input(tuple(shape), quantised if alike else sketch.quantised()))
    shape[axis] = total
    options = schema.ConcatenationOptionsT(axis=axis)
    return sketch.operator(kind, parts, tuple(shape), quantised, options)


def _strided_slice(sketch: Sketch, kind: str) -> int:
    shape, quantised = sketch.shape(), sketch.quantised()
    limits, masks = [], [0, 0]
    for axis, size in enumerate(shape):
        step = sketch.pick(1, 1, 2, -1, -2)
        first, last = sorted(int(i) for i in sketch.rng.integers(0, size, 2))
        begin, end = (first, last + 1) if step > 0 else (last, first - 1)
        whole = step < 0 and end < 0
        for mask, wanted in enumerate(
            (sketch.pick(True, False), whole or sketch.pick(True, False))
        ):
            masks[mask] |= wanted << axis
        limits.append((begin, end, step))
    index = tuple(
        slice(None if masks[0] >> axis & 1 else begin, None if masks[1] >> axis & 1 else end, step)
        for axis, (begin, end, step) in enumerate(limits)
    )
    out = np.empty(shape)[index].shape
    inputs = [sketch.input(shape, quantised)]
    inputs += [sketch.constant(values) for values in zip(*limits, strict=True)]
    options = schema.StridedSliceOptionsT(beginMask=masks[0], endMask=masks[1])
    return sketch.operator(kind, inputs, out, quantised, options)


def _slice(sketch: Sketch, kind: str) -> int:
    shape, quantised = sketch.shape(), sketch.quantised()
    begin = [int(sketch.rng.integers(0, size)) for size in shape]
    sizes = [int(sketch.rng.integers(1, s - b + 1)) for s, b in zip(shape, begin, strict=True)]
    inputs = [sketch.input(shape, quantised), sketch.constant(begin), sketch.constant(sizes)]
    return sketch.operator(kind, inputs, tuple(sizes), quantised, schema.SliceOptionsT())


def _split(sketch: Sketch, kind: str) -> int:
    shape, axis = list(sketch.shape()), sketch.pick(1, 2, 3)
    count = sketch.pick(2, 3)
    sizes = [int(sketch.rng.integers(1, 5)) for _ in range(count)]
    if kind == "SPLIT":
        sizes = sizes[:1] * count
    quantised = sketch.quantised()
    shape[axis] = sum(sizes)
    x = sketch.input(tuple(shape), quantised)
    if kind == "SPLIT":
        inputs = [sketch.constant(axis), x]
        options: Any = schema.SplitOptionsT(numSplits=count)
    else:
        inputs = [x, sketch.constant(sizes), sketch.constant(axis)]
        options = schema.SplitVOptionsT(numSplits=count)
    parts = []
    for size in sizes:
        shape[axis] = size
        parts.append(sketch.graph.tensor(tuple(shape), sketch.dtype, quantised))
    sketch.operator(kind, inputs, tuple(shape), quantised, options)
    sketch.graph.operators[-1].outputs = parts
    return parts[1]


def _transpose(sketch: Sketch, kind: str) -> int:
    shape, quantised = sketch.shape(), sketch.quantised()
    order = [int(axis) for axis in sketch.rng.permutation(4)]
    inputs = [sketch.input(shape, quantised), sketch.constant(order)]
    out = tuple(shape[axis] for axis in order)
    return sketch.operator(kind, inputs, out, quantised, schema.TransposeOptionsT())


def _convolution(sketch: Sketch, kind: str) -> int:
    _, height, width, channels = sketch.shape(largest=9)
    depthwise = kind == "DEPTHWISE_CONV_2D"
    kernel = tuple(int(size) for size in sketch.rng.integers(1, 4, 2))
    stride = tuple(int(size) for size in sketch.rng.integers(1, 3, 2))
    dilation = sketch.pick((1, 1), (1, 1), (2, 2)) if stride == (1, 1) else (1, 1)
    padding = sketch.pick(*PADDINGS)
    size = out_size(padding, (height, width), kernel, stride, dilation)
    if min(size) < 1:
        padding, size = "SAME", out_size("SAME", (height, width), kernel, stride, dilation)
    multiplier = sketch.pick(1, 2)
    filters = channels * multiplier if depthwise else int(sketch.rng.integers(1, 9))
    shape = (1, *kernel, filters) if depthwise else (filters, *kernel, channels)
    options = {
        "padding": getattr(schema.Padding, padding),
        "strideH": stride[0],
        "strideW": stride[1],
        "dilationHFactor": dilation[0],
        "dilationWFactor": dilation[1],
        **sketch.function(),
    }
    inputs = [sketch.input((1, height, width, channels), sketch.quantised(0.01, 0.1))]
    scale = sketch.graph.tensors[0].quantization.scale[0]
    inputs += sketch.filters(shape, 3 if depthwise else 0, scale)
    given = (
        schema.DepthwiseConv2DOptionsT(depthMultiplier=multiplier, **options)
        if depthwise
        else schema.Conv2DOptionsT(**options)
    )
    return sketch.operator(kind, inputs, (1, *size, filters), sketch.quantised(), given)


def _fully_connected(sketch: Sketch, kind: str) -> int:
    rows, channels, filters = (int(size) for size in sketch.rng.integers(1, 40, 3))
    inputs = [sketch.input((rows, channels), sketch.quantised(0.01, 0.1))]
    scale = sketch.graph.tensors[0].quantization.scale[0]
    inputs += sketch.filters((filters, channels), 0, scale)
    options = schema.FullyConnectedOptionsT(**sketch.function())
    return sketch.operator(kind, inputs, (rows, filters), sketch.quantised(0.02, 0.5), options)


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


KINDS: Mapping[str, Callable[[Sketch, str], int]] = {
    "ADD": _two_terms,
    "SUB": _two_terms,
    "MUL": _two_terms,
    "QUANTIZE": _quantize,
    "DEQUANTIZE": _dequantize,
    "SOFTMAX": _softmax,
    "LOGISTIC": _logistic,
    "AVERAGE_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
    "MEAN": _mean,
    "RESIZE_BILINEAR": _resize,
    "RESHAPE": _reshape,
    "PAD": _pad,
    "PADV2": _pad,
    "CONCATENATION": _concatenation,
    "STRIDED_SLICE": _strided_slice,
    "SLICE": _slice,
    "SPLIT": _split,
    "SPLIT_V": _split,
    "TRANSPOSE": _transpose,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _convolution,
    "FULLY_CONNECTED": _fully_connected,
}
