"""Source, sink and monitor at the pins of a FIFO; the monitor is shown red on a broken one."""

from __future__ import annotations

from pathlib import Path

import pytest

from conv_core.tb.paths import ROOT
from conv_core.tb.pins.streams import Beat, beats_of, packets_of
from conv_core.tb.runs.builds import Design, build
from conv_core.tb.runs.simulators import SimulationError

FIFO = Design("fifo", (ROOT / "tests" / "environment" / "fifo.v",))


def run(simulator: str, folder: Path, *, traffic: str, fault: int = 0, seed: int = 1) -> None:
    build(FIFO, simulator).simulate(
        "tests.environment.stream_tests",
        folder,
        seed=seed,
        environment={"TRAFFIC": traffic, "FAULT": str(fault)},
    )


@pytest.mark.parametrize(
    "traffic", ["free", "slow-source", "slow-sink", "both-slow", "ready-after-valid"]
)
def test_packets_come_out_as_they_went_in(traffic: str, simulator: str, tmp_path: Path) -> None:
    run(simulator, tmp_path, traffic=traffic)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (1, "tvalid was withdrawn before tready"),
        (2, "the payload changed while stalled"),
        (5, "tkeep does not mark the bytes that count"),
    ],
)
def test_a_broken_fifo_is_named(fault: int, words: str, simulator: str, tmp_path: Path) -> None:
    with pytest.raises(SimulationError) as failure:
        run(simulator, tmp_path, traffic="slow-sink", fault=fault)
    assert "m_axis, beat 5, " in str(failure.value)
    assert words in str(failure.value)


@pytest.mark.parametrize(
    ("fault", "words"),
    [(3, "tdata, tkeep or tlast is X"), (4, "tvalid or tready is X")],
)
def test_x_at_the_pins_is_named_by_icarus(fault: int, words: str, tmp_path: Path) -> None:
    with pytest.raises(SimulationError) as failure:
        run("icarus", tmp_path, traffic="free", fault=fault)
    assert "m_axis, beat 5, " in str(failure.value)
    assert words in str(failure.value)


def test_packets_are_cut_and_put_together() -> None:
    assert beats_of(b"abcdef", 4) == [Beat(b"abcd", False), Beat(b"ef", True)]
    assert packets_of([*beats_of(b"abcdef", 4), *beats_of(b"g", 4)]) == [b"abcdef", b"g"]
    with pytest.raises(ValueError, match="no tlast"):
        packets_of([Beat(b"abcd", False)])
