"""The signals of `conv_core` that are worth seeing, and what their values mean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from conv_core.models.convolution import accumulate
from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer, LayerCase
from conv_core.models.packing import filter_blocks, result_bytes, weight_runs
from conv_core.models.schedule import Window, schedule, window_number, windows
from conv_core.tb.checks.scoreboard import Place
from conv_core.tb.core.registers import Register
from conv_core.tb.paths import INCLUDES, RTL
from conv_core.tb.waves.signals import Events, Group, Names, Show, Signal

CORE = "u_core."
ENGINE = CORE + "u_engine."
GATE = ENGINE + "u_walk.u_gate."
FINISHER = ENGINE + "u_finisher."
WEIGHT_ADDRESS_BITS = 24
NAMED_WINDOWS = 2048
"""before and after the one in question, whose places have names"""

STEP_FLAGS = ("step_valid", "stall_act", "stall_wgt", "stall_out")
STEP_STATES = {0b1000: "MAC", 0b0100: "act?", 0b0010: "wgt?", 0b0001: "out?", 0: "-"}
"""by these"""
HALT_STATES = {0: "runs", 0b10: "halts", 0b01: "halted", 0b11: "halted"}
"""by halting and halted"""


class CoreSignals:
    """The `Watched` and the `Origins` of a core of this configuration."""

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        self._out_bits = config.out_bytes.bit_length() + 1
        self.events = Events(
            step=CORE + "step_valid",
            last=ENGINE + "step[0]",
            vector=ENGINE + "result_valid",
            sums=ENGINE + "result",
            lanes=config.lanes_out,
        )

    @property
    def origins(self) -> CoreSignals:
        """Itself."""
        return self

    @property
    def groups(self) -> tuple[Group, ...]:
        """Position and accumulator first, set-up and control last."""
        return (
            self._position(),
            self._array(),
            self._finisher(),
            Group(
                "lanes in",
                tuple(
                    _part(f"lane_{n}", f"{ENGINE}u_datapath.activations_q6", 9, n)
                    for n in range(self._config.lanes_in)
                ),
                closed=True,
            ),
            _control(),
        )

    def _position(self) -> Group:
        """What the step in the gate belongs to, as the addresses say that it works on."""
        out, weight = (GATE + "out_q",), (GATE + "wgt_q",)
        return Group(
            "position of the step",
            (
                Signal("step", _each(*STEP_FLAGS), 4, "names", STEP_STATES),
                _aside("step_valid", CORE + "step_valid"),
                *(
                    Signal(name, out, self._out_bits, "names", when="step_valid")
                    for name in ("frame", "row", "column", "filters")
                ),
                *(
                    Signal(name, weight, WEIGHT_ADDRESS_BITS, "names", when="step_valid")
                    for name in ("kernel_row", "kernel_column", "chunk")
                ),
                Signal("last_of_window", (ENGINE + "step[0]",), when="step_valid"),
            ),
        )

    def _array(self) -> Group:
        lanes = range(self._config.lanes_out)
        return Group(
            "accumulator",
            (
                Signal("sums_leave", (ENGINE + "result_valid",)),
                *(_part(f"sum_{n}", ENGINE + "result", 32, n) for n in lanes),
            ),
        )

    def _finisher(self) -> Group:
        bits, lanes, write = self._out_bits, self._config.lanes_out, ENGINE + "out_write"
        data = 8 * lanes  # a write: an enable for each byte, the address, the data
        return Group(
            "finisher",
            (
                Signal("sums_at_hand", (FINISHER + "at_hand",)),
                Signal("slice_taken", (FINISHER + "issue",)),
                _aside("slice", FINISHER + "slice_q", 2, "unsigned", when="slice_taken"),
                Signal("waits_constants", (FINISHER + "locked_q",)),
                _aside("has_room", FINISHER + "room_q"),
                _aside("bytes_written", f"{write}[{data + bits} +: {lanes}]", lanes, "hex"),
                _aside("written_at", f"{write}[{data} +: {bits}]", bits, "unsigned"),
                _aside("committed_to", ENGINE + "out_committed", bits, "unsigned"),
                _aside("read_to", ENGINE + "out_read", bits, "unsigned"),
            ),
        )

    # ---------------------------------------------------------------- what belongs to what
    def stands_in(self, dut: str, sources: Sequence[Path]) -> bool:
        """Are all files of this core there, be they changed or not?"""
        names = {source.name for source in sources}
        return dut == "conv_core" and {source.name for source in RTL.rglob("*.v")} <= names

    def vector_of(self, layer: Layer, place: Place) -> tuple[int, int]:
        """(number of the vector, lane) of a value."""
        blocks = filter_blocks(layer, self._config)
        index = max(i for i, b in enumerate(blocks) if b.first_filter <= place.channel)
        window = Window(place.frame, place.row, place.column, index)
        lane = place.channel - blocks[index].first_filter
        return window_number(layer, self._config, window), lane

    def vectors(self, layer: Layer) -> int:
        """One for each place and filter block."""
        places = layer.batch * layer.out_height * layer.out_width
        return places * schedule(layer, self._config).blocks

    def sum_of(self, case: LayerCase, place: Place) -> int:
        """The accumulator without the bias, which the finisher adds."""
        where = (place.frame, place.row, place.column, place.channel)
        whole = int(accumulate(case)[where]) - int(case.bias[place.channel])
        return int(np.int64(whole).astype(np.int32))  # an accumulator wraps

    def names(self, layer: Layer, before: Sequence[Layer], vector: int) -> Names:
        """Of result addresses (frame, row, column, filters) and of weight addresses."""
        return {**self._result_names(layer, before, vector), **self._weight_names(layer, before)}

    def _result_names(
        self, layer: Layer, before: Sequence[Layer], vector: int
    ) -> dict[str, dict[int, str]]:
        """A layer's frames lie behind each other, each from a word on."""
        first = sum(each.batch * self._frame_span(each) for each in before)
        blocks, size = filter_blocks(layer, self._config), 1 if layer.requantise else 4
        found: dict[str, dict[int, str]] = {"frame": {}, "row": {}, "column": {}, "filters": {}}
        near = range(max(0, vector - NAMED_WINDOWS), vector + NAMED_WINDOWS)
        for window in windows(layer, self._config, near):
            block = blocks[window.block]
            place = window.row * layer.out_width + window.column
            offset = (place * layer.out_channels + block.first_filter) * size
            address = first + window.frame * self._frame_span(layer) + offset
            address %= 1 << self._out_bits
            found["frame"][address] = str(window.frame)
            found["row"][address] = str(window.row)
            found["column"][address] = str(window.column)
            found["filters"][address] = f"{block.first_filter}+{block.filters}"
        return found

    def _frame_span(self, layer: Layer) -> int:
        """Bytes from one frame of results to the next."""
        return -(-result_bytes(layer) // self._config.lanes_out) * self._config.lanes_out

    def _weight_names(self, layer: Layer, before: Sequence[Layer]) -> dict[str, dict[int, str]]:
        """Each filter block has a word for each chunk of each run of each kernel row."""
        plans = [schedule(each, self._config) for each in before]
        first = sum(plan.blocks * plan.block_words for plan in plans)
        plan = schedule(layer, self._config)
        runs, length = weight_runs(layer, self._config)
        chunks, columns = -(-length // self._config.lanes_in), runs // layer.kernel[0]
        found: dict[str, dict[int, str]] = {"kernel_row": {}, "kernel_column": {}, "chunk": {}}
        for number in range(plan.blocks * plan.block_words):
            run, chunk = divmod(number % plan.block_words, chunks)
            address = (first + number) % (1 << WEIGHT_ADDRESS_BITS)
            found["kernel_row"][address] = str(run // columns)
            found["kernel_column"][address] = "all" if columns == 1 else str(run % columns)
            found["chunk"][address] = str(chunk)
        return found


def _control() -> Group:
    registers = {int(register): register.name for register in Register}
    halt = Signal("core", _each("halting", "halted"), 2, "names", HALT_STATES, cut=False)
    return Group(
        "control",
        (
            halt,
            _aside("rows_program", ENGINE + "u_rows.at_q", 6, "names", _rows_program()),
            _aside("write_of", "axil_awaddr", 8, "names", registers, "axil_awvalid"),
            _aside("axil_awvalid", "axil_awvalid"),
            _aside("written", "axil_wdata", 32, "hex", when="axil_wvalid"),
            _aside("axil_wvalid", "axil_wvalid"),
            _aside("read_of", "axil_araddr", 8, "names", registers, "axil_arvalid"),
            _aside("axil_arvalid", "axil_arvalid"),
            _aside("answer", "axil_rdata", 32, "hex", when="axil_rvalid"),
            _aside("axil_rvalid", "axil_rvalid"),
            _aside("irq", "irq"),
        ),
        closed=True,
    )


def _aside(
    name: str,
    source: str,
    bits: int = 1,
    show: Show = "bit",
    names: Mapping[int, str] | None = None,
    when: str = "",
) -> Signal:
    """A signal that is for viewers only."""
    return Signal(name, (source,), bits, show, names or {}, when, cut=False)


def _each(*names: str) -> tuple[str, ...]:
    return tuple(CORE + name for name in names)


def _part(name: str, path: str, bits: int, index: int) -> Signal:
    """One of several signed numbers that lie side by side."""
    return _aside(name, f"{path}[{bits * index}+:{bits}]", bits, "signed")


def _rows_program() -> dict[int, str]:
    """The operations of rows.v by number, as rows_program.vh names them."""
    text = (INCLUDES / "rows_program.vh").read_text()
    operations = text.partition("The operations by name")[2].partition(";")[0]
    return {int(number): name for name, number in re.findall(r"(\w+) = 6'd(\d+)", operations)}
