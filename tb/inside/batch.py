"""A batch under way: its layers, and what the bench has seen of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from conv_core.models.layer import LayerCase
from conv_core.models.packing import Bytes
from conv_core.tb.bench.bench import Bench
from conv_core.tb.bench.parameters import RING_BEATS
from conv_core.tb.bench.seen import BUS, STREAM_NAMES, Record
from conv_core.tb.checks.scoreboard import ResultFormat, Verdict
from conv_core.tb.stimuli.stalls import STREAMS


@dataclass
class Running:
    """A layer on its way through the core."""

    case: LayerCase
    layout: ResultFormat
    beats_before: int
    """result beats of the layers in front of it in the same batch"""
    queued: tuple[int, int] = (0, 0)
    """cycles between which the core took the layer's START"""
    counters: dict[str, int] | None = None
    """the core's, None as long as they are not read"""

    @property
    def cycles(self) -> int | None:
        """As the core counted them."""
        return (self.counters or {}).get("cycles")


def data_of(bench: Bench, layer: Running, *, last: bool) -> Bytes:
    """The bytes of a layer's result beats; what is too much belongs to the last layer."""
    start = layer.beats_before * layer.layout.beat_bytes
    end = None if last else start + layer.layout.beats * layer.layout.beat_bytes
    return bench.results()[start:end]


def broken_rules(bench: Bench, index: int, running: Sequence[Running]) -> list[str]:
    """Rules broken within this layer's results; those on other streams go to the last layer."""
    layer = running[index]
    texts = []
    for broken in bench.broken():
        beat = broken.beat - layer.beats_before
        if broken.stream == "out":
            mine = 0 <= beat < layer.layout.beats or (index == len(running) - 1 and beat >= 0)
            if mine:
                texts.append(f"{broken}; {layer.layout.describe_beat(beat)}")
        elif index == len(running) - 1:
            texts.append(str(broken))
    return texts


def left_over(bench: Bench) -> list[str]:
    """Beats that the core should have taken and did not."""
    texts = []
    for stream, source in (("act", bench.act), ("wgt", bench.wgt)):
        accepted = bench.read(f"host_{stream}_beats")
        if accepted != source.queued:
            texts.append(
                f"{STREAM_NAMES[stream]}: {source.queued - accepted} of {source.queued} beats "
                "are left over, the core did not take them"
            )
    return texts


async def timed(bench: Bench, verdict: Verdict, layer: Running) -> tuple[Verdict, int | None]:
    """The verdict with the simulation time of the first thing that is wrong."""
    times = [b.time_ns for b in bench.broken() if b.stream in ("out", BUS)]
    beat = verdict.first_wrong_beat
    if beat is not None:
        cycle = await bench.beat_cycle("out", layer.beats_before + beat)
        if cycle is not None:
            time_ns = bench.time_of(cycle)
            verdict = verdict.at_time(time_ns)
            times.append(time_ns)
    return verdict, min(times, default=None)


async def pin_cycles(bench: Bench, index: int, layer: Running) -> tuple[int, int]:
    """Cycles and held cycles of a layer, as the monitors saw them.

    A layer that was queued before the one in front of it ended counts from that end.
    """
    inputs = [await bench.record(stream, index) for stream in ("act", "wgt")]
    out = await bench.record("out", index)
    first: Record = min(inputs, key=lambda r: r.first_cycle)
    cycles = out.last_cycle - first.first_cycle + 1
    held = out.held_at_last - first.held_at_first
    if index:
        before = await bench.record("out", index - 1)
        behind = out.last_cycle - before.last_cycle
        earliest, latest = layer.queued
        unclear = earliest <= before.last_cycle <= latest
        if latest < before.last_cycle or (unclear and layer.cycles == behind):
            cycles, held = behind, out.held_at_last - before.held_at_last
    return cycles, held


async def traces(bench: Bench, index: int) -> dict[str, NDArray[np.int64]]:
    """For each stream the cycle of each beat, from the layer's first; only of single layers."""
    counts = {stream: bench.read(f"host_{stream}_beats") for stream in STREAMS}
    if index or max(counts.values()) > RING_BEATS:
        return {}
    found = {stream: await bench.trace(stream, count) for stream, count in counts.items()}
    origin = min(int(trace[0]) for trace in found.values() if trace.size)
    return {stream: trace - origin for stream, trace in found.items()}
