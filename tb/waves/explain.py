"""What is shown of a failure: its layer runs once more, for the cycles around the wrong beat.

The layer runs alone, up to the wrong beat and not further. If it is right then, because what ran
before it matters, the whole run is repeated. The binary is the one that failed, and so are seed and
traffic, so that the same happens again.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer, LayerCase
from conv_core.models.requantisation import result as right_result
from conv_core.tb.bench.bench import CLOCK_NS
from conv_core.tb.checks.scoreboard import Place, ResultFormat
from conv_core.tb.paths import BUILD
from conv_core.tb.runs.job import LayerResult
from conv_core.tb.runs.pieces import CutLayer
from conv_core.tb.runs.simulators import SimulationError
from conv_core.tb.waves.cut import Cut, Row
from conv_core.tb.waves.ran import layers_before, planner_of
from conv_core.tb.waves.signals import (
    INT8,
    INT32,
    RESULT_BEAT,
    Group,
    Names,
    Origins,
    Signal,
    Watched,
    all_groups,
    shown,
)
from conv_core.tb.waves.watch import (
    AFTER,
    HALF_CYCLE_NS,
    RECORDING,
    Cycle,
    Recording,
    read_recording,
)

EXPLAIN_SECONDS = 4.0
"""what commands let it take to run a layer again: with what surrounds it, less than five seconds"""
MAX_VALUES = 8
"""of the wrong beat, that are shown"""
Rerun = Callable[[Sequence[LayerCase], Sequence[str], Path], object]
"""Runs layers as the failing run did, with further arguments for the simulator, in a folder."""


@dataclass(frozen=True)
class Wrong:
    """The first wrong value of a layer, in the piece that it belongs to."""

    piece: LayerCase
    before: tuple[Layer, ...]
    """the pieces that the core computes first"""
    beat: int
    """counted over the result beats of all pieces"""
    beat_in_piece: int
    """as the report counts it"""
    place: Place
    """within the piece"""
    expected: int
    got: int
    data: bytes
    """what the beat held, as far as results reach"""
    index: int
    """of the value in its beat"""
    as_modelled: bool
    """the model gives the same: it is the layer file that expects something else"""


def first_wrong(case: LayerCase, result: LayerResult, config: CoreConfig) -> Wrong | None:
    """The first wrong value of a layer, in the order in which the core answers."""
    if result.values is None:
        return None
    layer = CutLayer.of(case, planner_of(result, config))
    before: list[Layer] = []
    beats = 0
    for part, piece in zip(layer.plan, layer.pieces, strict=True):
        where = np.ix_(part.frames, part.rows, part.columns, part.channels)
        got = result.values[where]
        layout = ResultFormat(piece.layer, config.out_stream_bytes)
        claims = (right_result(piece), piece.expected_y, piece.expected_acc)
        for expected in claims:
            if expected is None or expected.dtype != got.dtype or np.array_equal(expected, got):
                continue
            value = int(np.flatnonzero(got != expected)[0])
            beat = layout.beat_of(value)
            data, index = _beat(got.tobytes(), layout, beat, value)
            return Wrong(
                piece=piece,
                before=tuple(before),
                beat=beats + beat,
                beat_in_piece=beat,
                place=layout.place(value),
                expected=int(expected.reshape(-1)[value]),
                got=int(got.reshape(-1)[value]),
                data=data,
                index=index,
                as_modelled=int(claims[0].reshape(-1)[value]) == int(got.reshape(-1)[value]),
            )
        before.append(piece.layer)
        beats += layout.beats
    return None


def _beat(data: bytes, layout: ResultFormat, beat: int, value: int) -> tuple[bytes, int]:
    """The bytes of a beat, and which of its values that is."""
    frame, within = divmod(beat, layout.frame_beats)
    start = within * layout.beat_bytes
    dense = data[frame * layout.frame_bytes : (frame + 1) * layout.frame_bytes]
    at = value * layout.value_bytes - frame * layout.frame_bytes - start
    return dense[start : start + layout.beat_bytes], at // layout.value_bytes


# -------------------------------------------------------------------------------- the run again
def explained(
    cases: Sequence[LayerCase],
    results: Sequence[LayerResult],
    config: CoreConfig,
    rerun: Rerun,
    watched: Watched | None,
    *,
    seconds: float,
    alone: bool = True,
    from_reset: bool = True,
) -> list[LayerResult]:
    """The results; the first that is wrong carries the cycles around its wrong beat.

    `rerun` repeats the run that gave the results. Without `alone` it always repeats all of it: for
    traffic that was recorded. Without `from_reset` the core has done more than these layers, and
    where it stood in them is not said. What took more than `seconds` is not run again.
    """
    found = list(results)
    for index, (case, result) in enumerate(zip(cases, results, strict=True)):
        time_ns = result.look_at_ns
        if result.passed or time_ns is None:
            continue
        spent = sum(each.wall_s or 0.0 for each in results[: index + 1])
        wrong = first_wrong(case, result, config)
        cut = None
        if wrong is not None and alone and (result.wall_s or 0.0) <= seconds:
            cut = _alone(case, wrong, config, rerun, watched)
        if cut is None and spent <= seconds:
            before = None
            if from_reset:
                before = layers_before(cases, results, index, config)
            cut = _repeated(cases, before, time_ns, wrong, config, rerun, watched)
        if cut is not None:
            found[index] = replace(result, cut=cut, message=f"{result.message}\n{cut.text()}")
        elif spent > seconds:
            left_out = (
                f"the cycles around that are left out, since it took {spent:.0f} s to get there"
            )
            found[index] = replace(
                result, message=f"{result.message}\n{left_out}: make waves shows them"
            )
        break
    return found


def _alone(
    case: LayerCase, wrong: Wrong, config: CoreConfig, rerun: Rerun, watched: Watched | None
) -> Cut | None:
    """The layer on its own; None if it answers differently then."""
    groups = all_groups(config, watched)
    recording = _recorded([case], (f"+cut_beat={wrong.beat}",), groups, rerun)
    if recording is None:
        return None
    # The bench reads X as 0.
    bits = recording.cycles[_wrong_column(recording)].values["out_tdata"]
    data = int(re.sub("[^1]", "0", bits), 2).to_bytes(config.out_stream_bytes, "little")
    if data[: len(wrong.data)] != wrong.data:
        return None
    return cut_of(recording, wrong, wrong.before, config, watched, alone=True)


def _repeated(
    cases: Sequence[LayerCase],
    before: Sequence[Layer] | None,
    time_ns: int,
    wrong: Wrong | None,
    config: CoreConfig,
    rerun: Rerun,
    watched: Watched | None,
) -> Cut | None:
    """All layers once more."""
    groups = all_groups(config, watched)
    recording = _recorded(cases, (f"+cut_ns={time_ns}",), groups, rerun)
    if recording is None:
        return None
    if before is not None and wrong is not None:
        before = (*before, *wrong.before)
    return cut_of(recording, wrong, before, config, watched)


def _recorded(
    cases: Sequence[LayerCase], trigger: Sequence[str], groups: Sequence[Group], rerun: Rerun
) -> Recording | None:
    with _folder() as folder:
        path = folder / RECORDING
        # The simulation ends in the middle of its test, on purpose.
        with contextlib.suppress(SimulationError, FileNotFoundError):
            rerun(cases, (f"+cut={path}", *trigger, "+cut_stop"), folder)
        recording = read_recording(path, groups) if path.exists() else None
        return recording if recording is not None and recording.cycles else None


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    (BUILD / "runs").mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=BUILD / "runs")).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# -------------------------------------------------------------------------------- the cut
def cut_of(
    recording: Recording,
    wrong: Wrong | None,
    before: Sequence[Layer] | None,
    config: CoreConfig,
    watched: Watched | None,
    *,
    alone: bool = False,
) -> Cut:
    """The cut that a recording gives.

    `before` are the layers that ran since reset, None where that is not known; `alone` says that
    the wrong one ran on its own.
    """
    column = _wrong_column(recording)
    times = tuple(cycle.time_ns for cycle in recording.cycles)
    groups = list(all_groups(config, watched))
    names: dict[str, Mapping[int, str]]
    names = {s.name: s.names for group in groups for s in group.signals if s.names}
    notes = []
    begun_ns = None
    if wrong is not None:
        layer = wrong.piece.layer
        groups = shown(groups, layer)
        notes.append(
            f"value {wrong.index} of the beat is {wrong.place}: "
            f"expected {wrong.expected}, got {wrong.got}"
        )
        origins = None if watched is None else watched.origins
        if origins is not None and before is not None:
            vector, _ = origins.vector_of(layer, wrong.place)
            names |= origins.names(layer, before, vector)
            origin = origin_of(recording, wrong, before, origins)
            if origin is not None:
                notes += _came(origin, wrong, times[column] - HALF_CYCLE_NS, origins)
                begun_ns = origin.begun_ns
    cycles = recording.cycles if wrong is None else _counted(recording.cycles, column, wrong)
    rows = [
        Row(signal.label, tuple(_cell(signal, cycle, names) for cycle in cycles),
            group.title, signal.show == "bit")
        for group in groups
        for signal in group.signals
        if signal.cut and _concerns(signal, wrong)
    ]  # fmt: skip
    beat = "what is wrong" if wrong is None else f"result beat {wrong.beat_in_piece}"
    how = ", with the layer on its own" if alone else ""
    title = f"the {len(times)} cycles around {beat}; cycle 0 ends at {times[column]} ns{how}"
    return Cut(title, times, column, tuple(rows), tuple(notes), alone, begun_ns)


def _came(origin: Origin, wrong: Wrong, now: int, origins: Origins) -> Iterator[str]:
    """Sentences on where the value came from."""
    held = "X" if origin.sum is None else origin.sum
    due = origins.sum_of(wrong.piece, wrong.place)
    if wrong.as_modelled:
        verdict = "from which the model makes the same: the layer file expects something else"
    elif held == due:
        verdict = "which is right: it went wrong after that"
    else:
        verdict = f"where {due} would be right: it went wrong in the array or before"
    yield (
        f"its sum left the array {(now - origin.left_ns) // CLOCK_NS} cycles earlier, at "
        f"{origin.left_ns + HALF_CYCLE_NS} ns, in lane {origin.lane}, as {held}, {verdict}"
    )
    yield (
        f"its window's first step was taken {(now - origin.begun_ns) // CLOCK_NS} cycles earlier, "
        f"at {origin.begun_ns + HALF_CYCLE_NS} ns"
    )


@dataclass(frozen=True)
class Origin:
    """Where a value came from. Times are in the middle of cycles."""

    begun_ns: int
    """the first step of its window"""
    left_ns: int
    """its sum left the array"""
    lane: int
    sum: int | None
    """int32; None where it has an X"""


def origin_of(
    recording: Recording, wrong: Wrong, before: Sequence[Layer], origins: Origins
) -> Origin | None:
    """The vector with that number since reset, and the window with that number."""
    vector, lane = origins.vector_of(wrong.piece.layer, wrong.place)
    number = sum(origins.vectors(layer) for layer in before) + vector
    if number >= min(len(recording.vectors), len(recording.windows)):
        return None
    left_ns, sums = recording.vectors[number]
    return Origin(recording.windows[number], left_ns, lane, lane_of(sums, lane))


def lane_of(sums: str, lane: int) -> int | None:
    """A lane of the sums in hexadecimal, as int32; None where it has an X."""
    digits = sums[len(sums) - 8 * lane - 8 : len(sums) - 8 * lane]
    if set(digits.lower()) & set("xz"):
        return None
    return int(np.uint32(int(digits, 16)).astype(np.int32))


def _wrong_column(recording: Recording) -> int:
    return len(recording.cycles) - 1 - AFTER


def _counted(cycles: Sequence[Cycle], column: int, wrong: Wrong) -> Sequence[Cycle]:
    """The same with result beats counted as the report does, not from the first of the batch."""
    counts = [_bits(cycle, RESULT_BEAT) for cycle in cycles]
    shift = (counts[column] or 0) - wrong.beat_in_piece
    return [
        cycle
        if count is None or count < shift
        else replace(cycle, values={**cycle.values, RESULT_BEAT: f"{count - shift:b}"})
        for cycle, count in zip(cycles, counts, strict=True)
    ]


def _concerns(signal: Signal, wrong: Wrong | None) -> bool:
    """Of the values of a beat only those around the wrong one are shown."""
    if not signal.name.startswith((INT8, INT32)):
        return True
    number = int(signal.name.partition("_")[2])
    first = 0 if wrong is None else wrong.index - wrong.index % MAX_VALUES
    return first <= number < first + MAX_VALUES


def _bits(cycle: Cycle, name: str) -> int | None:
    """The value of a signal; None where a bit is X."""
    bits = cycle.values[name]
    return int(bits, 2) if set(bits) <= {"0", "1"} else None


def _cell(signal: Signal, cycle: Cycle, names: Names) -> str:
    """What a signal shows in a cycle."""
    if signal.when and cycle.values[signal.when] == "0":
        return ""
    value = _bits(cycle, signal.name)
    if value is None:
        return "x"
    if signal.show == "signed" and value >> (signal.bits - 1):
        return str(value - (1 << signal.bits))
    if signal.show == "hex":
        return f"{value:x}"
    if signal.show == "names":
        return names[signal.name].get(value, "?") if signal.name in names else str(value)
    return str(value)
