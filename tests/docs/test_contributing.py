"""docs/contributing.md names what is there."""

from __future__ import annotations

import importlib.util
import re

from conv_core.tb.paths import ROOT

PAGE = (ROOT / "docs" / "contributing.md").read_text()


def test_every_file_and_folder_is_there() -> None:
    folders = {"tb", "rtl", "tests", "models", "conv_core"}
    named = [name for name in re.findall(r"`([\w./-]+)`", PAGE) if name.split("/")[0] in folders]
    assert len(named) > 15
    for name in named:
        assert (ROOT / name).exists(), name


def test_every_module_that_is_run_is_there() -> None:
    modules = re.findall(r"python -m ([\w.]+)", PAGE)
    assert len(modules) == 5
    for module in modules:
        assert importlib.util.find_spec(module) is not None, module


def test_every_target_is_one_of_make() -> None:
    targets = set(re.findall(r"make ([a-z]+)\b", PAGE))
    makefile = (ROOT / "Makefile").read_text()
    assert len(targets) >= 4
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
