"""What stalls may and may not change."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from conv_core.models.core_config import CoreConfig
from conv_core.tb.runs.job import LayerResult
from conv_core.tb.runs.layers import run_layers
from conv_core.tb.runs.tools import SIMULATORS
from conv_core.tb.stimuli.random_layers import Mix, random_cases
from conv_core.tb.stimuli.stalls import PROFILES

CONFIG = CoreConfig.from_array("8x8")
CASES = {
    "verilator": tuple(random_cases(np.random.default_rng(30), 22, Mix(max_macs=30_000))),
    # a hundred times slower
    "icarus": tuple(random_cases(np.random.default_rng(31), 6, Mix(max_macs=5_000))),
}
STALLED = [name for name in PROFILES if name != "none"]


@cache
def unstalled(simulator: str) -> list[LayerResult]:
    return run_layers(CASES[simulator], CONFIG, simulator)


@pytest.mark.parametrize("stall", STALLED)
def test_stalls_change_no_result_and_cost_no_more_than_they_hold(
    stall: str, simulator: str
) -> None:
    results = run_layers(CASES[simulator], CONFIG, simulator, stall=stall, seed=31)
    assert sum(result.held for result in results) > 0
    for result, free in zip(results, unstalled(simulator), strict=True):
        assert result.passed, result.message
        assert np.array_equal(result.values, free.values)
        assert result.cycles is not None
        assert free.cycles is not None
        assert result.cycles <= free.cycles * 1.02 + result.held, result.name


@pytest.mark.parametrize("stall", ["none", "heavy", "bursty", "ready-after-valid"])
def test_one_seed_gives_one_trace_on_both_simulators(stall: str) -> None:
    icarus, verilator = (
        run_layers(CASES["icarus"], CONFIG, simulator, stall=stall, seed=32, trace=True)
        for simulator in SIMULATORS
    )
    for one, other in zip(icarus, verilator, strict=True):
        assert one.passed, one.message
        assert other.passed, other.message
        assert one.cycles == other.cycles
        assert one.held == other.held
        for stream, beats in one.traces.items():
            assert beats.size > 0
            assert np.array_equal(beats, other.traces[stream]), (one.name, stream)


def test_another_seed_gives_another_trace() -> None:
    (one,), (other,) = (
        run_layers(CASES["icarus"][:1], CONFIG, "verilator", stall="heavy", seed=seed, trace=True)
        for seed in (1, 2)
    )
    assert any(not np.array_equal(one.traces[s], other.traces[s]) for s in one.traces)
