"""Packing against bytes by hand, and against a slow second reading of docs/driving-the-core.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from models.core_config import CoreConfig
from models.layer import Layer, LayerCase, LayerError
from models.packing import (
    constant_words,
    filter_groups,
    pack_activations,
    pack_weights,
    result_bytes,
    unpack_results,
    weight_runs,
)
from models.random_layers import Mix, random_cases

ARRAYS = ("4x4", "4x8", "8x8", "16x16", "32x4", "4x32")


def little_endian(value: int, size: int) -> list[int]:
    return list((int(value) % 256**size).to_bytes(size, "little"))


def packet_by_the_document(case: LayerCase, li: int, lo: int) -> Iterator[int]:
    """The weight packet, byte after byte, in the words and the names of the document."""
    layer = case.layer
    (kh, kw), cin, cout = layer.kernel, layer.in_channels, layer.out_channels
    for g in range((cout + lo - 1) // lo):
        filters = range(g * lo, g * lo + lo)
        constants: list[int] = []
        for filter_ in filters:
            constants += little_endian(case.bias[filter_] if filter_ < cout else 0, 4)
        for filter_ in filters:
            multiplier = 0
            if filter_ < cout and case.mult is not None:
                multiplier = case.mult[filter_]
            if filter_ < cout and case.scale is not None:
                multiplier = int.from_bytes(case.scale[filter_].tobytes(), "little")
            constants += little_endian(multiplier, 4)
        for filter_ in filters:
            given = filter_ < cout and case.shift is not None
            constants += little_endian(case.shift[filter_] if given else 0, 1)
        while len(constants) % li:
            constants.append(0)
        yield from constants
        for ky in range(kh):
            runs = [[(kx, c) for kx in range(kw) for c in range(cin)]]
            if layer.dilation[1] > 1:
                runs = [[(kx, c) for c in range(cin)] for kx in range(kw)]
            for run in runs:
                for j in range((len(run) + li - 1) // li):
                    for filter_ in filters:
                        for p in range(j * li, j * li + li):
                            if filter_ < cout and p < len(run):
                                kx, c = run[p]
                                yield little_endian(case.w[filter_, ky, kx, c], 1)[0]
                            else:
                                yield 0


def test_by_hand_the_weight_packet() -> None:
    """Kernel 1x2 on 3 channels, 1 filter, on 4x4 lanes: runs of 6 positions, so two chunks."""
    layer = Layer(1, 1, 2, 3, 1, (1, 2), requantise=True)
    case = LayerCase(
        "by hand",
        layer,
        np.zeros(layer.in_shape, np.int8),
        np.array([1, 2, 3, -1, -2, -128], np.int8).reshape(layer.weight_shape),
        bias=np.array([-2], np.int32),
        mult=np.array([0x40302010], np.int32),
        shift=np.array([-31], np.int32),
    )
    nothing = [0, 0, 0, 0]
    assert pack_weights(case, CoreConfig.from_array("4x4")).tolist() == [
        *(0xFE, 0xFF, 0xFF, 0xFF, *3 * nothing),  # biases
        *(0x10, 0x20, 0x30, 0x40, *3 * nothing),  # multipliers
        *(0xE1, 0, 0, 0),  # shifts
        *(1, 2, 3, 0xFF, *3 * nothing),  # positions 0 to 3 of each filter
        *(0xFE, 0x80, 0, 0, *3 * nothing),  # positions 4 and 5
    ]


def test_by_hand_horizontal_dilation_makes_a_run_of_each_tap() -> None:
    layer = Layer(1, 1, 3, 3, 1, (1, 2), dilation=(1, 2))
    w = np.array([1, 2, 3, 4, 5, 6], np.int8).reshape(layer.weight_shape)
    case = LayerCase("by hand", layer, np.zeros(layer.in_shape, np.int8), w, np.zeros(1, np.int32))
    nothing = [0, 0, 0, 0]
    packet = pack_weights(case, CoreConfig.from_array("4x4")).tolist()
    assert packet[36:] == [1, 2, 3, 0, *3 * nothing, 4, 5, 6, 0, *3 * nothing]
    assert weight_runs(layer) == (2, 3)
    assert weight_runs(replace(layer, dilation=(4, 1))) == (1, 6)


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
    mix = Mix(max_macs=20_000, dilation=True, float_rounding=True)
    for case in random_cases(np.random.default_rng(7), 33, mix):
        expected = list(packet_by_the_document(case, config.lanes_in, config.lanes_out))
        packet = pack_weights(case, config)
        assert packet.dtype == np.uint8
        assert packet.tolist() == expected, f"{case.name} {case.layer}"


def test_words_and_groups_are_rounded_up() -> None:
    assert [constant_words(CoreConfig.from_array(array)) for array in ARRAYS] == [
        *(9, 18, 9, 9, 2, 72)
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


def test_groups_are_refused_for_now() -> None:
    layer = Layer(1, 1, 1, 4, 4, (1, 1), groups=2)
    case = LayerCase(
        "grouped",
        layer,
        np.zeros(layer.in_shape, np.int8),
        np.zeros(layer.weight_shape, np.int8),
        np.zeros(4, np.int32),
    )
    for pack in (pack_activations, pack_weights):
        with pytest.raises(LayerError, match=r"^groups: the core takes groups = 1 so far, not 2"):
            pack(case, CoreConfig())
