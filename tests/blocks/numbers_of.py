"""Names of a layer's numbers, as rtl/common/layer_numbers.vh numbers them."""

from __future__ import annotations

import re
from pathlib import Path

_FILE = Path(__file__).resolve().parents[2] / "rtl" / "common" / "layer_numbers.vh"

NUMBERS = {
    int(index): name
    for name, index in re.findall(r"localparam \[5:0\] (\w+) = 6'd(\d+);", _FILE.read_text())
}
"""name of each index"""
