"""Convolutions as others compute them: LiteRT, its XNNPACK, and TensorFlow Lite Micro.

Nothing here takes arithmetic from `models`: a layer is written as a `.tflite` file and run. Such a
file knows no multipliers, only scales in float32, from which the frameworks derive the multipliers.
So `realise` gives a layer the nearest scales, and the multipliers that follow from them.

    scaled = realise(case, rng)          # scaled.case: the layer to compute
    litert_conv(scaled)                  # int8 (N, OH, OW, Cout), rounding "tflite"
    tflite_micro_conv([scaled, ...])     # the same from the second oracle, many at once
    xnnpack_conv(scaled)                 # int8, rounding "float"
    litert_accumulators(case)            # int32, for any layer
    litert_uint8_conv(case, scale)       # uint8 all over, as TensorFlow Lite's uint8 networks are
"""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from conv_core.models.layer import (
    INT8_MAX,
    INT8_MIN,
    Float32Array,
    Int8Array,
    Int32Array,
    LayerCase,
    same_pads,
)

WORKER = Path(__file__).with_name("tflite_micro_worker.py")
WORKER_SECONDS = 300
OFFSET = 128
"""Between uint8 and int8."""
FLOAT_EXACT = 1 << 24
"""Whole numbers up to here, and their sums, are exact in float32."""


@dataclass(frozen=True, eq=False)
class ScaledCase:
    """A requantised layer, and the scales that say in a `.tflite` file what it says by multipliers.

    The multiplier of filter o is in_scale * filter_scales[o] / out_scale.
    """

    case: LayerCase
    in_scale: np.float32
    filter_scales: Float32Array
    out_scale: np.float32


def realise(case: LayerCase, rng: np.random.Generator) -> ScaledCase:
    """The layer whose multipliers are as near to those of `case` as scales in float32 allow.

    Multipliers of 24 bits, such as powers of two, are met exactly; others get scales at random.
    """
    layer = case.layer
    assert layer.requantise, f"{case.name}: a layer that gives accumulators has no scales"
    if case.scale is not None:
        real = case.scale.astype(np.float64)
    else:
        real = np.ldexp(np.float64(case.mult), case.shift - 31)
    exact = case.scale is None and bool((real.astype(np.float32) == real).all())
    in_scale = np.float32(1 if exact else rng.uniform(0.001, 0.5))
    out_scale = np.float32(1 if exact else rng.uniform(0.001, 0.5))
    if not exact and layer.out_zp == layer.act_min < layer.act_max < INT8_MAX:
        out_scale = np.float32(6 / (layer.act_max - layer.out_zp))  # its clamps are a ReLU6
    filter_scales = (real * float(out_scale) / float(in_scale)).astype(np.float32)
    if case.scale is not None:  # XNNPACK derives the multipliers in float32
        realised = replace(case, scale=in_scale * filter_scales / out_scale)
    else:
        quantised = [
            quantise_multiplier(float(in_scale) * float(scale) / float(out_scale))
            for scale in filter_scales
        ]
        mult, shift = np.array(quantised, np.int32).T
        realised = replace(case, mult=mult, shift=shift)
    return ScaledCase(realised, in_scale, filter_scales, out_scale)


def quantise_multiplier(real: float) -> tuple[int, int]:
    """TensorFlow Lite's QuantizeMultiplier: real = mult * 2^(shift - 31), mult of 31 bits.

    Source: tensorflow/lite/kernels/internal/quantization_util.cc.
    """
    fraction, shift = math.frexp(real)
    mult = math.floor(fraction * 2**31 + 0.5)
    if mult == 2**31:
        mult, shift = mult // 2, shift + 1
    return (mult, shift) if mult and shift >= -31 else (0, 0)


def litert_conv(scaled: ScaledCase) -> Int8Array:
    """The int8 results (N, OH, OW, Cout) of LiteRT's reference kernel."""
    return litert(int8_model(scaled), scaled.case.x)


def xnnpack_conv(scaled: ScaledCase) -> Int8Array:
    """The int8 results (N, OH, OW, Cout) of XNNPACK, LiteRT's default for all that it supports.

    It takes multipliers from 2^-32 up to 256; LiteRT computes other layers by other rules.
    """
    assert scaled.case.scale is not None, f"{scaled.case.name}: XNNPACK's rounding is float"
    assert ((scaled.case.scale >= 2**-32) & (scaled.case.scale < 256)).all()
    return litert(int8_model(scaled), scaled.case.x, OpResolverType.AUTO)


def litert_accumulators(case: LayerCase) -> Int32Array:
    """The int32 accumulators (N, OH, OW, Cout), modulo 2^32, summed by LiteRT's float kernel.

    LiteRT hands out no accumulators of int8 layers. In float32 whole numbers are exact up to 2^24,
    so the layer is computed a few input channels and kernel rows at a time, on x - in_zp and
    w - w_zp, and summed in int64.
    """
    layer = case.layer
    (kh, kw), channels = layer.kernel, layer.weight_shape[3]
    x = (case.x.astype(np.float32) - layer.in_zp).reshape(*layer.in_shape[:3], layer.groups, -1)
    w = case.w.astype(np.float32) - case.w_zp.astype(np.float32).reshape(-1, 1, 1, 1)
    products = FLOAT_EXACT // max(1, int(np.abs(x).max() * np.abs(w).max()))
    rows = min(kh, max(1, products // kw))
    step = max(1, products // (rows * kw))
    total = np.broadcast_to(case.bias.astype(np.int64), layer.out_shape)
    for start, row in product(range(0, channels, step), range(0, kh, rows)):
        some = slice(start, start + step)
        part = np.ascontiguousarray(x[..., some]).reshape(*layer.in_shape[:3], -1)
        weights = np.zeros_like(w[..., some])
        weights[:, row : row + rows] = w[:, row : row + rows, :, some]
        model = float_model(case, part.shape, weights)
        total = total + litert(model, part).astype(np.int64)
    return total.astype(np.int32)


def litert_uint8_conv(case: LayerCase, scale: float) -> Int8Array:
    """The results (N, OH, OW, Cout), in int8, of LiteRT's reference kernel for uint8.

    Everything is one number for all filters there: `scale`, the multiplier, which is a float32, and
    the zero point. The results are not clamped.
    """
    layer = case.layer
    assert len(set(case.w_zp.tolist())) == 1, f"{case.name}: uint8 filters have one zero point"
    graph = Graph()
    image = Quantised((1.0,), layer.in_zp + OFFSET)
    results = Quantised((1.0,), layer.out_zp + OFFSET)
    x = graph.tensor(layer.in_shape, np.uint8, image)
    graph.inputs = [x]
    filters = Quantised((scale,), int(case.w_zp[0]) + OFFSET)
    w = graph.constant(case.w.view(np.uint8) ^ OFFSET, filters)
    bias = graph.constant(case.bias, Quantised((scale,), 0))
    none = schema.ActivationFunctionType.NONE
    y = graph.convolution(case, x, w, bias, layer.in_shape, image, results, none)
    return (litert(graph.finish(y), case.x.view(np.uint8) ^ OFFSET) ^ OFFSET).view(np.int8)


def tflite_micro_conv(cases: list[ScaledCase]) -> list[Int8Array]:
    """The int8 results of TensorFlow Lite Micro, which runs in a process of its own: it can crash.

    Raises `RuntimeError` with what the process had to say.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for index, scaled in enumerate(cases):
            (folder / f"{index}.tflite").write_bytes(int8_model(scaled))
            np.save(folder / f"{index}_x.npy", scaled.case.x)
        command = [sys.executable, str(WORKER), name, str(len(cases))]
        run = subprocess.run(
            command, capture_output=True, text=True, timeout=WORKER_SECONDS, check=False
        )
        done = [folder / f"{index}_y.npy" for index in range(len(cases))]
        if run.returncode or not all(path.exists() for path in done):
            failed = sum(path.exists() for path in done)
            layer = cases[min(failed, len(cases) - 1)].case
            raise RuntimeError(
                f"tflite-micro ended with {run.returncode} at layer {layer.name} {layer.layer}:\n"
                f"{run.stdout[-2000:]}{run.stderr[-2000:]}"
            )
        return [np.load(path) for path in done]


def int8_model(scaled: ScaledCase) -> bytes:
    """A `.tflite` file of the layer: PAD, CONV_2D, and MAXIMUM and MINIMUM for unusual clamps."""
    assert not scaled.case.w_zp.any(), f"{scaled.case.name}: int8 filters have no zero points"
    case, layer = scaled.case, scaled.case.layer
    graph = Graph()
    image = Quantised((float(scaled.in_scale),), layer.in_zp)
    results = Quantised((float(scaled.out_scale),), layer.out_zp)
    filters = Quantised(tuple(scaled.filter_scales.tolist()), 0)
    products = Quantised(tuple((scaled.filter_scales * scaled.in_scale).tolist()), 0)

    x = graph.tensor(layer.in_shape, np.int8, image)
    graph.inputs = [x]
    w = graph.constant(case.w, filters)
    bias = graph.constant(case.bias, products)
    activation, clamped = _activation(scaled)
    y = graph.convolution(case, x, w, bias, layer.in_shape, image, results, activation)
    if not clamped:
        for code, limit in (
            (schema.BuiltinOperator.MAXIMUM, layer.act_min),
            (schema.BuiltinOperator.MINIMUM, layer.act_max),
        ):
            constant = graph.constant(np.array([limit], np.int8), results)
            options = schema.MaximumMinimumOptionsT()
            y = graph.operator(code, [y, constant], options, layer.out_shape, np.int8, results)
    return graph.finish(y)


def float_model(case: LayerCase, shape: tuple[int, ...], w: Float32Array) -> bytes:
    """The layer without its bias as a float32 `.tflite` file, for an image of `shape` and `w`."""
    graph = Graph()
    x = graph.tensor(shape, np.float32, None)
    graph.inputs = [x]
    filters = graph.constant(w, None)
    bias = graph.constant(np.zeros(len(w), np.float32), None)
    none = schema.ActivationFunctionType.NONE
    return graph.finish(graph.convolution(case, x, filters, bias, shape, None, None, none))


def _activation(scaled: ScaledCase) -> tuple[int, bool]:
    """The activation function to fuse, and whether it makes the clamps of the layer."""
    layer, function = scaled.case.layer, schema.ActivationFunctionType
    six = layer.out_zp + round(6 / float(scaled.out_scale))
    clamps = (layer.act_min, layer.act_max)
    for code, limits in (
        (function.NONE, (INT8_MIN, INT8_MAX)),
        (function.RELU, (layer.out_zp, INT8_MAX)),
        (function.RELU6, (layer.out_zp, min(INT8_MAX, six))),
    ):
        if clamps == limits:
            return code, True
    return function.NONE, False


@dataclass(frozen=True)
class Quantised:
    """Scales, one or one for each filter, and a zero point."""

    scales: tuple[float, ...]
    zero_point: int
    axis: int = 0


@dataclass
class Graph:
    """A `.tflite` file that grows an operator at a time."""

    tensors: list[Any] = field(default_factory=list)
    buffers: list[Any] = field(default_factory=lambda: [schema.BufferT()])
    codes: list[int] = field(default_factory=list)
    operators: list[Any] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)

    TYPES = {  # noqa: RUF012  a field of a dataclass would need an annotation, this is a constant
        "int8": schema.TensorType.INT8,
        "uint8": schema.TensorType.UINT8,
        "int32": schema.TensorType.INT32,
        "float32": schema.TensorType.FLOAT32,
    }

    def tensor(
        self, shape: tuple[int, ...], dtype: Any, quantised: Quantised | None, buffer: int = 0
    ) -> int:
        quantization = None
        if quantised is not None:
            quantization = schema.QuantizationParametersT(
                scale=list(quantised.scales),
                zeroPoint=[quantised.zero_point] * len(quantised.scales),
                quantizedDimension=quantised.axis,
            )
        self.tensors.append(
            schema.TensorT(
                shape=list(shape),
                type=self.TYPES[np.dtype(dtype).name],
                buffer=buffer,
                name=f"t{len(self.tensors)}",
                quantization=quantization,
            )
        )
        return len(self.tensors) - 1

    def constant(self, values: NDArray[Any], quantised: Quantised | None) -> int:
        data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        self.buffers.append(schema.BufferT(data=data))
        return self.tensor(values.shape, values.dtype, quantised, len(self.buffers) - 1)

    def operator(
        self,
        code: int,
        inputs: list[int],
        options: Any,
        shape: tuple[int, ...],
        dtype: Any,
        quantised: Quantised | None,
    ) -> int:
        """Adds an operator, and returns the tensor that it computes."""
        if code not in self.codes:
            self.codes.append(code)
        output = self.tensor(shape, dtype, quantised)
        kind = type(options).__name__.removesuffix("T")
        self.operators.append(
            schema.OperatorT(
                opcodeIndex=self.codes.index(code),
                inputs=inputs,
                outputs=[output],
                builtinOptionsType=getattr(schema.BuiltinOptions, kind),
                builtinOptions=options,
            )
        )
        return output

    def convolution(
        self,
        case: LayerCase,
        x: int,
        w: int,
        bias: int,
        shape: tuple[int, ...],
        image: Quantised | None,
        results: Quantised | None,
        activation: int,
    ) -> int:
        """CONV_2D of `x` with all that a layer can be; a PAD before it unless padding is "same"."""
        layer = case.layer
        dtype = np.float32
        if image:
            dtype = np.uint8 if self.tensors[x].type == schema.TensorType.UINT8 else np.int8
        size = (layer.height, layer.width)
        same = layer.pads == same_pads(size, layer.kernel, layer.stride, layer.dilation)
        if not same and any(layer.pads):
            top, left, bottom, right = layer.pads
            borders = np.array(((0, 0), (top, bottom), (left, right), (0, 0)), np.int32)
            padded = (layer.batch, layer.rows.padded, layer.columns.padded, shape[3])
            inputs = [x, self.constant(borders, None)]
            code = schema.BuiltinOperator.PAD
            x = self.operator(code, inputs, schema.PadOptionsT(), padded, dtype, image)
        options = schema.Conv2DOptionsT(
            padding=schema.Padding.SAME if same else schema.Padding.VALID,
            strideH=layer.stride[0],
            strideW=layer.stride[1],
            dilationHFactor=layer.dilation[0],
            dilationWFactor=layer.dilation[1],
            fusedActivationFunction=activation,
        )
        code = schema.BuiltinOperator.CONV_2D
        return self.operator(code, [x, w, bias], options, layer.out_shape, dtype, results)

    def finish(self, output: int) -> bytes:
        graph = schema.SubGraphT(
            tensors=self.tensors,
            inputs=self.inputs,
            outputs=[output],
            operators=self.operators,
            name="layer",
        )
        codes = [
            schema.OperatorCodeT(builtinCode=code, deprecatedBuiltinCode=code, version=1)
            for code in self.codes
        ]
        model = schema.ModelT(
            version=3, operatorCodes=codes, subgraphs=[graph], buffers=self.buffers
        )
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def litert(
    model: bytes, x: NDArray[Any], resolver: OpResolverType = OpResolverType.BUILTIN_REF
) -> NDArray[Any]:
    """What LiteRT makes of a model with one input and one output."""
    interpreter = Interpreter(model_content=model, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    return np.array(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
