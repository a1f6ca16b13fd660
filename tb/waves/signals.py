"""What of a run is worth seeing: the bench's signals, and what a core's driver says of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer, LayerCase
from conv_core.tb.checks.scoreboard import Place

Names = Mapping[str, Mapping[int, str]]
"""of values, by signal"""
Show = Literal["bit", "hex", "unsigned", "signed", "names"]


@dataclass(frozen=True)
class Signal:
    """A signal under the name that people read."""

    name: str
    """letters, digits and underscores"""
    sources: tuple[str, ...]
    """where it comes from, as paths below conv_bench; several lie side by side, highest first"""
    bits: int = 1
    show: Show = "bit"
    names: Mapping[int, str] = field(default_factory=dict)
    """of values, for `names`; the rest is shown as a number"""
    when: str = ""
    """the signal without which its value means nothing"""
    cut: bool = True
    """shown in the cut of a report too"""

    @property
    def label(self) -> str:
        """The name as people read it."""
        return self.name.replace("_", " ")


@dataclass(frozen=True)
class Group:
    """Signals that belong together."""

    title: str
    signals: tuple[Signal, ...]
    closed: bool = False
    """a viewer shows the title alone at first"""


@dataclass(frozen=True)
class Events:
    """How a value comes about inside a core that computes window by window: paths below conv_bench.

    Each is high in the cycles in which the event happens.
    """

    step: str
    """a step of a window is taken"""
    last: str
    """that step is its window's last"""
    vector: str
    """the sums of a window leave the array"""
    sums: str
    """these sums, 32 bits a lane, lane 0 lowest"""
    lanes: int


class Origins(Protocol):
    """Where the values of a layer come from inside a core."""

    @property
    def events(self) -> Events:
        """When they come about."""

    def vector_of(self, layer: Layer, place: Place) -> tuple[int, int]:
        """Which of the layer's vectors holds a value, and in which lane, both from 0."""

    def vectors(self, layer: Layer) -> int:
        """How many leave the array."""

    def sum_of(self, case: LayerCase, place: Place) -> int:
        """What the lane of that vector should hold."""

    def names(self, layer: Layer, before: Sequence[Layer], vector: int) -> Names:
        """Names of values that follow from the layer, by signal, around that vector at least.

        `before` are the layers since reset.
        """


class Watched(Protocol):
    """What a core's driver shows of its core; without it a core is seen at its pins only."""

    @property
    def groups(self) -> Sequence[Group]:
        """Signals inside the core."""

    @property
    def origins(self) -> Origins | None:
        """Where values come from; None if the driver does not know."""

    def stands_in(self, dut: str, sources: Sequence[Path]) -> bool:
        """Are these the signals of the module `dut` in these files?"""


@dataclass(frozen=True)
class WatchedSignals:
    """A `Watched` with signals of one module, and nothing else."""

    dut: str
    groups: tuple[Group, ...]
    origins: Origins | None = None

    def stands_in(self, dut: str, sources: Sequence[Path]) -> bool:  # noqa: ARG002
        """Goes by the module's name."""
        return dut == self.dut


def bench_groups(config: CoreConfig) -> tuple[Group, ...]:
    """The signals of the bench."""
    beats = config.out_stream_bytes
    return (
        Group(
            "time",
            (
                Signal("clk", ("clk",), cut=False),
                Signal("rst", ("rst",), cut=False),
                Signal("cycle", ("host_cycle",), 32, "unsigned", cut=False),
            ),
        ),
        Group(
            "results",
            (*_stream("out", beats), *_values(beats)),
        ),
        Group("activations", _stream("act", config.act_stream_bytes)),
        Group("weights", _stream("wgt", config.wgt_stream_bytes)),
        Group(
            "held by the bench",
            tuple(
                Signal(name, (name,), cut=False) for name in ("hold_act", "hold_wgt", "hold_out")
            ),
            closed=True,
        ),
    )


def _stream(name: str, size: int) -> tuple[Signal, ...]:
    """Of a stream of `size` bytes a beat. The beat's number is the one that reports use."""
    valid = f"{name}_tvalid"
    return (
        Signal(f"{name}_beat", (f"host_{name}_beats",), 32, "unsigned", when=valid),
        Signal(valid, (valid,)),
        Signal(f"{name}_tready", (f"{name}_tready",)),
        Signal(f"{name}_tlast", (f"{name}_tlast",), when=valid, cut=name == "out"),
        Signal(f"{name}_tkeep", (f"{name}_tkeep",), size, "hex", when=valid, cut=False),
        Signal(f"{name}_tdata", (f"{name}_tdata",), 8 * size, "hex", when=valid, cut=False),
    )


RESULT_BEAT = "out_beat"
INT8, INT32 = "int8_", "int32_"


def _values(size: int) -> tuple[Signal, ...]:
    """The values of a result beat, one signal each: as int8, and as int32."""
    return tuple(
        Signal(
            f"{prefix}{number}",
            (f"out_tdata[{bits * number}+:{bits}]",),
            bits,
            "signed",
            when="out_tvalid",
        )
        for prefix, bits in ((INT8, 8), (INT32, 32))
        for number in range(8 * size // bits)
    )


def shown(groups: Sequence[Group], layer: Layer) -> list[Group]:
    """The groups as that layer needs them: its results are of one kind."""
    other = INT32 if layer.requantise else INT8
    return [
        Group(
            group.title,
            tuple(s for s in group.signals if not s.name.startswith(other)),
            group.closed,
        )
        for group in groups
    ]


def all_groups(config: CoreConfig, watched: Watched | None) -> tuple[Group, ...]:
    """Of the bench, and of the core in its middle."""
    pins = bench_groups(config)
    inside = () if watched is None else tuple(watched.groups)
    return (*pins[:2], *inside, *pins[2:])
