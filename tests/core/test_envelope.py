"""All that a layer can be, through the RTL: groups, dilation, all roundings, cut or whole."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer, LayerCase, same_pads
from conv_core.models.packing import (
    DEPTHWISE_ROWS,
    block_words,
    column_phases,
    filter_groups,
    is_depthwise,
)
from conv_core.models.requantisation import result as expected_result
from conv_core.models.tiling import NotFittingError, plan
from conv_core.tb.runs.job import LayerResult
from conv_core.tb.runs.layers import run_layers
from conv_core.tb.stimuli.random_layers import Mix, random_cases
from tests.cases import case_of
from tests.known_results import known_results
from tests.onnx_oracles import case_of as onnx_case
from tests.onnx_oracles import node_tests

CONFIGS = {
    "4x4": CoreConfig.from_array("4x4"),
    "4x32": CoreConfig.from_array("4x32"),
    "32x4": CoreConfig.from_array("32x4"),
    "8x8": CoreConfig.from_array("8x8"),
    "16x16": CoreConfig.from_array("16x16"),
    "4x4 with the smallest buffers": CoreConfig.from_array(
        "4x4", act_bytes=16, wgt_words=16, const_words=16, out_bytes=64
    ),
    "8x8 with small buffers and narrow streams": CoreConfig.from_array(
        "8x8",
        act_bytes=256,
        wgt_words=32,
        const_words=32,
        out_bytes=128,
        act_stream_bytes=1,
        wgt_stream_bytes=2,
        out_stream_bytes=1,
    ),
}
QUICK = [name for name in CONFIGS if name not in ("4x4", "4x32")]
"""the others need builds that no other test shares"""
LAYERS = {"verilator": 60, "icarus": 6}
LONG_LAYERS = 300
MACS = {"verilator": 20_000, "icarus": 4_000}
MOST_PIECES = 20
"""of a layer: each takes as long as a small layer"""


def layers_for(
    config: CoreConfig, simulator: str, rng: np.random.Generator, count: int
) -> list[LayerCase]:
    """Random layers of the whole envelope that the core can compute in not too many pieces."""
    mix = Mix(
        max_macs=MACS[simulator],
        dilation=True,
        groups=True,
        float_rounding=True,
        single_rounding=True,
        weight_zero_points=True,
    )
    cases: list[LayerCase] = []
    rounds = 0
    while len(cases) < count:
        rounds += 1
        for case in random_cases(rng, count, mix):
            try:
                pieces = len(plan(case.layer, config))
            except NotFittingError:
                continue
            if pieces <= MOST_PIECES:
                cases.append(replace(case, name=f"{rounds}-{case.name}"))
    return cases[:count]


@pytest.mark.parametrize("name", QUICK)
def test_random_layers_equal_the_runtimes(name: str, simulator: str) -> None:
    assert_equal_to_the_runtimes(name, simulator, LAYERS[simulator], queue=simulator == "verilator")


@pytest.mark.long
@pytest.mark.parametrize("queue", [False, True], ids=["one by one", "queued"])
@pytest.mark.parametrize("name", CONFIGS)
def test_many_random_layers_equal_the_runtimes(name: str, queue: bool) -> None:
    assert_equal_to_the_runtimes(name, "verilator", LONG_LAYERS, queue=queue)


def assert_equal_to_the_runtimes(name: str, simulator: str, count: int, *, queue: bool) -> None:
    config = CONFIGS[name]
    rng = np.random.default_rng([count, *name.encode()])
    assert_known(layers_for(config, simulator, rng, count), config, simulator, rng, queue=queue)


def assert_known(
    cases: list[LayerCase],
    config: CoreConfig,
    simulator: str,
    rng: np.random.Generator,
    *,
    queue: bool = False,
) -> None:
    """The values are the runtimes', and the cycles those of the model, whether cut or whole."""
    known = known_results(cases, rng)
    results = run_layers([case for case, _ in known], config, simulator, queue=queue)
    assert len(results) == len(cases) > 0
    assert_passed(results)
    for (case, expected), result in zip(known, results, strict=True):
        assert result.values is not None
        assert result.values.dtype == expected.dtype
        assert np.array_equal(result.values, expected), case
        assert result.compared >= expected.size > 0
        assert result.cycles == result.cycles_model, case
        assert result.counters["cycles"] == result.cycles
        assert sum(result.counters.values()) == 2 * result.cycles, "the causes do not add up"


@pytest.mark.parametrize("name", ["8x8", pytest.param("16x16", marks=pytest.mark.long)])
def test_depthwise_layers_of_each_stride_and_dilation_equal_the_runtimes(name: str) -> None:
    """With one to five filters a channel; each of the core's ways to keep columns is among them."""
    rng = np.random.default_rng([73, *name.encode()])
    cases = []
    for stride, dilation in product(range(1, 5), repeat=2):
        for filters in (1, 2, 3, 4, 5):
            channels, dilations = int(rng.integers(2, 19)), (int(rng.integers(1, 5)), dilation)
            kernel, pads = rng.integers(1, 8, 2), rng.integers(0, 5, 4)
            window = (kernel - 1) * dilations + 1
            height, width = np.maximum(rng.integers(2, 21, 2), window - pads[:2] - pads[2:])
            layer = Layer(
                1, int(max(height, 1)), int(max(width, 1)), channels, channels * filters,
                (int(kernel[0]), int(kernel[1])), (int(rng.integers(1, 5)), stride), dilations,
                tuple(pads.tolist()), groups=channels,
            )  # fmt: skip
            cases.append(case_of(layer, rng, f"{stride} {dilation} {filters}"))
    assert_known(cases, CONFIGS[name], "verilator", rng)


FEW_WORDS = CoreConfig.from_array("4x4", act_bytes=2048, wgt_words=64)
"""A weight ring that goes round often; an activation buffer for long runs."""

FAR = {
    # Of a single window, so that the weights need not fit.
    "a run of 257 chunks": Layer(1, 1, 1, 1025, 5, (1, 1)),
    "a run of 300 chunks, the last one partial": Layer(1, 1, 3, 399, 2, (1, 3)),
    "4,369 weight words": Layer(1, 1, 1, 1025, 65, (1, 1), requantise=True),
}
DEEP = {
    f"depthwise, {rows} rows, {phases} phases": Layer(
        1, 9, 17, 6, 6, (rows, 3), dilation=(1, phases), pads=(2, 1, 1, 2), groups=6
    )
    for rows in (3, 4)
    for phases in (3, 4)
}


def test_long_runs_and_many_weight_words_equal_the_runtimes(simulator: str) -> None:
    rng = np.random.default_rng(74)
    cases = [case_of(layer, rng, name) for name, layer in FAR.items()]
    assert max(block_words(case.layer, FEW_WORDS) for case in cases) > 256
    words = [block_words(c.layer, FEW_WORDS) * filter_groups(c.layer, FEW_WORDS) for c in cases]
    assert max(words) > 4096
    assert_known(cases, FEW_WORDS, simulator, rng, queue=True)


def test_depthwise_layers_with_as_many_rows_and_phases_as_are_kept_equal_the_runtimes(
    simulator: str,
) -> None:
    rng = np.random.default_rng(75)
    for layer in DEEP.values():
        phases = column_phases(layer)
        assert is_depthwise(layer, FEW_WORDS)
        assert layer.kernel[0] in (DEPTHWISE_ROWS[phases] - 1, DEPTHWISE_ROWS[phases])
    cases = [case_of(layer, rng, name) for name, layer in DEEP.items()]
    assert_known(cases, FEW_WORDS, simulator, rng)


def test_onnx_node_tests_give_what_onnx_expects(simulator: str) -> None:
    cases = [onnx_case(test) for test in node_tests() if test.name != "test_qlinearconv"]
    assert len(cases) == 8
    for case, result in zip(cases, run_layers(cases, CONFIGS["8x8"], simulator), strict=True):
        assert result.passed, result.message
        assert np.array_equal(result.values, case.expected_acc), case.name


def test_a_layer_larger_than_every_buffer_is_cut_along_all_that_can_be_cut() -> None:
    """On 8x8 lanes: rows, weights, constants and a result pixel exceed their buffers."""
    config = CoreConfig.from_array(
        "8x8", act_bytes=512, wgt_words=64, const_words=32, out_bytes=128
    )
    layer = Layer(2, 9, 40, 16, 48, (3, 3), pads=same_pads((9, 40), (3, 3), (1, 1)))
    case = case_of(layer, np.random.default_rng(41), "large")
    pieces = plan(layer, config)
    assert len({piece.columns for piece in pieces}) > 1
    assert len({piece.channels for piece in pieces}) > 1
    (result,) = run_layers([case], config, "verilator")
    assert result.passed, result.message
    assert result.pieces == len(pieces)
    assert np.array_equal(result.values, expected_result(case))


LARGE = {
    "7x7x512 to 512": Layer(1, 7, 7, 512, 512, (3, 3), pads=(1, 1, 1, 1), requantise=True),
    "1x1x2048 to 1000": Layer(1, 1, 1, 2048, 1000, (1, 1), requantise=True),
    "640x480x3": Layer(1, 480, 640, 3, 8, (3, 3), (2, 2), pads=(0, 0, 1, 1), requantise=True),
}


def test_layers_of_networks_that_are_larger_than_the_buffers_are_right() -> None:
    rng = np.random.default_rng(42)
    cases = [case_of(layer, rng, name) for name, layer in LARGE.items()]
    results = run_layers(cases, CONFIGS["16x16"], "verilator")
    assert_passed(results)
    for case, result in zip(cases, results, strict=True):
        assert np.array_equal(result.values, expected_result(case)), case.name
        assert len(np.unique(result.values)) > 200
        assert result.cycles == result.cycles_model, case.name
    assert [result.pieces > 1 for result in results] == [True, False, False]


def assert_passed(results: list[LayerResult]) -> None:
    failed = [result.message for result in results if not result.passed]
    assert not failed, "\n".join([f"{len(failed)} of {len(results)} layers:", *failed[:5]])


def test_a_core_without_the_float_rule_computes_all_other_layers_and_refuses_those() -> None:
    config = CoreConfig.from_array("8x8", float_rule=0)
    mix = Mix(
        max_macs=20_000,
        groups=True,
        float_rounding=True,
        single_rounding=True,
        weight_zero_points=True,
    )
    cases = random_cases(np.random.default_rng(79), 30, mix)
    by_float = [case for case in cases if case.layer.rounding == "float"]
    others = [case for case in cases if case not in by_float]
    assert len(others) > 10
    for result in run_layers(others, config, "verilator"):
        assert result.passed, result.message
        assert result.cycles == result.cycles_model, result.name
    # That the core itself refuses such a layer is tested on layer_setup, tests/blocks.
    with pytest.raises(NotFittingError, match="built with FLOAT_RULE=0, without the rule 'float'"):
        run_layers(by_float[:1], config, "verilator")
