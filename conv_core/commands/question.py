"""`question`: the layer of the question, once with int8 and once with int32 results."""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from conv_core.commands import screen
from conv_core.commands.options import new_seed, seed_of
from conv_core.commands.simulating import conclude, simulate
from conv_core.tb.stimuli.random_layers import question_case

COLUMNS = ("results", ">values", ">array", ">cycles", ">limit", ">efficiency", ">wall time", "")


def question(options: argparse.Namespace) -> int:
    """Runs it, on random data; the exit status."""
    given = seed_of(options)
    seed = new_seed() if given is None else given
    print(f"seed {seed}")
    cases = [
        replace(
            question_case(np.random.default_rng([seed, bits]), requantise=bits == 8),
            name=f"int{bits}",
        )
        for bits in (8, 32)
        if options.only in (None, f"int{bits}")
    ]
    outcome = simulate(cases, options, seed, ["question"])
    rows = [
        (
            result.name,
            screen.number(result.compared),
            result.array,
            screen.number(result.cycles),
            screen.number(result.cycles_limit),
            screen.percent(result.efficiency),
            f"{result.wall_s:.1f} s",
            result.status,
        )
        for result in outcome.results
    ]
    screen.table(str(cases[0].layer), COLUMNS, rows)
    return conclude("question", outcome, len(cases), rules=options.rules, waves=options.waves)
