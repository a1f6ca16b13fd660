"""multiplier against Python's products; runs inside the simulator, see test_multiplier.py."""

from __future__ import annotations

from typing import Any

import cocotb

from tests.blocks.pipeline import generator, outputs, packed, parameter, signed

LATENCY = 2
CYCLES = 500


@cocotb.test()
async def products_are_exact(dut: Any) -> None:
    lanes, widths = parameter("LANES"), (parameter("A_W"), parameter("B_W"))
    rng = generator()
    a, b = (rng.integers(-(1 << w - 1), 1 << w - 1, (CYCLES, lanes)) for w in widths)
    a[0], b[0] = -(1 << widths[0] - 1), -(1 << widths[1] - 1)
    a[1], b[1] = (1 << widths[0] - 1) - 1, -(1 << widths[1] - 1)
    inputs = [
        {"a": packed(x, widths[0]), "b": packed(y, widths[1])} for x, y in zip(a, b, strict=True)
    ]
    seen = await outputs(dut, inputs, ["product"], LATENCY)
    for cycle in range(CYCLES):
        product = signed(int(seen[cycle + LATENCY - 1][0]), sum(widths), lanes)
        assert product == (a[cycle] * b[cycle]).tolist(), f"cycle {cycle}"
