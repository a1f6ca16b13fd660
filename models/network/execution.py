"""Runs a network frame by frame; whoever asks for it computes the layers of the core.

    steps = run(graph, frames)
    request = next(steps)
    while True:
        request = steps.send(values of request.case)    # StopIteration.value: the Answers

A generator, since the same network runs on the core, in whose simulator nothing may wait, and on
its model: `run_on_model`.
"""

from __future__ import annotations

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
    graph: Graph, frames: Sequence[Values]
) -> Generator[Request, Int8Array | Int32Array, list[dict[int, Array]]]:
    """Runs frames, each a value for every input of the graph; what is kept stays from one to the
    next. The results, for each frame, are all that operators put out, by tensor.
    """
    variables = dict(graph.variables)
    skipped = folded(graph)
    done = []
    for number, frame in enumerate(frames):
        values: dict[int, Array] = dict(frame)
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
        done.append({tensor: values[tensor] for tensor in values if tensor not in frame})
    return done


def run_on_model(graph: Graph, frames: Sequence[Values]) -> list[dict[int, Array]]:
    """The same with the core's model in place of the core."""
    steps = run(graph, frames)
    try:
        request = next(steps)
        while True:
            request = steps.send(result(request.case))
    except StopIteration as end:
        answers: list[dict[int, Array]] = end.value
        return answers


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
