"""`network`: a whole quantised network through the RTL, chained, and compared with its runtime."""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from conv_core.commands import screen
from conv_core.commands.last_run import remember
from conv_core.commands.options import config_of, new_seed, seed_of, words_of
from conv_core.commands.results import SUMMARY, check_replaced
from conv_core.commands.simulating import new_folder
from conv_core.models.core_config import CoreConfig
from conv_core.models.files import write_whole
from conv_core.models.network.files import check_network, frames_of, random_frames, read_network
from conv_core.models.network.graph import Array, Graph, NetworkError
from conv_core.models.plan.clocks import PAGE, placed
from conv_core.tb.runs.job import Progress
from conv_core.tb.runs.network import NetworkResult, OperatorResult, run_network
from conv_core.tb.runs.tools import find_simulator

COLUMNS = (">", "operator", "shape", ">MACs", ">cycles", ">utilisation", ">differ", "")
RANDOM = "random"


def network(options: argparse.Namespace) -> int:
    """Runs it, shows each operator, and writes the answers; the exit status."""
    if not options.model:
        raise NetworkError("there is no network: name a .tflite or .onnx file, MODEL=x.tflite")
    config = config_of(options)
    find_simulator(options.sim)
    path, out = Path(options.model), Path(options.out)
    graph = read_network(path)
    check_network(graph, config)
    given = seed_of(options)
    seed = new_seed() if given is None else given
    frames = frames_of(graph, _input(graph, options, seed))
    targets = (out / f"{path.stem}.npz", out / SUMMARY)
    check_replaced(targets, _is_ours)
    folder = new_folder()
    started = time.perf_counter()
    with screen.progress_bar("building the simulation, or looking for it") as advance:

        def progress(step: Progress) -> None:
            advance(f"layer {step.name}", step.layers_done, step.layers)

        result = run_network(
            graph,
            frames,
            config,
            options.sim,
            model=path.read_bytes(),
            stall=options.stall,
            seed=seed,
            waves=options.waves,
            jobs=options.jobs,
            out_dir=folder,
            on_progress=progress,
        )
    seconds = time.perf_counter() - started
    remember(folder, [*_words(path, out, options), "--seed", str(seed), *words_of(options)])
    _write(targets, graph, result, options.sim, config, seed, seconds)
    _show(result, f"{path.name}, {config.array} lanes, {options.sim}, results in {out}")
    if options.compass:
        _show_compass(path, graph, frames)
    for message in _messages(result):
        print(message, file=sys.stderr)
    print(_last_line(result, config, seconds))
    return 0 if result.passed else 1


def _words(path: Path, out: Path, options: argparse.Namespace) -> list[str]:
    """The words that repeat the command from any folder, without --waves."""
    given = options.input
    words = ["network", str(path.resolve()), "--out", str(out.resolve())]
    words += ["--input", given if given == RANDOM else str(Path(given).resolve())]
    words += ["--frames", str(options.frames), "--jobs", str(options.jobs)]
    return [*words, "--stall", options.stall]


def _input(graph: Graph, options: argparse.Namespace, seed: int) -> Array:
    if options.input == RANDOM:
        print(f"seed {seed}")
        return random_frames(graph, np.random.default_rng(seed), options.frames)
    path = Path(options.input)
    try:
        given = np.load(path, allow_pickle=False)
    except (ValueError, EOFError):
        raise NetworkError(
            f"{path}: this is not an .npy file; INPUT is one, or the word {RANDOM}"
        ) from None
    if not isinstance(given, np.ndarray):
        raise NetworkError(f"{path}: an .npz file has many arrays; the input is a single .npy file")
    return given


def _is_ours(path: Path) -> bool:
    try:
        if path.name == SUMMARY:
            return "operators" in json.loads(path.read_text())
        with np.load(path, allow_pickle=False) as stored:
            return set(stored.files) <= {"y", *(f"y{i}" for i in range(len(stored.files)))}
    except (OSError, ValueError, EOFError, AttributeError):
        return False


def _write(
    targets: tuple[Path, ...],
    graph: Graph,
    result: NetworkResult,
    simulator: str,
    config: CoreConfig,
    seed: int,
    seconds: float,
) -> None:
    answers, summary = targets
    answers.parent.mkdir(parents=True, exist_ok=True)
    names = ["y"] if len(result.outputs) == 1 else [f"y{i}" for i in range(len(result.outputs))]
    buffer = io.BytesIO()
    np.savez(buffer, **dict(zip(names, result.outputs, strict=True)))  # type: ignore[arg-type]
    write_whole(answers, buffer.getvalue())
    entries = {
        "name": graph.name,
        "status": "PASS" if result.passed else "FAIL",
        "frames": len(result.outputs[0]),
        "macs": result.macs,
        "cycles": result.cycles,
        "runtime": result.runtime,
        "compared": result.compared,
        "simulator": simulator,
        "array": config.array,
        "seed": seed,
        "wall_s": round(seconds, 3),
        "operators": [_entry(each) for each in result.operators],
    }
    write_whole(summary, json.dumps(entries, indent=1) + "\n")


def _entry(each: OperatorResult) -> dict[str, object]:
    first = each.layers[0] if each.layers else None
    return {
        "number": each.operator.number,
        "kind": each.operator.kind,
        "shape": list(each.shape),
        "macs": None if each.layer is None else each.layer.macs,
        "cycles": each.cycles,
        "cycles_model": None if first is None else first.cycles_model,
        "cycles_limit": None if first is None else first.cycles_limit,
        "utilisation": None if first is None else first.utilisation,
        "pieces": None if first is None else first.pieces,
        "rounding": None if each.layer is None else each.layer.rounding,
        "mismatches": sum(layer.mismatches for layer in each.layers),
        "compared": each.values,
        "differ": each.differ,
    }


def _show(result: NetworkResult, title: str) -> None:
    rows = []
    for each in result.operators:
        first = each.layers[0] if each.layers else None
        shape = str(each.shape) if each.layer is None else str(each.layer)
        differ = f"{each.differ:,} of {each.values:,}" if each.values else "-"
        verdict = "in the next" if each.folded else "FAIL" if each.wrong else "equal"
        if verdict == "equal" and not each.values:
            verdict = "-"
        rows.append(
            (
                str(each.operator.number),
                each.operator.kind,
                shape,
                screen.number(each.layer.macs if each.layer else None),
                screen.number(each.cycles),
                screen.percent(None if first is None else first.utilisation),
                differ,
                verdict,
            )
        )
    screen.table(title, COLUMNS, rows)


def _show_compass(path: Path, graph: Graph, frames: Sequence[Mapping[int, Array]]) -> None:
    """Which rules give each runtime's results, operator by operator."""
    # Only those who ask need ONNX, and the runtimes.
    from conv_core.models.network import compass
    from conv_core.models.network.tflite_operators import Network

    inputs = [[frame[tensor] for tensor in graph.inputs] for frame in frames]
    print(compass.table(compass.survey(Network.read(path), inputs)))


def _messages(result: NetworkResult) -> list[str]:
    """What is wrong, in the network's order."""
    said = []
    for each in result.operators:
        said += [layer.message for layer in each.layers if not layer.passed]
        if each.differ:
            said.append(
                f"operator {each.operator.number}, {each.operator.kind}: {each.differ} of "
                f"{each.values} values differ from {result.runtime}"
            )
    return said


def _last_line(result: NetworkResult, config: CoreConfig, seconds: float) -> str:
    done = len(result.outputs[0])
    frames = "1 frame" if done == 1 else f"{done} frames"
    if not result.complete:
        answers = f"{done} of {result.frames} frames came to their end"
    elif not result.compared:
        answers = f"answers not compared ({result.runtime})"
    else:
        wrong = sum(each.wrong for each in result.operators)
        same = "equal to" if not wrong else f"{wrong} operators wrong, against"
        answers = f"{frames}, {same} {result.runtime}"
    verdict = "PASS" if result.passed else "FAIL"
    rate = ""
    if PAGE.exists() and result.cycles:
        array, mhz = clock_of(config.array)
        rate = (
            f", {1e6 * mhz / result.cycles:,.0f} frames a second at {mhz} MHz "
            f"(docs/synthesis.md, {array})"
        )
    return f"{verdict}: {answers}; {result.cycles:,} cycles a frame{rate}; {seconds:.1f} s in all"


def clock_of(array: str) -> tuple[str, float]:
    """An array that has been placed and routed, and its clock in MHz.

    It is the largest of those if the one that is asked for has not been.
    """
    clocks = placed()
    found = array if array in clocks else max(clocks, key=_lanes)
    return found, clocks[found]


def _lanes(array: str) -> int:
    one, _, other = array.partition("x")
    return int(one) * int(other)
