"""Every convolution of real networks through the RTL, against LiteRT's tensors.

Those of a package are always run; `NETWORKS="a.tflite b.tflite"` adds others.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from conv_core.models.core_config import CoreConfig
from conv_core.tb.runs.layers import run_layers
from tests.tflite_layers import input_shape, network_layers, wake_word_networks

FRAMES = 30
"""until the networks' state has filled"""
NETWORKS = [*wake_word_networks(), *map(Path, os.environ.get("NETWORKS", "").split())]


@pytest.mark.parametrize("network", NETWORKS, ids=lambda path: path.stem)
def test_every_layer_of_a_network_equals_the_runtime(network: Path) -> None:
    rng = np.random.default_rng(13)
    inputs = rng.integers(-128, 128, (FRAMES, *input_shape(network)), np.int8)
    layers = network_layers(network, inputs)
    results = run_layers(
        [each.case for each in layers], CoreConfig.from_array("16x16"), "verilator", seed=13
    )
    assert len(results) == len(layers) >= 10
    failed = [result.message for result in results if not result.passed]
    assert not failed, "\n".join(failed)
    for result, each in zip(results, layers, strict=True):
        assert result.compared == each.case.expected_y.size > 0
        assert result.cycles == result.cycles_model
