"""docs/networks.md: its figures are those of the shapes, of the model and of the goals."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conv_core.models.core_config import CoreConfig
from conv_core.models.cycles import cycles_limit
from conv_core.models.networks import CLASSIFIER, NETWORKS
from conv_core.tools.networks import ARRAYS, modelled

PAGE = (Path(__file__).parents[2] / "docs" / "networks.md").read_text()
GOALS = {"ResNet-50 v1.5": 1.01, "MobileNet v1": 0.83}
"""utilisation of 16x16 lanes by the convolutions"""


MEASURED = "16x16"
"""the array of the goals; on the others a layer may have the model alone"""


def table(network: str) -> dict[str, list[list[int]]]:
    """By layer, for each array: limit, model, measured; 0 for what was not measured."""
    (section,) = re.findall(rf"^## {re.escape(network)}\n(.*?)(?=\n## |\Z)", PAGE, re.M | re.S)
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if "->" in line]
    return {
        name: [[_number(cell) for cell in cells[i : i + 3]] for i in (0, 3, 6)]
        for name, _, *cells in rows
    }


def _number(cell: str) -> int:
    return 0 if cell == "-" else int(cell.replace(",", ""))


@pytest.mark.parametrize("network", NETWORKS)
def test_every_layer_has_its_limit_and_took_what_the_model_says(network: str) -> None:
    layers, rows = NETWORKS[network](), table(network)
    assert rows.keys() == layers.keys()
    for name, layer in layers.items():
        for array, (limit, model, measured) in zip(ARRAYS, rows[name], strict=True):
            assert limit == cycles_limit(layer, CoreConfig.from_array(array)), (name, array)
            assert model > 0, (name, array)
            assert measured == model or (measured == 0 and array != MEASURED), (name, array)


def test_the_page_is_of_this_core() -> None:
    """By the model, which every run of the RTL is compared with."""
    network, array = "MobileNet v1", "16x16"
    rows = table(network)
    for row in modelled(network, CoreConfig.from_array(array)):
        assert rows[row.name][ARRAYS.index(array)][1] == row.model, "make networks writes it anew"


@pytest.mark.parametrize("network", NETWORKS)
def test_the_goals_are_met(network: str) -> None:
    layers, rows = NETWORKS[network](), table(network)
    names = [name for name in layers if name != CLASSIFIER]
    macs = sum(layers[name].macs for name in names)
    cycles = sum(rows[name][ARRAYS.index("16x16")][2] for name in names)
    assert macs / (256 * cycles) >= GOALS[network]
    assert f"| {macs / (256 * cycles):.4f} |" in PAGE


def test_the_networks_are_those_that_everybody_knows() -> None:
    """Multiply-accumulates and weights as published, without biases."""
    for network, gmacs, mweights in (("ResNet-50 v1.5", 4.09, 25.5), ("MobileNet v1", 0.57, 4.2)):
        layers = NETWORKS[network]().values()
        assert sum(layer.macs for layer in layers) / 1e9 == pytest.approx(gmacs, abs=0.01)
        weights = sum(layer.macs // (layer.out_height * layer.out_width) for layer in layers)
        assert weights / 1e6 == pytest.approx(mweights, abs=0.1)
