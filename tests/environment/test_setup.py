"""What `make setup` installs is written down in full, and `make` refuses what it does not know."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def test_every_package_that_is_needed_is_pinned() -> None:
    lines = re.findall(r"^([\w.-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    pinned = {canonicalize_name(name) for name in lines}
    needed = {
        canonicalize_name(requirement.name)
        for name in pinned
        for requirement in map(Requirement, importlib.metadata.requires(name) or ())
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    }
    assert needed <= pinned


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("STAL=heavy",), "there is no option STAL"),
        (("regres",), "there is no target regres"),
        (("LAYER=a.npz",), "LAYER does nothing for make question"),
        (("lint", "SIM=verilator"), "SIM does nothing for make lint"),
        (("replay",), "FAILURE= names one"),
        (("question", "SEED=abc"), "SEED (--seed): 'abc' is not a whole number"),
        (("run", "GUI=1"), "make waves shows the last run"),
    ],
)
def test_make_refuses_what_it_does_not_know(words: tuple[str, ...], sentence: str) -> None:
    done = subprocess.run(["make", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert sentence in done.stderr


def test_make_help_lists_every_target() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    refused = subprocess.run(
        ["make", "none"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    targets = re.search(r"there is no target none; the targets are (.*)\.  Stop", refused.stderr)
    assert targets is not None
    listed = re.findall(r"^  make (\w+)", done.stdout, re.MULTILINE)
    assert sorted(listed) == sorted(targets[1].split())
