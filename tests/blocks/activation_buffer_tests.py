"""activation_buffer against an array of bytes; runs inside the simulator."""

from __future__ import annotations

from typing import Any

import cocotb

from tests.blocks.pipeline import generator, outputs, parameter
from tests.blocks.vectors import joined, log2

LATENCY = 4
READS = 600


@cocotb.test()
async def any_byte_address_reads_a_word(dut: Any) -> None:
    lanes, size = parameter("LANES"), parameter("BYTES")
    rng = generator()
    ring = bytearray(rng.bytes(size))

    def write(valid: int, word: int, data: bytes) -> int:
        value = int.from_bytes(data, "little")
        return joined((valid, 1), (word, log2(size // lanes)), (value, 8 * lanes))

    inputs = [
        {"write": write(1, at // lanes, ring[at : at + lanes]), "rd_addr": 0}
        for at in range(0, size, lanes)
    ]
    addresses = [*range(size - lanes - 1, size), *rng.integers(0, size, READS).tolist()]
    inputs += [{"write": write(0, 0, bytes(lanes)), "rd_addr": address} for address in addresses]
    seen = await outputs(dut, inputs, ["rd_data"], LATENCY)
    for i, address in enumerate(addresses):
        found = int(seen[size // lanes + i + LATENCY - 1][0]).to_bytes(lanes, "little")
        assert found == bytes(ring[(address + lane) % size] for lane in range(lanes)), address
