"""The module that sits in the bench and sees what is worth seeing, and the recordings it makes.

It gives every `Signal` a wire of its name, so that any viewer finds them side by side. On demand
(`+cut=FILE`) it writes down the cycles around one beat and when values were made inside the core.
Which beat is said by its number (`+cut_beat`) or by the time of the clock edge that takes it
(`+cut_ns`); `+cut_stop` ends the simulation then. It is part of every build, so that a failing run
can be repeated at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from conv_core.models.core_config import CoreConfig
from conv_core.models.files import write_whole
from conv_core.tb.bench.bench import CLOCK_NS
from conv_core.tb.paths import BUILD
from conv_core.tb.waves.signals import Events, Group, Signal, Watched, all_groups

MODULE = "conv_watch"
SCOPE = "conv_bench.u_watch"
RECORDING = "recording.txt"
CYCLES, AFTER = 16, 5
"""of a cut, and how many of them follow the beat"""
HALF_CYCLE_NS = CLOCK_NS // 2
NEVER = 0xFFFF_FFFF

TEMPLATE = """\
`timescale 1ns / 1ps
`default_nettype none
// Written by tb/waves/watch.py, which says what this is.
module {module} (
    input wire       clock,
    input wire       reset,
    input wire [2:0] taken    // {{results, weights, activations}}: a beat is accepted
);

{wires}

    reg [8*1024-1:0] path;
    integer file, left, place, i;
    reg        on     = 1'b0;
    reg        stop   = 1'b0;
    reg        found  = 1'b0;
    reg        begun  = 1'b0;
    reg [31:0] beat   = 32'd{never};
    reg [63:0] ns     = ~64'd0;
    reg [63:0] times [0:{last}];
    reg [{width}-1:0] seen [0:{last}];
{state}
    initial begin
        if ($value$plusargs("cut=%s", path)) begin
            file  = $fopen(path, "w");
            on    = 1'b1;
            place = 0;
            left  = {after};
        end
        if ($value$plusargs("cut_beat=%d", beat)) begin end
        if ($value$plusargs("cut_ns=%d", ns)) begin end
        if ($test$plusargs("cut_stop")) stop = 1'b1;
    end

    // In the middle of a cycle all is settled.
    always @(negedge clock) if (on) begin
        seen[place]  = {{{all_wires}}};
        times[place] = $time + {half};
        if (reset === 1'b1) begin
            if (begun) $fwrite(file, "reset %0d\\n", $time);
            begun = 1'b0;
        end else if (!begun && |taken) begin
            begun = 1'b1;
            $fwrite(file, "begin %0d\\n", $time);
        end
{events}
        if (found) left = left - 1;
        else if (reset === 1'b0)
            found = (taken[2] === 1'b1 && out_beat === beat) || $time + {half} >= ns;
        if (found && left == 0) begin
            for (i = 1; i <= {cycles}; i = i + 1) begin
                place = (place + 1) % {cycles};
                $fwrite(file, "cycle %0d %b\\n", times[place], seen[place]);
            end
            $fclose(file);
            on = 1'b0;
            if (stop) $finish;
        end
        place = (place + 1) % {cycles};
    end

endmodule
`default_nettype wire
"""

STATE = "    reg        fresh  = 1'b1;   // the next step begins a window"
EVENTS = """\
        if (reset === 1'b1) fresh = 1'b1;
        else if (event_step === 1'b1) begin
            if (fresh) $fwrite(file, "window %0d\\n", $time);
            fresh = event_last === 1'b1;
        end
        if (event_vector === 1'b1) $fwrite(file, "vector %0d %h\\n", $time, event_sums);
"""


def watch_module(groups: Sequence[Group], events: Events | None) -> str:
    """The module's Verilog text."""
    signals = _signals(groups)
    wires = [_wire(signal) for signal in signals]
    if events is not None:
        sums = 32 * events.lanes
        wires += [
            _wire(Signal("event_step", (events.step,))),
            _wire(Signal("event_last", (events.last,))),
            _wire(Signal("event_vector", (events.vector,))),
            _wire(Signal("event_sums", (events.sums,), sums, "hex")),
        ]
    return TEMPLATE.format(
        module=MODULE,
        wires="\n".join(wires),
        never=NEVER,
        last=CYCLES - 1,
        cycles=CYCLES,
        after=AFTER,
        half=HALF_CYCLE_NS,
        width=sum(signal.bits for signal in signals),
        all_wires=", ".join(signal.name for signal in signals),
        state=STATE if events else "",
        events=EVENTS if events else "",
    )  # fmt: skip


def watch_file(config: CoreConfig, watched: Watched | None) -> Path:
    """The module as a file, written unless it is there."""
    events = None
    if watched is not None and watched.origins is not None:
        events = watched.origins.events
    text = watch_module(all_groups(config, watched), events)
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    path = BUILD / "watch" / name / f"{MODULE}.v"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)
    return path


def _signals(groups: Sequence[Group]) -> list[Signal]:
    return [signal for group in groups for signal in group.signals]


def _wire(signal: Signal) -> str:
    width = f"[{signal.bits - 1}:0] " if signal.bits > 1 else ""
    signed = "signed " if signal.show == "signed" else ""
    source = ", ".join(f"conv_bench.{each}" for each in signal.sources)
    if len(signal.sources) > 1:
        source = f"{{{source}}}"
    return f"    wire {signed}{width}{signal.name} = {source};"


# -------------------------------------------------------------------------------- recordings
@dataclass(frozen=True)
class Cycle:
    """What the signals show in a cycle."""

    time_ns: int
    """of the clock edge that ends it"""
    values: dict[str, str]
    """by signal: bits, the highest first; each 0, 1, x or z"""


@dataclass(frozen=True)
class Recording:
    """What the module wrote down since the last reset. Times are in ns, in the middle of cycles."""

    cycles: tuple[Cycle, ...] = ()
    """those around the beat; none if it did not come"""
    begun: int | None = None
    """the first beat on any stream"""
    windows: tuple[int, ...] = ()
    """the first step of each window"""
    vectors: tuple[tuple[int, str], ...] = ()
    """when the sums of each window left the array, and these sums in hexadecimal"""


def read_recording(path: Path, groups: Sequence[Group], until_ns: int | None = None) -> Recording:
    """Reads a recording, without what happened later than `until_ns`."""
    signals = _signals(groups)
    cycles: list[Cycle] = []
    begun: int | None = None
    windows: list[int] = []
    vectors: list[tuple[int, str]] = []
    for line in path.read_text().splitlines():
        kind, time, *rest = line.split()
        if until_ns is not None and int(time) > until_ns and kind != "cycle":
            continue
        if kind == "cycle":
            bits, values, at = rest[0], {}, 0
            for signal in signals:
                values[signal.name] = bits[at : at + signal.bits]
                at += signal.bits
            cycles.append(Cycle(int(time), values))
        elif kind == "reset":
            begun = None
            windows.clear()
            vectors.clear()
        elif kind == "begin":
            begun = int(time)
        elif kind == "window":
            windows.append(int(time))
        else:
            vectors.append((int(time), rest[0]))
    return Recording(tuple(cycles), begun, tuple(windows), tuple(vectors))
