"""What a core takes of an FPGA.

Multipliers and block memories are counted as the RTL has them: a multiplier for each product of the
array, four for each lane of the requantisers and two in the set-up of layers; and the memories that
`ram.v` and `result_queue.v` describe, in the widths that a block can have.

Look-up tables and flip-flops are a sum of what the parts of the core take, each in proportion to
its size. How much that is on ECP5 is fitted to the cores in areas.csv that are marked `fit`, which
`python -m conv_core.tools.areas fit` has measured with Yosys. Those marked `check` were measured
after the fit was made, and tell how well it does for cores that it has not seen. Xilinx 7 has
larger look-up tables, and needs a share of those of ECP5 that hardly depends on the core: the mean
of docs/synthesis.md. All of these cores have as many lanes in the requantisers as is usual.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from conv_core.models.core_config import CoreConfig
from conv_core.models.plan.clocks import PAGE
from conv_core.models.plan.devices import FAMILIES, Device

TABLE = Path(__file__).with_name("areas.csv")
MAPPED = re.compile(r"^\| \d+x\d+ \| (\D[^|]*?) \| ([\d,]+) \| \d+ \| ([\d,]+) \|", re.MULTILINE)
"""A line of the page's first table: family, look-up tables, those a lane, flip-flops."""

REQUANT_MULTIPLIERS = 4
"""32x32 bits of a requantiser lane, in multipliers of 18x18"""
SETUP_MULTIPLIERS = 2
BLOCK_WIDTHS = {512: 36, 1024: 18, 2048: 9, 4096: 4, 8192: 2, 16384: 1}
"""Words of a block of 18 kbit, and their bits."""
PAIR_WIDTHS = {512: 72, 1024: 36, 2048: 18, 4096: 9, 8192: 4, 16384: 2, 32768: 1}
"""The same of two blocks that are one, which Xilinx 7 has."""
LEAST_OWN_WORDS = 1024
"""Words of the smallest memory that ram.v makes of ECP5's blocks itself."""
CONTROL_MEMORIES = {"ecp5": 4, "xc7": 3}
"""Of the set-up of layers, their queue and the performance counters, whatever the parameters."""


@dataclass(frozen=True)
class Area:
    """What a core takes; `luts` as `Device` has them, `memories` in blocks of 18 kbit."""

    luts: int
    flip_flops: int
    memories: int
    multipliers: int

    def missing(self, device: Device) -> list[str]:
        """What the device has too little of; none if the core fits."""
        return [
            name
            for name, needed, there in (
                ("LUT", self.luts, device.luts),
                ("flip-flops", self.flip_flops, device.flip_flops),
                ("RAM", self.memories, device.memories),
                ("DSP", self.multipliers, device.multipliers),
            )
            if needed > there
        ]


def area_of(config: CoreConfig, family: str) -> Area:
    """What a core takes of a family, "ecp5" or "xc7"."""
    luts, flip_flops = (float(features(config) @ cost) for cost in _costs())
    shares = _xilinx_shares() if family == "xc7" else (1.0, 1.0)
    return Area(
        luts=round(luts * shares[0]),
        flip_flops=round(flip_flops * shares[1]),
        memories=memories(config, family),
        multipliers=multipliers(config),
    )


def multipliers(config: CoreConfig) -> int:
    """Multiplier blocks."""
    return config.multipliers + REQUANT_MULTIPLIERS * config.requant_lanes + SETUP_MULTIPLIERS


def memories(config: CoreConfig, family: str) -> int:
    """Blocks of 18 kbit."""
    lanes_in, lanes_out = config.lanes_in, config.lanes_out
    act_words, out_words = config.act_bytes // lanes_in, config.out_bytes // lanes_out
    return (
        CONTROL_MEMORIES[family]
        + lanes_in * blocks(8, act_words, family, registered=True)
        + lanes_out * blocks(9 * lanes_in, config.wgt_words, family, registered=True)
        + lanes_out * blocks(8, out_words, family)
        + blocks(8 * lanes_in, config.const_words, family)
        + blocks(32 * lanes_out, config.result_queue, family)
    )


def blocks(width: int, depth: int, family: str, *, registered: bool = False) -> int:
    """Blocks of 18 kbit of a memory of `depth` words of `width` bits: as few as can be, but those
    with an output register that ram.v makes for ECP5 itself, which are as deep as the memory."""
    if family == "ecp5" and registered and depth in BLOCK_WIDTHS and depth >= LEAST_OWN_WORDS:
        return -(-width // BLOCK_WIDTHS[depth])

    def least(widths: dict[int, int]) -> int:
        return min(-(-width // bits) * -(-depth // words) for words, bits in widths.items())

    single = least(BLOCK_WIDTHS)
    return min(single, 2 * least(PAIR_WIDTHS)) if family == "xc7" else single


def features(config: CoreConfig) -> NDArray[np.float64]:
    """The sizes of the parts of a core to which its logic is in proportion."""
    lanes_in, lanes_out = config.lanes_in, config.lanes_out
    narrow = (
        (lanes_in - config.act_stream_bytes)
        + (lanes_in - config.wgt_stream_bytes)
        + (lanes_out - config.out_stream_bytes)
    )
    sizes = [
        1,  # control, set-up, walk
        config.multipliers,  # the adders of the array
        lanes_in,  # the loaders, and the rotation of activations
        lanes_out,  # accumulators, constants, requantisers, and the rotation of results
        narrow,  # bytes that wait until a word is complete
    ]
    return np.array(sizes, np.float64)


@dataclass(frozen=True)
class Measured:
    """A core in areas.csv."""

    role: str
    """fit or check"""
    config: CoreConfig
    area: Area


@cache
def measured() -> tuple[Measured, ...]:
    """The cores in areas.csv."""
    with TABLE.open(newline="") as file:
        return tuple(
            Measured(row["role"], _config(row), _area(row)) for row in csv.DictReader(file)
        )


def _config(row: dict[str, str]) -> CoreConfig:
    settings = dict(each.split("=") for each in row["settings"].split())
    return CoreConfig.from_array(row["array"], **{name: int(n) for name, n in settings.items()})


def _area(row: dict[str, str]) -> Area:
    names = ("luts", "flip_flops", "memories", "multipliers")
    return Area(**{name: int(row[name]) for name in names})


@cache
def _costs() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Look-up tables, and flip-flops, for a unit of each of `features`: those with the least
    squared relative error over the cores that the fit may see."""
    cores = [each for each in measured() if each.role == "fit"]
    sizes = np.array([features(each.config) for each in cores])

    def fitted(counts: list[int]) -> NDArray[np.float64]:
        wanted = np.array(counts, float)[:, None]
        found: NDArray[np.float64] = np.linalg.lstsq(sizes / wanted, np.ones(len(cores)))[0]
        return found

    luts = fitted([each.area.luts for each in cores])
    return luts, fitted([each.area.flip_flops for each in cores])


@cache
def _xilinx_shares() -> tuple[float, float]:
    """What Xilinx 7 needs of the look-up tables, and of the flip-flops, that ECP5 does."""
    of_family: dict[str, list[tuple[int, int]]] = {name: [] for name in FAMILIES.values()}
    for family, luts, flip_flops in MAPPED.findall(PAGE.read_text()):
        of_family[family].append((_number(luts), _number(flip_flops)))
    ecp5, xilinx = (np.array(of_family[FAMILIES[name]], float) for name in ("ecp5", "xc7"))
    luts, flip_flops = (xilinx / ecp5).mean(axis=0)
    return float(luts), float(flip_flops)


def _number(text: str) -> int:
    return int(text.replace(",", ""))
