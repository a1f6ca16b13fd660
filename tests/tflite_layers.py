"""The convolutions of a `.tflite` network, each as a layer with the runtime's own tensors.

    for each in network_layers(path, inputs):   # int8 inputs (frames, ...), one call a frame
        each.case                               # x, w, bias, multipliers; expected_y
        each.operator                           # "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"

The network runs in LiteRT's reference kernels, all tensors kept; `x` and the expected results are
what it put into and got out of each operator. A FULLY_CONNECTED rounds by `single`, the other
operators by `tflite`.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from conv_core.models.layer import INT8_MAX, INT8_MIN, Layer, LayerCase, same_pads
from tests.oracles import quantise_multiplier

OPERATORS = {
    code: name
    for name, code in vars(schema.BuiltinOperator).items()
    if name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
}


@dataclass(frozen=True)
class NetworkLayer:
    """An operator of a network, as the core computes it."""

    operator: str
    case: LayerCase


def wake_word_networks() -> list[Path]:
    """The networks of the package pymicro-wakeword: streaming, depthwise kernels up to 21x1."""
    files = importlib.metadata.files("pymicro-wakeword") or []
    return sorted(Path(str(file.locate())) for file in files if file.suffix == ".tflite")


def network_layers(path: Path, inputs: NDArray[np.int8]) -> list[NetworkLayer]:
    """Each convolution and fully connected layer, for the last of the inputs (frames, ...).

    Networks with state keep it from one input to the next.
    """
    content = path.read_bytes()
    interpreter = Interpreter(
        model_content=content,
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    entry = interpreter.get_input_details()[0]
    for frame in inputs:
        interpreter.set_tensor(entry["index"], frame)
        interpreter.invoke()
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    return list(_layers(path.stem, model, interpreter))


def input_shape(path: Path) -> tuple[int, ...]:
    """The shape of a network's first input."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(path.read_bytes(), 0))
    graph = model.subgraphs[0]
    return tuple(int(size) for size in graph.tensors[graph.inputs[0]].shape)


def _layers(network: str, model: Any, interpreter: Interpreter) -> Iterator[NetworkLayer]:
    graph = model.subgraphs[0]
    for number, operator in enumerate(graph.operators):
        code = model.operatorCodes[operator.opcodeIndex]
        name = OPERATORS.get(max(code.builtinCode, code.deprecatedBuiltinCode))
        if name is not None:
            case = _case(f"{network} {number}", name, graph, operator, interpreter)
            yield NetworkLayer(name, case)


def _case(title: str, name: str, graph: Any, operator: Any, interpreter: Interpreter) -> LayerCase:
    x_index, w_index, bias_index = operator.inputs
    x = np.array(interpreter.get_tensor(x_index))
    w = np.array(interpreter.get_tensor(w_index))
    bias = np.array(interpreter.get_tensor(bias_index))
    y = np.array(interpreter.get_tensor(operator.outputs[0]))
    options = operator.builtinOptions
    image, filters, results = (
        graph.tensors[index].quantization for index in (x_index, w_index, operator.outputs[0])
    )
    stride, dilation, pads, groups = (1, 1), (1, 1), (0, 0, 0, 0), 1
    if name == "FULLY_CONNECTED":
        x = x.reshape(-1, 1, 1, w.shape[1])
        y = y.reshape(-1, 1, 1, w.shape[0])
        w = w[:, None, None, :]
    else:
        stride = (options.strideH, options.strideW)
        dilation = (options.dilationHFactor, options.dilationWFactor)
        if name == "DEPTHWISE_CONV_2D":
            groups = x.shape[3]
            w = w.transpose(3, 1, 2, 0)
        if options.padding == schema.Padding.SAME:
            pads = same_pads(x.shape[1:3], w.shape[1:3], stride, dilation)
    out_zp = int(results.zeroPoint[0])
    function = schema.ActivationFunctionType
    smallest, largest = {
        function.NONE: (INT8_MIN, INT8_MAX),
        function.RELU: (out_zp, INT8_MAX),
        function.RELU6: (out_zp, min(INT8_MAX, out_zp + round(6 / float(results.scale[0])))),
    }[options.fusedActivationFunction]
    layer = Layer(
        *x.shape,
        out_channels=len(w),
        kernel=w.shape[1:3],
        stride=stride,
        dilation=dilation,
        pads=pads,
        groups=groups,
        in_zp=int(image.zeroPoint[0]),
        out_zp=out_zp,
        act_min=max(INT8_MIN, smallest),
        act_max=largest,
        requantise=True,
        rounding="single" if name == "FULLY_CONNECTED" else "tflite",
    )
    scales = np.broadcast_to(np.float32(filters.scale), len(w)).copy()
    in_scale, out_scale = np.float32(image.scale[0]), np.float32(results.scale[0])
    quantised = [
        quantise_multiplier(float(in_scale) * float(scale) / float(out_scale)) for scale in scales
    ]
    mult, shift = np.array(quantised, np.int32).T
    case = LayerCase(
        title,
        layer,
        np.ascontiguousarray(x),
        np.ascontiguousarray(w),
        bias,
        mult=mult,
        shift=shift,
    )
    return replace(case, expected_y=np.ascontiguousarray(y))
