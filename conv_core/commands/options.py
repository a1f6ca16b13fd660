"""The options that commands share, and what they mean."""

from __future__ import annotations

import argparse
import os
import re
import sys
from dataclasses import fields
from typing import NoReturn

import numpy as np

from conv_core.commands.cores import config_of_core, core_of
from conv_core.models.core_config import CoreConfig
from conv_core.models.errors import RefusedError
from conv_core.tb.runs.tools import SIMULATORS
from conv_core.tb.stimuli.recording import SUFFIX
from conv_core.tb.stimuli.stalls import ORDERS, PROFILES

PARAMETERS = tuple(f.name for f in fields(CoreConfig) if not f.name.startswith("lanes"))
"""of the core, beside its lanes, which --array gives"""

INSTEAD = {
    "COCOTB_TEST_FILTER": "LAYER names the layers to run, and pytest -k the tests",
    "COCOTB_TESTCASE": "LAYER names the layers to run, and pytest -k the tests",
    "TESTCASE": "LAYER names the layers to run, and pytest -k the tests",
    "COCOTB_TEST_MODULES": "DRIVER names what drives a core, and pytest runs other test benches",
    "MODULE": "DRIVER names what drives a core, and pytest runs other test benches",
    "COCOTB_TOPLEVEL": "the top is the bench, and DUT names the core in it",
    "TOPLEVEL": "the top is the bench, and DUT names the core in it",
    "RANDOM_SEED": "SEED, or COCOTB_RANDOM_SEED, gives the seed",
    "GUI": "make waves shows the last run in GTKWave",
    "COCOTB_PLUSARGS": "each option of make has a name of its own: make help",
    "PLUSARGS": "each option of make has a name of its own: make help",
    "SIM_ARGS": "each option of make has a name of its own: make help",
    "COMPILE_ARGS": "the core's parameters are options of make: ACT_BYTES=n and so on",
    "EXTRA_ARGS": "the core's parameters are options of make: ACT_BYTES=n and so on",
}
"""Variables of cocotb's own makefiles, and what does here what they do there."""


class OptionError(RefusedError):
    """An option that makes no sense. The text says what does."""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in a sentence that names the option as make does, too."""

    def error(self, message: str) -> NoReturn:
        option = re.match(r"argument --([\w-]+): ", message)
        if option is not None:
            as_in_make = option[1].upper().replace("-", "_")
            message = f"{as_in_make} (--{option[1]}): {message[option.end() :]}"
        print(f"error: {message}; {self.prog} --help lists all options", file=sys.stderr)
        sys.exit(2)


def check_variables() -> None:
    """Refuses cocotb's variables that would do nothing here. Raises `OptionError`."""
    for name, cure in INSTEAD.items():
        if os.environ.get(name):
            raise OptionError(f"{name} has no effect here: {cure}")


def core_options() -> Parser:
    """Simulator, seed, and how the core is built."""
    parser = Parser(add_help=False)
    parser.add_argument("--sim", default="icarus", metavar="|".join(SIMULATORS))
    parser.add_argument("--array", default="16x16", help="lanes in x lanes out")
    parser.add_argument("--seed", type=whole_number, help="what is random follows from it")
    group = parser.add_argument_group("a core of your own, see docs/your-own-core.md")
    group.add_argument("--dut", metavar="MODULE", help="the module, or its description, core.toml")
    group.add_argument("--driver", metavar="FILE:CLASS", help="what drives it")
    group.add_argument("--rtl", metavar="FILES", help="its Verilog: files, folders, a list (.f)")
    group = parser.add_argument_group("how the core is built, see docs/driving-the-core.md")
    for name in PARAMETERS:
        group.add_argument(f"--{name.replace('_', '-')}", type=whole_number, metavar="N")
    return parser


def run_options() -> Parser:
    """Those of a run of given layers, beside the core's."""
    parser = Parser(add_help=False, parents=[core_options()])
    parser.add_argument(
        "--stall",
        default="none",
        metavar="PROFILE",
        help=f"{', '.join([*PROFILES, *ORDERS])}, or recorded traffic (a file *{SUFFIX})",
    )
    parser.add_argument("--record", metavar="FILE", help=f"write the traffic to a file *{SUFFIX}")
    parser.add_argument(
        "--rules", default="", metavar="-NAME,...", help="protocol rules to switch off"
    )
    parser.add_argument("--waves", action="store_true", help="record the run for `waves`")
    parser.add_argument("--queue", action="store_true", help="layers back to back")
    # How `waves` repeats the part of a run that it shows:
    parser.add_argument("--only", metavar="LAYER", help=argparse.SUPPRESS)
    parser.add_argument("--waves-from", type=whole_number, metavar="NS", help=argparse.SUPPRESS)
    return parser


def config_of(options: argparse.Namespace) -> CoreConfig:
    """How the core is built that the options describe. Raises `ConfigError`, `CoreError`."""
    return config_of_core(core_of(options), options.array, given_parameters(options))


def given_parameters(options: argparse.Namespace) -> dict[str, int]:
    """The core's parameters that were given."""
    values = {name: getattr(options, name) for name in PARAMETERS}
    return {name: value for name, value in values.items() if value is not None}


def words_of(options: argparse.Namespace) -> list[str]:
    """The words that give the same simulator and core again."""
    words = ["--sim", options.sim, "--array", config_of(options).array, *core_of(options).words()]
    described = {n: v for n, v in core_of(options).parameters if n != "array"}
    for name, value in {**described, **given_parameters(options)}.items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    return words


def seed_of(options: argparse.Namespace) -> int | None:
    """The seed that was given, by --seed or by cocotb's variable. Raises `OptionError`."""
    if options.seed is not None:
        return int(options.seed)
    text = os.environ.get("COCOTB_RANDOM_SEED", "")
    if not text:
        return None
    if not text.isdecimal():
        raise OptionError(f"COCOTB_RANDOM_SEED is {text!r}: a seed is a whole number, 0 or more")
    return int(text)


def new_seed() -> int:
    """A seed that nobody has chosen."""
    return int(np.random.SeedSequence().generate_state(1)[0])


def whole_number(text: str) -> int:
    """A number, 0 or more."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, 0 or more")
    return int(text)


def count(text: str) -> int:
    """A number, 1 or more."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, 1 or more")
    return int(text)
