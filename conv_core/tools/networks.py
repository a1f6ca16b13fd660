"""Two networks through the RTL, all their convolutions back to back: `make networks`.

Writes docs/networks.md. What is measured is kept below build/ as long as RTL and bench stay as they
are, so that a run that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from conv_core.commands import endings
from conv_core.models.core_config import CoreConfig
from conv_core.models.cycles import cycles_limit, queue_model
from conv_core.models.files import write_whole
from conv_core.models.layer import Layer
from conv_core.models.networks import CLASSIFIER, NETWORKS
from conv_core.models.tiling import plan
from conv_core.pages.outcomes import Outcome, keep
from conv_core.tb.paths import BUILD, ROOT
from conv_core.tb.runs.builds import core_design
from conv_core.tb.runs.layers import MAX_BATCH, run_layers
from conv_core.tb.stimuli.random_layers import tensors_for

ARRAYS = ("8x8", "16x16", "32x32")
PAGE = ROOT / "docs" / "networks.md"


@dataclass(frozen=True)
class Row:
    """A layer of a network on one array. `cycles` are the RTL's; None where it was not run."""

    name: str
    pieces: int
    limit: int
    model: int
    cycles: int | None


class WrongResultError(Exception):
    """A layer did not pass. The text is the scoreboard's."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures what is not yet measured and writes the page; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m conv_core.tools.networks", description=__doc__)
    parser.add_argument("--array", help=f"only this one of {', '.join(ARRAYS)}", choices=ARRAYS)
    parser.add_argument("--seed", type=int, default=1, help="of the random data")
    options = parser.parse_args(arguments)
    print(f"seed {options.seed}")
    begun, outcome = time.perf_counter(), []
    try:
        for array in [options.array] if options.array else ARRAYS:
            for network in NETWORKS:
                started = time.perf_counter()
                rows = measured(network, CoreConfig.from_array(array), options.seed)
                cycles = sum(row.cycles or 0 for row in rows)
                seconds = time.perf_counter() - started
                limit = sum(row.limit for row in rows)
                outcome.append(
                    {
                        "network": network,
                        "array": array,
                        "status": "PASS",
                        "layers": len(rows),
                        "cycles": cycles,
                        "cycles_limit": limit,
                        "efficiency": limit / cycles,
                    }
                )
                print(f"{network} on {array} lanes: {cycles:,} cycles, {seconds:.0f} s", flush=True)
        PAGE.write_text(page(options.seed))
        keep(Outcome("networks", "PASS", time.perf_counter() - begun, rows=outcome))
    except WrongResultError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"PASS: every value was right; {PAGE.relative_to(ROOT)} is written")
    return 0


# -------------------------------------------------------------------------------- figures
def measured(network: str, config: CoreConfig, seed: int) -> list[Row]:
    """A row for each layer, by a run of the whole network unless there was one.

    Raises `WrongResultError`, and what `run_layers` raises.
    """
    if (rows := kept(network, config, seed)) is not None:
        return rows
    layers = NETWORKS[network]()
    generators = np.random.default_rng(seed).spawn(len(layers))
    cases = [
        replace(tensors_for(rng, layer, "plain"), name=name)
        for rng, (name, layer) in zip(generators, layers.items(), strict=True)
    ]
    results = run_layers(cases, config, "verilator", queue=True, seed=seed)
    if wrong := [result.message for result in results if not result.passed]:
        raise WrongResultError(f"{network} on {config.array} lanes: " + "\n".join(wrong[:5]))
    rows = [
        Row(
            each.name, each.pieces or 1, each.cycles_limit or 0, each.cycles_model or 0, each.cycles
        )
        for each in results
    ]
    path = _path(network, config, seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps([asdict(row) for row in rows]))
    return rows


def kept(network: str, config: CoreConfig, seed: int) -> list[Row] | None:
    """The rows of an earlier run of the same RTL on the same bench."""
    try:
        return [Row(**row) for row in json.loads(_path(network, config, seed).read_text())]
    except FileNotFoundError:
        return None


def modelled(network: str, config: CoreConfig) -> list[Row]:
    """The rows without a run."""
    layers = NETWORKS[network]()
    pieces = [(name, piece.layer) for name in layers for piece in plan(layers[name], config)]
    models: list[int] = []
    for start in range(0, len(pieces), MAX_BATCH):
        queue = [layer for _, layer in pieces[start : start + MAX_BATCH]]
        models += queue_model(queue, config)
    of_layer: dict[str, list[int]] = {name: [] for name in layers}
    for (name, _), model in zip(pieces, models, strict=True):
        of_layer[name].append(model)
    return [
        Row(name, len(of_layer[name]), cycles_limit(layer, config), sum(of_layer[name]), None)
        for name, layer in layers.items()
    ]


def _path(network: str, config: CoreConfig, seed: int) -> Path:
    """Where the rows of a run are kept; another RTL or bench has another place."""
    design = core_design(config)
    digest = hashlib.sha256(repr((network, seed, sorted(design.parameters.items()))).encode())
    for source in design.sources:
        digest.update(source.read_bytes())
    for layer in NETWORKS[network]().values():
        digest.update(repr((layer, plan(layer, config))).encode())
    return BUILD / "networks" / f"{config.array}-{digest.hexdigest()[:16]}.json"


# -------------------------------------------------------------------------------- the page
def page(seed: int) -> str:
    """docs/networks.md."""
    return "\n".join(_lines(seed)) + "\n"


def _lines(seed: int) -> Iterator[str]:
    yield f"""# Networks

All convolutions of two networks through the RTL (Verilator), one after another as `QUEUE=1`
has them, on random data (seed {seed}), every value compared. `make networks` measures and writes
this page.

*Limit* is what no engine with these lanes and streams can go below (`cycles_limit`), *model* what
`models/cycles` predicts, *measured* what the core counts and a monitor at its pins counts too.
Cycles are those from the last result of the layer before to the layer's last. What is loaded and
computed of a layer while the one before ends is not among them, so it may take fewer than its
limit. The bench queues up to {MAX_BATCH} pieces; those after them begin cold.

*Utilisation* is nominal multiply-accumulates / (lanes in * lanes out * measured cycles); it may
exceed 1, since padding is skipped. *Ceiling* is the same of the limits' sum. The classifier after
the convolutions is bound by the stream of its weights.

| network | array | pieces | limit | model | measured | utilisation | ceiling |
|---|---|---|---|---|---|---|---|"""
    tables = {
        (network, array): _rows(network, CoreConfig.from_array(array), seed)
        for network in NETWORKS
        for array in ARRAYS
    }
    for (network, array), rows in tables.items():
        layers = NETWORKS[network]()
        convolutions = [row for row in rows if row.name != CLASSIFIER]
        yield _sum(f"{network}, convolutions", array, layers, convolutions)
        yield _sum(f"{network}, with classifier", array, layers, rows)
    for network in NETWORKS:
        yield f"\n## {network}\n"
        yield "| layer | shapes |" + "".join(
            f" {array} limit | model | measured |" for array in ARRAYS
        )
        yield "|---|---|" + "---|" * 3 * len(ARRAYS)
        for number, (name, layer) in enumerate(NETWORKS[network]().items()):
            cells = [tables[network, array][number] for array in ARRAYS]
            numbers = [_number(n) for row in cells for n in (row.limit, row.model, row.cycles)]
            yield f"| {name} | {_shapes(layer)} | {' | '.join(numbers)} |"


def _rows(network: str, config: CoreConfig, seed: int) -> list[Row]:
    return kept(network, config, seed) or modelled(network, config)


def _sum(name: str, array: str, layers: dict[str, Layer], rows: Sequence[Row]) -> str:
    config = CoreConfig.from_array(array)
    lanes = config.multipliers
    macs = sum(layers[row.name].macs for row in rows)
    limit = sum(row.limit for row in rows)
    counted = [row.cycles for row in rows if row.cycles is not None]
    cycles = sum(counted) if len(counted) == len(rows) else None
    cells = (
        name,
        array,
        _number(sum(row.pieces for row in rows)),
        _number(limit),
        _number(sum(row.model for row in rows)),
        _number(cycles),
        f"{macs / (lanes * cycles):.4f}" if cycles else "-",
        f"{macs / (lanes * limit):.4f}",
    )
    return f"| {' | '.join(cells)} |"


def _shapes(layer: Layer) -> str:
    stride = f", stride {layer.stride[0]}" if layer.stride[0] > 1 else ""
    return f"{layer}{stride}"


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


if __name__ == "__main__":
    sys.exit(endings.run(main))
