"""Bugs that only a rare layer meets, drawn from a seed: can random layers find and shrink them?

    python -m tests.bugs.rare [--seed n]

A bug is a condition, over the descriptor of the layer that the core computes and what happened on
its streams meanwhile, and an effect on one signal of `conv_core` while the condition holds. All
bugs of a seed stand in one copy of the RTL, and a plusarg chooses one, so that one build does.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator

from conv_core.models.core_config import CoreConfig
from conv_core.tb.runs.builds import FILE_LIST, rtl_files
from conv_core.tb.runs.exploration import Exploration, explore
from conv_core.tb.runs.tools import SIMULATORS
from tests.bugs.bugs import PatchError

CONFIG = CoreConfig.from_array("8x8")
BUGS = 10
MOST_LAYERS = 2000
FEW_MACS = 100
FOUND_GOAL = 9

FIELDS = {
    "width": (0, 15),
    "height": (16, 31),
    "channels_in": (32, 47),
    "channels_out": (48, 63),
    "out_width": (64, 79),
    "out_height": (80, 95),
    "frames": (96, 111),
    "groups": (112, 127),
    "kernel_x": (128, 132),
    "kernel_y": (136, 140),
    "stride_x": (144, 146),
    "stride_y": (148, 150),
    "dilation_x": (152, 154),
    "dilation_y": (156, 158),
    "left": (160, 175),
    "top": (176, 191),
    "in_zero_point": (192, 199),
    "out_zero_point": (200, 207),
    "requantise": (224, 224),
    "by_float": (225, 225),
}
"""of a descriptor: bits"""

HELD = "a result was held"
TRAFFIC = {
    "": "1'b1",
    HELD: "rare_held_q",
    "the activations made a pause": "rare_pause_q",
}
"""what happened in the layer before"""


@dataclass(frozen=True)
class Condition:
    """Over the fields of a descriptor."""

    text: str
    """Verilog"""
    macs: int = 1
    """multiply-accumulates that a layer has at least for which it holds"""
    steps: int = 1
    """of a window of that layer, at least"""


@dataclass(frozen=True)
class Effect:
    """What an input of an instance in `engine` or `conv_core` is in place of `{}`."""

    name: str
    instance: str
    port: str
    expression: str
    steps: int = 1
    """that a window has at least for which it changes anything"""


EFFECTS = (
    Effect("activations are read from the byte beside", "u_datapath", "step",
           "{} ^ ({{{{STEP_W - 1{{1'b0}}}}, 1'b1}} << (19 + 2*$clog2(LANES_IN)))"),
    Effect("weights are read from the word beside", "u_datapath", "step",
           "{} ^ ({{{{STEP_W - 1{{1'b0}}}}, 1'b1}} << (15 + 2*$clog2(LANES_IN) + ACT_W))"),
    Effect("a step's first lane is another", "u_datapath", "step",
           "{} ^ ({{{{STEP_W - 1{{1'b0}}}}, 1'b1}} << (19))"),
    Effect("a step's last lane is another", "u_datapath", "step",
           "{} ^ ({{{{STEP_W - 1{{1'b0}}}}, 1'b1}} << (19 + $clog2(LANES_IN)))"),
    Effect("a bit of the zero point is wrong", "u_datapath", "step",
           "{} ^ ({{{{STEP_W - 1{{1'b0}}}}, 1'b1}} << (12))"),
    Effect("each step ends a window", "u_datapath", "step", "{} | 1'b1", 2),
    Effect("a bit of each activation word is wrong", "u_datapath", "act_write", "{} ^ 2'd2"),
    Effect("a bit of each weight word is wrong", "u_datapath", "wgt_write", "{} ^ 2'd2"),
    Effect("the first filter's sum is wrong", "u_finisher", "vector", "{} ^ 10'd512"),
    Effect("the last lane's sum is wrong", "u_finisher", "vector",
           "{} ^ ({{32*LANES_OUT{{1'b1}}}} << (32*LANES_OUT - 24))"),
    Effect("a bit of the results is wrong", "u_result_reader", "write", "{} ^ 2'd2"),
    Effect("tkeep lacks a byte", "u_out_stream", "s_word",
           "{} & ~({{{{9*LANES_OUT + 1{{1'b0}}}}, 1'b1}} << (8*LANES_OUT))"),
)  # fmt: skip


LOADING = ("act_write", "wgt_write")
"""Ports of effects that are over, for most layers, when the first result comes"""


@dataclass(frozen=True)
class RareBug:
    """A drawn bug."""

    conditions: tuple[Condition, ...]
    traffic: str
    effect: Effect

    @property
    def macs(self) -> int:
        """Multiply-accumulates of a layer that meets the conditions and shows it, at least.

        A window of one step has one tap, and no more input channels than there are lanes: where
        no condition makes a second step, the layer needs a second tap.
        """
        has_steps = any(condition.steps > 1 for condition in self.conditions)
        steps = 1 if has_steps else self.effect.steps
        return steps * int(np.prod([condition.macs for condition in self.conditions]))

    def __str__(self) -> str:
        parts = [condition.text for condition in self.conditions]
        if self.traffic:
            parts.append(self.traffic)
        return f"{self.effect.name}, if " + " and ".join(parts)


# -------------------------------------------------------------------------------- drawing
def draw(seed: int, count: int = BUGS, config: CoreConfig = CONFIG) -> list[RareBug]:
    """Bugs with different effects; each has two conditions on fields of different kinds."""
    rng = np.random.default_rng([seed, 1009])
    effects = rng.permutation(len(EFFECTS))[:count]
    bugs = []
    for effect in effects:
        kinds = rng.permutation(6)[:2]
        conditions = tuple(_condition(rng, int(kind), config) for kind in kinds)
        loading = EFFECTS[effect].port in LOADING
        traffic = str(rng.choice([each for each in TRAFFIC if not (loading and each == HELD)]))
        bugs.append(RareBug(conditions, traffic, EFFECTS[effect]))
    return bugs


def _condition(rng: Generator, kind: int, config: CoreConfig) -> Condition:
    """A condition on one kind of fields; conditions of different kinds don't exclude each other."""
    axis, side = (("x", "left", "width"), ("y", "top", "height"))[rng.integers(2)], rng.integers(2)
    name, pad, size = axis
    if kind == 0:
        value = int(rng.integers(2, 12))
        return Condition(f"kernel_{name} == {value}", value, value)
    if kind == 1:
        value = int(rng.integers(2, 5))
        return Condition(f"{('stride', 'dilation')[side]}_{name} == {value}")
    if kind == 2:
        lanes = (config.lanes_in, config.lanes_out)[side]
        value = lanes * int(rng.integers(1, 9)) + int(rng.integers(-1, 2))
        steps = 1 if side else -(-value // lanes)
        return Condition(f"channels_{('in', 'out')[side]} == {value}", value, steps)
    if kind == 3:
        if rng.random() < 0.5:
            value = int(rng.integers(1, 7))
            return Condition(f"out_{size} == {value}", value)
        value = int(rng.integers(1, 9))
        return Condition(f"{pad} == {value}")
    if kind == 4:
        value = int(rng.integers(2, 4))
        return Condition(f"frames == {value}", value)
    value = int(rng.choice((-128, -1, 0, 127)))
    byte = f"8'h{value & 0xFF:02X}"
    return Condition(
        (f"in_zero_point == {byte}", f"requantise && out_zero_point == {byte}", "by_float")[
            rng.integers(3)
        ]
    )


# -------------------------------------------------------------------------------- planting
def plant(bugs: list[RareBug], folder: Path) -> list[Path]:
    """A copy of the core's files below `folder`, with all the bugs: `+planted=1` is the first.

    Raises `PatchError` if `engine` or `conv_core` has no such place any more.
    """
    rtl = folder / FILE_LIST.parent.name
    shutil.copytree(FILE_LIST.parent, rtl)
    core, engine = rtl / "conv_core.v", rtl / "engine.v"
    texts = [core.read_text(), engine.read_text()]
    for number, bug in enumerate(bugs, 1):
        texts = _wrapped(texts, bug.effect, f"rare_hit[{number}]")
    text, inner = texts
    for each, port in ((text, "u_engine (\n"), (inner, ") (\n")):
        if each.count(port) != 1:
            raise PatchError(f"conv_core.v or engine.v no longer has {port!r} once")
    text = text.replace("u_engine (\n", "u_engine (\n        .rare_hit(rare_hit),\n")
    hits_port = f") (\n    input wire [{len(bugs)}:1] rare_hit,\n"
    engine.write_text(inner.replace(") (\n", hits_port))
    fields = "\n".join(
        f"    wire [{high - low}:0] rare_{name} = rare_desc[{high}:{low}];"
        for name, (low, high) in FIELDS.items()
    )
    hits = "\n".join(
        f"    assign rare_hit[{number}] = rare_planted == {number} && rare_any && "
        f"{TRAFFIC[bug.traffic]} && "
        + " && ".join(f"({_renamed(condition.text)})" for condition in bug.conditions)
        + ";"
        for number, bug in enumerate(bugs, 1)
    )
    head, last, tail = text.rpartition("\nendmodule")
    if not last:
        raise PatchError("conv_core.v has no end")
    declaration = f"    wire [{len(bugs)}:1] rare_hit;\n"
    anchor = "    wire desc_valid;\n"
    if head.count(anchor) != 1:
        raise PatchError("conv_core.v no longer declares desc_valid")
    head = head.replace(anchor, declaration + anchor)
    core.write_text(head + TRACKER + fields + "\n" + hits + "\n" + last + tail)
    return list(rtl_files(rtl / FILE_LIST.name))


TRACKER = """
    // Descriptors of the layers that were started and have not ended; what happened in the oldest.
    integer rare_planted;
    initial if (!$value$plusargs("planted=%d", rare_planted)) rare_planted = 0;
    reg [255:0] rare_queue_q [0:15];
    reg [255:0] rare_shadow_q = 256'd0;
    reg [3:0] rare_in_q, rare_out_q;
    reg rare_held_q, rare_pause_q, rare_began_q;
    wire rare_any = rare_in_q != rare_out_q;
    wire [255:0] rare_desc = rare_queue_q[rare_out_q];
    always @(posedge clk) begin
        if (desc_write[35]) rare_shadow_q[32*desc_write[34:32]+:32] <= desc_write[31:0];
        if (start && !queue_full) rare_queue_q[rare_in_q] <= rare_shadow_q;
        if (core_rst) begin
            rare_in_q  <= 4'd0;
            rare_out_q <= 4'd0;
        end else begin
            if (start && !queue_full) rare_in_q <= rare_in_q + 4'd1;
            if (layer_end) rare_out_q <= rare_out_q + 4'd1;
        end
        if (core_rst || layer_end) begin
            rare_held_q  <= 1'b0;
            rare_pause_q <= 1'b0;
            rare_began_q <= 1'b0;
        end else begin
            if (m_axis_out_tvalid && !m_axis_out_tready) rare_held_q <= 1'b1;
            if (beat[0]) rare_began_q <= 1'b1;
            if (rare_began_q && s_axis_act_tready && !s_axis_act_tvalid) rare_pause_q <= 1'b1;
        end
    end
"""


def _renamed(text: str) -> str:
    return re.sub("|".join(FIELDS), lambda match: f"rare_{match[0]}", text)


def _wrapped(texts: list[str], effect: Effect, hit: str) -> list[str]:
    """The modules with another expression at an input of an instance in one of them."""
    pattern = rf"\) {effect.instance} \((?:(?!\);).)*?\.{effect.port}\s*\("
    places = [(place, re.search(pattern, text, re.S)) for place, text in enumerate(texts)]
    found = [(place, port) for place, port in places if port is not None]
    if len(found) != 1:
        raise PatchError(f"no {effect.instance} with a port {effect.port} any more")
    place, port = found[0]
    text = texts[place]
    depth, end = 1, port.end()
    while depth:
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        end += 1
    before = text[port.end() : end - 1]
    wrong = effect.expression.format(f"({before})")
    changed = f"{text[: port.end()]}{hit} ? ({wrong}) : ({before}){text[end - 1 :]}"
    return [changed if each is text else each for each in texts]


# -------------------------------------------------------------------------------- the hunt
def hunt(
    bugs: list[RareBug],
    numbers: list[int],
    simulator: str,
    seed: int,
    config: CoreConfig = CONFIG,
    layers: int = MOST_LAYERS,
) -> list[Exploration]:
    """An exploration for each of the bugs `numbers`, counted from 1."""
    with tempfile.TemporaryDirectory() as folder:
        sources = plant(bugs, Path(folder))
        return [
            explore(
                config,
                simulator,
                layers,
                seed,
                rtl_sources=sources,
                plus_args=(f"+planted={number}",),
            )
            for number in numbers
        ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bugs.rare")
    parser.add_argument("numbers", nargs="*", type=int, help="bugs, from 1 on; all if left out")
    parser.add_argument("--seed", type=int, help="from which the bugs are drawn")
    parser.add_argument("--layers-seed", type=int, default=1, help="of the random layers")
    parser.add_argument("--sim", choices=SIMULATORS, default="verilator")
    parser.add_argument("--verbose", action="store_true", help="what was said of each")
    options = parser.parse_args()
    seed = options.seed
    if seed is None:
        seed = int(np.random.SeedSequence().generate_state(1)[0])
    print(f"bugs of seed {seed}, layers of seed {options.layers_seed}", flush=True)
    bugs = draw(seed)
    numbers = options.numbers or list(range(1, len(bugs) + 1))
    started = time.monotonic()
    found = small = 0
    for number in numbers:
        (result,) = hunt(bugs, [number], options.sim, options.layers_seed)
        print(row(number, bugs[number - 1], result), flush=True)
        if options.verbose:
            print(result)
        if result.found.smallest is not None:
            found += 1
            small += result.found.smallest.macs < max(FEW_MACS, 2 * bugs[number - 1].macs)
    print(
        f"{found} of {len(numbers)} found within {MOST_LAYERS} layers, {small} of them shrunk to "
        f"less than {FEW_MACS} multiply-accumulates or twice what their conditions need; "
        f"{time.monotonic() - started:.0f} s"
    )
    return 0 if found >= FOUND_GOAL * len(numbers) / BUGS and small == found else 1


def row(number: int, bug: RareBug, result: Exploration) -> str:
    """A bug's line of the table."""
    found = result.found
    if found.smallest is None:
        verdict = f"MISSED in {found.layers} layers"
    else:
        verdict = (
            f"found after {found.layers:4} layers, {found.seconds_to_first:3.0f} s; "
            f"{found.smallest.macs:5} MACs, {bug.macs:5} at least, "
            f"{found.shrink_layers:4} layers more"
        )
    return f"{number:2}  {verdict}: {bug}"


if __name__ == "__main__":
    sys.exit(main())
