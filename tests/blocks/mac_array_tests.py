"""mac_array against numpy; runs inside the simulator, see test_mac_array.py."""

from __future__ import annotations

from typing import Any

import cocotb
import numpy as np

from tests.blocks.pipeline import FULL, generator, operands, outputs, packed, parameter, signed
from tests.blocks.vectors import joined, log2

AHEAD = 2
"""cycles from a weight's address to its activations"""
STEPS = 600


@cocotb.test()
async def windows_are_summed_modulo_2_to_32(dut: Any) -> None:
    """Windows of any length, gaps inside and between them, a reset in the middle of one."""
    lanes, filters, words = parameter("LANES_IN"), parameter("LANES_OUT"), parameter("WGT_WORDS")
    channels, taps = min(lanes, filters), min(lanes, 11)
    latency = 3 + lanes.bit_length() - 1
    rng = generator()
    weights = operands(rng, filters * lanes, words).reshape(words, filters, lanes)
    idle = {"rst": 1, "write": 0, "step_wgt": 0, "step_valid": 0, "step_last": 0}
    idle |= {"activations": 0, "taps": 0}

    def write(word: int, filter_: int) -> int:
        data = packed(weights[word, filter_], 9)
        return joined((1 << filter_, filters), (word, log2(words)), (data, 9 * lanes))

    inputs = [idle] * 3 + [
        idle | {"rst": 0, "write": write(word, o)} for word in range(words) for o in range(filters)
    ]
    inputs += [
        idle | {"rst": 0} for _ in range(AHEAD)
    ]  # no word is read in the cycle that writes it
    shared, own = operands(rng, lanes, STEPS), operands(rng, taps * channels, STEPS)
    shared[-50:], own[-50:] = FULL, FULL
    read = rng.integers(0, words, STEPS)
    read[-50:] = 0  # all of them FULL
    valid = rng.random(STEPS) < 0.8
    last = rng.random(STEPS) < 0.3
    last[-50:-1], last[-1], valid[-1] = False, True, True
    reset = STEPS // 2
    begin = len(inputs)
    acc, expected = np.zeros(filters, np.int64), {}
    for step in range(STEPS):
        ahead = int(read[min(step + AHEAD, STEPS - 1)])
        inputs.append(
            idle
            | {"rst": int(step == reset), "step_wgt": ahead}
            | {"step_valid": int(valid[step]), "step_last": int(last[step])}
            | {"activations": packed(shared[step], 9), "taps": packed(own[step], 9)}
        )
        if step == reset:
            acc[:] = 0
            expected = {at: value for at, value in expected.items() if at < begin + step}
        elif valid[step]:
            seen_by = np.tile(shared[step], (filters, 1))
            seen_by[:channels, :taps] = own[step].reshape(channels, taps)
            acc += (seen_by * weights[read[step]]).sum(axis=1)
            if last[step]:
                expected[begin + step + latency - 1] = acc.tolist()
                acc[:] = 0
    inputs[begin - AHEAD] |= {"step_wgt": int(read[0])}
    inputs[begin - AHEAD + 1] |= {"step_wgt": int(read[1])}
    seen = await outputs(dut, [*inputs, idle | {"rst": 0}], ["result_valid", "result"], latency)
    assert len(expected) > STEPS // 10
    for at, (result_valid, result) in enumerate(seen):
        if at >= 1:
            assert int(result_valid) == int(at in expected), f"cycle {at}"
        if at in expected:
            assert signed(int(result), 32, filters) == expected[at], f"cycle {at}"
