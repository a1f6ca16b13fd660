"""Which rounding rule each runtime follows, operator by operator, and where two runtimes part.

    reports = survey(Network.read("net.tflite"), frames)     # of LiteRT's reference answers
    print(table(reports))
    first_divergence(reports, "LiteRT reference", "LiteRT XNNPACK")

The network runs whole in LiteRT's reference kernels. Each operator is then run by itself in every
runtime that can, on the tensors that it had there. So two runtimes part first, in a chain too, at
the first operator whose tensors differ: up to there each was fed with the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conv_core.models.convolution import accumulate
from conv_core.models.layer import Int8Array
from conv_core.models.network.onnx_form import onnx_layer
from conv_core.models.network.runtimes import (
    RUNTIMES,
    Answer,
    Call,
    LiteRtReference,
    OnnxRuntime,
    Runtime,
)
from conv_core.models.network.tflite_operators import STATE, Network, Operator, Requantiser
from conv_core.models.requantisation import (
    requantise,
    requantise_double,
    requantise_float,
    requantise_single,
)

DOUBLE = "single in float64"
"""LiteRT's own form of `single`: no rule of a core, it explains a result that `single` misses."""
REFERENCE = LiteRtReference.name
NCHW = 4
"""axes of a result of QLinearConv, where one of QGemm has two"""


@dataclass(frozen=True, eq=False)
class Verdict:
    """How one runtime's results of an operator compare with those of each rule."""

    runtime: str
    wrong: dict[str, int] = field(default_factory=dict)
    """results that differ, by rule; empty for operators that are no layers"""
    differs: int = 0
    """results that differ from LiteRT's reference"""
    refusal: str = ""

    @property
    def rules(self) -> list[str]:
        """Those that give the runtime's tensor exactly; `DOUBLE` only where `single` does not."""
        exact = [rule for rule, wrong in self.wrong.items() if wrong == 0]
        return [rule for rule in exact if rule != DOUBLE or "single" not in exact]

    def __str__(self) -> str:
        if self.refusal:
            return "-"
        if not self.wrong:
            return "equal" if self.differs == 0 else f"{self.differs} differ"
        if self.rules:
            return ", ".join(self.rules)
        rule = min(self.wrong, key=lambda each: self.wrong[each])
        return f"none: {rule} misses {self.wrong[rule]}"


@dataclass(frozen=True, eq=False)
class Report:
    """An operator, how many results it has, and each runtime's verdict."""

    operator: Operator
    values: int
    verdicts: dict[str, Verdict]

    def agreeing(self) -> list[str]:
        """The runtimes that give LiteRT's reference results."""
        return [
            name for name, each in self.verdicts.items() if not each.refusal and each.differs == 0
        ]

    def unexplained(self) -> list[str]:
        """The runtimes whose results no rule gives, for a layer."""
        return [name for name, each in self.verdicts.items() if each.wrong and not each.rules]


def by_rules(layer: Requantiser) -> dict[str, Int8Array]:
    """The layer's results (N, OH, OW, Cout) by each rule, and by `DOUBLE`."""
    case = layer.case
    acc = accumulate(case)
    limits = case.layer.out_zp, case.layer.act_min, case.layer.act_max
    assert case.mult is not None  # a Requantiser has them
    assert case.shift is not None
    return {
        "tflite": requantise(acc, case.mult, case.shift, *limits),
        "single": requantise_single(acc, case.mult, case.shift, *limits),
        "float": requantise_float(acc, layer.scale, *limits),
        DOUBLE: requantise_double(acc, layer.real, *limits),
    }


def survey(
    network: Network,
    frames: Sequence[Sequence[NDArray[Any]]],
    runtimes: Iterable[type[Runtime]] = RUNTIMES,
) -> list[Report]:
    """A report for each operator that keeps no state, on the tensors of the last frame.

    Raises `RuntimeMissingError`, and `RuntimeError` where LiteRT's reference refuses the network.
    """
    (whole,) = LiteRtReference().run([Call(network.content, frames, keep=network.activations())])
    if whole.refusal:
        raise RuntimeError(f"{network.name}: LiteRT refuses it: {whole.refusal}")
    tensors = whole.tensors
    operators = [
        each
        for each in network.operators
        if each.name not in STATE
        and each.inputs
        and all(index in tensors for index in (*each.inputs, *each.outputs))
    ]
    layers = [network.requantiser(each, tensors) for each in operators]
    rules = [None if layer is None else by_rules(layer) for layer in layers]
    calls = [Call(network.alone(each), [[tensors[i] for i in each.inputs]]) for each in operators]
    answers: dict[str, list[Answer]] = {}
    for runtime in runtimes:
        if runtime is OnnxRuntime:
            answers[runtime.name] = _onnx(layers, operators)
        else:
            answers[runtime.name] = runtime().run(calls)
    return [
        Report(
            operator,
            tensors[operator.outputs[0]].size,
            {
                name: _verdict(name, given[number], tensors[operator.outputs[0]], rules[number])
                for name, given in answers.items()
            },
        )
        for number, operator in enumerate(operators)
    ]


def probe(
    network: Network,
    operator: Operator,
    inputs: Sequence[NDArray[np.int8]],
    runtimes: Iterable[type[Runtime]] = RUNTIMES,
) -> Report:
    """A report on one int8 layer for many inputs: a few results tell no rule from another.

    Raises `RuntimeMissingError`, and `ValueError` for an operator that is no such layer.
    """
    x = np.concatenate(inputs)
    layer = network.requantiser(operator, {operator.inputs[0]: x})
    if layer is None:
        raise ValueError(f"{network.name}: {operator.number} {operator.name} is no layer in int8")
    rules = by_rules(layer)
    call = Call(network.alone(operator), [[each] for each in inputs])
    (reference,) = LiteRtReference().run([call])
    verdicts = {}
    for runtime in runtimes:
        (answer,) = _onnx([layer], [operator]) if runtime is OnnxRuntime else runtime().run([call])
        verdicts[runtime.name] = _verdict(runtime.name, answer, reference.outputs[0], rules)
    return Report(operator, reference.outputs[0].size, verdicts)


def _as_tflite(answer: Answer) -> Answer:
    """Results of ONNX Runtime in int8 and NHWC."""
    if answer.refusal:
        return answer
    y = (answer.outputs[0][0] ^ 0x80).view(np.int8)
    return Answer(outputs=[y.transpose(0, 2, 3, 1) if y.ndim == NCHW else y])


def _onnx(layers: Sequence[Requantiser | None], operators: Sequence[Operator]) -> list[Answer]:
    """ONNX Runtime's results of the layers, as TensorFlow Lite stores them; it gets no others."""
    forms = [onnx_layer(layer) for layer in layers if layer is not None]
    given = iter(OnnxRuntime().run([Call(form.model, [[form.x]]) for form in forms]))
    answers = []
    for layer, operator in zip(layers, operators, strict=True):
        if layer is None:
            answers.append(Answer(refusal=f"ONNX has no {operator.name} of TensorFlow Lite's"))
            continue
        answers.append(_as_tflite(next(given)))
    return answers


def _verdict(
    name: str, answer: Answer, reference: NDArray[Any], rules: dict[str, Int8Array] | None
) -> Verdict:
    if answer.refusal:
        return Verdict(name, refusal=answer.refusal)
    y = answer.outputs[0].reshape(reference.shape)
    wrong = {
        rule: int(np.count_nonzero(each.reshape(y.shape) != y))
        for rule, each in (rules or {}).items()
    }
    return Verdict(name, wrong, int(np.count_nonzero(y != reference)))


def first_divergence(reports: Iterable[Report], one: str, other: str) -> Report | None:
    """The first operator whose results differ in two runtimes; one of them LiteRT's reference.

    Operators that the other runtime can't run are passed over.
    """
    assert REFERENCE in (one, other), "tensors are compared with those of LiteRT's reference"
    name = other if one == REFERENCE else one
    for report in reports:
        verdict = report.verdicts[name]
        if not verdict.refusal and verdict.differs:
            return report
    return None


def table(reports: Sequence[Report]) -> str:
    """A line for each operator: the rules that give each runtime's results exactly."""
    names = list(reports[0].verdicts)
    rows = [["operator", "results", *names]]
    for each in reports:
        title = f"{each.operator.number} {each.operator.name}"
        rows.append([title, f"{each.values:,}", *(str(each.verdicts[name]) for name in names)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    for name in names:
        if name != REFERENCE:
            first = first_divergence(reports, REFERENCE, name)
            where = "nowhere"
            if first is not None:
                where = f"at {first.operator.number} {first.operator.name}"
            lines.append(f"{name} first differs from {REFERENCE} {where}")
    return "\n".join(lines)
