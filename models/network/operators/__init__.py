"""The operators that are computed in numpy: what they are called, and by which function.

A new one is a function of a `Call` in one of the modules beside this one, and a line here; one that
only moves values stands in `ANY_TYPE`, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from conv_core.models.network.graph import ONNX, TFLITE, Array
from conv_core.models.network.operators import (
    onnx_arithmetic,
    onnx_shapes,
    tflite_arithmetic,
    tflite_pooling,
    tflite_shapes,
)
from conv_core.models.network.operators.call import Call

Function = Callable[[Call], list[Array]]

FUNCTIONS: Mapping[str, Mapping[str, Function]] = {
    TFLITE: {
        "ADD": tflite_arithmetic.add,
        "SUB": tflite_arithmetic.sub,
        "MUL": tflite_arithmetic.mul,
        "QUANTIZE": tflite_arithmetic.quantize,
        "DEQUANTIZE": tflite_arithmetic.dequantize,
        "SOFTMAX": tflite_arithmetic.softmax,
        "LOGISTIC": tflite_arithmetic.logistic,
        "AVERAGE_POOL_2D": tflite_pooling.average_pool,
        "MAX_POOL_2D": tflite_pooling.max_pool,
        "MEAN": tflite_pooling.mean,
        "RESIZE_BILINEAR": tflite_pooling.resize_bilinear,
        "RESHAPE": tflite_shapes.reshape,
        "SQUEEZE": tflite_shapes.reshape,
        "EXPAND_DIMS": tflite_shapes.reshape,
        "PAD": tflite_shapes.pad,
        "PADV2": tflite_shapes.pad,
        "CONCATENATION": tflite_shapes.concatenation,
        "STRIDED_SLICE": tflite_shapes.strided_slice,
        "SLICE": tflite_shapes.slice_out,
        "SPLIT": tflite_shapes.split,
        "SPLIT_V": tflite_shapes.split_v,
        "TRANSPOSE": tflite_shapes.transpose,
        "RELU": tflite_shapes.relu,
        "RELU6": tflite_shapes.relu,
        "RELU_N1_TO_1": tflite_shapes.relu,
    },
    ONNX: {**onnx_arithmetic.FUNCTIONS, **onnx_shapes.FUNCTIONS},
}
"""By file format and kind."""
ANY_TYPE = (
    *("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "STRIDED_SLICE", "SLICE", "SPLIT", "SPLIT_V"),
    *("TRANSPOSE", "CONCATENATION", "PAD", "PADV2"),
)
"""those that only move values, whatever these are"""
STATE = ("READ_VARIABLE", "ASSIGN_VARIABLE")
"""what `conv_core.models.network.execution` does itself"""
