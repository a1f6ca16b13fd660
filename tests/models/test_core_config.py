"""The build parameters: documented defaults, legal values, refusals."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conv_core.models.core_config import ConfigError, CoreConfig

DOCUMENT = Path(__file__).parents[2] / "docs" / "driving-the-core.md"


def test_defaults_are_the_documented_ones() -> None:
    assert CoreConfig().verilog_parameters() == {
        "LANES_IN": 16,
        "LANES_OUT": 16,
        "ACT_BYTES": 65536,
        "WGT_WORDS": 1024,
        "CONST_WORDS": 1024,
        "OUT_BYTES": 16384,
        "REQUANT_LANES": 8,
        "FLOAT_RULE": 1,
        "RESULT_QUEUE": 16,
        "ACT_STREAM_BYTES": 16,
        "WGT_STREAM_BYTES": 16,
        "OUT_STREAM_BYTES": 16,
    }


def test_parameters_are_those_of_the_document() -> None:
    table = DOCUMENT.read_text().split("| parameter |")[1].split("\n\n")[0]
    documented = re.findall(r"^\| `([A-Z_]+)` \|", table, re.MULTILINE)
    assert documented == list(CoreConfig().verilog_parameters())


def test_derived_defaults_follow_the_lanes() -> None:
    config = CoreConfig.from_array("32x4")
    assert (config.lanes_in, config.lanes_out, config.array) == (32, 4, "32x4")
    assert (config.wgt_words, config.requant_lanes) == (512, 2)
    assert (config.act_stream_bytes, config.wgt_stream_bytes, config.out_stream_bytes) == (
        32,
        32,
        4,
    )
    assert CoreConfig.from_array("8x8", requant_lanes=4).requant_lanes == 4
    assert CoreConfig(wgt_words=None) == CoreConfig()


@pytest.mark.parametrize("array", ["4x4", "4x32", "32x4", "32x32", " 8X16 "])
def test_every_legal_array_can_be_built(array: str) -> None:
    assert CoreConfig.from_array(array).array == array.strip().lower()


@pytest.mark.parametrize("array", ["16", "16x", "axb", "16x16x16", "-4x4", ""])
def test_an_array_that_is_none_is_refused(array: str) -> None:
    with pytest.raises(ConfigError, match=r"^array: .* is not lanes in x lanes out"):
        CoreConfig.from_array(array)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lanes_in", 12),
        ("lanes_out", 64),
        ("lanes_out", 2),
        ("act_bytes", 32),
        ("act_bytes", 65535),
        ("wgt_words", 8),
        ("const_words", 0),
        ("out_bytes", 128),
        ("requant_lanes", 2),
        ("requant_lanes", 32),
        ("result_queue", 2),
        ("act_stream_bytes", 32),
        ("wgt_stream_bytes", 3),
        ("out_stream_bytes", 0),
    ],
)
def test_an_illegal_parameter_is_refused_by_name(name: str, value: int) -> None:
    with pytest.raises(ConfigError, match=f"^{name}: {value} is not "):
        CoreConfig(**{name: value})


def test_the_least_and_the_most_of_each_parameter_can_be_built() -> None:
    CoreConfig(act_bytes=64, wgt_words=16, const_words=16, out_bytes=256, requant_lanes=4)
    CoreConfig(act_stream_bytes=1, wgt_stream_bytes=1, out_stream_bytes=1, result_queue=32)
    CoreConfig(requant_lanes=16, result_queue=4)
