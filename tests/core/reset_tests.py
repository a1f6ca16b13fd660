"""Resets at the pins, in the middle of everything; runs inside the simulator, see test_resets.py.

Each reset comes while something of a given kind goes on, at a random moment of it; behind each a
layer must be right.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import cocotb
import numpy as np

from conv_core.tb.core.registers import Ctrl, Register
from conv_core.tb.paths import ROOT
from tests.cases import case_of
from tests.core.rig import ACCUMULATORS, DEPTHWISE, SMALL, TWO_FRAMES, Rig, often

SETUP_STATES = {
    name: int(number)
    for name, number in re.findall(
        r"localparam \[1:0\] (\w+) = 2'd(\d);",
        (ROOT / "rtl" / "control" / "layer_setup.v").read_text(),
    )
}
ROWS_AT_REST = [
    int(number)
    for _, number in re.findall(
        r"\b(CLEAR|CLEAR_2|CLEAR_3|IDLE) = 6'd(\d+),",
        (ROOT / "rtl" / "common" / "rows_program.vh").read_text(),
    )
]
assert len(ROWS_AT_REST) == 4
LONGEST = 700
"""cycles until a reset comes although what it waits for does not"""


def places(dut: Any) -> dict[str, Callable[[], bool]]:
    """What may be going on, by name."""

    def of(*signals: Any, values: str = "") -> Callable[[], bool]:
        wanted = values or "1" * len(signals)
        return lambda: "".join(str(signal.value) for signal in signals) == wanted

    def state(number: int) -> Callable[[], bool]:
        return lambda: int(dut.u_layer_setup.state_q.value) == number

    control, engine = dut.u_registers, dut.u_engine
    assert SETUP_STATES.keys() == {"IDLE", "RUN", "OFFERING", "PAUSE"}
    result = {f"set-up: {name}": state(number) for name, number in SETUP_STATES.items()}
    result["rows: at work"] = lambda: int(engine.u_rows.at_q.value) not in ROWS_AT_REST
    for name in ("windows", "gate"):
        result[f"walk: {name}"] = of(getattr(engine.u_walk, f"{name}_busy"))
    result["walk: a step"] = of(dut.step_valid)
    loader = engine.u_weight_loader
    result |= {
        "activations: loading": of(engine.u_activation_loader.u_frame_counter.active),
        "weights: constants": of(loader.active_q, loader.constants_q),
        "weights: weights": of(loader.active_q, loader.constants_q, values="10"),
        "results: finishing": of(engine.u_finisher.active_q),
        "results: reading": of(engine.u_result_reader.u_frame_counter.active),
        "halted": of(dut.halted, dut.closing, values="10"),
        "halted: closing": of(dut.halted, dut.closing),
        "open packet": of(dut.halted, dut.closing, values="01"),
        "control: address without data": of(control.aw_valid_q, control.w_valid_q, values="10"),
        "control: data without address": of(control.aw_valid_q, control.w_valid_q, values="01"),
        "control: write answered": of(dut.s_axil_bvalid),
        "control: read answered": of(dut.s_axil_rvalid),
    }
    for stream in ("s_axis_act", "s_axis_wgt", "m_axis_out"):
        valid, ready = (getattr(dut, f"{stream}_{name}") for name in ("tvalid", "tready"))
        result[f"{stream}: beat"] = of(valid, ready)
        result[f"{stream}: stalled"] = of(valid, ready, values="10")
    return result


async def traffic(rig: Rig, rng: np.random.Generator, *, wrong: bool) -> None:
    """Two layers, or one and a wrong one; then accesses without end."""
    layers = [(SMALL, TWO_FRAMES, DEPTHWISE)[i] for i in rng.integers(3, size=2)]
    rig.in_gate, rig.out_gate = often(rng.choice((0.5, 1)), rng), often(rng.choice((0.3, 0.7)), rng)
    if wrong:
        layers = [TWO_FRAMES]
        rig.out_gate = often(0.05, rng)
    cases = [case_of(layer, rng) for layer in layers]
    act = [beat for case in cases for beat in rig.activations(case)]
    wgt = [beat for case in cases for beat in rig.weights(case)]
    first = len(rig.results)
    # A beat more than there are layers for: it is stalled.
    rig.send([*act, act[0]], [*wgt, wgt[0]])
    for case in cases:
        await rig.describe(case.layer)
        await rig.axil.write(Register.CTRL, Ctrl.START)
    if wrong:
        await rig.until(lambda: len(rig.results) > first + 2, "results")
        await rig.write(Register.KERNEL, 0)
        await rig.axil.write(Register.CTRL, Ctrl.START)
    while True:
        delays = [int(delay) for delay in rng.integers(0, 4, 3)]
        await rig.axil.write(
            Register.PADS, 1, address_delay=delays[0], data_delay=delays[1], hold=delays[2]
        )
        await rig.axil.read(Register.STATUS, hold=delays[0])


async def moment(rig: Rig, target: Callable[[], bool], cycles: int) -> None:
    """Returns at the falling edge of the cycle in which the target holds for so many cycles."""
    for _ in range(LONGEST):
        await rig.falling
        cycles -= target()
        if cycles <= 0:
            return


async def error_without_results(rig: Rig) -> None:
    """No packet is open, so none is closed."""
    await rig.write(Register.CTRL, Ctrl.START)  # of a descriptor of zeros
    await rig.until(lambda: str(rig.dut.halted.value) == "1", "the error")
    await rig.resume()
    assert not rig.results


@cocotb.test()
async def behind_a_reset_at_any_moment_layers_are_right(dut: Any) -> None:
    """RESETS: how many."""
    seed, resets = int(os.environ["COCOTB_RANDOM_SEED"]), int(os.environ["RESETS"])
    rig = Rig(dut)
    await rig.reset()
    where = places(dut)
    names = list(where)
    hit: Counter[str] = Counter()
    for number, rng in enumerate(np.random.default_rng(seed).spawn(resets)):
        name = names[number % len(names)]
        print(f"seed {seed}, reset {number}: {name}", flush=True)
        rig.in_background(traffic(rig, rng, wrong="halted" in name))
        first_round = number < len(names)
        await moment(rig, where[name], int(rng.integers(1, 3 if first_round else 30)))
        hit.update(name for name, holds in where.items() if holds())
        await rig.reset(int(rng.integers(3, 6)))
        assert await rig.read(Register.STATUS) == 0
        assert await rig.read(Register.ERROR) == 0
        if "out" in name or "packet" in name:
            await error_without_results(rig)
        await rig.run(case_of((SMALL, ACCUMULATORS, DEPTHWISE)[number % 3], rng))
    for name in names:
        print(f"{hit[name]:4} resets while {name}", flush=True)
    assert sum(hit.values()) > resets
    never = [name for name in names[:resets] if not hit[name]]
    assert not never, f"no reset hit: {', '.join(never)}"
