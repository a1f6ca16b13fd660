"""Scenarios smaller than one that fails: fewer multiply-accumulates, and less around them.

Hypothesis shrinks by the choices that a scenario was drawn with, one after the other. What is left
then is a layer that no single choice makes smaller; here sizes are exchanged for each other, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations, permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conv_core.models.layer import Layer, LayerCase, LayerError
from conv_core.tb.stimuli.scenario import Scenario

MOST_TRIES = 1500
"""smaller scenarios that are tried, at most"""


def smallest(
    scenario: Scenario,
    failing: Callable[[Scenario], Scenario | None],
    allowed: Callable[[Layer], bool] = lambda _: True,
    most_tries: int = MOST_TRIES,
) -> Scenario:
    """What is left of a failing scenario when nothing smaller fails, or after `most_tries`.

    `failing` tries a scenario, and gives back what fails of it, perhaps in other traffic; `None`
    if nothing does. Only scenarios with layers that are all `allowed` are tried.
    """
    tries = 0
    while True:
        for candidate in smaller(scenario):
            if not all(allowed(case.layer) for case in candidate.layers):
                continue
            if tries == most_tries:
                return scenario
            tries += 1
            if (failed := failing(candidate)) is not None:
                scenario = failed
                break
        else:
            return scenario


def smaller(scenario: Scenario) -> list[Scenario]:
    """What to try in place of a scenario, the smallest first: all are smaller by `size`."""
    layers = scenario.layers
    candidates = [
        replace(scenario, disturbance=None),
        replace(scenario, queue=False),
        replace(scenario, traffic=replace(scenario.traffic, stall="none")),
    ]
    candidates += [
        replace(scenario, layers=some, queue=scenario.queue and number > 1)
        for number in range(1, len(layers))
        for some in combinations(layers, number)
    ]
    for index, case in enumerate(layers):
        before, behind = layers[:index], layers[index + 1 :]
        candidates += [
            replace(scenario, layers=(*before, less, *behind)) for less in _resized_cases(case)
        ]
    return sorted((each for each in candidates if size(each) < size(scenario)), key=size)


def size(scenario: Scenario) -> tuple[int, int, bool, bool, bool]:
    """By what scenarios are compared: what comes first weighs most."""
    return (
        scenario.macs,
        len(scenario.layers),
        scenario.disturbance is not None,
        scenario.queue,
        scenario.traffic.stall != "none",
    )


@dataclass(frozen=True)
class _Sizes:
    """What the multiply-accumulates of a layer are the product of."""

    batch: int
    groups: int
    inputs: int
    filters: int
    kernel_y: int
    kernel_x: int
    rows: int
    columns: int

    @classmethod
    def of(cls, layer: Layer) -> _Sizes:
        return cls(
            layer.batch,
            layer.groups,
            layer.in_channels // layer.groups,
            layer.out_channels // layer.groups,
            *layer.kernel,
            layer.out_height,
            layer.out_width,
        )


def _resized_cases(case: LayerCase) -> Iterator[LayerCase]:
    for changed in _changes(_Sizes.of(case.layer)):
        # Windows in the padding need padding, and where it goes they may go.
        for pads in {case.layer.pads, (0, 0, 0, 0)}:
            less = _resized(case, changed, pads)
            if less is not None:
                yield less


def _changes(sizes: _Sizes) -> Iterator[_Sizes]:
    """One size smaller; or one as small as can be, and in its place another larger."""
    names = tuple(sizes.__dataclass_fields__)
    for name in names:
        size = getattr(sizes, name)
        yield from (
            replace(sizes, **{name: less})
            for less in {1, 2, size // 2, size - 1}
            if 0 < less < size
        )
    for name, other in permutations(names, 2):
        size = getattr(sizes, name)
        for factor in {2, size // 2, size - 1}:
            if 1 < factor < size:
                yield replace(sizes, **{name: 1, other: factor * getattr(sizes, other)})


def _resized(case: LayerCase, sizes: _Sizes, pads: tuple[int, int, int, int]) -> LayerCase | None:
    """The layer with other sizes, its tensors cropped or repeated; None where there is none."""
    layer = case.layer
    kernel = sizes.kernel_y, sizes.kernel_x
    height, width = (
        (outputs - 1) * stride + (taps - 1) * dilation + 1 - before - after
        for outputs, stride, taps, dilation, before, after in zip(
            (sizes.rows, sizes.columns),
            layer.stride,
            kernel,
            layer.dilation,
            pads[:2],
            pads[2:],
            strict=True,
        )
    )
    if min(height, width) < 1:
        return None
    try:
        changed = replace(
            layer,
            batch=sizes.batch,
            height=height,
            width=width,
            in_channels=sizes.groups * sizes.inputs,
            out_channels=sizes.groups * sizes.filters,
            kernel=kernel,
            pads=pads,
            groups=sizes.groups,
        )
    except LayerError:
        return None
    filters = (changed.out_channels,)
    return replace(
        case,
        layer=changed,
        x=_filled(case.x, changed.in_shape),
        w=_filled(case.w, changed.weight_shape),
        bias=_filled(case.bias, filters),
        w_zp=_filled(case.w_zp, filters),
        mult=None if case.mult is None else _filled(case.mult, filters),
        shift=None if case.shift is None else _filled(case.shift, filters),
        scale=None if case.scale is None else _filled(case.scale, filters),
    )


def _filled(values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """The values, cropped or repeated along each axis."""
    indices = [np.arange(size) % had for size, had in zip(shape, values.shape, strict=True)]
    return np.ascontiguousarray(values[np.ix_(*indices)])
