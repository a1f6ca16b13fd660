"""`run`: layer files through the RTL. What can't be read or run is refused, the others run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from conv_core.commands import results as result_folder
from conv_core.commands import screen
from conv_core.commands.cores import core_of
from conv_core.commands.options import seed_of
from conv_core.commands.simulating import Run, check, conclude, simulate
from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import LayerCase, LayerError
from conv_core.models.layer_files import LayerFileError, read_quantised
from conv_core.models.quantisation import Quantisation
from conv_core.tb.bench.drivers import Planner, planner_named
from conv_core.tb.runs.job import REFUSED, LayerResult
from conv_core.tb.runs.pieces import CutLayer

COLUMNS = ("layer", "shapes", ">pieces", ">cycles", ">limit", ">efficiency", ">wall time", "")
USUAL_SEED = 1


@dataclass(frozen=True)
class LayerFile:
    """A file that was asked for: the layer in it, or the sentence that refuses it."""

    path: Path
    case: LayerCase | None = None
    scales: Quantisation | None = None
    """of a layer that is given in floating point"""
    refusal: str = ""

    @property
    def name(self) -> str:
        return self.path.stem


def run(options: argparse.Namespace) -> int:
    """Runs them, and writes results; the exit status."""
    if not options.layers:
        raise LayerFileError('there is no layer: name .npz files or folders, LAYER="a.npz dir/"')
    config = check(options)
    paths, files = _find(options.layers)
    out = Path(options.out)
    result_folder.check(out, paths)
    planner = planner_named(core_of(options).driver, config)
    files += [_read(path, planner) for path in paths if options.only in (None, path.stem)]
    given = seed_of(options)
    seed = USUAL_SEED if given is None else given
    cases = [file.case for file in files if file.case is not None]
    outcome = Run([], 0.0, ["run"])
    if cases:
        layers = [str(Path(layer).resolve()) for layer in options.layers]
        words = ["run", *layers, "--out", str(out.resolve())]
        outcome = simulate(cases, options, seed, words)
    results = _all_results(files, outcome, options, config, seed)
    said = result_folder.write(out, results) if options.only is None else []
    _show(files, results, f"{config.array} lanes, {options.sim}, results in {out}")
    for sentence in said:
        print(sentence, file=sys.stderr)
    run_of_all = replace(outcome, results=results)
    return conclude("run", run_of_all, len(files), rules=options.rules, waves=options.waves)


def _find(layers: Sequence[str]) -> tuple[list[Path], list[LayerFile]]:
    """The layer files that are meant, a folder standing for all in it; and what is not there."""
    found: list[Path] = []
    refused: list[LayerFile] = []
    for path in map(Path, layers):
        inside = sorted(path.glob("*.npz")) if path.is_dir() else [path]
        if not inside:
            sentence = f"{path}: there is no .npz file in this folder"
            refused.append(LayerFile(path, refusal=sentence))
        for file in inside:
            same = next((other for other in found if other.stem == file.stem), None)
            if not file.exists():
                refused.append(LayerFile(file, refusal=f"{file}: there is no such file"))
            elif same is None:
                found.append(file)
            elif same.resolve() != file.resolve():
                raise LayerFileError(
                    f"{file}: {same} has the same name, and so would their results; rename one"
                )
    return found, refused


def _read(path: Path, planner: Planner) -> LayerFile:
    """The layer of a file, if the core can compute it."""
    try:
        case, scales = read_quantised(path)
        CutLayer.of(case, planner)
    except LayerFileError as error:
        return LayerFile(path, refusal=str(error))
    except LayerError as error:
        return LayerFile(path, refusal=f"{path}: {error}")
    except OSError as error:
        return LayerFile(path, refusal=f"{path}: {error.strerror}")
    return LayerFile(path, case, scales)


def _all_results(
    files: Sequence[LayerFile],
    outcome: Run,
    options: argparse.Namespace,
    config: CoreConfig,
    seed: int,
) -> list[LayerResult]:
    """A result for each file, in their order; of an interrupted run, those that there are."""
    came = iter(outcome.results)
    results = []
    for file in files:
        if file.case is None:
            refused = LayerResult(
                name=file.name,
                status=REFUSED,
                simulator=options.sim,
                array=config.array,
                seed=seed,
                message=f"refused: {file.refusal}",
            )
            results.append(refused)
        elif (result := next(came, None)) is not None:
            results.append(result)
    return results


def _show(files: Sequence[LayerFile], results: Sequence[LayerResult], title: str) -> None:
    layers = {file.name: file for file in files}
    rows = []
    for result in results:
        case = layers[result.name].case
        rows.append(
            (
                result.name,
                "-" if case is None else str(case.layer),
                screen.number(result.pieces),
                screen.number(result.cycles),
                screen.number(result.cycles_limit),
                screen.percent(result.efficiency),
                "-" if result.wall_s is None else f"{result.wall_s:.1f} s",
                result.status,
            )
        )
    screen.table(title, COLUMNS, rows)
    for result in results:
        scales = layers[result.name].scales
        if scales is not None:
            print(f"{result.name}: quantised, {scales}")
            if result.values is not None:
                print(f"{result.name}: {scales.error(result.values)}")
