"""A small network as a `.tflite` file: convolutions, a branch, and what stands between them."""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.network.sketch import Model, Sketch, out_size

SIZE, CHANNELS, CLASSES = 9, 5, 4
WIDTH = 6
"""channels inside"""


def small_network(dtype: Any, rng: np.random.Generator) -> Model:
    """PAD, CONV_2D, then a branch of DEPTHWISE_CONV_2D and CONV_2D that is added to it, and a head.

    Scales and zero points are such that few values are clamped.
    """
    sketch = Sketch(rng, np.dtype(dtype))
    image = sketch.centred(0.02, 0.05)
    x = sketch.input((1, SIZE, SIZE, CHANNELS), image)
    around = sketch.constant(((0, 0), (1, 0), (0, 2), (0, 0)))
    shape = (1, SIZE + 1, SIZE + 2, CHANNELS)
    x = sketch.operator("PAD", [x, around], shape, image, schema.PadOptionsT())
    x, shape = _convolution(sketch, x, shape, WIDTH, (3, 3), (2, 2), "VALID")
    y = _depthwise(sketch, x, shape)
    y, _ = _convolution(sketch, y, shape, WIDTH, (1, 1), (1, 1), "SAME")
    summed = sketch.centred(0.2, 0.4)
    x = sketch.operator(
        "ADD",
        [x, y],
        shape,
        summed,
        schema.AddOptionsT(fusedActivationFunction=schema.ActivationFunctionType.RELU),
    )
    x = sketch.operator(
        "AVERAGE_POOL_2D",
        [x],
        (1, 1, 1, WIDTH),
        summed,
        schema.Pool2DOptionsT(
            padding=schema.Padding.VALID,
            filterHeight=shape[1],
            filterWidth=shape[2],
            strideH=1,
            strideW=1,
        ),
    )
    flat = schema.ReshapeOptionsT(newShape=[1, WIDTH])
    x = sketch.operator("RESHAPE", [x, sketch.constant((1, WIDTH))], (1, WIDTH), summed, flat)
    weights = sketch.filters((CLASSES, WIDTH), 0, summed.scales[0])
    scores = sketch.centred(0.4, 0.6)
    x = sketch.operator(
        "FULLY_CONNECTED", [x, *weights], (1, CLASSES), scores, schema.FullyConnectedOptionsT()
    )
    lowest = sketch.lowest(1 / 256)
    x = sketch.operator("SOFTMAX", [x], (1, CLASSES), lowest, schema.SoftmaxOptionsT(beta=1.0))
    return Model(sketch.graph.finish(x), sketch.values)


def _convolution(
    sketch: Sketch,
    x: int,
    shape: tuple[int, ...],
    filters: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: str,
) -> tuple[int, tuple[int, ...]]:
    """The results and their shape."""
    weights = sketch.filters((filters, *kernel, shape[3]), 0, _scale(sketch, x))
    options = schema.Conv2DOptionsT(
        padding=getattr(schema.Padding, padding),
        strideH=stride[0],
        strideW=stride[1],
        dilationHFactor=1,
        dilationWFactor=1,
        fusedActivationFunction=schema.ActivationFunctionType.RELU,
    )
    size = out_size(padding, (shape[1], shape[2]), kernel, stride, (1, 1))
    results = sketch.centred(0.2, 0.4)
    out = (1, *size, filters)
    return sketch.operator("CONV_2D", [x, *weights], out, results, options), out


def _depthwise(sketch: Sketch, x: int, shape: tuple[int, ...]) -> int:
    weights = sketch.filters((1, 3, 3, shape[3]), 3, _scale(sketch, x))
    options = schema.DepthwiseConv2DOptionsT(
        padding=schema.Padding.SAME,
        strideH=1,
        strideW=1,
        dilationHFactor=1,
        dilationWFactor=1,
        depthMultiplier=1,
    )
    results = sketch.centred(0.2, 0.4)
    return sketch.operator("DEPTHWISE_CONV_2D", [x, *weights], shape, results, options)


def _scale(sketch: Sketch, tensor: int) -> float:
    return float(sketch.graph.tensors[tensor].quantization.scale[0])
