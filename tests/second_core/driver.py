"""How to drive simple_conv: all that the environment has to know of the second core."""

from __future__ import annotations

import numpy as np

from conv_core.models.layer import LayerCase
from conv_core.models.packing import Bytes
from conv_core.tb.bench.plain import PlainDriver
from conv_core.tb.stimuli.limits import Limits


class SimpleDriver(PlainDriver):
    """The core has no registers: a layer starts when its data come."""

    limits = Limits(
        square=True,
        strides=(1,),
        dilations=(1,),
        groups=False,
        depthwise=False,
        largest_batch=1,
        input_zero_points=False,
        weight_zero_points=False,
        roundings=(),
    )

    def weight_packets(self, case: LayerCase) -> list[Bytes]:
        """Biases, then the kernel in the order of Keras: (KH, KW, Cin, Cout)."""
        biases = case.bias.astype("<i4").view(np.uint8)
        kernel = np.ascontiguousarray(case.w.transpose(1, 2, 3, 0))
        return [np.concatenate([biases, kernel.view(np.uint8).ravel()])]
