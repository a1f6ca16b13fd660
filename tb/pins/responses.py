"""How AXI4-Lite accesses are answered."""

from __future__ import annotations

from enum import IntEnum


class Response(IntEnum):
    """What an AXI4-Lite access is answered."""

    OKAY = 0
    EXOKAY = 1
    SLVERR = 2
    DECERR = 3
