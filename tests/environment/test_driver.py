"""The core's driver in front of registers that answer wrongly, without a simulator."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer
from conv_core.tb.bench.bench import Bench
from conv_core.tb.bench.drivers import Answer, DriverError
from conv_core.tb.core.driver import RESUME_POLLS, Driver
from conv_core.tb.core.format import descriptor
from conv_core.tb.core.registers import (
    COUNTERS,
    KEPT_LAYERS,
    Ctrl,
    Error,
    Irq,
    Register,
    Status,
)
from conv_core.tb.pins.responses import Response

CONFIG = CoreConfig(
    lanes_in=4,
    lanes_out=8,
    act_bytes=0x100,
    wgt_words=0x20,
    const_words=0x40,
    out_bytes=0x80,
    requant_lanes=2,
    act_stream_bytes=1,
    wgt_stream_bytes=2,
    out_stream_bytes=4,
)
SAYS = {
    Register.ID: int.from_bytes(b"CONV", "big"),
    Register.LANES: 0x01_02_08_04,
    Register.ACT_BYTES: 0x100,
    Register.WGT_WORDS: 0x20,
    Register.CONST_WORDS: 0x40,
    Register.OUT_BYTES: 0x80,
    Register.STREAM_BYTES: 0x00_04_02_01,
}
"""What docs/driving-the-core.md says that such a core reads."""
LAYER = Layer(1, 3, 5, 3, 5, (2, 2))


class FakeBench:
    """Registers that keep what is written; a bus that notes every access."""

    def __init__(self, values: dict[Register, int], refused: Register | None = None) -> None:
        self.values = dict(values)
        self.refused = refused
        self.accesses: list[tuple[Register, int | None]] = []
        self.armed_before: int | None = None
        """accesses that came before the streams were armed"""
        self.waited = 0

    async def bus(self, accesses: Sequence[tuple[int, int | None]]) -> list[tuple[int, int]]:
        answers = []
        for address, data in accesses:
            register = Register(address)
            self.accesses.append((register, data))
            if register is self.refused:
                answers.append((int(Response.SLVERR), 0))
                continue
            if data is not None:
                self.values[register] = data
            answers.append((int(Response.OKAY), self.values.get(register, 0)))
        return answers

    def arm(self) -> None:
        self.armed_before = len(self.accesses)

    async def clock(self, cycles: int) -> None:
        self.waited += cycles

    @property
    def driver(self) -> Driver:
        return Driver(cast("Bench", self), CONFIG)


def test_the_core_that_was_asked_for_is_recognised() -> None:
    bench = FakeBench(SAYS)
    asyncio.run(bench.driver.identify())
    assert {register for register, _ in bench.accesses} == SAYS.keys()


@pytest.mark.parametrize("bit", [0, 8, 16, 24, 31])
@pytest.mark.parametrize("register", SAYS, ids=lambda register: register.name)
def test_a_core_of_other_parameters_is_refused(register: Register, bit: int) -> None:
    value = SAYS[register] ^ 1 << bit
    expected = rf"^{register.name} reads 0x{value:08X}, expected 0x{SAYS[register]:08X}$"
    with pytest.raises(DriverError, match=expected):
        asyncio.run(FakeBench(SAYS | {register: value}).driver.identify())


@pytest.mark.parametrize("register", SAYS, ids=lambda register: register.name)
def test_a_read_that_is_answered_slverr_is_an_error(register: Register) -> None:
    with pytest.raises(DriverError, match=f"^the read of {register.name} is answered SLVERR$"):
        asyncio.run(FakeBench(SAYS, register).driver.identify())


WRITTEN = (*descriptor(LAYER), Register.IRQ_ENABLE, Register.CTRL)


@pytest.mark.parametrize("register", WRITTEN, ids=lambda register: register.name)
def test_a_write_that_is_answered_slverr_is_an_error(register: Register) -> None:
    with pytest.raises(DriverError, match=f"^the write of {register.name} is answered SLVERR$"):
        asyncio.run(FakeBench({}, register).driver.start(LAYER, arm=False))


def test_start_comes_last_and_the_streams_are_armed_before_the_descriptor() -> None:
    bench = FakeBench({})
    asyncio.run(bench.driver.start(LAYER, arm=True))
    assert bench.armed_before == 0
    assert bench.accesses[-1] == (Register.CTRL, Ctrl.START)
    assert dict(bench.accesses[:-1]) == descriptor(LAYER) | {
        Register.IRQ_ENABLE: Irq.LAYER_DONE | Irq.ERROR
    }
    asyncio.run((later := FakeBench({})).driver.start(LAYER, arm=False))
    assert later.armed_before is None


def test_a_wrong_start_differs_in_the_fields_named() -> None:
    bench = FakeBench({})
    asyncio.run(bench.driver.start_wrong(LAYER, {"KERNEL": 0x1111_0200}))
    wanted = descriptor(LAYER) | {Register.KERNEL: 0x1111_0200}
    assert {register: bench.values[register] for register in wanted} == wanted
    assert bench.armed_before == 0


@pytest.mark.parametrize(
    ("status", "full"),
    [(0, False), (Status.BUSY, False), (Status.QUEUE_FULL, True), (Status.HALTED, True)],
)
def test_a_halted_core_and_a_full_queue_take_no_layer(status: Status, full: bool) -> None:
    driver = FakeBench({Register.STATUS: int(status)}).driver
    assert asyncio.run(driver.queue_full()) is full


@pytest.mark.parametrize(
    ("irq", "done", "error"),
    [(0, False, False), (Irq.LAYER_DONE, True, False), (Irq.ERROR, False, True)],
)
def test_an_interrupt_is_read_and_cleared(irq: Irq, done: bool, error: bool) -> None:
    bench = FakeBench({Register.IRQ_STATUS: int(irq), Register.LAYERS_DONE: 7})
    answer = asyncio.run(bench.driver.acknowledge())
    assert answer == Answer(7, layer_done=done, error=error)
    assert bench.accesses[-1] == (Register.IRQ_STATUS, irq)


def test_counters_are_those_of_the_layer_named() -> None:
    bench = FakeBench({register: 100 + i for i, register in enumerate(COUNTERS)})
    counters = asyncio.run(bench.driver.counters(KEPT_LAYERS + 3))
    assert bench.accesses[0] == (Register.COUNTERS_OF, KEPT_LAYERS + 3)
    assert counters == {register.name.lower(): 100 + i for i, register in enumerate(COUNTERS)}


def test_an_error_is_named_with_its_detail() -> None:
    reads = {Register.ERROR: Error.FIELD | Register.KERNEL << 8}
    assert asyncio.run(FakeBench(reads).driver.error()) == (
        "FIELD",
        "ERROR reads 1 (FIELD), detail 80",
    )
    name, said = asyncio.run(FakeBench({Register.ERROR: 7}).driver.error())
    assert name == "a code that does not exist"
    assert said == "ERROR reads 7 (a code that does not exist), detail 0"


def test_a_core_that_stays_halted_is_an_error() -> None:
    bench = FakeBench({Register.STATUS: int(Status.HALTED)})
    with pytest.raises(TimeoutError, match=r"^the core stays halted after RESUME: STATUS 0x"):
        asyncio.run(bench.driver.recover())
    assert bench.values[Register.CTRL] == Ctrl.RESUME
    assert bench.waited >= RESUME_POLLS
    going_on = FakeBench({Register.LAYERS_DONE: 2})
    assert asyncio.run(going_on.driver.recover()) == 2
