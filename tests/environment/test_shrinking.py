"""Scenarios smaller than a failing one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conv_core.models.convolution import accumulate
from conv_core.models.layer import Layer
from conv_core.tb.stimuli.random_layers import tensors_for
from conv_core.tb.stimuli.scenario import Disturbance, Scenario
from conv_core.tb.stimuli.shrinking import size, smaller, smallest
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
    sizes = [size(each) for each in smaller(whole)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1] < size(whole)
    assert min(each.macs for each in smaller(whole)) > 0


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


def test_of_few_multiply_accumulates_what_need_not_be_there_is_left_out() -> None:
    """Three layers of less than a hundred in all, of which the third alone fails."""
    tiny = (
        Layer(1, 2, 2, 1, 1, (1, 1)),
        Layer(1, 1, 1, 3, 2, (1, 1)),
        Layer(1, 1, 4, 2, 3, (1, 3)),
    )
    whole = scenario(*tiny)
    disturbed = Disturbance(whole.layers[0], "reset", 5)
    whole = replace(whole, traffic=Traffic("bursty", 7), disturbance=disturbed)
    assert whole.macs < 100

    def needs_two_taps(each: Scenario) -> Scenario | None:
        return each if any(case.layer.kernel[1] > 1 for case in each.layers) else None

    left = smallest(whole, needs_two_taps)
    (case,) = left.layers
    assert (case.layer.macs, case.layer.kernel) == (2, (1, 2))
    assert case.name == whole.layers[2].name
    assert (left.disturbance, left.queue, left.traffic) == (None, False, Traffic("none", 7))


def test_what_cannot_be_left_out_stays() -> None:
    whole = replace(scenario(*LAYERS), traffic=Traffic("bursty", 7))

    def needs_order(each: Scenario) -> Scenario | None:
        return each if len(each.layers) > 1 and each.queue and "bursty" in str(each) else None

    left = smallest(whole, needs_order)
    assert [case.layer.macs for case in left.layers] == [1, 1]
    assert (left.queue, left.traffic) == (True, whole.traffic)


def test_layers_that_are_not_allowed_are_not_tried_and_it_ends_after_so_many_tries() -> None:
    tried = []

    def never(each: Scenario) -> None:
        tried.append(each)

    whole = scenario(*LAYERS)
    assert smallest(whole, never, lambda layer: layer.batch == 1) is whole
    assert tried
    assert all(case.layer.batch == 1 for each in tried for case in each.layers)
    count = len(tried)
    assert smallest(whole, never, lambda layer: layer.batch == 1, count - 1) is whole
    assert len(tried) == 2 * count - 1


def test_the_least_that_there_is_has_nothing_smaller() -> None:
    assert smaller(scenario(Layer(1, 1, 1, 1, 1, (1, 1)))) == []
