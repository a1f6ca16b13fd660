"""Sizes of the bench, and the Verilog parameters that follow from them. Needs no simulator."""

from __future__ import annotations

from conv_core.models.core_config import CoreConfig

RING_LOG2 = 16
RING_BEATS = 1 << RING_LOG2
"""of each stream, what the bench holds and remembers"""
MAX_CHUNK_BITS = 65536
MAX_CHUNK_BEATS = 2048
MAX_JOBS = 256
"""layers that the bench can have under way"""


def chunk_beats(stream_bytes: int) -> int:
    """Beats that cross the language border in one piece."""
    return min(MAX_CHUNK_BITS // (8 * stream_bytes), MAX_CHUNK_BEATS)


def bench_parameters(config: CoreConfig) -> dict[str, int]:
    """The Verilog parameters of conv_bench for this core."""
    return {
        **config.verilog_parameters(),
        "RING_LOG2": RING_LOG2,
        "ACT_CHUNK": chunk_beats(config.act_stream_bytes),
        "WGT_CHUNK": chunk_beats(config.wgt_stream_bytes),
        "OUT_CHUNK": chunk_beats(config.out_stream_bytes),
    }
