"""Bugs of the core are caught and named: a sample. `python -m tests.bugs` takes them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from conv_core.tb.checks.hypotheses import HYPOTHESES
from conv_core.tb.runs.builds import FILE_LIST
from conv_core.tb.runs.layers import run_layers
from conv_core.tb.runs.tools import find_simulator
from conv_core.tools.lint import complaints
from tests.bugs.bugs import CONFIG, PatchError, layers, load, score

ELABORATE = (find_simulator("icarus").path, "-g2005", "-t", "null", "-s", "conv_core")
BUGS = {bug.name: bug for bug in load()}
SAMPLE = (
    "09_pad_left_one_less",
    "33_high_half_rounds_down",
    "36_weights_of_the_previous_layer",
    "47_ring_does_not_wrap",
)


def test_there_are_enough_bugs_and_hypotheses_for_most_of_them() -> None:
    described = [bug for bug in BUGS.values() if bug.hypothesis]
    assert len(BUGS) >= 40
    assert len(BUGS) - len(described) >= 10
    assert {bug.hypothesis for bug in described} <= HYPOTHESES.keys()


@pytest.mark.parametrize("name", BUGS)
def test_every_patch_still_applies_and_makes_a_core(name: str, tmp_path: Path) -> None:
    sources = BUGS[name].apply(tmp_path)
    files = [file for file in FILE_LIST.parent.rglob("*") if file.is_file()]
    same = [file for file in files if unchanged(file, tmp_path)]
    assert 0 < len(same) < len(files)
    assert complaints([*ELABORATE, f"-I{tmp_path / 'rtl' / 'common'}", *sources]) == ""


def unchanged(file: Path, folder: Path) -> bool:
    copy = folder / "rtl" / file.relative_to(FILE_LIST.parent)
    return copy.read_bytes() == file.read_bytes()


def test_a_patch_that_does_not_apply_is_an_error(tmp_path: Path) -> None:
    bug = BUGS["26_bias_missing"]
    patch = tmp_path / "stale.patch"
    patch.write_text(bug.patch.read_text().replace("acc + bias", "acc + offset"))
    stale = type(bug)("stale", bug.fault, bug.hypothesis, patch)
    with pytest.raises(PatchError, match=r"stale\.patch no longer applies: .*requantizer"):
        stale.apply(tmp_path)


@pytest.mark.parametrize("name", SAMPLE)
def test_a_bug_is_caught_and_named(name: str) -> None:
    result = score(BUGS[name])
    assert result.caught
    if result.bug.hypothesis:
        assert result.named_rightly, [str(diagnosis) for diagnosis in result.diagnoses]
    else:
        assert not result.names


def test_a_failing_run_says_what_the_fault_looks_like(tmp_path: Path) -> None:
    sources = BUGS["26_bias_missing"].apply(tmp_path)
    (result,) = run_layers(layers()[:1], CONFIG, "icarus", rtl_sources=sources)
    assert not result.passed
    assert "\nthis is what one fault would give: bias missing\n" in result.message


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("41_input_lane_dead", "input lane dead (lane 3 adds nothing)"),
        ("79_activation_byte_reads_0", "input lane dead (lane 1 reads 0)"),
        ("78_one_multiplier_dead", "multiplier dead (input lane 1, output lane 2)"),
    ],
)
def test_a_dead_lane_or_multiplier_is_told_from_the_results(
    name: str, fault: str, simulator: str, tmp_path: Path
) -> None:
    sources = BUGS[name].apply(tmp_path)
    (result,) = run_layers(layers()[:1], CONFIG, simulator, rtl_sources=sources)
    assert f"\nthis is what one fault would give: {fault}\n" in result.message
