"""finisher with a memory and a slow reader after it; runs inside the simulator, see
test_finisher.py."""

from __future__ import annotations

import os
from collections import deque
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

from tests.blocks.layers import LayerSender
from tests.blocks.rounding import by_float, by_single, by_tflite, clamped, wrapped
from tests.blocks.vectors import joined, log2, split

LAYERS = 16
MOST_CYCLES = 60_000
ARRAY = 13
"""cycles from a window's last step, with its mark, to its vector"""


class Layer:
    """A layer as the finisher sees it: blocks of filters, rows of windows, sums and constants."""

    def __init__(self, rng: np.random.Generator, lanes: int, start: int) -> None:
        self.int8, self.float = bool(rng.random() < 0.6), bool(rng.random() < 0.4)
        self.single = not self.float and bool(rng.random() < 0.5)
        self.zero_point = int(rng.integers(-128, 128))
        self.clamps = sorted(int(n) for n in rng.integers(-128, 128, 2))
        filters = int(rng.integers(1, 3 * lanes + 1))
        rows, columns = int(rng.integers(1, 4)), int(rng.integers(1, 6))
        value = 1 if self.int8 else 4
        blocks = [range(b, min(b + lanes, filters)) for b in range(0, filters, lanes)]
        self.bias = rng.integers(-(2**31), 2**31, filters) >> rng.integers(0, 24, filters)
        self.mult = rng.integers(2**30, 2**31, filters)
        self.shift = rng.integers(-31, 8, filters)
        if self.float:
            scales = (2.0 ** rng.uniform(-30, 0, filters)).astype(np.float32)
            self.mult = scales.view(np.uint32).astype(np.int64)
        acc = rng.integers(-(2**31), 2**31, (rows, columns, filters))
        acc >>= rng.integers(0, 31, acc.shape)
        results = b"".join(
            self.result(int(a), f % filters) for f, a in enumerate(acc.reshape(-1).tolist())
        )
        word = lanes
        self.bytes = results
        self.padded = -(-len(results) // word) * word
        self.constants = [self.packed(list(block), lanes) for block in blocks]
        self.vectors: list[bytes] = []  # by window, like their marks
        self.marks: list[tuple[int, int, int, int, int, int]] = []
        for row in range(rows):
            for block in blocks:
                for column in range(columns):
                    pixel = row * columns + column
                    last_block = block is blocks[-1]
                    last_pass = row == rows - 1
                    new = column == 0 and (len(blocks) > 1 or row == 0)
                    end = last_block and last_pass and column == columns - 1
                    out = start + (pixel * filters + block[0]) * value
                    self.marks.append((out, len(block) - 1, last_pass, new, last_block, end))
                    sums = acc[row, column, block[0] : block[-1] + 1]
                    vector = np.concatenate([sums, rng.integers(0, 99, lanes - len(block))])
                    self.vectors.append(vector.astype("<i4").tobytes())

    def result(self, acc: int, f: int) -> bytes:
        acc = wrapped(acc + int(self.bias[f]))
        if not self.int8:
            return acc.to_bytes(4, "little", signed=True)
        mult, shift = int(self.mult[f]), int(self.shift[f])
        by_mult = by_single if self.single else by_tflite
        t = by_float(acc, mult) if self.float else by_mult(acc, mult, shift)
        return clamped(t, self.zero_point, *self.clamps).to_bytes(1, "little", signed=True)

    def packed(self, filters: list[int], lanes: int) -> bytes:
        """Biases, multipliers, shifts of a block, as they travel."""
        parts = []
        for values, kind in ((self.bias, "<u4"), (self.mult, "<u4"), (self.shift, "<u1")):
            whole = np.zeros(lanes, np.int64)
            whole[: len(filters)] = values[filters]
            parts.append(whole.astype(kind).tobytes())
        return b"".join(parts)


@cocotb.test()
async def results_stand_in_order(dut: Any) -> None:
    names = ("LANES_IN", "LANES_OUT", "RESULT_QUEUE", "OUT_BYTES", "CONST_WORDS")
    lanes_in, lanes, queue, size, const_words = (int(os.environ[name]) for name in names)
    const_bits, out_bits = log2(const_words) + 2, log2(size) + 2
    rng = np.random.default_rng(int(os.environ["COCOTB_RANDOM_SEED"]))
    cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
    dut.rst.value = 1
    for pin in (
        dut.numbers,
        dut.take_layer,
        dut.const_write,
        dut.mark_valid,
        dut.vector_valid,
        dut.read,
    ):
        pin.value = 0
    for _ in range(3):
        await FallingEdge(dut.clk)
    dut.rst.value = 0

    layers: list[Layer] = []
    start = 0
    for _ in range(LAYERS):
        layers.append(Layer(rng, lanes, start))
        start += layers[-1].padded
    words: list[bytes] = []
    ready_at: list[int] = []  # words that a layer's blocks need, cumulated
    for layer in layers:
        for block in layer.constants:
            block += rng.bytes(lanes)  # zero points of the weights
            block += bytes(-len(block) % lanes_in)
            words += [block[i : i + lanes_in] for i in range(0, len(block), lanes_in)]
            ready_at.append(len(words))
    windows: deque[tuple[int, bytes, int]] = deque()
    needed = iter(ready_at)
    for layer in layers:
        first = [next(needed) for _ in layer.constants]
        block = -1
        for (out, last, last_pass, new, last_block, end), vector in zip(
            layer.marks, layer.vectors, strict=True
        ):
            if new:
                block = (block + 1) % len(first)
            fields = ((out % 2**out_bits, 9), (last, 4), (last_pass, 3), (new, 2))
            mark = sum(int(n) << at for n, at in (*fields, (last_block, 1), (end, 0)))
            windows.append((mark, vector, first[block]))

    memory = bytearray(size)
    vectors: deque[tuple[int, bytes]] = deque()
    written, places, read, committed = 0, queue, 0, 0
    sender = LayerSender(
        rng,
        [
            {
                "MODE": layer.int8 | layer.float << 1 | layer.single << 8,
                "OUT_ZERO_POINT": layer.zero_point,
                "SMALLEST": layer.clamps[0],
                "LARGEST": layer.clamps[1],
            }
            for layer in layers
        ],
    )
    expected = b"".join(layer.bytes.ljust(layer.padded, b"\0") for layer in layers)
    counts = bytearray(
        b"".join(
            b"\1" * len(layer.bytes) + bytes(layer.padded - len(layer.bytes)) for layer in layers
        )
    )
    compared = 0
    for cycle in range(MOST_CYCLES):
        # What the registers say now.
        places += int(dut.credit.value)
        enables, where, data = split(str(dut.write.value), lanes, out_bits, 8 * lanes)
        enable = int(enables, 2)
        if enable:
            at = int(where, 2)
            for lane in range(lanes):
                if enable >> lane & 1:
                    byte = int(data[8 * (lanes - 1 - lane) : 8 * (lanes - lane)], 2)
                    address = read + (at + lane - read) % 2**out_bits
                    assert address < read + size, f"byte {address} before {read} was read"
                    memory[address % size] = byte
        now = committed + (int(dut.committed.value) - committed) % 2**out_bits
        assert now <= len(expected)
        committed = now
        released = int(dut.const_released.value)
        # What goes in next.
        ready = bool(int(dut.ready.value))
        numbers, offered = sender.step(ready=ready)
        dut.numbers.value = numbers
        dut.take_layer.value = int(offered and ready)
        free = const_words - (written - released) % 2**const_bits
        dut.const_write.value = 0
        if free > 0 and written < len(words):
            word = int.from_bytes(words[written], "little")
            dut.const_write.value = joined(
                (1, 1), (written % const_words, log2(const_words)), (word, 8 * lanes_in)
            )
            written += 1
        busy = cycle // 300 % 2
        step = windows and places and written >= windows[0][2] and (busy or rng.random() < 0.3)
        dut.mark_valid.value = int(bool(step))
        if step:
            mark, vector, _ = windows.popleft()
            dut.mark.value = mark
            places -= 1
            vectors.append((cycle + ARRAY, vector))
        dut.vector_valid.value = 0
        if vectors and vectors[0][0] == cycle:
            dut.vector_valid.value = 1
            dut.vector.value = int.from_bytes(vectors.popleft()[1], "little")
        fast = cycle // 700 % 2
        # A word is whole when the results go on after it, or their layer ends in it.
        ends = committed == len(counts) or not counts[committed]
        whole = -(-committed // lanes) * lanes if ends else committed // lanes * lanes
        if read < whole and (fast or rng.random() < 0.2):
            for address in range(read, read + lanes):
                if counts[address]:
                    assert memory[address % size] == expected[address], f"byte {address}"
                    compared += 1
            read += lanes
            dut.read.value = read % 2**out_bits
        await FallingEdge(dut.clk)
        if read == len(expected):
            break
    assert compared == sum(len(layer.bytes) for layer in layers) > 300
    assert not windows
    for _ in range(40):
        await FallingEdge(dut.clk)
    assert int(dut.const_released.value) == len(words) % 2**const_bits
    assert int(dut.ready.value)
    assert not sender.left
