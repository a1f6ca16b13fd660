"""Errors at the pins; runs inside the simulator, see test_errors.py.

Each error is provoked, must be reported, and left behind: what was begun is closed, what is sent is
swallowed, and after RESUME the next layer is right, without a reset.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cocotb
import numpy as np

from conv_core.models.layer import Layer, LayerCase
from conv_core.models.requantisation import result
from conv_core.tb.core.driver import descriptor
from conv_core.tb.core.registers import Ctrl, Error, Irq, Register, Status
from conv_core.tb.pins.axil import Response
from conv_core.tb.pins.streams import Beat
from tests.core.rig import SMALL, TINY, TWO_FRAMES, Rig, case_of, often, random_generator

OKAY, SLVERR = Response.OKAY, Response.SLVERR
BOTH = Irq.LAYER_DONE | Irq.ERROR
IN_PACKET = Status.IN_ACTIVATIONS | Status.IN_WEIGHTS
WAITS = IN_PACKET | Status.IN_RESULTS
"""what RESUME waits for"""


async def fresh(dut: Any) -> Rig:
    rig = Rig(dut)
    await rig.reset()
    await rig.write(Register.IRQ_ENABLE, BOTH)
    return rig


async def halted_by(rig: Rig, error: Error, detail: int = 0) -> None:
    """The core halts, and says why."""
    await rig.until_irq(error.name)
    assert await rig.read(Register.ERROR) == error | detail << 8, error.name
    assert await rig.read(Register.STATUS) & ~WAITS == Status.HALTED
    assert await rig.read(Register.IRQ_STATUS) & Irq.ERROR
    assert await rig.start() is SLVERR


async def left_behind(rig: Rig, rng: np.random.Generator, layer: Layer = TINY) -> None:
    """RESUME, and the next layer is right. A packet that was sent without an end wants force."""
    assert not rig.results or rig.results[-1].last
    await rig.sent(rig.sending)
    await rig.resume(force=bool(await rig.read(Register.STATUS) & IN_PACKET))
    assert await rig.read(Register.ERROR) == 0
    await rig.run(case_of(layer, rng))


# -------------------------------------------------------------------------------- descriptors
@dataclass(frozen=True)
class Refusal:
    """A descriptor that is refused: the registers in which it differs from a good layer's.

    The last one named is the culprit.
    """

    registers: dict[str, int]
    base: Layer = SMALL


KERNEL = descriptor(SMALL)[Register.KERNEL]


def kernel_with(shift: int, bits: int, value: int) -> Refusal:
    """The field of `KERNEL` at a bit has another value."""
    return Refusal({"KERNEL": KERNEL & ~((1 << bits) - 1 << shift) | value << shift})


NONSENSE = [
    Refusal({"IN_SIZE": 0x0003_0000}),  # no column
    Refusal({"IN_SIZE": 0x0000_0005}),  # no row
    Refusal({"CHANNELS": 0x0005_0000}),
    Refusal({"CHANNELS": 0x0000_0003}),
    Refusal({"OUT_SIZE": 0x0002_0000}),
    Refusal({"OUT_SIZE": 0x0000_0005}),
    Refusal({"BATCH": 0x0001_0000}),  # no frame
    Refusal({"BATCH": 0x0000_0001}),  # no channel group
    Refusal({"CHANNELS": 0x0006_0003, "BATCH": 0x0002_0001}),  # 2 groups of 3 inputs
    Refusal({"CHANNELS": 0x0003_0006, "BATCH": 0x0002_0001}),  # 2 groups of 3 filters
    Refusal({"CHANNELS": 0x0005_0005, "BATCH": 0xFFFF_0001}),
    *(kernel_with(shift, 5, side) for shift in (0, 8) for side in (0,)),
    *(kernel_with(shift, 3, count) for shift in (16, 20, 24, 28) for count in (0, 5)),
    *(kernel_with(bit, 1, 1) for bit in (5, 6, 7, 13, 14, 15, 19, 23, 27, 31)),
    Refusal({"OUT_SIZE": 0x0001_0005}),  # one row more has a window
    Refusal({"OUT_SIZE": 0x0002_0003}),  # one column more has a window
    Refusal({"OUT_SIZE": 0x0002_0006}, replace(TWO_FRAMES, height=7, width=6, stride=(2, 1))),
    Refusal({"QUANT": 0x807F_0000}),  # 127 to -128
    Refusal({"QUANT": 0x0506_0000}),
    Refusal({"MODE": 1 << 2 | 1}),
    Refusal({"MODE": 1 << 31}),
    Refusal({"MODE": 2}),  # float, and no requantising
    Refusal({"MODE": 0x100}),  # single, and no requantising
    Refusal({"MODE": 0x103}),  # two rules
    # 16,645 columns with a stride of 4 * 252 bytes: 2^24 and more
    Refusal({"CHANNELS": 0x0001_00FC, "KERNEL": 0x1114_0101, "OUT_SIZE": 0x0001_4105}, TINY),
    Refusal({"OUT_SIZE": 0xFFFF_FFFF}, TINY),  # 2^34 bytes of results
]


@cocotb.test()
async def every_field_that_makes_no_sense_is_named(dut: Any) -> None:
    rng = random_generator()
    rig = await fresh(dut)
    for number, refusal in enumerate(NONSENSE):
        await rig.describe(refusal.base, **refusal.registers)
        await rig.write(Register.IRQ_STATUS, BOTH)
        assert await rig.start() is OKAY
        await halted_by(rig, Error.FIELD, Register[list(refusal.registers)[-1]])
        assert not rig.results
        await rig.resume()
        # The registers keep their values.
        for name, value in refusal.registers.items():
            assert await rig.read(Register[name]) == value
        if number % 8 == 0:
            await rig.run(case_of(TINY, rng))
            await rig.clock(2)
            rig.results.clear()
    await rig.run(case_of(SMALL, rng))


EDGE = {"pads": (0, 1, 0, 1)}

TOO_LARGE = [
    (Error.ACT_BUFFER, Layer(1, 1, 23, 11, 1, (1, 1))),  # 253 bytes
    (Error.ACT_BUFFER, Layer(1, 12, 23, 1, 1, (11, 1))),  # 11 rows of 23
    (Error.ACT_BUFFER, Layer(1, 12, 23, 1, 1, (6, 1), dilation=(2, 1))),
    (Error.ACT_BUFFER, Layer(1, 1, 257, 1, 1, (1, 1))),  # a row is more than the buffer
    (Error.WGT_BUFFER, Layer(1, 6, 2, 13, 1, (5, 4), **EDGE)),  # 65 words, two rows
    (Error.WGT_BUFFER, Layer(1, 5, 3, 13, 1, (5, 4), **EDGE)),  # 65 words, two windows
    (Error.WGT_BUFFER, Layer(2, 3, 3, 11, 5, (3, 4), **EDGE)),  # 66 words, two frames
    (Error.CONST_BUFFER, Layer(1, 2, 1, 1, 13, (1, 1))),  # 40 words
    (Error.OUT_BUFFER, Layer(1, 1, 1, 1, 57, (1, 1), requantise=True)),  # 57 bytes
    (Error.OUT_BUFFER, Layer(1, 2, 2, 1, 15, (1, 1))),  # 60 bytes
]

JUST_FITS = [
    Layer(1, 1, 63, 4, 1, (1, 1), requantise=True),  # 252 bytes
    Layer(1, 10, 28, 1, 1, (9, 1), stride=(1, 4), requantise=True),  # 9 rows of 28
    Layer(1, 5, 2, 16, 1, (4, 4), **EDGE),  # 64 words
    # 66 words of a single row, 33 of each block
    Layer(1, 3, 3, 11, 5, (3, 4), **EDGE, requantise=True),
    Layer(1, 5, 2, 13, 1, (5, 4), **EDGE),  # 65 words of a single window
    Layer(1, 2, 1, 1, 12, (1, 1)),  # 30 words of constants
    Layer(1, 1, 2, 1, 13, (1, 1), requantise=True),  # 40 words of a single row
    Layer(1, 1, 1, 1, 56, (1, 1), requantise=True),  # 56 bytes
    Layer(1, 1, 2, 1, 12, (1, 1)),  # 48 bytes, two blocks of columns
]


@cocotb.test()
async def what_exceeds_a_buffer_is_refused(dut: Any) -> None:
    rng = random_generator()
    rig = await fresh(dut)
    for error, layer in TOO_LARGE:
        await rig.describe(layer)
        await rig.write(Register.IRQ_STATUS, BOTH)
        assert await rig.start() is OKAY
        await halted_by(rig, error)
        await left_behind(rig, rng)


@cocotb.test()
async def what_just_fits_a_buffer_is_computed(dut: Any) -> None:
    rng = random_generator()
    rig = await fresh(dut)
    for layer in JUST_FITS:
        await rig.run(case_of(layer, rng, str(layer)))


ALL_WRONG = {
    "IN_SIZE": 0,
    "CHANNELS": 0,
    "OUT_SIZE": 0,
    "BATCH": 0,
    "KERNEL": 0,
    "PADS": 0,
    "QUANT": 0x807F_0000,
    "MODE": 4,
}
REPAIRS = [
    (Error.FIELD, "IN_SIZE", {"IN_SIZE": 0x0040_0007}),
    (Error.FIELD, "CHANNELS", {"CHANNELS": 0x003A_0003}),
    (Error.FIELD, "OUT_SIZE", {"OUT_SIZE": 0x0001_0001}),
    (Error.FIELD, "BATCH", {"BATCH": 0x0002_0001}),
    (Error.FIELD, "KERNEL", {"KERNEL": 0x1111_1F04}),
    (Error.FIELD, "BATCH", {"BATCH": 0x0003_0001}),  # 2 groups of 3 channels
    (Error.FIELD, "MODE", {"MODE": 1}),
    (Error.FIELD, "QUANT", {"QUANT": 0x7F80_0000}),
    (Error.ACT_BUFFER, None, {"IN_SIZE": 0x0040_0001}),  # 31 rows of 21 bytes
    (Error.FIELD, "OUT_SIZE", {"OUT_SIZE": 0x0022_0002}),  # 33 rows more have windows
    (Error.FIELD, "BATCH", {"BATCH": 0x0001_0001}),  # 3 groups of 58 filters
    (Error.OUT_BUFFER, None, {"CHANNELS": 0x0038_0003}),  # 58 bytes
    (Error.WGT_BUFFER, None, {"KERNEL": 0x1111_0101, "OUT_SIZE": 0x0040_0002}),  # 14 * 93 words
    (Error.CONST_BUFFER, None, {"CHANNELS": 0x0008_0003}),  # 14 * 10 words
]
"""What the core says of ALL_WRONG, in this order, and how each of it is put right."""


@cocotb.test()
async def of_several_reasons_the_first_of_the_page_is_told(dut: Any) -> None:
    rng = random_generator()
    rig = await fresh(dut)
    await rig.describe(TINY, **ALL_WRONG)
    for error, register, repair in REPAIRS:
        await rig.write(Register.IRQ_STATUS, BOTH)
        assert await rig.start() is OKAY
        await halted_by(rig, error, Register[register] if register else 0)
        await rig.resume()
        for name, value in repair.items():
            await rig.write(Register[name], value)
    layer = Layer(1, 64, 1, 3, 8, (1, 1), pads=(0, 0, 0, 1), requantise=True)
    assert {r: await rig.read(r) for r in descriptor(layer)} == descriptor(layer)
    await rig.run(case_of(layer, rng), describe=False)


# -------------------------------------------------------------------------------- packets
@dataclass(frozen=True)
class Fault:
    """A wrong packet: `change` gives it last and keep, at a beat; more beats may follow."""

    stream: str
    error: Error
    beat: int
    change: Callable[[Beat], Beat]
    more: int = 0

    def apply(self, beats: Sequence[Beat]) -> list[Beat]:
        beats = list(beats)
        beats[self.beat] = self.change(beats[self.beat])
        assert self.error.name.startswith(self.stream.upper())
        return beats + [Beat(beats[0].data, False)] * self.more


def ends(beat: Beat) -> Beat:
    return replace(beat, last=True)


def goes_on(beat: Beat) -> Beat:
    return replace(beat, last=False)


def keeps(keep: int) -> Callable[[Beat], Beat]:
    return lambda beat: replace(beat, keep=keep)


FAULTS = [
    *(Fault("act", Error.ACT_TLAST_EARLY, beat, ends) for beat in (0, 5, -2)),
    Fault("act", Error.ACT_TLAST_LATE, -1, goes_on),  # missing
    Fault("act", Error.ACT_TLAST_LATE, -1, goes_on, more=7),
    *(Fault("act", Error.ACT_TKEEP, 4, keeps(keep)) for keep in (0b0111, 0b1011)),
    *(Fault("act", Error.ACT_TKEEP, -1, keeps(keep)) for keep in (0b0011, 0b0010, 0)),
    # constants, the last of them, weights, the next block's constants
    *(Fault("wgt", Error.WGT_TLAST_EARLY, beat, ends) for beat in (0, 9, 10, 26, -2)),
    Fault("wgt", Error.WGT_TLAST_LATE, -1, goes_on),
    Fault("wgt", Error.WGT_TLAST_LATE, -1, goes_on, more=7),
    Fault("wgt", Error.WGT_TKEEP, 3, keeps(0b0111)),
    Fault("wgt", Error.WGT_TKEEP, 30, keeps(0)),
    Fault("wgt", Error.WGT_TKEEP, -1, keeps(0b0001)),
]


def faulty_beats(rig: Rig, case: LayerCase, fault: Fault) -> tuple[list[Beat], list[Beat]]:
    """The activations and weights of a layer, with a fault."""
    act, wgt = rig.activations(case), rig.weights(case)
    return (fault.apply(act), wgt) if fault.stream == "act" else (act, fault.apply(wgt))


@cocotb.test()
async def every_wrong_packet_is_reported_and_swallowed(dut: Any) -> None:
    """Together with the layer that waits behind."""
    rng = random_generator()
    rig = await fresh(dut)
    for number, fault in enumerate(FAULTS):
        case = case_of(SMALL, rng)
        await rig.describe(case.layer)
        await rig.write(Register.IRQ_STATUS, BOTH)
        assert await rig.start() is OKAY
        if number % 2:
            assert await rig.start() is OKAY
        rig.in_gate = often(0.8, rng)
        sending = rig.send(*faulty_beats(rig, case, fault))
        await halted_by(rig, fault.error)
        await rig.sent(sending)
        assert await rig.read(Register.IRQ_STATUS) == Irq.ERROR
        await left_behind(rig, rng, SMALL if number % 8 == 0 else TINY)


@cocotb.test()
async def a_halted_core_swallows_a_beat_a_cycle_and_sends_none(dut: Any) -> None:
    """The first error stays, whatever comes behind it."""
    rng = random_generator()
    rig = await fresh(dut)
    await rig.describe(SMALL, MODE=4)
    await rig.start()
    await halted_by(rig, Error.FIELD, Register.MODE)
    rubbish = [
        Beat(rng.bytes(4), bool(rng.random() < 0.2), int(rng.integers(16))) for _ in range(80)
    ]
    sending = rig.send(rubbish, rubbish[::-1])
    cycles = await rig.sent(sending)
    assert cycles <= len(rubbish) + 2
    assert await rig.read(Register.ERROR) == Error.FIELD | Register.MODE << 8
    assert not rig.results
    assert await rig.read(Register.LAYERS_DONE) == 0
    await left_behind(rig, rng)
    assert await rig.read(Register.LAYERS_DONE) == 1


# -------------------------------------------------------------------------------- in the middle
async def open_packet(rig: Rig, beats: int) -> None:
    """Waits until a packet of results has begun, and holds it there."""
    first = len(rig.results)
    rig.out_gate = lambda: len(rig.results) < first + beats
    await rig.until(lambda: len(rig.results) >= first + beats, "the first results")


def broken_off(rig: Rig, case: LayerCase) -> bool:
    """The results so far are the first ones of a layer, its packets ended; was one cut short?"""
    beats = rig.results
    assert beats
    assert beats[-1].last
    got, expected = b"".join(beat.data for beat in beats), result(case).tobytes()
    assert got == expected[: len(got)]
    frame = len(expected) // case.layer.batch
    ends = [i for i, beat in enumerate(beats) if beat.last]
    for packet, end in enumerate(ends[:-1]):
        assert beats[end].data
        assert sum(len(beat.data) for beat in beats[: end + 1]) == frame * (packet + 1)
    cut = len(got) != frame * len(ends)
    assert cut == (beats[-1].data == b""), "a packet cut short ends with one empty beat"
    return cut


@cocotb.test()
async def an_error_of_a_later_layer_closes_the_open_packet(dut: Any) -> None:
    """Nonsense behind a running layer, while its results are stalled, or on their way."""
    rng = random_generator()
    rig = await fresh(dut)
    cut = 0
    for number in range(6):
        case = case_of(TWO_FRAMES, rng)
        rig.results.clear()
        await rig.describe(case.layer)
        await rig.write(Register.IRQ_STATUS, BOTH)
        assert await rig.start() is OKAY
        await rig.write(Register.KERNEL, 0)
        rig.send(rig.activations(case), rig.weights(case))
        await open_packet(rig, 1 + 7 * number)
        if number % 2:
            rig.out_gate = often(0.5, rng)
        assert await rig.start() is OKAY
        await rig.until_irq("the error")
        await rig.clock(int(rng.integers(8)))
        rig.out_gate = often(0.5, rng)
        await halted_by(rig, Error.FIELD, Register.KERNEL)
        await rig.until(lambda: rig.results[-1].last, "the end of the packet")
        cut += broken_off(rig, case)
        done = await rig.read(Register.LAYERS_DONE)
        await left_behind(rig, rng)
        assert await rig.read(Register.LAYERS_DONE) == done + 1
    assert cut >= 3


@cocotb.test()
async def a_wrong_packet_of_the_next_layer_stops_the_one_that_runs(dut: Any) -> None:
    """A third one waits."""
    rng = random_generator()
    rig = await fresh(dut)
    cut = 0
    for fault in [fault for fault in FAULTS if fault.beat in (4, 5, 9)]:
        case, wrong = case_of(TWO_FRAMES, rng), case_of(SMALL, rng)
        rig.results.clear()
        await rig.write(Register.IRQ_ENABLE, Irq.ERROR)  # some of the errors come behind its end
        await rig.write(Register.IRQ_STATUS, BOTH)
        for layer in (case.layer, wrong.layer):
            await rig.describe(layer)
            assert await rig.start() is OKAY
        assert await rig.start() is OKAY
        rig.send(rig.activations(case), rig.weights(case))
        await open_packet(rig, int(rng.integers(1, 50)))
        sending = rig.send(*faulty_beats(rig, wrong, fault))
        rig.out_gate = often(0.3, rng)
        await halted_by(rig, fault.error)
        await rig.sent(sending)
        rig.out_gate = often(0.5, rng)
        await rig.until(lambda: rig.results[-1].last, "the end of the packet")
        cut += broken_off(rig, case)
        await left_behind(rig, rng)
    assert cut >= 2


@cocotb.test()
async def a_wrong_second_frame_closes_the_packet_of_the_first(dut: Any) -> None:
    rng = random_generator()
    rig = await fresh(dut)
    case = case_of(TWO_FRAMES, rng)
    await rig.describe(case.layer)
    assert await rig.start() is OKAY
    act = rig.activations(case)
    rig.send(act[:-1], rig.weights(case))
    await open_packet(rig, 4)
    rig.send([goes_on(act[-1])], [])
    await halted_by(rig, Error.ACT_TLAST_LATE)
    rig.out_gate = often(0.5, rng)
    await rig.until(lambda: rig.results[-1].last, "the end of the packet")
    assert broken_off(rig, case)
    await left_behind(rig, rng, TWO_FRAMES)


# -------------------------------------------------------------------------------- RESUME
@cocotb.test()
async def resume_waits_until_the_results_are_taken(dut: Any) -> None:
    """An open packet, and one that ended: its layer is done, once, and before the next begins."""
    rng = random_generator()
    rig = await fresh(dut)
    for layer, beats in ((TWO_FRAMES, 3), (TWO_FRAMES, 4), (TINY, 0)):
        case = case_of(layer, rng)
        rig.results.clear()
        await rig.describe(layer)
        assert await rig.start() is OKAY
        rig.out_gate = lambda taken=beats: len(rig.results) < taken
        rig.send(rig.activations(case), rig.weights(case))
        await rig.until(
            lambda taken=beats: len(rig.results) == taken and str(rig.out_pins.valid.value) == "1",
            "results",
        )
        await rig.write(Register.IRQ_STATUS, BOTH)
        await rig.write(Register.KERNEL, 0)
        assert await rig.start() is OKAY
        await halted_by(rig, Error.FIELD, Register.KERNEL)
        done = await rig.read(Register.LAYERS_DONE)
        await rig.write(Register.CTRL, Ctrl.RESUME)
        for _ in range(10):
            status = await rig.read(Register.STATUS)
            assert status & ~IN_PACKET == Status.HALTED | Status.IN_RESULTS
        assert await rig.start() is SLVERR
        rig.out_gate = lambda: True
        await rig.until(lambda: bool(rig.results) and rig.results[-1].last, "the packet's end")
        await rig.clock(4)
        assert broken_off(rig, case) == (layer is TWO_FRAMES)
        assert await rig.read(Register.STATUS) == 0
        assert await rig.read(Register.LAYERS_DONE) == done + (layer is TINY)
        await rig.run(case_of(SMALL, rng))


@cocotb.test()
async def resume_does_not_undo_an_error_that_comes_at_the_same_time(dut: Any) -> None:
    """RESUME may have been meant for QUEUE_FULL. What acts before the core has halted is void."""
    rng = random_generator()
    rig = await fresh(dut)
    seen = set()
    await rig.describe(SMALL, BATCH=0x0002_0001)
    assert await rig.start() is OKAY
    refused = await rig.until(lambda: rig.irq, "the error")
    await rig.clock(2)
    await rig.resume()
    for delay in range(refused - 12, refused + 14):
        await rig.write(Register.IRQ_STATUS, BOTH)
        await rig.axil.offer(Register.CTRL, Ctrl.START)
        starting = cocotb.start_soon(rig.axil.response())
        await rig.clock(delay)
        await starting
        await rig.axil.offer(Register.CTRL, Ctrl.RESUME)
        await rig.clock()
        await rig.falling  # RESUME acts at the end of this cycle
        before = rig.irq
        assert await rig.axil.response() is OKAY
        seen.add(before)
        await rig.until_irq("the error")
        await rig.clock(2)
        status, error = await rig.read(Register.STATUS), await rig.read(Register.ERROR)
        if before:
            assert (status, error) == (0, 0)
        else:
            assert (status, error) == (Status.HALTED, Error.FIELD | Register.BATCH << 8), delay
            await rig.resume()
    assert seen == {False, True}
    await rig.run(case_of(TINY, rng))
