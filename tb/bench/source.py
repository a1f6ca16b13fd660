"""Feeds one stream of the bench with packets, as room comes free."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from conv_core.models.packing import Bytes
from conv_core.tb.bench.parameters import RING_BEATS, chunk_beats

if TYPE_CHECKING:
    from conv_core.tb.bench.bench import Bench


class Source:
    """Feeds one stream_source: packets are queued here and written as room comes free."""

    def __init__(self, bench: Bench, stream: str, stream_bytes: int) -> None:
        self._bench = bench
        self._stream = stream
        self._beat_bytes = stream_bytes
        self._chunk_bytes = stream_bytes * chunk_beats(stream_bytes)
        self._pending: list[Bytes] = []
        self._written = 0
        self.queued = 0
        """beats queued since the bench was cleared"""

    def reset(self) -> None:
        """Forgets everything, as the Verilog side does on `host_clear`."""
        self._pending.clear()
        self._written = 0
        self.queued = 0

    async def job(self, packets: Sequence[Bytes]) -> None:
        """Queues the packets of a layer, all of one length."""
        await self._bench.job(self._stream, packets[0].size, len(packets))
        for packet in packets:
            beats = -(-packet.size // self._beat_bytes)
            padded = np.zeros(beats * self._beat_bytes, np.uint8)
            padded[: packet.size] = packet
            self._pending.append(padded)
            self.queued += beats
        self._pending = [np.concatenate(self._pending)]

    async def fill(self) -> None:
        """Writes as much as the ring has room for."""
        bench, stream = self._bench, self._stream
        accepted = bench.read(f"host_{stream}_offered") if self._written else 0
        room = (RING_BEATS - (self._written - accepted)) * self._beat_bytes
        data = self._pending[0] if self._pending else np.zeros(0, np.uint8)
        start = 0
        while start < data.size and room >= self._chunk_bytes:
            piece = data[start : start + self._chunk_bytes]
            bench.write(f"host_{stream}_fill_data", int.from_bytes(piece.tobytes(), "little"))
            bench.write(f"host_{stream}_fill_beats", piece.size // self._beat_bytes)
            bench.flip(f"host_{stream}_fill_flip")
            start += piece.size
            room -= piece.size
            self._written += piece.size // self._beat_bytes
            bench.write(f"host_{stream}_more", int(start < data.size))
            await bench.clock()
        self._pending = [data[start:]] if start < data.size else []
