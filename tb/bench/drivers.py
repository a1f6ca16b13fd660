"""What the environment asks of a core's driver: the one thing to write for a core of your own.

The driver of `conv_core` is tb/core/driver.py; a small one, of a core without registers, is
tests/second_core/driver.py. `Bench` (tb/bench/bench.py) gives drivers `arm`, `bus` and
`results_taken`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer, LayerCase
from conv_core.models.packing import Bytes
from conv_core.tb.bench.bench import Bench
from conv_core.tb.waves.signals import Watched


class DriverError(Exception):
    """The core answers its registers in a way that it must not."""


class Answer(NamedTuple):
    """What an interrupt says."""

    layers_done: int
    """since reset"""
    layer_done: bool
    """a layer is done since the last answer"""
    error: bool
    """the core has halted on an error"""


class CoreDriver(Protocol):
    """What the environment asks of a core's driver.

    One is made after each reset, of the bench and the configuration.

    Methods raise `DriverError` or `TimeoutError` where the core does not answer as it must.
    """

    def activation_packets(self, case: LayerCase) -> list[Bytes]:
        """What goes into the activation stream: packets of one length."""

    def weight_packets(self, case: LayerCase) -> list[Bytes]:
        """What goes into the weight stream: packets of one length."""

    def result_packet(self, layer: Layer) -> tuple[int, int]:
        """(bytes of a result packet, packets)"""

    def cycles_limit(self, layer: Layer) -> int:
        """Cycles that the core needs at least."""

    def cycles_model(self, layers: Sequence[Layer]) -> list[int] | None:
        """Cycles that each layer should take when nobody stalls; None where nobody says.

        The layers are queued one after another, and each counts from the end of the one before. A
        run counts as hung after a multiple of these, or else of the limits.
        """

    async def identify(self) -> None:
        """Checks that this is the core that was asked for."""

    async def start(self, layer: Layer, *, arm: bool) -> None:
        """Queues a layer; with `arm` the streams are offered from the moment it is taken."""

    async def queue_full(self) -> bool:
        """Would a further layer not be taken?"""

    async def acknowledge(self) -> Answer:
        """Answers an interrupt."""

    async def counters(self, layer: int) -> dict[str, int]:
        """The core's counters of the layer with this number, by name, "cycles" among them.

        The first layer since reset is number 1. Empty if the core does not count.
        """

    async def report(self) -> str:
        """What the core says of itself when it hangs."""


class WatchedDriver(Protocol):
    """The driver of a core whose inside is shown: in waves, and beside a wrong beat."""

    @classmethod
    def watched(cls, config: CoreConfig) -> Watched:
        """The signals that are worth seeing, and what they mean."""


class Provoker(Protocol):
    """What can go wrong with a core that reports errors, and what it has to say then.

    `kind` is "activations" or "weights", whose packets are `amount` bytes too long (too short where
    that is negative), or a field of the descriptor, which has the value `amount`.
    """

    def fits_ahead(self, layer: Layer) -> bool:
        """May one input stream come to its end before the other begins?"""

    def packet_bytes(self, case: LayerCase, stream: str) -> int:
        """Bytes of a right packet of "activations" or "weights"."""

    def nonsense(self, layer: Layer, number: int) -> tuple[str, int]:
        """A field of the descriptor, and a value of which the core can make no sense there."""

    def expected_errors(self, case: LayerCase, kind: str, amount: int) -> frozenset[str]:
        """The errors that the core may report; where several things are wrong, any of them."""


class RecoveringDriver(CoreDriver, Provoker, Protocol):
    """The driver of a core that reports errors and goes on after them without a reset."""

    async def start_wrong(self, layer: Layer, wrong: Mapping[str, int]) -> None:
        """Starts a layer with other values in fields of the descriptor; offers the streams."""

    async def error(self) -> tuple[str, str]:
        """The error that halts the core: its name, and all that the core says of it."""

    async def recover(self) -> int:
        """Leaves the halted state, when all that was sent has been taken; layers done."""


def driver_named(name: str) -> Callable[[Bench, CoreConfig], CoreDriver]:
    """The driver class that `name` says, as "module:class"."""
    module, _, attribute = name.partition(":")
    return cast(
        "Callable[[Bench, CoreConfig], CoreDriver]",
        getattr(importlib.import_module(module), attribute),
    )


def watched_by(
    driver: str, config: CoreConfig, dut: str, sources: Sequence[Path]
) -> Watched | None:
    """What that driver shows of the module `dut` in these sources; None if it shows nothing."""
    offer = getattr(driver_named(driver), "watched", None)
    if offer is None:
        return None
    watched = cast("Watched", offer(config))
    return watched if watched.stands_in(dut, sources) else None
