"""ram against a list; runs inside the simulator, see test_ram.py."""

from __future__ import annotations

from typing import Any

import cocotb

from tests.blocks.pipeline import generator, outputs, parameter
from tests.blocks.vectors import joined, log2

READS = 1500


@cocotb.test()
async def a_read_returns_what_was_written_last(dut: Any) -> None:
    width, depth, register = parameter("WIDTH"), parameter("DEPTH"), parameter("OUTPUT_REGISTER")
    rng = generator()

    def word() -> int:
        return int.from_bytes(rng.bytes(width // 8 + 1), "little") & (1 << width) - 1

    def write(valid: int, address: int, value: int) -> int:
        return joined((valid, 1), (address, log2(depth)), (value, width))

    memory = [word() for _ in range(depth)]
    inputs = [
        {"write": write(1, address, value), "rd_en": 0, "rd_addr": address ^ 1}
        for address, value in enumerate(memory)
    ]
    expected: list[int | None] = [None] * depth
    latest: int | None = None
    for _ in range(READS):
        read, place = (int(n) for n in rng.integers(0, depth, 2))
        place = place ^ 1 if place == read else place
        enabled, written, value = int(rng.integers(0, 2)), int(rng.integers(0, 2)), word()
        inputs.append({"write": write(written, place, value), "rd_en": enabled, "rd_addr": read})
        latest = memory[read] if enabled or register else latest
        expected.append(latest)
        if written:
            memory[place] = value
    seen = await outputs(dut, inputs, ["rd_data"], register)
    compared = 0
    for cycle, value in enumerate(expected):
        if value is not None:
            assert int(seen[cycle + register][0]) == value, f"cycle {cycle}"
            compared += 1
    assert compared > READS // 2
