"""Layers with the results that real runtimes give for them, each by two where there are two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.layer import LayerCase
from tests.onnx_oracles import onnxruntime_conv
from tests.oracles import (
    ScaledCase,
    litert_accumulators,
    litert_conv,
    realise,
    tflite_micro_conv,
    xnnpack_conv,
)

Known = tuple[LayerCase, NDArray[Any]]


def known_results(cases: Sequence[LayerCase], rng: Generator) -> list[Known]:
    """Layers as near to `cases` as the runtimes can have them, with results (N, OH, OW, Cout).

    `tflite`: LiteRT's reference kernel and TensorFlow Lite Micro. `float`: ONNX Runtime and, for
    the multipliers that it takes, XNNPACK. Accumulators: LiteRT.
    """
    scaled = {case.name: realise(case, rng) for case in cases if case.layer.requantise}
    by_tflite = {name: each for name, each in scaled.items() if each.case.scale is None}
    micro = dict(zip(by_tflite, tflite_micro_conv(list(by_tflite.values())), strict=True))
    known: list[Known] = []
    for case in cases:
        if case.name not in scaled:
            known.append((case, litert_accumulators(case)))
            continue
        each = scaled[case.name]
        if case.name in micro:
            results = [litert_conv(each), micro[case.name]]
        else:
            results = [onnxruntime_conv(each.case), *_of_xnnpack(each)]
        for other in results[1:]:
            assert np.array_equal(results[0], other), f"{case.name}: the runtimes differ"
        known.append((replace(each.case, name=case.name), results[0]))
    return known


def _of_xnnpack(scaled: ScaledCase) -> list[NDArray[Any]]:
    scale = scaled.case.scale
    assert scale is not None
    return [xnnpack_conv(scaled)] if ((scale >= 2**-32) & (scale < 256)).all() else []
