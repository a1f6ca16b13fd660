"""Runs a network frame by frame; whoever asks for it computes the layers of the core.

    steps = run(graph, frames, done)
    request = next(steps)
    while True:
        request = steps.send(results of request.case)    # StopIteration at the end

A generator, since the same network runs on the core, in whose simulator nothing may wait, and on
its model: `run_on_model`.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

from conv_core.models.layer import Int8Array, Int32Array, LayerCase
from conv_core.models.network.graph import Array, Graph, Operator
from conv_core.models.network.lowering import folded, lower, on_core, raised
from conv_core.models.network.operators import FUNCTIONS
from conv_core.models.network.operators.call import Call
from conv_core.models.requantisation import result

Values = Mapping[int, Array]
"""By tensor."""


@dataclass(frozen=True, eq=False)
class Request:
    """A layer to compute: its results go back by `send`."""

    frame: int
    operator: Operator
    case: LayerCase


def run(
    graph: Graph, frames: Sequence[Values], done: list[dict[int, Array]]
) -> Generator[Request, Int8Array | Int32Array, None]:
    """Runs frames, each a value for every input of the graph; what a streaming network keeps goes
    from one to the next.

    `done` gets for each frame what its operators put out, by tensor, as it comes.
    """
    variables = dict(graph.variables)
    skipped = folded(graph)
    for number, frame in enumerate(frames):
        done.append({})
        values = ChainMap(done[-1], dict(frame))
        for operator in graph.operators:
            if operator.number in skipped:
                continue
            if on_core(graph, operator):
                case = lower(graph, operator, values, _name(graph, operator, number, len(frames)))
                results = yield Request(number, operator, case)
                values[operator.outputs[0]] = raised(graph, operator, results)
            elif operator.kind == "READ_VARIABLE":
                values[operator.outputs[0]] = variables[operator.options["variable"]]
            elif operator.kind == "ASSIGN_VARIABLE":
                (source,) = operator.inputs
                assert source is not None
                variables[operator.options["variable"]] = values[source]
            else:
                values.update(_compute(graph, operator, values))


def run_on_model(graph: Graph, frames: Sequence[Values]) -> list[dict[int, Array]]:
    """What the operators put out in each frame, with the core's model in place of the core."""
    done: list[dict[int, Array]] = []
    steps = run(graph, frames, done)
    request = next(steps, None)
    while request is not None:
        try:
            request = steps.send(result(request.case))
        except StopIteration:
            break
    return done


def _compute(graph: Graph, operator: Operator, values: Values) -> dict[int, Array]:
    """The outputs of an operator that is not the core's."""
    taken = tuple(
        None if each is None else values.get(each, graph.tensors[each].data)
        for each in operator.inputs
    )
    call = Call(operator, graph.inputs_of(operator), taken, graph.outputs_of(operator))
    outputs = FUNCTIONS[graph.file_format][operator.kind](call)
    return dict(zip(operator.outputs, outputs, strict=False))


def _name(graph: Graph, operator: Operator, frame: int, frames: int) -> str:
    name = f"{graph.name} {operator.number}"
    return f"{name}, frame {frame}" if frames > 1 else name
