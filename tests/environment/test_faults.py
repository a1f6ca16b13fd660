"""A core that is broken on purpose turns the run red, with a message that says where."""

from __future__ import annotations

import numpy as np
import pytest

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer, LayerCase
from conv_core.tb.checks.rules import BY_NAME, RULES, RuleError, rules_off
from conv_core.tb.paths import ROOT
from conv_core.tb.runs.builds import rtl_files
from conv_core.tb.runs.job import LayerResult
from conv_core.tb.runs.layers import run_layers
from conv_core.tb.runs.tools import SIMULATORS
from tests.cases import HALF, case_of

CONFIG = CoreConfig.from_array("4x4")
SOURCES = (*rtl_files(), ROOT / "tests" / "environment" / "faulty_core.v")


def small_case() -> LayerCase:
    """(4, 5, 4) * (3, 3, 4, 8) -> (4, 5, 8): 40 beats of results, no two of them alike."""
    rng = np.random.default_rng(40)
    layer = Layer(1, 4, 5, 4, 8, (3, 3), pads=(1, 1, 1, 1), requantise=True)
    return case_of(layer, rng, "small", mult=HALF, shift=-9)


def run_with_fault(
    fault: int, simulator: str, *, stall: str = "none", rules: str = "", seed: int = 1
) -> LayerResult:
    (result,) = run_layers(
        [small_case()],
        CONFIG,
        simulator,
        stall=stall,
        rules=rules,
        seed=seed,
        rtl_sources=SOURCES,
        dut="faulty_core",
        plus_args=[f"+fault={fault}"],
    )
    return result


@pytest.mark.parametrize("stall", ["none", "heavy", "ready-after-valid"])
def test_without_a_fault_the_run_is_green(simulator: str, stall: str) -> None:
    result = run_with_fault(0, simulator, stall=stall)
    assert result.passed, result.message


# Channels 8 on 4 lanes: beat b holds channels 0-3 (b even) or 4-7 (b odd) of place b // 2.
FAULTS = {
    "valid-stuck": (
        1,
        "none",
        [
            "hung: the core stopped answering after 0 of 40 beats of results, with all its input",
            "results: 0 of 40 beats accepted",
            "the core offers none",
            "nothing was compared",
        ],
    ),
    "dropped-after-the-8th": (
        2,
        "none",
        [
            "results: 8 of 40 beats accepted",
            "32 of 40 beats are missing, the first is beat 8: it begins with "
            "frame 0, row 0, column 4, channel 0",
        ],
    ),
    "answers-twice": (
        18,
        "none",
        ["results: the core answers twice: 40 beats too many came, behind the last of 40"],
    ),
    "never-starts": (20, "none", ["hung: the core never started, it takes no input"]),
    "control-port-dies": (21, "none", ["the core does not answer the read of 0x"]),
    "one-too-many": (3, "none", ["results, beat 40", "1 beats too many came"]),
    "wrong-bit": (
        5,
        "none",
        ["1 of 160 values differ", "frame 0, row 0, column 3, channel 5, beat 7, "],
    ),
    "channels-swapped": (
        6,
        "none",
        ["frame 0, row 0, column 0, channel 0, beat 0, ", "wrong in channels 0-1, 4-5 "],
    ),
    "wrong-counter": (13, "none", ["CYCLES reads", "but the monitor at the pins counted"]),
    "beat-left-over": (15, "none", ["activations: 19 of 20 beats", "are left over"]),
    "weights-refused": (
        16,
        "none",
        [
            "takes no more weights",
            "weights: 0 of ",
            "tvalid 1, tready 0: the core takes none",
            "nothing was compared",
        ],
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_turns_the_run_red_and_is_named(name: str, simulator: str) -> None:
    fault, stall, expected = FAULTS[name]
    result = run_with_fault(fault, simulator, stall=stall)
    assert not result.passed
    assert result.message.startswith("layer small: ")
    for words in expected:
        assert words in result.message
    if "left over" in result.message:  # then nobody knows when the layer's last beat passed
        assert "CYCLES reads" not in result.message
        assert result.cycles is None


def test_x_on_a_byte_is_a_wrong_value_on_verilator() -> None:
    # What is X is random there: one value in 256 is right by accident.
    results = [run_with_fault(4, "verilator", seed=seed) for seed in (1, 2, 3)]
    red = [result for result in results if not result.passed]
    assert red
    assert "frame 0, row 0, column 2, channel 7, beat 5, " in red[0].message


RULES_BROKEN = {
    "x-control": (7, "none", "results, beat 0, "),
    "x-payload": (4, "none", "results, beat 5, "),
    "tvalid-withdrawn": (9, "heavy", "results, beat 6, "),
    "payload-changed": (8, "heavy", "results, beat 6, "),
    "tlast-early": (10, "none", "results, beat 8, "),
    "tlast-missing": (11, "none", "results, beat 39, "),
    "tkeep": (12, "none", "results, beat 4, "),
    "beat-unexpected": (3, "none", "results, beat 40, "),
    "tvalid-waits": (17, "ready-after-valid", "results, beat 0, "),
    "bus-x-control": (22, "none", "control port, R, access 0, "),
    "bus-x-payload": (23, "none", "control port, R, access 0, "),
    "bus-valid-withdrawn": (24, "heavy", "control port, B, access "),
    "bus-payload-changed": (26, "heavy", "control port, R, access "),
    "bus-answer-early": (27, "heavy", "control port, B, access "),
    "bus-answer-unasked": (28, "none", "control port, R, access 1, "),
    "bus-exokay": (29, "none", "control port, B, access 0, "),
    "irq-x": (19, "none", "control port, irq, access 0, "),
    "bus-valid-waits": (30, "ready-after-valid", "control port, R, access "),
}
"""By rule: the fault that breaks it, in which traffic, and where it is seen first."""

SEEN_BY = [
    (name, simulator)
    for name in RULES_BROKEN
    for simulator in SIMULATORS
    if simulator == "icarus" or "x" not in name.split("-")  # Verilator has no X
]


def test_every_rule_is_seen_to_fire() -> None:
    assert list(RULES_BROKEN) == [rule.name for rule in RULES]


@pytest.mark.parametrize(("name", "on"), SEEN_BY)
def test_a_broken_rule_is_named(name: str, on: str) -> None:
    fault, stall, where = RULES_BROKEN[name]
    message = run_with_fault(fault, on, stall=stall).message
    (line,) = [line for line in message.splitlines() if f", {name})" in line]
    assert line.removeprefix("layer small: ").startswith(where)
    assert str(BY_NAME[name]) in line


@pytest.mark.parametrize("name", ["tkeep", "tvalid-waits", "bus-valid-withdrawn"])
def test_a_rule_can_be_switched_off(name: str) -> None:
    fault, stall, _ = RULES_BROKEN[name]
    result = run_with_fault(fault, "verilator", stall=stall, rules=f"-{name}", seed=3)
    assert f", {name})" not in result.message
    assert result.passed == (name != "tvalid-waits")


@pytest.mark.parametrize(
    ("fault", "stall", "rule", "where"),
    [
        (25, "heavy", "bus-valid-withdrawn", "control port, R, "),
        (31, "ready-after-valid", "bus-valid-waits", "control port, B, "),
    ],
)
def test_the_other_answers_are_watched_as_well(
    fault: int, stall: str, rule: str, where: str
) -> None:
    message = run_with_fault(fault, "verilator", stall=stall).message
    assert any(where in line and rule in line for line in message.splitlines())


def test_a_rule_that_does_not_exist_is_refused() -> None:
    assert rules_off("-tkeep, -irq-x") == {"tkeep", "irq-x"}
    assert rules_off("") == frozenset()
    with pytest.raises(RuleError, match="no rule '-tkep'; there are x-control, "):
        rules_off("-tkep")
    with pytest.raises(RuleError, match="-tkeep switches tkeep off"):
        rules_off("tkeep")
