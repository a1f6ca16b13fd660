"""conv_core_check: each limit of each parameter, on its own; whole cores: core/test_parameters."""

from __future__ import annotations

import re
import subprocess

import pytest

from conv_core.tb.paths import ROOT
from conv_core.tb.runs.tools import find_simulator
from tests.blocks.block import sources_of

BASE = {
    "LANES_IN": 8,
    "LANES_OUT": 8,
    "REQUANT_LANES": 4,
    "ACT_STREAM_BYTES": 4,
    "WGT_STREAM_BYTES": 4,
    "OUT_STREAM_BYTES": 4,
}
STREAM = ((1, 2, 4, 8), (-1, 0, 3, 16))
LIMITS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "LANES_IN": ((4, 8, 16, 32), (-4, 0, 2, 12, 64)),
    "LANES_OUT": ((4, 8, 16), (-4, 0, 2, 12, 64)),
    "ACT_BYTES": ((32, 1 << 22), (16, 48, 1 << 23)),
    "WGT_WORDS": ((16, 1 << 20), (8, 24, 1 << 21)),
    "CONST_WORDS": ((16, 1 << 20), (8, 24, 1 << 21)),
    "OUT_BYTES": ((128, 1 << 24), (64, 192, 1 << 25)),
    "REQUANT_LANES": ((2, 4, 8), (1, 3, 16)),
    "FLOAT_RULE": ((0, 1), (-1, 2)),
    "RESULT_QUEUE": ((4, 8, 16, 32), (2, 12, 64)),
    "ACT_STREAM_BYTES": STREAM,
    "WGT_STREAM_BYTES": STREAM,
    "OUT_STREAM_BYTES": STREAM,
}
"""Legal values, and such that are not: below, between two powers of two, above."""


def refused(parameters: dict[str, int]) -> set[str]:
    """The parameters that Icarus refuses by name."""
    command = [str(find_simulator("icarus").path), "-g2005", "-t", "null", "-s", "conv_core_check"]
    command += [f"-I{ROOT / 'rtl' / 'common'}"]
    command += [f"-Pconv_core_check.{name}={value}" for name, value in parameters.items()]
    command += [str(path) for path in sources_of("conv_core_check")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    named = set(re.findall(r"(\w+)_must_be_\w+", done.stdout + done.stderr))
    assert (done.returncode == 0) is (not named), done.stdout + done.stderr
    return named


@pytest.mark.parametrize("name", LIMITS)
def test_a_parameter_is_refused_by_name_beyond_its_limits_only(name: str) -> None:
    legal, illegal = LIMITS[name]
    for value in legal:
        assert refused(BASE | {name: value}) == set(), value
    for value in illegal:
        # Limits of other parameters follow from the lanes.
        named = refused(BASE | {name: value})
        assert name in named if name.startswith("LANES") else named == {name}, (value, named)
