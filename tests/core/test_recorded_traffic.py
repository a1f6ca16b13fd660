"""Traffic that was recorded is repeated to the cycle; orders of the input streams."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer, LayerCase
from conv_core.models.packing import pack_activations
from conv_core.tb.runs.job import LayerResult
from conv_core.tb.runs.layers import run_layers
from conv_core.tb.runs.tools import SIMULATORS
from conv_core.tb.stimuli.random_layers import Mix, random_cases
from conv_core.tb.stimuli.recording import load
from conv_core.tb.stimuli.stalls import ORDERS, StallError
from tests.cases import case_of

CONFIG = CoreConfig.from_array("8x8")
CASES = tuple(random_cases(np.random.default_rng(33), 2, Mix(max_macs=3_000)))


def same_traces(one: LayerResult, other: LayerResult) -> bool:
    """Every beat of every stream in the same cycle; there are beats on all of them."""
    assert len(one.traces) == 3
    assert all(trace.size > 0 for trace in one.traces.values())
    return all(np.array_equal(one.traces[s], other.traces[s]) for s in one.traces)


@pytest.mark.parametrize("stall", ["bursty", "ready-after-valid", "weights-first"])
def test_a_recording_is_repeated_beat_by_beat(stall: str, tmp_path: Path) -> None:
    record = tmp_path / "a.traffic"
    before = run_layers(CASES, CONFIG, "verilator", stall=stall, seed=34, trace=True, record=record)
    assert load(record).text() == record.read_text()
    for simulator in SIMULATORS:
        again = tmp_path / f"{simulator}.traffic"
        after = run_layers(
            CASES, CONFIG, simulator, stall=str(record), seed=35, trace=True, record=again
        )
        assert again.read_text() == record.read_text()
        for one, other in zip(before, after, strict=True):
            assert other.passed, other.message
            assert (one.cycles, one.held) == (other.cycles, other.held)
            assert same_traces(one, other)
    (free, *_) = run_layers(CASES[:1], CONFIG, "verilator", trace=True)
    assert not same_traces(before[0], free)


def test_queued_layers_are_repeated_as_well(tmp_path: Path) -> None:
    record = tmp_path / "a.traffic"
    before = run_layers(
        CASES, CONFIG, "verilator", stall="heavy", seed=36, queue=True, record=record
    )
    after = run_layers(CASES, CONFIG, "verilator", stall=str(record), seed=37, queue=True)
    assert [(r.cycles, r.held) for r in before] == [(r.cycles, r.held) for r in after]
    assert all(result.passed for result in (*before, *after))


def test_what_is_no_recording_of_these_layers_is_refused(tmp_path: Path) -> None:
    record = tmp_path / "a.traffic"
    with pytest.raises(StallError, match=r"a\.traffic: there is no recorded traffic"):
        run_layers(CASES, CONFIG, stall=str(record))
    with pytest.raises(StallError, match=r"goes to a file \*\.traffic"):
        run_layers(CASES, CONFIG, record=tmp_path / "a.txt")
    run_layers(CASES[:1], CONFIG, record=record)
    with pytest.raises(StallError, match=r"of 1 runs, .* here are 2"):
        run_layers(CASES, CONFIG, stall=str(record))
    record.write_text(record.read_text()[:-4])
    with pytest.raises(StallError, match="is damaged"):
        run_layers(CASES[:1], CONFIG, stall=str(record))


# -------------------------------------------------------------------------------- orders
SMALL_BUFFERS = replace(CONFIG, act_bytes=256, wgt_words=32)


def named(layer: Layer) -> LayerCase:
    return case_of(layer, np.random.default_rng(38), f"{layer.height} rows")


def frame_of(rows: int) -> LayerCase:
    """A frame of 32 bytes a row."""
    return named(Layer(1, rows, 4, 8, 8, (1, 1)))


LARGE_FRAME = frame_of(9)
LARGE_WEIGHTS = named(Layer(1, 1, 2, 160, 16, (1, 1)))
"""Of a single row, so that they need not fit: twice 20 words for each filter."""


@pytest.mark.parametrize("order", ORDERS)
def test_layers_that_fit_bear_either_order(order: str) -> None:
    cases = [frame_of(8), frame_of(3), named(Layer(1, 1, 2, 128, 16, (1, 1)))]
    assert pack_activations(cases[0], SMALL_BUFFERS)[0].size == SMALL_BUFFERS.act_bytes
    for result in run_layers(cases, SMALL_BUFFERS, "icarus", stall=order, queue=True):
        assert result.passed, result.message


@pytest.mark.parametrize(
    ("order", "case", "first", "second"),
    [
        ("activations-first", LARGE_FRAME, "activations", "weights"),
        ("weights-first", LARGE_WEIGHTS, "weights", "activations"),
    ],
)
def test_an_order_that_a_layer_cannot_bear_is_named(
    order: str, case: LayerCase, first: str, second: str
) -> None:
    small = frame_of(1)
    hung, right = run_layers([case, small], SMALL_BUFFERS, "icarus", stall=order)
    assert right.passed, right.message
    assert (
        f": hung: {order} holds the {second} back until all {first} of the layer are taken, and "
        f"the core takes no more of them; {first} that do not fit its buffer need both streams "
        "side by side" in hung.message
    )
    assert f"{second}: 0 of " in hung.message
    assert "the bench holds them back" in hung.message
    (side_by_side,) = run_layers([case], SMALL_BUFFERS, "icarus")
    assert side_by_side.passed, side_by_side.message
