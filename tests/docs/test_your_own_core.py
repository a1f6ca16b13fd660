"""docs/your-own-core.md: the page's own commands and listings, from an empty folder on."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from conv_core.tb.bench.drivers import CoreDriver, Planner
from conv_core.tb.paths import ROOT

PAGE = (ROOT / "docs" / "your-own-core.md").read_text()
COMMANDS = [shlex.split(line) for line in re.findall(r"^    (conv-core .*)$", PAGE, re.MULTILINE)]
MARK = "    // Your core goes here"


def listing(language: str) -> str:
    (text,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(text)


def run(words: list[str], folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def as_python(command: list[str]) -> list[str]:
    assert command[0] == "conv-core"
    return ["conv_core", *command[1:]]


def begin(folder: Path, *change: str) -> None:
    """The core of the page, with one text of its listing changed."""
    assert run(as_python(COMMANDS[0]), folder)[0] == 0
    core = folder / "my_core" / "my_core.v"
    before, mark, _ = core.read_text().partition(MARK)
    assert mark
    text = listing("verilog")
    if change:
        assert text.count(change[0]) > 0
        text = text.replace(*change)
    core.write_text(before + text)
    (folder / "my_core" / "driver.py").write_text(listing("python"))


def test_the_table_has_every_method_of_a_driver() -> None:
    rows = re.findall(r"^\| (`[^|]*`) \|", PAGE, re.MULTILINE)
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    methods = [n for base in (CoreDriver, Planner) for n, v in vars(base).items() if callable(v)]
    assert sorted(listed) == sorted({"limits", *(n for n in methods if not n.startswith("_"))})


def test_the_page_has_four_commands() -> None:
    assert [words[1] for words in COMMANDS] == ["new", "regress", "regress", "regress"]


def test_the_empty_core_is_told_that_it_takes_nothing(tmp_path: Path) -> None:
    assert run(as_python(COMMANDS[0]), tmp_path)[0] == 0
    status, said = run(as_python(COMMANDS[1]), tmp_path)
    assert status == 1
    assert "wrong after 1 layers" in said
    assert "hung: the core never started, it takes no input" in said
    assert run(as_python(COMMANDS[0]), tmp_path)[1] == "error: my_core: this is there already\n"


def test_the_finished_core_passes_by_the_pages_commands(tmp_path: Path) -> None:
    begin(tmp_path)
    for command in COMMANDS[2:]:
        status, said = run(as_python(command), tmp_path)
        assert status == 0, said
        layers = re.search(r"PASS: (\d+) layers", said)
        assert layers is not None
        assert int(layers[1]) >= int(command[command.index("--layers") + 1])


CHANGES = {
    "x + kx": ("x + ky", "values differ from the model"),
    "tlast  = last_result": ("tlast  = 1'b0", "tlast is missing at the end of the packet"),
    "bias[0]": ("32'd0", "values differ from the model"),
}


@pytest.mark.parametrize("was", CHANGES)
def test_what_the_page_changes_is_found(was: str, tmp_path: Path) -> None:
    becomes, sentence = CHANGES[was]
    begin(tmp_path, was, becomes)
    status, said = run(as_python(COMMANDS[3]), tmp_path)
    assert status == 1
    assert sentence in said
    assert "make replay FAILURE=" in said


def test_a_layer_that_the_core_cannot_do_is_refused(tmp_path: Path) -> None:
    begin(tmp_path)
    code = (
        "import numpy as np; np.savez('padded.npz', x=np.ones((1, 5, 5, 2), np.int8), "
        "w=np.ones((3, 3, 3, 2), np.int8), padding='same')"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    status, said = run(
        ["conv_core", "run", "padded.npz", "--dut", "my_core/core.toml", "--out", "out"], tmp_path
    )
    assert status == 1
    assert "padded.npz: pads: this core knows no padding" in said
