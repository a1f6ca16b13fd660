"""docs/driving-the-core.md: what it claims is what the core, its models and its files say."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from fractions import Fraction
from itertools import groupby

import numpy as np
import pytest

from conv_core.models.core_config import LANES, ConfigError, CoreConfig
from conv_core.models.cycles.loops import Loops
from conv_core.models.fitting import (
    MAX_BLOCK_WORDS,
    MAX_FRAME_BYTES,
    MAX_OFFSET,
    MAX_OUT_ROW_BYTES,
    fits,
)
from conv_core.models.layer import Layer, same_pads
from conv_core.models.packing import result_bytes
from conv_core.models.requantisation import requantise
from conv_core.models.schedule import schedule
from conv_core.tb.core.driver import descriptor
from conv_core.tb.core.registers import ID_VALUE, VERSION_VALUE, Error, Register
from conv_core.tb.paths import ROOT
from conv_core.tb.stimuli.random_layers import Mix, random_cases
from tests.core.control_tests import WAITS
from tests.core.error_tests import REPAIRS
from tests.docs.driving import (
    PAGE,
    WORDS,
    band,
    column_block,
    constant_words,
    misfits,
    single_band,
    steps_by_the_page,
    weight_words,
)

CHECK, PARAMETERS, REGISTERS, QUEUE = (
    (ROOT / "rtl" / name).read_text()
    for name in (
        "control/conv_core_check.v",
        "common/parameters.vh",
        "control/registers.v",
        "control/layer_queue.v",
    )
)
MIX = Mix(max_macs=60_000, dilation=True, groups=True)


def number(expression: str, **names: int) -> int:
    """The value of an expression of numbers and names, in the page's notation or in Verilog's."""
    text = expression.replace("^", "**").replace("/", "//")
    text = re.sub(r"(\w+) > (\w+) \? (\w+) : (\w+)", r"(\3 if \1 > \2 else \4)", text)
    return int(eval(text, {"max": max, "__builtins__": {}}, names))


def random_config(rng: np.random.Generator) -> CoreConfig:
    """With buffers that many a layer does not fit."""
    lanes_in, lanes_out = (int(rng.choice(LANES[:3])) for _ in range(2))
    constants = -(-10 * lanes_out // lanes_in)
    return CoreConfig(
        lanes_in=lanes_in,
        lanes_out=lanes_out,
        act_bytes=16 * lanes_in << int(rng.integers(8)),
        wgt_words=16 << int(rng.integers(5)),
        const_words=1 << max(4, (constants - 1).bit_length()) + int(rng.integers(3)),
        out_bytes=16 * lanes_out << int(rng.integers(5)),
        wgt_stream_bytes=lanes_in // int(rng.choice((1, 1, 4))),
    )


# -------------------------------------------------------------------------------- parameters
def rows_of_parameters() -> dict[str, tuple[str, str]]:
    """Default and legal values by name."""
    return {
        name: (default, legal)
        for name, default, legal in re.findall(
            r"^\| `([A-Z_]+)` \| ([^|]+) \| ([^|]+) \| [^|]+ \|$", PAGE, re.MULTILINE
        )
        if name in CoreConfig().verilog_parameters()
    }


def can_be_built(config: CoreConfig, **changes: int) -> bool:
    try:
        replace(config, **changes)
    except ConfigError:
        return False
    return True


@pytest.mark.parametrize("lanes_in", LANES)
@pytest.mark.parametrize("lanes_out", LANES)
def test_the_limits_of_page_core_and_models_agree(lanes_in: int, lanes_out: int) -> None:
    rows = rows_of_parameters()
    config = CoreConfig(lanes_in=lanes_in, lanes_out=lanes_out)
    defaults = config.verilog_parameters()
    assert rows.keys() == defaults.keys()
    core_lanes = {"LANES_IN": lanes_in, "LANES_OUT": lanes_out}
    page_lanes = {"LI": lanes_in, "LO": lanes_out, "CW": math.ceil(10 * lanes_out / lanes_in)}
    limits = dict(re.findall(r"localparam (\w+) = ([^;]+);", CHECK))
    names = core_lanes | {"CONST_PER_BLOCK": page_lanes["CW"]}
    for name, text in limits.items():
        names[name] = number(text, **names)
    in_core = dict(re.findall(r"illegal\((\w+), ([^)]+)\)", CHECK))
    in_core["FLOAT_RULE"] = "0, 1"
    assert in_core.keys() == rows.keys()
    for name, (default, legal) in rows.items():
        (given,) = re.findall(rf"parameter {name} += ([^,\n]+?),? *//", PARAMETERS)
        expected = CoreConfig().verilog_parameters() if name in core_lanes else defaults
        assert number(default, **page_lanes) == expected[name], name
        assert number(given, **core_lanes) == expected[name], name

        least, most = (number(each, **names) for each in in_core[name].split(","))
        if "power of two" in legal:
            low, high = legal.removeprefix("power of two, ").split(" to ")
            assert (least, most) == (number(low, **page_lanes), number(high, **page_lanes)), name
            tried = {2**n + more for n in range(26) for more in (0, 1)}
        else:
            tried = {int(each) for each in legal.split(", ")}
            assert (least, most) == (min(tried), max(tried)), name
            tried |= {value + more for value in tried for more in (-1, 1)}
        if name in core_lanes:
            continue  # tried as the parameters of this test
        for value in tried:
            power = value > 0 and value & (value - 1) == 0
            fine = least <= value <= most and (power or name == "FLOAT_RULE")
            assert can_be_built(config, **{name.lower(): value}) == fine, (name, value)


def test_the_error_that_the_page_names_is_one_of_the_cores() -> None:
    (named,) = re.findall(r"`(\w+_must_be_\w+)`", PAGE)
    assert f"{named} u_error ();" in CHECK


# -------------------------------------------------------------------------------- registers
def test_the_page_says_which_version_this_is() -> None:
    rows = dict(re.findall(r"^\| 0x\w\w \| `(ID|VERSION)` \| r \| 0x(\w{8})\b", PAGE, re.MULTILINE))
    assert int(rows["ID"], 16) == ID_VALUE
    assert int(rows["VERSION"], 16) == VERSION_VALUE
    major, minor = VERSION_VALUE >> 16, VERSION_VALUE & 0xFFFF
    assert f"[31:16] major {major}, [15:0] minor {minor}" in WORDS
    for name, value in (("ID", ID_VALUE), ("VERSION", VERSION_VALUE)):
        digits = f"{value:08X}"
        assert f"{name}_VALUE = 32'h{digits[:4]}_{digits[4:]};" in REGISTERS


def test_the_page_says_how_many_layers_may_be_started() -> None:
    """control_tests.py starts as many."""
    (slots,) = map(int, re.findall(r"localparam SLOTS = (\d+);", QUEUE))
    counts = {4: "four", 5: "fifth", 6: "Six"}
    assert f"{counts[slots + 2]} STARTs are accepted" in WORDS
    assert f"one layer runs, one is set up, {counts[slots]} wait" in WORDS
    assert f"the {counts[slots + 1]} is one too many" in WORDS
    assert f"for at least {WAITS} cycles" in WORDS


# -------------------------------------------------------------------------------- what fits
def test_what_has_to_fit_is_what_the_core_refuses() -> None:
    """conv_core.models.fitting is compared with the RTL wherever layers run."""
    assert "`KH * runs of a kernel row * ceil(RL / LI)`, summed over all blocks" in WORDS
    assert "those of all blocks, CW words each, stay in their buffer together" in WORDS
    rng = np.random.default_rng(25)
    refused: dict[str, int] = {}
    for case in random_cases(rng, 700, MIX):
        config = random_config(rng)
        found = list(misfits(case.layer, config))
        assert fits(case.layer, config) == (not found), (case.layer, config, found)
        for name in found if len(found) == 1 else ():
            refused[name] = refused.get(name, 0) + 1
    assert refused.keys() == {"ACT_BYTES", "WGT_WORDS", "CONST_WORDS", "OUT_BYTES"}
    assert min(refused.values()) >= 5, refused


def test_words_of_a_filter_are_summed_over_all_blocks() -> None:
    """By hand: kernel 3x3 on 8 channels, 10 filters, on 4x4 lanes: 18 words in each of 3 blocks."""
    layer = Layer(1, 6, 40, 8, 10, (3, 3), requantise=True)
    for words, constants in ((64, 32), (64, 16), (32, 32)):
        config = CoreConfig.from_array(
            "4x4", wgt_words=words, const_words=constants, out_bytes=1024
        )
        assert (weight_words(layer, config), constant_words(layer, config)) == (54, 30)
        assert not single_band(layer, config)
        assert fits(layer, config) == (words >= 54 and constants >= 30)


def test_the_largest_counts_are_those_of_the_models() -> None:
    assert f"always have fewer than 2^{MAX_BLOCK_WORDS.bit_length() - 1} words" in WORDS
    assert f"put a window 2^{MAX_OFFSET.bit_length() - 1} bytes outside its row" in WORDS
    row, frame = (limit.bit_length() - 1 for limit in (MAX_OUT_ROW_BYTES, MAX_FRAME_BYTES))
    assert f"rows of results of 2^{row} bytes and more; frames of 2^{frame} bytes" in WORDS


def test_what_the_page_tells_first_the_core_tells_first() -> None:
    """error_tests.py provokes errors in this order, from a descriptor that is wrong in all ways."""
    (listed,) = re.findall(r"the first of these is reported: (.*?) Of errors that come", WORDS)
    names = [name for name in re.findall(r"`(\w+)`", listed) if name in Error.__members__]
    told = [name for name, _ in groupby(error.name for error, *_ in REPAIRS)]
    assert len(told) == 6
    rest = iter(names)
    assert all(name in rest for name in told), f"{names} have not {told} in this order"


# -------------------------------------------------------------------------------- arithmetic
def pair_by_the_page(scale: Fraction) -> tuple[int, int]:
    """Multiplier and shift of a scale."""
    shift = 0
    while scale >= Fraction(2) ** shift:
        shift += 1
    while scale < Fraction(2) ** (shift - 1):
        shift -= 1
    mult = round(scale * Fraction(2) ** (31 - shift))
    if mult == 2**31:
        mult, shift = 2**30, shift + 1
    if shift < -31:
        return 0, 0
    return (0x7FFFFFFF, 8) if shift > 8 else (mult, shift)


def test_a_pair_of_the_page_scales_accumulators() -> None:
    """Within a half and what the first of two roundings adds; to the clamps beyond."""
    for words in ("send q = 0.", "send q = 0x7FFFFFFF and s = 8.", "by `q * 2^(s - 31)`"):
        assert words in WORDS
    rng = np.random.default_rng(26)
    edges = [-(2**31), -(2**31) + 1, -1, 0, 1, 2**31 - 1]
    beyond = 0
    for exponent in range(-60, 30):
        for mantissa in (1 + Fraction(int(rng.integers(2**40)), 2**40), 1, 2 - Fraction(1, 2**40)):
            scale = mantissa * Fraction(2) ** exponent
            mult, shift = pair_by_the_page(scale)
            near = np.clip(np.rint(rng.uniform(-120, 120, 8) / float(scale)), -(2**31), 2**31 - 1)
            acc = np.array([*edges, *near.tolist()], np.int64).astype(np.int32)
            pair = np.full(len(acc), mult, np.int32), np.full(len(acc), shift, np.int32)
            found = requantise(acc, *pair, 0, -128, 127)
            most = 0.5 + (2.0 ** (shift - 1) if shift < 0 else 0) + 2.0**-20
            for value, result in zip(acc.tolist(), found.tolist(), strict=True):
                exact = min(max(value * scale, -128), 127)
                assert abs(exact - result) <= most, (float(scale), value)
            beyond += mult == 0 or (mult, shift) == (0x7FFFFFFF, 8)
    assert beyond > 50


# -------------------------------------------------------------------------------- timing
def test_the_order_of_work_is_that_of_the_schedule() -> None:
    rng = np.random.default_rng(27)
    bands = set()
    for case in random_cases(rng, 300, MIX):
        config = random_config(rng)
        plan = schedule(case.layer, config)
        assert column_block(case.layer, config) == plan.column_block
        assert band(case.layer, config) == plan.band_rows, (case.layer, config)
        assert single_band(case.layer, config) == plan.single_band
        bands.add(plan.band_rows)
    assert {1, 2, 4} <= bands


def test_by_hand_the_steps_of_a_depthwise_layer() -> None:
    """3x3 on 9x9x8 on 4x4 lanes: two blocks, 25 kernel rows inside, ten columns in each of them."""
    layer = Layer(1, 9, 9, 8, 8, (3, 3), pads=(1, 1, 1, 1), groups=8, requantise=True)
    config = CoreConfig.from_array("4x4")
    assert column_block(layer, config) == 9
    assert steps_by_the_page(layer, config) == 2 * 25 * 10 == 500


@pytest.mark.parametrize("seed", range(2))
def test_steps_are_those_of_the_model(seed: int) -> None:
    """control_tests.py compares the page with the RTL."""
    assert "the last `min(KW, T * P / D)` columns are new" in WORDS
    assert "For the first P windows of a row of a column block all KW columns are new" in WORDS
    rng = np.random.default_rng([28, seed])
    depthwise = 0
    for case in random_cases(rng, 150, replace(MIX, max_macs=20_000)):
        layer, config = case.layer, random_config(rng)
        loops = Loops.of(layer, config)
        steps = sum(int(loops.steps(some).sum()) for some in loops.passes())
        assert steps_by_the_page(layer, config) == steps, (layer, config)
        depthwise += loops.depthwise
    assert depthwise > 10


# -------------------------------------------------------------------------------- example and files
def test_the_example_is_the_layer_that_it_says() -> None:
    (words,) = re.findall(r"The layer \((.*?)\) \* \((.*?)\) -> \((.*?)\), padding `same`", WORDS)
    (height, width, cin), (kh, kw, _, cout), result = (
        tuple(map(int, part.split(", "))) for part in words
    )
    pads = same_pads((height, width), (kh, kw), (1, 1))
    layer = Layer(1, height, width, cin, cout, (kh, kw), pads=pads, requantise=True)
    assert layer.out_shape[1:] == result
    lines = re.findall(r"^    0x(\w\w) (\w+) +0x(\w{8}) ", PAGE, re.MULTILINE)
    assert [Register[name] for _, name, _ in lines] == [int(offset, 16) for offset, *_ in lines]
    values = {Register[name]: int(value, 16) for _, name, value in lines}
    assert values == descriptor(layer) | {Register.CTRL: 1}
    config = CoreConfig()
    frame = height * width * cin
    weights = weight_words(layer, config) * config.lanes_out + constant_words(layer, config)
    assert f"send {frame // 16} beats of activations ({frame:,} bytes)" in WORDS
    assert f"and {weights:,} beats of weights" in WORDS
    assert f"{result_bytes(layer) // config.out_stream_bytes} beats of results come back" in WORDS


def test_every_file_that_the_page_names_is_there() -> None:
    named = re.findall(r"\b((?:rtl|models|docs|tb|tests)/[\w./-]+[\w-])", PAGE)
    assert {"rtl/conv_core.f", "models/cycles"} <= set(named)
    for path in named:
        assert (ROOT / path).exists(), path


def test_lines_are_at_most_100_characters() -> None:
    assert max(map(len, PAGE.splitlines())) <= 100
