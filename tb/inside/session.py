"""The cocotb test that runs a job: layers through the core, one after the other or queued.

It runs inside the simulator's process; tb/runs/layers.py starts it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cocotb

from conv_core.models.layer import LayerCase
from conv_core.tb.bench.bench import Bench, Cause
from conv_core.tb.bench.drivers import CoreDriver, DriverError, driver_named
from conv_core.tb.bench.seen import BUS
from conv_core.tb.checks.scoreboard import ResultFormat, judge
from conv_core.tb.inside.batch import (
    Running,
    broken_rules,
    data_of,
    left_over,
    pin_cycles,
    timed,
    traces,
)
from conv_core.tb.inside.hang import hang_report
from conv_core.tb.runs.job import (
    FAIL,
    JOB_VARIABLE,
    PASS,
    Job,
    LayerResult,
    Progress,
    read_pickle,
    write_pickle,
)
from conv_core.tb.stimuli.stalls import STREAMS, Profile, Traffic, stream_seeds

DRAIN_CYCLES = 64
"""how long to look out for beats too many behind a layer's last"""
FINAL_DRAIN_CYCLES = 1024
MAX_DIAGNOSES = 10
"""of wrong layers in one simulation; a diagnosis takes a while"""
TICK_CYCLES = 4096
"""how often progress is looked at, at most once in PROGRESS_SECONDS"""
PROGRESS_SECONDS = 0.1
KEEP_SECONDS = 1.0
COUNTERS_AT_ONCE = 8
"""layers whose counters are read together, sooner than the core forgets them; meanwhile the next
layers' descriptors come first, so that the core never waits for one"""


@cocotb.test()
async def run_job(dut: object) -> None:
    """Runs the job that the environment names and writes its results."""
    job: Job = read_pickle(Path(os.environ[JOB_VARIABLE]))
    session = Session(dut, job)
    write_pickle(job.results_path, await session.run())


def time_limit(expected: Sequence[int], input_beats: int, profile: Profile) -> int:
    """Cycles after which a batch counts as hung: generous, since only hangs should meet it.

    `expected` are the cycles of each layer, to its last result, while nobody stalls; `input_beats`
    those of the longer input stream, which may go on behind that.
    """
    start = 4_000 + 4 * profile.longest_hold
    busy = max(sum(expected), input_beats)
    return start + int(4 * profile.slowdown * busy) + 2_000 * len(expected)


class Session:
    """A simulation in progress."""

    def __init__(self, dut: object, job: Job, *, diagnoses: int = MAX_DIAGNOSES) -> None:
        self._job = job
        self._bench = Bench(dut, job.config, job.rules_off)
        self._driver = self._new_driver()
        self.traffic = Traffic(job.stall, job.seed)
        """of the batches that follow"""
        self._batch = 0
        """number of the batch to come"""
        self._profile = self.traffic.profile
        """of the batch at hand"""
        self._results: list[LayerResult] = []
        self._last_progress = 0.0
        self._last_kept = 0.0
        self._layers_done = 0
        self._acknowledged = False
        """an interrupt of this batch was answered"""
        self._previous: LayerCase | None = None
        """the layer judged last"""
        self._diagnoses_left = diagnoses

    def _new_driver(self) -> CoreDriver:
        """The driver of a core that was just reset."""
        return driver_named(self._job.driver)(self._bench, self._job.config)

    async def run(self) -> list[LayerResult]:
        """All layers of the job."""
        trouble = await self.begin()
        if trouble:
            return [self._failed(case, trouble) for case in self._job.cases]
        cases = self._job.cases
        end = 0
        for size in self._job.batches:
            batch = cases[end : end + size]
            end += size
            last = end == len(cases)
            results = await self.run_batch(batch, final=last)
            self._results += results
            self._keep_results()
            if not all(result.passed for result in results) and not last:
                await self.reset()
        return self._results

    def _keep_results(self) -> None:
        """Writes what there is so far, for a run that is interrupted."""
        now = time.monotonic()
        if now - self._last_kept >= KEEP_SECONDS:
            self._last_kept = now
            write_pickle(self._job.results_path, self._results)

    async def begin(self) -> str:
        """Resets the core and looks whether it is the one that was asked for; what is wrong."""
        await self._bench.reset()
        problem = ""
        try:
            await self._driver.identify()
        except (DriverError, TimeoutError) as error:
            problem = str(error)
        return self._with_broken_rules(problem)

    async def reset(self) -> None:
        """Resets the core, whatever it does."""
        await self._bench.reset()
        self._driver = self._new_driver()
        self._layers_done = 0

    # ---------------------------------------------------------------- one batch
    async def run_batch(
        self, cases: Sequence[LayerCase], *, final: bool = False
    ) -> list[LayerResult]:
        """Layers that are queued behind each other; a single one is a batch too.

        Behind a batch that fails the core needs a `reset`.
        """
        started = time.perf_counter()
        try:
            results = await self._run_batch(cases, final=final)
        except (DriverError, TimeoutError) as error:
            problem = self._with_broken_rules(str(error))
            results = [self._failed(case, problem) for case in cases]
        share = (time.perf_counter() - started) / len(cases)
        self._layers_done += len(cases)
        return [replace(result, wall_s=round(share, 4)) for result in results]

    async def _run_batch(self, cases: Sequence[LayerCase], *, final: bool) -> list[LayerResult]:
        bench, driver = self._bench, self._driver
        layers = [case.layer for case in cases]
        models = driver.cycles_model(layers)
        expected = models or [driver.cycles_limit(each) for each in layers]
        await bench.clear()
        await self._stall(cases[0].name)
        running = await self._stage(cases)
        bench.write("host_jobs_wanted", len(cases))
        bench.write("host_drain", FINAL_DRAIN_CYCLES if final else DRAIN_CYCLES)
        beats = max(bench.act.queued, bench.wgt.queued)
        bench.write("host_limit", time_limit(expected, beats, self._profile))
        bench.write("host_tick", TICK_CYCLES)
        bench.write("host_irq_wanted", int(len(cases) > 1))

        self._acknowledged = False
        started = 1
        await driver.start(layers[0], arm=True)
        started += await self._queue(running[started:])
        trouble = ""
        while not trouble:
            causes = await bench.wait()
            await bench.serve(causes)
            if causes & Cause.TICK:
                self._tell_progress(running)
                bench.flip("host_tick_flip")
            if causes & Cause.IRQ and not causes & Cause.COMPLETE:
                started += await self._queue(running[started:])
                trouble, _ = await self._interrupt(running)
            if causes & Cause.COMPLETE:
                break
            if causes & Cause.LIMIT:
                beats = sum(layer.layout.beats for layer in running)
                trouble = await hang_report(bench, beats, self._profile)
                trouble += f"\n  core: {await driver.report()}"
                await bench.try_results()
            await bench.clock(2)
        if not trouble:
            trouble, done = await self._interrupt(running, last=True)
            if not trouble and done - self._layers_done != len(running):
                trouble = (
                    f"all results came, but the core counts {done - self._layers_done} layers done "
                    f"instead of {len(running)}"
                )
        await bench.take_results(everything=True)
        return [
            await self._conclude(i, running, trouble, models[i] if models else None)
            for i in range(len(running))
        ]

    async def _stall(self, layer: str) -> None:
        """Begins the traffic of a batch that begins with this layer."""
        self._profile, seeds = self.traffic.profile, stream_seeds(self.traffic.seed, layer)
        if self._job.recording is not None:
            run = self._job.recording.runs[self._batch]
            self._profile, seeds = run.profile, {**seeds, BUS: run.bus_seed}
        self._batch += 1
        await self._bench.stall(self._profile, seeds)

    async def _stage(self, cases: Sequence[LayerCase]) -> list[Running]:
        """Hands all packets to the sources and tells the monitors what to expect."""
        bench, driver = self._bench, self._driver
        running = []
        beats = 0
        for case in cases:
            await bench.act.job(driver.activation_packets(case))
            await bench.wgt.job(driver.weight_packets(case))
            await bench.job("out", *driver.result_packet(case.layer))
            layout = ResultFormat(case.layer, bench.config.out_stream_bytes)
            running.append(Running(case, layout, beats))
            beats += layout.beats
        await bench.act.fill()
        await bench.wgt.fill()
        return running

    async def _queue(self, waiting: Sequence[Running]) -> int:
        """Hands layers to the core as long as it takes them; how many it took."""
        taken = 0
        for layer in waiting:
            if await self._driver.queue_full():
                break
            before = self._bench.read("host_cycle")
            await self._driver.start(layer.case.layer, arm=False)
            layer.queued = (before, self._bench.read("host_cycle"))
            taken += 1
        return taken

    async def _interrupt(
        self, running: Sequence[Running], *, last: bool = False
    ) -> tuple[str, int]:
        """Answers an interrupt: (what is wrong, LAYERS_DONE). The `last` reads all counters."""
        answer = await self._driver.acknowledge()
        done = answer.layers_done
        finished = [
            (number, layer)
            for number, layer in enumerate(running, self._layers_done + 1)
            if number <= done and layer.counters is None
        ]
        if last or len(finished) >= COUNTERS_AT_ONCE:
            for number, layer in finished:
                layer.counters = await self._driver.counters(number)
        if answer.error:
            return f"the core reports an error: {await self._driver.report()}", done
        if answer.layer_done:
            self._acknowledged = True
            return "", done
        if not self._acknowledged:
            return "all results came, but the core does not say that the layer is done", done
        return "", done

    # ---------------------------------------------------------------- verdict
    async def _conclude(
        self, index: int, running: Sequence[Running], trouble: str, model: int | None
    ) -> LayerResult:
        bench, job = self._bench, self._job
        layer = running[index]
        case, layout = layer.case, layer.layout
        last = index == len(running) - 1
        data = data_of(bench, layer, last=last)
        finished = bench.results_taken() > index
        problems = [] if finished and not last else [trouble] if trouble else []
        problems += broken_rules(bench, index, running)
        if last:
            problems += left_over(bench)

        # The record of a stream stands when the last of the layer's packets has passed.
        passed = all(bench.read(f"host_{stream}_jobs") > index for stream in STREAMS)
        cycles, held = await pin_cycles(bench, index, layer) if passed else (None, 0)
        if cycles is not None and layer.cycles is not None and layer.cycles != cycles:
            problems.append(
                f"CYCLES reads {layer.cycles}, but the monitor at the pins counted {cycles}"
            )
        verdict = judge(
            case,
            data,
            layout.beat_bytes,
            other_problems=problems,
            config=job.config if self._diagnoses_left else None,
            previous=self._previous,
        )
        self._previous = case
        self._diagnoses_left -= bool(verdict.diagnosis)
        verdict, first_wrong_ns = await timed(bench, verdict, layer)
        text = verdict.text()
        return LayerResult(
            name=case.name,
            status=FAIL if text else PASS,
            macs=case.layer.macs,
            cycles=cycles,
            cycles_limit=self._driver.cycles_limit(case.layer),
            cycles_model=model,
            pieces=1,
            mismatches=verdict.wrong,
            simulator=job.simulator,
            array=job.config.array,
            seed=job.seed,
            message=f"layer {case.name}: {text}" if text else "",
            held=held,
            compared=verdict.compared,
            counters=layer.counters or {},
            first_wrong_ns=first_wrong_ns,
            wrong_beat_ns=verdict.wrong_beat_ns,
            values=verdict.values,
            traces=await traces(bench, index) if job.trace and finished else {},
        )

    # ---------------------------------------------------------------- the rest
    def _failed(self, case: LayerCase, problem: str) -> LayerResult:
        """A layer that did not get as far as a verdict."""
        config = self._job.config
        return LayerResult(
            name=case.name,
            status=FAIL,
            macs=case.layer.macs,
            cycles_limit=self._driver.cycles_limit(case.layer),
            pieces=1,
            simulator=self._job.simulator,
            array=config.array,
            seed=self._job.seed,
            message=f"layer {case.name}: {problem}",
        )

    def _with_broken_rules(self, problem: str) -> str:
        """A problem that ends a batch, and all rules that were broken before."""
        return "\n".join(filter(None, [problem, *map(str, self._bench.broken())]))

    def _tell_progress(self, running: Sequence[Running]) -> None:
        if not self._job.cases:
            return
        beats = self._bench.read("host_out_beats")
        current = next((r for r in running if beats < r.beats_before + r.layout.beats), running[-1])
        self.tell(
            Progress(
                name=current.case.name,
                beats=beats - current.beats_before,
                beats_expected=current.layout.beats,
                layers_done=len(self._results) + running.index(current),
                layers=len(self._job.cases),
            )
        )

    def tell(self, progress: Progress) -> None:
        """Tells whoever waits how far this is, but not too often."""
        now = time.monotonic()
        if now - self._last_progress >= PROGRESS_SECONDS:
            self._last_progress = now
            write_pickle(self._job.progress_path, progress)
