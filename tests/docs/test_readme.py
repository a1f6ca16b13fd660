"""The tables of README.md are complete."""

from __future__ import annotations

import re
from pathlib import Path

from models.layer_file import FIELDS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
FIRST_CELLS = re.findall(r"^\| (`[^|]*`) \|", README, re.MULTILINE)
NAMES = {name for cell in FIRST_CELLS for name in re.findall(r"`(\w+)`", cell)}


def test_every_field_of_a_layer_file_is_described() -> None:
    assert set(FIELDS) - {"scale"} <= NAMES  # `scale` stands beside `rounding`
    assert "`scale`" in README


def test_every_option_of_make_is_described() -> None:
    options = re.search(r"^OPTIONS := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert options is not None
    for option in options[1].split():
        assert f"`{option}`" in README or f"{option}=" in README, option
