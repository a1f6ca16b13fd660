"""`explain`: a page that shows a layer at work; the layer of the question unless another is named.

The layer runs on the RTL. Every number of the page is from that run, and the formula must give the
same, accumulator by accumulator.
"""

from __future__ import annotations

import argparse
import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from conv_core.commands.cores import core_of
from conv_core.commands.options import config_of, seed_of
from conv_core.models.core_config import CoreConfig
from conv_core.models.cycles.loops import Loops
from conv_core.models.files import write_whole
from conv_core.models.layer import Layer, LayerCase
from conv_core.models.layer_files import read_quantised
from conv_core.pages.observe import ExplainError, Observed, observe
from conv_core.pages.report import render
from conv_core.pages.work import Work, work
from conv_core.tb.bench.drivers import OUR_DRIVER, planner_named
from conv_core.tb.paths import BUILD
from conv_core.tb.runs.pieces import CutLayer
from conv_core.tb.runs.tools import find_simulator
from conv_core.tb.stimuli.random_layers.cases import question_case

MAX_SUMS = 1_000_000
"""accumulators that a page holds: steps times lanes"""
USUAL_SEED = 1


def check(case: LayerCase, config: CoreConfig) -> None:
    """Refuses what a page can't show. Raises `ExplainError`."""
    layer = case.layer
    if layer.groups > 1:
        raise ExplainError(
            f"{case.name}: groups is {layer.groups}; this page shows layers whose channels are all "
            "added, groups 1"
        )
    if len(CutLayer.of(case, planner_named(OUR_DRIVER, config)).pieces) > 1:
        raise ExplainError(
            f"{case.name}: this layer is larger than the buffers and runs in pieces; make the "
            "image smaller"
        )
    loops = Loops.of(layer, config)
    steps = sum(int(loops.steps(some).sum()) for some in loops.passes())
    if steps * config.lanes_out > MAX_SUMS:
        raise ExplainError(
            f"{case.name}: it takes {steps:,} steps, and a page holds "
            f"{MAX_SUMS // config.lanes_out:,}; make the image smaller, or take fewer filters"
        )


def write_explanation(
    case: LayerCase, config: CoreConfig, path: Path, simulator: str = "verilator", seed: int = 1
) -> Observed:
    """Runs the layer and writes its page. Raises `ExplainError`, and what a run raises."""
    check(case, config)
    observed = observe(case, config, simulator, seed)
    done = work(case, config, observed)
    data = json.dumps(page_data(case, config, observed, done), separators=(",", ":"))
    page = render(
        "explain.html",
        case=case,
        layer=case.layer,
        result=observed.result,
        seed=seed,
        checked=done.checked,
        macs_inside=case.layer.macs_inside,
        causes=causes(observed),
        data=Markup(data.replace("<", "\\u003c")),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, page)
    return observed


def causes(observed: Observed) -> dict[str, int]:
    """What the cycles were spent on: how many of each kind. They are all of them."""
    kinds = cycle_kinds(observed)
    return {name: int((kinds == index).sum()) for index, name in enumerate(KINDS)}


KINDS = ("multiplying", "no activations", "no weights", "no room for results", "nothing to do yet")


def cycle_kinds(observed: Observed) -> NDArray[np.uint8]:
    """(cycles): an index of KINDS each."""
    names = ("step", "stall_act", "stall_wgt", "stall_out")
    return np.select(
        [observed.seen(name) for name in names], list(range(len(names))), len(names)
    ).astype(np.uint8)


def page_data(
    case: LayerCase, config: CoreConfig, observed: Observed, done: Work
) -> dict[str, Any]:
    """What the page's script gets; arrays as base64, the lowest byte first."""
    layer = case.layer
    values = observed.result.values
    assert values is not None
    seen = [observed.seen(name) << bit for bit, name in enumerate(("act", "wgt", "out"))]
    windows = [[w.frame, w.row, w.column, w.block] for w in done.windows]
    return {
        "layer": _numbers(layer),
        "lanes": [config.lanes_in, config.lanes_out],
        "blocks": [[b.first_filter, b.filters] for b in Loops.of(layer, config).blocks],
        "runBytes": done.run_bytes,
        "kinds": list(KINDS),
        "x": _packed(case.x, "<i1"),
        "w": _packed(case.centred_weights, "<i2"),
        "bias": _packed(case.bias, "<i4"),
        "y": _packed(values, "<i4"),
        "windows": _packed(np.array(windows), "<u2"),
        "starts": _packed(done.starts, "<u4"),
        "cycle": _packed(observed.steps[:, 0], "<u4"),
        "lanesUsed": _packed(observed.steps[:, 1:4], "<u1"),
        "run": _packed(done.runs, "<u2"),
        "word": _packed(done.words, "<u2"),
        "sums": _packed(observed.sums, "<i4"),
        "kind": _packed(cycle_kinds(observed), "<u1"),
        "beats": _packed(np.bitwise_or.reduce(seen), "<u1"),
    }


def _numbers(layer: Layer) -> dict[str, Any]:
    return {
        "shape": list(layer.in_shape),
        "out": list(layer.out_shape),
        "kernel": list(layer.kernel),
        "stride": list(layer.stride),
        "dilation": list(layer.dilation),
        "pads": list(layer.pads),
        "zero": layer.in_zp,
        "requantise": layer.requantise,
    }


def _packed(values: NDArray[Any], kind: str) -> str:
    narrow = values.astype(kind)
    assert np.array_equal(narrow, values), "a number of the page does not fit"
    return base64.b64encode(np.ascontiguousarray(narrow).tobytes()).decode()


def explain(options: argparse.Namespace) -> int:
    """Writes the page and says where it is; the exit status."""
    if not core_of(options).is_ours:
        raise ExplainError("explain looks into conv_core, and knows no other core")
    find_simulator(options.sim)
    config = config_of(options)
    given = seed_of(options)
    seed = USUAL_SEED if given is None else given
    if options.layer:
        case, _ = read_quantised(options.layer)
    else:
        case = question_case(np.random.default_rng(seed))
    path = Path(options.out) if options.out else BUILD / "explain.html"
    observed = write_explanation(case, config, path, options.sim, seed)
    print(
        f"seed {seed}: {case.layer} took {observed.result.cycles:,} cycles on {config.array}; "
        f"{observed.sums.size:,} accumulators are what the formula gives"
    )
    print(f"the page is in {path}")
    return 0
