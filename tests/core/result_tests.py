"""Result packets, byte by byte; runs inside the simulator, see test_results.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cocotb
import numpy as np

from conv_core.models.convolution import accumulate
from conv_core.models.layer import Layer
from conv_core.models.packing import constant_words
from conv_core.tb.core.registers import Irq, Register
from conv_core.tb.pins.axil import Response
from conv_core.tb.pins.streams import beats_of, packets_of
from tests.blocks.rounding import by_float, by_single, by_tflite, clamped
from tests.core.entry_tests import rig_of
from tests.core.rig import ACCUMULATORS, SMALL, TINY, TWO_FRAMES, Rig, case_of, random_generator

SCALED = Layer(1, 5, 6, 2, 4, (1, 1), in_zp=1, out_zp=-3, act_min=-120, requantise=True)
"""(5, 6, 2) * (1, 1, 2, 4) -> (5, 6, 4): a filter for each lane."""
EXTREMES = np.array([-(2**31), -(2**30), -1, 0, 1, 2**30, 2**31 - 1])
ODD_SCALES = (0, 1, 0x7FFFFF, 0x800000, 0x7F7FFFFF, 0x7F800000, 0x7FC00000, 0xFF800000, 0x80000000)
"""float32 that are zero, subnormal, the least and the largest, infinite, not a number, negative"""


@cocotb.test()
async def bytes_that_tkeep_does_not_mark_are_zero(dut: Any) -> None:
    """Nor are they X, also in the beat that closes a packet which an error cut off."""
    rng = random_generator()
    rig = rig_of(dut)
    await rig.reset()
    beats: list[tuple[str, str]] = []
    """tdata and tkeep, bit by bit, of each beat that was accepted"""

    async def watch() -> None:
        pins = rig.out_pins
        while True:
            await rig.falling
            if str(pins.valid.value) == str(pins.ready.value) == "1":
                beats.append((str(pins.data.value), str(pins.keep.value)))

    cocotb.start_soon(watch())
    one_byte = replace(TINY, requantise=True)
    for layer in (TINY, one_byte, SMALL, ACCUMULATORS, TWO_FRAMES):
        await rig.run(case_of(layer, rng))
    await cut_off(rig, rng)
    assert len(beats) == len(rig.results) > 0
    for data, keep in beats:
        kept = keep.count("1")
        assert set(data) <= {"0", "1"}, f"X in {data}"
        assert set(data[: len(data) - 8 * kept]) <= {"0"}, f"{data}, of which {kept} bytes count"
    kept = {keep.count("1") for _, keep in beats}
    assert {0, 1, rig.out_pins.beat_bytes} <= kept


async def cut_off(rig: Rig, rng: np.random.Generator) -> None:
    """A layer that is stopped by the next one's descriptor in the middle of its results."""
    case = case_of(TWO_FRAMES, rng)
    await rig.write(Register.IRQ_STATUS, Irq.LAYER_DONE | Irq.ERROR)
    await rig.describe(case.layer)
    assert await rig.start() is Response.OKAY
    first = len(rig.results)
    rig.out_gate = lambda: len(rig.results) < first + 3
    rig.send(rig.activations(case), rig.weights(case))
    await rig.until(lambda: len(rig.results) == first + 3, "the first results")
    await rig.write(Register.KERNEL, 0)
    assert await rig.start() is Response.OKAY
    await rig.until_irq("the error")
    rig.out_gate = lambda: True
    await rig.until(lambda: rig.results[-1].last, "the end of the packet")
    assert rig.results[-1].data == b""


@cocotb.test()
async def any_multiplier_shift_and_scale_is_taken_as_the_page_says(dut: Any) -> None:
    """Also those that no layer file can hold: the constants are written into the packet by hand."""
    rng = random_generator()
    rig = rig_of(dut)
    await rig.reset()
    filters, compared, inside = SCALED.out_channels, 0, 0
    for number in range(24):
        by_scale = number % 3 == 2
        by_mult = by_single if number % 4 == 3 else by_tflite
        case = case_of(SCALED, rng)
        # Small accumulators, so that shifts that are far out give more than the two limits.
        case = replace(case, bias=rng.integers(-(2 ** rng.integers(1, 31)), 2**15, filters, "i4"))
        mult = rng.integers(-(2**31), 2**31, filters)
        mult[rng.integers(filters)] = rng.choice(EXTREMES)
        if by_scale:
            mult[:2] = rng.choice(ODD_SCALES, 2)
            mult[2:] = rng.uniform(0.01, 1, filters - 2).astype(np.float32).view(np.uint32)
        shift = rng.integers(-128, 128, filters)
        if number % 2:
            shift = rng.choice([-128, -33, -32, -31, -30, 7, 8, 9, 10, 127], filters)
        acc = accumulate(case).astype(np.int64)
        exact = [
            by_float(int(a), int(mult[i]) % 2**32)
            if by_scale
            else by_mult(int(a), int(mult[i]), int(shift[i]))
            for a, i in zip(acc.ravel(), np.tile(np.arange(filters), acc.size), strict=False)
        ]
        expected = [clamped(t, SCALED.out_zp, SCALED.act_min, SCALED.act_max) for t in exact]

        packet = bytearray(b"".join(beat.data for beat in rig.weights(case)))
        lanes = rig.config.lanes_out
        assert filters == lanes
        assert len(packet) > constant_words(rig.config) * rig.config.lanes_in
        packet[4 * lanes : 8 * lanes] = (mult % 2**32).astype("<u4").tobytes()
        packet[8 * lanes : 9 * lanes] = shift.astype("i1").tobytes()
        mode = 3 if by_scale else 0x101 if by_mult is by_single else 1
        await rig.describe(SCALED, MODE=mode)
        done, first = await rig.read(Register.LAYERS_DONE), len(rig.results)
        assert await rig.start() is Response.OKAY
        rig.send(rig.activations(case), beats_of(bytes(packet), rig.wgt_pins.beat_bytes))
        while await rig.read(Register.LAYERS_DONE) == done:
            await rig.clock(10)
        (results,) = packets_of(rig.results[first:])
        assert np.frombuffer(results, "i1").tolist() == expected, (mult, shift)
        compared += len(expected)
        inside += sum(SCALED.act_min < y < SCALED.act_max for y in expected)
    assert compared == 24 * 5 * 6 * filters
    assert inside > compared // 10
