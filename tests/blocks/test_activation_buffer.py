"""activation_buffer: any byte address reads a word, across the end of the ring, too."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.blocks.block import run_block


@pytest.mark.parametrize(
    "parameters",
    [
        {"LANES": 4, "BYTES": 64},
        {"LANES": 8, "BYTES": 16},
        {"LANES": 32, "BYTES": 512},
    ],
    ids=str,
)
def test_any_byte_address_reads_a_word(
    parameters: dict[str, int], simulator: str, tmp_path: Path
) -> None:
    seed = random.randrange(2**31)
    run_block("activation_buffer", parameters, "activation_buffer_tests", simulator, tmp_path, seed)
