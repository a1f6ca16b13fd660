"""Random layers through `walk`; runs inside the simulator, see test_walk.py."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge, Timer

from tests.blocks.headers import LAYER_NUMBERS, constants
from tests.blocks.vectors import log2
from tests.blocks.walking import (
    RELEASE,
    Taken,
    Times,
    WalkItem,
    WalkLayer,
    WalkStep,
    WalkWindow,
    random_items,
    random_layer,
    windows_of,
)

LANES, ACT_BYTES, WGT_WORDS, OUT_BYTES, CREDITS = (
    int(os.environ.get(name, 1))
    for name in ("LANES_IN", "ACT_BYTES", "WGT_WORDS", "OUT_BYTES", "RESULT_QUEUE")
)
LANE_W, WGT_ADDR_W = log2(LANES), log2(WGT_WORDS)
ACT_W, WGT_W, OUT_W = log2(ACT_BYTES) + 4, 24, log2(OUT_BYTES) + 2
HANG = 20_000


ITEM_NUMBERS = constants("item_numbers.vh")


@dataclass
class Record:
    """What was seen, cycle by cycle."""

    steps: list[tuple[int, int, int]] = field(default_factory=list)  # cycle, step, marks
    items: list[int] = field(default_factory=list)  # cycles in which an item was taken
    layers: list[int] = field(default_factory=list)
    item_valid: list[int] = field(default_factory=list)  # first cycles in which it was valid
    layer_valid: list[int] = field(default_factory=list)
    acts: list[int] = field(default_factory=list)  # words written, in each cycle
    wgts: list[int] = field(default_factory=list)
    released: list[tuple[int, int]] = field(default_factory=list)
    credits: list[int] = field(default_factory=list)  # cycles in which one came back
    stalls: list[int] = field(default_factory=list)  # act, wgt, out in each cycle


@dataclass(frozen=True)
class Work:
    layer: WalkLayer
    items: list[WalkItem]
    windows: list[WalkWindow]
    acts: int  # words that are written at its end
    wgts: int


def works(rng: np.random.Generator, count: int) -> Iterator[Work]:
    act = wgt = 0
    for _ in range(count):
        layer = random_layer(rng, LANES, ACT_BYTES)
        items = random_items(rng, layer, act, wgt, ACT_BYTES)
        windows = [w for i, item in enumerate(items) for w in windows_of(layer, item, i)]
        steps = [step for window in windows for step in window.steps]
        last_acts = [(s.act + s.lanes[1]) // LANES for s in steps if s.act is not None and s.lanes]
        held = [i.act_release // LANES - 4 * ACT_BYTES // LANES for i in items]
        acts = max([act // LANES, *last_acts, *held]) + 1
        wgts = max(item.wgt_release for item in items)
        yield Work(layer, items, windows, acts, wgts)
        act, wgt = acts * LANES, wgts


def chance(rng: np.random.Generator, slow: bool, share: float) -> bool:
    return not slow or bool(rng.random() < share)


async def run(dut: Any, work: list[Work], rng: np.random.Generator, *, slow: bool) -> Record:
    """Drives the pins until the last step has been taken."""
    seen = Record()
    numbers = [list(w.layer.numbers().items()) for w in work]
    items = [(layer, item) for w in work for layer, item in [(w.layer, i) for i in w.items]]
    ends = np.cumsum([len(w.windows) for w in work])
    sent_layers = sent_items = 0
    layer_queue: list[tuple[str, int]] = []
    item_queue: list[tuple[str, int]] = []
    item_valid = layer_valid = False
    acts = wgts = owed = windows = 0
    dut.rst.value = 1
    for name in ("numbers", "layer_valid", "item", "item_valid", "credit_return"):
        getattr(dut, name).value = 0
    dut.act_written.value = dut.wgt_written.value = 0
    Clock(dut.clk, 10, unit="ns").start()
    for _ in range(3):
        await FallingEdge(dut.clk)
    dut.rst.value = 0
    pace = float(rng.choice([0.2, 0.6, 1.0]))
    while windows < ends[-1]:
        cycle = len(seen.acts)
        # the broadcast of the next layer begins once this one is taken
        if not layer_valid and sent_layers < len(work) and not layer_queue:
            layer_queue = list(numbers[sent_layers])
            rng.shuffle(layer_queue)
        number = 0
        if layer_queue:
            name, value = layer_queue.pop()
            number = 1 << 38 | LAYER_NUMBERS[name] << 32 | int(value) & 0xFFFFFFFF
            layer_done = not layer_queue
        else:
            layer_done = False
        dut.numbers.value = number
        dut.layer_valid.value = int(layer_valid)
        if layer_valid and len(seen.layer_valid) < sent_layers:
            seen.layer_valid.append(cycle)
        # an item's numbers, its flags last
        if not item_valid and not item_queue and sent_items < len(items):
            layer, item = items[sent_items]
            item_queue = list(item.numbers(layer).items())
            rng.shuffle(item_queue)
            flags = sum(value << ITEM_NUMBERS[name] for name, value in item.flags.items())
            item_queue.insert(0, ("ITEM_FLAGS", flags))
        number = 0
        item_done = False
        if item_queue and not item_valid and chance(rng, slow, 0.5):
            name, value = item_queue.pop()
            number = 1 << 38 | ITEM_NUMBERS[str(name)] << 32 | int(value) & 0xFFFFFFFF
            item_done = not item_queue
        dut.item.value = number
        dut.item_valid.value = int(item_valid)
        if item_valid and len(seen.item_valid) == sent_items - 1:
            seen.item_valid.append(cycle)
        # data of the layer at hand: the loaders never run far ahead
        target = work[int(np.searchsorted(ends, windows, side="right"))]
        if slow:
            acts = min(acts + int(rng.random() < pace), target.acts)
            left = target.wgts - wgts
            wgts += int(rng.random() < pace) * min(left, int(rng.integers(1, 3)) + left // 64)
        else:
            acts, wgts = target.acts, target.wgts
        dut.act_written.value = acts % (1 << (ACT_W - LANE_W))
        dut.wgt_written.value = wgts % (1 << WGT_W)
        seen.acts.append(acts)
        seen.wgts.append(wgts)
        back = owed > 0 and chance(rng, slow, 0.15)
        owed -= back
        dut.credit_return.value = int(back)
        if back:
            seen.credits.append(cycle)
        await RisingEdge(dut.clk)
        if item_valid and int(dut.item_ready.value):
            seen.items.append(cycle)
            item_valid = False
        if layer_valid and int(dut.layer_ready.value):
            seen.layers.append(cycle)
            layer_valid = False
        if layer_done:
            layer_valid = True
            sent_layers += 1
        if item_done:
            item_valid = True
            sent_items += 1
        seen.released.append((int(dut.act_released.value), int(dut.wgt_released.value)))
        seen.stalls.append(int(dut.stalls.value))
        if int(dut.step_valid.value):
            step = int(dut.step.value)
            seen.steps.append((cycle, step, int(dut.marks.value)))
            if step & 1:
                owed += 1
                windows += 1
        assert not seen.steps or cycle - seen.steps[-1][0] < HANG, f"hangs at cycle {cycle}"
        assert cycle < HANG * len(work)
        await FallingEdge(dut.clk)
    return seen


def expected(work: list[Work], seen: Record) -> Iterator[tuple[Work, Taken]]:
    """Every step and its cycle, from when items, data and credits came."""
    times = Times()
    item_index = 0
    windows = 0
    for number, w in enumerate(work):

        def act_ready(window: WalkWindow, step: WalkStep, w: Work = w) -> int:
            cycle = 0
            if step.act is not None and step.lanes:
                cycle = bisect_left(seen.acts, (step.act + step.lanes[1]) // LANES + 1) + 1
            item = w.items[window.item]
            if step.last and window.last and item.flags["ITEM_ROW_END"]:
                least = item.act_release // LANES - 4 * ACT_BYTES // LANES + 1
                cycle = max(cycle, bisect_left(seen.acts, least) + 1)
            return cycle

        def wgt_ready(window: WalkWindow, step: WalkStep, w: Work = w) -> int:
            word = w.items[window.item].wgt if step.wgt is None else step.wgt
            return bisect_left(seen.wgts, word + 1) + 1

        def credit(n: int) -> int:
            return seen.credits[n - CREDITS] + 2 if n >= CREDITS else 0

        for index in range(len(w.items)):
            valid = seen.item_valid[item_index]
            if index == 0:
                taken = times.layer(valid, seen.layer_valid[number])
                assert seen.layers[number] == taken, f"layer {number}"
                valid = taken + 2
            taken = times.item(valid)
            assert seen.items[item_index] == taken, f"item {item_index} of layer {number}"
            mine = [window for window in w.windows if window.item == index]
            for event in times.windows(taken, mine, act_ready, wgt_ready, credit):
                yield w, event
            item_index += 1
            windows += len(mine)


def marks_of(item: WalkItem, window: WalkWindow) -> int:
    flags = item.flags
    return (
        (flags["ITEM_LAYER_END"] & window.last)
        | flags["ITEM_LAST_BLOCK"] << 1
        | (flags["ITEM_NEW_BLOCK"] & window.first) << 2
        | flags["ITEM_LAST_PASS"] << 3
        | flags["ITEM_LAST_FILTER"] << 4
        | window.out % (1 << OUT_W) << 9
    )


def check_step(w: Work, event: Taken, step: int, marks: int) -> None:
    """That a step is as it should be."""
    want, layer = event.step, w.layer

    def bits(at: int, width: int = 1) -> int:
        return step >> at & ((1 << width) - 1)

    assert bits(0) == want.last
    assert bits(1) == want.any
    assert bits(2) == want.multiply
    assert bits(3) == layer.depthwise
    assert bits(11, 8) == layer.zero_point % 256
    lanes = 19
    act = lanes + 2 * LANE_W
    wgt = act + ACT_W - 4
    if want.lanes is not None and want.act is not None:
        assert (bits(lanes, LANE_W), bits(lanes + LANE_W, LANE_W)) == want.lanes
        assert bits(act, ACT_W - 4) == want.act % ACT_BYTES
    if want.wgt is not None:
        assert bits(wgt, WGT_ADDR_W) == want.wgt % (1 << WGT_ADDR_W)
    if want.row is not None:
        assert bits(4, 2) == layer.spread
        assert bits(6, 4) == want.row
        assert bits(10) == want.clear
    assert marks == marks_of(w.items[event.window.item], event.window)


@cocotb.test()
async def steps_are_right_and_in_their_cycle(dut: Any) -> None:
    """Layers back to back: each step, mark, release and stall, and its cycle."""
    seed = int(os.environ["COCOTB_RANDOM_SEED"])
    rng = np.random.default_rng(seed)
    work = list(works(rng, int(os.environ["LAYERS"])))
    seen = await run(dut, work, rng, slow=os.environ["TRAFFIC"] == "slow")
    cycles = len(seen.acts)
    events = list(expected(work, seen))
    assert len(events) == len(seen.steps) > len(work)
    act_now = [0] * (cycles + RELEASE)
    wgt_now = [0] * (cycles + RELEASE)
    stalls = [0] * (cycles + 1)
    for (w, event), (cycle, step, marks) in zip(events, seen.steps, strict=True):
        item = w.items[event.window.item]
        where = f"seed {seed}, cycle {cycle}: {w.layer} {item} {event}"
        assert cycle == event.taken, where
        try:
            check_step(w, event, step, marks)
        except AssertionError as error:
            raise AssertionError(f"{where}: {error}") from None
        for waited in range(event.came, event.taken):
            stalls[waited] = 1 if waited < event.act else 2 if waited < event.wgt else 4
        if event.window.last and item.flags["ITEM_FINAL"]:
            for held in range(event.came, event.taken + 1):
                wgt_now[held + RELEASE] = item.wgt if event.step.wgt is None else event.step.wgt
            if event.step.last:
                wgt_now[event.taken + RELEASE] = item.wgt_release
        if event.window.last and event.step.last and item.flags["ITEM_ROW_END"]:
            act_now[event.taken + RELEASE] = item.act_release // LANES or -1
    act = wgt = 0
    for cycle in range(cycles):
        act = act_now[cycle] or act
        wgt = wgt_now[cycle] or wgt
        assert seen.released[cycle] == (
            max(act, 0) % (1 << (ACT_W - LANE_W)),
            wgt % (1 << WGT_W),
        ), f"seed {seed}, cycle {cycle}: released"
        assert seen.stalls[cycle] == stalls[cycle], f"seed {seed}, cycle {cycle}: stalls"
    await Timer(1, "ns")
