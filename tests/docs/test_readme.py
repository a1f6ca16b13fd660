"""README.md: its figures are measured, its tables are complete."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer, LayerCase, same_pads
from conv_core.models.layer_files import FIELDS
from conv_core.tb.runs.layers import run_layers

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
NUMBERS = r"\((\d+), (\d+), (\d+)\) \* \((\d+), (\d+), \d+, (\d+)\) -> [^|]*?(?:stride (\d))? "
FIGURES = re.findall(
    rf"^\| {NUMBERS}\| (\w+) \| ([\d,]+) \| ([\d,]+) \| ([\d.]+) % \|$", README, re.MULTILINE
)


def case_of(row: tuple[str, ...]) -> LayerCase:
    """Random data for a layer of the table."""
    height, width, cin, kh, kw, cout, stride = (int(number or 1) for number in row[:7])
    strides = (stride, stride)
    pads = same_pads((height, width), (kh, kw), strides)
    layer = Layer(1, height, width, cin, cout, (kh, kw), strides, pads=pads, requantise=True)
    rng = np.random.default_rng(1)
    return LayerCase(
        str(layer),
        layer,
        rng.integers(-128, 128, layer.in_shape, np.int8),
        rng.integers(-128, 128, layer.weight_shape, np.int8),
        rng.integers(-1000, 1000, cout, np.int32),
        mult=np.full(cout, 1 << 30, np.int32),
        shift=np.full(cout, -8, np.int32),
    )


@pytest.mark.parametrize("array", ["8x8", "16x16", "32x32"])
def test_the_figures_are_those_of_the_rtl(array: str) -> None:
    rows = [row for row in FIGURES if row[7] == array]
    results = run_layers([case_of(row) for row in rows], CoreConfig.from_array(array), "verilator")
    assert len(results) > 0
    for row, result in zip(rows, results, strict=True):
        assert result.passed, result.message
        assert result.efficiency is not None
        measured = (
            f"{result.cycles:,}",
            f"{result.cycles_limit:,}",
            f"{100 * result.efficiency:.1f}",
        )
        assert measured == row[8:], result.name


def test_every_row_of_figures_is_measured() -> None:
    assert len(FIGURES) == README.count("| (") == 7


def test_every_field_of_a_layer_file_is_described() -> None:
    first_cells = re.findall(r"^\| (`[^|]*`) \|", README, re.MULTILINE)
    described = {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}
    assert set(FIELDS) - {"scale"} <= described  # `scale` stands beside `rounding`
    assert "`scale`" in README


def test_every_option_of_make_is_described() -> None:
    done = subprocess.run(["make", "NONE=1"], cwd=ROOT, capture_output=True, text=True, check=False)
    options = re.search(r"there is no option NONE; the options are ([A-Z_ ]+)\.", done.stderr)
    assert options is not None
    for option in options[1].split():
        assert f"`{option}`" in README or f"{option}=" in README, option
