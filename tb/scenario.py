"""What is tried on a core in one go, from its reset on: layers, traffic, and what goes wrong first.

`scenarios` draws them (see `models.strategies` for the layers), `save` and `load` keep one in a
folder, from which it can be repeated.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from models.core_config import CoreConfig
from models.layer import Layer, LayerCase
from models.layer_file import load as load_layer
from models.layer_file import save as save_layer
from models.packing import (
    block_words,
    constant_words,
    filter_groups,
    pack_activations,
    pack_weights,
)
from models.strategies import Space, layer_cases
from tb.driver import descriptor
from tb.registers import Error, Register
from tb.stalls import ORDERS, PROFILES, Traffic

MOST_LAYERS = 3
"""of a scenario"""
LONGEST_RUN = 1500
"""cycles after which a layer is reset, at most"""
_FREQUENT = ("none", "ready-after-valid", "heavy", "bursty", "light")
SIMPLEST_STALLS = (
    *(name for name in _FREQUENT for _ in range(2)),
    *(name for name in PROFILES if name not in _FREQUENT),
)
"""A fault that needs a stall shrinks best where one is sure to come: frequent ones are first."""
FILE = "scenario.json"
DISTURBED = "disturbed"

Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass(frozen=True)
class Disturbance:
    """A layer with which something goes wrong; behind it the core must be as good as new.

    `kind` says what, and `amount` how much: "reset", after so many cycles; "activations" or
    "weights", whose packets have so many bytes too many (or, below 0, too few); or the name of a
    descriptor register, which is written with this value, of which the core can make no sense.
    """

    case: LayerCase
    kind: str
    amount: int

    def expected_errors(self, config: CoreConfig) -> frozenset[Error]:
        """What the core may say: where several things are wrong, it is free to name any."""
        if self.kind in Register.__members__:
            return frozenset({Error.FIELD})
        codes = {
            "activations": (Error.ACT_TLAST_EARLY, Error.ACT_TLAST_LATE, Error.ACT_TKEEP),
            "weights": (Error.WGT_TLAST_EARLY, Error.WGT_TLAST_LATE, Error.WGT_TKEEP),
        }
        early, late, keep = codes[self.kind]
        due = self.packet_bytes(config)
        words, words_due = (-(-n // config.lanes_in) for n in (due + self.amount, due))
        if words == words_due:
            return frozenset({keep})
        return frozenset({early if words < words_due else late, keep})

    def packet_bytes(self, config: CoreConfig) -> int:
        """Bytes that a right packet has."""
        if self.kind == "activations":
            return pack_activations(self.case, config)[0].size
        return pack_weights(self.case, config).size

    def __str__(self) -> str:
        what = f"layer {self.case.layer}"
        if self.kind == "reset":
            return f"{what}, reset after {self.amount} cycles"
        if self.kind in Register.__members__:
            return f"{what}, but {self.kind} is 0x{self.amount:08X}"
        return f"{what}, {self.kind} of {self.amount:+} bytes"


@dataclass(frozen=True)
class Scenario:
    """The layers, in this order, must be right, behind what is disturbed too."""

    layers: tuple[LayerCase, ...]
    traffic: Traffic
    queue: bool
    """the layers are queued behind each other"""
    disturbance: Disturbance | None = None

    @property
    def macs(self) -> int:
        """Nominal multiply-accumulates of the layers."""
        return sum(case.layer.macs for case in self.layers)

    def __str__(self) -> str:
        lines = [f"first {self.disturbance}"] if self.disturbance else []
        lines += [describe(case) for case in self.layers]
        order = ", queued behind each other" if self.queue and len(self.layers) > 1 else ""
        return "\n".join([*lines, f"stalls {self.traffic.stall}, seed {self.traffic.seed}{order}"])


def describe(case: LayerCase) -> str:
    """All that there is to say about a layer, in a line."""
    layer = case.layer
    parts = [f"layer {case.name}: {layer}"]
    for name, value, usual in (
        ("batch", layer.batch, 1),
        ("stride", layer.stride, (1, 1)),
        ("dilation", layer.dilation, (1, 1)),
        ("pads", layer.pads, (0, 0, 0, 0)),
        ("groups", layer.groups, 1),
        ("in_zp", layer.in_zp, 0),
    ):
        if value != usual:
            parts.append(f"{name} {value}")
    if layer.requantise:
        clamp = f"{layer.act_min} to {layer.act_max}"
        parts.append(f"int8 by {layer.rounding}, out_zp {layer.out_zp}, {clamp}")
    return ", ".join([*parts, f"{layer.macs} MACs"])


# -------------------------------------------------------------------------------- strategies
@st.composite
def scenarios(draw: Draw, space: Space, stalls: tuple[str, ...] = tuple(PROFILES)) -> Scenario:
    """One to three layers in some traffic; before them, now and then, a disturbance."""
    stalls = tuple(name for name in SIMPLEST_STALLS if name in stalls)
    stall, seed = draw(st.sampled_from(stalls)), draw(st.integers(1, 2**32 - 1))
    order = draw(st.sampled_from((*8 * ("",), *ORDERS)))
    queue = draw(st.booleans())
    disturbed = draw(st.sampled_from((*7 * (False,), True)))
    cases = draw(st.lists(layer_cases(space), min_size=1, max_size=MOST_LAYERS))
    disturbance = draw(disturbances(space)) if disturbed else None
    named = tuple(replace(case, name=str(number)) for number, case in enumerate(cases, 1))
    if order and not disturbed and all(_fits_ahead(case.layer, space.config) for case in named):
        stall = order
    return Scenario(named, Traffic(stall, seed), queue and len(named) > 1, disturbance)


def _fits_ahead(layer: Layer, config: CoreConfig) -> bool:
    """May one stream come to its end before the other begins? It may if half the buffers do."""
    blocks = filter_groups(layer, config)
    return (
        2 * int(np.prod(layer.in_shape)) <= config.act_bytes
        and 2 * blocks * block_words(layer, config) <= config.wgt_words
        and 2 * blocks * constant_words(config) <= config.const_words
    )


@st.composite
def disturbances(draw: Draw, space: Space) -> Disturbance:
    """Resets at any moment, packets of a wrong length, descriptors that make no sense."""
    kind = draw(st.sampled_from(("reset", "activations", "weights", "descriptor")))
    amount = draw(st.integers(0, LONGEST_RUN))
    whole = replace(space, max_pieces=1)
    case = replace(draw(layer_cases(whole)), name=DISTURBED)
    if kind == "reset":
        return Disturbance(case, kind, amount)
    if kind == "descriptor":
        register, value = _nonsense(case, amount)
        return Disturbance(case, register.name, value)
    due = Disturbance(case, kind, 0).packet_bytes(space.config)
    # Too short at even numbers, too long at odd ones; 2 and 1 are a byte, and all of it is too few.
    half, odd = divmod(amount, 2)
    change = 1 + half % (2 * due) if odd or due == 1 else -1 - half % (due - 1)
    return Disturbance(case, kind, change)


_SIZES = (Register.IN_SIZE, Register.CHANNELS, Register.OUT_SIZE, Register.BATCH)
NONSENSE = (
    *((register, low, 0xFFFF, 0) for register in _SIZES for low in (0, 16)),
    (Register.BATCH, 16, 0xFFFF, 0xFFFF),
    *((Register.KERNEL, low, 31, 0) for low in (0, 8)),
    *((Register.KERNEL, low, 7, value) for low in (16, 20, 24, 28) for value in (0, 5, 7)),
    *((Register.KERNEL, low, 1, 1) for low in (5, 7, 13, 15, 19, 23, 27, 31)),
    *((Register.MODE, low, 1, 1) for low in (2, 7, 9, 31)),
)
"""(register, lowest bit, mask, what makes no sense there)"""


def _nonsense(case: LayerCase, number: int) -> tuple[Register, int]:
    register, low, mask, value = NONSENSE[number % len(NONSENSE)]
    return register, descriptor(case.layer)[register] & ~(mask << low) | value << low


# -------------------------------------------------------------------------------- files
@dataclass(frozen=True)
class Record:
    """A scenario and the simulation that it ran in."""

    scenario: Scenario
    config: CoreConfig
    simulator: str
    seed: int
    """of the simulation: on Verilator, what is not initialised follows from it"""


def save(folder: Path, record: Record) -> None:
    """Writes the layers as layer files, and all else as scenario.json."""
    scenario = record.scenario
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    disturbance = scenario.disturbance
    cases = [*scenario.layers, *([disturbance.case] if disturbance else [])]
    for case in cases:
        save_layer(folder / f"{case.name}.npz", case)
    text = {
        "layers": [case.name for case in scenario.layers],
        "traffic": asdict(scenario.traffic),
        "queue": scenario.queue,
        "disturbance": {"kind": disturbance.kind, "amount": disturbance.amount}
        if disturbance
        else None,
        "config": asdict(record.config),
        "simulator": record.simulator,
        "seed": record.seed,
    }
    (folder / FILE).write_text(json.dumps(text, indent=1) + "\n")


class ScenarioError(ValueError):
    """A folder that holds no scenario. The text names it."""


def load(folder: Path) -> Record:
    """What `save` wrote. Raises `ScenarioError`."""
    try:
        text = json.loads((folder / FILE).read_text())
        disturbance = None
        if text["disturbance"]:
            case = load_layer(folder / f"{DISTURBED}.npz")
            disturbance = Disturbance(case, **text["disturbance"])
        scenario = Scenario(
            tuple(load_layer(folder / f"{name}.npz") for name in text["layers"]),
            Traffic(**text["traffic"]),
            text["queue"],
            disturbance,
        )
        return Record(scenario, CoreConfig(**text["config"]), text["simulator"], text["seed"])
    except OSError:
        raise ScenarioError(f"{folder}: there is no {FILE} in this folder") from None
    except (ValueError, TypeError, KeyError) as error:
        raise ScenarioError(f"{folder}: {FILE} can't be used: {error!r}") from None
