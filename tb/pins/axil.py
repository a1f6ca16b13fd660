"""AXI4-Lite at the pins: a master that can be as awkward as the protocol allows.

Like `conv_core.tb.pins.streams` it drives just behind the rising edge and looks at the falling
edge.
"""

from __future__ import annotations

from typing import Any

from cocotb.triggers import FallingEdge, RisingEdge

from conv_core.tb.pins.responses import Response

TIMEOUT_CYCLES = 1000


class AxilError(AssertionError):
    """A rule of AXI4-Lite was broken, or an access is not answered: which, at which address."""


class Master:
    """One access at a time. Delays and holds are in cycles."""

    def __init__(self, dut: Any, prefix: str, clock: Any) -> None:
        self._dut = dut
        self._prefix = prefix
        self._rising = RisingEdge(clock)
        self._falling = FallingEdge(clock)
        self.idle()

    def idle(self) -> None:
        """Offers nothing and takes nothing, as a master in reset does."""
        for name in ("awvalid", "wvalid", "bready", "arvalid", "rready"):
            self._pin(name).value = 0

    async def write(
        self,
        address: int,
        data: int,
        *,
        strobes: int = 0b1111,
        address_delay: int = 0,
        data_delay: int = 0,
        hold: int = 0,
    ) -> Response:
        """Writes; the response is taken `hold` cycles after it is offered (0: ready all along)."""
        await self.offer(
            address, data, strobes=strobes, address_delay=address_delay, data_delay=data_delay
        )
        return await self.response(hold, address)

    async def offer(
        self,
        address: int,
        data: int,
        *,
        strobes: int = 0b1111,
        address_delay: int = 0,
        data_delay: int = 0,
    ) -> None:
        """The first half of a write: returns at the edge at which both channels are accepted."""
        for name, value in (("awaddr", address), ("awprot", 0), ("wdata", data)):
            self._pin(name).value = value
        self._pin("wstrb").value = strobes
        waiting = {"aw": address_delay, "w": data_delay}
        await self._rising
        for cycle in range(TIMEOUT_CYCLES):
            for channel, delay in waiting.items():
                self._pin(f"{channel}valid").value = int(cycle >= delay)
            await self._falling
            accepted = [
                channel
                for channel, delay in waiting.items()
                if cycle >= delay and self._level(f"{channel}ready", address)
            ]
            await self._rising
            for channel in accepted:
                del waiting[channel]
                self._pin(f"{channel}valid").value = 0
            if not waiting:
                return
        self._fail("is not accepted", address)

    async def response(self, hold: int = 0, address: int = 0) -> Response:
        """The second half of a write."""
        await self._answer("b", ("bresp",), hold, address)
        return Response(self._taken[0])

    async def read(
        self, address: int, *, address_delay: int = 0, hold: int = 0
    ) -> tuple[Response, int]:
        """Reads: the response, and the data."""
        for _ in range(1 + address_delay):
            await self._rising
        self._pin("araddr").value = address
        self._pin("arprot").value = 0
        self._pin("arvalid").value = 1
        await self._falling
        for _ in range(TIMEOUT_CYCLES):
            if self._level("arready", address):
                break
            await self._falling
        else:
            self._fail("is not accepted", address)
        await self._rising
        self._pin("arvalid").value = 0
        await self._answer("r", ("rresp", "rdata"), hold, address)
        return Response(self._taken[0]), self._taken[1]

    async def _answer(
        self, channel: str, payload: tuple[str, ...], hold: int, address: int
    ) -> None:
        """Takes a response; while it is held back it must stay as it is."""
        ready = self._pin(f"{channel}ready")
        ready.value = int(hold == 0)
        for _ in range(TIMEOUT_CYCLES):
            await self._falling
            if self._level(f"{channel}valid", address):
                break
        else:
            self._fail("is not answered", address)
        offered = [str(self._pin(name).value) for name in payload]
        for cycle in range(hold):
            await self._rising
            ready.value = int(cycle == hold - 1)
            await self._falling
            if not self._level(f"{channel}valid", address):
                self._fail(f"has {channel}valid withdrawn", address)
            if [str(self._pin(name).value) for name in payload] != offered:
                self._fail("has its answer changed while it waits", address)
        await self._rising
        ready.value = 0
        if set("".join(offered)) - {"0", "1"}:
            self._fail(f"is answered X: {offered}", address)
        self._taken = [int(bits, 2) for bits in offered]

    def _pin(self, name: str) -> Any:
        return getattr(self._dut, f"{self._prefix}_{name}")

    def _level(self, name: str, address: int) -> bool:
        level = str(self._pin(name).value)
        if level not in ("0", "1"):
            self._fail(f"meets {name} at {level}", address)
        return level == "1"

    def _fail(self, what: str, address: int) -> None:
        raise AxilError(f"{self._prefix}: the access of 0x{address:02X} {what}")
