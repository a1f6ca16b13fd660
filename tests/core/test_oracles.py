"""Random layers through the RTL against LiteRT, TensorFlow Lite Micro and the cycle model."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import LayerCase
from conv_core.tb.runs.layers import run_layers
from conv_core.tb.stimuli.random_layers import Mix, random_cases
from tests.oracles import litert_accumulators, litert_conv, realise, tflite_micro_conv

ARRAYS = ("4x8", "8x8", "16x16", "32x4")
LAYERS = 300
MIX = Mix(max_macs=20_000)


@cache
def layers_and_results() -> tuple[tuple[LayerCase, NDArray[np.generic]], ...]:
    """Layers, and what LiteRT says of them; TensorFlow Lite Micro agrees on the int8 ones."""
    rng = np.random.default_rng(20)
    cases = random_cases(rng, LAYERS, MIX)
    scaled = {case.name: realise(case, rng) for case in cases if case.layer.requantise}
    second = dict(zip(scaled, tflite_micro_conv(list(scaled.values())), strict=True))
    known: list[tuple[LayerCase, NDArray[np.generic]]] = []
    for case in cases:
        if case.name in scaled:
            result = litert_conv(scaled[case.name])
            assert np.array_equal(result, second[case.name]), case.name
            known.append((replace(scaled[case.name].case, name=case.name), result))
        else:
            known.append((case, litert_accumulators(case)))
    return tuple(known)


def parts(simulator: str, array: str) -> tuple[tuple[LayerCase, NDArray[np.generic]], ...]:
    """What to run: Verilator takes all layers on each array, Icarus, much slower, an eighth."""
    known = layers_and_results()
    return known if simulator == "verilator" else known[ARRAYS.index(array) :: 2 * len(ARRAYS)]


@pytest.mark.parametrize("array", ARRAYS)
def test_random_layers_equal_the_oracles_in_the_modelled_cycles(array: str, simulator: str) -> None:
    known = parts(simulator, array)
    results = run_layers([case for case, _ in known], CoreConfig.from_array(array), simulator)
    assert len(results) == len(known) >= LAYERS // (2 * len(ARRAYS))
    failed = [result.message for result in results if not result.passed]
    assert not failed, "\n".join([f"{len(failed)} of {len(results)} layers:", *failed[:5]])
    for (case, expected), result in zip(known, results, strict=True):
        assert result.values is not None
        assert result.values.dtype == expected.dtype
        assert np.array_equal(result.values, expected), case
        assert result.compared == expected.size > 0
    modelled = {r.name: (r.cycles, r.cycles_model) for r in results if r.cycles != r.cycles_model}
    assert not modelled, f"cycles, and what the model says: {modelled}"
