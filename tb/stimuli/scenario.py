"""What is tried on a core in one go, from its reset on: layers, traffic, and what goes wrong first.

`scenarios` draws them (see `conv_core.tb.stimuli.strategies` for the layers), `save` and `load`
keep one in a folder, from which it can be repeated.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from conv_core.models.core_config import CoreConfig
from conv_core.models.errors import RefusedError
from conv_core.models.layer import LayerCase
from conv_core.models.layer_files import read_layer, write_layer
from conv_core.tb.bench.drivers import OUR_DRIVER, Provoker
from conv_core.tb.stimuli.stalls import ORDERS, PROFILES, Traffic
from conv_core.tb.stimuli.strategies import Space, layer_cases

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
STREAMS_DISTURBED = ("activations", "weights")

Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass(frozen=True)
class Disturbance:
    """A layer with which something goes wrong; after it the core must be as good as new.

    `kind` says what, and `amount` how much: "reset", after so many cycles; "activations" or
    "weights", whose packets have so many bytes too many (or, below 0, too few); or a field of the
    core's descriptor, which is given this value, of which the core can make no sense.
    """

    case: LayerCase
    kind: str
    amount: int

    def __str__(self) -> str:
        what = f"layer {self.case.layer}"
        if self.kind == "reset":
            return f"{what}, reset after {self.amount} cycles"
        if self.kind in STREAMS_DISTURBED:
            return f"{what}, {self.kind} of {self.amount:+} bytes"
        return f"{what}, but {self.kind} is 0x{self.amount:08X}"


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
def scenarios(
    draw: Draw,
    space: Space,
    provoker: Provoker | None = None,
    stalls: tuple[str, ...] = tuple(PROFILES),
) -> Scenario:
    """One to three layers in some traffic; before them, now and then, a disturbance.

    Without a `provoker` nothing is disturbed, and the streams always go side by side.
    """
    stalls = tuple(name for name in SIMPLEST_STALLS if name in stalls)
    stall, seed = draw(st.sampled_from(stalls)), draw(st.integers(1, 2**32 - 1))
    order = draw(st.sampled_from((*8 * ("",), *ORDERS)))
    queue = draw(st.booleans())
    disturbed = draw(st.sampled_from((*7 * (False,), True)))
    cases = draw(st.lists(layer_cases(space), min_size=1, max_size=MOST_LAYERS))
    disturbance = draw(disturbances(space, provoker)) if disturbed and provoker else None
    named = tuple(replace(case, name=str(number)) for number, case in enumerate(cases, 1))
    if order and provoker and not disturbed:
        stall = order if all(provoker.fits_ahead(case.layer) for case in named) else stall
    return Scenario(named, Traffic(stall, seed), queue and len(named) > 1, disturbance)


@st.composite
def disturbances(draw: Draw, space: Space, provoker: Provoker) -> Disturbance:
    """Resets at any moment, packets of a wrong length, descriptors that make no sense."""
    kind = draw(st.sampled_from(("reset", *STREAMS_DISTURBED, "descriptor")))
    amount = draw(st.integers(0, LONGEST_RUN))
    whole = replace(space, max_pieces=1)
    case = replace(draw(layer_cases(whole)), name=DISTURBED)
    if kind == "reset":
        return Disturbance(case, kind, amount)
    if kind == "descriptor":
        return Disturbance(case, *provoker.nonsense(case.layer, amount))
    due = provoker.packet_bytes(case, kind)
    # Too short at even numbers, too long at odd ones; 2 and 1 are a byte, and all of it is too few.
    half, odd = divmod(amount, 2)
    change = 1 + half % (2 * due) if odd or due == 1 else -1 - half % (due - 1)
    return Disturbance(case, kind, change)


# -------------------------------------------------------------------------------- files
@dataclass(frozen=True)
class Record:
    """A scenario and the simulation that it ran in."""

    scenario: Scenario
    config: CoreConfig
    simulator: str
    seed: int
    """of the simulation: on Verilator, what is not initialised follows from it"""
    dut: str = "conv_core"
    driver: str = OUR_DRIVER
    rtl_sources: tuple[str, ...] | None = None
    """of a core of the user's"""


def save(folder: Path, record: Record) -> None:
    """Writes the layers as layer files, and all else as scenario.json."""
    scenario = record.scenario
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    disturbance = scenario.disturbance
    cases = [*scenario.layers, *([disturbance.case] if disturbance else [])]
    for case in cases:
        write_layer(folder / f"{case.name}.npz", case)
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
    if record.rtl_sources is not None:
        text["core"] = {
            "dut": record.dut,
            "driver": record.driver,
            "rtl_sources": record.rtl_sources,
        }
    (folder / FILE).write_text(json.dumps(text, indent=1) + "\n")


class ScenarioError(RefusedError):
    """A folder that holds no scenario. The text names it."""


def load(folder: Path) -> Record:
    """What `save` wrote. Raises `ScenarioError`."""
    try:
        text = json.loads((folder / FILE).read_text())
        disturbance = None
        if text["disturbance"]:
            case = read_layer(folder / f"{DISTURBED}.npz")
            disturbance = Disturbance(case, **text["disturbance"])
        scenario = Scenario(
            tuple(read_layer(folder / f"{name}.npz") for name in text["layers"]),
            Traffic(**text["traffic"]),
            text["queue"],
            disturbance,
        )
        core = dict(text.get("core", {}))
        if core:
            core["rtl_sources"] = tuple(core["rtl_sources"])
        config = CoreConfig(**text["config"])
        return Record(scenario, config, text["simulator"], text["seed"], **core)
    except OSError:
        raise ScenarioError(f"{folder}: there is no {FILE} in this folder") from None
    except (ValueError, TypeError, KeyError) as error:
        raise ScenarioError(f"{folder}: {FILE} can't be used: {error!r}") from None
