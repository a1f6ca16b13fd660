"""The scoreboard's verdicts, without a simulator: each condition is shown red."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from conv_core.models.convolution import accumulate
from conv_core.models.layer import Layer, LayerCase
from conv_core.models.requantisation import result
from conv_core.tb.checks.scoreboard import ResultFormat, judge
from tests.cases import HALF, case_of

BEAT = 4


def two_frames(*, requantise: bool) -> LayerCase:
    """(3, 3, 2) * (1, 1, 2, 5) -> (3, 3, 5), two frames: a frame's last int8 beat is partial."""
    layer = Layer(2, 3, 3, 2, 5, (1, 1), requantise=requantise)
    return case_of(layer, np.random.default_rng(50), mult=HALF, shift=-7)


def beats_of(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """The bytes of the result beats, each frame filled up to whole beats."""
    frames = [np.frombuffer(np.ascontiguousarray(frame).tobytes(), np.uint8) for frame in values]
    return np.concatenate([np.pad(frame, (0, -frame.size % BEAT)) for frame in frames])


@pytest.mark.parametrize("requantise", [True, False])
def test_what_is_right_passes_with_every_value_compared(requantise: bool) -> None:
    case = two_frames(requantise=requantise)
    verdict = judge(case, beats_of(result(case)), BEAT)
    assert verdict.text() == ""
    assert verdict.compared == np.prod(case.layer.out_shape)
    assert np.array_equal(verdict.values, result(case))


@pytest.mark.parametrize("requantise", [True, False])
def test_a_wrong_value_is_named(requantise: bool) -> None:
    case = two_frames(requantise=requantise)
    values = result(case).copy()
    values[1, 2, 0, 3] ^= 1
    verdict = judge(case, beats_of(values), BEAT)
    assert verdict.wrong == 1
    assert "1 of 90 values differ from the model" in verdict.text()
    beat = 12 + 8 if requantise else 45 + 33
    assert f"frame 1, row 2, column 0, channel 3, beat {beat}: " in verdict.text()
    expected, got = int(result(case)[1, 2, 0, 3]), int(values[1, 2, 0, 3])
    assert f"expected {expected}, got {got}" in verdict.text()
    assert "wrong in channels 3 " in verdict.text()
    assert "  ...\n  ...\n  -.." in verdict.text()


def test_the_time_of_the_first_wrong_beat_is_named() -> None:
    case = two_frames(requantise=True)
    verdict = judge(case, beats_of(-1 - result(case)), BEAT)
    assert verdict.first_wrong_beat == 0
    assert "beat 0, 123 ns: " in verdict.at_time(123).text()


def test_nothing_compared_fails() -> None:
    verdict = judge(two_frames(requantise=True), np.zeros(0, np.uint8), BEAT)
    assert verdict.compared == 0
    assert "nothing was compared" in verdict.text()
    assert "24 of 24 beats are missing, the first is beat 0" in verdict.text()
    assert verdict.values is None


def test_missing_beats_fail_and_the_rest_is_compared() -> None:
    case = two_frames(requantise=True)
    verdict = judge(case, beats_of(result(case))[: 20 * BEAT], BEAT)
    assert "4 of 24 beats are missing, the first is beat 20: " in verdict.text()
    assert "frame 1, row 2, column 0, channel 2" in verdict.text()
    assert verdict.compared == 45 + 32
    assert verdict.wrong == 0
    assert verdict.values is None


@pytest.mark.parametrize("requantise", [True, False])
def test_a_single_missing_beat_fails(requantise: bool) -> None:
    case = two_frames(requantise=requantise)
    data = beats_of(result(case))
    beats = data.size // BEAT
    verdict = judge(case, data[:-BEAT], BEAT)
    assert f"1 of {beats} beats are missing, the first is beat {beats - 1}: " in verdict.text()
    assert verdict.compared == 90 - 1
    assert verdict.values is None


def test_a_single_beat_too_many_fails() -> None:
    case = two_frames(requantise=True)
    data = np.concatenate([beats_of(result(case)), np.zeros(BEAT, np.uint8)])
    assert "1 beats too many came, behind the last of 24" in judge(case, data, BEAT).text()


def test_beats_too_many_fail() -> None:
    case = two_frames(requantise=True)
    data = np.concatenate([beats_of(result(case)), np.zeros(2 * BEAT, np.uint8)])
    assert "2 beats too many came" in judge(case, data, BEAT).text()


def test_what_others_found_fails() -> None:
    case = two_frames(requantise=True)
    verdict = judge(case, beats_of(result(case)), BEAT, other_problems=["a rule was broken"])
    assert verdict.text() == "a rule was broken"


def test_expected_results_of_the_file_are_compared() -> None:
    case = two_frames(requantise=True)
    wrong = result(case).copy()
    wrong[0, 1, 1, 4] ^= 1
    verdict = judge(replace(case, expected_y=wrong), beats_of(result(case)), BEAT)
    assert "1 of 90 values differ from the file's y" in verdict.text()
    assert "frame 0, row 1, column 1, channel 4" in verdict.text()
    assert judge(replace(case, expected_y=result(case)), beats_of(result(case)), BEAT)

    case = two_frames(requantise=False)
    wrong_acc = accumulate(case).copy()
    wrong_acc[1, 0, 0, 0] += 1
    verdict = judge(replace(case, expected_acc=wrong_acc), beats_of(result(case)), BEAT)
    assert "differ from the file's acc" in verdict.text()


def test_accumulators_of_a_file_that_do_not_belong_to_its_layer_fail() -> None:
    case = two_frames(requantise=True)
    wrong = accumulate(case).copy()
    wrong[0, 0, 1, 0] += 1
    verdict = judge(replace(case, expected_acc=wrong), beats_of(result(case)), BEAT)
    assert "the file's acc is not what the layer gives in 1 values" in verdict.text()


def test_the_difference_map_shrinks_large_images() -> None:
    rng = np.random.default_rng(51)
    layer = Layer(1, 64, 64, 1, 2, (1, 1))
    case = case_of(layer, rng, "large")
    values = result(case).copy()
    values[0, :4, :, :] += 1
    picture = judge(case, beats_of(values), BEAT).picture.splitlines()
    assert "4x2 places a character" in picture[0]
    assert picture[1] == "  " + "#" * 32
    assert picture[2:] == ["  " + "." * 32] * 15


def test_beats_and_places_agree() -> None:
    layout = ResultFormat(two_frames(requantise=False).layer, BEAT)
    assert layout.beats == 90
    assert [layout.beat_of(v) for v in (0, 1, 44, 45)] == [0, 1, 44, 45]
    wide = ResultFormat(two_frames(requantise=True).layer, 16)
    assert wide.beats == 6
    assert [wide.beat_of(v) for v in (0, 15, 16, 44, 45)] == [0, 0, 1, 2, 3]
