"""The core with Python at its pins, inside the simulator: what tests of this folder share."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, NoReturn

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.task import Task
from cocotb.triggers import FallingEdge, First, RisingEdge, Timer

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer, LayerCase
from conv_core.models.packing import Bytes, pack_activations, pack_weights, unpack_results
from conv_core.models.requantisation import result
from conv_core.tb.core.driver import descriptor
from conv_core.tb.core.registers import Ctrl, Irq, Register, Status
from conv_core.tb.pins.axil import Master
from conv_core.tb.pins.responses import Response
from conv_core.tb.pins.streams import (
    Beat,
    Gate,
    Monitor,
    Pins,
    Sink,
    Source,
    always,
    beats_of,
    packets_of,
)

CONFIG = CoreConfig.from_array(
    "4x4", act_bytes=256, wgt_words=64, const_words=32, out_bytes=64, requant_lanes=1
)
"""Small, so that Icarus is quick and the buffers are soon full."""

NARROW = replace(CONFIG, act_stream_bytes=2, wgt_stream_bytes=1, out_stream_bytes=2)
"""The same with streams narrower than a word."""

SPACIOUS = replace(CONFIG, act_bytes=1 << 18)
"""Lets layers through that a small activation buffer refuses before all else is looked at."""

TINY = Layer(1, 1, 1, 1, 1, (1, 1))
"""One beat of activations, 11 of weights, one of results."""

SMALL = Layer(1, 3, 5, 3, 5, (2, 2), pads=(0, 0, 0, 1), in_zp=3, out_zp=-4, requantise=True)
"""(3, 5, 3) * (2, 2, 3, 5) -> (2, 5, 5): 12 beats of activations, 40 of weights, 13 of results."""

TWO_FRAMES = Layer(2, 5, 4, 3, 5, (3, 3), pads=(1, 1, 1, 1), requantise=True)
"""(5, 4, 3) * (3, 3, 3, 5) -> (5, 4, 5), twice: 2 * 25 beats of results, for layers to be cut."""

ACCUMULATORS = Layer(1, 4, 4, 4, 3, (3, 1), dilation=(1, 2))
"""int32 results."""

DEPTHWISE = Layer(1, 3, 4, 8, 8, (3, 3), pads=(1, 1, 1, 1), groups=8, requantise=True)
"""(3, 4, 8) * (3, 3, 1, 8) -> (3, 4, 8): a channel group for each channel."""

PERIOD_NS = 10
TIMEOUT_CYCLES = 6000


def random_generator() -> np.random.Generator:
    """The simulation's, from the seed that the run prints."""
    seed = int(os.environ["COCOTB_RANDOM_SEED"])
    print(f"seed {seed}", flush=True)
    return np.random.default_rng(seed)


def often(share: float, rng: np.random.Generator) -> Gate:
    """A gate that is open in a share of the cycles."""
    return lambda: bool(rng.random() < share)


class Rig:
    """Sources, sink, monitors and an AXI4-Lite master around the core.

    Results are taken whenever `out_gate` is open and pile up in `results`.
    """

    def __init__(self, dut: Any, config: CoreConfig = CONFIG) -> None:
        self.dut = dut
        self.config = config
        self.rising = RisingEdge(dut.clk)
        self.falling = FallingEdge(dut.clk)
        self.axil = Master(dut, "s_axil", dut.clk)
        self.act_pins = Pins(dut, "s_axis_act", dut.clk)
        self.wgt_pins = Pins(dut, "s_axis_wgt", dut.clk)
        self.out_pins = Pins(dut, "m_axis_out", dut.clk)
        self.in_gate: Gate = always
        self.out_gate: Gate = always
        self._out_monitor = Monitor(self.out_pins, empty_last=True)
        self._watch: Task[None] | None = None
        self._tasks: list[Task[Any]] = []
        self.sending: list[Task[None]] = []
        """of all streams since the reset"""
        self._written: dict[int, int] = {}
        Clock(dut.clk, PERIOD_NS, unit="ns", impl="gpi").start()

    # ---------------------------------------------------------------- time
    async def clock(self, cycles: int = 1) -> None:
        """Waits; returns at a rising edge."""
        for _ in range(cycles):
            await self.rising

    async def until(self, condition: Callable[[], bool], what: str) -> int:
        """Waits for a falling edge at which something holds; returns the cycles that this took."""
        for cycles in range(TIMEOUT_CYCLES):
            await self.falling
            if condition():
                return cycles
        return await self._hang(what)

    async def until_irq(self, what: str) -> None:
        """Waits for the interrupt."""
        if not self.irq:
            limit = Timer(TIMEOUT_CYCLES * PERIOD_NS, unit="ns")
            if await First(RisingEdge(self.dut.irq), limit) is limit:
                await self._hang(what)
        await self.falling

    async def _hang(self, what: str) -> NoReturn:
        status = await self.axil.read(Register.STATUS)
        error = await self.axil.read(Register.ERROR)
        raise TimeoutError(
            f"{what} does not come: STATUS 0x{status[1]:X}, ERROR 0x{error[1]:X}, "
            f"{len(self.results)} beats of results"
        )

    async def reset(self, cycles: int = 3) -> None:
        """Resets in the midst of everything; then all traffic stops, and the rig listens anew."""
        self.dut.rst.value = 1
        await self.rising
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()
        self.sending.clear()
        self._written.clear()
        self._stop_watching()
        self.axil.idle()
        for pins in (self.act_pins, self.wgt_pins):
            pins.valid.value = 0
        self.out_pins.ready.value = 0
        self.in_gate = self.out_gate = always
        await self.clock(cycles - 1)
        self.dut.rst.value = 0
        self._out_monitor.beats.clear()
        self._watch = cocotb.start_soon(self._out_monitor.watch())
        self._tasks.append(cocotb.start_soon(self._take()))

    def _stop_watching(self) -> None:
        if self._watch is not None:
            if self._watch.done():
                self._watch.result()  # raises what the monitor found
            self._watch.cancel()

    async def _take(self) -> None:
        async for _ in Sink(self.out_pins, lambda: self.out_gate()).take():
            pass

    @property
    def results(self) -> list[Beat]:
        """All beats of results since the reset. Raises `ProtocolError` if a rule was broken."""
        if self._watch is not None and self._watch.done():
            self._watch.result()
        return self._out_monitor.beats

    # ---------------------------------------------------------------- registers
    async def write(self, register: int, value: int) -> None:
        """A write that must be answered OKAY."""
        self._written[register] = value
        response = await self.axil.write(register, value)
        assert response is Response.OKAY, f"the write of 0x{register:02X} is answered {response!r}"

    async def read(self, register: int) -> int:
        """A read that must be answered OKAY."""
        response, value = await self.axil.read(register)
        assert response is Response.OKAY, f"the read of 0x{register:02X} is answered {response!r}"
        return value

    async def describe(self, layer: Layer, **other: int) -> None:
        """Writes the descriptor registers that change; `other` in place of what the layer says."""
        named = {Register[name]: value for name, value in other.items()}
        for register, value in (descriptor(layer) | named).items():
            if self._written.get(register) != value:
                await self.write(register, value)

    async def start(self) -> Response:
        return await self.axil.write(Register.CTRL, Ctrl.START)

    async def resume(self, *, force: bool = False) -> None:
        """RESUME, and waits until it is done."""
        await self.write(Register.CTRL, Ctrl.RESUME | (Ctrl.FORCE if force else 0))
        for _ in range(TIMEOUT_CYCLES):
            if not await self.read(Register.STATUS) & Status.HALTED:
                return
        raise TimeoutError("the core stays halted")

    @property
    def irq(self) -> bool:
        level = str(self.dut.irq.value)
        assert level in ("0", "1"), f"irq is {level}"
        return level == "1"

    # ---------------------------------------------------------------- streams
    def activations(self, case: LayerCase) -> list[Beat]:
        return _beats(pack_activations(case, self.config), self.act_pins)

    def weights(self, case: LayerCase) -> list[Beat]:
        return _beats([pack_weights(case, self.config)], self.wgt_pins)

    def send(self, act: Sequence[Beat], wgt: Sequence[Beat]) -> tuple[Task[None], Task[None]]:
        """Both streams, side by side; the tasks end when all is accepted."""
        tasks = (
            self.in_background(Source(self.act_pins, lambda: self.in_gate()).send(act)),
            self.in_background(Source(self.wgt_pins, lambda: self.in_gate()).send(wgt)),
        )
        self.sending += tasks
        return tasks

    def in_background(self, work: Coroutine[Any, Any, None]) -> Task[None]:
        """Something that goes on until it is done, or until a reset."""
        self._tasks.append(cocotb.start_soon(work))
        return self._tasks[-1]

    async def sent(self, sending: Sequence[Task[None]]) -> int:
        """Waits until streams have been sent; returns the cycles that this took."""
        return await self.until(lambda: all(task.done() for task in sending), "the end of a stream")

    def check(self, case: LayerCase, beats: Sequence[Beat]) -> None:
        """The beats are the layer's results, to the bit."""
        packets = [np.frombuffer(packet, np.uint8) for packet in packets_of(beats)]
        values, expected = unpack_results(packets, case.layer), result(case)
        assert expected.size > 0
        assert np.array_equal(values, expected), (
            f"{case.name}: {np.count_nonzero(values != expected)} of {expected.size} values differ"
        )

    async def run(self, case: LayerCase, *, describe: bool = True) -> None:
        """A layer from its descriptor to its results, which must be right and all that comes."""
        first = len(self.results)
        done = await self.read(Register.LAYERS_DONE)
        await self.write(Register.IRQ_STATUS, Irq.LAYER_DONE | Irq.ERROR)
        await self.write(Register.IRQ_ENABLE, Irq.LAYER_DONE | Irq.ERROR)
        if describe:
            await self.describe(case.layer)
        assert await self.start() is Response.OKAY
        sending = self.send(self.activations(case), self.weights(case))
        await self.until_irq(f"the end of {case.name}")
        assert await self.read(Register.ERROR) == 0, case.name
        assert await self.read(Register.IRQ_STATUS) == Irq.LAYER_DONE
        assert await self.read(Register.STATUS) == 0
        assert await self.read(Register.LAYERS_DONE) == done + 1
        assert await self.read(Register.CYCLES) > 0
        assert all(task.done() for task in sending)
        self.check(case, self.results[first:])


def _beats(packets: Sequence[Bytes], pins: Pins) -> list[Beat]:
    return [beat for packet in packets for beat in beats_of(packet.tobytes(), pins.beat_bytes)]
