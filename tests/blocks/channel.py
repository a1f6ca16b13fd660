"""Valid/ready channels of a block, driven and watched a cycle at a time; inside the simulator."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.task import Task
from cocotb.triggers import FallingEdge, RisingEdge

Payload = dict[str, int]
PERIOD_NS = 10


def random_generator() -> np.random.Generator:
    """The simulation's, from the seed that the run prints."""
    return np.random.default_rng(int(os.environ["COCOTB_RANDOM_SEED"]))


def parameter(name: str) -> int:
    """A parameter of the block."""
    return int(os.environ[name])


def word_fields(bits: str, size: int) -> tuple[str, str, str]:
    """A word {..., keep, data} of a stream, as bits: data, keep, what goes before them."""
    return bits[-8 * size :], bits[-9 * size : -8 * size], bits[: -9 * size]


class Bench:
    """Clock, reset and channels of a block; a reset ends what went on before."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.rng = random_generator()
        self._tasks: list[Task[None]] = []
        Clock(dut.clk, PERIOD_NS, unit="ns", impl="gpi").start()

    async def reset(self, **inputs: int) -> None:
        """Sets inputs, and resets for two cycles."""
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()
        for name, value in inputs.items():
            getattr(self.dut, name).value = value
        self.dut.rst.value = 1
        await self.clock(3)
        self.dut.rst.value = 0

    def give(self, payloads: Sequence[Payload], share: float = 1) -> Giver:
        """Gives payloads to `s_*`, offering one in a share of the cycles."""
        giver = Giver(self.dut, share, self.rng)
        self._tasks.append(cocotb.start_soon(giver.give(list(payloads))))
        return giver

    def take(self, names: Sequence[str], share: float = 1) -> Taker:
        """Takes payloads from `m_*` in a share of the cycles."""
        taker = Taker(self.dut, names, share, self.rng)
        self._tasks.append(cocotb.start_soon(taker.take()))
        return taker

    async def clock(self, cycles: int = 1) -> None:
        for _ in range(cycles):
            await RisingEdge(self.dut.clk)

    async def until_taken(self, giver: Giver, count: int, *, limit: int = 20000) -> None:
        """Waits until so many payloads have been taken, and a while for one too many."""
        for _ in range(limit):
            await RisingEdge(self.dut.clk)
            if len(giver.taken) == count:
                await self.clock(80)
                return
        raise TimeoutError(f"{len(giver.taken)} of {count} payloads were taken")


class Giver:
    """Gives payloads to `s_*`; one that is offered stays until it is taken."""

    def __init__(self, dut: Any, share: float, rng: np.random.Generator) -> None:
        self.taken: list[tuple[int, Payload]] = []
        """(cycle, payload)"""
        self._dut, self._share, self._rng = dut, share, rng
        dut.s_valid.value = 0

    async def give(self, payloads: list[Payload]) -> None:
        dut, cycle = self._dut, 0
        for payload in payloads:
            offered = False
            while True:
                await RisingEdge(dut.clk)
                cycle += 1
                offered = offered or bool(self._rng.random() < self._share)
                dut.s_valid.value = int(offered)
                for name, value in payload.items() if offered else ():
                    getattr(dut, f"s_{name}").value = value
                await FallingEdge(dut.clk)
                if offered and str(dut.s_ready.value) == "1":
                    self.taken.append((cycle, payload))
                    break
        await RisingEdge(dut.clk)
        dut.s_valid.value = 0


class Taker:
    """Takes payloads from `m_*`; checks that what is offered stays as it is."""

    def __init__(
        self, dut: Any, names: Sequence[str], share: float, rng: np.random.Generator
    ) -> None:
        self.got: list[tuple[int, dict[str, str]]] = []
        """(cycle, payload as bits)"""
        self._dut, self._names, self._share, self._rng = dut, names, share, rng
        dut.m_ready.value = 0

    async def take(self) -> None:
        dut, cycle, stalled = self._dut, 0, None
        while True:
            await RisingEdge(dut.clk)
            cycle += 1
            ready = bool(self._rng.random() < self._share)
            dut.m_ready.value = int(ready)
            await FallingEdge(dut.clk)
            valid = str(dut.m_valid.value)
            assert valid in ("0", "1"), "m_valid is X"
            payload = {name: str(getattr(dut, f"m_{name}").value) for name in self._names}
            if stalled is not None:
                assert (valid, payload) == ("1", stalled), "changed while stalled"
            stalled = payload if valid == "1" and not ready else None
            if valid == "1" and ready:
                self.got.append((cycle, payload))
