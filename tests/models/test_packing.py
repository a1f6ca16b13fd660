"""Packing against bytes by hand, and against a slow second reading of docs/driving-the-core.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer, LayerCase
from conv_core.models.packing import (
    FilterBlock,
    block_span,
    block_words,
    constant_words,
    filter_blocks,
    filter_groups,
    is_depthwise,
    pack_activations,
    pack_weights,
    result_bytes,
    unpack_results,
    weight_runs,
)
from conv_core.tb.stimuli.random_layers import Mix, random_cases

DOCUMENT = Path(__file__).parents[2] / "docs" / "driving-the-core.md"
ARRAYS = ("4x4", "4x8", "8x8", "16x16", "32x4", "4x32")


def little_endian(value: int, size: int) -> list[int]:
    return list((int(value) % 256**size).to_bytes(size, "little"))


def depthwise_by_the_document(layer: Layer, li: int) -> bool:
    if layer.in_channels != layer.groups or layer.groups == 1 or layer.kernel[1] > min(li, 11):
        return False
    if layer.out_channels not in (layer.groups, 2 * layer.groups, 4 * layer.groups):
        return False
    p = Fraction(layer.dilation[1], layer.stride[1]).numerator
    return layer.kernel[0] <= (16 if p == 1 else 8 if p == 2 else 4)


def blocks_by_the_document(layer: Layer, li: int, lo: int) -> Iterator[tuple[list[int], int, int]]:
    """For every block: its filters, its first input channel, and the channels that it reads."""
    groups, cin = layer.groups, layer.in_channels
    cg, og = cin // groups, layer.out_channels // groups
    if groups == 1 or og > lo:
        for group in range(groups):
            filters = list(range(group * og, group * og + og))
            for first in range(0, og, lo):
                yield filters[first : first + lo], group * cg, cg
        return
    depthwise = depthwise_by_the_document(layer, li)
    together = 1
    while 2 * together * og <= lo and 2 * together <= groups:
        if depthwise and 2 * together * og > li:
            break
        together *= 2
    for b in range((groups + together - 1) // together):
        of_groups = range(b * together, min(b * together + together, groups))
        filters = [group * og + i for group in of_groups for i in range(og)]
        first = b * together if depthwise else min(b * together * cg, cin - together * cg)
        yield filters, first, together * cg


def packet_by_the_document(case: LayerCase, li: int, lo: int) -> Iterator[int]:
    """The weight packet, byte after byte, in the words and the names of the document."""
    layer = case.layer
    kh, kw = layer.kernel
    cg, og = layer.in_channels // layer.groups, layer.out_channels // layer.groups
    for filters, first_channel, span in blocks_by_the_document(layer, li, lo):
        past = [None] * (lo - len(filters))
        constants: list[int] = []
        for filter_ in [*filters, *past]:
            constants += little_endian(0 if filter_ is None else case.bias[filter_], 4)
        for filter_ in [*filters, *past]:
            multiplier = 0
            if filter_ is not None and case.mult is not None:
                multiplier = case.mult[filter_]
            if filter_ is not None and case.scale is not None:
                multiplier = int.from_bytes(case.scale[filter_].tobytes(), "little")
            constants += little_endian(multiplier, 4)
        for filter_ in [*filters, *past]:
            given = filter_ is not None and case.shift is not None
            constants += little_endian(case.shift[filter_] if given else 0, 1)
        for filter_ in [*filters, *past]:
            constants += little_endian(0 if filter_ is None else case.w_zp[filter_], 1)
        while len(constants) % li:
            constants.append(0)
        yield from constants
        for ky in range(kh):
            runs: list[list[tuple[int, int | None]]]
            runs = [[(kx, c) for kx in range(kw) for c in range(span)]]
            if layer.dilation[1] > 1 or span < layer.in_channels:
                runs = [[(kx, c) for c in range(span)] for kx in range(kw)]
            if depthwise_by_the_document(layer, li):
                runs = [[(kx, None) for kx in reversed(range(kw))]]
            for run in runs:
                for j in range((len(run) + li - 1) // li):
                    for filter_ in filters:
                        nothing = little_endian(case.w_zp[filter_], 1)[0]
                        for p in range(j * li, j * li + li):
                            if p >= len(run):
                                yield nothing
                                continue
                            kx, c = run[p]
                            if c is None:
                                yield little_endian(case.w[filter_, ky, kx, 0], 1)[0]
                                continue
                            own = first_channel + c - filter_ // og * cg  # of the filter's group
                            if 0 <= own < cg:
                                yield little_endian(case.w[filter_, ky, kx, own], 1)[0]
                            else:
                                yield nothing


def test_by_hand_the_weight_packet() -> None:
    """The document's example: kernel 1x2 on 3 channels, 2 filters, on 4x4 lanes. A run has 6
    positions, so two chunks."""
    layer = Layer(1, 1, 2, 3, 2, (1, 2), requantise=True)
    case = LayerCase(
        "by hand",
        layer,
        np.zeros(layer.in_shape, np.int8),
        np.array([1, 2, 3, -1, -2, -128, 10, 20, 30, 40, 50, 60], np.int8).reshape(
            layer.weight_shape
        ),
        bias=np.array([-2, 1000], np.int32),
        w_zp=np.array([0, 7], np.int32),
        mult=np.array([0x40302010, 0x7FFFFFFF], np.int32),
        shift=np.array([-31, 2], np.int32),
    )
    nothing = [0, 0, 0, 0]
    packet = pack_weights(case, CoreConfig.from_array("4x4"))
    assert packet.tolist() == [
        *(0xFE, 0xFF, 0xFF, 0xFF, 0xE8, 0x03, 0, 0, *2 * nothing),  # biases
        *(0x10, 0x20, 0x30, 0x40, 0xFF, 0xFF, 0xFF, 0x7F, *2 * nothing),  # multipliers
        *(0xE1, 2, 0, 0),  # shifts
        *(0, 7, 0, 0),  # zero points
        *(1, 2, 3, 0xFF, 10, 20, 30, 40),  # positions 0 to 3 of each filter
        *(0xFE, 0x80, 0, 0, 50, 60, 7, 7),  # positions 4 and 5
    ]
    page = " ".join(DOCUMENT.read_text().split())
    for part in (packet[:16], packet[32:40], packet[40:48], packet[48:56]):
        assert part.tobytes().hex(" ").upper() in page


def test_by_hand_horizontal_dilation_makes_a_run_of_each_tap() -> None:
    layer = Layer(1, 1, 3, 3, 1, (1, 2), dilation=(1, 2))
    w = np.array([1, 2, 3, 4, 5, 6], np.int8).reshape(layer.weight_shape)
    case = LayerCase("by hand", layer, np.zeros(layer.in_shape, np.int8), w, np.zeros(1, np.int32))
    packet = pack_weights(case, CoreConfig.from_array("4x4")).tolist()
    assert packet[40:] == [1, 2, 3, 0, 4, 5, 6, 0]
    config = CoreConfig.from_array("4x4")
    assert weight_runs(layer, config) == (2, 3)
    assert weight_runs(replace(layer, dilation=(4, 1)), config) == (1, 6)


def grouped(
    channels: int,
    filters: int,
    groups: int,
    kernel: tuple[int, int],
    dilation: tuple[int, int] = (1, 1),
) -> LayerCase:
    """A layer whose weights and biases are counted from 1 on."""
    layer = Layer(1, 3, 3, channels, filters, kernel, dilation=dilation, groups=groups)
    w = np.arange(1, np.prod(layer.weight_shape) + 1, dtype=np.int8).reshape(layer.weight_shape)
    bias = np.arange(1, filters + 1, dtype=np.int32)
    return LayerCase("grouped", layer, np.zeros(layer.in_shape, np.int8), w, bias)


def weights_of_blocks(case: LayerCase, array: str) -> list[list[list[int]]]:
    """The packet's weights, word by word, for each block; the biases of its filters come first."""
    config = CoreConfig.from_array(array)
    words = pack_weights(case, config).reshape(-1, config.lanes_in).tolist()
    found = []
    for block in filter_blocks(case.layer, config):
        constants = [byte for word in words[: constant_words(config)] for byte in word]
        ours = constant_words(config) + block.filters * block_words(case.layer, config)
        biases = constants[: 4 * config.lanes_out : 4]
        found.append([biases, *words[constant_words(config) : ours]])
        words = words[ours:]
    assert not words
    return found


def test_by_hand_a_depthwise_layer_has_a_channel_and_its_taps_in_each_lane() -> None:
    """5 channels on 4x4 lanes: 4 to a block; the newest column first."""
    case = grouped(5, 5, 5, (1, 2))
    config = CoreConfig.from_array("4x4")
    assert filter_blocks(case.layer, config) == [FilterBlock(0, 4, 0), FilterBlock(4, 1, 4)]
    assert weight_runs(case.layer, config) == (1, 2)
    assert weights_of_blocks(case, "4x4") == [
        [[1, 2, 3, 4], *([2, 1, 0, 0], [4, 3, 0, 0], [6, 5, 0, 0], [8, 7, 0, 0])],
        [[5, 0, 0, 0], [10, 9, 0, 0]],
    ]


def test_by_hand_a_depthwise_layer_with_two_filters_a_channel() -> None:
    """3 channels and 6 filters on 4x4 lanes: 2 channels to a block."""
    case = grouped(3, 6, 3, (1, 2), dilation=(1, 2))
    config = CoreConfig.from_array("4x4")
    assert filter_blocks(case.layer, config) == [FilterBlock(0, 4, 0), FilterBlock(4, 2, 2)]
    assert weight_runs(case.layer, config) == (1, 2)
    assert weights_of_blocks(case, "4x4") == [
        [[1, 2, 3, 4], *([2, 1, 0, 0], [4, 3, 0, 0], [6, 5, 0, 0], [8, 7, 0, 0])],
        [[5, 6, 0, 0], *([10, 9, 0, 0], [12, 11, 0, 0])],
    ]


def test_by_hand_groups_with_dilated_taps_take_a_power_of_two_of_groups_to_a_block() -> None:
    """5 groups of 2 channels and a filter on 4x4 lanes: 4 to a block, the second block moved back
    by 6 channels."""
    case = grouped(10, 5, 5, (1, 2), dilation=(1, 2))
    config = CoreConfig.from_array("4x4")
    assert filter_blocks(case.layer, config) == [FilterBlock(0, 4, 0), FilterBlock(4, 1, 2)]
    assert block_span(case.layer, config) == 8
    assert weight_runs(case.layer, config) == (2, 8)
    nothing = [0, 0, 0, 0]
    assert weights_of_blocks(case, "4x4") == [
        [
            [1, 2, 3, 4],  # biases
            *([1, 2, 0, 0], [0, 0, 5, 6], nothing, nothing),  # kx = 0, channels 0 to 3
            *(nothing, nothing, [9, 10, 0, 0], [0, 0, 13, 14]),  # channels 4 to 7
            *([3, 4, 0, 0], [0, 0, 7, 8], nothing, nothing),  # kx = 1
            *(nothing, nothing, [11, 12, 0, 0], [0, 0, 15, 16]),
        ],
        [
            [5, 0, 0, 0],
            *(nothing, [0, 0, 17, 18]),  # channels 8 and 9 are the last from 2 on
            *(nothing, [0, 0, 19, 20]),
        ],
    ]


def test_by_hand_all_groups_in_one_block_pack_the_kernel_row() -> None:
    """2 groups of 3 channels and 2 filters: both fit 4 lanes, so a run is 2 taps of 6 channels."""
    case = grouped(6, 4, 2, (1, 2))
    assert weight_runs(case.layer, CoreConfig.from_array("4x4")) == (1, 12)
    assert weights_of_blocks(case, "4x4") == [
        [
            [1, 2, 3, 4],
            *([1, 2, 3, 0], [7, 8, 9, 0], [0, 0, 0, 13], [0, 0, 0, 19]),  # kx 0, channels 0 to 3
            *([0, 0, 4, 5], [0, 0, 10, 11], [14, 15, 0, 0], [20, 21, 0, 0]),  # 4, 5; kx 1, 0, 1
            *([6, 0, 0, 0], [12, 0, 0, 0], [0, 16, 17, 18], [0, 22, 23, 24]),  # kx 1, 2 to 5
        ]
    ]


def test_by_hand_a_group_of_more_filters_than_lanes_is_cut_into_blocks() -> None:
    """2 groups of 1 channel and 5 filters on 4 lanes: 4 and 1 filters of each."""
    case = grouped(2, 10, 2, (1, 1))
    config = CoreConfig.from_array("4x4")
    assert filter_blocks(case.layer, config) == [
        *(FilterBlock(0, 4, 0), FilterBlock(4, 1, 0), FilterBlock(5, 4, 1), FilterBlock(9, 1, 1))
    ]
    assert weight_runs(case.layer, config) == (1, 1)
    assert weights_of_blocks(case, "4x4") == [
        [[1, 2, 3, 4], [1, 0, 0, 0], [2, 0, 0, 0], [3, 0, 0, 0], [4, 0, 0, 0]],
        [[5, 0, 0, 0], [5, 0, 0, 0]],
        [[6, 7, 8, 9], [6, 0, 0, 0], [7, 0, 0, 0], [8, 0, 0, 0], [9, 0, 0, 0]],
        [[10, 0, 0, 0], [10, 0, 0, 0]],
    ]


def test_by_hand_groups_that_are_no_power_of_two_leave_lanes_idle() -> None:
    """3 groups of 2 channels and 1 filter on 8 lanes: 2 to a block; the last has one."""
    layer = grouped(6, 3, 3, (1, 1)).layer
    config = CoreConfig.from_array("4x8")
    assert filter_blocks(layer, config) == [FilterBlock(0, 2, 0), FilterBlock(2, 1, 2)]
    assert block_span(layer, config) == 4


@pytest.mark.parametrize("array", ARRAYS)
def test_the_blocks_of_filters_are_the_documents(array: str) -> None:
    config = CoreConfig.from_array(array)
    for groups in (1, 2, 3, 4, 5, 6, 7, 8, 16, 17, 33, 48):
        for channels in (1, 2, 3, 5):
            for filters in (1, 2, 3, 4, 7, 9, 17, 33):
                layer = Layer(1, 3, 3, groups * channels, groups * filters, (3, 3), groups=groups)
                expected = list(blocks_by_the_document(layer, config.lanes_in, config.lanes_out))
                blocks = filter_blocks(layer, config)
                assert filter_groups(layer, config) == len(blocks)
                span = block_span(layer, config)
                found = [
                    (list(range(b.first_filter, b.first_filter + b.filters)), b.first_channel, span)
                    for b in blocks
                ]
                assert found == expected, layer
                runs, length = weight_runs(layer, config)
                words = runs * -(-length // config.lanes_in)
                assert block_words(layer, config) == words


def test_by_hand_frames_are_dense_bytes_in_row_column_channel_order() -> None:
    layer = Layer(2, 1, 2, 3, 1, (1, 1))
    x = np.array([[1, 2, 3, 4, 5, 6], [-1, -2, -3, -128, 127, 0]], np.int8)
    w, bias = np.zeros(layer.weight_shape, np.int8), np.zeros(1, np.int32)
    case = LayerCase("by hand", layer, x.reshape(layer.in_shape), w, bias)
    packets = [frame.tolist() for frame in pack_activations(case, CoreConfig())]
    assert packets == [[1, 2, 3, 4, 5, 6], [255, 254, 253, 128, 127, 0]]


def test_frames_of_a_transposed_image_are_packed_by_its_shape() -> None:
    layer = Layer(1, 2, 3, 1, 1, (1, 1))
    x = np.arange(6, dtype=np.int8).reshape(1, 3, 2, 1).transpose(0, 2, 1, 3)
    w, bias = np.zeros(layer.weight_shape, np.int8), np.zeros(1, np.int32)
    packets = pack_activations(LayerCase("t", layer, x, w, bias), CoreConfig())
    assert packets[0].tolist() == [0, 2, 4, 1, 3, 5]


@pytest.mark.parametrize("array", ARRAYS)
def test_weight_packet_is_the_documents(array: str) -> None:
    config = CoreConfig.from_array(array)
    mix = Mix(
        max_macs=20_000, dilation=True, groups=True, float_rounding=True, weight_zero_points=True
    )
    for case in random_cases(np.random.default_rng(7), 44, mix):
        expected = list(packet_by_the_document(case, config.lanes_in, config.lanes_out))
        packet = pack_weights(case, config)
        assert packet.dtype == np.uint8
        assert packet.tolist() == expected, f"{case.name} {case.layer}"


@pytest.mark.parametrize(
    ("kernel", "dilation", "depthwise"),
    [
        ((16, 11), (1, 1), True),
        ((17, 1), (1, 1), False),
        ((1, 12), (1, 1), False),
        ((8, 3), (1, 2), True),
        ((9, 3), (1, 2), False),
        ((4, 3), (1, 3), True),
        ((5, 3), (1, 3), False),
        ((5, 3), (1, 4), False),
    ],
)
def test_depthwise_layers_whose_taps_a_lane_does_not_remember_go_the_generic_way(
    kernel: tuple[int, int], dilation: tuple[int, int], depthwise: bool
) -> None:
    layer = Layer(1, 40, 40, 8, 8, kernel, dilation=dilation, groups=8)
    assert is_depthwise(layer, CoreConfig.from_array("16x8")) is depthwise
    assert depthwise_by_the_document(layer, 16) is depthwise
    runs, _ = weight_runs(layer, CoreConfig.from_array("16x8"))
    taps = 1 if depthwise or dilation[1] == 1 else kernel[1]
    assert runs == kernel[0] * taps


def test_a_kernel_wider_than_the_lanes_is_not_depthwise() -> None:
    layer = Layer(1, 9, 9, 8, 8, (1, 5), groups=8)
    assert is_depthwise(layer, CoreConfig.from_array("8x8"))
    assert not is_depthwise(layer, CoreConfig.from_array("4x8"))


def test_by_hand_what_is_no_weight_of_a_filter_is_its_zero_point() -> None:
    """2 groups of 2 channels and a filter in one block: each filter knows 2 of 4 channels."""
    layer = Layer(1, 1, 1, 4, 2, (1, 1), groups=2)
    w = np.array([1, 2, 3, 4], np.int8).reshape(layer.weight_shape)
    x, bias = np.zeros(layer.in_shape, np.int8), np.zeros(2, np.int32)
    case = LayerCase("nothing", layer, x, w, bias, np.array([-5, 100], np.int32))
    config = CoreConfig.from_array("8x4")
    words = pack_weights(case, config).view(np.int8).reshape(-1, 8)[constant_words(config) :]
    assert words.tolist() == [[1, 2, *6 * [-5]], [100, 100, 3, 4, *4 * [100]]]


def test_words_and_groups_are_rounded_up() -> None:
    assert [constant_words(CoreConfig.from_array(array)) for array in ARRAYS] == [
        *(10, 20, 10, 10, 2, 80)
    ]
    layer = Layer(1, 1, 1, 1, 17, (1, 1))
    assert [filter_groups(layer, CoreConfig.from_array(array)) for array in ARRAYS] == [
        *(5, 3, 3, 2, 5, 1)
    ]


def test_by_hand_results_are_little_endian() -> None:
    layer = Layer(2, 1, 1, 1, 2, (1, 1))
    frames = [
        np.array([1, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF], np.uint8),
        np.array([4, 3, 2, 1, 0, 0, 0, 0x80], np.uint8),
    ]
    results = unpack_results(frames, layer)
    assert results.dtype == np.int32
    assert results.tolist() == [[[[1, -2]]], [[[0x01020304, -(2**31)]]]]
    layer = replace(layer, requantise=True)
    results = unpack_results([np.array([1, 0x80], np.uint8), np.array([0xFF, 0], np.uint8)], layer)
    assert results.dtype == np.int8
    assert results.tolist() == [[[[1, -128]]], [[[-1, 0]]]]


def test_results_have_the_shape_of_the_layer() -> None:
    layer = Layer(3, 5, 7, 2, 3, (2, 4))
    assert result_bytes(layer) == 4 * 4 * 4 * 3
    assert result_bytes(replace(layer, requantise=True)) == 4 * 4 * 3
    values = np.arange(3 * 4 * 4 * 3, dtype="<i4").reshape(layer.out_shape)
    frames = [frame.view(np.uint8).reshape(-1) for frame in values]
    np.testing.assert_array_equal(unpack_results(frames, layer), values)


def test_frames_too_many_or_of_a_wrong_size_are_refused() -> None:
    layer = Layer(2, 1, 1, 1, 3, (1, 1), requantise=True)
    good, long = np.zeros(3, np.uint8), np.zeros(4, np.uint8)
    with pytest.raises(ValueError, match=r"^frame 1: 4 bytes of results came, expected 3"):
        unpack_results([good, long], layer)
    with pytest.raises(ValueError, match=r"^1 frames of results came, the layer has 2"):
        unpack_results([good], layer)
