"""docs/verification.md lists what the code has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conv_core.tb.checks.rules import RULES
from conv_core.tb.runs.layers import run_layers
from conv_core.tb.stimuli.stalls import ORDERS, PROFILES
from tests.environment.test_cut import BUGS, CONFIG, PATIENT, sample
from tests.environment.test_faults import run_with_fault

PAGE = (Path(__file__).parents[2] / "docs" / "verification.md").read_text()


def test_every_rule_is_listed_with_its_number_and_its_words() -> None:
    rows = re.findall(r"^\| (\d+) \| `([\w-]+)` \| (.*) \|$", PAGE, re.MULTILINE)
    assert rows == [(str(rule.number), rule.name, rule.broken) for rule in RULES]


def test_every_profile_is_listed() -> None:
    assert first_column("profile") == [*PROFILES, *ORDERS]


def first_column(heading: str) -> list[str]:
    """The names in the first column of the table that begins with this heading."""
    table = PAGE[PAGE.index(f"| {heading} |") :].split("\n\n")[0]
    cells = re.findall(r"^\| (`[^|]*`) \|", table, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([\w-]+)`", cell)]


def test_the_cycles_around_a_wrong_beat_are_those_of_a_real_run(tmp_path: Path) -> None:
    name = "33_high_half_rounds_down"
    assert f"`tests/bugs/{name}.patch`" in PAGE
    sources = BUGS[name].apply(tmp_path)
    (wrong,) = run_layers(sample(name), CONFIG, "icarus", rtl_sources=sources, explain=PATIENT)
    assert wrong.cut is not None
    assert f"```\n{wrong.cut.text()}\n```" in PAGE


@pytest.mark.parametrize("fault", [5, 2])
def test_a_failing_run_reads_as_the_page_says(fault: int) -> None:
    def timeless(text: str) -> str:
        return re.sub(r"\d+ (ns|cycles)", r"N \1", text)

    message = run_with_fault(fault, "icarus").message
    reports = [timeless(block.strip()) for block in re.findall(r"```\n(.*?)```", PAGE, re.DOTALL)]
    assert any(timeless(message).startswith(report) for report in reports), message
