"""Scenarios: what goes wrong in them is seen, shrunk, kept and replayed."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from conv_core.commands import cli, last_run
from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer, LayerCase
from conv_core.models.layer_files import read_layer
from conv_core.tb.runs.builds import FILE_LIST, rtl_files
from conv_core.tb.runs.exploration import explore, play, play_all, search
from conv_core.tb.runs.job import LayerResult
from conv_core.tb.stimuli.scenario import Disturbance, Record, Scenario, load, save
from conv_core.tb.stimuli.stalls import Traffic
from conv_core.tb.stimuli.strategies import Space
from conv_core.tb.waves import view as waves
from tests.bugs.rare import (
    EFFECTS,
    FEW_MACS,
    MOST_LAYERS,
    Condition,
    RareBug,
    draw,
    plant,
)
from tests.cases import HALF, case_of

CONFIG = CoreConfig.from_array("4x4", act_bytes=128, wgt_words=64, const_words=32, out_bytes=64)
"""Small, so that Icarus starts soon."""
RARE_SEED = 4
PLANTED = ("+planted=1",)
LAYER = Layer(1, 3, 3, 5, 6, (2, 2), requantise=True)


def named(name: str) -> LayerCase:
    rng = np.random.default_rng([110, *name.encode()])
    return case_of(LAYER, rng, name, mult=HALF, shift=-8)


def scenario(kind: str | None = None, amount: int = 0) -> Scenario:
    disturbance = Disturbance(named("disturbed"), kind, amount) if kind else None
    layers = (named("1"), named("2"))
    return Scenario(layers, Traffic("light", 5), queue=True, disturbance=disturbance)


def record_of(each: Scenario, simulator: str = "icarus") -> Record:
    return Record(each, CONFIG, simulator, seed=111)


def assert_passed(results: list[LayerResult]) -> None:
    assert results
    assert all(result.passed and result.compared for result in results), results


TOO_SHORT = scenario("activations", -20)
TOO_LONG = scenario("activations", 41)
SHORT_WEIGHTS = scenario("weights", -8)
NO_KERNEL = scenario("KERNEL", 0x11110200)
RESET = scenario("reset", 300)


def played(scenarios: list[Scenario], *changes: tuple[str, str]) -> list[list[LayerResult]]:
    """On Icarus, on a core with other texts in conv_core.v."""
    with tempfile.TemporaryDirectory() as folder:
        sources = changed_core(Path(folder), *changes)
        return play_all(scenarios, CONFIG, "icarus", 111, rtl_sources=sources)


def changed_core(folder: Path, *changes: tuple[str, str]) -> list[Path]:
    shutil.copytree(FILE_LIST.parent, folder / "rtl")
    core = folder / "rtl" / "conv_core.v"
    text = core.read_text()
    for before, after in changes:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    core.write_text(text)
    return list(rtl_files(folder / "rtl" / FILE_LIST.name))


def test_behind_disturbances_layers_are_right() -> None:
    scenarios = [TOO_SHORT, TOO_LONG, SHORT_WEIGHTS, NO_KERNEL, RESET, scenario()]
    for results in played(scenarios):
        assert [result.name for result in results] == ["1", "2"]
        assert_passed(results)


def test_an_error_that_is_not_reported_or_has_another_name_is_seen() -> None:
    undisturbed, *disturbed = played(
        [scenario(), TOO_SHORT, SHORT_WEIGHTS, NO_KERNEL],
        (".act_error    (act_error)", ".act_error    (3'd0)"),
        (".wgt_error    (wgt_error)", ".wgt_error    (wgt_error << 1)"),
        (".setup_error  (setup_error)", ".setup_error  (17'd0)"),
    )
    assert_passed(undisturbed)
    another = "ERROR reads 13 (WGT_TLAST_LATE), detail 0, expected WGT_TKEEP or WGT_TLAST_EARLY"
    nothing = "no error is reported: STATUS"
    for results, words in zip(disturbed, (nothing, another, nothing), strict=True):
        assert not results[0].passed
        assert f"layer disturbed: {words}" in results[0].message


ENTRY = "u_act_stream (\n        .clk      (clk),\n        .rst      "


def test_a_halted_core_that_takes_nothing_is_seen() -> None:
    undisturbed, disturbed = played(
        [scenario(), TOO_LONG],
        (f"{ENTRY}(rst_q),", f"{ENTRY}(core_rst),"),
    )
    assert_passed(undisturbed)
    assert "halted, the core does not take what is sent: STATUS" in disturbed[0].message


def test_a_reset_that_does_not_reset_all_is_seen() -> None:
    undisturbed, disturbed = played(
        [scenario(), RESET],
        (
            "wire core_rst = rst_q || halted;",
            "reg began = 1'b0; always @(posedge clk) began <= began || layer_end === 1'b1;\n"
            "    wire core_rst = (rst_q && !began) || halted;",
        ),
    )
    assert_passed(undisturbed)
    assert any(not result.passed for result in disturbed)


def test_a_scenario_is_kept_whole(tmp_path: Path) -> None:
    record = record_of(scenario("weights", -3), "verilator")
    save(tmp_path / "failure", record)
    again = load(tmp_path / "failure")
    assert replace(again, scenario=record.scenario) == record
    assert again.scenario.traffic == record.scenario.traffic
    assert again.scenario.queue
    assert str(again.scenario) == str(record.scenario)
    for case, kept in zip(record.scenario.layers, again.scenario.layers, strict=True):
        assert np.array_equal(case.w, kept.w)
    assert read_layer(tmp_path / "failure" / "1.npz").layer == LAYER


def test_a_kept_scenario_is_replayed_by_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_run, "FILE", tmp_path / "last_run.json")
    record = record_of(scenario("reset", 60))
    save(tmp_path / "failure", record)
    assert cli.main(["replay", str(tmp_path / "failure"), "--waves"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(str(record.scenario))
    assert "PASS: 2 of 2 right" in said
    last = json.loads((tmp_path / "last_run.json").read_text())
    assert last["arguments"] == ["replay", str(tmp_path / "failure")]
    assert (Path(last["folder"]) / waves.FILE).stat().st_size > 0
    assert (Path(last["folder"]) / waves.VIEW).exists()
    assert cli.main(["replay", str(tmp_path)]) == 1
    assert "there is no scenario.json in this folder" in capsys.readouterr().err


def test_a_small_scenario_gets_smaller_where_sizes_must_be_exchanged(
    simulator: str, tmp_path: Path
) -> None:
    """Two steps of a window make it red. Five channels on four lanes do; one by one, none goes."""
    (effect,) = (each for each in EFFECTS if each.name == "each step ends a window")
    sources = plant([RareBug((Condition("1'b1"),), "", effect)], tmp_path)
    found = search(
        CONFIG, simulator, 200, 1, space=Space(CONFIG, 60), rtl_sources=sources, plus_args=PLANTED
    )
    assert found.first is not None
    assert found.smallest is not None
    assert all(case.layer.macs <= 60 for case in found.first.layers)
    (case,) = found.smallest.layers
    assert case.layer.macs == 2
    assert max(case.layer.kernel) == 2


@pytest.mark.long
def test_a_bug_that_needs_a_rare_layer_is_found_and_shrinks(tmp_path: Path) -> None:
    config = CoreConfig.from_array("4x4")
    (bug,) = bugs = draw(RARE_SEED, 1, config)
    sources = plant(bugs, tmp_path)
    exploration = explore(
        config, "verilator", MOST_LAYERS, 112, rtl_sources=sources, plus_args=PLANTED
    )
    print(f"bugs of seed {RARE_SEED}: {bug}\n{exploration}")
    smallest, folder = exploration.found.smallest, exploration.folder
    assert smallest is not None
    assert folder is not None
    assert smallest.macs < FEW_MACS
    assert f"make replay FAILURE=build/failures/{folder.name} WAVES=1" in str(exploration)
    kept = load(folder)
    assert str(kept.scenario) == str(smallest)
    again = play(kept, rtl_sources=sources, plus_args=PLANTED)
    assert [each.message for each in again] == [each.message for each in exploration.replayed]
    assert_passed(play(kept, rtl_sources=sources))
