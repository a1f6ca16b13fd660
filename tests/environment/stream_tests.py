"""The coroutines of tb/pins/streams.py on a small FIFO; runs in the simulator."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles, with_timeout

from conv_core.tb.pins.streams import (
    Gate,
    Monitor,
    Pins,
    Sink,
    Source,
    always,
    beats_of,
    packets_of,
)

PACKETS = 12
TIMEOUT_US = 100


def gates(name: str, rng: np.random.Generator) -> tuple[Gate, Gate]:
    """The gates of source and sink in a traffic."""

    def often(share: float) -> Callable[[], bool]:
        return lambda: bool(rng.random() < share)

    return {
        "free": (always, always),
        "slow-source": (often(0.3), always),
        "slow-sink": (always, often(0.3)),
        "both-slow": (often(0.5), often(0.5)),
        "ready-after-valid": (always, always),
    }[name]


@cocotb.test()
async def packets_come_out_as_they_went_in(dut: Any) -> None:
    """What the environment variables say goes through the FIFO."""
    rng = np.random.default_rng(int(os.environ["COCOTB_RANDOM_SEED"]))
    traffic = os.environ["TRAFFIC"]
    source_gate, sink_gate = gates(traffic, rng)
    s_axis, m_axis = Pins(dut, "s_axis", dut.clk), Pins(dut, "m_axis", dut.clk)
    source = Source(s_axis, source_gate)
    sink = Sink(m_axis, sink_gate, after_valid=traffic == "ready-after-valid")
    dut.fault.value = int(os.environ["FAULT"])
    dut.rst.value = 1
    await ClockCycles(dut.clk, 4)
    dut.rst.value = 0
    await ClockCycles(dut.clk, 1)
    monitors = [Monitor(pins) for pins in (s_axis, m_axis)]
    watches = [cocotb.start_soon(monitor.watch()) for monitor in monitors]

    packets = [rng.bytes(int(rng.integers(1, 20))) for _ in range(PACKETS)]
    beats = [beat for packet in packets for beat in beats_of(packet, s_axis.beat_bytes)]
    sending = cocotb.start_soon(source.send(beats))
    for packet in packets:
        assert await with_timeout(sink.packet(), TIMEOUT_US, "us") == packet
    await with_timeout(sending, TIMEOUT_US, "us")
    await ClockCycles(dut.clk, 10)

    for monitor, watch in zip(monitors, watches, strict=True):
        watch.cancel()
        assert monitor.beats == beats
        assert packets_of(monitor.beats) == packets
