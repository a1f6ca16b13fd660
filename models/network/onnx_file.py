"""Reads `.onnx` files in QOperator, QDQ and ConvInteger form.

In QDQ form an operator between DequantizeLinear and QuantizeLinear is read as its quantised
namesake, "QLinearAdd" for Add, wherever ONNX Runtime has one; the rest stays in floating point.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from conv_core.models.network.graph import (
    ONNX,
    Array,
    Graph,
    NetworkError,
    Operator,
    Quantisation,
    Tensor,
)

MICROSOFT = "com.microsoft"
UNARY = ("QLinearGlobalAveragePool", "QLinearAveragePool", "QLinearSigmoid", "QLinearSoftmax")
QUANTISED = {
    **dict.fromkeys(("QLinearConv", "QLinearMatMul"), ((0, 3), (8,), 6)),
    **dict.fromkeys(("QLinearAdd", "QLinearMul"), ((0, 3), (), 6)),
    **dict.fromkeys((*UNARY, "QLinearLeakyRelu"), ((0,), (), 3)),
    "QGemm": ((0, 3), (6,), 7),
}
"""(inputs with a scale and a zero point behind them, inputs without, the output's scale)"""
FUSED = {
    "Conv": "QLinearConv",
    "Gemm": "QGemm",
    "MatMul": "QLinearMatMul",
    "Add": "QLinearAdd",
    "Mul": "QLinearMul",
    "GlobalAveragePool": "QLinearGlobalAveragePool",
    "AveragePool": "QLinearAveragePool",
    "Sigmoid": "QLinearSigmoid",
    "Softmax": "QLinearSoftmax",
    "LeakyRelu": "QLinearLeakyRelu",
    "Concat": "QLinearConcat",
}
"""what ONNX Runtime makes of operators in QDQ form"""
MOVING = ("MaxPool", "Reshape", "Transpose", "Resize", "Flatten", "Squeeze", "Unsqueeze")
"""operators that need no scale if their input's and output's are the same"""
DATA_INPUTS = {"Reshape": 1, "Resize": 1, "Squeeze": 1, "Unsqueeze": 1}
"""inputs that hold data, where not all do"""


def read_onnx(path: Path, content: bytes) -> Graph:
    """The network in an `.onnx` file. Raises `NetworkError`."""
    try:
        import onnx
    except ImportError:
        raise NetworkError(f"{path}: to read .onnx files, install the package onnx") from None
    try:
        model = onnx.load_model_from_string(content)
        if not model.graph.node or not model.opset_import:
            raise ValueError("no operators")
    except Exception:  # the parser meets broken files with whatever comes
        raise NetworkError(
            f"{path}: this is neither a TensorFlow Lite nor an ONNX model, or it is cut short"
        ) from None
    return _Reader(path, model, onnx).graph()


class _Reader:
    def __init__(self, path: Path, model: Any, onnx: Any) -> None:
        self._path = path
        self._onnx = onnx
        self._constants: dict[str, Array] = {
            each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer
        }
        self._nodes = []
        for node in model.graph.node:
            if node.op_type == "Constant":
                value = onnx.helper.get_attribute_value(node.attribute[0])
                proto = isinstance(value, onnx.TensorProto)
                self._constants[node.output[0]] = (
                    onnx.numpy_helper.to_array(value) if proto else np.asarray(value)
                )
            else:
                self._nodes.append(node)
        self._inputs = [each for each in model.graph.input if each.name not in self._constants]
        self._outputs = [each.name for each in model.graph.output]
        self._fix_batch()
        self._known = self._shapes(model)
        self._scales: dict[str, Quantisation] = {}
        self._writer = {name: node for node in self._nodes for name in node.output}
        self._readers: dict[str, list[Any]] = {}
        for node in self._nodes:
            for name in node.input:
                self._readers.setdefault(name, []).append(node)
        self._names: dict[str, int] = {}
        self._tensors: list[Tensor] = []

    def _fix_batch(self) -> None:
        """A number of images that the file leaves open is 1; other sizes must be there."""
        for given in self._inputs:
            for axis, size in enumerate(given.type.tensor_type.shape.dim):
                if size.dim_value > 0:
                    continue
                if axis:
                    raise NetworkError(
                        f"{self._path}: the size of axis {axis} of the input {given.name} is left "
                        "open; fix it with python -m onnxruntime.tools.make_dynamic_shape_fixed"
                    )
                size.Clear()
                size.dim_value = 1

    # ---------------------------------------------------------------- shapes
    def _shapes(self, model: Any) -> dict[str, tuple[np.dtype[Any], tuple[int, ...]]]:
        """Type and shape of every tensor that ONNX can infer."""
        helper = self._onnx.helper
        twin = self._onnx.ModelProto()
        twin.CopyFrom(model)
        del twin.graph.node[:], twin.graph.value_info[:], twin.graph.output[:]
        for node in model.graph.node:
            twin.graph.node.append(self._standard(node))
        for opset in twin.opset_import:
            opset.version = max(opset.version, 14) if not opset.domain else opset.version
        inferred = self._onnx.shape_inference.infer_shapes(twin, data_prop=True).graph
        known = {}
        for each in (*model.graph.output, *inferred.value_info, *model.graph.input):
            kind = each.type.tensor_type
            sizes = tuple(size.dim_value for size in kind.shape.dim)
            if kind.elem_type and all(sizes):
                known[each.name] = (
                    np.dtype(helper.tensor_dtype_to_np_dtype(kind.elem_type)),
                    sizes,
                )
        return known

    def _standard(self, node: Any) -> Any:
        """A node of ONNX's own with outputs of the same shape."""
        plain = {quantised: kind for kind, quantised in FUSED.items()}
        if node.domain != MICROSOFT or node.op_type not in plain:
            return node
        if node.op_type == "QLinearConcat":
            data = list(node.input[2::3])
        else:
            scaled, others, _ = QUANTISED[node.op_type]
            data = [node.input[i] for i in (*scaled, *others) if i < len(node.input)]
        attributes = {
            each.name: self._onnx.helper.get_attribute_value(each)
            for each in node.attribute
            if each.name not in ("channels_last", "opset")
        }
        return self._onnx.helper.make_node(
            plain[node.op_type], data, list(node.output), **attributes
        )

    # ---------------------------------------------------------------- the graph
    def graph(self) -> Graph:
        found = []
        dropped = set()
        for number, node in enumerate(self._nodes):
            fused = self._fused(node)
            if fused is not None:
                found.append((number, *fused))
                dropped.add(fused[1][0])
            else:
                found.append((number, *self._as_it_is(node)))
        kept = self._needed([each for each in found if not self._replaced(each, dropped)])
        operators = tuple(
            Operator(
                number,
                kind,
                tuple(self._tensor(name) if name else None for name in inputs),
                tuple(self._tensor(name) for name in outputs if name),
                options,
            )
            for number, kind, outputs, inputs, options in kept
        )
        entries = tuple(self._tensor(each.name) for each in self._inputs)
        outputs = tuple(self._tensor(name) for name in self._outputs)
        return Graph(self._path.stem, ONNX, tuple(self._tensors), operators, entries, outputs)

    def _replaced(self, found: Any, dropped: set[str]) -> bool:
        """Is this a QuantizeLinear that went into the operator before it?"""
        _, kind, outputs, _, _ = found
        return kind == "QuantizeLinear" and outputs[0] in dropped

    def _needed(self, found: list[Any]) -> list[Any]:
        """Those whose outputs somebody reads."""
        wanted = set(self._outputs)
        kept = []
        for each in reversed(found):
            _, _, outputs, inputs, _ = each
            if wanted & set(outputs):
                wanted |= set(inputs)
                kept.append(each)
        return kept[::-1]

    def _tensor(self, name: str) -> int:
        if name not in self._names:
            data = self._constants.get(name)
            if data is not None:
                kind, shape = data.dtype, data.shape
            else:
                kind, shape = self._known.get(name, (np.dtype(object), ()))
            self._names[name] = len(self._tensors)
            self._tensors.append(Tensor(name, kind, shape, self._scales.get(name), data))
        return self._names[name]

    # ---------------------------------------------------------------- operators
    def _as_it_is(self, node: Any) -> tuple[str, list[str], list[str], Mapping[str, Any]]:
        """(kind, outputs, inputs that hold data, options); scales go to the tensors."""
        inputs, kind = list(node.input), node.op_type
        options = self._options(node)
        if kind == "QLinearConcat":
            self._scale(node.output[0], inputs[0], inputs[1])
            for i in range(2, len(inputs), 3):
                self._scale(*inputs[i : i + 3])
            inputs = inputs[2::3]
        elif kind in QUANTISED:
            scaled, others, out = QUANTISED[kind]
            for i in scaled:
                axis = 1 if kind in ("QLinearMatMul", "QGemm") else 0
                self._scale(inputs[i], inputs[i + 1], _at(inputs, i + 2), axis)
            if _at(inputs, out):
                self._scale(node.output[0], inputs[out], _at(inputs, out + 1))
            inputs = [_at(inputs, i) for i in (*scaled, *others)]
        elif kind == "QuantizeLinear":
            self._scale(node.output[0], inputs[1], _at(inputs, 2), options.get("axis", 1))
            inputs = inputs[:1]
        elif kind == "DequantizeLinear" and inputs[1] in self._constants:
            self._scale(inputs[0], inputs[1], _at(inputs, 2), options.get("axis", 1))
            inputs = inputs[:1]
        elif kind == "ConvTranspose" and self._between_integers(node):
            inputs[1] = self._rounded_weights(inputs[1])
        return kind, list(node.output), inputs, options

    def _between_integers(self, node: Any) -> bool:
        """Is this between DequantizeLinear and QuantizeLinear, with float weights and no bias?"""
        before = self._writer.get(node.input[0])
        weights = self._constants.get(node.input[1])
        return (
            before is not None
            and before.op_type == "DequantizeLinear"
            and self._only_reader(node.output[0], "QuantizeLinear") is not None
            and weights is not None
            and len(node.input) == 2
        )

    def _rounded_weights(self, name: str) -> str:
        """Such weights are rounded by ONNX Runtime to 256 values from the smallest to the largest;
        the name of the constant that holds them.
        """
        weights = self._constants[name]
        low, high = np.minimum(weights.min(), 0), np.maximum(weights.max(), 0)
        scale = np.float32((high - low) / np.float32(255))
        point = np.rint(-low / scale)
        stored = np.clip(np.rint(weights / scale) + point, 0, 255)
        self._constants[f"{name} rounded"] = (stored - point).astype(np.float32) * scale
        return f"{name} rounded"

    def _fused(self, node: Any) -> tuple[str, list[str], list[str], Mapping[str, Any]] | None:
        """The same of an operator in QDQ form, or None."""
        kind = node.op_type
        if kind not in FUSED and kind not in MOVING:
            return None
        quantizer = self._only_reader(node.output[0], "QuantizeLinear")
        count = DATA_INPUTS.get(kind, len(node.input))
        sources: list[Any] = [self._writer.get(name) for name in node.input[:count] if name]
        if quantizer is None or any(
            each is None or each.op_type != "DequantizeLinear" for each in sources
        ):
            return None
        self._scale(quantizer.output[0], quantizer.input[1], _at(quantizer.input, 2))
        inputs = []
        for each in sources:
            axis = self._options(each).get("axis", 1)
            self._scale(each.input[0], each.input[1], _at(each.input, 2), axis)
            inputs.append(each.input[0])
        if kind in MOVING:
            one, other = self._scales[inputs[0]], self._scales[quantizer.output[0]]
            if not one.same_as(other):
                return None
            inputs += list(node.input[count:])
        return FUSED.get(kind, kind), list(quantizer.output), inputs, self._options(node)

    def _only_reader(self, name: str, kind: str) -> Any:
        readers = self._readers.get(name, [])
        only = len(readers) == 1 and readers[0].op_type == kind and name not in self._outputs
        return readers[0] if only else None

    def _scale(self, tensor: str, scale: str, zero_point: str = "", axis: int = 0) -> None:
        """Notes what a tensor's values stand for."""
        if scale not in self._constants:
            raise NetworkError(
                f"{self._path}: the scale of {tensor} is computed while the network runs, which "
                "only ConvInteger and MatMulInteger can take"
            )
        points = self._constants[zero_point] if zero_point else np.zeros((), np.uint8)
        given = Quantisation.of(self._constants[scale].reshape(-1), points.reshape(-1), axis)
        before = self._scales.setdefault(tensor, given)
        if not before.same_as(given):
            raise NetworkError(f"{self._path}: two operators disagree on the scale of {tensor}")

    def _options(self, node: Any) -> dict[str, Any]:
        values = {each.name: self._onnx.helper.get_attribute_value(each) for each in node.attribute}
        return {
            name: value.decode() if isinstance(value, bytes) else value
            for name, value in values.items()
        }


def _at(names: Any, number: int) -> str:
    return str(names[number]) if number < len(names) else ""
