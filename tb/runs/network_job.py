"""What goes into the simulation of a network, and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from conv_core.models.layer import Layer
from conv_core.models.network.graph import Array, Graph
from conv_core.tb.runs.job import Job, LayerResult


@dataclass(frozen=True)
class NetworkJob:
    """A network, and frames for it: for each of them a value for every input tensor."""

    base: Job
    """without layers"""
    graph: Graph
    frames: tuple[Mapping[int, Array], ...]


@dataclass(frozen=True)
class RanLayer:
    """An operator that ran on the core, in one frame; the result is without its values."""

    frame: int
    operator: int
    """its number"""
    layer: Layer
    result: LayerResult


@dataclass
class NetworkRun:
    """What came out of a network."""

    layers: list[RanLayer] = field(default_factory=list)
    frames: list[dict[int, Array]] = field(default_factory=list)
    """for each frame what the operators put out, by tensor; the last one may have no end"""
    complete: bool = False
    """all frames came to their end"""
