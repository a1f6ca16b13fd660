"""Sizes beyond what the core can count; runs inside the simulator, see test_errors.py."""

from __future__ import annotations

from typing import Any

import cocotb

from conv_core.tb.core.registers import Error, Register
from conv_core.tb.pins.responses import Response
from tests.core.error_tests import BOTH, halted_by, left_behind
from tests.core.rig import SPACIOUS, TINY, Rig, random_generator

BEYOND = {
    Register.PADS: {  # 257 * 65,281 >= 2^24; a kernel of 121 columns leaves few windows
        "CHANNELS": 0x0001_0101,
        "OUT_SIZE": 0x0001_7F45,
        "KERNEL": 0x1412_011F,
        "PADS": 0x0000_FF01,
    },
    Register.OUT_SIZE: {  # 257 * 2 * 32,769 >= 2^24; the pads are too large as well
        "CHANNELS": 0x0001_0101,
        "OUT_SIZE": 0x0001_8001,
        "KERNEL": 0x1112_0101,
        "PADS": 0x0000_FFFF,
    },
    Register.IN_SIZE: {"CHANNELS": 0x0001_8001, "IN_SIZE": 0xFFFF_0002},  # 65,538 * 65,535 >= 2^32
}


@cocotb.test()
async def sizes_that_cannot_be_counted_are_refused(dut: Any) -> None:
    rng = random_generator()
    rig = Rig(dut, SPACIOUS)
    await rig.reset()
    await rig.write(Register.IRQ_ENABLE, BOTH)
    for culprit, registers in BEYOND.items():
        await rig.describe(TINY, **registers)
        await rig.write(Register.IRQ_STATUS, BOTH)
        assert await rig.start() is Response.OKAY
        await halted_by(rig, Error.FIELD, culprit)
        await left_behind(rig, rng)
