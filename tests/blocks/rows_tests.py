"""rows.v on its own, against the loops written out; runs inside the simulator, see test_rows.py."""

from __future__ import annotations

import os
import re
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

from conv_core.tb.paths import ROOT
from tests.blocks.rows_items import (
    ACT_W,
    OUT_W,
    WGT_W,
    Counts,
    Item,
    RowsLayer,
    items_of,
    random_layer,
)

LAYERS = 40
LONGEST = 1_000
"""cycles without an item after which rows.v hangs"""


def indices(file: str) -> dict[str, int]:
    """The numbers that a header names."""
    text = (ROOT / "rtl" / "common" / file).read_text()
    return {name: int(value) for name, value in re.findall(r"\] (\w+) = \d'd(\d+);", text)}


NUMBERS = indices("layer_numbers.vh")
ITEM = {index: name[5:].lower() for name, index in indices("item_numbers.vh").items()}
WIDTHS = {
    "taps": 5,
    "cols": 16,
    "col": 20,
    "offset": 26,
    "act": ACT_W,
    "wgt": WGT_W,
    "out": OUT_W,
    "act_release": ACT_W,
    "wgt_release": WGT_W,
    "flags": 12,
}


class Setup:
    """In place of layer_setup: broadcasts each layer when the one before is taken."""

    def __init__(self, dut: Any, layers: list[RowsLayer], rng: np.random.Generator) -> None:
        self.dut, self.rng = dut, rng
        self.layers = iter(layers)
        self.left: list[int] = []  # what is to be broadcast
        self.offered_since: int | None = None
        self.taken()

    def taken(self) -> None:
        """The layer that is offered is taken; the next one is broadcast, if there is one."""
        self.offered_since = None
        layer = next(self.layers, None)
        if layer is not None:
            named = {NUMBERS[name]: value for name, value in layer.numbers().items()}
            others = {index: 7 for index in range(64) if index not in named}
            pairs = list({**others, **named}.items())
            self.left = [
                1 << 38 | index << 32 | value & 0xFFFFFFFF
                for index, value in (pairs[place] for place in self.rng.permutation(len(pairs)))
            ]
        self.exhausted = layer is None

    def cycle(self, now: int) -> None:
        """Drives the pins for a cycle."""
        number = int(self.rng.integers(1 << 38))  # not valid
        if self.left and self.rng.random() < 0.9:
            number = self.left.pop()
        elif not self.left and not self.exhausted and self.offered_since is None:
            self.offered_since = now
        self.dut.numbers.value = number
        self.dut.layer_valid.value = int(self.offered_since is not None)


def check(item: Item, sent: dict[str, int]) -> None:
    """All that the item is has been sent."""
    for name, width in WIDTHS.items():
        wanted = getattr(item, name)
        if wanted is not None:
            assert sent.get(name) == wanted % (1 << width), f"{name}: {sent.get(name)} of {item}"


@cocotb.test()
async def items_are_those_of_the_loops(dut: Any) -> None:
    """Layers one after the other, taken at once or late; every number and every cycle."""
    rng = np.random.default_rng(int(os.environ["COCOTB_RANDOM_SEED"]))
    lanes_out = int(os.environ["LANES_OUT"])
    layers = [random_layer(rng, lanes_out) for _ in range(LAYERS)]
    counts = Counts()
    dut.rst.value = 1
    dut.item_ready.value = 0
    dut.layer_valid.value = 0
    dut.numbers.value = 0
    cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
    for _ in range(3):
        await FallingEdge(dut.clk)
    dut.rst.value = 0
    for _ in range(4):
        await FallingEdge(dut.clk)

    setup = Setup(dut, layers, rng)
    sent: dict[str, int] = {}
    now = taken = seen = 0
    for number, layer in enumerate(layers):
        patience = float(rng.choice([1.0, 0.5, 0.05]))
        for place, item in enumerate(items_of(layer, counts, lanes_out)):
            valid = False
            ready = False
            while not ready:
                await FallingEdge(dut.clk)
                now += 1
                setup.cycle(now)
                bus = int(dut.item.value)
                first = not valid
                valid = bool(int(dut.item_valid.value))
                if bus >> 38:
                    assert not valid, "a number is sent while an item waits"
                    name = ITEM[bus >> 32 & 63]
                    sent[name] = bus & ((1 << WIDTHS[name]) - 1)
                if valid and first:
                    begun = taken if place else max(setup.offered_since or 0, taken + 1)
                    assert now - begun == item.cost, f"layer {number} {layer}, item {place} {item}"
                assert valid or now < taken + LONGEST, f"no item: {layer}, item {place} {item}"
                ready = bool(rng.random() < patience)
                dut.item_ready.value = int(ready)
                ready = ready and valid
            taken = now
            check(item, sent)
            seen += 1
            if place == 0:
                setup.taken()
    dut.item_ready.value = 1
    for _ in range(50):
        await FallingEdge(dut.clk)
        assert not int(dut.item_valid.value), "an item too many"
    dut._log.info(f"{seen} items of {LAYERS} layers")
