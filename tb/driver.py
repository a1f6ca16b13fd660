"""The adapter: all that the environment knows of the core under test.

A core of somebody else's takes part by a driver with the same methods, see `CoreDriver`; an example
is tests/second_core/. What our core wants is in docs/driving-the-core.md.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, cast

from models.core_config import CoreConfig
from models.cycles import cycles_limit, queue_model
from models.layer import Layer, LayerCase
from models.packing import Bytes, pack_activations, pack_weights, result_bytes
from tb.bench import Bench
from tb.registers import (
    COUNTERS,
    ID_VALUE,
    KEPT_LAYERS,
    Ctrl,
    Irq,
    Mode,
    Register,
    Response,
    Status,
)

RESUME_POLLS, RESUME_CYCLES = 100, 100
"""how often to look whether the core has left the halted state, and how long to wait in between"""


class DriverError(Exception):
    """The core answers its registers in a way that it must not."""


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

        The layers are queued behind each other, and each counts from the end of the one before. A
        run counts as hung after a multiple of these, or else of the limits.
        """

    async def identify(self) -> None:
        """Checks that this is the core that was asked for."""

    async def start(self, layer: Layer, *, arm: bool) -> None:
        """Queues a layer; with `arm` the streams are offered from the moment it is taken."""

    async def queue_full(self) -> bool:
        """Would a further layer not be taken?"""

    async def acknowledge(self) -> tuple[int, int]:
        """When layers are done: (`Irq` flags, layers done since reset)."""

    async def counters(self, layer: int) -> dict[str, int]:
        """The core's counters of the layer with this number, by name, "cycles" among them.

        The first layer since reset is number 1. Empty if the core does not count.
        """

    async def report(self) -> str:
        """What the core says of itself when it hangs."""


class RecoveringDriver(CoreDriver, Protocol):
    """Of a core that reports errors and goes on behind them without a reset."""

    async def start_wrong(self, layer: Layer, wrong: Mapping[str, int]) -> None:
        """Starts a layer with other values in descriptor registers; offers the streams."""

    async def error(self) -> tuple[int, int]:
        """(code, detail) of the error that halts the core"""

    async def recover(self) -> int:
        """Leaves the halted state, when all that was sent has been taken; layers done."""


def driver_named(name: str) -> Callable[[Bench, CoreConfig], CoreDriver]:
    """The driver class that `name` says, as "module:class"."""
    module, _, attribute = name.partition(":")
    return cast(
        "Callable[[Bench, CoreConfig], CoreDriver]",
        getattr(importlib.import_module(module), attribute),
    )


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


class Driver:
    """Drives `conv_core` through the bench."""

    def __init__(self, bench: Bench, config: CoreConfig) -> None:
        self._bench = bench
        self._config = config
        self._irq_enable = int(Irq.LAYER_DONE | Irq.ERROR)

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

    # ---------------------------------------------------------------- control
    async def identify(self) -> None:
        """Checks that this is the core, built as the configuration says. Raises `DriverError`."""
        config = self._config
        expected = {
            Register.ID: ID_VALUE,
            Register.LANES: config.lanes_in
            | config.lanes_out << 8
            | config.requant_lanes << 16
            | config.float_rule << 24,
            Register.ACT_BYTES: config.act_bytes,
            Register.WGT_WORDS: config.wgt_words,
            Register.CONST_WORDS: config.const_words,
            Register.OUT_BYTES: config.out_bytes,
            Register.STREAM_BYTES: config.act_stream_bytes
            | config.wgt_stream_bytes << 8
            | config.out_stream_bytes << 16,
        }
        values = await self.read(*expected)
        for (register, wanted), value in zip(expected.items(), values, strict=True):
            if value != wanted:
                raise DriverError(f"{register.name} reads 0x{value:08X}, expected 0x{wanted:08X}")

    async def start(self, layer: Layer, *, arm: bool) -> None:
        """Queues a layer; with `arm` the streams are offered from the moment it is taken."""
        await self._start(descriptor(layer), arm=arm)

    async def start_wrong(self, layer: Layer, wrong: Mapping[str, int]) -> None:
        """Starts a layer with other values in descriptor registers; offers the streams."""
        named = {Register[name]: value for name, value in wrong.items()}
        await self._start(descriptor(layer) | named, arm=True)

    async def _start(self, writes: dict[Register, int], *, arm: bool) -> None:
        writes[Register.IRQ_ENABLE] = self._irq_enable
        writes[Register.CTRL] = int(Ctrl.START)
        if arm:
            self._bench.write("host_arm", 1)
        await self.write(writes)

    async def queue_full(self) -> bool:
        """Would a further layer not be taken? A halted core takes none."""
        (status,) = await self.read(Register.STATUS)
        return bool(status & (Status.QUEUE_FULL | Status.HALTED))

    async def acknowledge(self) -> tuple[int, int]:
        """Clears the interrupt: (IRQ_STATUS before, layers done since reset)."""
        irq, done = await self.read(Register.IRQ_STATUS, Register.LAYERS_DONE)
        await self.write({Register.IRQ_STATUS: irq})
        return irq, done

    async def counters(self, layer: int) -> dict[str, int]:
        """The counters of one of the last `KEPT_LAYERS` that finished, by name."""
        await self.write({Register.COUNTERS_OF: KEPT_LAYERS + layer % KEPT_LAYERS})
        values = await self.read(*COUNTERS)
        return {r.name.lower(): value for r, value in zip(COUNTERS, values, strict=True)}

    async def error(self) -> tuple[int, int]:
        """(code, detail) of the error that halts the core"""
        (error,) = await self.read(Register.ERROR)
        return error & 0xFF, error >> 8 & 0xFF

    async def recover(self) -> int:
        """Leaves the halted state, when all that was sent has been taken; layers done.

        Raises `TimeoutError` if the core stays halted.
        """
        await self.write({Register.CTRL: int(Ctrl.RESUME)})
        for _ in range(RESUME_POLLS):
            status, done = await self.read(Register.STATUS, Register.LAYERS_DONE)
            if not status & Status.HALTED:
                return done
            await self._bench.clock(RESUME_CYCLES)
        raise TimeoutError(f"the core stays halted behind RESUME: {await self.report()}")

    async def report(self) -> str:
        """What the core says of itself, for somebody who wonders why it does not go on."""
        try:
            status, error, done = await self.read(
                Register.STATUS, Register.ERROR, Register.LAYERS_DONE
            )
        except TimeoutError as silent:
            return str(silent)
        words = [str(flag.name).lower().replace("_", " ") for flag in Status if status & flag]
        return (
            f"STATUS 0x{status:08X} ({', '.join(words) or 'idle'}), "
            f"ERROR code {error & 0xFF} detail {error >> 8 & 0xFF}, {done} layers done"
        )

    # ---------------------------------------------------------------- registers
    async def read(self, *registers: Register) -> list[int]:
        """The values of registers. Raises `DriverError` where the answer is not OKAY."""
        answers = await self._bench.bus([(r, None) for r in registers])
        self._check(registers, answers, "read")
        return [value for _, value in answers]

    async def write(self, values: dict[Register, int]) -> None:
        """Writes registers in that order. Raises `DriverError` where the answer is not OKAY."""
        answers = await self._bench.bus(list(values.items()))
        self._check(list(values), answers, "write")

    @staticmethod
    def _check(
        registers: Sequence[Register], answers: Sequence[tuple[int, int]], verb: str
    ) -> None:
        for register, (response, _) in zip(registers, answers, strict=True):
            if response != Response.OKAY:
                raise DriverError(
                    f"the {verb} of {register.name} is answered {Response(response).name}"
                )
