"""docs/figures/*.svg are what docs/figures.py draws."""

from __future__ import annotations

import pytest

from docs.figures import FIGURES, FOLDER


@pytest.mark.parametrize("name", FIGURES)
def test_the_picture_is_the_one_the_script_draws(name: str) -> None:
    drawn = (FOLDER / f"{name}.svg").read_text()
    assert drawn == FIGURES[name](), "run `python docs/figures.py`"
