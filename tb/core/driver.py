"""The driver of `conv_core`: its registers, as docs/driving-the-core.md describes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer
from conv_core.tb.bench.drivers import Answer, DriverError
from conv_core.tb.core.format import Format, descriptor
from conv_core.tb.core.registers import (
    COUNTERS,
    ID_VALUE,
    KEPT_LAYERS,
    Ctrl,
    Error,
    Irq,
    Register,
    Status,
)
from conv_core.tb.core.signals import CoreSignals
from conv_core.tb.pins.responses import Response

if TYPE_CHECKING:
    from conv_core.tb.bench.bench import Bench

RESUME_POLLS, RESUME_CYCLES = 100, 100
"""how often to look whether the core has left the halted state, and how long to wait in between"""


class Driver(Format):
    """Drives `conv_core` through the bench."""

    _bench: Bench

    def __init__(self, bench: Bench | None, config: CoreConfig) -> None:
        super().__init__(config)
        if bench is not None:
            self._bench = bench
        self._irq_enable = int(Irq.LAYER_DONE | Irq.ERROR)

    @classmethod
    def watched(cls, config: CoreConfig) -> CoreSignals:
        """What waves show of the core's inside."""
        return CoreSignals(config)

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
            self._bench.arm()
        await self.write(writes)

    async def queue_full(self) -> bool:
        """Would a further layer not be taken? A halted core takes none."""
        (status,) = await self.read(Register.STATUS)
        return bool(status & (Status.QUEUE_FULL | Status.HALTED))

    async def acknowledge(self) -> Answer:
        """Clears the interrupt."""
        irq, done = await self.read(Register.IRQ_STATUS, Register.LAYERS_DONE)
        await self.write({Register.IRQ_STATUS: irq})
        return Answer(done, bool(irq & Irq.LAYER_DONE), bool(irq & Irq.ERROR))

    async def counters(self, layer: int) -> dict[str, int]:
        """The counters of one of the last `KEPT_LAYERS` that finished, by name."""
        await self.write({Register.COUNTERS_OF: KEPT_LAYERS + layer % KEPT_LAYERS})
        values = await self.read(*COUNTERS)
        return {r.name.lower(): value for r, value in zip(COUNTERS, values, strict=True)}

    async def error(self) -> tuple[str, str]:
        """The error that halts the core: its name, and the register's fields."""
        (value,) = await self.read(Register.ERROR)
        code, detail = value & 0xFF, value >> 8 & 0xFF
        name = Error(code).name if code in list(Error) else "a code that does not exist"
        return name, f"ERROR reads {code} ({name}), detail {detail}"

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
        raise TimeoutError(f"the core stays halted after RESUME: {await self.report()}")

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
