"""When input streams accept beats, and what CYCLES counts; runs inside the simulator.

See test_entry.py.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import cocotb
import numpy as np

from conv_core.models.layer import Layer
from conv_core.tb.core.registers import Ctrl, Error, Irq, Register, Status
from conv_core.tb.pins.responses import Response
from conv_core.tb.pins.streams import Beat
from tests.cases import case_of
from tests.core.rig import CONFIG, NARROW, SMALL, TINY, Rig, random_generator

NOTHING_READ = Layer(1, 1, 1, 1, 1, (1, 1), stride=(2, 1), pads=(1, 0, 0, 0))
"""Its only window lies above the image: the result is there before an activation is."""
LONG_AFTER = 300
"""cycles, more than any of these layers takes"""
PINS = ("s_axis_act", "s_axis_wgt", "m_axis_out")


def rig_of(dut: Any) -> Rig:
    """NARROW: whether the streams are narrower than a word."""
    return Rig(dut, NARROW if os.environ["NARROW"] == "1" else CONFIG)


class Beats:
    """The cycles in which each stream accepted a beat."""

    def __init__(self, rig: Rig) -> None:
        self.of: dict[str, list[int]] = {name: [] for name in PINS}
        self._rig = rig
        cocotb.start_soon(self._watch())

    async def _watch(self) -> None:
        dut, cycle = self._rig.dut, 0
        pins = [
            (name, getattr(dut, f"{name}_tvalid"), getattr(dut, f"{name}_tready")) for name in PINS
        ]
        while True:
            await self._rig.falling
            cycle += 1
            for name, valid, ready in pins:
                if str(valid.value) == str(ready.value) == "1":
                    self.of[name].append(cycle)

    def count(self) -> tuple[int, int]:
        """accepted of activations and of weights"""
        return len(self.of[PINS[0]]), len(self.of[PINS[1]])


async def finished(rig: Rig, layers: int) -> None:
    while await rig.read(Register.LAYERS_DONE) < layers:
        await rig.clock(10)


@cocotb.test()
async def no_beat_is_accepted_for_a_layer_that_is_not_started(dut: Any) -> None:
    """Not before the first, and not of the next one's packets; CYCLES is what the pins show."""
    rng = random_generator()
    rig = rig_of(dut)
    await rig.reset()
    beats = Beats(rig)
    cases = [case_of(replace(SMALL, batch=frames), rng) for frames in (2, 1, 1)]
    act, wgt = [rig.activations(case) for case in cases], [rig.weights(case) for case in cases]
    rig.send(
        [beat for packet in act for beat in packet], [beat for packet in wgt for beat in packet]
    )
    await rig.clock(LONG_AFTER)
    assert beats.count() == (0, 0)
    first = (0, 0)
    results = 0
    for number, case in enumerate(cases):
        await rig.describe(case.layer)
        assert await rig.start() is Response.OKAY
        await finished(rig, number + 1)
        await rig.clock(LONG_AFTER)
        rig.check(case, rig.results[results:])
        results = len(rig.results)
        begun = min(beats.of[PINS[0]][first[0]], beats.of[PINS[1]][first[1]])
        first = first[0] + len(act[number]), first[1] + len(wgt[number])
        assert beats.count() == first
        assert await rig.read(Register.CYCLES) == beats.of[PINS[2]][-1] - begun + 1


@cocotb.test()
async def late_activations_of_layers_that_ended_do_not_begin_the_next(dut: Any) -> None:
    """CYCLES of a layer that follows two which need no activations begins with its own beats."""
    rng = random_generator()
    rig = rig_of(dut)
    await rig.reset()
    beats = Beats(rig)
    early = [case_of(NOTHING_READ, rng) for _ in range(2)]
    for case in early:
        await rig.describe(case.layer)
        assert await rig.start() is Response.OKAY
    rig.send([], [beat for case in early for beat in rig.weights(case)])
    await finished(rig, 2)
    case = case_of(TINY, rng)
    await rig.describe(TINY)
    assert await rig.start() is Response.OKAY
    rig.send([beat for case in early for beat in rig.activations(case)], [])
    await rig.clock(LONG_AFTER)
    begins = beats.count()
    assert begins[0] == 2
    rig.send(rig.activations(case), rig.weights(case))
    await finished(rig, 3)
    rig.check(case, rig.results[-1:] if rig.config is CONFIG else rig.results[-2:])
    begun = min(beats.of[PINS[0]][begins[0]], beats.of[PINS[1]][begins[1]])
    assert await rig.read(Register.CYCLES) == beats.of[PINS[2]][-1] - begun + 1


@cocotb.test()
async def nothing_is_accepted_in_reset(dut: Any) -> None:
    """From its third cycle on; what is offered then is taken after it, and answered."""
    rng = random_generator()
    rig = rig_of(dut)
    await rig.reset()
    channels = [dut.s_axil_awready, dut.s_axil_wready, dut.s_axil_arready]
    channels += [dut.s_axis_act_tready, dut.s_axis_wgt_tready]
    answers = [dut.s_axil_bvalid, dut.s_axil_rvalid, dut.m_axis_out_tvalid]
    # In the midst of a layer, halted, and idle.
    for state in ("running", "halted", "idle"):
        case = case_of(replace(SMALL, batch=2), rng)
        await rig.describe(case.layer, **({"MODE": 4} if state == "halted" else {}))
        if state != "idle":
            assert await rig.start() is Response.OKAY
            rig.send(rig.activations(case)[:3], rig.weights(case)[:3])
            await rig.clock(LONG_AFTER)
        before = [str(channel.value) for channel in channels]
        assert before[:3] == ["1"] * 3
        assert before[3:] == ["0" if state == "idle" else "1"] * 2
        await rig.rising
        dut.rst.value = 1
        for _ in range(2):
            await rig.rising
        for name, value in (("awaddr", 0x54), ("wdata", 0x1234), ("wstrb", 15), ("araddr", 0)):
            getattr(dut, f"s_axil_{name}").value = value
        for name in ("awvalid", "wvalid", "arvalid", "bready", "rready"):
            getattr(dut, f"s_axil_{name}").value = 1
        for _ in range(3):
            await rig.falling
            assert [str(channel.value) for channel in channels + answers] == ["0"] * 8, state
            await rig.rising
        dut.rst.value = 0
        answered = set()
        for _ in range(20):
            await rig.falling
            taken = [str(channel.value) == "1" for channel in channels[:3]]
            for name in ("bvalid", "rvalid"):
                if str(getattr(dut, f"s_axil_{name}").value) == "1":
                    answered.add(name)
            await rig.rising
            for name, ready in zip(("awvalid", "wvalid", "arvalid"), taken, strict=True):
                if ready:
                    getattr(dut, f"s_axil_{name}").value = 0
        assert answered == {"bvalid", "rvalid"}, state
        await rig.reset()
        await rig.run(case_of(SMALL, rng))


def alone(stream: str, beats: list[Beat]) -> tuple[list[Beat], list[Beat]]:
    """Beats of one stream, and none of the other."""
    return (beats, []) if stream == "act" else ([], beats)


@cocotb.test()
async def what_a_reset_left_of_a_packet_is_the_next_layers(dut: Any) -> None:
    """It waits for that layer, and is then too short."""
    rng = random_generator()
    rig = rig_of(dut)
    for stream, error in (("act", Error.ACT_TLAST_EARLY), ("wgt", Error.WGT_TLAST_EARLY)):
        await rig.reset()
        case = case_of(SMALL, rng)
        beats = rig.activations(case) if stream == "act" else rig.weights(case)
        half = len(beats) // 2
        await rig.describe(SMALL)
        assert await rig.start() is Response.OKAY
        await rig.sent(rig.send(*alone(stream, beats[:half])))
        await rig.reset()
        sending = rig.send(*alone(stream, beats[half:]))
        await rig.clock(LONG_AFTER)
        assert not all(task.done() for task in sending)
        await rig.write(Register.IRQ_ENABLE, Irq.ERROR)
        await rig.describe(SMALL)
        assert await rig.start() is Response.OKAY
        await rig.until_irq("the error")
        assert await rig.read(Register.ERROR) == error
        await rig.sent(sending)
    await rig.resume()
    await rig.run(case_of(SMALL, rng))


async def halted_within_a_packet(rig: Rig, rng: np.random.Generator, stream: str) -> list[Any]:
    """Halted by nonsense while a packet is on its way; returns what is left of it."""
    case = case_of(SMALL, rng)
    await rig.write(Register.IRQ_ENABLE, Irq.ERROR)
    await rig.write(Register.IRQ_STATUS, Irq.ERROR)
    await rig.describe(SMALL, MODE=4)
    assert await rig.start() is Response.OKAY
    await rig.until_irq("the error")
    assert await rig.read(Register.ERROR) == Error.FIELD | Register.MODE << 8
    beats = rig.activations(case) if stream == "act" else rig.weights(case)
    cut = int(rng.integers(1, len(beats) - 1))
    await rig.sent(rig.send(*alone(stream, beats[:cut])))
    return beats[cut:]


@cocotb.test()
async def resume_waits_for_the_end_of_a_packet(dut: Any) -> None:
    """STATUS says of which stream. None of its beats becomes part of the next layer."""
    rng = random_generator()
    rig = rig_of(dut)
    await rig.reset()
    for stream in ("act", "wgt", "act", "wgt"):
        rest = await halted_within_a_packet(rig, rng, stream)
        waits = Status.IN_ACTIVATIONS if stream == "act" else Status.IN_WEIGHTS
        await rig.write(Register.CTRL, Ctrl.RESUME)
        for _ in range(10):
            assert await rig.read(Register.STATUS) == Status.HALTED | waits
        case = case_of(SMALL, rng)
        # The rest, with the next layer's packets right behind it.
        act, wgt = rig.activations(case), rig.weights(case)
        results = len(rig.results)
        rig.send(*((rest + act, wgt) if stream == "act" else (act, rest + wgt)))
        while await rig.read(Register.STATUS) & Status.HALTED:
            pass
        done = await rig.read(Register.LAYERS_DONE)
        await rig.describe(SMALL)
        assert await rig.start() is Response.OKAY
        await finished(rig, done + 1)
        rig.check(case, rig.results[results:])


@cocotb.test()
async def a_packet_that_was_given_up_is_left_by_force(dut: Any) -> None:
    """Also where RESUME has been asked for without."""
    rng = random_generator()
    rig = rig_of(dut)
    await rig.reset()
    for stream in ("act", "wgt", "act", "wgt"):
        await halted_within_a_packet(rig, rng, stream)
        if rng.integers(2):
            await rig.write(Register.CTRL, Ctrl.RESUME)
            await rig.clock(20)
        assert await rig.read(Register.STATUS) & Status.HALTED
        await rig.resume(force=True)
        assert await rig.read(Register.STATUS) == 0
        await rig.run(case_of(SMALL, rng))
