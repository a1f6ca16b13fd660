"""See test_halt.py."""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

from conv_core.tb.core.registers import Error
from tests.blocks.channel import Bench
from tests.blocks.vectors import joined, parts

IDLE = {"setup_error": 0, "act_error": 0, "wgt_error": 0}
IDLE |= {"queue_overrun": 0, "resume": 0, "results_open": 0, "closed": 0}
FORCED = 0b11


async def pulse(dut: Any, **values: int) -> None:
    for name, value in values.items():
        getattr(dut, name).value = value
    await RisingEdge(dut.clk)
    for name in values:
        getattr(dut, name).value = 0
    await FallingEdge(dut.clk)


def state(dut: Any) -> tuple[int, int, int]:
    """(halted, code, detail)"""
    detail, code = parts(int(dut.error.value), 8, 8)
    return int(dut.halted.value), code, detail


@cocotb.test()
async def the_first_error_stays_until_the_core_goes_on(dut: Any) -> None:
    bench = Bench(dut)
    await bench.reset(**IDLE)
    setup = {"setup_error": joined((1, 1), (0x50, 8), (Error.FIELD, 8))}
    for cause, expected in (
        (setup, (1, Error.FIELD, 0x50)),
        (setup | {"act_error": 1}, (1, Error.FIELD, 0x50)),
        ({"act_error": 1}, (1, Error.ACT_TLAST_EARLY, 0)),
        ({"act_error": 2, "wgt_error": 1}, (1, Error.ACT_TLAST_LATE, 0)),
        ({"act_error": 4}, (1, Error.ACT_TKEEP, 0)),
        ({"wgt_error": 1}, (1, Error.WGT_TLAST_EARLY, 0)),
        ({"wgt_error": 2}, (1, Error.WGT_TLAST_LATE, 0)),
        ({"wgt_error": 4, "resume": 1}, (1, Error.WGT_TKEEP, 0)),
    ):
        await pulse(dut, queue_overrun=1)
        assert state(dut) == (0, Error.QUEUE_FULL, 0)
        await pulse(dut, **cause)
        assert state(dut) == expected
        await pulse(dut, act_error=2, queue_overrun=1)
        assert state(dut) == expected
        assert str(dut.leaving.value) == "0", "RESUME before the halt was not meant for it"
        await pulse(dut, resume=1)
        dut.closed.value = 3
        await bench.clock(2)
        dut.closed.value = 0
        await FallingEdge(dut.clk)
        assert state(dut) == (0, 0, 0)
    await pulse(dut, queue_overrun=1)
    await pulse(dut, resume=1)
    assert state(dut) == (0, 0, 0)


@cocotb.test()
async def resume_waits_for_results_then_for_both_streams(dut: Any) -> None:
    bench = Bench(dut)
    for force in (0, 1):
        await bench.reset(**IDLE)
        await pulse(dut, act_error=1)
        dut.results_open.value = 1
        dut.closed.value = 0
        await pulse(dut, resume=1)
        assert str(dut.leaving.value) == "0"
        dut.results_open.value = 0
        await bench.clock(2)
        if force:
            await pulse(dut, resume=FORCED)
        for closed in (0, 1, 2):
            dut.closed.value = closed
            await bench.clock(3)
            await FallingEdge(dut.clk)
            assert (str(dut.leaving.value), str(dut.forced.value)) == ("1", str(force))
            assert state(dut)[0] == 1
        dut.closed.value = 3
        await bench.clock()
        await FallingEdge(dut.clk)
        assert state(dut) == (0, 0, 0)
        assert (str(dut.leaving.value), str(dut.forced.value)) == ("0", "0")
