"""`.tflite` files of one operator, drawn at random: `model = draw(kind, dtype, rng)`.

`KINDS` are those that can be drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.network.sketch import Model, Sketch, out_size
from tests.oracles import Quantised

PADDINGS = ("SAME", "VALID")


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
    """All values that there are; in half of the models one of them is beside a tie."""
    quantised = sketch.quantised(0.0005, 0.5)
    if sketch.pick(True, False):
        info = np.iinfo(sketch.dtype)
        result = int(sketch.rng.integers(130, 252)) + 0.5
        steps = int(sketch.rng.integers(20, 200))
        scale = np.float32(np.log(result / (256 - result)) / steps)
        scale *= np.float32(1 + int(sketch.rng.integers(-3, 4)) * 2.0**-24)
        quantised = Quantised((float(scale),), int(sketch.pick(info.min, info.max)))
    x = sketch.input((1, 256), quantised)
    sketch.values[0] = np.arange(256, dtype=np.uint8).view(sketch.dtype).reshape(1, 256)
    return sketch.without_options(kind, [x], (1, 256), sketch.lowest(1 / 256))


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


def _ones(sketch: Sketch, kind: str) -> int:
    """SQUEEZE and EXPAND_DIMS: axes of size 1 that go or come."""
    shape, quantised = sketch.shape(3), sketch.quantised()
    axis = sketch.pick(1, 2, 3)
    longer = (*shape[:axis], 1, *shape[axis:])
    if kind == "SQUEEZE":
        x = sketch.input(longer, quantised)
        options: Any = schema.SqueezeOptionsT(squeezeDims=[axis])
        return sketch.operator(kind, [x], shape, quantised, options)
    inputs = [sketch.input(shape, quantised), sketch.constant(axis)]
    return sketch.operator(kind, inputs, longer, quantised, schema.ExpandDimsOptionsT())


def _relu(sketch: Sketch, kind: str) -> int:
    shape = sketch.shape()
    x = sketch.input(shape, sketch.quantised(0.01, 0.1))
    return sketch.without_options(kind, [x], shape, sketch.quantised(0.01, 0.1))


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
    "SQUEEZE": _ones,
    "EXPAND_DIMS": _ones,
    "RELU": _relu,
    "RELU6": _relu,
    "RELU_N1_TO_1": _relu,
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
