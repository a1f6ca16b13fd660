"""Python's side of tb/bench/verilog/conv_bench.v.

Everything here happens at falling edges of the clock: what is read is stable, and what is written
is seen at the next rising edge, on every simulator alike. Data crosses in pieces of 64 kbit.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntFlag
from typing import Any

import numpy as np
from cocotb.triggers import FallingEdge, RisingEdge, Timer
from cocotb.utils import get_sim_time
from numpy.typing import NDArray

from conv_core.models.core_config import CoreConfig
from conv_core.models.packing import Bytes
from conv_core.tb.bench.parameters import RING_BEATS, chunk_beats
from conv_core.tb.bench.seen import BUS, BUS_CHANNELS, Broken, Record, StreamState
from conv_core.tb.bench.source import Source
from conv_core.tb.checks.rules import (
    BUS_RULES,
    BUS_VALID_WAITS,
    STREAM_RULES,
    TVALID_WAITS,
    rules_mask,
)
from conv_core.tb.stimuli.stalls import STREAMS, Profile

CLOCK_NS = 10
BUS_COMMANDS = 32
TRACE_BEATS = 512
TRIAL_CYCLES = 16
"""how long ready is offered to a core that may be waiting for it"""


class Cause(IntFlag):
    """Why the bench wakes Python."""

    COMPLETE = 1
    IRQ = 2
    REFILL_ACT = 4
    REFILL_WGT = 8
    READ_OUT = 16
    TICK = 32
    LIMIT = 64
    BUS_IDLE = 128


class Bench:
    """The bench, seen from Python. `dut` is the handle of conv_bench."""

    def __init__(
        self, dut: Any, config: CoreConfig, rules_off: frozenset[str] = frozenset()
    ) -> None:
        self._dut = dut
        self._rules_off = rules_off
        self._handles: dict[str, Any] = {}
        self._flips: dict[str, int] = {}
        self.config = config
        self.act = Source(self, "act", config.act_stream_bytes)
        self.wgt = Source(self, "wgt", config.wgt_stream_bytes)
        self._out_chunk_bytes = config.out_stream_bytes * chunk_beats(config.out_stream_bytes)
        self._results: list[Bytes] = []
        self._waiting: list[Broken] = []
        """rules found broken by trial"""
        self._falling = FallingEdge(dut.clk)
        self._event = RisingEdge(dut.host_event)
        self.write("host_rules", rules_mask(rules_off))

    # ---------------------------------------------------------------- single signals
    def _handle(self, name: str) -> Any:
        if name not in self._handles:
            self._handles[name] = getattr(self._dut, name)
        return self._handles[name]

    def write(self, name: str, value: int) -> None:
        """Sets a signal; the design sees it at the next rising edge."""
        self._handle(name).set(value)

    def read(self, name: str) -> int:
        """The value of a signal; bits that are X or Z count as 0."""
        value = self._handle(name).get()
        try:
            return int(value)
        except ValueError:
            return int("".join(c if c == "1" else "0" for c in str(value)), 2)

    def flip(self, name: str) -> None:
        """Changes a one-bit signal, which the Verilog side takes as a request."""
        self._flips[name] = 1 - self._flips.get(name, 0)
        self.write(name, self._flips[name])

    async def align(self) -> None:
        """Waits for the next falling edge."""
        await self._falling

    async def clock(self, cycles: int = 1) -> None:
        """Waits for so many cycles, from falling edge to falling edge."""
        await Timer(cycles * CLOCK_NS, "ns")

    def time_of(self, cycle: int) -> int:
        """Simulation time, in ns, of the rising edge that the bench counts as `cycle`."""
        # host_cycle has taken the edge half a period ago.
        last_edge = int(get_sim_time("ns")) - CLOCK_NS // 2
        return last_edge - CLOCK_NS * (self.read("host_cycle") - 1 - cycle)

    # ---------------------------------------------------------------- the whole bench
    async def reset(self) -> None:
        """Resets the core and clears the bench."""
        await self.align()
        for name in ("host_reset", "host_clear"):
            self.write(name, 1)
        self.write("host_arm", 0)
        self.write("host_bus_wanted", 0)
        self.write("host_act_more", 0)
        self.write("host_wgt_more", 0)
        self.act.reset()
        self.wgt.reset()
        self._results.clear()
        self._waiting.clear()
        await self.clock(4)
        self.write("host_clear", 0)
        await self.clock(2)
        self.write("host_reset", 0)
        await self.clock(4)

    async def clear(self) -> None:
        """Clears the bench and leaves the core alone."""
        self.write("host_clear", 1)
        self.write("host_arm", 0)
        self.act.reset()
        self.wgt.reset()
        self._results.clear()
        self._waiting.clear()
        await self.clock(2)
        self.write("host_clear", 0)
        await self.clock()

    async def job(self, stream: str, packet_bytes: int, packets: int) -> None:
        """Tells a stream's source and monitor what comes next."""
        self.write("host_job_bytes", packet_bytes)
        self.write("host_job_packets", packets)
        self.flip(f"host_{stream}_job_flip")
        await self.clock()

    async def stall(self, profile: Profile, seeds: dict[str, int]) -> None:
        """Takes a stall profile and restarts the patterns."""
        for stream in STREAMS:
            self.write(f"host_seed_{stream}", seeds[stream])
            self.write(f"host_stall_{stream}", getattr(profile, stream).word)
        self.write("host_after_valid", int(profile.ready_after_valid))
        self.write("host_seed_bus", seeds[BUS])
        self.write("host_bus_delay", profile.bus_delay)
        self.write("host_bus_after_valid", int(profile.ready_after_valid))
        self.write("host_first", {"": 0, "wgt": 1, "act": 2}[profile.first])
        self.flip("host_seed_flip")
        await self.clock()

    def arm(self) -> None:
        """Offers the streams from the next access of the control port on."""
        self.write("host_arm", 1)

    def results_taken(self) -> int:
        """Layers of the batch whose results have all been taken."""
        return self.read("host_out_jobs")

    async def wait(self) -> Cause:
        """Waits until there is something to do and says what."""
        while True:
            causes = Cause(self.read("host_causes"))
            if causes:
                return causes
            if not self.read("host_event"):
                await self._event
            await self.align()

    async def serve(self, causes: Cause) -> None:
        """Gives the streams what they ask for, and takes what they have."""
        if causes & Cause.REFILL_ACT:
            await self.act.fill()
        if causes & Cause.REFILL_WGT:
            await self.wgt.fill()
        if causes & Cause.READ_OUT:
            await self.take_results()

    # ---------------------------------------------------------------- the bus
    async def bus(
        self, accesses: Sequence[tuple[int, int | None]], *, strobes: int = 15, timeout: int = 2000
    ) -> list[tuple[int, int]]:
        """Carries out AXI4-Lite accesses: (address, data to write or None to read).

        Returns (response, data read) for each. Raises `TimeoutError` naming the access that the
        core does not answer within `timeout` cycles for each.
        """
        answers: list[tuple[int, int]] = []
        for start in range(0, len(accesses), BUS_COMMANDS):
            answers += await self._bus_list(
                accesses[start : start + BUS_COMMANDS], strobes, timeout
            )
        return answers

    async def _bus_list(
        self, accesses: Sequence[tuple[int, int | None]], strobes: int, timeout: int
    ) -> list[tuple[int, int]]:
        commands = 0
        for i, (address, data) in enumerate(accesses):
            word = address << 32 | strobes << 40
            if data is not None:
                word |= 1 << 44 | (data & 0xFFFFFFFF)
            commands |= word << (48 * i)
        self.write("host_bus_commands", commands)
        self.write("host_bus_count", len(accesses))
        self.flip("host_bus_flip")
        deadline = self.read("host_cycle") + timeout * len(accesses)
        await self.clock(4)
        while self.read("host_pins") & 64:
            if self.read("host_cycle") > deadline:
                stuck = self.read("host_bus_done")
                address, data = accesses[stuck]
                verb = "read" if data is None else "write"
                await self._try_bus(stuck, "R" if data is None else "B")
                raise TimeoutError(f"the core does not answer the {verb} of 0x{address:02X}")
            await self.clock(4)
        answers = self.read("host_bus_answers")
        return [
            (answers >> (48 * i + 32) & 3, answers >> (48 * i) & 0xFFFFFFFF)
            for i in range(len(accesses))
        ]

    async def _try_bus(self, stuck: int, channel: str) -> None:
        """Does the answer that does not come wait for its ready?"""
        answered = self.read("host_bus_answered")
        time_ns = self.time_of(self.read("host_cycle"))
        self.write("host_bus_eager", 1)
        await self.clock(TRIAL_CYCLES)
        self.write("host_bus_eager", 0)
        if self.read("host_bus_done") > stuck and BUS_VALID_WAITS.name not in self._rules_off:
            self._waiting.append(Broken(BUS, BUS_VALID_WAITS, answered, time_ns, channel))

    async def try_results(self) -> None:
        """Do the results that do not come under ready-after-valid wait for tready?"""
        before = self.state("out")
        if before.valid or not self.read("host_after_valid"):
            return
        time_ns = self.time_of(self.read("host_cycle"))
        self.write("host_after_valid", 0)
        await self.clock(TRIAL_CYCLES)
        self.write("host_after_valid", 1)
        after = self.state("out")
        came = after.valid or after.accepted > before.accepted
        if came and TVALID_WAITS.name not in self._rules_off:
            self._waiting.append(Broken("out", TVALID_WAITS, before.accepted, time_ns))

    # ---------------------------------------------------------------- results
    async def take_results(self, *, everything: bool = False) -> None:
        """Fetches results that the sink holds; all of them, or as long as it asks for it."""
        while everything or self.read("host_causes") & Cause.READ_OUT:
            self.flip("host_out_read_flip")
            await self.clock()
            beats = self.read("host_out_read_beats")
            if beats:
                data = self.read("host_out_read_data").to_bytes(self._out_chunk_bytes, "little")
                size = beats * self.config.out_stream_bytes
                self._results.append(np.frombuffer(data, np.uint8, size))
            elif everything:
                return
            await self.clock(2)

    def results(self) -> Bytes:
        """The bytes of all result beats fetched so far."""
        if not self._results:
            return np.zeros(0, np.uint8)
        self._results = [np.concatenate(self._results)]
        return self._results[0]

    # ---------------------------------------------------------------- what the monitors saw
    def broken(self) -> list[Broken]:
        """Rules broken since the bench was cleared, in the order of time."""
        found = list(self._waiting)
        for stream in (*STREAMS, BUS):
            rules = self.read(f"host_{stream}_broken")
            where = self.read(f"host_{stream}_where") if rules else 0
            for bit, rule in enumerate(BUS_RULES if stream == BUS else STREAM_RULES):
                if rules >> bit & 1:
                    beat, cycle = divmod(where >> (64 * bit) & (2**64 - 1), 2**32)
                    time_ns, channel = self.time_of(cycle), ""
                    if stream == BUS:
                        number, beat = divmod(beat, 1 << 28)
                        channel = BUS_CHANNELS[number]
                    found.append(Broken(stream, rule, beat, time_ns, channel))
        return sorted(found, key=lambda b: b.time_ns)

    async def record(self, stream: str, job: int) -> Record:
        """When the packets of job number `job` passed the stream."""
        self.write("host_record_job", job)
        await self.clock()
        word = self.read(f"host_{stream}_record")
        return Record(*(word >> (32 * i) & 0xFFFFFFFF for i in range(4)))

    async def trace(self, stream: str, beats: int) -> NDArray[np.int64]:
        """The cycle in which each of the first `beats` beats was accepted (at most RING_BEATS)."""
        pieces = []
        for start in range(0, beats, TRACE_BEATS):
            self.write("host_trace_beat", start)
            self.flip("host_trace_flip")
            await self.clock()
            data = self.read(f"host_{stream}_trace").to_bytes(4 * TRACE_BEATS, "little")
            pieces.append(np.frombuffer(data, "<u4").astype(np.int64))
        return np.concatenate(pieces)[:beats] if pieces else np.zeros(0, np.int64)

    async def beat_cycle(self, stream: str, beat: int) -> int | None:
        """The cycle in which a beat was accepted, or None where that is no longer known."""
        accepted = self.read(f"host_{stream}_beats")
        if not accepted - RING_BEATS <= beat < accepted:
            return None
        self.write("host_trace_beat", beat)
        self.flip("host_trace_flip")
        await self.clock()
        return self.read(f"host_{stream}_trace") & 0xFFFFFFFF

    def state(self, stream: str) -> StreamState:
        """What a stream stands at."""
        pins = self.read("host_pins") >> (2 * STREAMS.index(stream))
        accepted = self.read(f"host_{stream}_beats")
        offered = (
            accepted + (pins >> 1 & 1) if stream == "out" else self.read(f"host_{stream}_offered")
        )
        return StreamState(stream, offered, accepted, bool(pins >> 1 & 1), bool(pins & 1))
