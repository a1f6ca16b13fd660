"""A core of somebody else's under the same bench, traffic, rules, scoreboard and diagnosis."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer, LayerCase
from conv_core.models.tiling import NotFittingError
from conv_core.tb.runs.job import LayerResult
from conv_core.tb.runs.layers import run_layers
from conv_core.tb.waves.signals import Group, Signal, WatchedSignals
from tests.cases import case_of
from tests.second_core.driver import SimpleDriver

FOLDER = Path(__file__).resolve().parent
CORE = FOLDER / "simple_conv.v"
DRIVER = "tests.second_core.driver:SimpleDriver"
CONFIG = CoreConfig(
    lanes_in=4, lanes_out=4, act_stream_bytes=1, wgt_stream_bytes=1, out_stream_bytes=4
)
"""What of it concerns this core is the width of the streams."""

LAYERS = {
    "same": Layer(1, 4, 5, 2, 3, (3, 3), pads=(1, 1, 1, 1)),
    "valid": Layer(1, 5, 4, 2, 3, (3, 3)),
    "one-pixel": Layer(1, 1, 1, 9, 5, (1, 1)),
    "below-kernel": Layer(1, 2, 3, 2, 2, (5, 5), pads=(2, 2, 2, 2)),
}


def cases_of(layer: Layer, count: int) -> list[LayerCase]:
    rng = np.random.default_rng([80, layer.height])
    return [case_of(layer, rng, f"layer {i}", bias=2**31 - 1) for i in range(count)]


def run(
    layer: Layer,
    simulator: str,
    folder: Path,
    *,
    stall: str = "none",
    queue: bool = False,
    fault: tuple[str, str] | None = None,
    count: int = 2,
    explain: float = 0.0,
    driver: str = DRIVER,
) -> list[LayerResult]:
    """The layer's cases through simple_conv, with `fault` a piece of its text replaced."""
    shape = {
        "H": layer.height,
        "W": layer.width,
        "CIN": layer.in_channels,
        "COUT": layer.out_channels,
        "K": layer.kernel[0],
        "PAD": layer.pads[0],
    }
    shapes = folder / "shapes.v"
    shapes.write_text("".join(f"`define SIMPLE_{name} {size}\n" for name, size in shape.items()))
    core = folder / "simple_conv.v"
    text = CORE.read_text()
    if fault is not None:
        assert text.count(fault[0]) == 1
        text = text.replace(*fault)
    core.write_text(text)
    return run_layers(
        cases_of(layer, count),
        CONFIG,
        simulator,
        stall=stall,
        queue=queue,
        rtl_sources=[shapes, core, FOLDER / "simple_conv_dut.v"],
        dut="simple_conv_dut",
        driver=driver,
        explain=explain,
    )


@pytest.mark.parametrize("name", LAYERS)
def test_the_second_core_is_right(name: str, tmp_path: Path) -> None:
    layer = LAYERS[name]
    for result in run(layer, "icarus", tmp_path):
        assert result.passed, result.message
        assert result.compared == np.prod(layer.out_shape)
        assert result.cycles is not None
        assert result.cycles >= layer.macs


@pytest.mark.parametrize("stall", ["heavy", "ready-after-valid"])
def test_the_second_core_is_right_under_stalls(stall: str, tmp_path: Path) -> None:
    for result in run(LAYERS["same"], "icarus", tmp_path, stall=stall, queue=stall == "heavy"):
        assert result.passed, result.message
        assert result.held > 0


def test_the_second_core_is_right_on_verilator(tmp_path: Path) -> None:
    for result in run(LAYERS["same"], "verilator", tmp_path, stall="light"):
        assert result.passed, result.message


FAULTS = {
    "kernel flipped (both ways)": (
        "((ky*K+kx)*CIN+c)*COUT+o",
        "(((K-1-ky)*K+K-1-kx)*CIN+c)*COUT+o",
    ),
    "height and width swapped (of the weights)": ("((ky*K+kx)*CIN", "((kx*K+ky)*CIN"),
    "padding off by one (top, one less)": ("row = y + ky - PAD", "row = y + ky - PAD + 1"),
    "accumulator not cleared": (
        "? bias[o] : result",
        "? (o == 0 ? 32'd0 : result) + bias[o] : result",
    ),
    "accumulator too narrow (16 bits, bias included)": (
        "result <= acc_before + {{16{product[15]}}, product};",
        "begin : narrow\n            reg signed [15:0] sum;\n"
        "            sum = acc_before[15:0] + product;\n            result <= sum;\n        end",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_the_second_core_is_named(name: str, tmp_path: Path) -> None:
    (result,) = run(LAYERS["same"], "icarus", tmp_path, fault=FAULTS[name], count=1)
    assert not result.passed
    assert re.search(f"this is what .* would give: .*{re.escape(name)}", result.message)


class WatchedDriver(SimpleDriver):
    """The same driver, which shows where the core is."""

    @classmethod
    def watched(cls, config: CoreConfig) -> WatchedSignals:  # noqa: ARG003
        inside = "u_core.u_simple_conv."
        tap = (Signal(name, (inside + name,), 32, "unsigned") for name in ("y", "x", "o", "ky"))
        return WatchedSignals("simple_conv_dut", (Group("place", tuple(tap)),))


@pytest.mark.parametrize("watched", [False, True])
def test_the_wrong_beat_of_the_second_core_is_shown(watched: bool, tmp_path: Path) -> None:
    driver = f"{__name__}:WatchedDriver" if watched else DRIVER
    fault = FAULTS["accumulator not cleared"]
    (result,) = run(
        LAYERS["same"], "icarus", tmp_path, fault=fault, count=1, explain=600, driver=driver
    )
    assert result.cut is not None
    shown = {row.label: row.cells[result.cut.wrong] for row in result.cut.rows}
    beat = int(shown["out beat"])
    assert f"beat {beat}, {result.first_wrong_ns} ns: expected" in result.message
    assert result.values is not None
    assert shown["int32 0"] == str(result.values.reshape(-1)[beat])
    if watched:
        row, rest = divmod(beat, 5 * 3)
        assert (shown["y"], shown["x"], shown["o"]) == (str(row), str(rest // 3), str(rest % 3))
    else:
        assert "y" not in shown


HANGS = {
    "stops": (
        "same",
        ("result_valid <= last_tap;", "result_valid <= last_tap && y != 2;"),
        [
            "hung: the core stopped answering after 30 of 60 beats of results, with all its input",
            "30 of 60 beats accepted, tvalid 0, tready 1: the core offers none",
            "core: it has no registers",
        ],
    ),
    "never-starts": (
        "same",
        ("assign weight_ready = weights_loaded < WEIGHT_BYTES;", "assign weight_ready = 1'b0;"),
        [
            "hung: the core stopped answering after 0 of 60 beats of results, and takes no more "
            "weights",
            "weights: 0 of 66 beats accepted",
        ],
    ),
    "answers-twice": (
        "one-pixel",
        (
            "if (last_window) begin",
            "begin : twice\n                    reg again;\n"
            "                    if (last_window) again = again !== 1'b1;\n                end\n"
            "                if (last_window && !twice.again) begin",
        ),
        [
            "results: the core answers twice: 5 beats too many came, behind the last of 5, the "
            "same once more"
        ],
    ),
}


@pytest.mark.parametrize("name", HANGS)
def test_a_second_core_that_stops_never_starts_or_answers_twice_is_told_in_a_sentence(
    name: str, tmp_path: Path
) -> None:
    layer, fault, sentences = HANGS[name]
    (result,) = run(LAYERS[layer], "icarus", tmp_path, fault=fault, count=1)
    assert not result.passed
    for sentence in sentences:
        assert sentence in result.message


def test_what_the_second_core_does_not_do_is_refused(tmp_path: Path) -> None:
    layer = Layer(1, 5, 6, 3, 4, (3, 3), (2, 2), pads=(1, 1, 1, 1))
    with pytest.raises(NotFittingError, match="stride: this core has no 2, only 1"):
        run(layer, "icarus", tmp_path)
