"""A whole network through the RTL, and beside it through the runtime that it is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer
from conv_core.models.network.files import check_network
from conv_core.models.network.graph import ONNX, TFLITE, Array, Graph, Operator
from conv_core.models.network.lowering import folded
from conv_core.models.network.runtimes import (
    Answer,
    Call,
    LiteRtReference,
    OnnxRuntime,
    Runtime,
    RuntimeMissingError,
)
from conv_core.tb.bench.drivers import OUR_DRIVER
from conv_core.tb.runs import processes
from conv_core.tb.runs.builds import Build, build, core_design
from conv_core.tb.runs.job import Job, LayerResult, Progress
from conv_core.tb.runs.layers import run_folder, run_job, watched
from conv_core.tb.runs.network_job import NetworkJob, NetworkRun

NETWORK = "conv_core.tb.inside.network"
ORACLES: Mapping[str, type[Runtime]] = {TFLITE: LiteRtReference, ONNX: OnnxRuntime}
"""what networks of each file format are compared with"""

Frames = Sequence[Mapping[int, Array]]
"""for each frame a value for every input tensor"""


@dataclass(frozen=True)
class OperatorResult:
    """What became of an operator in all frames."""

    operator: Operator
    shape: tuple[int, ...]
    """of its first output"""
    folded: bool = False
    """it is done by the operator behind it"""
    layers: tuple[LayerResult, ...] = ()
    """those of its frames, if it ran on the core"""
    layer: Layer | None = None
    values: int = 0
    """compared with the runtime"""
    differ: int = 0
    """of these"""

    @property
    def cycles(self) -> int | None:
        """Those of the first frame."""
        return self.layers[0].cycles if self.layers else None

    @property
    def wrong(self) -> bool:
        """Is there anything wrong with it?"""
        return self.differ > 0 or not all(each.passed for each in self.layers)


@dataclass(frozen=True)
class NetworkResult:
    """A network's answers, and what became of each operator."""

    graph: Graph
    operators: tuple[OperatorResult, ...]
    outputs: tuple[Array, ...]
    """for each output tensor of the graph (frames, *its shape); frames up to the last whole one"""
    tensors: tuple[Mapping[int, Array], ...]
    """for each frame what its operators put out, by tensor"""
    frames: int
    """that were asked for"""
    runtime: str
    """that the operators were compared with, or why they were not"""
    compared: bool

    @property
    def complete(self) -> bool:
        """Did all frames come to their end?"""
        return len(self.outputs[0]) == self.frames

    @property
    def passed(self) -> bool:
        return self.complete and not any(each.wrong for each in self.operators)

    @property
    def cycles(self) -> int:
        """Those of all layers of the first frame, which run one after the other."""
        return sum(each.cycles or 0 for each in self.operators)

    @property
    def macs(self) -> int:
        """Of a frame."""
        return sum(each.layer.macs for each in self.operators if each.layer is not None)


def run_network(
    graph: Graph,
    frames: Frames,
    config: CoreConfig,
    simulator: str = "verilator",
    *,
    model: bytes | None = None,
    stall: str = "none",
    seed: int = 1,
    waves: bool = False,
    out_dir: Path | None = None,
    jobs: int = 1,
    on_progress: Callable[[Progress], None] | None = None,
) -> NetworkResult:
    """Runs frames through a network, one after the other, all in one simulation.

    `jobs` simulations side by side share the frames of a network that keeps nothing between them.

    `model` is the network's file, to compare each operator with LiteRT's reference kernels, or
    with ONNX Runtime, which run at the same time; None compares with nothing. The rest is as in
    `conv_core.tb.runs.layers.run_layers`.

    Raises `NetworkError`, `ToolMissingError`, `SimulationError`.
    """
    check_network(graph, config)
    built = build(core_design(config), simulator, waves=waves)
    shares = _shares(frames, 1 if graph.variables else jobs)
    with run_folder(out_dir) as folder, ThreadPoolExecutor(1 + len(shares)) as beside:
        base = Job(
            cases=(),
            config=config,
            simulator=simulator,
            stall=stall,
            seed=seed,
            batches=(),
            trace=False,
            driver=OUR_DRIVER,
            results_path=folder / "results.pickle",
            progress_path=folder / "progress.pickle",
        )
        answer = None if model is None else beside.submit(_reference, graph, model, frames)
        with watched(base.progress_path, on_progress):
            parts = [
                beside.submit(_simulate, built, _beside(base, number), graph, share)
                for number, share in enumerate(shares)
            ]
            try:
                done = _joined([part.result() for part in parts])
            except BaseException:
                processes.stop_all()
                raise
        return _result(graph, frames, done, None if answer is None else answer.result())


def _shares(frames: Frames, jobs: int) -> list[Frames]:
    """Frames for each simulation, as many as possible in each."""
    size = -(-len(frames) // jobs)
    return [frames[start : start + size] for start in range(0, len(frames), size)]


def _beside(base: Job, number: int) -> Job:
    """The job of one of several simulations, the others in folders of their own."""
    if number == 0:
        return base
    folder = base.results_path.parent / f"job{number}"
    folder.mkdir(parents=True, exist_ok=True)
    return replace(
        base,
        results_path=folder / base.results_path.name,
        progress_path=folder / base.progress_path.name,
    )


def _simulate(built: Build, base: Job, graph: Graph, frames: Frames) -> NetworkRun:
    run: NetworkRun = run_job(built, NETWORK, NetworkJob(base, graph, tuple(frames)), base)
    return run


def _joined(parts: Sequence[NetworkRun]) -> NetworkRun:
    """The parts one after the other; what comes after a frame that has no end is left out."""
    done = NetworkRun()
    for part in parts:
        first = len(done.frames)
        done.layers += [replace(each, frame=first + each.frame) for each in part.layers]
        done.frames += part.frames
        if not part.complete:
            break
    done.complete = parts[-1].complete
    return done


def _reference(graph: Graph, model: bytes, frames: Frames) -> Answer:
    """All tensors of the runtime, or why there are none."""
    wanted = [tensor for operator in graph.operators for tensor in operator.outputs]
    inputs = [[frame[tensor] for tensor in graph.inputs] for frame in frames]
    tensors = [graph.tensors[tensor] for tensor in wanted]
    names, types = [each.name for each in tensors], [each.dtype for each in tensors]
    try:
        (answer,) = ORACLES[graph.file_format]().run([Call(model, inputs, wanted, names, types)])
    except RuntimeMissingError as error:
        return Answer(refusal=str(error))
    return answer


def _result(
    graph: Graph, frames: Frames, done: NetworkRun, reference: Answer | None
) -> NetworkResult:
    compared = reference is not None and not reference.refusal
    runtime = "" if reference is None else reference.refusal or ORACLES[graph.file_format].name
    expected = reference.kept if reference is not None else {}
    whole = [each for each in done.frames if all(tensor in each for tensor in graph.outputs)]
    skipped = folded(graph)
    return NetworkResult(
        graph,
        tuple(
            _operator_result(graph, operator, done, expected, folded=operator.number in skipped)
            for operator in graph.operators
        ),
        tuple(
            np.array([each[tensor] for each in whole], graph.tensors[tensor].dtype).reshape(
                -1, *graph.tensors[tensor].shape
            )
            for tensor in graph.outputs
        ),
        tuple(done.frames),
        len(frames),
        runtime,
        compared,
    )


def _operator_result(
    graph: Graph,
    operator: Operator,
    done: NetworkRun,
    expected: Mapping[int, Array],
    *,
    folded: bool,
) -> OperatorResult:
    layers = [each for each in done.layers if each.operator == operator.number]
    values = differ = 0
    for number, came in enumerate(done.frames):
        for tensor in set(operator.outputs) & set(came) & set(expected):
            values += came[tensor].size
            differ += int(np.count_nonzero(came[tensor] != expected[tensor][number]))
    outputs = graph.outputs_of(operator)
    return OperatorResult(
        operator,
        outputs[0].shape if outputs else (),
        folded,
        tuple(each.result for each in layers),
        layers[0].layer if layers else None,
        values,
        differ,
    )
