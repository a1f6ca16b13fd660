"""Cutting layers: every result once, every piece fits, and together they are the whole layer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.random import Generator

from conv_core.models.core_config import CoreConfig
from conv_core.models.fitting import fits
from conv_core.models.layer import Layer, LayerCase, same_pads
from conv_core.models.packing import (
    block_words,
    constant_words,
    filter_groups,
    pack_activations,
    pack_weights,
)
from conv_core.models.requantisation import result
from conv_core.models.schedule import schedule
from conv_core.models.tiling import NotFittingError, Piece, join, plan, split
from conv_core.tb.stimuli.random_layers import Mix, random_cases

MIX = Mix(max_macs=60_000, dilation=True, groups=True, float_rounding=True)


def config_of(**buffers: int) -> CoreConfig:
    """A 4x4 core with small buffers: 64 bytes, 16 words, 64 bytes."""
    small = {"act_bytes": 64, "wgt_words": 16, "out_bytes": 64}
    return CoreConfig.from_array("4x4", **(small | buffers))


def small_config(rng: Generator) -> CoreConfig:
    """Buffers so small that most layers must be cut."""
    lanes_in, lanes_out = (int(rng.choice((4, 8))) for _ in range(2))
    return CoreConfig(
        lanes_in=lanes_in,
        lanes_out=lanes_out,
        act_bytes=4 * lanes_in << int(rng.integers(1, 8)),
        wgt_words=16 << int(rng.integers(4)),
        const_words=32 << int(rng.integers(3)),
        out_bytes=16 * lanes_out << int(rng.integers(3)),
    )


def assert_fits(case: LayerCase, config: CoreConfig) -> None:
    """What the core counts, counted on the packets and pixels of a case."""
    layer = case.layer
    frame_rows = pack_activations(case, config)[0].reshape(layer.height, -1)
    window_rows = min(layer.height, (layer.kernel[0] - 1) * layer.dilation[0] + 1)
    assert frame_rows[:window_rows].size <= config.act_bytes - config.lanes_in
    pixel = layer.out_channels * (1 if layer.requantise else 4)
    assert pixel <= config.out_bytes - 2 * config.lanes_out
    blocks = filter_groups(layer, config)
    words = pack_weights(case, config).size // config.lanes_in
    weights = (words - blocks * constant_words(config)) // layer.out_channels  # of a filter
    if (layer.batch, layer.out_height, layer.out_width) == (1, 1, 1):
        return
    if layer.batch == 1 and weights <= config.wgt_words:
        # All rows in one band: in powers of two, or what is left to the last of them.
        results = pixel * layer.out_width * layer.out_height
        rows = frame_rows[0].size * (window_rows + 2 * layer.out_height * layer.stride[0])
        if results <= config.out_bytes / 2 and (layer.out_height == 1 or rows <= config.act_bytes):
            return
    assert blocks * weights <= config.wgt_words
    assert blocks * constant_words(config) <= config.const_words


def covered(layer: Layer, pieces: list[Piece]) -> np.ndarray:
    """(N, OH, OW, Cout): how often each result is computed."""
    count = np.zeros(layer.out_shape, int)
    for piece in pieces:
        count[np.ix_(piece.frames, piece.rows, piece.columns, piece.channels)] += 1
    return count


def shape(piece: Piece) -> tuple[int, ...]:
    return tuple(map(len, (piece.frames, piece.rows, piece.columns, piece.channels)))


@pytest.mark.parametrize("seed", range(6))
def test_the_pieces_of_random_layers_are_the_whole_layer(seed: int) -> None:
    rng = np.random.default_rng([31, seed])
    cut = refused = 0
    for case in random_cases(rng, 60, MIX):
        config = small_config(rng)
        try:
            pieces = plan(case.layer, config)
        except NotFittingError:
            refused += 1
            continue
        cases = split(case, pieces)
        for part in cases:
            assert_fits(part, config)
        assert (covered(case.layer, pieces) == 1).all()
        whole = join(case.layer, pieces, [result(part) for part in cases])
        expected = result(case)
        assert whole.dtype == expected.dtype
        assert np.array_equal(whole, expected), (case.layer, config)
        cut += len(pieces) > 1
    assert cut > 12
    assert refused < 18


@pytest.mark.parametrize("seed", range(4))
def test_what_is_refused_fits_when_all_that_is_asked_for_is_raised(seed: int) -> None:
    rng = np.random.default_rng([32, seed])
    refused = 0
    for case in random_cases(rng, 60, MIX):
        config = config_of(act_bytes=16, const_words=16)
        for _ in range(20):
            try:
                plan(case.layer, config)
                break
            except NotFittingError as error:
                refused += 1
                name, value = str(error).rsplit(": raise ", 1)[1].split(" to ")
                assert getattr(config, name.lower()) < int(value)
                config = replace(config, **{name.lower(): int(value)})
        else:
            pytest.fail(f"{case.layer} is refused again and again")
    assert refused > 20


def test_a_layer_that_fits_is_one_piece_and_itself() -> None:
    layer = Layer(2, 480, 640, 3, 16, (3, 3), (2, 2), pads=(1, 1, 1, 1))
    (piece,) = plan(layer, CoreConfig())
    assert piece.layer == layer
    assert (piece.in_rows, piece.in_columns, piece.in_channels) == (
        range(480),
        range(640),
        range(3),
    )
    case = random_cases(np.random.default_rng(1), 1)[0]
    assert split(case, plan(case.layer, CoreConfig())) == [case]


def test_a_frame_of_any_height_is_one_piece() -> None:
    assert len(plan(Layer(1, 65535, 64, 64, 16, (3, 3)), CoreConfig())) == 1


def test_weights_that_do_not_fit_are_cut_in_whole_blocks_of_filters() -> None:
    """14x14x512 to 512: 32 blocks of 288 words; half of the 1,024 is for the next piece."""
    layer = Layer(1, 14, 14, 512, 512, (3, 3), pads=(1, 1, 1, 1), requantise=True)
    pieces = plan(layer, CoreConfig())
    assert [len(piece.channels) for piece in pieces] == [16] * 32
    assert {(piece.columns, piece.in_columns) for piece in pieces} == {(range(14), range(14))}


def test_the_results_of_a_single_band_need_no_room_for_all_its_weights() -> None:
    """7x7x512 to 512: 49 pixels of 128 filters fit half of 16 KiB, and 7 rows of the image the
    activation buffer. 32 pieces would have room for their weights."""
    layer = Layer(1, 7, 7, 512, 512, (3, 3), pads=(1, 1, 1, 1), requantise=True)
    pieces = plan(layer, CoreConfig())
    assert [len(piece.channels) for piece in pieces] == [128] * 4
    assert {(piece.columns, piece.in_columns) for piece in pieces} == {(range(7), range(7))}
    assert all(schedule(piece.layer, CoreConfig()).single_band for piece in pieces)


def test_a_column_of_an_image_is_a_single_band_of_any_weights() -> None:
    """As in wake-word networks: one piece, whatever the weights."""
    layer = Layer(1, 30, 1, 64, 512, (21, 1), requantise=True)
    assert filter_groups(layer, CoreConfig()) * block_words(layer, CoreConfig()) > 1024
    assert len(plan(layer, CoreConfig())) == 1


def test_no_cut_makes_the_array_wait_for_weights_if_another_does_not() -> None:
    """7x7x2048 to 512, 1x1: pieces of two columns would be fewer, but 14 windows are less than the
    16 beats of a weight word for each lane, and each piece takes all the weights."""
    layer = Layer(1, 7, 7, 2048, 512, (1, 1), requantise=True)
    pieces = plan(layer, CoreConfig())
    assert {piece.columns for piece in pieces} == {range(7)}
    assert [len(piece.channels) for piece in pieces] == [64] * 8


def test_weights_that_are_used_once_stream_whatever_their_number() -> None:
    """A fully connected layer, also one whose single filter is larger than the weight buffer."""
    for channels, filters in ((2048, 1000), (25088, 4096)):
        layer = Layer(1, 1, 1, channels, filters, (1, 1), requantise=True)
        assert len(plan(layer, CoreConfig())) == 1
        assert fits(layer, CoreConfig())
    batch = plan(replace(layer, batch=3), CoreConfig())
    assert [piece.frames for piece in batch] == [range(1), range(1, 2), range(2, 3)]


def test_rows_that_do_not_fit_are_cut_in_balanced_columns_with_their_halo() -> None:
    """10 columns of 4 channels, in 3 rows, go into a buffer of 128 bytes: 8 results of 20."""
    layer = Layer(1, 5, 20, 4, 4, (3, 3), pads=same_pads((5, 20), (3, 3), (1, 1)))
    pieces = plan(layer, config_of(act_bytes=128, wgt_words=64))
    assert [(piece.columns, piece.in_columns) for piece in pieces] == [
        (range(7), range(8)),
        (range(7, 14), range(6, 15)),
        (range(14, 20), range(13, 20)),
    ]
    assert [piece.layer.pads for piece in pieces] == [(1, 1, 1, 0), (1, 0, 1, 0), (1, 0, 1, 1)]


def test_pixels_wider_than_the_result_buffer_are_cut_in_channels() -> None:
    """Of the buffer's 64 bytes a pixel may use 56, which is 14 channels of int32: 3 blocks."""
    pieces = plan(Layer(1, 2, 2, 1, 40, (1, 1)), config_of())
    assert [shape(piece) for piece in pieces] == [(1, 2, 2, n) for n in (12, 12, 8, 8)]


def test_pieces_of_channels_keep_their_groups() -> None:
    """2 channels each, 2 groups and 9 words to a block: 3 blocks fit half of the weight buffer."""
    layer = Layer(1, 4, 5, 32, 32, (3, 3), groups=16, requantise=True)
    pieces = plan(layer, config_of(act_bytes=512, wgt_words=64))
    assert {(piece.layer.groups, piece.in_channels) for piece in pieces} == {
        *((6, range(12)), (6, range(12, 24)), (4, range(24, 32)))
    }
    assert all(piece.channels == piece.in_channels for piece in pieces)


def test_a_group_with_too_many_filters_is_cut_into_layers_of_one_group() -> None:
    layer = Layer(1, 4, 4, 8, 40, (2, 2), groups=2, requantise=True)
    pieces = plan(layer, config_of(act_bytes=512, wgt_words=16))
    assert {piece.layer.groups for piece in pieces} == {1}
    assert {piece.in_channels for piece in pieces} == {range(4), range(4, 8)}
    assert [piece.channels.start for piece in pieces] == [0, 12, 20, 32]


def test_a_filter_larger_than_the_weight_buffer_is_cut_into_single_windows() -> None:
    layer = Layer(2, 3, 3, 64, 4, (2, 2), requantise=True)
    pieces = plan(layer, config_of(act_bytes=512))
    assert [shape(piece) for piece in pieces] == [(1, 1, 1, 4)] * 8
    assert {len(piece.in_rows) for piece in pieces} == {2}


def test_windows_in_the_padding_go_with_their_neighbours() -> None:
    """Five windows on either side see nothing, and have no columns to send."""
    layer = Layer(1, 2, 8, 4, 4, (2, 2), pads=(0, 6, 0, 6))
    pieces = plan(layer, config_of(act_bytes=32))
    assert pieces[0].columns.start == 0
    assert len(pieces[0].columns) > 5
    assert all(len(piece.in_columns) for piece in pieces)
    assert sum(len(piece.columns) for piece in pieces) == layer.out_width == 19


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        (
            Layer(1, 1, 1, 100, 1, (1, 1)),
            "kernel: 1 rows of 1 columns of 100 channels, 100 bytes, do not fit the activation "
            "buffer of 64 bytes, and it can't be cut further: raise ACT_BYTES to 128",
        ),
        (
            Layer(1, 9, 9, 3, 1, (3, 3), dilation=(3, 2)),
            "kernel: 7 rows of 5 columns of 3 channels, 105 bytes, do not fit the activation "
            "buffer of 64 bytes, and it can't be cut further: raise ACT_BYTES to 128",
        ),
        (
            Layer(1, 1, 1, 17, 1, (4, 1), pads=(9, 0, 0, 0)),
            "w: 20 words of weights for each lane do not fit the weight buffer of 16, and it "
            "can't be cut further: raise WGT_WORDS to 32",
        ),
    ],
)
def test_what_cannot_be_cut_is_refused_with_what_to_raise(layer: Layer, sentence: str) -> None:
    with pytest.raises(NotFittingError, match=f"^{sentence}$"):
        plan(layer, config_of())


def test_weights_that_the_core_cannot_count_are_refused_without_advice() -> None:
    layer = Layer(1, 1, 1, 65000, 1, (31, 31), pads=(15, 15, 15, 15))
    with pytest.raises(NotFittingError, match=r"^w: 7808125 words of a filter are more than the"):
        plan(layer, CoreConfig.from_array("8x8", act_bytes=1 << 22))


def test_the_pads_that_the_core_cannot_count_are_refused_without_advice() -> None:
    layer = Layer(1, 1, 1, 60000, 1, (1, 1), pads=(0, 60000, 0, 0))
    with pytest.raises(NotFittingError, match=r"^pads: 60000 columns on the left are"):
        plan(layer, CoreConfig())


def test_large_layers_are_planned_quickly() -> None:
    layer = Layer(1, 10, 60000, 6000, 6000, (3, 3), pads=(1, 1, 1, 1), groups=6000)
    pieces = plan(layer, CoreConfig())
    values = sum(len(piece.columns) * len(piece.channels) for piece in pieces)
    assert values == 60000 * 6000


def test_results_of_another_shape_or_number_are_refused() -> None:
    layer = Layer(1, 2, 2, 1, 40, (1, 1))
    pieces = plan(layer, config_of())
    results = [np.zeros(piece.layer.out_shape, np.int32) for piece in pieces]
    assert join(layer, pieces, results).shape == layer.out_shape
    with pytest.raises(ValueError, match=r"^there are results of 3 pieces, the layer has 4"):
        join(layer, pieces, results[1:])
    results[1] = results[1][..., :3]
    with pytest.raises(
        ValueError, match=r"^piece 2 of 4: its results are int32 \(1, 2, 2, 3\), exp"
    ):
        join(layer, pieces, results)


def test_a_rule_that_the_core_is_built_without_is_refused_with_what_to_do() -> None:
    """Large or small; accumulators need no rule."""
    config = CoreConfig(float_rule=0)
    small = Layer(1, 5, 5, 4, 8, (3, 3), requantise=True, rounding="float")
    sentence = (
        "^rounding: this core is built with FLOAT_RULE=0, without the rule 'float': build it with "
        "FLOAT_RULE=1, or give mult and shift with rounding='tflite'$"
    )
    for layer in (small, replace(small, height=2000, width=2000, in_channels=512)):
        assert plan(layer, CoreConfig())
        assert not fits(layer, config)
        with pytest.raises(NotFittingError, match=sentence):
            plan(layer, config)
        assert plan(replace(layer, rounding="tflite"), config)
        assert plan(replace(layer, requantise=False), config)
