"""Blocks that never stall: inputs go in every cycle, outputs are read every cycle."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

FULL = 255
"""the largest magnitude of a byte less a zero point"""


def parameter(name: str) -> int:
    """A parameter of the block under test."""
    return int(os.environ[name])


def generator() -> np.random.Generator:
    """Random numbers of this run's seed."""
    return np.random.default_rng(int(os.environ["COCOTB_RANDOM_SEED"]))


def packed(values: Iterable[int], width: int) -> int:
    """Numbers side by side in a vector, the first one lowest."""
    return sum((int(value) & (1 << width) - 1) << width * i for i, value in enumerate(values))


def signed(vector: int, width: int, count: int) -> list[int]:
    """The signed numbers that stand side by side in a vector."""
    half = 1 << width - 1
    return [((vector >> width * i & 2 * half - 1) ^ half) - half for i in range(count)]


def operands(rng: np.random.Generator, count: int, cycles: int) -> np.ndarray:
    """(cycles, count) bytes less zero points: random, but first all at either end, and mixed."""
    values = rng.integers(-FULL, FULL + 1, (cycles, count))
    values[0], values[1], values[2] = FULL, -FULL, FULL
    values[3] = np.where(np.arange(count) % 2, -FULL, FULL)
    values[4] = 0
    return values


async def outputs(
    dut: Any, inputs: Sequence[Mapping[str, int]], names: Sequence[str], after: int
) -> list[tuple[Any, ...]]:
    """What the block shows after each cycle of inputs, and in `after` cycles more of the last ones.

    Element i is what the outputs are after the clock edge that takes inputs i: with a latency of n
    cycles the answer to inputs i is element i + n - 1.
    """
    cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
    await FallingEdge(dut.clk)
    seen = []
    for cycle in range(len(inputs) + after):
        for name, value in inputs[min(cycle, len(inputs) - 1)].items():
            getattr(dut, name).value = value
        await FallingEdge(dut.clk)
        seen.append(tuple(getattr(dut, name).value for name in names))
    return seen
