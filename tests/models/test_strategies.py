"""The layers that Hypothesis draws: what they may be, what they meet, and how small they get."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer, LayerCase
from conv_core.models.requantisation import result
from conv_core.models.tiling import plan
from conv_core.tb.stimuli.strategies import Space, layer_cases, layers

SPACE = Space(CoreConfig.from_array("8x8"))
SMALL = Space(
    CoreConfig.from_array("4x4", act_bytes=16, wgt_words=16, const_words=16, out_bytes=64),
    max_macs=500,
    max_bytes=300,
    max_pieces=3,
)
SETTINGS = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=300,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


@settings(SETTINGS, max_examples=100)
@given(layer_cases(SMALL))
def test_a_layer_is_no_larger_than_it_may_be(case: LayerCase) -> None:
    layer = case.layer
    assert layer.macs <= SMALL.max_macs
    assert max(case.x.size, case.w.size, 4 * result(case).size) <= SMALL.max_bytes
    assert len(plan(layer, SMALL.config)) <= SMALL.max_pieces


def test_layers_meet_all_that_a_layer_can_be() -> None:
    met: Counter[str] = Counter()

    @settings(SETTINGS, max_examples=1000)
    @given(layers(SPACE))
    def draw(layer: Layer) -> None:
        met.update(f"kernel {side}" for side in layer.kernel)
        met.update(f"stride {side}" for side in layer.stride)
        met.update(f"dilation {side}" for side in layer.dilation)
        met.update(name for name, is_so in FACTS.items() if is_so(layer))

    draw()
    wanted = [f"kernel {n}" for n in range(1, 12)]
    wanted += [f"{name} {n}" for name in ("stride", "dilation") for n in range(1, 5)]
    assert not [name for name in (*wanted, *FACTS) if not met[name]], met
    assert sum(met[f"kernel {n}"] > 0 for n in range(12, 32)) > 15, met


def test_a_core_without_the_float_rule_is_drawn_no_layer_that_needs_it() -> None:
    rules: Counter[str] = Counter()
    without = Space(CoreConfig.from_array("8x8", float_rule=0))

    @settings(SETTINGS, max_examples=200)
    @given(layers(without))
    def draw(layer: Layer) -> None:
        rules[layer.rounding if layer.requantise else "none"] += 1

    draw()
    assert rules.keys() == {"none", "tflite", "single"}
    assert rules["tflite"] + rules["single"] > rules["none"]


FACTS: dict[str, Callable[[Layer], bool]] = {
    "one channel": lambda layer: layer.in_channels == 1,
    "a channel more than lanes": lambda layer: layer.in_channels % 8 == 1 < layer.in_channels,
    "a filter more than lanes": lambda layer: layer.out_channels % 8 == 1 < layer.out_channels,
    "channel groups": lambda layer: 1 < layer.groups < layer.in_channels,
    "depthwise": lambda layer: 1 < layer.groups == layer.in_channels == layer.out_channels,
    "batch": lambda layer: layer.batch > 1,
    "image below kernel": lambda layer: layer.height < layer.kernel[0],
    "windows of padding only": lambda layer: not layer.columns.taps_inside.any(axis=1).all(),
    "rows that no window uses": lambda layer: (
        (layer.rows.padded - layer.rows.span) % layer.stride[0] > 0
    ),
    "accumulators": lambda layer: not layer.requantise,
    "float": lambda layer: layer.rounding == "float",
    "single": lambda layer: layer.rounding == "single",
    "clamped": lambda layer: layer.act_min > -128,
    "smallest zero point": lambda layer: layer.in_zp == -128,
}


@pytest.mark.parametrize(
    ("is_wrong", "macs"),
    [
        (lambda layer: layer.macs > 0, 1),
        (lambda layer: layer.in_channels > 60 and layer.stride[1] == 3, 61),
        (lambda layer: layer.out_width == 3 and layer.pads[3] > 2, 3),
        (lambda layer: layer.groups > 2 and layer.kernel[0] == 5, 15),
        (lambda layer: layer.batch == 2 and layer.dilation[0] > 1, 2),
    ],
)
def test_a_layer_shrinks_to_the_smallest(is_wrong: Callable[[Layer], bool], macs: int) -> None:
    layer = find(layers(SPACE), is_wrong, settings=settings(SETTINGS, max_examples=5000))
    assert is_wrong(layer)
    assert macs <= layer.macs <= macs + 20, layer


def test_weights_have_zero_points_now_and_then() -> None:
    met: Counter[int] = Counter()

    @settings(SETTINGS, max_examples=200)
    @given(layer_cases(SPACE))
    def draw(case: LayerCase) -> None:
        met[min(2, len(set(case.w_zp.tolist()) | {0}) - 1)] += 1

    draw()
    assert met[0] > max(met[1], met[2])
    assert min(met[1], met[2]) > 5, met
    case = find(layer_cases(SPACE), lambda case: bool(case.w_zp[0] < -99), settings=SETTINGS)
    assert case.layer.macs == 1


def test_data_shrink_too() -> None:
    case = find(layer_cases(SPACE), lambda case: case.x.size > 20, settings=SETTINGS)
    assert case.x.reshape(-1)[:9].tolist() == [1, 2, 3, 4, 5, 6, 7, 1, 2]
    assert case.w.reshape(-1)[0] == 1
    assert not case.bias.any()
    assert not case.w_zp.any()
    case = find(layer_cases(SPACE), lambda case: bool((case.w < -100).any()), settings=SETTINGS)
    assert case.layer.macs < 10
    assert case.x.reshape(-1)[0] == 1
