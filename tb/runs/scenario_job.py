"""What goes into a simulation that tries scenarios, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from conv_core.tb.runs.job import Job
from conv_core.tb.stimuli.scenario import Scenario
from conv_core.tb.stimuli.strategies import Space


@dataclass(frozen=True)
class SearchJob:
    """Scenarios are drawn until so many layers were right or one is wrong."""

    base: Job
    """without layers; its seed is Hypothesis' and the simulator's"""
    space: Space
    stalls: tuple[str, ...]
    layers: int


@dataclass(frozen=True)
class PlayJob:
    """Scenarios, one after the other."""

    base: Job
    scenarios: tuple[Scenario, ...]


@dataclass
class Found:
    """What a search found. Layers are those played, disturbed ones included."""

    layers: int = 0
    """until the first failing scenario, or in all"""
    scenarios: int = 0
    compared: int = 0
    """values compared"""
    seconds: float = 0.0
    seconds_to_first: float = 0.0
    """without the shrinking"""
    first: Scenario | None = None
    """that failed"""
    smallest: Scenario | None = None
    """that the first one shrank to"""
    shrink_layers: int = 0
    messages: list[str] = field(default_factory=list)
    """what was wrong with the smallest one"""
    repeatable: bool = True
    """the smallest one failed again in the same simulation"""
