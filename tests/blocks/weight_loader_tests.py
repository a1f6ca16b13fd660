"""weight_loader against packets made here; runs inside the simulator."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

from tests.blocks.loader import Stream, reset, sent
from tests.blocks.ring import Ring, releases
from tests.blocks.vectors import log2, split

ROUNDS = 6
WGT_COUNT_W = 24
LAYERS = 8


@dataclass(frozen=True)
class Word:
    """A word of a packet: a constant, or the weights of a filter with its zero point."""

    data: bytes
    lane: int | None  # None for a constant
    set_end: bool = False
    zero_point: int = 0

    @property
    def weights(self) -> list[int]:
        """What the memory keeps."""
        return [value - self.zero_point for value in np.frombuffer(self.data, np.int8).tolist()]


def blocks_of(filters: int, span: int, lanes: int) -> list[int]:
    """Filters of each block: a block has `lanes` at most, all of one span."""
    return [
        min(lanes, min(span, filters - first) - of_span)
        for first in range(0, filters, span)
        for of_span in range(0, min(span, filters - first), lanes)
    ]


def packet(
    rng: np.random.Generator, blocks: Sequence[int], sets: int, lanes_in: int, lanes_out: int
) -> list[Word]:
    """Random constants and weights; extreme ones among them."""
    words = []
    for filters in blocks:
        # Four bytes of bias, four of multiplier, a shift; then the zero points.
        zero_points = rng.choice(np.array([-128, 127, 0, *rng.integers(-128, 128, 5)]), lanes_out)
        constants = rng.bytes(9 * lanes_out) + zero_points.astype(np.int8).tobytes()
        constants += bytes(-len(constants) % lanes_in)
        words += [
            Word(constants[first : first + lanes_in], None)
            for first in range(0, len(constants), lanes_in)
        ]
        words += [
            Word(
                rng.choice(np.array([-128, 127, 0, 5], np.int8), lanes_in).tobytes()
                if rng.random() < 0.2
                else rng.bytes(lanes_in),
                lane,
                lane == filters - 1,
                int(zero_points[lane]),
            )
            for _ in range(sets)
            for lane in range(filters)
        ]
    return words


def random_layer(
    rng: np.random.Generator, lanes_in: int, lanes_out: int, most_sets: int
) -> tuple[dict[str, int], list[Word]]:
    """Spans of several channel groups in a block, or blocks that are parts of a span."""
    if rng.random() < 0.5:
        span = int(rng.integers(1, lanes_out + 1))
        filters = int(rng.integers(span, 4 * span + 1))
    else:
        span = int(rng.integers(1, 3 * lanes_out + 1))
        filters = span * int(rng.choice([1, 1, 2]))
    sets = int(rng.choice([1, 1, 2, 3, most_sets]))
    words = packet(rng, blocks_of(filters, span, lanes_out), sets, lanes_in, lanes_out)
    return {"OUT_CHANNELS": filters, "SPAN_FILTERS": span, "BLOCK_WORDS": sets}, words


@cocotb.test()
async def packets_arrive_in_the_buffers(dut: Any) -> None:
    """Random layers, stalls, releases and faults; every output in every cycle."""
    rng = np.random.default_rng(int(os.environ["COCOTB_RANDOM_SEED"]))
    lanes_in, lanes_out = int(os.environ["LANES_IN"]), int(os.environ["LANES_OUT"])
    wgt_words, const_words = int(os.environ["WGT_WORDS"]), int(os.environ["CONST_WORDS"])
    edge = FallingEdge(dut.clk)
    cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
    dut.wgt_released.value = 0
    dut.const_released.value = 0
    await edge
    found = np.zeros(3, int)
    weights_full = constants_full = complete = weights = 0
    for round_index in range(ROUNDS):
        await reset(dut, edge)
        faults = 0.03 if round_index % 2 else 0.0
        layers, packets = zip(
            *(random_layer(rng, lanes_in, lanes_out, wgt_words) for _ in range(LAYERS)), strict=True
        )
        every = [word for words in packets for word in words]
        ends = set(np.cumsum([len(words) for words in packets]) - 1)
        stream = Stream(
            dut,
            rng,
            layers,
            [
                sent(
                    rng,
                    int.from_bytes(word.data, "little"),
                    (1 << lanes_in) - 1,
                    end=index in ends,
                    layer_end=index in ends,
                    faults=faults + (0.3 if faults and index in ends else 0),
                )
                for index, word in enumerate(every)
            ],
            float(rng.uniform(0.4, 1)),
        )
        wgt_ring = Ring(wgt_words, WGT_COUNT_W)
        const_ring = Ring(const_words, log2(const_words) + 2)
        taken_words = 0
        counted = deque([0, 0, 0])  # sets, as `wgt_written` counts them in the cycles to come
        on_the_way: deque[tuple[Word, int] | None] = deque([None, None])
        midway = int(rng.integers(50, 200)) if round_index == 2 else -1  # a reset comes
        while (stream.words or any(on_the_way) or stream.sender.left) and midway:
            midway -= 1
            at_weights, at_constants = on_the_way
            assert int(dut.wgt_written.value) == counted.popleft() % wgt_ring.modulus
            is_constant = at_constants is not None and at_constants[0].lane is None
            write = str(dut.const_write.value)
            valid, address, data = split(write, 1, log2(const_words), 8 * lanes_in)
            assert valid == str(int(is_constant))
            if at_constants is not None and is_constant:
                word, place = at_constants
                assert int(data, 2) == int.from_bytes(word.data, "little")
                assert int(address, 2) == place % const_words
            lane = None if at_weights is None else at_weights[0].lane
            write = str(dut.wgt_write.value)
            lanes, address, data = split(write, lanes_out, log2(wgt_words), 9 * lanes_in)
            assert int(lanes, 2) == (0 if lane is None else 1 << lane)
            if at_weights is not None and lane is not None:
                word, place = at_weights
                kept = int(data, 2)
                for value in word.weights:
                    assert kept & 511 == value & 511
                    kept >>= 9
                assert kept == 0
                assert int(address, 2) == place % wgt_words
                weights += 1

            at_hand = every[taken_words] if taken_words < len(every) else every[0]
            constant = at_hand.lane is None
            room = const_ring.room if constant else wgt_ring.room
            if stream.states[0] == "active" and not room:
                constants_full += constant
                weights_full += not constant
            taken = stream.step(room=room) is not None
            taken_words += taken
            on_the_way.popleft()
            place = const_ring.written if constant else wgt_ring.written
            on_the_way.append((at_hand, place) if taken else None)
            released = releases(rng, wgt_ring)
            dut.wgt_released.value = released % wgt_ring.modulus
            wgt_ring.clock(write=taken and at_hand.set_end, released=released)
            released = releases(rng, const_ring)
            dut.const_released.value = released % const_ring.modulus
            const_ring.clock(write=taken and constant, released=released)
            counted.append(wgt_ring.written)
            await edge
        if midway:
            assert taken_words == len(every)
            for _ in range(3):
                stream.step(room=True)
                await edge
            complete += 1
        found += stream.found
        dut.wgt_released.value = 0
        dut.const_released.value = 0
    print(
        f"{weights} weight words, {found} errors, {weights_full} and {constants_full} cycles full"
    )
    assert complete == ROUNDS - 1
    assert weights > 500
    assert weights_full > 10
    assert constants_full > 10
    assert (found > 2).all()
