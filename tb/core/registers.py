"""The core's registers: offsets and fields, as docs/driving-the-core.md lists them."""

from __future__ import annotations

from enum import IntEnum, IntFlag


class Register(IntEnum):
    """Byte offsets on the AXI4-Lite port."""

    ID = 0x00
    VERSION = 0x04
    LANES = 0x08
    ACT_BYTES = 0x0C
    WGT_WORDS = 0x10
    CONST_WORDS = 0x14
    OUT_BYTES = 0x18
    STREAM_BYTES = 0x1C
    CTRL = 0x20
    STATUS = 0x24
    ERROR = 0x28
    IRQ_ENABLE = 0x2C
    IRQ_STATUS = 0x30
    LAYERS_DONE = 0x34
    COUNTERS_OF = 0x38
    IN_SIZE = 0x40
    CHANNELS = 0x44
    OUT_SIZE = 0x48
    BATCH = 0x4C
    KERNEL = 0x50
    PADS = 0x54
    QUANT = 0x58
    MODE = 0x5C
    CYCLES = 0x80
    ACTIVE = 0x84
    STALL_ACT = 0x88
    STALL_WGT = 0x8C
    STALL_OUT = 0x90
    IDLE = 0x94


ID_VALUE = 0x434F4E56
VERSION_VALUE = 0x0002_0000

COUNTERS = (
    Register.CYCLES,
    Register.ACTIVE,
    Register.STALL_ACT,
    Register.STALL_WGT,
    Register.STALL_OUT,
    Register.IDLE,
)

KEPT_LAYERS = 16
"""whose counters are kept"""


class Ctrl(IntFlag):
    """Bits of `CTRL`."""

    START = 1
    RESUME = 2
    FORCE = 4
    """with RESUME: no matter whether the packets at hand have ended"""


class Status(IntFlag):
    """Bits of `STATUS`; bits 11 to 8 count the layers queued or running."""

    BUSY = 1
    HALTED = 2
    QUEUE_FULL = 4
    IN_ACTIVATIONS = 8
    """halted: a packet of activations has begun and not ended"""
    IN_WEIGHTS = 16
    IN_RESULTS = 32
    """halted: beats of results have yet to be taken"""


class Error(IntEnum):
    """Bits 7 to 0 of `ERROR`."""

    NONE = 0
    FIELD = 1
    ACT_BUFFER = 2
    WGT_BUFFER = 3
    CONST_BUFFER = 4
    OUT_BUFFER = 5
    QUEUE_FULL = 6
    ACT_TLAST_EARLY = 8
    ACT_TLAST_LATE = 9
    ACT_TKEEP = 10
    WGT_TLAST_EARLY = 12
    WGT_TLAST_LATE = 13
    WGT_TKEEP = 14


class Irq(IntFlag):
    """Bits of `IRQ_ENABLE` and `IRQ_STATUS`."""

    LAYER_DONE = 1
    ERROR = 2


class Mode(IntFlag):
    """Bits of `MODE`."""

    REQUANTISE = 1
    FLOAT_ROUNDING = 2
    SINGLE_ROUNDING = 1 << 8
