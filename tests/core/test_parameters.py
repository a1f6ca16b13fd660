"""Illegal parameters are refused, by name, by whatever elaborates the core; legal extremes are not.

The limits of the RTL are those of models/core_config.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conv_core.models.core_config import LARGEST, ConfigError, CoreConfig
from conv_core.tb.paths import ROOT
from conv_core.tb.runs.builds import rtl_files
from conv_core.tb.runs.tools import find_simulator
from conv_core.tools import lint

YOSYS = """
import sys
from pyosys import libyosys
design = libyosys.Design()
for command in (
    "read_verilog -Irtl/common " + sys.argv[1],
    f"chparam {sys.argv[2]} conv_core",
    "hierarchy -check -top conv_core",
):
    libyosys.run_pass(command, design)
"""
TOOLS = ("icarus", "verilator", "yosys")

SMALL = {"LANES_IN": 4, "LANES_OUT": 4}
ILLEGAL = [
    {"LANES_IN": 64},
    {"LANES_OUT": 64},
    {**SMALL, "ACT_BYTES": 8},
    {"ACT_BYTES": 2 * LARGEST["act_bytes"]},
    {"WGT_WORDS": 8},
    {"WGT_WORDS": 2 * LARGEST["wgt_words"]},
    {"CONST_WORDS": 48},
    {"LANES_IN": 4, "LANES_OUT": 32, "CONST_WORDS": 64},
    {"CONST_WORDS": 2 * LARGEST["const_words"]},
    {"OUT_BYTES": 128},
    {"OUT_BYTES": 2 * LARGEST["out_bytes"]},
    {"REQUANT_LANES": 2},
    {"REQUANT_LANES": 32},
    {"FLOAT_RULE": 2},
    {"RESULT_QUEUE": 2},
    {"RESULT_QUEUE": 64},
    {"ACT_STREAM_BYTES": 32},
    {"WGT_STREAM_BYTES": 3},
    {"OUT_STREAM_BYTES": 0},
]
"""The parameter that is not legal is named last."""
LEGAL = [
    {**SMALL, "ACT_BYTES": 16, "WGT_WORDS": 16, "CONST_WORDS": 16, "OUT_BYTES": 64},
    {**SMALL, **{name.upper(): most for name, most in LARGEST.items()}},
    {**SMALL, "REQUANT_LANES": 1, "RESULT_QUEUE": 4, "OUT_STREAM_BYTES": 1},
]


def elaborate(tool: str, parameters: dict[str, int]) -> tuple[bool, str]:
    """Does the tool take the core with these parameters? And what it says."""
    sources = [str(path) for path in rtl_files()]
    include = f"-I{ROOT / 'rtl' / 'common'}"
    environment: dict[str, str] = {}
    if tool == "yosys":
        settings = " ".join(f"-set {name} {value}" for name, value in parameters.items())
        command = [sys.executable, "-c", YOSYS, " ".join(sources), settings]
    else:
        simulator = find_simulator(tool)
        command = [str(simulator.path), include]
        if tool == "icarus":
            command += ["-g2005", "-s", "conv_core", "-t", "null"]
            command += [f"-Pconv_core.{name}={value}" for name, value in parameters.items()]
        else:
            command += ["--lint-only", "--top-module", "conv_core"]
            command += [f"-G{name}={value}" for name, value in parameters.items()]
            environment = {"VERILATOR_ROOT": str(simulator.root)} if simulator.root else {}
        command += sources
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment or None
    )
    return done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("parameters", ILLEGAL, ids=lambda p: " ".join(map(str, [*p.items()][-1])))
def test_an_illegal_parameter_is_refused_by_name(tool: str, parameters: dict[str, int]) -> None:
    name = list(parameters)[-1]
    with pytest.raises(ConfigError, match=f"^{name.lower()}: "):
        CoreConfig(**{key.lower(): value for key, value in parameters.items()})
    taken, said = elaborate(tool, parameters)
    assert not taken
    assert f"{name}_must_be_" in said


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("parameters", LEGAL, ids=["least", "most", "slow"])
def test_the_extremes_can_be_elaborated(tool: str, parameters: dict[str, int]) -> None:
    CoreConfig(**{key.lower(): value for key, value in parameters.items()})
    taken, said = elaborate(tool, parameters)
    assert taken, said


def test_the_file_list_can_be_read_from_the_root_without_a_warning() -> None:
    """By Icarus with -Wall, as Verilog-2005; also after a file that sets a time scale."""
    assert lint.icarus(Path("rtl") / "conv_core.f") == ""
    icarus = find_simulator("icarus")
    scale = ROOT / "tests" / "core" / "timescale.v"
    command = [str(icarus.path), "-g2005", str(scale), "-c", "rtl/conv_core.f", "-o", os.devnull]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert not any("`timescale" in path.read_text() for path in rtl_files())
