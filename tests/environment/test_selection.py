"""What the pages say to run with `pytest -k` is there, under the name of what it tests."""

from __future__ import annotations

import re

from conv_core.tb.paths import ROOT

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
TESTS = [path.stem for path in (ROOT / "tests").rglob("test_*.py")]


def test_every_word_to_select_tests_by_finds_some() -> None:
    words = [word for page in PAGES for word in re.findall(r"pytest -k (\w+)", page.read_text())]
    assert words
    for word in words:
        assert f"test_{word}" in TESTS, f"pytest -k {word} finds no test of that name"
