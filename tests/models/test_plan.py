"""`make plan`: its cycles are those of the RTL, its area is close to what Yosys makes.

The areas are those of `python -m conv_core.tools.areas`, in models/plan/areas.csv.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

from conv_core.models.core_config import CoreConfig
from conv_core.models.cycles import RepeatingQueue, cycles_limit, limits, queue_model
from conv_core.models.layer import Layer
from conv_core.models.networks import mobilenet_v1, resnet50
from conv_core.models.plan import area
from conv_core.models.plan.area import multipliers
from conv_core.models.plan.clocks import PAGE
from conv_core.models.plan.planner import planned
from conv_core.models.tiling import plan
from conv_core.tb.runs.layers import run_layers
from conv_core.tb.stimuli.random_layers import Mix, random_cases

SEED = 20
LAYERS = 50
MIX = Mix(max_macs=60_000, dilation=True, groups=True, float_rounding=True)
MAPPED = re.findall(
    r"^\| (\d+x\d+) \| (Lattice ECP5|Xilinx 7-series) \|[^|]*\|[^|]*\|[^|]*\| (\d+) \| (\d+) \|$",
    PAGE.read_text(),
    re.MULTILINE,
)
"""of docs/synthesis.md: array, family, block memories, multipliers"""


# ---------------------------------------------------------------- cycles
@pytest.mark.parametrize("act_bytes", [65536, 1024])
def test_the_cycles_are_those_of_the_rtl(act_bytes: int) -> None:
    """With the smaller buffer, many layers are cut into pieces."""
    cases = random_cases(np.random.default_rng([SEED, act_bytes]), LAYERS, MIX)
    config = CoreConfig.from_array("8x8", act_bytes=act_bytes)
    able = [case for case in cases if _fits(case.layer, config)]
    assert len(able) >= LAYERS // 2

    results = run_layers(able, config, "verilator", queue=True, seed=SEED)
    found = planned({str(n): case.layer for n, case in enumerate(able)}, config)

    assert all(result.passed for result in results)
    assert [each.cycles for each in found.layers] == [result.cycles for result in results]
    assert [each.pieces for each in found.layers] == [result.pieces or 1 for result in results]


def _fits(layer: Layer, config: CoreConfig) -> bool:
    return not planned({"layer": layer}, config).refused


@pytest.mark.parametrize("array", ["8x8", "16x32"])
@pytest.mark.parametrize("seed", range(3))
def test_layers_that_come_again_are_remembered_as_they_were(array: str, seed: int) -> None:
    """Random queues of a few layers, on small buffers, in which all of them come many times."""
    rng = np.random.default_rng([21, seed])
    config = CoreConfig.from_array(array, act_bytes=2048, wgt_words=128, out_bytes=1024)
    some = [case.layer for case in random_cases(rng, 12, MIX)]
    some = [layer for layer in some if _fits(layer, config)][:5]
    pieces = [[piece.layer for piece in plan(layer, config)] for layer in some]
    queue = [piece for n in rng.integers(len(some), size=60) for piece in pieces[n]]
    known = RepeatingQueue(config)
    assert known.cycles(queue) == queue_model(queue, config)
    assert known.followed < len(queue)


@pytest.mark.parametrize("array", ["8x8", "32x32"])
def test_networks_take_what_the_model_without_memory_says(array: str) -> None:
    config = CoreConfig.from_array(array)
    for network in (resnet50, mobilenet_v1):
        layers = network()
        queue = [piece.layer for layer in layers.values() for piece in plan(layer, config)]
        found = planned(layers, config)
        assert found.cycles == sum(queue_model(queue, config))
        assert found.pieces == len(queue)


def test_causes_are_all_the_cycles_and_limits_their_parts() -> None:
    config = CoreConfig.from_array("8x8", act_bytes=32768)
    layers = mobilenet_v1()
    found = planned(layers, config)
    assert sum(found.causes.values()) == found.cycles
    for each in found.layers:
        assert sum(each.causes.values()) == each.cycles
        assert each.limit == cycles_limit(each.layer, config)
        assert limits(each.layer, config)[each.limited_by] == each.limit
    assert found.layers[-1].limited_by == "weights"  # fully connected: each is used once
    by_cycles = sorted((each.cycles for each in found.layers), reverse=True)
    assert [each.cycles for each in found.costliest(3)] == by_cycles[:3]


def test_what_can_not_be_cut_is_refused_with_the_parameter_to_raise() -> None:
    wide = {"wide": Layer(1, 1, 1, 8, 4096, (1, 1))}
    found = planned(wide, CoreConfig.from_array("8x8", out_bytes=128, const_words=128))
    assert found.refused == "" or found.refused.startswith("wide: ")
    deep = {"deep": Layer(1, 4, 4, 4096, 8, (4, 4))}
    assert "ACT_BYTES" in planned(deep, CoreConfig.from_array("8x8", act_bytes=1024)).refused


# ---------------------------------------------------------------- area
@pytest.mark.parametrize(("array", "family", "memories", "count"), MAPPED)
def test_memories_and_multipliers_are_those_of_the_page(
    array: str, family: str, memories: str, count: str
) -> None:
    config = CoreConfig.from_array(array)
    key = "ecp5" if "ECP5" in family else "xc7"
    assert area.memories(config, key) == int(memories)
    assert multipliers(config) == int(count)


def test_the_page_has_three_arrays_of_two_families() -> None:
    assert len(MAPPED) == 6
