"""What the environment asks of a core's driver: the one thing to write for a core of your own.

The driver of `conv_core` is tb/core/driver.py; a small one, of a core without registers, is
tests/second_core/driver.py. `Bench` (tb/bench/bench.py) gives drivers `arm`, `bus` and
`results_taken`.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from conv_core.models.core_config import CoreConfig
from conv_core.models.errors import RefusedError
from conv_core.models.layer import Layer, LayerCase
from conv_core.models.packing import Bytes
from conv_core.models.tiling import Piece
from conv_core.tb.waves.signals import Watched

if TYPE_CHECKING:
    from conv_core.tb.bench.bench import Bench


OUR_DRIVER = "conv_core.tb.core.driver:Driver"


class DriverNameError(RefusedError):
    """A driver that is not there. The text says what was looked for."""


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


class Planner(Protocol):
    """What the environment asks before anything is simulated."""

    def pieces(self, layer: Layer) -> Sequence[Piece]:
        """The layer itself, or the pieces that it is cut into because it does not fit the core.

        Raises `NotFittingError` where the core can't compute it; the sentence says why.
        """

    def cycles_limit(self, layer: Layer) -> int:
        """Cycles that the core needs at least."""


class CoreDriver(Planner, Protocol):
    """What the environment asks of a core's driver.

    One is made after each reset, of the bench and the configuration; and one of None and the
    configuration, outside the simulator, for what it says as a `Planner`.

    `limits`, an attribute that it may have, says which random layers it can be given. Methods raise
    `DriverError` or `TimeoutError` where the core does not answer as it must.
    """

    def activation_packets(self, case: LayerCase) -> list[Bytes]:
        """What goes into the activation stream: packets of one length."""

    def weight_packets(self, case: LayerCase) -> list[Bytes]:
        """What goes into the weight stream: packets of one length."""

    def result_packet(self, layer: Layer) -> tuple[int, int]:
        """(bytes of a result packet, packets)"""

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


Maker = Callable[["Bench | None", CoreConfig], CoreDriver]


def driver_named(name: str) -> Maker:
    """The driver class that `name` says, "module:Class" or "folder/file.py:Class".

    Raises `DriverNameError`.
    """
    place, _, attribute = name.rpartition(":")
    if not place or not attribute:
        raise DriverNameError(f"driver: {name!r} is not file.py:Class or module:Class")
    try:
        module = _module(place)
    except (ImportError, OSError, SyntaxError) as error:
        raise DriverNameError(f"driver: {place} can't be imported: {error}") from None
    if not hasattr(module, attribute):
        raise DriverNameError(f"driver: {place} has no class {attribute}")
    return cast("Maker", getattr(module, attribute))


@cache
def _module(place: str) -> ModuleType:
    if not place.endswith(".py"):
        return importlib.import_module(place)
    spec = importlib.util.spec_from_file_location(Path(place).stem, place)
    if spec is None or spec.loader is None:
        raise ImportError("it is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def planner_named(name: str, config: CoreConfig) -> Planner:
    """What a driver of that name says without a simulation. Raises `DriverNameError`."""
    return driver_named(name)(None, config)


def watched_by(
    driver: str, config: CoreConfig, dut: str, sources: Sequence[Path]
) -> Watched | None:
    """What that driver shows of the module `dut` in these sources; None if it shows nothing."""
    offer = getattr(driver_named(driver), "watched", None)
    if offer is None:
        return None
    watched = cast("Watched", offer(config))
    return watched if watched.stands_in(dut, sources) else None
