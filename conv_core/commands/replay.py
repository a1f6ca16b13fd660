"""`replay`: a scenario that `regress` kept, once more. `waves`: the viewer on the last run."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from conv_core.commands.cores import Core
from conv_core.commands.last_run import last_run, remember
from conv_core.commands.simulating import Run, conclude, new_folder, write_view
from conv_core.tb.runs.exploration import play
from conv_core.tb.stimuli.scenario import ScenarioError, load
from conv_core.tb.waves.explain import EXPLAIN_SECONDS
from conv_core.tb.waves.view import FILE, LINK
from conv_core.tb.waves.viewers import WavesError, find_viewer, show


def replay(options: argparse.Namespace) -> int:
    """Plays the scenario of a folder; the exit status."""
    if not options.failure:
        raise ScenarioError("there is no folder: FAILURE= names one, as make regress printed it")
    failure = Path(options.failure)
    record = load(failure)
    print(record.scenario)
    folder = new_folder()
    started = time.perf_counter()
    results = play(record, explain=EXPLAIN_SECONDS, waves=options.waves, out_dir=folder)
    seconds = time.perf_counter() - started
    if options.waves:
        sources = None if record.rtl_sources is None else tuple(map(Path, record.rtl_sources))
        core = Core(record.dut, record.driver, sources)
        write_view(folder, core, record.config, (), results)
    words = ["replay", str(failure.resolve())]
    remember(folder, words)
    run = Run(results, seconds, words)
    return conclude("replay", run, len(results), waves=options.waves)


def show_waves(options: argparse.Namespace) -> int:
    """Opens a viewer; a run that kept no waves is repeated first, as far as it matters."""
    viewer = find_viewer()
    last = last_run()
    if last is None:
        raise WavesError("there was no run yet whose waves could be shown")
    if not (Path(last.folder) / FILE).exists():
        words, part = last.arguments, last.part
        print("the last run kept no waves, it is repeated with them", *part, flush=True)
        if options.repeat([*words, *part, "--waves"]) == 0 and part:
            print("on its own that layer is right: all of the run is repeated", flush=True)
            options.repeat([*words, "--waves"])
        last = last_run()
        assert last is not None
    show(viewer, Path(last.folder))
    print(f"for Surfer in a browser: {Path(last.folder) / LINK}")
    return 0
