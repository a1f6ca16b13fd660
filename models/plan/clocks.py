"""How fast a core has been seen to run: what docs/synthesis.md reports."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from conv_core.models.core_config import CoreConfig

PAGE = Path(__file__).resolve().parents[2] / "docs" / "synthesis.md"
FAMILY = "ecp5"
"""The only one that is placed and routed."""
PLACED = re.compile(r"^\| (\d+x\d+) \| \d+ \| ([\d.]+) \| `", re.MULTILINE)
"""A line of the page's second table: array, seed, MHz, path."""


@cache
def placed() -> dict[str, float]:
    """The MHz of each array that was placed and routed, with default buffers and streams."""
    return {array: float(mhz) for array, mhz in PLACED.findall(PAGE.read_text())}


def clock_of(config: CoreConfig, family: str) -> float | None:
    """The MHz of a core's array on a family; None if nobody has measured it.

    Buffers and streams don't matter much: the longest paths are elsewhere.
    """
    return placed().get(config.array) if family == FAMILY else None
