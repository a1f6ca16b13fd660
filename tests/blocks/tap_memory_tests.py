"""tap_memory against lists of columns; runs inside the simulator, see test_tap_memory.py."""

from __future__ import annotations

from typing import Any

import cocotb

from tests.blocks.pipeline import generator, operands, outputs, packed, parameter

CYCLES = 1000
ROWS = 16


@cocotb.test()
async def taps_are_the_latest_columns_of_a_row(dut: Any) -> None:
    """Rows in any order, some cleared, between them steps that share and ones to be ignored."""
    channels, taps = parameter("CHANNELS"), parameter("TAPS")
    rng = generator()
    columns, shared = operands(rng, channels, CYCLES), operands(rng, taps, CYCLES)
    rows: list[list[list[int]]] = [[] for _ in range(ROWS)]
    inputs, expected = [], []
    for cycle in range(CYCLES):
        first = cycle < ROWS
        row = cycle if first else int(rng.integers(0, ROWS if cycle % 200 < 100 else 2))
        clear = int(first or rng.random() < 0.05)
        depthwise = int(first or rng.random() < 0.9)
        enable = int(depthwise and (first or rng.random() < 0.9))
        column = columns[cycle].tolist()
        inputs.append(
            {"enable": enable, "depthwise": depthwise, "row": row, "clear": clear}
            | {"column": packed(column, 9), "shared": packed(shared[cycle], 9)}
        )
        window = [column, *([] if clear else rows[row])][:taps]
        if enable:
            rows[row] = window
        window = window + [[0] * channels] * (taps - len(window))
        own = [tap[channel] for channel in range(channels) for tap in window]
        expected.append(own if depthwise else shared[cycle].tolist() * channels)
    seen = await outputs(dut, inputs, ["taps"], 0)
    for cycle, values in enumerate(expected):
        assert int(seen[cycle][0]) == packed(values, 9), f"cycle {cycle}"
