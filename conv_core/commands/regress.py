"""`regress`: random layers in random traffic, seed by seed, each in a simulation of its own."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from conv_core.commands import screen
from conv_core.commands.cores import Core, core_of
from conv_core.commands.endings import INTERRUPTED
from conv_core.commands.options import config_of, given_parameters, new_seed, seed_of
from conv_core.models.core_config import CoreConfig
from conv_core.models.files import write_whole
from conv_core.pages.outcomes import Outcome, keep
from conv_core.tb.runs import processes
from conv_core.tb.runs.builds import build, core_design
from conv_core.tb.runs.exploration import Exploration, explore
from conv_core.tb.runs.job import Progress
from conv_core.tb.runs.tools import find_simulator
from conv_core.tb.stimuli.cores import core_of_seed
from conv_core.tb.waves.cut import svg


def regress(options: argparse.Namespace) -> int:
    """Explores with each seed, `jobs` of them side by side; the exit status."""
    find_simulator(options.sim)
    if options.junit is not None and not Path(options.junit).resolve().parent.is_dir():
        raise FileNotFoundError(2, "there is no such folder", str(Path(options.junit).parent))
    given = seed_of(options)
    first = new_seed() if given is None else given
    seeds = range(first, first + options.seeds)
    core, given_sizes = core_of(options), given_parameters(options)
    if core.is_ours:
        configs = {seed: core_of_seed(options.array, seed, given_sizes) for seed in seeds}
    else:
        configs = dict.fromkeys(seeds, config_of(options))
    many = f"seeds {first} to {seeds[-1]}" if len(seeds) > 1 else f"seed {first}"
    print(many, flush=True)
    started = time.perf_counter()
    with screen.progress_bar("building the simulations, or looking for them") as advance:
        for config in dict.fromkeys(configs.values()):
            build(core_design(config, core.rtl_sources, core.dut), options.sim)
        search = _Search(options, core, configs, advance)
        interrupted = search.run()
    seconds = time.perf_counter() - started
    done = [search.done[seed] for seed in seeds if seed in search.done]
    if options.junit is not None:
        write_whole(Path(options.junit), junit(done, seconds))
    wrong = sum(not each.passed for each in done)
    layers = sum(each.found.layers for each in done)
    verdict = "INTERRUPTED" if interrupted else "FAIL" if wrong else "PASS"
    counted = f"{len(done)} of {len(seeds)} seeds" if interrupted else f"{len(seeds)} seeds"
    keep(Outcome("regress", verdict, seconds, sys.argv[1:], [_row(each) for each in done]))
    print(
        f"{verdict}: {layers} layers of {counted}, {wrong} seeds with a wrong one, "
        f"{seconds:.0f} s in all, {60 * layers / seconds:.0f} layers a minute"
    )
    return INTERRUPTED if interrupted else int(wrong > 0)


def _row(each: Exploration) -> dict[str, Any]:
    """What the report shows of a seed."""
    found = each.found
    return {
        "seed": each.seed,
        "name": f"seed {each.seed}",
        "status": "PASS" if each.passed else "FAIL",
        "array": each.config.array,
        "simulator": each.simulator,
        "layers": found.layers,
        "scenarios": found.scenarios,
        "values": found.compared,
        "a_minute": round(each.layers_a_minute) if found.layers else 0,
        "message": "" if each.passed else str(each),
        "cut": next((svg(r.cut) for r in each.replayed if r.cut is not None), ""),
        "command": "" if each.folder is None else f"make replay FAILURE={each.folder} WAVES=1",
    }


@dataclass
class _Search:
    """The seeds on their way."""

    options: argparse.Namespace
    core: Core
    configs: dict[int, CoreConfig]
    advance: screen.Advance

    def __post_init__(self) -> None:
        self.done: dict[int, Exploration] = {}
        self._layers = dict.fromkeys(self.configs, 0)

    def run(self) -> bool:
        """Explores, and prints what comes of each seed; was it interrupted?"""
        pool = ThreadPoolExecutor(self.options.jobs)
        futures = {pool.submit(self._explore, seed): seed for seed in self.configs}
        try:
            self._collect(futures)
        except KeyboardInterrupt:
            processes.stop_all()
            return True
        except BaseException:
            processes.stop_all()
            raise
        finally:
            pool.shutdown(cancel_futures=True)
        return False

    def _collect(self, futures: dict[Future[Exploration], int]) -> None:
        for future in as_completed(futures):
            self.done[futures[future]] = future.result()
            print(future.result(), flush=True)

    def _explore(self, seed: int) -> Exploration:
        def progress(step: Progress) -> None:
            self._layers[seed] = step.layers_done
            total = self.options.layers * len(self._layers)
            self.advance(f"seed {seed}: {step.name}", sum(self._layers.values()), total)

        options = self.options
        return explore(
            self.configs[seed],
            options.sim,
            options.layers,
            seed,
            on_progress=progress,
            **self.core.arguments(),
        )


def junit(explorations: Sequence[Exploration], seconds: float) -> bytes:
    """The outcome in the form of JUnit, which CI servers read: a seed is a test case."""
    suite = ElementTree.Element(
        "testsuite",
        name="regress",
        tests=str(len(explorations)),
        failures=str(sum(not each.passed for each in explorations)),
        time=f"{seconds:.3f}",
    )
    for each in explorations:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=f"regress.{each.simulator}.{each.config.array}",
            name=f"seed {each.seed}",
            time=f"{each.found.seconds:.3f}",
        )
        if each.passed:
            ElementTree.SubElement(case, "system-out").text = str(each)
        else:
            first = each.found.messages[0].splitlines()[0] if each.found.messages else "wrong"
            ElementTree.SubElement(case, "failure", message=first).text = str(each)
    text: bytes = ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True)
    return text
