"""What kind of fault wrong results look like.

Each hypothesis of tb/checks/hypotheses/ computes the layer anew with one fault; those that give
exactly the results that came are named. Where none does, the pattern of the wrong values is
described: frames, rows, columns, channels, lanes, and from which beat on.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import LayerCase
from conv_core.tb.checks.hypotheses import HYPOTHESES, Recomputation

SECONDS = 20.0
"""how long hypotheses are tried; the layer of the question takes a fraction of it"""

MOST_ALONE = 3
"""suspects that are named one by one; more are grouped"""


@dataclass(frozen=True)
class Suspect:
    """A single fault that gives exactly the results that came."""

    name: str
    """of the hypothesis"""
    detail: str
    """which form of it; may be empty"""

    def __str__(self) -> str:
        return f"{self.name} ({self.detail})" if self.detail else self.name


@dataclass(frozen=True)
class Diagnosis:
    """All suspects, and what the wrong values have in common."""

    suspects: tuple[Suspect, ...]
    pattern: str
    tried: int
    """hypotheses"""
    untried: tuple[str, ...] = ()
    """hypotheses there was no time for"""

    @property
    def names(self) -> frozenset[str]:
        """The suspects' hypotheses."""
        return frozenset(suspect.name for suspect in self.suspects)

    def __str__(self) -> str:
        if len(self.suspects) == 1:
            text = f"this is what one fault would give: {self.suspects[0]}"
        elif self.suspects:
            text = "this is what any of these faults would give:"
            text += "".join(f"\n  {line}" for line in self._lines())
        else:
            text = f"none of {self.tried} single faults gives these results; {self.pattern}"
        if self.untried:
            text += "\n" if len(self.suspects) > 1 else "; "
            text += f"no time was left for: {', '.join(self.untried)}"
        return text

    def _lines(self) -> list[str]:
        """The suspects; where they are many, those of a hypothesis on one line."""
        if len(self.suspects) <= MOST_ALONE:
            return list(map(str, self.suspects))
        kinds: dict[str, list[Suspect]] = {}
        for suspect in self.suspects:
            kinds.setdefault(suspect.name, []).append(suspect)
        return [
            f"{name}, {len(forms)} forms" if len(forms) > 1 else str(forms[0])
            for name, forms in kinds.items()
        ]


def diagnose(
    case: LayerCase,
    got: NDArray[Any],
    config: CoreConfig,
    previous: LayerCase | None = None,
    *,
    seconds: float = SECONDS,
) -> Diagnosis:
    """Looks for single faults that give `got`, (N, OH, OW, Cout), int8 or int32.

    `previous` is the layer that the core computed before. Raises `ValueError` if `got` has not the
    layer's shape, or if nothing in it is wrong.
    """
    if got.shape != case.layer.out_shape:
        raise ValueError(f"results have the shape {got.shape}, the layer's {case.layer.out_shape}")
    layer = Recomputation(case, got, config, previous)
    wrong = got != layer.right
    if not wrong.any():
        raise ValueError("there is nothing wrong with these results")
    deadline = time.monotonic() + seconds
    suspects, untried = [], []
    for name, hypothesis in HYPOTHESES.items():
        for detail, results in hypothesis(layer):
            if np.array_equal(results, got):
                suspects.append(Suspect(name, detail))
            if time.monotonic() > deadline:
                untried.append(name)
                break
    tried = len(HYPOTHESES) - len(untried)
    return Diagnosis(tuple(suspects), describe(layer, wrong), tried, tuple(untried))


def describe(layer: Recomputation, wrong: NDArray[np.bool_]) -> str:
    """What wrong values have in common, as a sentence. `wrong` is (N, OH, OW, Cout), not empty.

    Nothing is said of dimensions of size 1.
    """
    parts = [
        _along(wrong, axis, name)
        for axis, name in enumerate(("frames", "rows", "columns", "channels"))
        if wrong.shape[axis] > 1
    ]
    lanes = layer.lanes_of_filters
    in_use, affected = np.unique(lanes), np.unique(lanes[wrong.any(axis=(0, 1, 2))])
    if affected.size < in_use.size:
        parts.append(f"lanes {ranges(affected)} of {in_use.size}")
    beats = (layer.beats(layer.got) != layer.beats(layer.right)).any(axis=2).reshape(-1)
    first = int(np.flatnonzero(beats)[0])
    if beats[first:].all() and first:
        parts.append(f"every beat from {first} on")
    elif beats.size > 1:
        parts.append(f"{int(beats.sum())} of {beats.size} beats, the first is {first}")
    difference = np.unique(layer.got.astype(np.int64)[wrong] - layer.right[wrong])
    if difference.size == 1:
        parts.append(f"always {int(difference[0]):+d}")
    else:
        values = np.unique(layer.got[wrong])
        if values.size == 1 and wrong.sum() > 1:
            parts.append(f"always the value {int(values[0])}")
        elif difference.min() >= -3 and difference.max() <= 3:
            parts.append(f"by {int(difference.min()):+d} to {int(difference.max()):+d} only")
    return f"wrong are {int(wrong.sum())} of {wrong.size} values: " + ", ".join(parts)


def _along(wrong: NDArray[np.bool_], axis: int, name: str) -> str:
    others = tuple(i for i in range(wrong.ndim) if i != axis)
    affected = np.flatnonzero(wrong.any(axis=others))
    count = wrong.shape[axis]
    if affected.size == count:
        return f"all {name}"
    return f"{name} {ranges(affected)} of {count}"


def ranges(numbers: NDArray[np.int64]) -> str:
    """[0, 1, 2, 5] as "0-2, 5"; [1, 3, 5, 7] as "1, 3 ... 7"; cut where it gets long."""
    steps = np.diff(numbers)
    if numbers.size > 3 and steps[0] > 1 and (steps == steps[0]).all():
        return f"{numbers[0]}, {numbers[1]} ... {numbers[-1]}"
    runs = np.split(numbers, np.flatnonzero(steps != 1) + 1)
    parts = [f"{run[0]}" if run.size == 1 else f"{run[0]}-{run[-1]}" for run in runs]
    return ", ".join(parts[:6]) + (f" and more, {numbers.size} in all" if len(parts) > 6 else "")
