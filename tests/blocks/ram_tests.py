"""ram against a list; runs inside the simulator, see test_ram.py."""

from __future__ import annotations

from typing import Any

import cocotb

from tests.blocks.pipeline import generator, outputs, parameter

READS = 1500


@cocotb.test()
async def a_read_returns_what_was_written_last(dut: Any) -> None:
    width, depth, register = parameter("WIDTH"), parameter("DEPTH"), parameter("OUTPUT_REGISTER")
    rng = generator()

    def word() -> int:
        return int.from_bytes(rng.bytes(width // 8 + 1), "little") & (1 << width) - 1

    memory = [word() for _ in range(depth)]
    inputs = [
        {"wr_en": 1, "wr_addr": address, "wr_data": value, "rd_en": 0, "rd_addr": address ^ 1}
        for address, value in enumerate(memory)
    ]
    expected: list[int | None] = [None] * depth
    latest: int | None = None
    for _ in range(READS):
        read, write = (int(n) for n in rng.integers(0, depth, 2))
        write = write ^ 1 if write == read else write
        enabled, written, value = int(rng.integers(0, 2)), int(rng.integers(0, 2)), word()
        inputs.append(
            {"wr_en": written, "wr_addr": write, "wr_data": value}
            | {"rd_en": enabled, "rd_addr": read}
        )
        latest = memory[read] if enabled or register else latest
        expected.append(latest)
        if written:
            memory[write] = value
    seen = await outputs(dut, inputs, ["rd_data"], register)
    compared = 0
    for cycle, value in enumerate(expected):
        if value is not None:
            assert int(seen[cycle + register][0]) == value, f"cycle {cycle}"
            compared += 1
    assert compared > READS // 2
