"""Layers with all checks, or without any, and the time they take; runs inside the simulator."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cocotb

from conv_core.tb.inside.session import Session
from conv_core.tb.runs.job import JOB_VARIABLE, Job, LayerResult, read_pickle, write_pickle


class Unchecked(Session):
    """Takes the results for right as they come."""

    async def _conclude(
        self,
        index: int,
        running: Sequence[Any],
        trouble: str,
        model: int | None,  # noqa: ARG002  that of the session
    ) -> LayerResult:
        assert not trouble, trouble
        layer = running[index]
        cycles, _ = await self._pin_cycles(index, layer)
        assert self._data_of(layer, last=True).size >= layer.layout.beats
        return replace(self._failed(layer.case, ""), status="PASS", cycles=cycles, message="")


@cocotb.test()
async def layers_are_timed(dut: Any) -> None:
    """Writes (cycles, seconds of the process)."""
    job: Job = read_pickle(Path(os.environ[JOB_VARIABLE]))
    session = (Session if os.environ["CHECKED"] == "1" else Unchecked)(dut, job)
    assert not await session.begin()
    cycles = 0
    started = time.process_time()
    for case in job.cases:
        (result,) = await session.run_batch([case])
        assert result.passed, result.message
        assert result.cycles is not None
        cycles += result.cycles
    write_pickle(job.results_path, (cycles, time.process_time() - started))
