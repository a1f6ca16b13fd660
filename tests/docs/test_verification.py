"""docs/verification.md lists what the code has."""

from __future__ import annotations

import re
from pathlib import Path

from tb.rules import RULES

PAGE = (Path(__file__).parents[2] / "docs" / "verification.md").read_text()


def test_every_rule_is_listed_with_its_number_and_its_words() -> None:
    rows = re.findall(r"^\| (\d+) \| `([\w-]+)` \| (.*) \|$", PAGE, re.MULTILINE)
    assert rows == [(str(rule.number), rule.name, rule.broken) for rule in RULES]
