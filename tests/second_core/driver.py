"""How to drive simple_conv: all that the environment has to know of the second core."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer, LayerCase
from conv_core.models.packing import Bytes, pack_activations, result_bytes
from conv_core.tb.bench.bench import Bench
from conv_core.tb.bench.drivers import Answer, DriverError


class SimpleDriver:
    """A `CoreDriver`. The core has no registers: a layer starts when its data come."""

    def __init__(self, bench: Bench, config: CoreConfig) -> None:
        self._bench = bench
        self._config = config
        self._done = 0
        self._done_before = 0
        """layers of the batches before this one"""

    def activation_packets(self, case: LayerCase) -> list[Bytes]:
        """The image."""
        return pack_activations(case, self._config)

    def weight_packets(self, case: LayerCase) -> list[Bytes]:
        """Biases, then the kernel in the order of Keras: (KH, KW, Cin, Cout)."""
        kernel = np.ascontiguousarray(case.w.transpose(1, 2, 3, 0))
        return [
            np.concatenate([case.bias.astype("<i4").view(np.uint8), kernel.view(np.uint8).ravel()])
        ]

    def result_packet(self, layer: Layer) -> tuple[int, int]:
        """One packet."""
        return result_bytes(layer), layer.batch

    def cycles_limit(self, layer: Layer) -> int:
        """One multiply-accumulate a cycle, padding counted, and a cycle for each result."""
        loading = max(np.prod(layer.in_shape), np.prod(layer.weight_shape) + 4 * layer.out_channels)
        return int(loading) + layer.macs + int(np.prod(layer.out_shape))

    def cycles_model(self, layers: Sequence[Layer]) -> list[int] | None:  # noqa: ARG002  like every driver's
        """Nobody says."""
        return None

    async def identify(self) -> None:
        """There is nothing to ask."""

    async def start(self, layer: Layer, *, arm: bool) -> None:
        """Refuses what the core can't do; else the data do it. Raises `DriverError`."""
        top, left, bottom, right = layer.pads
        plain = layer.stride == layer.dilation == (1, 1) and layer.batch == layer.groups == 1
        if not plain or layer.in_zp or layer.requantise or not top == left == bottom == right:
            raise DriverError("simple_conv does plain convolutions only, one frame at a time")
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
