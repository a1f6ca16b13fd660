"""What the include files of rtl/common give names."""

from __future__ import annotations

import re

from conv_core.tb.paths import ROOT


def constants(name: str, *, width: int | None = None) -> dict[str, int]:
    """The constants of an include file, in its order; `width`: only those of so many bits."""
    bits = r"(?:\[\d:0\] )?" if width is None else rf"\[{width - 1}:0\] "
    text = (ROOT / "rtl" / "common" / name).read_text()
    found = re.findall(rf"localparam {bits}(\w+) = (?:\d'd)?(\d+);", text)
    return {constant: int(value) for constant, value in found}


LAYER_NUMBERS = constants("layer_numbers.vh", width=6)
"""index of each number of a layer"""
