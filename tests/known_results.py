"""Layers with the results that real runtimes give for them, each by two where there are two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from conv_core.models.layer import LayerCase
from tests.onnx_oracles import onnxruntime_conv
from tests.oracles import (
    ScaledCase,
    litert,
    litert_accumulators,
    litert_conv,
    realise,
    tflite_micro_conv,
    xnnpack_conv,
)
from tests.requantising import Scales, tflite_operator

Known = tuple[LayerCase, NDArray[Any]]


def known_results(cases: Sequence[LayerCase], rng: Generator) -> list[Known]:
    """Layers as near to `cases` as the runtimes can have them, with results (N, OH, OW, Cout).

    `tflite`: LiteRT's reference kernel and TensorFlow Lite Micro. `single`: LiteRT's accumulators
    through its reference kernel of fully connected layers. `float`: ONNX Runtime and, for
    the multipliers that it takes, XNNPACK. Accumulators: LiteRT. Of those, ONNX Runtime alone knows
    zero points of int8 weights; LiteRT's kernels get the layer that `without_zero_points` makes.
    """
    scaled = {case.name: realise(case, rng) for case in cases if case.layer.requantise}
    by_tflite = {
        name: each for name, each in scaled.items() if each.case.layer.rounding == "tflite"
    }
    for name, each in by_tflite.items():
        by_tflite[name] = replace(each, case=without_zero_points(each.case))
    micro = dict(zip(by_tflite, tflite_micro_conv(list(by_tflite.values())), strict=True))
    known: list[Known] = []
    for case in cases:
        if case.name not in scaled:
            known.append((case, litert_accumulators(case)))
            continue
        each = scaled[case.name]
        if case.name in micro:
            results = [litert_conv(by_tflite[case.name]), micro[case.name]]
        elif case.layer.rounding == "single":
            results = [_by_fully_connected(each)]
        else:
            results = [onnxruntime_conv(each.case), *_of_xnnpack(each)]
        for other in results[1:]:
            assert np.array_equal(results[0], other), f"{case.name}: the runtimes differ"
        known.append((replace(each.case, name=case.name), results[0]))
    return known


def without_zero_points(case: LayerCase) -> LayerCase:
    """The same results, of weights whose zero points are 0.

    w - w_zp takes nine bits and a little, so each channel is there three times, and each copy has a
    third of the weight.
    """
    if not case.w_zp.any():
        return case
    layer = case.layer
    copies = 3
    groups = (*case.x.shape[:3], layer.groups, -1)
    x = np.concatenate([case.x.reshape(groups)] * copies, axis=4)
    weights = case.w.astype(np.int32) - case.w_zp[:, None, None, None]
    thirds = [(weights + copy) // copies for copy in range(copies)]
    assert np.array_equal(sum(thirds), weights)
    return replace(
        case,
        layer=replace(layer, in_channels=copies * layer.in_channels),
        x=x.reshape(*case.x.shape[:3], -1),
        w=np.concatenate(thirds, axis=3).astype(np.int8),
        w_zp=np.zeros_like(case.w_zp),
    )


def _by_fully_connected(scaled: ScaledCase) -> NDArray[np.int8]:
    """Each accumulator is the bias of an output channel, which has the scale of its filter."""
    acc, layer = litert_accumulators(scaled.case), scaled.case.layer
    filters = np.broadcast_to(scaled.filter_scales, acc.shape).reshape(-1)
    scales = Scales(scaled.in_scale, filters, scaled.out_scale, per_channel=True)
    model, x = tflite_operator("FULLY_CONNECTED", scales, acc.reshape(-1), layer.out_zp)
    y = litert(model, x).reshape(acc.shape)
    clamped: NDArray[np.int8] = np.clip(y, layer.act_min, layer.act_max)
    return clamped


def _of_xnnpack(scaled: ScaledCase) -> list[NDArray[Any]]:
    scale = scaled.case.scale
    assert scale is not None
    plain = replace(scaled, case=without_zero_points(scaled.case))
    return [xnnpack_conv(plain)] if ((scale >= 2**-32) & (scale < 256)).all() else []
