"""What FPGAs have, as their makers' data sheets list it.

Sources: Lattice, "ECP5 and ECP5-5G Family Data Sheet" (FPGA-DS-02012), table 1.1, whose LUTs are
given to the last one by Project Trellis; AMD, "7 Series FPGAs Data Sheet: Overview" (DS180), tables
4, 6 and 8 (a slice has 4 LUTs and 8 flip-flops), and "Zynq-7000 SoC Data Sheet: Overview" (DS190),
table 1, whose blocks of 36 kbit are counted twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from conv_core.models.errors import RefusedError

FAMILIES = {"ecp5": "Lattice ECP5", "xc7": "Xilinx 7-series"}


class DeviceError(RefusedError):
    """A device that is not in the list."""


@dataclass(frozen=True)
class Device:
    """What a device has; `luts` of 4 inputs on ECP5, of 6 on Xilinx 7."""

    name: str
    family: str
    luts: int
    flip_flops: int
    memories: int
    """blocks of 18 kbit"""
    multipliers: int


def _ecp5(name: str, luts: int, memories: int, multipliers: int) -> Device:
    return Device(f"ecp5-{name}", "ecp5", luts, luts, memories, multipliers)


def _xilinx(name: str, slices: int, memories: int, multipliers: int) -> Device:
    return Device(f"xc7{name}", "xc7", 4 * slices, 8 * slices, memories, multipliers)


DEVICES = (
    _ecp5("25", 24_288, 56, 28),
    _ecp5("45", 43_848, 108, 72),
    _ecp5("85", 83_640, 208, 156),
    _xilinx("a15t", 2_600, 50, 45),
    _xilinx("a35t", 5_200, 100, 90),
    _xilinx("a50t", 8_150, 150, 120),
    _xilinx("a75t", 11_800, 210, 180),
    _xilinx("a100t", 15_850, 270, 240),
    _xilinx("a200t", 33_650, 730, 740),
    _xilinx("s25", 3_650, 90, 80),
    _xilinx("s50", 8_150, 150, 120),
    _xilinx("s100", 16_000, 240, 160),
    _xilinx("k70t", 10_250, 270, 240),
    _xilinx("k160t", 25_350, 650, 600),
    _xilinx("k325t", 50_950, 890, 840),
    _xilinx("k410t", 63_550, 1_590, 1_540),
    _xilinx("z010", 4_400, 120, 80),
    _xilinx("z020", 13_300, 280, 220),
    _xilinx("z030", 19_650, 530, 400),
    _xilinx("z045", 54_650, 1_090, 900),
)
"""In each family of parts, smallest first."""


def device_named(name: str) -> Device:
    """A device by its name, such as "ecp5-85". Raises `DeviceError`."""
    for device in DEVICES:
        if device.name == name.strip().lower():
            return device
    names = ", ".join(device.name for device in DEVICES)
    raise DeviceError(f"DEVICE: there is no device {name!r}; those that are known: {names}")
