"""Each operator of TensorFlow Lite against LiteRT's reference kernels, on random models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from conv_core.models.network.execution import run_on_model
from conv_core.models.network.graph import TFLITE
from conv_core.models.network.operators import FUNCTIONS
from conv_core.models.network.runtimes import Call, LiteRtReference
from conv_core.models.network.tflite_file import read_tflite
from conv_core.models.network.tflite_lowering import KINDS as ON_CORE
from tests.network.small_models import KINDS, draw

MODELS = 60
SEED = 20


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_operator_equals_the_runtime(kind: str, dtype: str) -> None:
    rng = np.random.default_rng([SEED, *kind.encode(), *dtype.encode()])
    models = [draw(kind, dtype, rng) for _ in range(MODELS)]
    answers = LiteRtReference().run([Call(each.content, [each.inputs]) for each in models])
    compared = distinct = 0
    for number, (model, answer) in enumerate(zip(models, answers, strict=True)):
        assert not answer.refusal, answer.refusal
        graph = read_tflite(Path(f"{kind} {number}"), model.content)
        (values,) = run_on_model(graph, [dict(zip(graph.inputs, model.inputs, strict=True))])
        (output,) = graph.outputs
        (expected,) = answer.outputs[0]
        np.testing.assert_array_equal(values[output], expected, f"model {number}")
        assert values[output].dtype == expected.dtype
        compared += values[output].size
        distinct += np.unique(values[output]).size
    print(f"seed {SEED}: {compared} values")
    assert compared > MODELS
    assert distinct > 2 * MODELS


def test_every_operator_that_can_be_run_is_tested() -> None:
    assert set(KINDS) == {*FUNCTIONS[TFLITE], *ON_CORE}
