"""dot_product against numpy; runs inside the simulator, see test_dot_product.py."""

from __future__ import annotations

from typing import Any

import cocotb

from tests.blocks.pipeline import generator, operands, outputs, packed, parameter, signed

CYCLES = 400


@cocotb.test()
async def sums_are_exact(dut: Any) -> None:
    lanes = parameter("LANES")
    levels = lanes.bit_length() - 1
    latency, width = 2 + levels, 17 + levels
    rng = generator()
    activations, weights = operands(rng, lanes, CYCLES), operands(rng, lanes, CYCLES)
    weights[2] = -weights[2]
    inputs = [
        {"activations": packed(a, 9), "weights": packed(w, 9)}
        for a, w in zip(activations, weights, strict=True)
    ]
    seen = await outputs(dut, inputs, ["sum"], latency)
    for cycle in range(CYCLES):
        (found,) = signed(int(seen[cycle + latency - 1][0]), width, 1)
        assert found == int(activations[cycle] @ weights[cycle]), f"cycle {cycle}"
