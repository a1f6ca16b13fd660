"""`make plan`: its cycles are those of the RTL, its area is close to what Yosys makes.

The areas are those of `python -m conv_core.tools.areas`, in models/plan/areas.csv.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
import pytest

from conv_core.commands.cli import main
from conv_core.models.core_config import CoreConfig
from conv_core.models.cycles import RepeatingQueue, cycles_limit, limits, queue_model
from conv_core.models.layer import Layer
from conv_core.models.networks import mobilenet_v1, resnet50
from conv_core.models.plan import area, planner
from conv_core.models.plan.area import Area, Measured, area_of, measured, multipliers
from conv_core.models.plan.clocks import PAGE, clock_of
from conv_core.models.plan.devices import DEVICES, DeviceError, device_named
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
@pytest.mark.parametrize("act_bytes", [65536, pytest.param(1024, marks=pytest.mark.long)])
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


@pytest.mark.parametrize("array", ["4x4", "8x8", "16x16", "32x32"])
def test_a_core_is_planned_for_in_two_seconds(array: str) -> None:
    """Of processor time, ResNet-50; 0.3 s to 1.3 s when this was written."""
    started = time.process_time()
    planned(resnet50(), CoreConfig.from_array(array))
    assert time.process_time() - started <= 2.0


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
    deep = {"deep": Layer(1, 4, 4, 4096, 8, (4, 4))}
    found = planned(deep, CoreConfig.from_array("8x8", act_bytes=1024))
    assert found.refused.startswith("deep: ")
    assert "raise ACT_BYTES to " in found.refused


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


@pytest.mark.parametrize("core", [each for each in measured() if each.role == "check"], ids=str)
def test_the_fit_is_within_ten_per_cent_of_cores_that_it_has_not_seen(core: Measured) -> None:
    """As `python -m conv_core.tools.areas check` has measured them."""
    found = area_of(core.config, "ecp5")
    assert found.luts == pytest.approx(core.area.luts, rel=0.1)
    assert found.flip_flops == pytest.approx(core.area.flip_flops, rel=0.1)
    assert (found.memories, found.multipliers) == (core.area.memories, core.area.multipliers)


def test_xilinx_takes_the_share_of_the_page() -> None:
    """Of each of its arrays, within two per cent of what it says of ECP5."""
    page = re.findall(r"^\| (\d+x\d+) \| (\w+) [^|]*\| ([\d,]+) \|", PAGE.read_text(), re.MULTILINE)
    luts = {(array, maker): int(count.replace(",", "")) for array, maker, count in page}
    for array in ("4x4", "8x8", "16x16"):
        config = CoreConfig.from_array(array)
        ratio = area_of(config, "xc7").luts / area_of(config, "ecp5").luts
        assert ratio == pytest.approx(luts[array, "Xilinx"] / luts[array, "Lattice"], rel=0.02)


def test_what_a_device_has_too_little_of_is_named() -> None:
    device = device_named(" ECP5-25 ")
    assert Area(24_288, 24_288, 56, 28).missing(device) == []
    assert Area(24_289, 24_289, 57, 29).missing(device) == ["LUT", "flip-flops", "RAM", "DSP"]
    assert Area(1, 1, 57, 1).missing(device) == ["RAM"]
    with pytest.raises(DeviceError, match="ecp5-85, xc7a15t"):
        device_named("ecp5-99")


def test_devices_are_named_once() -> None:
    names = [device.name for device in DEVICES]
    assert len(set(names)) == len(names)


def test_the_clock_is_that_of_the_page_and_of_no_other_array_or_family() -> None:
    assert f"| {clock_of(CoreConfig.from_array('8x8'), 'ecp5')} |" in PAGE.read_text()
    assert clock_of(CoreConfig.from_array("16x8"), "ecp5") is None
    assert clock_of(CoreConfig.from_array("8x8"), "xc7") is None


# ---------------------------------------------------------------- the command
def test_the_command_shows_cores_layers_and_what_fits(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "ARRAYS", ("8x8", "16x16"))
    assert main(["plan", "mobilenet", "--device", "ecp5-85"]) == 0
    said = capsys.readouterr().out
    config = CoreConfig.from_array("8x8")
    found = planned(mobilenet_v1(), config)
    clock = clock_of(config, "ecp5")
    assert clock is not None
    line = next(each for each in said.splitlines() if f"{found.cycles:,}" in each)
    assert f"{1e6 * clock / found.cycles:.1f} " in line
    assert " yes " in line
    assert "no: " in next(each for each in said.splitlines() if "16x16" in each)
    assert "the layers that cost most, 8x8 lanes" in said
    assert "where the cycles go: products" in said


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "there is no network: MODEL is a .tflite file, resnet50 or mobilenet"),
        (["nothing.tflite"], "MODEL: nothing.tflite is neither a file nor one of the networks"),
        (["mobilenet", "--device", "x"], "DEVICE: there is no device 'x'; those that are known:"),
    ],
)
def test_what_can_not_be_planned_is_one_sentence(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", *words]) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_a_file_that_is_no_model_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(b"no model")
    assert main(["plan", str(path)]) == 1
    said = capsys.readouterr().err
    assert str(path) in said
    assert said.count("\n") == 1
