"""Layers with an extreme of their geometry and one of their values."""

from __future__ import annotations

from dataclasses import replace

from numpy.random import Generator

from conv_core.models.layer import Layer, LayerCase, same_pads
from conv_core.tb.stimuli.random_layers.geometry import GEOMETRIES, draw_layer
from conv_core.tb.stimuli.random_layers.mix import Mix
from conv_core.tb.stimuli.random_layers.values import BEYOND_TFLITE, VALUES, draw_values


def random_cases(rng: Generator, count: int, mix: Mix | None = None) -> list[LayerCase]:
    """`count` layers that go through all extremes; each is named after its own two."""
    geometries, values = list(GEOMETRIES), list(VALUES)
    if mix is None or not mix.beyond_tflite:
        values = [kind for kind in values if kind not in BEYOND_TFLITE]
    cases = []
    for index, child in enumerate(rng.spawn(count)):
        # After each round of the geometries they move on by one, to meet other values.
        geometry = geometries[(index + index // len(geometries)) % len(geometries)]
        kind = values[index % len(values)]
        case = random_case(child, geometry, kind, mix)
        cases.append(replace(case, name=f"{index:04d}-{case.name}"))
    return cases


def random_case(
    rng: Generator, geometry: str = "ordinary", values: str = "plain", mix: Mix | None = None
) -> LayerCase:
    """A layer with one extreme of `GEOMETRIES` and one of `VALUES`, named after them."""
    mix = mix or Mix()
    for_geometry, for_values = rng.spawn(2)
    layer = draw_layer(for_geometry, geometry, mix)
    return replace(draw_values(for_values, layer, values, mix), name=f"{geometry}-{values}")


def question_case(rng: Generator, requantise: bool = True) -> LayerCase:
    """The layer of the question: (11, 11, 64) * (3, 3, 64, 64) -> (11, 11, 64), padding "same"."""
    layer = Layer(1, 11, 11, 64, 64, (3, 3), pads=same_pads((11, 11), (3, 3), (1, 1)))
    case = draw_values(rng, layer, "plain", Mix(accumulators=0 if requantise else 1))
    return replace(case, name="question")
