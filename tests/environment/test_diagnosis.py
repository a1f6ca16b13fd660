"""Wrong results are put down to the fault that gives them, and to no other.

The faults here are made of the models, not of the hypotheses: by another layer, another tensor, or
another order of the results' bytes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from conv_core.models.convolution import accumulate
from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer, LayerCase
from conv_core.models.requantisation import result
from conv_core.tb.checks.diagnosis import Diagnosis, Suspect, diagnose
from conv_core.tb.checks.hypotheses import HYPOTHESES, Recomputation
from conv_core.tb.stimuli.random_layers import Mix, question_case, random_cases
from tests.cases import case_of

CONFIG = CoreConfig(lanes_in=4, lanes_out=8, out_stream_bytes=4)
Results = NDArray[Any]


def example(*, requantise: bool = True, **fields: Any) -> LayerCase:
    """(2, 7, 6, 5) * (3, 3, 5, 12), stride (2, 1), results over the ends of int8."""
    rng = np.random.default_rng(50)
    geometry: dict[str, Any] = {
        "batch": 2,
        "height": 7,
        "width": 6,
        "in_channels": 5,
        "out_channels": 12,
        "kernel": (3, 3),
        "stride": (2, 1),
        "pads": (1, 1, 1, 1),
        "in_zp": -5,
        "out_zp": 11,
        "act_min": -90,
        "act_max": 100,
    }
    layer = Layer(**(geometry | fields), requantise=requantise)
    case = case_of(layer, rng, "example", bias=9000)
    if not requantise:
        return case
    return replace(case, shift=rng.integers(-10, -7, layer.out_channels, np.int32))


def with_layer(case: LayerCase, **fields: Any) -> LayerCase:
    return replace(case, layer=replace(case.layer, **fields))


def image_cut(case: LayerCase, **fields: Any) -> LayerCase:
    layer = replace(case.layer, **fields)
    return replace(case, layer=layer, x=case.x[:, : layer.height, : layer.width].copy())


def cropped(case: LayerCase, **fields: Any) -> Results:
    """The first results of a layer that has more of them than `case`."""
    _, oh, ow, _ = case.layer.out_shape
    return result(with_layer(case, **fields))[:, :oh, :ow]


def without_tap(case: LayerCase, ky: int, kx: int) -> LayerCase:
    w = case.w.copy()
    w[:, ky, kx] = 0
    return replace(case, w=w)


def padded_with_zero(case: LayerCase) -> Results:
    top, left, bottom, right = case.layer.pads
    x = np.pad(case.x, ((0, 0), (top, bottom), (left, right), (0, 0)))
    layer = replace(case.layer, height=x.shape[1], width=x.shape[2], pads=(0, 0, 0, 0))
    return result(replace(case, layer=layer, x=x))


def with_unsigned_weights(case: LayerCase) -> Results:
    """256 more for each weight below 0."""
    negative = replace(case, w=(case.w < 0).astype(np.int8), bias=np.zeros_like(case.bias))
    return accumulate(case) + 256 * accumulate(negative)


def goes_on(case: LayerCase, start: int) -> Results:
    """As if no accumulator of the eight lanes were ever cleared, that held `start` before."""
    n, oh, ow, _ = case.layer.out_shape
    sums = accumulate(case).astype(np.int64) - case.bias
    held = np.full(CONFIG.lanes_out, start)
    results = np.zeros_like(sums)
    for frame, row, first, column in np.ndindex(n, oh, 2, ow):
        block = slice(8 * first, 8 * first + 8)
        came = sums[frame, row, column, block]
        held[: came.size] += came
        results[frame, row, column, block] = held[: came.size]
    return (results + case.bias).astype(np.int32)


def beats_of(case: LayerCase) -> NDArray[np.uint8]:
    """(N, beats, bytes); the example's frames are whole beats."""
    return result(case).view(np.uint8).reshape(case.layer.batch, -1, CONFIG.out_stream_bytes)


def from_beats(case: LayerCase, beats: NDArray[np.uint8]) -> Results:
    return beats.reshape(-1).view(result(case).dtype).reshape(case.layer.out_shape)


def without_clamp(case: LayerCase) -> NDArray[np.int64]:
    """Results of the example in as many bits as they need: mult / 2^31 is at least a half."""
    assert case.mult is not None
    assert case.shift is not None
    real = accumulate(case) * case.mult.astype(np.float64) * 2.0 ** (case.shift - 31)
    return np.rint(real).astype(np.int64) + case.layer.out_zp


def dead(case: LayerCase, weights: NDArray[np.bool_]) -> LayerCase:
    """Some weights, OHWI, count nothing; their zero points are 0."""
    return replace(case, w=np.where(weights, 0, case.w).astype(np.int8))


def reads_0(case: LayerCase, weights: NDArray[np.bool_]) -> Results:
    """Some weights meet activations of 0; accumulators."""
    without_bias = replace(dead(case, ~weights), bias=np.zeros_like(case.bias))
    zeros = replace(without_bias, x=np.zeros_like(case.x))
    return accumulate(dead(case, weights)) + accumulate(zeros)


EXAMPLE = example()
ACCUMULATORS = example(requantise=False)
DILATED = example(dilation=(2, 2), stride=(1, 1))
SQUARE = example(height=6, stride=(1, 1))
GROUPED = example(in_channels=6, groups=3)
JOINED = example(in_channels=6, out_channels=6, groups=6)
ZERO_POINTS = replace(EXAMPLE, w_zp=np.arange(5, 5 + 7 * EXAMPLE.layer.out_channels, 7, np.int32))
BEFORE = example(in_zp=3)
BEFORE = replace(BEFORE, w=np.flip(BEFORE.w).copy(), bias=BEFORE.bias + 7)

LANES = np.broadcast_to((5 * np.arange(3)[:, None] + np.arange(5)) % 4, EXAMPLE.layer.weight_shape)
"""Four input lanes: a kernel row is three pixels of five channels, end to end."""
FILTERS = np.broadcast_to(np.arange(12)[:, None, None, None], EXAMPLE.layer.weight_shape)
ENDS_OF_GROUPS = np.zeros(GROUPED.layer.weight_shape, bool)
ENDS_OF_GROUPS[4:, :, :, 1] = True
"""In lane 3: a block holds two groups of two channels; the last block's begins a group early."""

FAULTS: dict[str, list[tuple[LayerCase, Callable[[LayerCase], Results]]]] = {
    "kernel flipped": [
        (EXAMPLE, lambda case: result(replace(case, w=case.w[:, ::-1, ::-1].copy()))),
        (ACCUMULATORS, lambda case: result(replace(case, w=case.w[:, ::-1].copy()))),
    ],
    "height and width swapped": [
        (SQUARE, lambda case: result(replace(case, x=case.x.transpose(0, 2, 1, 3).copy()))),
        (SQUARE, lambda case: result(replace(case, w=case.w.transpose(0, 2, 1, 3).copy()))),
        (EXAMPLE, lambda case: cropped(case, stride=(1, 2), pads=(1, 1, 1, 6))),
    ],
    "channel order": [
        (EXAMPLE, lambda case: result(replace(case, x=case.x[..., ::-1].copy()))),
        (EXAMPLE, lambda case: result(case)[..., ::-1]),
    ],
    "channels of another group": [
        (GROUPED, lambda case: result(replace(case, x=case.x[..., [0, 1, 0, 1, 0, 1]]))),
        (GROUPED, lambda case: result(replace(case, x=case.x[..., [0, 3, 1, 4, 2, 5]]))),
        # The core computes four channels of this one at a time, then two.
        (JOINED, lambda case: result(replace(case, x=case.x[..., [0, 1, 2, 3, 0, 1]]))),
        (JOINED, lambda case: result(replace(case, x=case.x[..., [0, 1, 2, 3, 2, 3]]))),
    ],
    "padding off by one": [
        (EXAMPLE, lambda case: result(with_layer(case, pads=(2, 1, 0, 1)))),
        (EXAMPLE, lambda case: result(with_layer(case, pads=(0, 1, 2, 1)))),
        (EXAMPLE, lambda case: result(with_layer(case, pads=(1, 2, 1, 0)))),
        (ACCUMULATORS, lambda case: result(with_layer(case, pads=(1, 0, 1, 2)))),
        (EXAMPLE, lambda case: result(image_cut(case, height=6, pads=(1, 1, 2, 1)))),
        (EXAMPLE, lambda case: result(image_cut(case, width=5, pads=(1, 1, 1, 2)))),
    ],
    "stride ignored": [(EXAMPLE, lambda case: cropped(case, stride=(1, 1)))],
    "dilation ignored": [
        (DILATED, lambda case: cropped(case, dilation=(1, 1))),
        (DILATED, lambda case: cropped(case, dilation=(1, 2))),
        (DILATED, lambda case: cropped(case, dilation=(2, 1))),
    ],
    "pad value 0 in place of the zero point": [(EXAMPLE, padded_with_zero)],
    "tap missing": [
        (EXAMPLE, lambda case: result(without_tap(case, 0, 2))),
        (
            EXAMPLE,
            lambda case: result(without_tap(without_tap(without_tap(case, 1, 0), 1, 1), 1, 2)),
        ),
    ],
    "input zero point forgotten": [(EXAMPLE, lambda case: result(with_layer(case, in_zp=0)))],
    "output zero point forgotten": [(EXAMPLE, lambda case: result(with_layer(case, out_zp=0)))],
    "weights taken as unsigned": [(ACCUMULATORS, with_unsigned_weights)],
    "activations taken as unsigned": [
        (
            ACCUMULATORS,
            lambda case: (
                accumulate(case)
                + 256
                * (
                    accumulate(replace(with_layer(case, in_zp=0), x=(case.x < 0).astype(np.int8)))
                    - case.bias
                )
            ),
        ),
    ],
    "accumulator too narrow": [
        (ACCUMULATORS, lambda case: accumulate(case).astype(np.int16).astype(np.int32)),
    ],
    "accumulator not cleared": [
        (ACCUMULATORS, lambda case: goes_on(case, 12345)),
        (
            ACCUMULATORS,
            lambda case: (
                (accumulate(case) - case.bias).reshape(-1).cumsum().reshape(case.layer.out_shape)
                + case.bias
            ).astype(np.int32),
        ),
    ],
    "wrap in place of saturate": [(EXAMPLE, lambda case: without_clamp(case).astype(np.int8))],
    "clamp missing": [
        (EXAMPLE, lambda case: result(with_layer(case, act_min=-128, act_max=127))),
        (EXAMPLE, lambda case: result(with_layer(case, act_max=127))),
    ],
    "rounding rule": [
        (
            EXAMPLE,
            lambda case: np.clip(
                (
                    accumulate(case).astype(object)
                    * case.mult.astype(object)  # type: ignore[union-attr]
                    // 2 ** (31 - case.shift.astype(object))
                    + case.layer.out_zp
                ),  # type: ignore[union-attr]
                case.layer.act_min,
                case.layer.act_max,
            ).astype(np.int8),
        ),
    ],
    "bias missing": [(EXAMPLE, lambda case: result(replace(case, bias=0 * case.bias)))],
    "bias of another channel": [
        (EXAMPLE, lambda case: result(replace(case, bias=np.roll(case.bias, 1)))),
        (ACCUMULATORS, lambda case: result(replace(case, bias=np.roll(case.bias, -1)))),
    ],
    "multiplier of another channel": [
        (EXAMPLE, lambda case: result(replace(case, mult=np.roll(case.mult, -1)))),  # type: ignore[arg-type]
    ],
    "shift of another channel": [
        (EXAMPLE, lambda case: result(replace(case, shift=np.roll(case.shift, 1)))),  # type: ignore[arg-type]
    ],
    "zero points of the weights forgotten": [
        (ZERO_POINTS, lambda case: result(replace(case, w_zp=np.zeros_like(case.w_zp)))),
        (ZERO_POINTS, lambda case: result(replace(case, w_zp=np.full_like(case.w_zp, 5)))),
    ],
    "weights of the previous layer": [(EXAMPLE, lambda case: result(replace(case, w=BEFORE.w)))],
    "output beats swapped": [
        (
            EXAMPLE,
            lambda case: from_beats(
                case, beats_of(case).reshape(2, -1, 2, CONFIG.out_stream_bytes)[:, :, ::-1]
            ),
        ),
    ],
    "input lane dead": [
        (EXAMPLE, lambda case: result(dead(case, LANES == 3))),
        (ACCUMULATORS, lambda case: reads_0(case, LANES == 1)),
        (GROUPED, lambda case: result(dead(case, ENDS_OF_GROUPS))),
        # Depthwise, the activation buffer's four lanes are four channels.
        (JOINED, lambda case: result(dead(case, FILTERS[:6, :, :, :1] % 4 == 1))),
    ],
    "multiplier dead": [
        (EXAMPLE, lambda case: result(dead(case, (LANES == 2) & (FILTERS == 5)))),
        (ACCUMULATORS, lambda case: result(dead(case, (LANES == 0) & (FILTERS % 8 == 1)))),
    ],
    "output beats duplicated": [
        (EXAMPLE, lambda case: from_beats(case, beats_of(case)[:, [0, *range(71)]])),
        (EXAMPLE, lambda case: from_beats(case, beats_of(case)[:, [0, 1, *range(70)]])),
    ],
}


def diagnosed(case: LayerCase, got: Results) -> Diagnosis:
    return diagnose(case, got, CONFIG, BEFORE)


def test_every_hypothesis_is_tested_and_there_are_enough() -> None:
    assert FAULTS.keys() == HYPOTHESES.keys()
    assert len(HYPOTHESES) >= 20


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_and_no_other_is(name: str) -> None:
    for case, fault in FAULTS[name]:
        got = fault(case)
        diagnosis = diagnosed(case, got)
        assert diagnosis.names == {name}, str(diagnosis)
        assert name in str(diagnosis)


def test_every_form_of_every_hypothesis_is_found_on_random_layers() -> None:
    mix = Mix(
        max_macs=3_000, dilation=True, groups=True, float_rounding=True, weight_zero_points=True
    )
    cases = random_cases(np.random.default_rng(51), 11, mix)
    found = set()
    for case in cases:
        before = replace(case, w=np.flip(case.w).copy())
        layer = Recomputation(case, ~result(case), CONFIG, before)
        assert np.array_equal(layer.right, result(case))
        for name, hypothesis in HYPOTHESES.items():
            forms = [got for _, got in hypothesis(layer) if (got != layer.right).any()]
            for got in forms[:2]:
                diagnosis = diagnose(case, got, CONFIG, before)
                assert name in diagnosis.names, (case.name, name)
                found.add(name)
    assert found == HYPOTHESES.keys()


def test_the_dead_lane_and_the_dead_multiplier_are_told() -> None:
    lane = diagnosed(EXAMPLE, result(dead(EXAMPLE, LANES == 3)))
    assert str(lane).endswith("input lane dead (lane 3 adds nothing)")
    multiplier = diagnosed(EXAMPLE, result(dead(EXAMPLE, (LANES == 2) & (FILTERS % 8 == 1))))
    assert str(multiplier).endswith("multiplier dead (input lane 2, output lane 1)")


def test_many_suspects_are_grouped_by_kind_and_few_are_not() -> None:
    """Of a single tap of a single channel there is little to tell apart."""
    only = example(in_channels=1, kernel=(1, 1), pads=(0, 0, 0, 0), in_zp=0, requantise=False)
    nothing = np.broadcast_to(only.bias, only.layer.out_shape)
    few = Diagnosis((Suspect("a", "x"), Suspect("b", "y"), Suspect("b", "")), "", 3)
    header = "this is what any of these faults would give:"
    assert str(few).splitlines() == [header, "  a (x)", "  b (y)", "  b"]
    many = replace(few, suspects=(*few.suspects, Suspect("b", "z")), untried=("c",))
    assert str(many).splitlines() == [header, "  a (x)", "  b, 3 forms", "no time was left for: c"]
    lines = str(diagnosed(only, nothing)).splitlines()
    assert lines[0] == header
    assert {"  tap missing", "  input lane dead (lane 0 adds nothing)"} <= set(lines)


def test_nothing_is_said_of_dimensions_of_size_1() -> None:
    sizes = {"batch": 1, "height": 1, "width": 1, "out_channels": 1, "kernel": (1, 1)}
    single = example(**sizes, stride=(1, 1), pads=(0, 0, 0, 0), requantise=False)
    text = str(diagnosed(single, result(single) + 1000))
    assert text.endswith("; wrong are 1 of 1 values: always +1000")
    row = example(**(sizes | {"width": 4, "out_channels": 3}), pads=(0, 0, 0, 0))
    got = result(row).copy()
    got[0, 0, 2, 1] ^= 64
    text = str(diagnosed(row, got))
    assert "columns 2 of 4, channels 1 of 3" in text
    assert "frame" not in text
    assert "row" not in text


def test_what_no_hypothesis_gives_is_described() -> None:
    got = result(EXAMPLE).copy()
    got[1, 2:, 0, 3] ^= 64
    text = str(diagnosed(EXAMPLE, got))
    assert f"none of {len(HYPOTHESES)} single faults gives these results" in text
    assert "wrong are 2 of 576 values" in text
    for words in ("frames 1 of 2", "rows 2-3 of 4", "columns 0 of 6", "channels 3 of 12"):
        assert words in text
    assert "lanes 3 of 8" in text
    assert "2 of 144 beats, the first is 108" in text


def test_a_wrong_end_is_described_by_its_first_beat() -> None:
    got = result(EXAMPLE).copy()
    got[1, 1:] = -128 - (got[1, 1:] == -128)
    text = str(diagnosed(EXAMPLE, got))
    assert "rows 1-3 of 4" in text
    assert "every beat from 90 on" in text


def test_results_that_are_right_or_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="nothing wrong"):
        diagnosed(EXAMPLE, result(EXAMPLE))
    with pytest.raises(ValueError, match="shape"):
        diagnosed(EXAMPLE, result(EXAMPLE)[:1])


def test_the_layer_of_the_question_takes_seconds() -> None:
    for requantise in (True, False):
        case = question_case(np.random.default_rng(52), requantise)
        case = with_layer(case, act_min=-128, act_max=127)
        started = time.monotonic()
        diagnosis = diagnose(case, result(replace(case, w=case.w[:, :, ::-1].copy())), CONFIG)
        assert time.monotonic() - started < 5
        assert diagnosis.names == {"kernel flipped"}
        assert not diagnosis.untried


def test_what_there_was_no_time_for_is_said() -> None:
    got = result(with_layer(EXAMPLE, in_zp=0))
    diagnosis = diagnose(EXAMPLE, got, CONFIG, seconds=0)
    assert "no time was left for" in str(diagnosis)
