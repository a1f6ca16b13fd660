"""How ${name} is driven, and what it can do."""

from __future__ import annotations

from conv_core.models.layer import LayerCase
from conv_core.models.packing import Bytes
from conv_core.tb.bench.plain import PlainDriver
from conv_core.tb.stimuli.limits import Limits


class Driver(PlainDriver):
    """A layer starts when its data come."""

    limits = Limits(
        strides=(1,),
        dilations=(1,),
        padding=False,
        groups=False,
        depthwise=False,
        largest_batch=1,
        input_zero_points=False,
        weight_zero_points=False,
        roundings=(),  # int32 results
    )

    def activation_packets(self, case: LayerCase) -> list[Bytes]:
        """One packet a frame: rows, columns, channels, a byte each."""
        return super().activation_packets(case)

    def weight_packets(self, case: LayerCase) -> list[Bytes]:
        """One packet: biases, int32, then filters, kernel rows, kernel columns, channels."""
        return super().weight_packets(case)
