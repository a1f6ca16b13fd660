"""The registers: what control_tests.py claims at the pins, and that code and page say the same."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from conv_core.tb.core.registers import COUNTERS, Error, Register
from conv_core.tb.paths import ROOT
from conv_core.tb.runs.builds import build
from conv_core.tb.runs.simulators import SimulationError
from tests.core.pins import core_at_its_pins, run_at_the_pins

PAGE = (ROOT / "docs" / "driving-the-core.md").read_text()
REGISTERS, HALT, SETUP = (
    (ROOT / "rtl" / "control" / f"{name}.v").read_text()
    for name in ("registers", "halt", "layer_setup")
)
LINE = (ROOT / "rtl" / "common" / "setup_line.vh").read_text()
TURNED = " else if (!s_axil_rready) s_axil_rdata <= ~s_axil_rdata;"


def documented() -> dict[str, tuple[int, str]]:
    """Offset and access of each register in the page's table."""
    rows = re.findall(r"^\| 0x([0-9A-F]{2}) \| `(\w+)` \| (r|w|rw|rw1c) \|", PAGE, re.MULTILINE)
    return {name: (int(offset, 16), access) for offset, name, access in rows}


def constants(verilog: str, prefix: str) -> dict[str, int]:
    """The 8-bit localparams with a prefix, without it."""
    rows = re.findall(rf"localparam \[7:0\] {prefix}(\w+) = 8'([hd])(\w+);", verilog)
    return {name: int(value, 16 if base == "h" else 10) for name, base, value in rows}


def reasons() -> dict[str, int]:
    """Why the set-up refuses a layer, as setup_line.vh numbers it: a register, or a buffer."""
    rows = re.findall(r"localparam \[3:0\] (AT_\w+|\w+_BUFFER) = 4'd(\d+);", LINE)
    return {name: int(number) for name, number in rows}


def test_the_register_maps_of_page_core_and_environment_agree() -> None:
    page = {name: offset for name, (offset, _) in documented().items()}
    assert len(page) == 29
    assert {register.name: register.value for register in Register} == page
    core = constants(REGISTERS, "AT_")
    first, last = core.pop("DESC_FIRST"), core.pop("DESC_LAST")
    described = {name: offset for name, offset in page.items() if first <= offset <= last}
    counters = {register.name: page[register.name] for register in COUNTERS}
    assert (min(counters.values()), max(counters.values())) == (core["CYCLES"], core["IDLE"])
    assert core | described | counters == page
    assert not core.keys() & described.keys()
    numbers = {n.removeprefix("AT_"): i for n, i in reasons().items() if n.startswith("AT_")}
    assert {name: first + 4 * number for name, number in numbers.items()} == described
    assert [register.name for register in COUNTERS] == [n for n in page if page[n] >= 0x80]


def test_the_error_codes_of_page_core_and_environment_agree() -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", PAGE, re.MULTILINE)
    page = {name: int(code) for code, name in rows}
    assert len(page) == 12
    assert {error.name: error.value for error in Error if error} == page
    buffers = {name: i for name, i in reasons().items() if not name.startswith("AT_")}
    assert sorted(buffers.values()) == [8, 9, 10, 11]
    assert "buffer_code = {ERROR_BUFFERS, reason_q[1:0]} + 8'd2;" in SETUP
    codes = {name: number - 6 for name, number in buffers.items()}
    assert constants(HALT, "ERROR_") | constants(SETUP, "ERROR_") | codes == page


def test_the_control_port_does_what_the_page_says(simulator: str, tmp_path: Path) -> None:
    access = dict(documented().values())
    run_at_the_pins("control_tests", simulator, tmp_path, ACCESS=json.dumps(access))


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        (" || (s_axil_bvalid && !s_axil_bready);", ";", "withdrawn"),
        ("s_axil_rdata <= read_data;", f"s_axil_rdata <= read_data;{TURNED}", "changed"),
    ],
)
def test_a_broken_control_port_is_named(right: str, wrong: str, words: str, tmp_path: Path) -> None:
    assert REGISTERS.count(right) == 1
    broken = tmp_path / "registers.v"
    broken.write_text(REGISTERS.replace(right, wrong))
    design = core_at_its_pins()
    sources = tuple(broken if path.name == broken.name else path for path in design.sources)
    with pytest.raises(SimulationError, match=words):
        build(replace(design, sources=sources), "icarus").simulate(
            "tests.core.control_tests",
            tmp_path,
            seed=1,
            testcase="a_write_may_follow_one_whose_response_is_held|address_and_data_come",
        )
