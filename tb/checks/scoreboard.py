"""Compares what came out of the RTL with what is right, and says what is wrong and where.

A layer passes if every value was compared and is equal to the model's and, where the layer file
holds expected results, to those; if nothing is missing, left over or too much; if no stream broke a
rule, X included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conv_core.models.convolution import accumulate
from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer, LayerCase
from conv_core.models.packing import Bytes, result_bytes, unpack_results
from conv_core.models.requantisation import result
from conv_core.tb.checks.diagnosis import diagnose

MAP_ROWS, MAP_COLUMNS = 16, 48


@dataclass(frozen=True)
class Place:
    """Where a value stands in the results."""

    frame: int
    row: int
    column: int
    channel: int

    def __str__(self) -> str:
        return f"frame {self.frame}, row {self.row}, column {self.column}, channel {self.channel}"


@dataclass(frozen=True)
class Mismatch:
    """Values that differ from what is expected, and the first of them."""

    whose: str
    """who expected something else"""
    count: int
    compared: int
    place: Place
    beat: int
    """counted over all result beats of the layer"""
    expected: int
    got: int
    time_ns: int | None = None
    """simulation time at which the beat was accepted, where that is known"""

    def __str__(self) -> str:
        when = "" if self.time_ns is None else f", {self.time_ns} ns"
        return (
            f"{self.count} of {self.compared} values differ from {self.whose}; the first in "
            f"{self.place}, beat {self.beat}{when}: expected {self.expected}, got {self.got}"
        )


@dataclass(frozen=True)
class Verdict:
    """A layer is right if there are neither problems nor mismatches."""

    problems: tuple[str, ...]
    mismatches: tuple[Mismatch, ...]
    picture: str
    """where the wrong values are, see `difference_map`; empty if there are none"""
    compared: int
    wrong: int
    values: NDArray[Any] | None
    """(N, OH, OW, Cout) from the RTL; None where beats are missing"""
    diagnosis: str = ""
    """what kind of fault the wrong values look like, see tb/checks/diagnosis.py"""

    @property
    def first_wrong_beat(self) -> int | None:
        """counted over all result beats of the layer"""
        return min((m.beat for m in self.mismatches), default=None)

    @property
    def wrong_beat_ns(self) -> int | None:
        """When that was, where it is known."""
        return next((m.time_ns for m in self.mismatches if m.time_ns is not None), None)

    def at_time(self, time_ns: int | None) -> Verdict:
        """The same, with the time of the first wrong beat."""
        first = self.first_wrong_beat
        return replace(
            self,
            mismatches=tuple(
                replace(m, time_ns=time_ns) if m.beat == first else m for m in self.mismatches
            ),
        )

    def text(self) -> str:
        """All that is wrong, a sentence a line; empty if nothing is."""
        lines = [*self.problems, *map(str, self.mismatches)]
        return "\n".join([*lines, *filter(None, (self.diagnosis, self.picture))])


class ResultFormat:
    """How the results of a layer are laid out in beats of `beat_bytes`."""

    def __init__(self, layer: Layer, beat_bytes: int) -> None:
        self.layer = layer
        self.beat_bytes = beat_bytes
        self.value_bytes = 1 if layer.requantise else 4
        self.frame_bytes = result_bytes(layer)
        self.frame_beats = -(-self.frame_bytes // beat_bytes)
        self.beats = layer.batch * self.frame_beats
        self.dtype = np.dtype(np.int8 if layer.requantise else "<i4")

    def place(self, value: int) -> Place:
        """The place of the value with this number, in the order frame, row, column, channel."""
        return Place(*(int(i) for i in np.unravel_index(value, self.layer.out_shape)))

    def beat_of(self, value: int) -> int:
        """The beat that completes this value."""
        frame, within = divmod(value * self.value_bytes, self.frame_bytes)
        return frame * self.frame_beats + (within + self.value_bytes - 1) // self.beat_bytes

    def describe_beat(self, beat: int) -> str:
        """Which values a beat holds."""
        if beat >= self.beats:
            return f"behind the last of {self.beats} beats"
        frame, within = divmod(beat, self.frame_beats)
        first = (frame * self.frame_bytes + within * self.beat_bytes) // self.value_bytes
        return f"it begins with {self.place(first)}"

    def split(self, data: Bytes) -> list[Bytes]:
        """The dense bytes of each frame, of as many whole beats as there are."""
        step = self.frame_beats * self.beat_bytes
        frames = [data[n * step : (n + 1) * step] for n in range(self.layer.batch)]
        return [frame[: self.frame_bytes] for frame in frames]


def judge(
    case: LayerCase,
    data: Bytes,
    beat_bytes: int,
    *,
    other_problems: Sequence[str] = (),
    config: CoreConfig | None = None,
    previous: LayerCase | None = None,
) -> Verdict:
    """The verdict on a layer whose result beats are `data`, all their bytes one after the other.

    `other_problems` were found elsewhere (rules broken, beats left over, a hang, cycles). With
    `config`, the core's, wrong values are diagnosed; `previous` is the layer it computed before.
    """
    layout = ResultFormat(case.layer, beat_bytes)
    problems = list(other_problems)
    beats = data.size // beat_bytes
    if beats < layout.beats:
        problems.append(
            f"results: {layout.beats - beats} of {layout.beats} beats are missing, the first is "
            f"beat {beats}: {layout.describe_beat(beats)}"
        )
    if beats > layout.beats:
        problems.append(_too_many(data, layout))

    frames = layout.split(data)
    complete = all(frame.size == layout.frame_bytes for frame in frames)
    came = np.concatenate([f[: f.size - f.size % layout.value_bytes] for f in frames])
    got = came.view(layout.dtype)
    expected = {"the model": result(case)}
    if case.layer.requantise:
        if case.expected_y is not None:
            expected["the file's y"] = case.expected_y
        if case.expected_acc is not None:
            # The accumulators of such a layer are not seen at the pins: the model stands in.
            problems += _compare_with_model(case)
    elif case.expected_acc is not None:
        expected["the file's acc"] = case.expected_acc

    wrong_anywhere = np.zeros(got.size, bool)
    mismatches = []
    for whose, tensor in expected.items():
        wanted = tensor.reshape(-1)[: got.size]
        wrong = got != wanted
        wrong_anywhere |= wrong
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            mismatches.append(
                Mismatch(
                    whose,
                    count=int(wrong.sum()),
                    compared=got.size,
                    place=layout.place(at),
                    beat=layout.beat_of(at),
                    expected=int(wanted[at]),
                    got=int(got[at]),
                )
            )
    if got.size == 0:
        problems.append("nothing was compared: no result came")
    values = unpack_results(frames, case.layer) if complete else None
    diagnosis = ""
    if config is not None and values is not None and not np.array_equal(values, result(case)):
        diagnosis = str(diagnose(case, values, config, previous))
    return Verdict(
        problems=tuple(problems),
        mismatches=tuple(mismatches),
        picture=difference_map(wrong_anywhere, case.layer) if mismatches else "",
        compared=int(got.size),
        wrong=int(wrong_anywhere.sum()),
        values=values,
        diagnosis=diagnosis,
    )


def _too_many(data: Bytes, layout: ResultFormat) -> str:
    """What is wrong with beats behind the layer's last."""
    end = layout.beats * layout.beat_bytes
    extra = data.size // layout.beat_bytes - layout.beats
    text = f"{extra} beats too many came, behind the last of {layout.beats}"
    if extra >= layout.beats and np.array_equal(data[end : 2 * end], data[:end]):
        return f"results: the core answers twice: {text}, the same once more"
    return f"results: {text}"


def _compare_with_model(case: LayerCase) -> list[str]:
    if case.expected_acc is None:
        return []
    wrong = accumulate(case) != case.expected_acc
    if not wrong.any():
        return []
    place = Place(*(int(i) for i in np.argwhere(wrong)[0]))
    return [
        f"the file's acc is not what the layer gives in {int(wrong.sum())} values, the first in "
        f"{place}"
    ]


def difference_map(wrong: NDArray[np.bool_], layer: Layer) -> str:
    """A picture of which values are wrong, in text.

    `wrong` is flat, in the order of the results, and may end early. Shown is the first frame that
    has a wrong value: each character is a place (or a block of places, where the image is larger
    than the picture), and says how many of its channels are wrong. Nothing is said of dimensions of
    size 1.
    """
    full = np.zeros(int(np.prod(layer.out_shape)), bool)
    full[: wrong.size] = wrong
    tensor = full.reshape(layer.out_shape)
    frame = int(np.flatnonzero(tensor.any(axis=(1, 2, 3)))[0])
    image = tensor[frame]
    rows, columns, _ = image.shape
    step_y, step_x = -(-rows // MAP_ROWS), -(-columns // MAP_COLUMNS)
    padded = np.zeros((-(-rows // step_y) * step_y, -(-columns // step_x) * step_x), float)
    padded[:rows, :columns] = image.mean(axis=2)
    blocks = padded.reshape(padded.shape[0] // step_y, step_y, -1, step_x).max(axis=(1, 3))
    lines = ["".join(_shade(share) for share in line) for line in blocks]
    channels = np.flatnonzero(image.any(axis=(0, 1)))
    where = [f"frame {frame}"] if layer.batch > 1 else []
    where += [f"wrong in channels {_ranges(channels)}" if layer.out_channels > 1 else "wrong"]
    key = ". none, - few, + many, # all channels" if layer.out_channels > 1 else ". none, # wrong"
    scale = "" if step_y == step_x == 1 else f", {step_y}x{step_x} places a character"
    return f"{', '.join(where)} ({key}{scale}):\n" + "\n".join(f"  {line}" for line in lines)


def _shade(share: float) -> str:
    if share == 0:
        return "."
    if share == 1:
        return "#"
    return "+" if share >= 0.5 else "-"


def _ranges(numbers: NDArray[np.int64]) -> str:
    """[0, 1, 2, 5] as "0-2, 5", cut where it gets long."""
    cuts = np.flatnonzero(np.diff(numbers) != 1) + 1
    parts = [
        f"{run[0]}" if run.size == 1 else f"{run[0]}-{run[-1]}" for run in np.split(numbers, cuts)
    ]
    return ", ".join(parts[:8]) + (f" and more, {numbers.size} in all" if len(parts) > 8 else "")
