"""AXI4-Stream at the pins, a beat at a time: source, sink, monitor.

For tests that need the pins. Whole layers go through the Verilog transactors of tb/bench/verilog,
which are ten times faster.

All drive just behind the rising edge and look at the falling edge, where everything has settled, so
that the order in which coroutines run does not matter and every simulator gives the same trace.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from cocotb.triggers import FallingEdge, RisingEdge
from cocotb.utils import get_sim_time

from conv_core.tb.checks.rules import BY_NAME

Gate = Callable[[], bool]
"""Says in each cycle whether a stream may go on."""


class ProtocolError(AssertionError):
    """A rule of AXI4-Stream was broken: which, at which beat, when."""


@dataclass(frozen=True)
class Beat:
    """What travels in one beat. `data` are its bytes that count.

    `keep` is what tkeep says where that is not the truth: for tests of whoever receives it.
    """

    data: bytes
    last: bool
    keep: int | None = None


def beats_of(packet: bytes, beat_bytes: int) -> list[Beat]:
    """A packet cut into beats; the last may be partial."""
    starts = range(0, len(packet), beat_bytes)
    return [Beat(packet[i : i + beat_bytes], i + beat_bytes >= len(packet)) for i in starts]


def packets_of(beats: Iterable[Beat]) -> list[bytes]:
    """Beats put together again. Raises `ValueError` if the last packet has no end."""
    packets, packet = [], b""
    for beat in beats:
        packet += beat.data
        if beat.last:
            packets.append(packet)
            packet = b""
    if packet:
        raise ValueError(f"a packet of {len(packet)} bytes has no tlast")
    return packets


def known_bytes(bits: str) -> bytes:
    """The bytes of tdata; what is X, as bytes may be that do not count, reads 0."""
    known = "".join(bit if bit in "01" else "0" for bit in bits)
    return int(known, 2).to_bytes(len(bits) // 8, "little")


def always() -> bool:
    """The gate that is never shut."""
    return True


class Pins:
    """The signals of a stream: `<prefix>_tvalid` and so on."""

    def __init__(self, dut: Any, prefix: str, clock: Any) -> None:
        self.valid = getattr(dut, f"{prefix}_tvalid")
        self.ready = getattr(dut, f"{prefix}_tready")
        self.data = getattr(dut, f"{prefix}_tdata")
        self.keep = getattr(dut, f"{prefix}_tkeep")
        self.last = getattr(dut, f"{prefix}_tlast")
        self.name = prefix
        self.beat_bytes = len(self.keep)
        self.rising = RisingEdge(clock)
        self.falling = FallingEdge(clock)


class Source:
    """Sends beats. Once a beat is offered it stays, whatever the gate says."""

    def __init__(self, pins: Pins, gate: Gate = always) -> None:
        self._pins = pins
        self._gate = gate
        pins.valid.value = 0

    async def send(self, beats: Iterable[Beat]) -> None:
        """Returns when the last beat is accepted."""
        pins = self._pins
        for beat in beats:
            await pins.rising
            while not self._gate():
                pins.valid.value = 0
                await pins.rising
            pins.valid.value = 1
            pins.data.value = int.from_bytes(beat.data, "little")
            pins.keep.value = (1 << len(beat.data)) - 1 if beat.keep is None else beat.keep
            pins.last.value = int(beat.last)
            await pins.falling
            while not int(pins.ready.value):
                await pins.falling
        await pins.rising
        pins.valid.value = 0


class Sink:
    """Takes beats."""

    def __init__(self, pins: Pins, gate: Gate = always, *, after_valid: bool = False) -> None:
        self._pins = pins
        self._gate = gate
        self._after_valid = after_valid
        pins.ready.value = 0

    async def take(self) -> AsyncIterator[Beat]:
        """The beats, one after the other, for ever."""
        pins = self._pins
        seen = False
        while True:
            await pins.rising
            ready = self._gate() and (seen or not self._after_valid)
            pins.ready.value = int(ready)
            await pins.falling
            seen = str(pins.valid.value) == "1"
            if seen and ready:
                keep = int(pins.keep.value)
                data = known_bytes(str(pins.data.value))
                kept = bytes(b for i, b in enumerate(data) if keep >> i & 1)
                seen = False
                yield Beat(kept, bool(int(pins.last.value)))

    async def packet(self) -> bytes:
        """The next packet."""
        packet = b""
        async for beat in self.take():
            packet += beat.data
            if beat.last:
                break
        return packet


class Monitor:
    """Watches a stream and raises `ProtocolError` at the first broken rule (see
    `conv_core.tb.checks.rules`).

    `beats` grows as beats are accepted. A monitor that saw none proves nothing: ask `beats`.
    `empty_last` allows a packet's last beat to keep no byte: that closes a packet which broke off.
    """

    def __init__(self, pins: Pins, *, empty_last: bool = False) -> None:
        self._pins = pins
        self._empty_last = empty_last
        self.beats: list[Beat] = []

    async def watch(self) -> None:
        """Runs for ever; start it as a task, and await it to learn of errors."""
        pins = self._pins
        stalled: tuple[str, str, str] | None = None
        while True:
            await pins.falling
            valid, ready = str(pins.valid.value), str(pins.ready.value)
            if valid not in "01" or ready not in "01":
                self._break("x-control")
            if stalled and valid == "0":
                self._break("tvalid-withdrawn")
            if valid == "1":
                payload = (str(pins.data.value), str(pins.keep.value), str(pins.last.value))
                self._check(payload)
                if stalled and payload != stalled:
                    self._break("payload-changed")
                stalled = None if ready == "1" else payload
                if ready == "1":
                    keep = payload[1].count("1")
                    data = known_bytes(payload[0])
                    self.beats.append(Beat(data[:keep], payload[2] == "1"))

    def _check(self, payload: tuple[str, str, str]) -> None:
        data, keep, last = payload
        if set(keep + last) - {"0", "1"}:
            self._break("x-payload")
        kept = keep.count("1")
        if keep != "1" * kept and keep.lstrip("0") != "1" * kept:
            self._break("tkeep")
        empty = kept == 0 and not (self._empty_last and last == "1")
        if empty or (last == "0" and kept < len(keep)):
            self._break("tkeep")
        if set(data[len(data) - 8 * kept :]) - {"0", "1"}:
            self._break("x-payload")

    def _break(self, rule: str) -> None:
        raise ProtocolError(
            f"{self._pins.name}, beat {len(self.beats)}, {get_sim_time('ns'):.0f} ns: "
            f"{BY_NAME[rule]}"
        )
