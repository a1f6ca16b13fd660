"""A driver to begin with, for a core without registers: layers start when their data come.

A core of your own needs what differs: see `CoreDriver` for what each method is asked, and
tests/second_core/driver.py for a whole one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer, LayerCase
from conv_core.models.packing import Bytes, result_bytes
from conv_core.models.tiling import NotFittingError, Piece
from conv_core.tb.bench.drivers import Answer
from conv_core.tb.stimuli.limits import Limits

if TYPE_CHECKING:
    from conv_core.tb.bench.bench import Bench


class PlainDriver:
    """A `CoreDriver` of which only the packets and what the core can do have to be written."""

    limits = Limits()
    """what the core can do at all: to be narrowed"""

    _bench: Bench

    def __init__(self, bench: Bench | None, config: CoreConfig) -> None:
        if bench is not None:
            self._bench = bench
        self._config = config
        self._done = 0
        self._done_before = 0
        """layers of the batches before this one"""

    # ---------------------------------------------------------------- to be written
    def activation_packets(self, case: LayerCase) -> list[Bytes]:
        """One packet a frame: rows, columns, channels, a byte each."""
        return [np.ascontiguousarray(frame).view(np.uint8).reshape(-1) for frame in case.x]

    def weight_packets(self, case: LayerCase) -> list[Bytes]:
        """One packet: the biases, int32, then filters, kernel rows, kernel columns, channels."""
        biases = case.bias.astype("<i4").view(np.uint8)
        return [np.concatenate([biases, np.ascontiguousarray(case.w).view(np.uint8).reshape(-1)])]

    # ---------------------------------------------------------------- usual
    def pieces(self, layer: Layer) -> list[Piece]:
        """The layer itself. Raises `NotFittingError` where it is beyond the limits."""
        if refusal := self.limits.refusal(layer):
            field, _, sentence = refusal.rpartition(": ")
            raise NotFittingError(field or "layer", sentence)
        return [Piece.whole(layer)]

    def result_packet(self, layer: Layer) -> tuple[int, int]:
        """One packet a frame: (its bytes, packets)."""
        return result_bytes(layer), layer.batch

    def cycles_limit(self, layer: Layer) -> int:
        """One multiply-accumulate a cycle, padding counted, and one cycle for each byte."""
        loading = max(np.prod(layer.in_shape), np.prod(layer.weight_shape) + 4 * layer.out_channels)
        return int(loading) + layer.macs + int(np.prod(layer.out_shape))

    def cycles_model(self, layers: Sequence[Layer]) -> list[int] | None:  # noqa: ARG002
        """Nobody says."""
        return None

    async def identify(self) -> None:
        """There is nothing to ask."""

    async def start(self, layer: Layer, *, arm: bool) -> None:  # noqa: ARG002
        """The data do it."""
        if arm:
            self._done_before = self._done
            self._bench.arm()

    async def queue_full(self) -> bool:
        """It takes the next layer's data when it has finished this one."""
        return False

    async def acknowledge(self) -> Answer:
        """The results are all there is to tell by."""
        self._done = self._done_before + self._bench.results_taken()
        return Answer(self._done, layer_done=True, error=False)

    async def counters(self, layer: int) -> dict[str, int]:  # noqa: ARG002
        """None."""
        return {}

    async def report(self) -> str:
        """Nothing."""
        return "it has no registers"
