"""The AXI4-Lite port, pin by pin; runs inside the simulator, see test_control.py."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import replace
from itertools import product
from typing import Any

import cocotb

from conv_core.models.layer import Layer
from conv_core.tb.core.registers import (
    COUNTERS,
    ID_VALUE,
    KEPT_LAYERS,
    VERSION_VALUE,
    Ctrl,
    Error,
    Irq,
    Register,
    Status,
)
from conv_core.tb.pins.responses import Response
from tests.cases import case_of
from tests.core.rig import (
    ACCUMULATORS,
    DEPTHWISE,
    SMALL,
    TINY,
    Rig,
    often,
    random_generator,
)
from tests.docs.driving import steps_by_the_page

DESCRIPTOR = [Register(offset) for offset in range(Register.IN_SIZE, Register.MODE + 4, 4)]
OKAY, SLVERR = Response.OKAY, Response.SLVERR
ALL_ONES = 2**32 - 1
SETTLED = 320
"""cycles after which a layer that is started has been set up"""
ACTS = 1
"""cycles from the acceptance of a write until it acts"""
REFUSED = 100
"""cycles after which nonsense has been refused"""
WAITS = 80
"""cycles from a START that the layer waits at least, even if it is the next"""


STEPS = [
    SMALL,
    ACCUMULATORS,
    DEPTHWISE,
    # (9, 9, 8) * (3, 3, 1, 8), in three column blocks
    Layer(1, 9, 9, 8, 8, (3, 3), pads=(1, 1, 1, 1), groups=8, requantise=True),
    # Windows beside the image, on both sides of it, and above and below it.
    Layer(1, 2, 3, 4, 4, (1, 2), pads=(2, 4, 2, 5), groups=4, requantise=True),
    Layer(1, 2, 3, 5, 3, (1, 2), pads=(2, 4, 2, 5), requantise=True),
    Layer(1, 2, 7, 2, 4, (2, 3), (1, 3), (1, 2), pads=(0, 5, 1, 5), groups=2, requantise=True),
    Layer(1, 3, 9, 3, 3, (2, 4), (1, 1), (1, 3), pads=(0, 4, 0, 9), groups=3, requantise=True),
    Layer(1, 3, 9, 6, 3, (2, 4), (1, 2), (1, 2), pads=(0, 4, 0, 9), groups=3, requantise=True),
    Layer(1, 4, 4, 12, 2, (2, 2), pads=(1, 1, 0, 0), groups=2, requantise=True),
]
"""Layers whose steps are counted."""


async def readable(rig: Rig) -> dict[Register, int]:
    """What all registers read; `CTRL` can't be read."""
    return {
        register: await rig.read(register) for register in Register if register != Register.CTRL
    }


async def fill_descriptor(rig: Rig, rng: Any) -> dict[Register, int]:
    values = {register: int(rng.integers(2**32)) for register in DESCRIPTOR}
    for register, value in values.items():
        await rig.write(register, value)
    return values


@cocotb.test()
async def the_core_says_how_it_is_built(dut: Any) -> None:
    rig = Rig(dut)
    await rig.reset()
    config = rig.config
    lanes = (
        config.lanes_in
        | config.lanes_out << 8
        | config.requant_lanes << 16
        | config.float_rule << 24
    )
    widths = config.act_stream_bytes, config.wgt_stream_bytes, config.out_stream_bytes
    assert await rig.read(Register.ID) == ID_VALUE
    assert await rig.read(Register.VERSION) == VERSION_VALUE
    assert await rig.read(Register.LANES) == lanes
    assert await rig.read(Register.ACT_BYTES) == config.act_bytes
    assert await rig.read(Register.WGT_WORDS) == config.wgt_words
    assert await rig.read(Register.CONST_WORDS) == config.const_words
    assert await rig.read(Register.OUT_BYTES) == config.out_bytes
    assert await rig.read(Register.STREAM_BYTES) == sum(n << 8 * i for i, n in enumerate(widths))
    for register, value in (await readable(rig)).items():
        assert value == 0 or register < Register.CTRL, register.name


@cocotb.test()
async def every_address_answers_as_documented(dut: Any) -> None:
    """ACCESS: what the documentation's table says, by offset."""
    access = {int(offset): how for offset, how in json.loads(os.environ["ACCESS"]).items()}
    assert len(access) == len(Register)
    rig = Rig(dut)
    await rig.reset()
    await fill_descriptor(rig, random_generator())
    before = await readable(rig)

    for address in range(256):
        response, value = await rig.axil.read(address)
        wanted = OKAY if access.get(address, "").startswith("r") else SLVERR
        assert response is wanted, f"read of 0x{address:02X}: {response!r}"
        assert wanted is OKAY or value == 0
        if "w" not in access.get(address, "") and (address % 4 == 0 or address < 0x60):
            response = await rig.axil.write(address, ALL_ONES)
            assert response is SLVERR, f"write of 0x{address:02X}: {response!r}"
    for address, how in access.items():
        if "w" in how:
            for strobes in (0b0000, 0b0001, 0b0111, 0b1110, 0b1011):
                assert await rig.axil.write(address, ALL_ONES, strobes=strobes) is SLVERR
    assert await readable(rig) == before


@cocotb.test()
async def bits_without_a_meaning_cannot_be_set(dut: Any) -> None:
    rig = Rig(dut)
    await rig.reset()
    await rig.write(Register.IRQ_ENABLE, ALL_ONES)
    assert await rig.read(Register.IRQ_ENABLE) == Irq.LAYER_DONE | Irq.ERROR
    await rig.write(Register.IRQ_STATUS, ALL_ONES)
    assert await rig.read(Register.IRQ_STATUS) == 0
    await rig.write(Register.CTRL, ALL_ONES & ~Ctrl.START & ~Ctrl.RESUME)
    assert await rig.read(Register.STATUS) == 0


@cocotb.test()
async def address_and_data_come_in_any_order(dut: Any) -> None:
    rng = random_generator()
    rig = Rig(dut)
    await rig.reset()
    values = await fill_descriptor(rig, rng)
    for address_delay, data_delay, hold in product((0, 1, 2, 7), (0, 1, 2, 7), (0, 1, 9)):
        register = DESCRIPTOR[rng.integers(8)]
        values[register] = int(rng.integers(2**32))
        assert OKAY is await rig.axil.write(
            register,
            values[register],
            address_delay=address_delay,
            data_delay=data_delay,
            hold=hold,
        )
        response, value = await rig.axil.read(register, hold=hold)
        assert (response, value) == (OKAY, values[register])
    for register, value in values.items():
        assert await rig.read(register) == value


@cocotb.test()
async def a_write_may_follow_one_whose_response_is_held(dut: Any) -> None:
    """Its own response comes second; reads go on meanwhile."""
    rig = Rig(dut)
    await rig.reset()
    await rig.axil.offer(Register.PADS, 0x1234)
    await rig.axil.offer(Register.ID, 0x5678)
    for _ in range(5):
        assert await rig.read(Register.PADS) == 0x1234
    assert await rig.axil.response(hold=3) is OKAY
    assert await rig.axil.response(hold=3) is SLVERR
    assert await rig.read(Register.ID) == ID_VALUE


@cocotb.test()
async def a_read_and_a_write_pass_at_the_same_time(dut: Any) -> None:
    rng = random_generator()
    rig = Rig(dut)
    await rig.reset()
    values = await fill_descriptor(rig, rng)
    for _ in range(20):
        one, other = (DESCRIPTOR[i] for i in rng.choice(8, 2, replace=False))
        values[one] = int(rng.integers(2**32))
        delays = [int(delay) for delay in rng.integers(0, 3, 3)]
        writing = cocotb.start_soon(
            rig.axil.write(one, values[one], address_delay=delays[0], data_delay=delays[1])
        )
        assert await rig.axil.read(other, address_delay=delays[2]) == (OKAY, values[other])
        assert await writing is OKAY
        assert await rig.read(one) == values[one]


@cocotb.test()
async def any_accesses_at_any_time_are_answered_and_leave_a_layer_alone(dut: Any) -> None:
    """Reads beside writes, in any order of address and data, held, partial, of any address."""
    access = {int(offset): how for offset, how in json.loads(os.environ["ACCESS"]).items()}
    rng = random_generator()
    of_writes, of_reads, of_streams = rng.spawn(3)
    rig = Rig(dut)
    await rig.reset()
    case = case_of(SMALL, rng)
    await rig.describe(case.layer)
    assert await rig.start() is OKAY
    await rig.clock(SETTLED)
    values = {register: {await rig.read(register)} for register in DESCRIPTOR}
    """what a register may read: while it is written, the old or the new"""
    rig.in_gate = rig.out_gate = often(0.2, of_streams)
    sending = rig.send(rig.activations(case), rig.weights(case))
    answers: Counter[tuple[str, Response]] = Counter()

    async def write() -> None:
        address = int(of_writes.choice([*(32 * DESCRIPTOR), *range(256)]))
        address = address if address != Register.CTRL else Register.ID
        strobes = int(of_writes.choice([*(15 * [0b1111]), *range(15)]))
        data = int(of_writes.integers(2**32))
        late = [int(delay) for delay in of_writes.choice([0, 0, 1, 2, 9], 3)]
        taken = strobes == 0b1111 and "w" in access.get(address, "")
        if taken and address in values:
            values[Register(address)].add(data)
        response = await rig.axil.write(
            address,
            data,
            strobes=strobes,
            address_delay=late[0],
            data_delay=late[1],
            hold=late[2],
        )
        assert response is (OKAY if taken else SLVERR), f"write of 0x{address:02X}, {strobes:04b}"
        if taken and address in values:
            values[Register(address)] = {data}
        answers["write", response] += 1

    async def read() -> None:
        address = int(of_reads.choice([*(32 * DESCRIPTOR), *range(256)]))
        allowed = values.get(address, set()).copy()  # type: ignore[call-overload]
        late = [int(delay) for delay in of_reads.choice([0, 0, 1, 2, 9], 2)]
        response, value = await rig.axil.read(address, address_delay=late[0], hold=late[1])
        allowed |= values.get(address, set())  # type: ignore[call-overload]
        wanted = OKAY if access.get(address, "").startswith("r") else SLVERR
        assert response is wanted, f"read of 0x{address:02X}"
        assert not allowed or value in allowed, f"read of 0x{address:02X}"
        answers["read", response] += 1

    async def many(one: Callable[[], Coroutine[Any, Any, None]]) -> None:
        for _ in range(150):
            await one()

    tasks = [cocotb.start_soon(many(one)) for one in (write, read)]
    for task in tasks:
        await task
    assert len(answers) == 4
    assert min(answers.values()) > 20
    await rig.sent(sending)
    while await rig.read(Register.STATUS) & Status.BUSY:
        await rig.clock(10)
    rig.check(case, rig.results)
    assert await rig.read(Register.LAYERS_DONE) == 1


@cocotb.test()
async def a_start_too_many_is_refused_and_harms_nothing(dut: Any) -> None:
    rng = random_generator()
    rig = Rig(dut)
    await rig.reset()
    await rig.write(Register.IRQ_ENABLE, Irq.ERROR)
    cases = []
    while True:
        case = case_of(SMALL if len(cases) % 2 else TINY, rng, f"layer {len(cases)}")
        await rig.describe(case.layer)
        await rig.clock(SETTLED)
        full = bool(await rig.read(Register.STATUS) & Status.QUEUE_FULL)
        if (await rig.start()) is SLVERR:
            break
        assert not full
        cases.append(case)
        assert await rig.read(Register.STATUS) >> 8 == len(cases)
    # One is computed, one is set up, four wait.
    assert full
    assert len(cases) == 6
    assert await rig.read(Register.ERROR) == 6
    assert await rig.start() is SLVERR
    assert await rig.read(Register.STATUS) == len(cases) << 8 | Status.QUEUE_FULL | Status.BUSY
    assert not rig.irq

    act = [beat for case in cases for beat in rig.activations(case)]
    wgt = [beat for case in cases for beat in rig.weights(case)]
    rig.send(act, wgt)
    await rig.until(lambda: len(rig.results) >= 2, "a result")
    assert await rig.read(Register.ERROR) == 6
    await rig.write(Register.CTRL, Ctrl.RESUME)
    assert await rig.read(Register.ERROR) == 0
    while await rig.read(Register.STATUS) & Status.BUSY:
        await rig.clock(20)
    assert await rig.read(Register.LAYERS_DONE) == len(cases)
    first = 0
    for number, case in enumerate(cases):
        ends = [i for i, beat in enumerate(rig.results) if beat.last]
        rig.check(case, rig.results[first : ends[number] + 1])
        first = ends[number] + 1
    assert first == len(rig.results)
    await rig.run(case_of(SMALL, rng))


@cocotb.test()
async def starts_in_a_row_are_taken_as_far_as_the_queue_has_room(dut: Any) -> None:
    """Four, since the first one waits, too, until its descriptor has been read; six in the end."""
    rig = Rig(dut)
    await rig.reset()
    await rig.describe(TINY)
    assert await rig.start() is OKAY
    assert await rig.until(lambda: str(dut.desc_ready.value) == "1", "the set-up") >= WAITS
    await rig.reset()
    await rig.describe(TINY)
    for layers in range(1, 5):
        assert await rig.start() is OKAY
        full = Status.QUEUE_FULL if layers == 4 else 0
        assert await rig.read(Register.STATUS) == layers << 8 | full | Status.BUSY
    assert await rig.start() is SLVERR
    assert await rig.read(Register.ERROR) == Error.QUEUE_FULL
    for layers in (5, 6):
        await rig.clock(SETTLED)
        assert await rig.start() is OKAY
        assert await rig.read(Register.STATUS) >> 8 == layers
    await rig.clock(SETTLED)
    assert await rig.start() is SLVERR


@cocotb.test()
async def the_core_is_busy_from_start_to_the_last_accepted_result(dut: Any) -> None:
    rng = random_generator()
    rig = Rig(dut)
    await rig.reset()
    case = case_of(TINY, rng)
    await rig.describe(TINY)
    await rig.clock(SETTLED)
    assert await rig.read(Register.STATUS) == 0
    for _ in range(3):
        first = len(rig.results)
        rig.out_gate = lambda: False
        assert await rig.start() is OKAY
        assert await rig.read(Register.STATUS) == 1 << 8 | Status.BUSY
        await rig.sent(rig.send(rig.activations(case), rig.weights(case)))
        await rig.until(lambda: str(rig.out_pins.valid.value) == "1", "the result")
        await rig.clock(SETTLED)
        assert await rig.read(Register.STATUS) == 1 << 8 | Status.BUSY
        rig.out_gate = lambda: True
        await rig.until(lambda taken=first: len(rig.results) > taken, "the result")
        await rig.clock(2)
        assert await rig.read(Register.STATUS) == 0
        rig.check(case, rig.results[first:])


@cocotb.test()
async def active_counts_the_steps_of_a_layer(dut: Any) -> None:
    """A step more or less would be a layer that reads what it should not, or leaves it out."""
    rng = random_generator()
    rig = Rig(dut)
    await rig.reset()
    for number, layer in enumerate(STEPS, 1):
        await rig.run(case_of(layer, rng, str(layer)))
        active = (await counters_of(rig, number))[1]
        assert active == steps_by_the_page(layer, rig.config) > 0, layer


@cocotb.test()
async def a_reset_clears_all_that_was_written_or_counted(dut: Any) -> None:
    rng = random_generator()
    rig = Rig(dut)
    await rig.reset()
    await rig.run(case_of(SMALL, rng))
    for register in DESCRIPTOR:
        await rig.write(register, ALL_ONES)
    assert await rig.start() is OKAY
    await rig.clock(REFUSED)
    await rig.write(Register.COUNTERS_OF, KEPT_LAYERS + 1)
    before = await readable(rig)
    quiet = (Register.STALL_ACT, Register.STALL_WGT, Register.STALL_OUT)  # may be 0
    assert all(value for register, value in before.items() if register not in quiet)
    assert rig.irq
    await rig.reset()
    assert not rig.irq
    assert await readable(rig) == {
        register: value if register < Register.CTRL else 0 for register, value in before.items()
    }
    await rig.run(case_of(SMALL, rng))


@cocotb.test()
async def resume_with_nothing_wrong_changes_nothing(dut: Any) -> None:
    """Also in the middle of a layer."""
    rng = random_generator()
    rig = Rig(dut)
    await rig.reset()
    await rig.write(Register.CTRL, Ctrl.RESUME)
    case = case_of(SMALL, rng)
    await rig.describe(case.layer)
    assert await rig.start() is OKAY
    rig.send(rig.activations(case), rig.weights(case))
    while await rig.read(Register.STATUS) & Status.BUSY:
        await rig.write(Register.CTRL, Ctrl.RESUME)
    rig.check(case, rig.results)
    assert await rig.read(Register.LAYERS_DONE) == 1


@cocotb.test()
async def start_and_resume_together_are_refused(dut: Any) -> None:
    rig = Rig(dut)
    await rig.reset()
    await rig.describe(TINY)
    assert await rig.axil.write(Register.CTRL, Ctrl.START | Ctrl.RESUME) is SLVERR
    assert await rig.read(Register.STATUS) == 0
    await rig.describe(TINY, KERNEL=0)
    assert await rig.start() is OKAY
    await rig.clock(REFUSED)
    assert await rig.axil.write(Register.CTRL, Ctrl.START | Ctrl.RESUME) is SLVERR
    assert await rig.read(Register.STATUS) == Status.HALTED
    await rig.resume()
    await rig.run(case_of(TINY, random_generator()))


@cocotb.test()
async def the_interrupt_is_what_is_enabled_and_pending(dut: Any) -> None:
    rng = random_generator()
    rig = Rig(dut)
    await rig.reset()
    await rig.run(case_of(TINY, rng))
    assert rig.irq
    await rig.write(Register.IRQ_STATUS, Irq.ERROR)  # the other bit
    assert await rig.read(Register.IRQ_STATUS) == Irq.LAYER_DONE
    assert rig.irq
    await rig.write(Register.IRQ_ENABLE, Irq.ERROR)
    assert not rig.irq
    assert await rig.read(Register.IRQ_STATUS) == Irq.LAYER_DONE
    await rig.write(Register.IRQ_ENABLE, Irq.LAYER_DONE)
    assert rig.irq
    await rig.write(Register.IRQ_STATUS, Irq.LAYER_DONE)
    assert not rig.irq
    assert await rig.read(Register.IRQ_STATUS) == 0

    # Both are noted also while they are not enabled.
    await rig.write(Register.IRQ_ENABLE, 0)
    case = case_of(TINY, rng)
    await rig.describe(case.layer)
    await rig.start()
    rig.send(rig.activations(case), rig.weights(case))
    while await rig.read(Register.STATUS) & Status.BUSY:
        await rig.clock(10)
    await rig.describe(TINY, MODE=ALL_ONES)
    await rig.start()
    await rig.clock(REFUSED)
    assert await rig.read(Register.IRQ_STATUS) == Irq.LAYER_DONE | Irq.ERROR
    assert not rig.irq
    await rig.write(Register.IRQ_STATUS, Irq.LAYER_DONE)
    assert await rig.read(Register.IRQ_STATUS) == Irq.ERROR


async def counters_of(rig: Rig, layer: int) -> list[int]:
    await rig.write(Register.COUNTERS_OF, KEPT_LAYERS + layer % KEPT_LAYERS)
    return [await rig.read(counter) for counter in COUNTERS]


@cocotb.test()
async def the_counters_of_the_last_sixteen_layers_are_kept(dut: Any) -> None:
    rng = random_generator()
    rig = Rig(dut)
    await rig.reset()
    figures = []
    for layer in range(1, 19):
        assert await counters_of(rig, layer) == ([0] * 6 if layer <= 16 else figures[layer - 17])
        await rig.write(Register.COUNTERS_OF, 0)
        rig.in_gate = often(0.1, rng)  # so that no two layers take the same time
        await rig.run(case_of(TINY, rng))
        figures.append([await rig.read(counter) for counter in COUNTERS])
        assert figures[-1][0] == sum(figures[-1][1:]) > 0
        assert await counters_of(rig, layer) == figures[-1]
    assert len({cycles for cycles, *_ in figures}) > 5
    for layer in range(3, 19):
        assert await counters_of(rig, layer) == figures[layer - 1]
    await rig.write(Register.COUNTERS_OF, ALL_ONES)
    assert await rig.read(Register.COUNTERS_OF) == 31
    await rig.reset()
    assert await rig.read(Register.COUNTERS_OF) == 0
    assert [await counters_of(rig, layer) for layer in range(16)] == [[0] * 6] * 16


@cocotb.test()
async def the_counters_outlive_a_halt(dut: Any) -> None:
    rng = random_generator()
    rig = Rig(dut)
    await rig.reset()
    await rig.run(case_of(SMALL, rng))
    figures = await counters_of(rig, 1)
    await rig.describe(SMALL, BATCH=0)
    assert await rig.start() is OKAY
    await rig.clock(REFUSED)
    assert await rig.read(Register.STATUS) == Status.HALTED
    assert await counters_of(rig, 1) == figures
    await rig.resume()
    assert await counters_of(rig, 1) == figures
    await rig.run(case_of(SMALL, rng))
    assert await counters_of(rig, 2) == figures  # the same layer, as nobody stalls
    assert await counters_of(rig, 1) == figures


async def while_a_layer_ends(rig: Rig, case: Any, delay: int, register: int, value: int) -> int:
    """A write that acts some cycles before, in, or some cycles behind the cycle of the layer's end.

    Returns how many cycles behind it acts.
    """
    released = False
    rig.out_gate = lambda: released
    rig.send(rig.activations(case), rig.weights(case))
    await rig.until(lambda: str(rig.out_pins.valid.value) == "1", "the result")
    writing = cocotb.start_soon(rig.axil.offer(register, value))
    acts = ends = None
    for cycle in range(20):
        released = cycle >= delay
        await rig.falling
        if ends is None and str(rig.out_pins.ready.value) == "1":
            ends = cycle
        if acts is None and writing.done():
            acts = cycle
        await rig.rising
    assert acts is not None
    assert ends is not None
    assert await rig.axil.response() is OKAY
    return acts - ends


@cocotb.test()
async def an_interrupt_is_not_lost_to_clearing_the_one_before(dut: Any) -> None:
    """Clearing in the very cycle in which a layer ends leaves its interrupt pending."""
    rng = random_generator()
    rig = Rig(dut)
    await rig.reset()
    await rig.write(Register.IRQ_ENABLE, Irq.LAYER_DONE)
    await rig.describe(TINY)
    seen = set()
    for delay in range(5):
        assert await rig.start() is OKAY
        behind = await while_a_layer_ends(
            rig, case_of(TINY, rng), delay, Register.IRQ_STATUS, Irq.LAYER_DONE
        )
        seen.add(behind)
        assert rig.irq == (behind <= 0), f"cleared {behind} cycles behind the end"
        assert await rig.read(Register.LAYERS_DONE) == delay + 1
    assert {-1, 0, 1} <= seen


@cocotb.test()
async def an_error_is_not_lost_to_clearing_the_one_before(dut: Any) -> None:
    """Clearing in the very cycle in which the core halts leaves the error's interrupt pending."""
    rng = random_generator()
    rig = Rig(dut)
    await rig.reset()
    await rig.write(Register.IRQ_ENABLE, Irq.ERROR)
    await rig.describe(TINY)
    seen = set()
    for delay in range(14):
        assert await rig.start() is OKAY
        await rig.clock(SETTLED)
        writing = acts = halts = None
        for cycle in range(30):
            if cycle == 5:
                writing = cocotb.start_soon(rig.axil.offer(Register.IRQ_STATUS, Irq.ERROR))
            if cycle == delay:  # a weight packet that ends with its first beat
                rig.send([], [replace(rig.weights(case_of(TINY, rng))[0], last=True)])
            await rig.falling
            if halts is None and str(dut.halted.value) == "1":
                halts = cycle - 1  # the cycle at whose end it does
            if acts is None and writing is not None and writing.done():
                acts = cycle + ACTS
            await rig.rising
        assert acts is not None
        assert halts is not None
        seen.add(acts - halts)
        assert await rig.axil.response() is OKAY
        assert rig.irq == (acts <= halts), f"cleared {acts - halts} cycles behind the error"
        await rig.resume()
        await rig.write(Register.IRQ_STATUS, Irq.ERROR)
    assert {-1, 0, 1} <= seen, seen
    await rig.run(case_of(TINY, rng))


@cocotb.test()
async def a_start_while_a_layer_ends_is_counted(dut: Any) -> None:
    rng = random_generator()
    rig = Rig(dut)
    await rig.reset()
    await rig.describe(TINY)
    assert await rig.start() is OKAY
    seen = set()
    for delay in range(5):
        case = case_of(TINY, rng)
        first = len(rig.results)
        seen.add(await while_a_layer_ends(rig, case, delay, Register.CTRL, Ctrl.START))
        rig.check(case, rig.results[first:])
        assert await rig.read(Register.STATUS) == 1 << 8 | Status.BUSY
        assert await rig.read(Register.LAYERS_DONE) == delay + 1
    assert {-1, 0, 1} <= seen


@cocotb.test()
async def a_start_while_another_leaves_the_queue_is_kept(dut: Any) -> None:
    """Behind it as many are taken as ever: one to compute, one to set up, four to wait."""
    rig = Rig(dut)

    async def two_started() -> None:
        await rig.reset()
        await rig.describe(TINY)
        assert await rig.start() is OKAY
        assert await rig.start() is OKAY

    await two_started()
    leaves = await rig.until(lambda: str(dut.desc_ready.value) == "1", "the end of the set-up")
    seen = set()
    for delay in range(leaves - 4, leaves + 1):
        await two_started()
        await rig.clock(delay)
        await rig.axil.offer(Register.CTRL, Ctrl.START)
        await rig.falling  # START acts at the end of this cycle
        seen.add(str(dut.desc_ready.value) == str(dut.desc_valid.value) == "1")
        assert await rig.axil.response() is OKAY
        await rig.clock(SETTLED)
        taken = 3
        while await rig.start() is OKAY:
            taken += 1
        assert taken == 6
    assert seen == {False, True}
