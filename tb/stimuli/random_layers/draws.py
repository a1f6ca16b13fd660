"""Single numbers, both ends included."""

from __future__ import annotations

from numpy.random import Generator


def between(rng: Generator, low: int, high: int) -> int:
    return int(rng.integers(low, high + 1))


def pair(rng: Generator, low: int, high: int) -> tuple[int, int]:
    return between(rng, low, high), between(rng, low, high)


def pads(rng: Generator, low: int, high: int) -> tuple[int, int, int, int]:
    return (*pair(rng, low, high), *pair(rng, low, high))
