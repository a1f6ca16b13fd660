"""What `conv_core` wants at its pins, and what can go wrong there, without simulating."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from conv_core.models.core_config import CoreConfig
from conv_core.models.cycles import cycles_limit, queue_model
from conv_core.models.layer import Layer, LayerCase
from conv_core.models.packing import (
    Bytes,
    block_words,
    constant_words,
    filter_groups,
    pack_activations,
    pack_weights,
    result_bytes,
)
from conv_core.tb.core.registers import Error, Mode, Register

_SIZES = (Register.IN_SIZE, Register.CHANNELS, Register.OUT_SIZE, Register.BATCH)
NONSENSE = (
    *((register, low, 0xFFFF, 0) for register in _SIZES for low in (0, 16)),
    (Register.BATCH, 16, 0xFFFF, 0xFFFF),
    *((Register.KERNEL, low, 31, 0) for low in (0, 8)),
    *((Register.KERNEL, low, 7, value) for low in (16, 20, 24, 28) for value in (0, 5, 7)),
    *((Register.KERNEL, low, 1, 1) for low in (5, 7, 13, 15, 19, 23, 27, 31)),
    *((Register.MODE, low, 1, 1) for low in (2, 7, 9, 31)),
)
"""(register, lowest bit, mask, what makes no sense there)"""

PACKET_ERRORS = {
    "activations": (Error.ACT_TLAST_EARLY, Error.ACT_TLAST_LATE, Error.ACT_TKEEP),
    "weights": (Error.WGT_TLAST_EARLY, Error.WGT_TLAST_LATE, Error.WGT_TKEEP),
}


def descriptor(layer: Layer) -> dict[Register, int]:
    """The descriptor registers of a layer."""
    (kh, kw), (sh, sw), (dh, dw) = layer.kernel, layer.stride, layer.dilation
    top, left = layer.pads[:2]
    mode = Mode(0)
    if layer.requantise:
        mode |= Mode.REQUANTISE
        if layer.rounding == "float":
            mode |= Mode.FLOAT_ROUNDING
        elif layer.rounding == "single":
            mode |= Mode.SINGLE_ROUNDING
    quant = (layer.in_zp, layer.out_zp, layer.act_min, layer.act_max)
    return {
        Register.IN_SIZE: layer.width | layer.height << 16,
        Register.CHANNELS: layer.in_channels | layer.out_channels << 16,
        Register.OUT_SIZE: layer.out_width | layer.out_height << 16,
        Register.BATCH: layer.batch | layer.groups << 16,
        Register.KERNEL: kw | kh << 8 | sw << 16 | sh << 20 | dw << 24 | dh << 28,
        Register.PADS: left | top << 16,
        Register.QUANT: sum((value & 0xFF) << 8 * i for i, value in enumerate(quant)),
        Register.MODE: int(mode),
    }


class Format:
    """The packets of a core of this configuration, their cycles and their errors."""

    def __init__(self, config: CoreConfig) -> None:
        self._config = config

    # ---------------------------------------------------------------- data
    def activation_packets(self, case: LayerCase) -> list[Bytes]:
        """One packet a frame."""
        return pack_activations(case, self._config)

    def weight_packets(self, case: LayerCase) -> list[Bytes]:
        """One packet a layer."""
        return [pack_weights(case, self._config)]

    def result_packet(self, layer: Layer) -> tuple[int, int]:
        """(bytes of a result packet, packets)"""
        return result_bytes(layer), layer.batch

    # ---------------------------------------------------------------- time
    def cycles_limit(self, layer: Layer) -> int:
        """Cycles that no core with this array can do without."""
        return cycles_limit(layer, self._config)

    def cycles_model(self, layers: Sequence[Layer]) -> list[int] | None:
        """Cycles that each layer takes exactly when nobody stalls."""
        return queue_model(layers, self._config)

    # ---------------------------------------------------------------- what can go wrong
    def fits_ahead(self, layer: Layer) -> bool:
        """May one input stream come to its end before the other begins?

        It may if half the buffers do.
        """
        config, blocks = self._config, filter_groups(layer, self._config)
        return (
            2 * int(np.prod(layer.in_shape)) <= config.act_bytes
            and 2 * blocks * block_words(layer, config) <= config.wgt_words
            and 2 * blocks * constant_words(config) <= config.const_words
        )

    def packet_bytes(self, case: LayerCase, stream: str) -> int:
        """Bytes of a right packet of "activations" or "weights"."""
        packets = {"activations": self.activation_packets, "weights": self.weight_packets}
        return packets[stream](case)[0].size

    def nonsense(self, layer: Layer, number: int) -> tuple[str, int]:
        """A descriptor register, and a value of which the core can make no sense."""
        register, low, mask, value = NONSENSE[number % len(NONSENSE)]
        return register.name, descriptor(layer)[register] & ~(mask << low) | value << low

    def expected_errors(self, case: LayerCase, kind: str, amount: int) -> frozenset[str]:
        """Names of `Error`; where several things are wrong, the core is free to name any."""
        if kind not in PACKET_ERRORS:
            return frozenset({Error.FIELD.name})
        early, late, keep = PACKET_ERRORS[kind]
        due = self.packet_bytes(case, kind)
        words, words_due = (-(-n // self._config.lanes_in) for n in (due + amount, due))
        if words == words_due:
            return frozenset({keep.name})
        return frozenset({early.name if words < words_due else late.name, keep.name})
