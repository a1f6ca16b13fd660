"""Cocotb tests of `layer_setup`: descriptors in, numbers or errors out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge

from tests.blocks.headers import LAYER_NUMBERS
from tests.blocks.set_up import MODES, Core, Fields, SetUp, set_up
from tests.blocks.vectors import split

SEED = int(os.environ["COCOTB_RANDOM_SEED"])
CORE = Core(
    *(
        int(os.environ[name])
        for name in (
            *("LANES_IN", "LANES_OUT", "ACT_BYTES", "WGT_WORDS", "CONST_WORDS", "OUT_BYTES"),
            *("WGT_STREAM_BYTES", "FLOAT_RULE"),
        )
    )
)
LAYERS = 150
NO_MODES = (2, 3, 4, 5, 0x81, 0x100, 0x102, 0x103, 0x201, 0x301, 1 << 15, 1 << 16 | 1, 1 << 31)
"""3 is one where the rule `float` is left out"""
TIMEOUT = 1500
"""cycles; the longest set-up takes fewer"""
NUMBERS = {index: name for name, index in LAYER_NUMBERS.items()}


class Rig:
    """The set-up with its descriptor memory and its four users."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.words = [0] * 8
        self.numbers: dict[int, int] = {}
        self.errors: list[tuple[int, int]] = []
        self.releases = 0
        self.cycle = 0

    async def start(self) -> None:
        """Clock and reset."""
        dut = self.dut
        dut.rst.value, dut.desc_valid.value, dut.layer_ready.value = 1, 0, 0
        dut.desc_word.value = 0
        cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
        await ClockCycles(dut.clk, 3)
        await FallingEdge(dut.clk)
        dut.rst.value = 0
        for _ in range(2):
            await self.step()

    async def step(self) -> None:
        """One cycle, seen and driven where the clock falls."""
        dut = self.dut
        index = int(dut.desc_index.value) if dut.desc_index.value.is_resolvable else 0
        release = int(dut.desc_ready.value) == 1
        await FallingEdge(dut.clk)
        self.cycle += 1
        dut.desc_word.value = self.words[index]
        if release:
            self.releases += 1
            dut.desc_valid.value = 0
            self.words = [0xDEADBEEF] * 8
        broadcast = dut.numbers.value
        if str(broadcast)[0] == "1" and int(str(broadcast)[1:7], 2) in NUMBERS:
            assert broadcast.is_resolvable, "a number is X"
            assert int(dut.layer_valid.value) == 0, "a number of the next layer came too early"
            self.numbers[int(broadcast) >> 32 & 63] = int(broadcast) & 0xFFFFFFFF
        valid, detail, code = split(str(dut.error.value), 1, 8, 8)
        if valid != "0":
            self.errors.append((int(code, 2), int(detail, 2)))

    def offer(self, fields: Fields) -> None:
        """The next descriptor."""
        self.words = fields.words()
        self.dut.desc_valid.value = 1
        self.numbers, self.errors, self.releases = {}, [], 0

    async def outcome(self) -> int:
        """Waits for the layer or an error; the cycles that it took."""
        start = self.cycle
        while not self.errors and not int(self.dut.layer_valid.value):
            await self.step()
            assert self.cycle - start < TIMEOUT, "neither a layer nor an error"
        return self.cycle - start

    async def take(self, rng: np.random.Generator) -> None:
        """The users take the layer in any order."""
        dut = self.dut
        assert int(dut.layer_valid.value) == 15
        order = rng.permutation(4)
        left = 15
        for user in order:
            for _ in range(int(rng.integers(0, 4))):
                await self.step()
                assert int(dut.layer_valid.value) == left
            dut.layer_ready.value = 1 << int(user)
            await self.step()
            left &= ~(1 << int(user))
            dut.layer_ready.value = 0
            assert int(dut.layer_valid.value) == left
        await self.step()  # the next set-up may begin


async def check(rig: Rig, fields: Fields, rng: np.random.Generator) -> SetUp:
    """One descriptor, from its offer until it is taken or refused; returns what was expected."""
    expected = set_up(fields, CORE)
    rig.offer(fields)
    cycles = await rig.outcome()
    what = f"{fields} on {CORE}"
    if expected.error:
        assert rig.errors == [expected.error], f"{what}: {rig.errors}, expected {expected.error}"
        for _ in range(10):
            await rig.step()
        assert len(rig.errors) == 1
        assert int(rig.dut.layer_valid.value) == 0
    else:
        assert not rig.errors, f"{what}: refused for {rig.errors}"
        found = {NUMBERS[index]: value for index, value in rig.numbers.items()}
        if rig.numbers and expected.numbers["MODE"] & 8:
            found["LAST_CHANNEL"] = expected.numbers["LAST_CHANNEL"]  # nobody looks at it
        assert found.keys() == expected.numbers.keys(), f"{what}: missing"
        wrong = {
            name: (value, expected.numbers[name])
            for name, value in found.items()
            if value != expected.numbers[name]
        }
        assert not wrong, f"{what}: found and expected {wrong}"
        assert cycles == expected.cycles, f"{what}: {cycles} cycles, expected {expected.cycles}"
        await rig.take(rng)
    assert rig.releases == 1
    return expected


async def check_all(dut: Any, cases: Iterable[Fields]) -> list[SetUp]:
    """Each descriptor in turn."""
    rng = np.random.default_rng(SEED)
    rig = Rig(dut)
    await rig.start()
    return [await check(rig, fields, rng) for fields in cases]


def draw(rng: np.random.Generator) -> Fields:
    """A layer of any kind; about one in four does not fit."""

    def some(low: int, high: int) -> int:
        """Small numbers as often as large ones."""
        return int(min(high, low + np.floor(2 ** rng.uniform(0, np.log2(high - low + 2)) - 1)))

    kernel = (some(1, 31), some(1, 31))
    groups = 1 if rng.random() < 0.4 else some(2, 200)
    depthwise = rng.random() < 0.6
    inputs = 1 if depthwise and groups > 1 else some(1, 40)
    filters = int(rng.choice((1, 1, 2, 3, 4, 5))) if depthwise else some(1, 60)
    stride = (int(rng.integers(1, 5)), int(rng.integers(1, 5)))
    dilation = (1, 1) if rng.random() < 0.5 else tuple(map(int, rng.integers(1, 5, 2)))
    pads = (some(0, 40), some(0, 40))
    size = (some(1, 300), some(1, 300))
    spare = [
        max(1, -(-(length + pad - (k - 1) * d) // s))
        for length, pad, k, d, s in zip(size, pads, kernel, dilation, stride, strict=True)
    ]
    out = (spare[0] + some(0, 3), spare[1] + some(0, 3))
    low, high = sorted(map(int, rng.integers(-128, 128, 2)))
    return Fields(
        size=size,
        channels=(groups * filters, groups * inputs),
        out=out,
        batch=(groups, some(1, 3)),
        kernel=kernel,
        stride=stride,
        dilation=(dilation[0], dilation[1]),
        pads=pads,
        zero_points=(int(rng.integers(-128, 128)), int(rng.integers(-128, 128))),
        clamp=(high, low),
        mode=int(rng.choice(MODES[: 3 + CORE.float_rule])),
    )


@cocotb.test()
async def random_layers(dut: Any) -> None:
    """Every number, and the exact time, of layers of all kinds."""
    rng = np.random.default_rng(SEED)
    done = await check_all(dut, (draw(rng) for _ in range(LAYERS)))
    fine = [each.numbers for each in done if not each.error]
    assert len(fine) > LAYERS // 5
    assert any(each["MODE"] & 8 for each in fine), "no depthwise layer"
    assert any(each["MODE"] & 4 for each in fine), "no packed layer"
    assert any(each["BAND_ROWS"] > 1 for each in fine), "no band"


@cocotb.test()
async def nonsense_is_refused(dut: Any) -> None:
    """A descriptor that makes sense but for one field."""
    fine = Fields(channels=(4, 8), batch=(1, 1))
    cases = []
    for name in ("size", "channels", "out", "batch", "kernel", "stride", "dilation"):
        pair = getattr(fine, name)
        bad = [0] + (
            [32, 63] if name == "kernel" else [5, 7] if name in ("stride", "dilation") else []
        )
        cases += [replace(fine, **{name: (value, pair[1])}) for value in bad]
        cases += [replace(fine, **{name: (pair[0], value)}) for value in bad]
    cases += [replace(fine, spare=1 << bit) for bit in (5, 6, 7, 13, 14, 15, 19, 23, 27, 31)]
    cases += [replace(fine, mode=mode) for mode in NO_MODES]
    cases += [replace(fine, batch=(groups, 1)) for groups in (3, 5, 8, 16)]
    cases += [replace(fine, channels=(6, 4), batch=(4, 1)), replace(fine, batch=(4, 1))]
    for clamp in ((-1, 0), (-128, 127), (0, 0), (-128, -128), (127, -128), (-3, -2)):
        cases += [replace(fine, clamp=clamp, mode=mode) for mode in (0, 1)]
    for side in range(2):  # windows that stop a stride too early, or just not
        for stride in range(1, 5):
            for out in (2, 3, 4, 5, 11):
                pair = (out, 11) if side == 0 else (11, out)
                step = (stride, 1) if side == 0 else (1, stride)
                cases.append(replace(fine, out=pair, stride=step))
    done = await check_all(dut, cases)
    assert sum(each.error is not None for each in done) > len(cases) // 2
    assert any(each.error is None for each in done)


@cocotb.test()
async def limits_from_both_sides(dut: Any) -> None:
    """The largest that fits, and one more, of everything that has a limit."""
    core = CORE
    one = Fields((1, 1), (1, 1), (1, 1), (1, 1), (1, 1), pads=(0, 0))
    cases = []
    columns = 64
    for rows in (1, 3):
        most = (core.act_bytes - core.lanes_in) // rows // columns
        cases += [
            replace(
                one,
                size=(rows, columns),
                channels=(1, cin),
                kernel=(31, 1),
                pads=(30, 0),
                out=(rows, columns),
                stride=(1, 1),
            )
            for cin in (most, most + 1)
        ]
    pixel = core.out_bytes - 2 * core.lanes_out
    for mode, size in ((1, 1), (0, 4)):
        cases += [replace(one, channels=(pixel // size + more, 1), mode=mode) for more in (0, 1)]
    for out in ((1, 1), (1, 2), (2, 1)):  # words of a block and of all
        for cout, share in ((core.lanes_out, 1), (2 * core.lanes_out, 2)):
            words = core.wgt_words // share
            cases += [
                replace(
                    one,
                    size=out,
                    out=out,
                    channels=(cout, min(words * core.lanes_in + more, 65535)),
                )
                for more in (0, 1)
            ]
            cases += [replace(cases[-1], batch=(1, 2)), replace(cases[-2], batch=(1, 2))]
    blocks = core.const_words // core.block_constants
    for frames in (1, 2):
        cases += [
            replace(
                one,
                size=(2, 2),
                out=(2, 2),
                channels=(core.lanes_out * blocks + more, 1),
                batch=(1, frames),
            )
            for more in (0, 1)
        ]
    wide = replace(one, size=(1, 1), out=(1, 1), kernel=(1, 1))
    cases += [replace(wide, channels=(1, 1024), pads=(0, left)) for left in (16383, 16384)]
    cases += [
        replace(wide, channels=(1, 1024), out=(1, out), stride=(1, 4)) for out in (4095, 4096)
    ]
    cases += [replace(wide, out=(1, out), channels=(1024, 1)) for out in (65535, 65534)]
    cases += [replace(wide, out=(out, 65535), channels=(2, 1)) for out in (32767, 32768, 32769)]
    cases += [
        replace(wide, size=(65535, 256), channels=(1, cin), out=(65535, 256))
        for cin in (256, 255, 257)
    ]
    cases += [
        replace(wide, channels=(1, cin), kernel=(31, 31), dilation=(1, 2), pads=(30, 60))
        for cin in (65535, 4364 * core.lanes_in, 4365 * core.lanes_in)
        if cin < 65536
    ]
    cases += [replace(wide, pads=(65535, 255)), replace(wide, size=(65535, 1), out=(65535, 1))]
    done = await check_all(dut, cases)
    assert {each.error[0] for each in done if each.error} >= {1, 2, 3, 5}


@cocotb.test()
async def bands_and_blocks(dut: Any) -> None:
    """Bands of every length, and column blocks of every width."""
    rng = np.random.default_rng(SEED + 1)
    cases = []
    for _ in range(60):
        rows, columns = int(rng.integers(1, 60)), int(rng.integers(1, 60))
        cases.append(
            Fields(
                size=(rows, columns),
                channels=(int(rng.integers(1, 65)), int(rng.integers(1, 9))),
                out=(rows, columns),
                kernel=(3, 3),
                mode=int(rng.integers(0, 2)),
            )
        )
    cases += [
        Fields((1, 1), (filters, 1), (2, columns), (1, 1), (1, 1), pads=(0, 0))
        for columns in (1, 2, 3, 100, 1000, 65535)
        for filters in (1, 7, CORE.out_bytes // 4, CORE.out_bytes // 4 - 1)
    ]
    done = await check_all(dut, cases)
    fine = [each.numbers for each in done if not each.error]
    assert any(1 < each["BAND_ROWS"] < each["OUT_HEIGHT"] for each in fine)
    assert any(each["BAND_ROWS"] == each["OUT_HEIGHT"] > 1 for each in fine)
    assert any(each["COLUMN_BLOCK"] < each["OUT_WIDTH"] for each in fine)


@cocotb.test()
async def a_reset_in_the_middle(dut: Any) -> None:
    """After a reset at any moment the next layer is as after the first."""
    rng = np.random.default_rng(SEED + 2)
    rig = Rig(dut)
    await rig.start()
    for _ in range(40):
        rig.offer(Fields())
        for _ in range(int(rng.integers(1, 330))):
            await rig.step()
        dut.rst.value, dut.desc_valid.value = 1, 0
        await rig.step()
        dut.rst.value = 0
        for _ in range(2):
            await rig.step()
        assert int(dut.layer_valid.value) == 0
        await check(rig, replace(draw(rng), size=(9, 9), pads=(4, 4)), rng)
