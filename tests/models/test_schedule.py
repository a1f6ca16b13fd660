"""The blocks of rows and columns, by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conv_core.models.core_config import CoreConfig
from conv_core.models.cycles.loops import Loops
from conv_core.models.layer import Layer
from conv_core.models.packing import filter_groups
from conv_core.models.schedule import Window, band_windows, schedule, window_number, windows

QUESTION = Layer(1, 11, 11, 64, 64, (3, 3), pads=(1, 1, 1, 1), requantise=True)


def bands(layer: Layer, config: CoreConfig) -> tuple[int, int, bool]:
    """(column block, rows of a band, is it the only one)"""
    plan = schedule(layer, config)
    return plan.column_block, plan.band_rows, plan.single_band


@pytest.mark.parametrize(
    ("array", "rows"),
    [("4x4", 1), ("8x8", 2), ("16x16", 4), ("32x32", 8), ("16x8", 2), ("8x32", 8)],
)
def test_a_band_has_two_windows_for_each_beat_of_a_weight_word_of_all_lanes(
    array: str, rows: int
) -> None:
    assert bands(QUESTION, CoreConfig.from_array(array)) == (11, rows, False)


def test_a_narrower_weight_stream_makes_higher_bands() -> None:
    config = CoreConfig(wgt_stream_bytes=4)
    assert band_windows(config) == 128
    assert bands(QUESTION, config) == (11, 11, True)
    assert bands(replace(QUESTION, batch=2), config) == (11, 11, False)


def test_weights_that_do_not_fit_make_bands_as_high_as_results_and_activations_allow() -> None:
    layer = Layer(1, 64, 8, 64, 1024, (1, 1), requantise=True)
    small = {"wgt_words": 64, "act_bytes": 8192, "out_bytes": 1 << 17}
    config = CoreConfig(**small)  # 64 blocks of 4 words
    assert filter_groups(layer, config) == 64
    assert bands(layer, config) == (8, 4, False)  # a row and 2 * 8 more are 8,704 bytes
    assert bands(layer, replace(config, act_bytes=16384)) == (8, 8, False)  # 64 KiB of results
    assert bands(layer, CoreConfig(**small | {"wgt_words": 256})) == (8, 4, False)  # 32 windows
    assert bands(layer, CoreConfig(**small | {"wgt_words": 256, "const_words": 64})) == bands(
        layer, config
    )


def test_results_limit_a_band_to_half_of_their_buffer() -> None:
    config = CoreConfig(out_bytes=1024)  # 44 pixels of 11 bytes are 484, 88 would be 968
    layer = replace(QUESTION, out_channels=11)
    assert bands(layer, config) == (11, 4, False)
    assert bands(replace(layer, out_channels=12), config) == (11, 2, False)
    assert bands(replace(layer, requantise=False), config) == (11, 1, False)


def test_strides_and_the_rows_of_a_window_count_in_the_activation_buffer() -> None:
    layer = Layer(1, 60, 4, 16, 16, (3, 3), dilation=(2, 1), pads=(2, 1, 2, 1), requantise=True)
    room = 64 * (5 + 2 * 8)  # a row has 64 bytes, the windows of a band of 8 rows need these
    for stride, rows in (((1, 1), 8), ((2, 1), 4), ((4, 1), 2)):
        config = CoreConfig(act_bytes=2048)
        assert room <= 2048 < 64 * (5 + 2 * 16)
        assert bands(replace(layer, stride=stride), config) == (4, rows, False)


def test_rows_wider_than_half_of_the_result_buffer_are_halved() -> None:
    layer = Layer(1, 9, 51, 4, 64, (1, 1), requantise=True)
    plan = schedule(layer, CoreConfig(out_bytes=1024))
    assert (plan.column_block, plan.halvings, plan.band_rows) == (7, 3, 1)
    one = schedule(replace(layer, out_channels=900), CoreConfig(out_bytes=1024))
    assert (one.column_block, one.halvings, one.band_rows, one.single_band) == (1, 6, 1, False)


def test_what_has_to_be_in_the_buffers_together() -> None:
    config = CoreConfig(wgt_stream_bytes=4)
    batch = schedule(replace(QUESTION, batch=2), config)
    assert (batch.whole_words, batch.whole_constants) == (4 * 36, 4 * 10)
    single = schedule(QUESTION, config)
    assert (single.whole_words, single.whole_constants) == (36, 0)
    window = schedule(Layer(1, 3, 3, 64, 64, (3, 3)), config)
    assert (window.whole_words, window.whole_constants) == (0, 0)


@pytest.mark.parametrize("name", ["ordinary", "batch", "columns", "groups", "depthwise"])
def test_windows_come_in_the_order_of_the_loops(name: str) -> None:
    layer, config = {
        "ordinary": (QUESTION, CoreConfig()),
        "batch": (replace(QUESTION, batch=2, height=7), CoreConfig.from_array("8x8")),
        "columns": (replace(QUESTION, requantise=False), CoreConfig(out_bytes=1024)),
        "groups": (replace(QUESTION, in_channels=6, out_channels=20, groups=2), CoreConfig()),
        "depthwise": (replace(QUESTION, out_channels=64, groups=64), CoreConfig.from_array("8x8")),
    }[name]
    walked = [
        Window(each.frame, row, column, group)
        for each in Loops.of(layer, config).passes()
        for group in each.groups
        for row in each.rows
        for column in each.columns
    ]
    assert windows(layer, config, range(len(walked))) == walked
    assert windows(layer, config, range(17, 40)) == walked[17:40]
    assert [window_number(layer, config, window) for window in walked] == list(range(len(walked)))
