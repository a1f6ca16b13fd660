"""Cores to try: one array, with the buffers and stream widths that a seed draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from conv_core.models.core_config import CoreConfig

VARIANTS: tuple[Callable[[CoreConfig], Mapping[str, int]], ...] = (
    lambda core: {},  # noqa: ARG005
    lambda core: {
        "act_bytes": 64 * core.lanes_in,
        "wgt_words": 128,
        "const_words": 64,
        "out_bytes": 32 * core.lanes_out,
    },
    lambda core: {
        "act_stream_bytes": core.lanes_in // 2,
        "wgt_stream_bytes": core.lanes_in // 4,
        "out_stream_bytes": core.lanes_out // 4,
    },
    lambda core: {
        "act_bytes": 512 * core.lanes_in,
        "act_stream_bytes": 1,
        "out_stream_bytes": 1,
        "requant_lanes": core.lanes_out,
        "result_queue": 32,
    },
    lambda core: {
        "out_bytes": 16 * core.lanes_out,
        "requant_lanes": core.lanes_out // 4,
        "wgt_stream_bytes": core.lanes_in // 2,
    },
)
"""What differs from the defaults. There are few, so that their builds are soon all there."""


def core_of_seed(array: str, seed: int, given: Mapping[str, int]) -> CoreConfig:
    """A core of that array; what is not `given` is drawn by the seed. Raises `ConfigError`."""
    usual = CoreConfig.from_array(array)
    number = int(np.random.SeedSequence([seed, len(VARIANTS)]).generate_state(1)[0])
    return CoreConfig.from_array(array, **{**VARIANTS[number % len(VARIANTS)](usual), **given})
