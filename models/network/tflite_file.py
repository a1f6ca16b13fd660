"""Reads `.tflite` files: int8 and uint8 networks, streaming ones with variables among them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from conv_core.models.network.graph import (
    TFLITE,
    Array,
    Graph,
    NetworkError,
    Operator,
    Quantisation,
    Tensor,
)

IDENTIFIER = b"TFL3"
TYPES = {
    "FLOAT32": np.float32,
    "FLOAT16": np.float16,
    "FLOAT64": np.float64,
    "INT4": np.int8,
    "INT8": np.int8,
    "UINT8": np.uint8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
    "BOOL": np.bool_,
}
NO_DATA = ("RESOURCE", "VARIANT", "STRING")
"""types of tensors that hold no numbers"""
WORDS = {"fusedActivationFunction": "ActivationFunctionType", "padding": "Padding"}
"""options that are given by their names"""


def is_tflite(content: bytes) -> bool:
    """Does a file begin as `.tflite` files do?"""
    return content[4:8] == IDENTIFIER


def read_tflite(path: Path, content: bytes) -> Graph:
    """The network in a `.tflite` file. Raises `NetworkError`."""
    try:
        from ai_edge_litert import schema_py_generated as schema
    except ImportError:
        raise NetworkError(
            f"{path}: to read .tflite files, install the Python package ai-edge-litert"
        ) from None
    if not is_tflite(content):
        raise NetworkError(f"{path}: this is not a TensorFlow Lite model")
    try:
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
        return _Reader(path, model, schema).graph()
    except NetworkError:
        raise
    except Exception as error:  # the generated code meets broken files with whatever comes
        raise NetworkError(
            f"{path}: this TensorFlow Lite model is damaged or cut short ({error})"
        ) from None


class _Reader:
    def __init__(self, path: Path, model: Any, schema: Any) -> None:
        self._path = path
        self._model = model
        self._schema = schema
        self._type_names = _names(schema.TensorType)
        self._kinds = _names(schema.BuiltinOperator)

    def graph(self) -> Graph:
        main = self._model.subgraphs[0]
        tensors = tuple(self._tensor(each) for each in main.tensors)
        operators, variables = [], {}
        handles: dict[int, str] = {}
        for number, (kind, operator) in enumerate(self._operators(main)):
            inputs = [int(i) for i in _listed(operator.inputs)]
            outputs = tuple(int(i) for i in _listed(operator.outputs))
            options = self._options(operator)
            if kind == "VAR_HANDLE":
                handles[outputs[0]] = options["sharedName"]
                continue
            if kind == "CALL_ONCE":
                variables.update(self._initial_values(options["initSubgraphIndex"]))
                continue
            if kind in ("READ_VARIABLE", "ASSIGN_VARIABLE"):
                options["variable"] = handles[inputs.pop(0)]
            operators.append(
                Operator(
                    number, kind, tuple(None if i < 0 else i for i in inputs), outputs, options
                )
            )
        self._add_unset(variables, operators, tensors)
        return Graph(
            self._path.stem,
            TFLITE,
            tensors,
            tuple(operators),
            tuple(int(i) for i in _listed(main.inputs)),
            tuple(int(i) for i in _listed(main.outputs)),
            variables,
        )

    def _operators(self, graph: Any) -> Iterator[tuple[str, Any]]:
        for operator in graph.operators:
            code = self._model.operatorCodes[operator.opcodeIndex]
            kind = self._kinds[max(code.builtinCode, code.deprecatedBuiltinCode)]
            yield (_text(code.customCode) if kind == "CUSTOM" else kind), operator

    def _options(self, operator: Any) -> dict[str, Any]:
        given = operator.builtinOptions
        options = {name: _text(value) for name, value in vars(given).items()} if given else {}
        for name, words in WORDS.items():
            if name in options:
                options[name] = _names(getattr(self._schema, words))[options[name]]
        return options

    def _tensor(self, tensor: Any) -> Tensor:
        name = str(_text(tensor.name))
        kind = self._type_names[tensor.type]
        if kind in NO_DATA:
            return Tensor(name, np.dtype(object), ())
        if kind not in TYPES:
            raise NetworkError(f"{self._path}: tensor {name} is {kind}, which can't be read")
        dtype = np.dtype(TYPES[kind])
        shape = tuple(int(size) for size in _listed(tensor.shape))
        stored = self._model.buffers[tensor.buffer].data
        data = None
        if stored is not None and len(stored):
            values = np.frombuffer(np.asarray(stored, np.uint8).tobytes(), np.uint8)
            if kind == "INT4":
                values = _unpacked(values, int(np.prod(shape)))
            if values.size != np.prod(shape) * dtype.itemsize:
                raise NetworkError(
                    f"{self._path}: tensor {name} should have {np.prod(shape) * dtype.itemsize} "
                    f"bytes of data, the file has {values.size}: it is damaged or cut short"
                )
            data = values.view(dtype).reshape(shape)
        return Tensor(name, dtype, shape, _quantisation(tensor.quantization), data)

    def _initial_values(self, number: int) -> dict[str, Array]:
        """What the subgraph that runs once puts into the variables."""
        graph = self._model.subgraphs[number]
        handles, values = {}, {}
        for kind, operator in self._operators(graph):
            if kind == "VAR_HANDLE":
                handles[operator.outputs[0]] = self._options(operator)["sharedName"]
                continue
            handle, source = operator.inputs if kind == "ASSIGN_VARIABLE" else (None, None)
            tensor = None if source is None else self._tensor(graph.tensors[source])
            if tensor is None or tensor.data is None:
                raise NetworkError(
                    f"{self._path}: the network starts by computing ({kind}); only constants can "
                    "be put into variables at the start"
                )
            values[handles[handle]] = tensor.data
        return values

    @staticmethod
    def _add_unset(
        variables: dict[str, Array], operators: list[Operator], tensors: tuple[Tensor, ...]
    ) -> None:
        """Variables that nothing is put into at the start are zeros."""
        for operator in operators:
            if operator.kind == "READ_VARIABLE":
                tensor = tensors[operator.outputs[0]]
                variables.setdefault(
                    operator.options["variable"], np.zeros(tensor.shape, tensor.dtype)
                )


def _quantisation(given: Any) -> Quantisation | None:
    if given is None or given.scale is None or len(given.scale) == 0:
        return None
    points = given.zeroPoint if given.zeroPoint is not None and len(given.zeroPoint) else 0
    return Quantisation.of(given.scale, points, int(given.quantizedDimension))


def _unpacked(values: Array, count: int) -> Array:
    """Four-bit values, two in a byte, the lower half first."""
    halves = np.stack([values << 4, values], -1).view(np.int8) >> 4
    return halves.reshape(-1)[:count].view(np.uint8)


def _names(words: Any) -> dict[int, str]:
    return {number: word for word, number in vars(words).items() if not word.startswith("_")}


def _listed(values: Any) -> Any:
    return [] if values is None else values


def _text(value: Any) -> Any:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
