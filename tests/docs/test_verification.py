"""docs/verification.md lists what the code has."""

from __future__ import annotations

import re
from pathlib import Path

from tb.rules import RULES
from tb.stalls import ORDERS, PROFILES

PAGE = (Path(__file__).parents[2] / "docs" / "verification.md").read_text()


def test_every_rule_is_listed_with_its_number_and_its_words() -> None:
    rows = re.findall(r"^\| (\d+) \| `([\w-]+)` \| (.*) \|$", PAGE, re.MULTILINE)
    assert rows == [(str(rule.number), rule.name, rule.broken) for rule in RULES]


def test_every_profile_is_listed() -> None:
    table = PAGE[PAGE.index("| profile |") :]
    cells = re.findall(r"^\| (`[^|]*`) \|", table, re.MULTILINE)
    assert [n for cell in cells for n in re.findall(r"`([\w-]+)`", cell)] == [*PROFILES, *ORDERS]
