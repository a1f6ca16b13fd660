"""The cocotb test in which Hypothesis runs: it draws scenarios and plays each on the live core.

Hypothesis has a loop of its own, in a thread (`cocotb.task.bridge`), and the simulation goes on
only while that waits for a scenario (`cocotb.task.resume`). Each scenario starts from a reset, so
that a failing one shrinks undisturbed by those before it. tb/runs/exploration.py starts this.
"""

from __future__ import annotations

import contextlib
import os
import time
import warnings
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import cast

import cocotb
import hypothesis
import numpy as np
from cocotb.task import bridge, resume
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis.errors import Flaky, HypothesisSideeffectWarning, Unsatisfiable

from conv_core.tb.bench.bench import Cause
from conv_core.tb.bench.drivers import DriverError, Provoker, RecoveringDriver
from conv_core.tb.inside.session import Session, time_limit
from conv_core.tb.runs.job import JOB_VARIABLE, LayerResult, Progress, read_pickle, write_pickle
from conv_core.tb.runs.pieces import CutLayer, judge_all
from conv_core.tb.runs.scenario_job import Found, PlayJob, SearchJob
from conv_core.tb.stimuli.scenario import Disturbance, Scenario, scenarios
from conv_core.tb.stimuli.shrinking import smallest

LONGEST_SHRINK_LAYERS = 5000
"""a search that shrinks gives up behind so many layers"""
LONGEST_SEARCH = 200
"""draws after which a search gives up that has found no layer at all"""
SHRINK_SEEDS = 4
"""of the traffic of a smaller scenario: a fault that needs a stall in the right cycle, which moves
with each size, would else not be met again"""


@cocotb.test()
async def explore(dut: object) -> None:
    """Does what the environment names, a search or a single scenario, and writes what came out."""
    job: SearchJob | PlayJob = read_pickle(Path(os.environ[JOB_VARIABLE]))
    if isinstance(job, PlayJob):
        player = Player(dut, job.base)
        trouble = await player.begin()
        assert not trouble, trouble
        played = [await player.play(scenario) for scenario in job.scenarios]
        write_pickle(job.base.results_path, played)
    else:
        search = Search(dut, job)
        trouble = await search.player.begin()
        assert not trouble, trouble
        write_pickle(job.base.results_path, await bridge(search.run)())


class Player(Session):
    """A session that plays scenarios."""

    async def play(self, scenario: Scenario) -> list[LayerResult]:
        """What became of the layers, up to the first batch with a wrong one.

        A disturbance that is not answered as it must be is a failed layer, too.
        """
        await self.reset()
        self.traffic = scenario.traffic
        if scenario.disturbance is not None:
            trouble = await self._disturb(scenario.disturbance)
            if trouble:
                return [self._failed(scenario.disturbance.case, trouble)]
        layers = [CutLayer.of(case, self._driver) for case in scenario.layers]
        results: list[LayerResult] = []
        for batch in [layers] if scenario.queue else [[layer] for layer in layers]:
            pieces = [piece for layer in batch for piece in layer.pieces]
            results += judge_all(batch, await self.run_batch(pieces), self._driver)
            if not all(result.passed for result in results):
                break
        return results

    @property
    def provoker(self) -> Provoker | None:
        """What can go wrong with this core; None if it does not go on after errors."""
        return cast("Provoker", self._driver) if hasattr(self._driver, "recover") else None

    async def _stall(self, layer: str) -> None:  # noqa: ARG002
        """The same for all: a layer stalls as before when those in front of it are left out."""
        await super()._stall("")

    # ---------------------------------------------------------------- disturbances
    async def _disturb(self, disturbance: Disturbance) -> str:
        """Lets something go wrong; what the core does not answer as it must, else nothing."""
        try:
            if disturbance.kind == "reset":
                await self._reset_during(disturbance)
                return ""
            return await self._provoke(disturbance)
        except (DriverError, TimeoutError) as error:
            return str(error)

    async def _reset_during(self, disturbance: Disturbance) -> None:
        await self._offer(disturbance)
        await self._driver.start(disturbance.case.layer, arm=True)
        await self._bench.clock(1 + disturbance.amount)
        await self.reset()

    async def _provoke(self, disturbance: Disturbance) -> str:
        """Makes an error, and goes on as docs/driving-the-core.md says."""
        bench, driver = self._bench, cast("RecoveringDriver", self._driver)
        await self._offer(disturbance)
        if disturbance.kind in ("activations", "weights"):
            await driver.start(disturbance.case.layer, arm=True)
        else:
            await driver.start_wrong(disturbance.case.layer, {disturbance.kind: disturbance.amount})
        halted = False
        while not halted:
            causes = await bench.wait()
            if causes & Cause.IRQ:
                halted = (await driver.acknowledge()).error
            if causes & Cause.LIMIT:
                return f"no error is reported: {await driver.report()}"
            await self._serve(causes)
        while not self._all_accepted():
            if (causes := Cause(bench.read("host_causes"))) & Cause.LIMIT:
                return f"halted, the core does not take what is sent: {await driver.report()}"
            await self._serve(causes)
        error, said = await driver.error()
        self._layers_done = await driver.recover()
        expected = driver.expected_errors(disturbance.case, disturbance.kind, disturbance.amount)
        return "" if error in expected else f"{said}, expected {' or '.join(sorted(expected))}"

    async def _offer(self, disturbance: Disturbance) -> None:
        """Hands the packets to the sources, those of a wrong length as long as they shall be."""
        bench, driver, case = self._bench, self._driver, disturbance.case
        await bench.clear()
        await self._stall(case.name)
        for stream, source, packets in (
            ("activations", bench.act, driver.activation_packets(case)),
            ("weights", bench.wgt, driver.weight_packets(case)),
        ):
            if stream == disturbance.kind:
                size = packets[0].size + disturbance.amount
                packets = [np.resize(packet, size) for packet in packets]
            await source.job(packets)
            await source.fill()
        await bench.job("out", *driver.result_packet(case.layer))
        limit = driver.cycles_limit(case.layer)
        beats = max(bench.act.queued, bench.wgt.queued)
        bench.write("host_limit", time_limit([limit], beats, self.traffic.profile))
        bench.write("host_jobs_wanted", 0)
        bench.write("host_tick", 0)
        bench.write("host_irq_wanted", 1)

    async def _serve(self, causes: Cause) -> None:
        """Keeps the streams going for a few cycles."""
        await self._bench.serve(causes)
        await self._bench.clock(8)

    def _all_accepted(self) -> bool:
        bench = self._bench
        return all(
            bench.read(f"host_{stream}_beats") == source.queued
            for stream, source in (("act", bench.act), ("wgt", bench.wgt))
        )


class _WrongError(Exception):
    """A scenario that some layer of did not pass."""


class _Enough(BaseException):
    """Ends Hypothesis' loop; no `Exception`, which would be taken for a failing example."""


class Search:
    """Hypothesis around a player.

    Each scenario is drawn in a loop of its own, which begins with the simplest one and ends behind
    the next: in a longer one, five of six examples are mutations of each other, and rare layers
    come in clusters or not at all.
    """

    def __init__(self, dut: object, job: SearchJob) -> None:
        self.player = Player(dut, job.base, diagnoses=0)
        self._job = job
        self._found = Found()
        self._started = time.monotonic()
        self._skip_next = False
        """the next scenario is the simplest one, once more"""

    def run(self) -> Found:
        """Plays scenarios until enough layers were right, or one failed and has shrunk."""
        job, found = self._job, self._found

        @settings(
            max_examples=2,
            database=None,
            deadline=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
            verbosity=Verbosity.quiet,
            print_blob=False,
        )
        @given(scenarios(job.space, self.player.provoker, job.stalls))
        def attempt(scenario: Scenario) -> None:
            if self._skip_next:
                self._skip_next = False
                return
            self._attempt(scenario)
            if self._enough:
                raise _Enough

        try:
            with warnings.catch_warnings():
                # cocotb loads pytest, whose plugins Hypothesis then takes for starting up.
                warnings.simplefilter("ignore", HypothesisSideeffectWarning)
                for number in count():
                    self._skip_next = number > 0
                    words = np.random.SeedSequence([job.base.seed, number]).generate_state(2)
                    with contextlib.suppress(Unsatisfiable):  # nothing that this core can do
                        hypothesis.seed(int(words[0]) << 32 | int(words[1]))(attempt)()
                    if found.scenarios == 0 and number > LONGEST_SEARCH:
                        raise RuntimeError("no layer was found that this core can do")
        except (_WrongError, _Enough):
            pass
        except Flaky:
            found.repeatable = False
        if found.smallest is not None and found.repeatable:
            # What fails is noted in `found`.
            smallest(found.smallest, self._failing, job.space.cuts)
        found.seconds = time.monotonic() - self._started
        return found

    @property
    def _enough(self) -> bool:
        """Hypothesis need not go on: nothing was wrong, or what was shrinks no longer."""
        found = self._found
        if found.smallest is None:
            return found.layers >= self._job.layers
        return found.shrink_layers > LONGEST_SHRINK_LAYERS

    def _attempt(self, scenario: Scenario) -> None:
        for variant in self._variants(scenario):
            self._play(variant)

    def _failing(self, scenario: Scenario) -> Scenario | None:
        """The variant of a scenario that fails; None if none does."""
        try:
            self._attempt(scenario)
        except _WrongError:
            return self._found.smallest
        return None

    def _variants(self, scenario: Scenario) -> list[Scenario]:
        """The scenario; while it shrinks, in other traffic of the same profile, too."""
        traffic = scenario.traffic
        still = traffic.stall == "none" or self._found.smallest is None
        seeds = range(traffic.seed, traffic.seed + (1 if still else SHRINK_SEEDS))
        return [replace(scenario, traffic=replace(traffic, seed=seed)) for seed in seeds]

    def _play(self, scenario: Scenario) -> None:
        found = self._found
        results = resume(self.player.play)(scenario)
        layers = len(results) + (scenario.disturbance is not None)
        wrong = [result.message for result in results if not result.passed]
        if found.smallest is None:
            found.layers += layers
            found.scenarios += 1
            found.compared += sum(result.compared for result in results)
            found.seconds_to_first = time.monotonic() - self._started
            self.player.tell(Progress("searching", 0, 0, found.layers, self._job.layers))
        else:
            found.shrink_layers += layers
            self.player.tell(Progress("shrinking", 0, 0, found.layers, self._job.layers))
        if wrong:
            found.first = found.first or scenario
            found.smallest, found.messages = scenario, wrong
            raise _WrongError(scenario)
