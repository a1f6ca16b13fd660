"""Operators of TensorFlow Lite that only move values: RESHAPE, PAD, CONCATENATION and so on."""

from __future__ import annotations

import numpy as np

from conv_core.models.network.graph import Array
from conv_core.models.network.operators.call import Call, clamped, limits, round_away
from conv_core.models.network.operators.tflite_arithmetic import quantize


def reshape(call: Call) -> list[Array]:
    """RESHAPE, SQUEEZE and EXPAND_DIMS: the output's shape says all."""
    return [call.value(0).reshape(call.output.shape)]


def pad(call: Call) -> list[Array]:
    """PAD fills with the output's zero point, PADV2 with its third input."""
    fill = call.value(2).item() if call.given(2) else call.output.zero_point
    return [np.pad(call.value(0), call.value(1).tolist(), constant_values=fill)]


def concatenation(call: Call) -> list[Array]:
    """Of uint8 tensors with scales of their own, each is scaled in float32 first."""
    parts = []
    out = call.output
    for number in range(len(call.values)):
        tensor, value = call.tensor(number), call.value(number)
        same = tensor.quantisation is None or out.quantisation is None
        if same or tensor.quantisation.same_as(out.quantisation):  # type: ignore[union-attr, arg-type]
            parts.append(value)
            continue
        scale = tensor.scale * (np.float32(1) / out.scale)
        bias = np.float32(-tensor.zero_point) * scale
        nearest = round_away(value.astype(np.float32) * scale + bias).astype(np.int64)
        parts.append(np.clip(nearest + out.zero_point, *limits(out)).astype(out.dtype))
    joined = np.concatenate(parts, int(call.option("axis", 0)))
    function = call.option("fusedActivationFunction", "NONE")
    return [joined if function == "NONE" else clamped(joined, out, function)]


def strided_slice(call: Call) -> list[Array]:
    """Begin, end and step for each axis; bits of the masks say which ends don't count."""
    begin, end, steps = (call.value(i).tolist() for i in (1, 2, 3))
    begin_mask, end_mask = int(call.option("beginMask", 0)), int(call.option("endMask", 0))
    shrink = int(call.option("shrinkAxisMask", 0))
    index: list[slice | int] = []
    for axis, (first, last, step) in enumerate(zip(begin, end, steps, strict=True)):
        if shrink >> axis & 1:
            index.append(int(first))
            continue
        start = None if begin_mask >> axis & 1 else int(first)
        stop = None if end_mask >> axis & 1 else int(last)
        index.append(slice(start, stop, int(step)))
    return [call.value(0)[tuple(index)].reshape(call.output.shape)]


def slice_out(call: Call) -> list[Array]:
    """SLICE: begin and size for each axis; a size of -1 reaches to the end."""
    begin, size = call.value(1).tolist(), call.value(2).tolist()
    index = tuple(
        slice(first, None if length < 0 else first + length)
        for first, length in zip(begin, size, strict=True)
    )
    return [call.value(0)[index]]


def split(call: Call) -> list[Array]:
    """SPLIT, whose first input is the axis: parts of one size."""
    return np.split(call.value(1), len(call.outputs), int(call.value(0).item()))


def split_v(call: Call) -> list[Array]:
    """SPLIT_V: parts of given sizes; what is -1 takes the rest."""
    x, axis = call.value(0), int(call.value(2).item())
    sizes = [int(size) for size in call.value(1)]
    rest = x.shape[axis] - sum(size for size in sizes if size >= 0)
    ends = np.cumsum([rest if size < 0 else size for size in sizes])
    return np.split(x, ends[:-1], axis)


def transpose(call: Call) -> list[Array]:
    """TRANSPOSE: axes in another order."""
    return [call.value(0).transpose([int(axis) for axis in call.value(1)])]


def relu(call: Call) -> list[Array]:
    """RELU, RELU6 and RELU_N1_TO_1: rescaled, and clamped where the output's real numbers say."""
    (scaled,) = quantize(call)
    return [clamped(scaled, call.output, call.operator.kind)]
