"""`plan`: what cores of several sizes would do with a network, without simulating."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
from collections.abc import Mapping, Sequence
from functools import partial

from conv_core.commands import screen
from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer
from conv_core.models.plan.area import area_of
from conv_core.models.plan.clocks import FAMILY, clock_of
from conv_core.models.plan.devices import DEVICES, FAMILIES, Device, device_named
from conv_core.models.plan.models import layers_of
from conv_core.models.plan.planner import Planned, cores, planned

COLUMNS = (
    *("array", ">buffers", ">pieces", ">cycles", ">use", ">LUTs", ">DSP", ">RAM"),
    *(">MHz", ">frames/s", "fits"),
)
LAYER_COLUMNS = ("layer", "shapes", ">pieces", ">cycles", ">share", ">limit", "limited by")
ASSUMED_MHZ = 100.0
"""where nobody has measured a clock"""
COSTLIEST = 8
"""layers that are shown"""


def plan(options: argparse.Namespace) -> int:
    """Shows a table of cores, and where the time goes on the best of them; the exit status."""
    layers = layers_of(options.model or "")
    device = device_named(options.device) if options.device else None
    family = device.family if device is not None else FAMILY
    found = plan_all(layers, tuple(cores()))
    where = device.name if device is not None else FAMILIES[family]
    title = f"{options.model}, {len(layers)} layers, on {where}"
    screen.table(title, COLUMNS, [_row(each, device, family) for each in found])
    for each in found:
        if each.refused:
            print(f"{each.config.array} lanes, {_buffers(each.config)}: {each.refused}")
    print(
        "buffers: KiB of activations and of weights; use: of the multipliers; LUTs: by a fit;\n"
        "RAM: blocks of 18 kbit. MHz: as docs/synthesis.md reports; "
        f"({ASSUMED_MHZ:.0f}): assumed, nobody has measured it."
    )
    able = [each for each in found if not each.refused and _homes(each, device)]
    if not able:
        print(f"no core that was tried fits {where}")
        return 1
    _show_layers(min(able, key=lambda each: (each.cycles, area_of(each.config, family).memories)))
    return 0


def plan_all(layers: Mapping[str, Layer], configs: Sequence[CoreConfig]) -> list[Planned]:
    """The network on each core, on all processors."""
    with multiprocessing.Pool(os.cpu_count(), _leave_signals) as pool:
        return pool.map(partial(planned, layers), configs, chunksize=1)


def _leave_signals() -> None:
    """In a process that computes: the one that started it ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


# ------------------------------------------------------------------------------- the tables
def _row(each: Planned, device: Device | None, family: str) -> tuple[str, ...]:
    config = each.config
    area, clock = area_of(config, family), clock_of(config, family)
    work = ("-", "-", "-")
    if not each.refused:
        work = (f"{each.pieces:,}", f"{each.cycles:,}", f"{100 * each.utilisation:.1f} %")
    return (
        config.array,
        _buffers(config),
        *work,
        f"{area.luts:,}",
        f"{area.multipliers:,}",
        f"{area.memories:,}",
        f"({ASSUMED_MHZ:.0f})" if clock is None else f"{clock:.1f}",
        "-" if each.refused else f"{1e6 * (clock or ASSUMED_MHZ) / each.cycles:.1f}",
        _fits(each, device),
    )


def _buffers(config: CoreConfig) -> str:
    weights = config.wgt_words * config.multipliers
    return f"{config.act_bytes // 1024} + {weights // 1024}"


def _fits(each: Planned, device: Device | None) -> str:
    if each.refused:
        return "refused"
    if device is not None:
        missing = area_of(each.config, device.family).missing(device)
        return f"no: {', '.join(missing)}" if missing else "yes"
    return ", ".join(one.name for one in _homes(each, None)) or "none"


def _homes(each: Planned, device: Device | None) -> list[Device]:
    """The device, if the core fits it; without one, the smallest of each family that it fits."""
    homes = []
    for family in FAMILIES:
        area = area_of(each.config, family)
        some = [one for one in DEVICES if one.family == family and device in (None, one)]
        fitting = [one for one in some if not area.missing(one)]
        homes += sorted(fitting, key=lambda one: one.luts)[:1]
    return homes


def _show_layers(best: Planned) -> None:
    rows = [
        (
            each.name,
            str(each.layer),
            str(each.pieces),
            f"{each.cycles:,}",
            f"{100 * each.cycles / best.cycles:.1f} %",
            f"{each.limit:,}",
            each.limited_by,
        )
        for each in best.costliest(COSTLIEST)
    ]
    title = f"the layers that cost most, {best.config.array} lanes, {_buffers(best.config)} KiB"
    screen.table(title, LAYER_COLUMNS, rows)
    causes = best.causes.items()
    shares = [f"{cause} {100 * cycles / best.cycles:.2f} %" for cause, cycles in causes if cycles]
    print(f"where the cycles go: {', '.join(shares)}")
