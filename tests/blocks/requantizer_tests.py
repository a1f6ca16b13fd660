"""requantizer against exact integers; runs inside the simulator, see test_requantizer.py."""

from __future__ import annotations

import os
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge
from numpy.typing import NDArray

from tests.blocks.rounding import by_float, by_numpy, by_single, by_tflite, clamped, wrapped

LATENCY = 18
RULES = ("tflite", "single", "float")
BATCH = 100
"""cycles in which the rule and the clamps stay"""
EDGES = np.array([-(2**31), -(2**31) + 1, -(2**30), -1, 0, 1, 2**30, 2**31 - 1], np.int64)

Ints = NDArray[np.int64]


def accumulators(rng: np.random.Generator, count: int) -> Ints:
    """All sizes; some at the edges, some that float32 rounds, some of them ties."""
    acc = rng.integers(-(2**31), 2**31, count) >> rng.integers(0, 32, count)
    acc[::17] = rng.choice(EDGES, len(acc[::17]))
    places = rng.integers(1, 9, len(acc[::13]))
    acc[::13] = (acc[::13] >> places | 1) * 2**places + rng.integers(-1, 2, len(places))
    acc[::13] = np.clip(acc[::13] - (1 << (places - 1)), -(2**31), 2**31 - 1)
    return acc


def of_mult(rng: np.random.Generator, count: int) -> tuple[Ints, Ints, Ints]:
    """Accumulators, multipliers, shifts: half of the results within reach, half of those near a
    tie; every shift a byte can hold, most of them of the legal ones, many of 24 and more."""
    acc = accumulators(rng, count)
    mult = rng.integers(2**30, 2**31, count)
    mult[::7] = rng.integers(-(2**31), 2**31, len(mult[::7]))
    mult[::11] = rng.choice(EDGES, len(mult[::11]))
    shift = rng.integers(-31, 9, count)
    shift[::3] = rng.integers(-31, -23, len(shift[::3]))
    shift[::19] = rng.integers(-128, 128, len(shift[::19]))
    near = np.flatnonzero(rng.random(count) < 0.5)
    t = rng.integers(-300, 300, len(near)) + rng.choice([0.5, 0.0], len(near))
    mult[near] = np.where(mult[near] == 0, 2**30, mult[near])
    wanted = t * 2.0 ** (31 - np.clip(shift[near], -31, 8)) / mult[near]
    wanted += rng.integers(-2, 3, len(near))
    acc[near] = np.clip(np.rint(wanted), -(2**31), 2**31 - 1).astype(np.int64)
    return acc, mult, shift


def of_float(rng: np.random.Generator, count: int) -> tuple[Ints, Ints, Ints]:
    """Accumulators and scales: half of the results within reach, half of those near a tie."""
    acc = accumulators(rng, count)
    scale = rng.integers(0, 2**32, count)
    near = np.flatnonzero(rng.random(count) < 0.75)
    t = rng.integers(-300, 300, len(near)) + rng.choice([0.5, 0.0], len(near))
    acc[near] = np.where(acc[near] == 0, 1, acc[near])
    wanted = np.abs(t / acc[near]).astype(np.float32)
    bits = wanted.view(np.uint32).astype(np.int64) + rng.integers(-2, 3, len(near))
    scale[near] = np.clip(bits, 0, 2**32 - 1)
    scale[::23] = rng.choice(
        [0, 1, 0x7FFFFF, 0x800000, 0x7F7FFFFF, 0x7F800000, 0x7FC00000, 0xFF800000, 0x80000000],
        len(scale[::23]),
    )
    return acc, scale, rng.integers(-128, 128, count)


def packed(values: Ints, bits: int) -> int:
    return int.from_bytes(values.astype(f"<i{bits // 8}").tobytes(), "little")


def as_int32(values: Ints) -> Ints:
    return values.astype(np.uint32).view(np.int32).astype(np.int64)


@cocotb.test()
async def results_are_exact(dut: Any) -> None:
    lanes, batches = int(os.environ["LANES"]), int(os.environ["BATCHES"])
    rng = np.random.default_rng(int(os.environ["COCOTB_RANDOM_SEED"]))
    cocotb.start_soon(Clock(dut.clk, 10, "ns", impl="gpi").start())
    await FallingEdge(dut.clk)
    compared, inside, ties = 0, 0, 0
    for batch in range(batches):
        rule = RULES[batch % (3 if int(os.environ["FLOAT"]) else 2)]
        zero_point = int(rng.integers(-128, 128))
        smallest, largest = (int(n) for n in sorted(rng.integers(-128, 128, 2)))
        if rng.random() < 0.7:
            smallest, largest = -128, 127
        acc, mult, shift = (of_float if rule == "float" else of_mult)(rng, BATCH * lanes)
        bias = accumulators(rng, BATCH * lanes)
        if rule == "float":
            expected = [by_float(int(a), int(m)) for a, m in zip(acc, mult, strict=True)]
            plain = (mult >= 0x800000) & (mult < 0x7F800000)
            np.testing.assert_array_equal(
                np.clip(
                    by_numpy(acc[plain].astype(np.int32), mult[plain].astype(np.uint32)), -999, 999
                ),
                np.clip(np.array(expected, object)[plain], -999, 999).astype(np.float32),
            )
        else:
            exact = by_single if rule == "single" else by_tflite
            expected = [
                exact(int(a), int(m), int(s)) for a, m, s in zip(acc, mult, shift, strict=True)
            ]
            ties += sum(
                int(a) * int(m) * 2 % 2 ** (31 - s) == 0 != int(a) * int(m) % 2 ** (31 - s)
                for a, m, s in zip(acc, mult, np.clip(shift, -31, 8).tolist(), strict=True)
            )
        wanted = np.array([clamped(t, zero_point, smallest, largest) for t in expected])
        inside += int(((wanted > smallest) & (wanted < largest)).sum())
        unbiased = np.array([wrapped(int(a) - int(b)) for a, b in zip(acc, bias, strict=True)])

        dut.by_float.value = rule == "float"
        dut.by_single.value = rule == "single"
        dut.zero_point.value = zero_point & 0xFF
        dut.smallest.value = smallest & 0xFF
        dut.largest.value = largest & 0xFF
        await FallingEdge(dut.clk)  # the rule is registered
        for cycle in range(BATCH + LATENCY):
            if cycle < BATCH:
                span = slice(cycle * lanes, (cycle + 1) * lanes)
                dut.acc.value = packed(unbiased[span], 32)
                dut.bias.value = packed(bias[span], 32)
                dut.mult.value = packed(as_int32(mult[span]), 32)
                dut.shift.value = packed(shift[span], 8)
            await FallingEdge(dut.clk)
            if cycle < BATCH:
                assert dut.biased.value.to_unsigned() == packed(acc[span], 32)
            done = cycle + 1 - LATENCY
            if done >= 0:
                span = slice(done * lanes, (done + 1) * lanes)
                if span.start >= len(wanted):
                    break
                found = dut.result.value.to_unsigned().to_bytes(lanes, "little")
                got = np.frombuffer(found, np.int8)
                for i in np.flatnonzero(got != wanted[span]) + span.start:
                    raise AssertionError(
                        f"{rule}, acc {acc[i]}, multiplier {mult[i]}"
                        f" ({mult[i]:#x}), shift {shift[i]}, zero point {zero_point}, clamps "
                        f"{smallest} {largest}: {got[i - span.start]} in place of {wanted[i]}"
                    )
                compared += lanes
    print(f"compared {compared}, {inside} of them between the clamps, {ties} ties")
    assert compared == batches * BATCH * lanes
    assert inside > compared // 5
    assert ties > compared // 1000
