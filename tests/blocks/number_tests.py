"""number against two variables in Python; runs inside the simulator, see test_number.py."""

from __future__ import annotations

from typing import Any

import cocotb

from tests.blocks.pipeline import generator, outputs, parameter

CYCLES = 2000


@cocotb.test()
async def the_number_at_hand_changes_with_take_only(dut: Any) -> None:
    rng, index, width = generator(), parameter("INDEX"), parameter("WIDTH")
    inputs, wanted = [], []
    later, at_hand = None, None
    taken = ignored = 0
    for _ in range(CYCLES):
        valid, take = int(rng.random() < 0.3), int(rng.random() < 0.2)
        # Its own index, or one that differs in a bit.
        sent_as = index ^ (0 if rng.random() < 0.5 else 1 << int(rng.integers(6)))
        value = int(rng.integers(2**32))
        inputs.append({"numbers": valid << 38 | sent_as << 32 | value, "take": take})
        if take:
            taken += at_hand != later
            at_hand = later
        if valid and sent_as == index:
            later = value & (1 << width) - 1
        ignored += valid and sent_as != index
        wanted.append(at_hand)
    assert taken > 10
    assert ignored > 100
    seen = await outputs(dut, inputs, ["value"], 1)
    compared = 0
    for cycle, number in enumerate(wanted):
        if number is not None:
            assert int(seen[cycle][0]) == number, f"cycle {cycle}"
            compared += 1
    assert compared > CYCLES // 2
