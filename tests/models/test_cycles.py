"""The cycle models: the limit by hand, and the recurrences solved at once and one by one."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from numpy.random import Generator

from conv_core.models.core_config import CoreConfig
from conv_core.models.cycles import cycles_limit, cycles_model, latencies, queue_model
from conv_core.models.cycles.columns import Times
from conv_core.models.cycles.loops import Loops, Pass
from conv_core.models.cycles.walk import Timing, Walk
from conv_core.models.fitting import fits
from conv_core.models.layer import Layer
from conv_core.models.networks import mobilenet_v1, resnet50
from conv_core.models.packing import filter_groups
from conv_core.models.schedule import schedule
from conv_core.models.tiling import plan
from conv_core.tb.stimuli.random_layers import Mix, random_cases

QUESTION = Layer(1, 11, 11, 64, 64, (3, 3), pads=(1, 1, 1, 1), requantise=True)
MIX = Mix(max_macs=60_000, dilation=True, groups=True, float_rounding=True)


# ---------------------------------------------------------------- the limit
@pytest.mark.parametrize(
    ("layer", "changes", "limit"),
    [
        (QUESTION, {}, 961 * 4 * 4),  # taps inside, chunks, filter blocks
        (Layer(1, 112, 112, 16, 96, (1, 1), requantise=True), {}, 112 * 112 * 6 * 2),
        (
            Layer(1, 112, 112, 16, 96, (1, 1), requantise=True),
            {"requant_lanes": 16},
            112 * 112 * 6,
        ),
        (Layer(1, 12, 12, 16, 96, (1, 1)), {"out_stream_bytes": 16}, 12 * 12 * 6 * 4),
        (Layer(1, 12, 12, 16, 17, (1, 1)), {}, 12 * 12 * (4 + 1)),  # slices of 4 accumulators
        (Layer(1, 1, 1, 64, 1, (1, 1), requantise=True), {}, 5),  # 64 weights and 10 constants
        (Layer(1, 1, 1, 64, 100, (1, 1), requantise=True), {}, 463),
        (Layer(2, 30, 20, 3, 1, (3, 3), requantise=True), {"act_stream_bytes": 1}, 2 * 1800),
        (Layer(1, 9, 9, 7, 1, (1, 1), (4, 4), requantise=True), {"act_stream_bytes": 1}, 81 * 7),
        (Layer(1, 8, 9, 7, 1, (1, 1), (4, 4), requantise=True), {"act_stream_bytes": 1}, 45 * 7),
    ],
)
def test_by_hand_the_limit_is_the_busiest_part(
    layer: Layer, changes: dict[str, int], limit: int
) -> None:
    assert cycles_limit(layer, CoreConfig(**changes)) == limit


# ---------------------------------------------------------------- the order of the work
@pytest.mark.parametrize("seed", range(3))
def test_every_result_is_computed_once_and_bands_are_what_comes_together(seed: int) -> None:
    rng = np.random.default_rng([41, seed])
    for case in random_cases(rng, 66, MIX):
        config = random_config(rng)
        loops = Loops.of(case.layer, config)
        count = np.zeros(case.layer.out_shape, int)
        last_pass = np.zeros(len(loops.blocks), int)
        for some in loops.passes():
            for group in some.groups:
                block = loops.blocks[group]
                filters = range(block.first_filter, block.first_filter + block.filters)
                count[np.ix_([some.frame], some.rows, some.columns, filters)] += 1
                last_pass[group] += some.last_pass
            assert len(some.rows) <= loops.schedule.band_rows
            assert len(some.columns) <= loops.schedule.column_block
        assert (count == 1).all()
        assert (last_pass == 1).all()
        assert len(loops.blocks) == filter_groups(case.layer, config)


@pytest.mark.parametrize("seed", range(3))
def test_kernel_rows_inside_are_those_of_the_layer(seed: int) -> None:
    for case in random_cases(np.random.default_rng([42, seed]), 66, MIX):
        layer = case.layer
        loops, valid = Loops.of(layer, CoreConfig()), layer.rows.taps_inside
        for y, rows in enumerate(loops.kernel_rows):
            assert rows.above + rows.taps + rows.below == layer.kernel[0]
            inside = np.flatnonzero(valid[y])
            assert list(inside) == list(range(rows.first, rows.first + rows.taps))


@pytest.mark.parametrize("array", ["4x4", "8x8", "16x16"])
def test_steps_are_those_that_the_limit_counts(array: str) -> None:
    """Where no window lies in the padding, and channels are not grouped."""
    config = CoreConfig.from_array(array, requant_lanes=int(array.split("x")[1]))
    for layer in (QUESTION, replace(QUESTION, dilation=(2, 2)), replace(QUESTION, stride=(3, 2))):
        loops = Loops.of(layer, config)
        assert sum(int(loops.steps(some).sum()) for some in loops.passes()) == cycles_limit(
            layer, config
        )


# ---------------------------------------------------------------- the exact model
def random_config(rng: Generator) -> CoreConfig:
    lanes_in, lanes_out = (int(rng.choice((4, 8, 16, 32))) for _ in range(2))
    return CoreConfig(
        lanes_in=lanes_in,
        lanes_out=lanes_out,
        act_bytes=64 * lanes_in << int(rng.integers(8)),
        wgt_words=64 << int(rng.integers(6)),
        const_words=256 << int(rng.integers(4)),
        out_bytes=32 * lanes_out << int(rng.integers(8)),
        requant_lanes=lanes_out // int(rng.choice((1, 2, 4))),
        result_queue=int(rng.choice((4, 8, 32))),
        act_stream_bytes=lanes_in // int(rng.choice((1, 1, 4))),
        wgt_stream_bytes=lanes_in // int(rng.choice((1, 1, 4))),
        out_stream_bytes=lanes_out // int(rng.choice((1, 1, 4))),
    )


class OneByOne(Walk):
    """The recurrences window by window, as the module states them; nothing repeats."""

    def _at_rest(self, some: Pass, loops: Loops) -> bool:  # noqa: ARG002  asks for nothing
        return False

    def _solve(self, some: Pass, loops: Loops, s: Times, waits: Times, first_taken: int) -> Timing:
        width = len(some.columns)
        own, turn = loops.costs(some), loops.columns.turn
        room = self._results.ready(some, self._done + 1).tolist()
        slices, costs = self._results.slices(some).tolist(), some.costs.ravel().tolist()
        marks, heads = [], []  # of the filter blocks: last steps and vectors of the first windows
        begun, vectors = self._begun.tolist(), self._vectors.tolist()
        steps = self._last[::-1].tolist()  # the cycles of all steps
        issued, last_issue, done, taken = [], self._issued, self._done, [first_taken]
        held, firsts, lasts, begin_after = [], [], [], begun[-1] + self._steps
        for j, count in enumerate(s.tolist()):
            item, x = divmod(j, width)
            if item and x == 0:
                free = max(last_issue + latencies.NEXT_ITEM, held[-1])
                taken.append(max(taken[-1] + costs[item], free))
            cost = int(own[j])
            issue = max(last_issue + cost, begun[-16] + latencies.QUEUE_ROOM)
            if x == 0:
                issue = max(issue, taken[-1] + latencies.FIRST_WINDOW + cost)
            if x == turn > 0:
                # One cycle more than two windows after the one before the last.
                before = issued[-2] if x > 1 else taken[-1] + latencies.FIRST_WINDOW
                issue = max(issue, before + 2 + cost)
            issued.append(issue)
            last_issue = issue
            begun.append(
                max(
                    issue + latencies.WINDOW_PIPELINE,
                    begin_after,
                    steps[-1 - latencies.STEPS_AHEAD],
                )
            )
            begin_after = begun[-1] + count
            step = max(steps[-1] + 1, begun[-1] + latencies.FIRST_STEP)
            firsts.append(step)
            if x == 0:
                held.append(step + latencies.ITEM_HELD)
            step += count == width == 1
            for i in range(count):
                left = count - 1 - i
                if left < len(waits):
                    step = max(step, int(waits[left, j]))
                if left == 0:
                    step = max(step, vectors[-len(self._vectors)] + latencies.CREDIT)
                steps.append(step)
                step += 1
            lasts.append(steps[: -1 - len(waits) : -1])
            vectors.append(max(steps[-1] + self._datapath - 1, done))
            done = max(vectors[-1] + slices[j], room[j])
            if j % some.block_windows == 0 and some.new_blocks:
                marks.append(steps[-1])
                heads.append(vectors[-1])
                constants = self._results.constants(np.array(marks), np.array(heads))
                done = max(done, int(constants[-1]) + slices[j])
        return Timing(
            np.array(taken),
            np.array(held),
            np.array(issued),
            np.array(begun[-len(s) :]),
            np.array(firsts),
            np.array(lasts).T,
            np.array(vectors[-len(s) :]),
        )


@pytest.mark.parametrize("seed", range(4))
def test_passes_solved_at_once_take_as_long_as_windows_one_by_one(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    print(f"seed {seed}")
    rng = np.random.default_rng([43, seed])
    compared = 0
    for _ in range(12):
        config = random_config(rng)
        layers = [case.layer for case in random_cases(rng, 11, MIX)]
        layers = [layer for layer in layers if fits(layer, config)]
        at_once = queue_model(layers, config)
        with monkeypatch.context() as patch:
            patch.setattr("conv_core.models.cycles.model.Walk", OneByOne)
            assert queue_model(layers, config) == at_once, config
        compared += len(layers)
    assert compared > 50


def test_a_layer_takes_no_less_than_its_limit() -> None:
    rng = np.random.default_rng(44)
    for case in random_cases(rng, 132, MIX):
        config = random_config(rng)
        if fits(case.layer, config):
            assert cycles_model(case.layer, config) > cycles_limit(case.layer, config)


@pytest.mark.parametrize(("array", "most"), [("8x8", 62_250), ("16x16", 16_100), ("32x32", 4_560)])
def test_the_question_takes_what_the_goals_say(array: str, most: int) -> None:
    assert cycles_model(QUESTION, CoreConfig.from_array(array)) <= most


def test_weights_that_stream_through_a_single_window_take_as_long_as_their_beats() -> None:
    """Also those of filters that are larger than the buffer."""
    layer = Layer(1, 1, 1, 2048, 100, (1, 1), requantise=True)
    config = CoreConfig(wgt_words=64)
    assert schedule(layer, config).block_words > config.wgt_words
    beats = 100 * 128 + 7 * 10
    assert beats < cycles_model(layer, config) < beats + 100


def test_one_filter_takes_one_lane_of_weights() -> None:
    layer = Layer(1, 1, 1, 7104, 1, (1, 1), requantise=True)
    assert cycles_model(layer, CoreConfig()) < 7104 // 16 + 100


def test_large_layers_are_modelled_quickly() -> None:
    layer = Layer(1, 512, 512, 64, 64, (3, 3), pads=(1, 1, 1, 1), requantise=True)
    config = CoreConfig(act_bytes=1 << 18)
    begin = time.process_time()
    assert cycles_model(layer, config) > 37_000_000
    assert time.process_time() - begin < 2


@pytest.mark.parametrize("array", ["8x8", "16x16", "32x32"])
def test_layers_of_networks_are_modelled_in_a_fraction_of_what_they_take_to_simulate(
    array: str,
) -> None:
    """Large layers are simulated in more than a microsecond a cycle."""
    config = CoreConfig.from_array(array)
    networks = [*resnet50().values(), *mobilenet_v1().values()]
    pieces = [piece.layer for layer in networks for piece in plan(layer, config)]
    begin = time.process_time()
    cycles = queue_model(pieces, config)
    assert time.process_time() - begin < 0.25e-6 * sum(cycles)
