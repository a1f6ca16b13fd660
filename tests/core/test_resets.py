"""A reset at any moment brings the core back clean: what reset_tests.py claims at the pins.

`RESETS=500 SEED=7 pytest tests/core/test_resets.py` for more of them.
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.core.pins import run_at_the_pins

RESETS = {"verilator": 60, "icarus": 30}


def test_behind_a_reset_at_any_moment_layers_are_right(simulator: str, tmp_path: Path) -> None:
    log = run_at_the_pins(
        "reset_tests",
        simulator,
        tmp_path,
        seed=int(os.environ.get("SEED", "1")),
        RESETS=os.environ.get("RESETS", str(RESETS[simulator])),
    )
    print(log[log.rindex("resets while set-up: IDLE") - 5 :])
