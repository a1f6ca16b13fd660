"""Layers behind each other, and layers larger than what the bench holds at once."""

from __future__ import annotations

import numpy as np

from conv_core.models.core_config import CoreConfig
from conv_core.models.cycles import cycles_model
from conv_core.models.cycles.loops import Loops
from conv_core.models.layer import Layer
from conv_core.models.packing import pack_weights
from conv_core.tb.bench.parameters import RING_BEATS
from conv_core.tb.runs.layers import run_layers
from conv_core.tb.stimuli.random_layers import Mix, random_cases, tensors_for
from tests.cases import HALF, case_of

LAYERS = {"verilator": 66, "icarus": 5}


def test_queued_layers_are_right_and_together_quicker_than_alone(simulator: str) -> None:
    config = CoreConfig.from_array("8x8")
    cases = random_cases(np.random.default_rng(70), LAYERS[simulator], Mix(max_macs=30_000))
    queued = run_layers(cases, config, simulator, queue=True)
    for result in queued:
        assert result.passed, result.message
        assert result.cycles == result.cycles_model, result.name
        assert result.counters["cycles"] == result.cycles
    # Alone, a layer's set-up comes before its first beat.
    set_up = sum(Loops.of(case.layer, config).setup_cycles for case in cases[1:])
    alone = set_up + sum(cycles_model(case.layer, config) for case in cases)
    assert sum(result.cycles or 0 for result in queued) < 0.9 * alone


def test_a_layer_larger_than_the_bench_holds_flows_without_a_pause() -> None:
    config = CoreConfig.from_array("4x4")
    rng = np.random.default_rng(71)
    layer = Layer(1, 200, 200, 8, 8, (1, 1), requantise=True)
    case = case_of(layer, rng, "large", mult=HALF, shift=-7)
    assert layer.height * layer.width * 8 // config.act_stream_bytes > RING_BEATS
    (result,) = run_layers([case], config, "verilator")
    assert result.passed, result.message
    assert result.held == 0
    assert result.cycles == result.cycles_model


def test_a_layer_may_take_far_more_weights_than_it_needs() -> None:
    """No tap of its only window lies inside the image."""
    config = CoreConfig.from_array("4x8")
    layer = Layer(1, 1, 8, 80, 8, (11, 11), (4, 1), pads=(11, 0, 0, 3))
    case = tensors_for(np.random.default_rng(72), layer, "plain")
    needed = cycles_model(layer, config)
    assert pack_weights(case, config).size // config.wgt_stream_bytes > 50 * needed
    for result in run_layers([case, case], config, "verilator"):
        assert result.passed, result.message
        assert result.cycles == needed


def test_a_layer_may_see_nothing_of_frames_far_larger_than_the_buffer() -> None:
    """All its windows lie in the padding; what comes in is swallowed, one by one and queued."""
    config = CoreConfig.from_array("8x8", act_bytes=256)
    layer = Layer(2, 160, 2, 32, 4, (1, 3), (1, 4), pads=(0, 3, 0, 0))
    assert not layer.columns.taps_inside.any()
    assert np.prod(layer.in_shape[1:]) > 16 * config.act_bytes
    case = tensors_for(np.random.default_rng(73), layer, "plain")
    for queue in (False, True):
        for result in run_layers([case, case], config, "verilator", queue=queue):
            assert result.passed, result.message
            assert result.cycles == result.cycles_model
