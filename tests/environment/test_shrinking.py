"""Scenarios smaller than a failing one."""

from __future__ import annotations

import numpy as np

from conv_core.models.convolution import accumulate
from conv_core.models.layer import Layer
from conv_core.tb.stimuli.random_layers import tensors_for
from conv_core.tb.stimuli.scenario import Scenario
from conv_core.tb.stimuli.shrinking import smaller
from conv_core.tb.stimuli.stalls import Traffic

LAYERS = (
    Layer(2, 6, 7, 4, 6, (3, 2), (2, 1), (1, 2), (1, 0, 2, 1), groups=2, requantise=True),
    Layer(1, 1, 1, 9, 1, (1, 1)),
    Layer(1, 3, 5, 3, 2, (2, 2), pads=(0, 4, 0, 0), requantise=True, rounding="float"),
)


def scenario(*layers: Layer) -> Scenario:
    rng = np.random.default_rng(4)
    cases = tuple(tensors_for(rng, layer, "plain") for layer in layers)
    return Scenario(cases, Traffic("none", 1), queue=len(layers) > 1)


def test_all_are_smaller_and_the_smallest_come_first() -> None:
    whole = scenario(*LAYERS)
    macs = [each.macs for each in smaller(whole)]
    assert macs == sorted(macs)
    assert 0 < macs[0] < macs[-1] < whole.macs


def test_each_has_tensors_that_go_together() -> None:
    for each in smaller(scenario(*LAYERS)):
        for case in each.layers:
            assert accumulate(case).shape == case.layer.out_shape
            assert (case.scale if case.layer.rounding == "float" else case.shift) is not None or (
                not case.layer.requantise
            )


def test_each_layer_is_tried_alone_and_left_out() -> None:
    whole = scenario(*LAYERS)
    tried = [each.layers for each in smaller(whole)]
    for case in whole.layers:
        assert (case,) in tried
        assert tuple(other for other in whole.layers if other is not case) in tried


def test_channels_are_exchanged_for_taps() -> None:
    """A fault that needs two steps is found with nine channels on eight lanes, or with two taps."""
    layers = [each.layers[0].layer for each in smaller(scenario(LAYERS[1]))]
    assert any(layer.in_channels == 1 and layer.kernel == (1, 2) for layer in layers)


def test_the_windows_stay_as_many_where_a_kernel_gets_smaller() -> None:
    layers = [each.layers[0].layer for each in smaller(scenario(LAYERS[0]))]
    first = LAYERS[0]
    assert any(
        layer.kernel == (2, 2)
        and (layer.out_height, layer.out_width, layer.pads)
        == (first.out_height, first.out_width, first.pads)
        for layer in layers
    )


def test_the_least_that_there_is_has_nothing_smaller() -> None:
    assert smaller(scenario(Layer(1, 1, 1, 1, 1, (1, 1)))) == []
