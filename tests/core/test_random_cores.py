"""Cores of random builds: queued layers, cut or whole, take exactly what the model says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from conv_core.models.core_config import CoreConfig
from conv_core.models.packing import constant_words
from conv_core.tb.runs.layers import run_layers
from tests.core.test_envelope import assert_passed, layers_for

LAYERS = 12
SEEDS = 2
LONG_SEEDS = 30
WAITS_FOR_CONSTANTS = 28
"""a core in which the constants of a layer wait for those of the one before"""


def random_core(rng: np.random.Generator) -> CoreConfig:
    """Few lanes, which Icarus simulates quickly; buffers so small that layers wait for room."""

    def power(least: int, doublings: int) -> int:
        return least << int(rng.integers(doublings + 1))

    def one_of(values: Sequence[int]) -> int:
        return int(rng.choice(values))

    lanes_in, lanes_out = one_of((4, 8)), one_of((4, 8))
    constants = constant_words(CoreConfig(lanes_in, lanes_out))
    return CoreConfig(
        lanes_in,
        lanes_out,
        act_bytes=power(4 * lanes_in, 5),
        wgt_words=power(16, 4),
        const_words=power(max(16, 1 << (constants - 1).bit_length()), 3),
        out_bytes=power(16 * lanes_out, 4),
        requant_lanes=power(lanes_out // 4, 2),
        result_queue=one_of((4, 8, 16)),
        act_stream_bytes=power(1, lanes_in.bit_length() - 1),
        wgt_stream_bytes=power(1, lanes_in.bit_length() - 1),
        out_stream_bytes=power(1, lanes_out.bit_length() - 1),
    )


@pytest.mark.parametrize("seed", [*range(SEEDS), WAITS_FOR_CONSTANTS])
def test_queued_layers_on_a_random_core(seed: int) -> None:
    assert_exact(seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(SEEDS, SEEDS + LONG_SEEDS))
def test_queued_layers_on_many_random_cores(seed: int) -> None:
    assert_exact(seed)


def assert_exact(seed: int) -> None:
    rng = np.random.default_rng([seed, 77])
    config = random_core(rng)
    results = run_layers(layers_for(config, "icarus", rng, LAYERS), config, "icarus", queue=True)
    assert len(results) == LAYERS
    assert_passed(results)
    for result in results:
        assert result.cycles == result.cycles_model, f"{result.name} on {config}"
        assert sum(result.counters.values()) == 2 * result.counters["cycles"], result.name
