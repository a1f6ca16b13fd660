"""The cycles around a wrong beat: what a report shows of them, as text and as a picture."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from conv_core.models.convolution import accumulate
from conv_core.models.layer import LayerCase
from conv_core.models.requantisation import result
from conv_core.tb.checks.scoreboard import Place, ResultFormat
from conv_core.tb.core.format import Format
from conv_core.tb.core.signals import CoreSignals
from conv_core.tb.runs.exploration import play
from conv_core.tb.runs.job import LayerResult
from conv_core.tb.runs.layers import run_layers
from conv_core.tb.runs.pieces import CutLayer
from conv_core.tb.stimuli.scenario import Record, Scenario
from conv_core.tb.stimuli.stalls import Traffic
from conv_core.tb.waves.cut import Cut, Row, svg
from conv_core.tb.waves.explain import lane_of
from conv_core.tb.waves.signals import all_groups
from conv_core.tb.waves.watch import read_recording
from tests.bugs.bugs import CONFIG, TRAFFIC, layers, load

BUGS = {bug.name: bug for bug in load()}
ARRAY = "it went wrong in the array or before"
AFTER = "which is right: it went wrong after that"
SAMPLE = {
    "09_pad_left_one_less": (["ordinary"], ARRAY),
    "33_high_half_rounds_down": (["dilated"], AFTER),
    "36_weights_of_the_previous_layer": (["tall", "tall again"], ""),
    "65_depthwise_rows_share_a_memory": (["depthwise"], ARRAY),
}
"""Layers that show a bug, and what the report says of where the value went wrong."""
EXTRA_SECONDS = 5.0
PATIENT = 600.0
"""seconds: other tests may be slow beside this one"""
SVG = "{http://www.w3.org/2000/svg}"


def explained(results: list[LayerResult]) -> tuple[LayerResult, Cut]:
    """The first wrong layer, which must have a cut."""
    wrong = next(result for result in results if not result.passed)
    assert wrong.cut is not None, wrong.message
    return wrong, wrong.cut


def shown(cut: Cut, label: str) -> str:
    """What a signal shows in the cycle of the beat."""
    (row,) = (row for row in cut.rows if row.label == label)
    return row.cells[cut.wrong]


def assert_shows_the_wrong_beat(wrong: LayerResult, cut: Cut, case: LayerCase) -> None:
    """The beat of the report, taken in that cycle, with the values that came out of the RTL."""
    assert wrong.message.endswith(cut.text())
    assert len(cut.times) == 16
    assert max(map(len, cut.text().splitlines())) <= 100
    assert ">0<" in cut.text()
    beat = int(re.search(r"; the first in .*, beat (\d+)", wrong.message)[1])  # type: ignore[index]
    assert shown(cut, "out beat") == str(beat)
    assert shown(cut, "out tvalid") == shown(cut, "out tready") == "1"
    layout = ResultFormat(case.layer, CONFIG.out_stream_bytes)
    assert wrong.values is not None
    frame, within = divmod(beat, layout.frame_beats)
    step = layout.beat_bytes // layout.value_bytes
    values = wrong.values[frame].reshape(-1)[within * step : (within + 1) * step]
    kind = f"int{8 * layout.value_bytes}"
    for number, value in enumerate(values):
        cell = shown(cut, f"{kind} {number}")
        # On Icarus a value may be X, which Python reads as 0.
        assert cell == str(value) or (cell == "x" and "is X in a valid beat" in wrong.message)
    assert (values != result(case)[frame].reshape(-1)[within * step : (within + 1) * step]).any()


def run_bug(name: str, cases: list[LayerCase], simulator: str, folder: Path) -> LayerResult | None:
    """The layers meet traffic until one is wrong, as in tests/bugs; the first that is."""
    sources = BUGS[name].apply(folder)
    for stall, queue in TRAFFIC:
        results = run_layers(
            cases, CONFIG, simulator, stall=stall, queue=queue, rtl_sources=sources, explain=PATIENT
        )
        for case, first in zip(cases, results, strict=True):
            if not first.passed:
                if first.mismatches and first.values is not None:
                    assert_shows_the_wrong_beat(*explained(results), case)
                return first
    return None


def sample(name: str) -> list[LayerCase]:
    return [case for case in layers() if case.name in SAMPLE[name][0]]


@pytest.mark.parametrize("name", SAMPLE)
def test_the_report_of_a_bug_shows_the_wrong_beat_and_where_its_value_went_wrong(
    name: str, tmp_path: Path
) -> None:
    wrong = run_bug(name, sample(name), "icarus", tmp_path)
    assert wrong is not None
    assert wrong.cut is not None
    assert SAMPLE[name][1] in wrong.message.replace("\n    ", " ")


def test_the_report_of_a_bug_shows_the_wrong_beat_on_verilator(tmp_path: Path) -> None:
    name = "33_high_half_rounds_down"
    wrong = run_bug(name, sample(name), "verilator", tmp_path)
    assert wrong is not None
    assert wrong.cut is not None
    assert AFTER in wrong.message.replace("\n    ", " ")


@pytest.mark.long
@pytest.mark.parametrize("name", BUGS)
def test_the_report_of_every_bug_shows_the_wrong_beat(name: str, tmp_path: Path) -> None:
    assert run_bug(name, layers(), "icarus", tmp_path) is not None


def test_without_being_asked_nothing_is_run_again(tmp_path: Path) -> None:
    sources = BUGS["26_bias_missing"].apply(tmp_path)
    (wrong,) = run_layers(layers()[:1], CONFIG, "icarus", rtl_sources=sources)
    assert not wrong.passed
    assert wrong.cut is None


def test_the_cut_costs_less_than_5_seconds(simulator: str) -> None:
    case = layers()[0]
    wrong = result(case).copy()
    wrong[0, 4, 5, 11] ^= 1
    case = replace(case, expected_y=wrong)
    spent = {}
    for explain in (PATIENT, 0.0, PATIENT):  # the first one builds
        spent[explain] = -sum(used())
        run_layers([case], CONFIG, simulator, explain=explain)
        spent[explain] += sum(used())
    assert spent[PATIENT] - spent[0.0] < EXTRA_SECONDS


def used() -> tuple[float, float]:
    """Processor time of this process and its children: what others do does not change it."""
    import resource

    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return tuple(u.ru_utime + u.ru_stime for u in map(resource.getrusage, whose))  # type: ignore[return-value]


# -------------------------------------------------------------------------------- their origin
def test_the_sum_of_every_value_is_found_where_it_left_the_array(tmp_path: Path) -> None:
    cases, watched = layers(), CoreSignals(CONFIG)
    path = tmp_path / "recording.txt"
    results = run_layers(cases, CONFIG, "icarus", plus_args=[f"+cut={path}"], out_dir=tmp_path)
    assert all(each.passed for each in results)
    recording = read_recording(path, all_groups(CONFIG, watched))
    before = 0
    for case in (piece for each in cases for piece in CutLayer.of(each, Format(CONFIG)).pieces):
        sums = (accumulate(case) - case.bias).astype(np.int32)
        for at in np.ndindex(*case.layer.out_shape):
            vector, lane = watched.vector_of(case.layer, Place(*at))
            left_ns, hexadecimal = recording.vectors[before + vector]
            assert lane_of(hexadecimal, lane) == sums[at] == watched.sum_of(case, Place(*at)), (
                case.name,
                at,
            )
            assert recording.windows[before + vector] < left_ns
        before += watched.vectors(case.layer)
    assert before == len(recording.vectors) == len(recording.windows)


def test_a_layer_in_pieces_is_explained_in_the_piece_that_is_wrong() -> None:
    base = layers()[2]
    rng = np.random.default_rng(130)
    layer = replace(base.layer, height=4, width=4, in_channels=16, stride=(1, 1), pads=(0, 0, 0, 0))
    case = replace(
        base,
        layer=layer,
        x=rng.integers(-128, 128, layer.in_shape, np.int8),
        w=rng.integers(-128, 128, layer.weight_shape, np.int8),
    )
    acc = accumulate(case).copy()
    acc[0, 1, 1, 7] += 1
    (wrong,) = run_layers([replace(case, expected_acc=acc)], CONFIG, "icarus", explain=PATIENT)
    assert wrong.pieces > 1
    _, cut = explained([wrong])
    (beat,) = re.findall(r"; the first in .*, beat (\d+)", wrong.message)  # within its piece
    assert shown(cut, "out beat") == beat
    assert f"cycles around result beat {beat};" in cut.title
    got = int(acc[0, 1, 1, 7]) - 1
    assert f"expected {got + 1}, got {got}" in cut.notes[0]
    assert f"as {got - int(case.bias[7])}, from which the model makes the same" in cut.notes[1]


def test_a_layer_that_is_right_on_its_own_is_explained_in_the_whole_run(tmp_path: Path) -> None:
    sources = BUGS["52_zero_point_of_the_next_layer"].apply(tmp_path)
    cases = [case for case in layers() if case.name in ("ordinary", "large")]
    (alone,) = run_layers(cases[:1], CONFIG, "icarus", rtl_sources=sources)
    assert alone.passed
    results = run_layers(cases, CONFIG, "icarus", queue=True, rtl_sources=sources, explain=PATIENT)
    wrong, cut = explained(results)
    assert wrong is results[0]
    assert not cut.alone
    assert cut.times[cut.wrong] == wrong.first_wrong_ns
    assert_shows_the_wrong_beat(wrong, cut, cases[0])


def test_a_scenario_is_explained(tmp_path: Path) -> None:
    sources = BUGS["26_bias_missing"].apply(tmp_path)
    case = layers()[0]
    record = Record(Scenario((case,), Traffic("light", 5), queue=False), CONFIG, "icarus", 131)
    results = play(record, explain=PATIENT, rtl_sources=sources)
    wrong, cut = explained(results)
    assert_shows_the_wrong_beat(wrong, cut, case)
    assert cut.times[cut.wrong] == wrong.first_wrong_ns


# -------------------------------------------------------------------------------- text and picture
def cut_by_hand() -> Cut:
    rows = (
        Row("valid", ("0", "1", "1", "x"), "results", bit=True),
        Row("value", ("", "-2147483648", "7", "x"), "results"),
        Row("never", ("", "", "", ""), "results"),
        Row("state", ("a<b", "a<b", "", "c"), "array"),
    )
    return Cut("four cycles", (15, 25, 35, 45), 1, rows, ("a note " * 30,))


def test_the_text_keeps_to_its_width_and_leaves_out_what_shows_nothing() -> None:
    whole = cut_by_hand().text()
    assert "cycle          -1         >0<           1           2" in whole.splitlines()[1]
    assert "value             -2147483648           7           x" in whole
    assert "valid           .           1           1           x" in whole
    assert "never" not in whole
    narrow = cut_by_hand().text(width=40)
    assert max(map(len, narrow.splitlines())) <= 40
    assert len(re.findall(r"cycle ", narrow)) == 2
    assert narrow.split().count("note") == 30


def test_the_picture_shows_the_same_and_marks_the_cycle_of_the_beat() -> None:
    cut = cut_by_hand()
    root = ElementTree.fromstring(svg(cut))
    texts = [text.text for text in root.iter(f"{SVG}text")]
    for word in ("results", "array", "valid", "value", "-2147483648", "a<b", "-1", "0", "2"):
        assert word in texts
    assert texts.count("a<b") == 1  # one box for both cycles
    (mark,) = root.iter(f"{SVG}rect")
    (head,) = (text for text in root.iter(f"{SVG}text") if text.text == "0")
    left, wide = float(mark.attrib["x"]), float(mark.attrib["width"])
    assert left < float(head.attrib["x"]) < left + wide
    unknown = [path for path in root.iter(f"{SVG}path") if path.get("class") == "unknown"]
    assert len(unknown) == 1
    assert left + wide <= float(root.attrib["width"])
