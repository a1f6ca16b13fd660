"""The cocotb test that runs a network: each layer on the core, on what came out of those before it.

The rest of the network is computed here between the layers. tb/runs/network.py starts this.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cocotb

from conv_core.models.layer import LayerCase
from conv_core.models.network.execution import Request, run
from conv_core.models.network.lowering import on_core
from conv_core.tb.inside.session import Session
from conv_core.tb.runs.job import JOB_VARIABLE, LayerResult, Progress, read_pickle, write_pickle
from conv_core.tb.runs.layers import MAX_BATCH
from conv_core.tb.runs.network_job import NetworkJob, NetworkRun, RanLayer
from conv_core.tb.runs.pieces import CutLayer


@cocotb.test()
async def run_network(dut: object) -> None:
    """Runs the network that the environment names and writes what came out."""
    job: NetworkJob = read_pickle(Path(os.environ[JOB_VARIABLE]))
    session = NetworkSession(dut, job.base)
    write_pickle(job.base.results_path, await session.run_network(job))


class NetworkSession(Session):
    """A session that runs layers as a network asks for them."""

    async def run_network(self, job: NetworkJob) -> NetworkRun:
        """All frames, or those before a layer that has no complete result."""
        trouble = await self.begin()
        done = NetworkRun()
        layers = sum(on_core(job.graph, each) for each in job.graph.operators) * len(job.frames)
        steps = run(job.graph, job.frames, done.frames)
        request = next(steps, None)
        while request is not None:
            self.tell(Progress(request.case.name, 0, 0, len(done.layers), layers))
            result = self._failed(request.case, trouble) if trouble else await self._ask(request)
            values, result = result.values, replace(result, values=None)
            done.layers.append(
                RanLayer(request.frame, request.operator.number, request.case.layer, result)
            )
            if values is None:
                return done
            try:
                request = steps.send(values)
            except StopIteration:
                request = None
        done.complete = True
        return done

    async def _ask(self, request: Request) -> LayerResult:
        """The layer's result, with what came out of the core."""
        layer = CutLayer.of(request.case, self._driver)
        results: list[LayerResult] = []
        for start in range(0, len(layer.pieces), MAX_BATCH):
            batch = await self._run_pieces(layer.pieces[start : start + MAX_BATCH])
            results += batch
        return layer.judge(results, self._driver)

    async def _run_pieces(self, cases: Sequence[LayerCase]) -> list[LayerResult]:
        results = await self.run_batch(cases)
        if not all(result.passed for result in results):
            await self.reset()
        return results
