"""Recorded traffic as a file, without a simulator: what is written is read, all else is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conv_core.tb.stimuli.recording import (
    RUN_LINE,
    Recording,
    Run,
    check_target,
    load,
    recording_named,
    recording_of,
)
from conv_core.tb.stimuli.stalls import PROFILES, StallError, profile_named

RECORDING = Recording(
    (
        Run("conv 1", 4_000_000_001, 7, False, ("0 110", "12 011", "345 000")),
        Run("conv_2", 3, 0, True, ()),
    )
)
TEXT = """\
conv_core traffic 1
run first=3 bus_seed=4000000001 bus_delay=7 after_valid=0 conv 1
0 110
12 011
345 000
run first=0 bus_seed=3 bus_delay=0 after_valid=1 conv_2
"""


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    assert RECORDING.text() == TEXT
    path = tmp_path / "a.traffic"
    path.write_text(TEXT)
    assert load(path) == RECORDING
    assert recording_named(str(path)) == RECORDING


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("traffic 1", "traffic 2"),
        ("first=3", "first=4"),
        ("first=3", "first=2"),
        ("bus_seed=3 ", ""),
        ("after_valid=1", "after_valid=2"),
        ("12 011", "12 01"),
        ("12 011", "12 012"),
        ("12 011", "x 011"),
        ("345 000\n", ""),
    ],
)
def test_a_damaged_recording_is_refused(part: str, other: str, tmp_path: Path) -> None:
    path = tmp_path / "a.traffic"
    path.write_text(TEXT.replace(part, other, 1))
    with pytest.raises(StallError, match=rf"^{re.escape(str(path))}: .*or it is damaged$"):
        load(path)


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"], ids=["missing", "empty", "binary"])
def test_a_file_without_a_recording_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "a.traffic"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StallError, match=r"there is no recorded traffic$"):
        load(path)


def test_a_profile_is_no_recording_and_an_unknown_one_is_refused() -> None:
    assert all(recording_named(name) is None for name in PROFILES)
    with pytest.raises(StallError, match="there is no stall profile 'wild'"):
        recording_named("wild")


def test_a_recording_is_of_its_layers_only() -> None:
    RECORDING.check(["conv 1", "conv_2"])
    for layers in ([], ["conv 1"], ["conv_2", "conv 1"], ["conv 1", "conv_2", "conv_2"]):
        with pytest.raises(
            StallError, match=f"of 2 runs, .*conv 1, conv_2; here are {len(layers)}:"
        ):
            RECORDING.check(layers)


def test_it_goes_to_a_traffic_file_in_a_folder_that_exists(tmp_path: Path) -> None:
    check_target(tmp_path / "a.traffic")
    with pytest.raises(StallError, match=r"goes to a file \*\.traffic$"):
        check_target(tmp_path / "a.txt")
    with pytest.raises(StallError, match="there is no folder"):
        check_target(tmp_path / "missing" / "a.traffic")


def test_the_player_reads_the_runs_and_their_time_is_known() -> None:
    first, second = RECORDING.runs
    assert RECORDING.bits().splitlines() == [RUN_LINE, *first.lines, RUN_LINE]
    assert (first.profile.recorded_cycles, second.profile.recorded_cycles) == (345, 0)
    assert first.profile.longest_hold >= 345
    assert (first.profile.bus_delay, first.profile.ready_after_valid) == (7, False)
    assert second.profile.ready_after_valid


def test_what_the_recorder_wrote_becomes_the_recording() -> None:
    heavy, after_valid = profile_named("heavy"), profile_named("ready-after-valid")
    made = recording_of(
        RECORDING.bits(), [("conv 1", heavy, 4_000_000_001), ("conv_2", after_valid, 3)]
    )
    assert made == RECORDING
    with pytest.raises(ValueError, match="zip"):
        recording_of(RECORDING.bits(), [("conv 1", heavy, 1)])
