"""Errors on streams narrower than a word; runs inside the simulator, see test_errors.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cocotb

from conv_core.tb.core.registers import Error, Register
from conv_core.tb.pins.responses import Response
from tests.cases import case_of
from tests.core.error_tests import (
    BOTH,
    Fault,
    ends,
    faulty_beats,
    goes_on,
    halted_by,
    keeps,
    left_behind,
)
from tests.core.rig import NARROW, SMALL, TWO_FRAMES, Rig, often, random_generator

# SMALL sends 23 beats, the last one of half a beat and alone in its word; TWO_FRAMES 30 a frame.
# Weights of SMALL are 160 beats.
FAULTS = [
    (SMALL, Fault("act", Error.ACT_TLAST_EARLY, 1, ends)),
    (TWO_FRAMES, Fault("act", Error.ACT_TLAST_EARLY, 27, ends)),
    (TWO_FRAMES, Fault("act", Error.ACT_TKEEP, 28, ends)),  # the last word, but not all of it
    (TWO_FRAMES, Fault("act", Error.ACT_TLAST_LATE, 29, goes_on)),
    (SMALL, Fault("act", Error.ACT_TLAST_LATE, -1, goes_on, more=3)),
    (SMALL, Fault("act", Error.ACT_TKEEP, 7, keeps(0b01))),
    (SMALL, Fault("act", Error.ACT_TKEEP, -1, keeps(0b11))),
    (SMALL, Fault("wgt", Error.WGT_TLAST_EARLY, 5, ends)),
    (SMALL, Fault("wgt", Error.WGT_TKEEP, 156, ends)),
    (SMALL, Fault("wgt", Error.WGT_TLAST_LATE, -1, goes_on, more=5)),
]


@cocotb.test()
async def wrong_narrow_packets_are_reported_and_swallowed(dut: Any) -> None:
    rng = random_generator()
    rig = Rig(dut, NARROW)
    await rig.reset()
    await rig.write(Register.IRQ_ENABLE, BOTH)
    for layer, fault in FAULTS:
        case = case_of(layer, rng)
        await rig.describe(layer)
        await rig.write(Register.IRQ_STATUS, BOTH)
        assert await rig.start() is Response.OKAY
        rig.in_gate = rig.out_gate = often(0.9, rng)
        act, wgt = faulty_beats(rig, case, fault)
        extra = [replace(beat, last=False) for beat in act[:1]]
        sending = rig.send(act + extra, wgt)
        await halted_by(rig, fault.error)
        await rig.sent(sending)
        await rig.until(lambda: not rig.results or rig.results[-1].last, "the end of the packet")
        await left_behind(rig, rng, replace(SMALL, out_channels=2, kernel=(1, 2)))
