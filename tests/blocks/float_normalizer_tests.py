"""float_normalizer against numpy's float32; runs inside the simulator, see
test_float_normalizer.py.
"""

from __future__ import annotations

from typing import Any

import cocotb
import numpy as np

from tests.blocks.pipeline import generator, outputs, signed

LATENCY = 6
CYCLES = 3000
EDGES = (0, -1, 1, 2**31 - 1, -(2**31), -(2**31) + 1, 2**30, -(2**30), 2**24, -(2**24), 2**24 + 1)


def numbers(rng: np.random.Generator) -> list[int]:
    """All sizes; edges; what lies between two float32, some of it a tie, on both sides of zero."""
    plain = rng.integers(-(2**31), 2**31, CYCLES) >> rng.integers(0, 32, CYCLES)
    places = rng.integers(1, 8, CYCLES)
    ties = (rng.integers(2**23, 2**24, CYCLES) << places) + (1 << places - 1)
    ties = (ties + rng.integers(-1, 2, CYCLES)) * rng.choice([-1, 1], CYCLES)
    chosen = np.where(rng.random(CYCLES) < 0.5, plain, ties)
    return [*EDGES, *(2**k for k in range(31)), *(-(2**k) for k in range(32)), *chosen.tolist()]


@cocotb.test()
async def numbers_are_exact_or_the_nearest_float32(dut: Any) -> None:
    rng = generator()
    values = numbers(rng)
    for by_float in (0, 1):  # the rule stays while numbers are on their way
        inputs = [{"number": value & 0xFFFF_FFFF, "by_float": by_float} for value in values]
        seen = await outputs(dut, inputs, ["low", "high", "places"], LATENCY)
        rounded = 0
        for cycle, value in enumerate(values):
            low, high, places = map(int, seen[cycle + LATENCY - 1])
            scaled = signed(high, 17, 1)[0] * 2**16 + signed(low, 18, 1)[0]
            wanted = int(np.float32(value)) if by_float else value
            assert scaled == wanted * 2**places, f"{value}, by_float {by_float}, {places} places"
            if not by_float:
                assert places == 0
            elif value in (0, -1):
                assert places == 31
            else:
                # As far to the left as it goes: bit 30 differs from the sign.
                assert 2**30 <= (value if value >= 0 else ~value) * 2**places < 2**31
            rounded += wanted != value
        assert rounded > 1000 if by_float else rounded == 0
