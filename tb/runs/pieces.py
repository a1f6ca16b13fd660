"""Layers that do not fit the core: cut for the run, and put together again for the verdict.

The plan is the driver's. The pieces of a layer are queued behind each other, so that
the next one's data load while one is computed. Nothing is computed on results here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from conv_core.models.layer import LayerCase
from conv_core.models.requantisation import result
from conv_core.models.tiling import NotFittingError, Piece, join, split
from conv_core.tb.bench.drivers import Planner
from conv_core.tb.runs.job import FAIL, PASS, LayerResult


@dataclass(frozen=True)
class CutLayer:
    """A layer with its pieces; a layer that fits has one, itself."""

    case: LayerCase
    plan: tuple[Piece, ...]
    pieces: tuple[LayerCase, ...]

    @classmethod
    def of(cls, case: LayerCase, planner: Planner) -> CutLayer:
        """Raises `NotFittingError` (with the layer's name) where no cut makes it fit."""
        try:
            pieces = planner.pieces(case.layer)
        except NotFittingError as error:
            raise NotFittingError(error.field, f"{error.sentence} (layer {case.name})") from None
        return cls(case, tuple(pieces), tuple(split(case, pieces)))

    def judge(self, results: Sequence[LayerResult], planner: Planner) -> LayerResult:
        """The layer's result from those of its pieces.

        Cycles, held cycles, times and counters add up. The values are compared once more, as a
        whole, so that a wrong plan can't hide behind right pieces.
        """
        if len(self.pieces) == 1:
            return results[0]
        first = results[0]
        messages = [each.message for each in results if each.message]
        mismatches = sum(each.mismatches for each in results)
        parts = [each.values for each in results if each.values is not None]
        values = join(self.case.layer, self.plan, parts) if len(parts) == len(results) else None
        if values is not None:
            expected = [result(self.case), self.case.expected_y, self.case.expected_acc]
            wrong = max(
                int(np.count_nonzero(values != one))
                for one in expected
                if one is not None and one.dtype == values.dtype
            )
            if wrong and not mismatches:
                mismatches = wrong
                messages.append(
                    f"layer {self.case.name}: each of its {len(results)} pieces is right, but put "
                    f"together {wrong} of {values.size} values are wrong: the plan is at fault"
                )
        counted = [each.cycles for each in results if each.cycles is not None]
        cycles = sum(counted) if len(counted) == len(results) else None
        models = [each.cycles_model for each in results if each.cycles_model is not None]
        wrong_at = [each.first_wrong_ns for each in results if each.first_wrong_ns is not None]
        beat_at = [each.wrong_beat_ns for each in results if each.wrong_beat_ns is not None]
        passed = values is not None and not messages and all(each.passed for each in results)
        return replace(
            first,
            name=self.case.name,
            status=PASS if passed else FAIL,
            macs=self.case.layer.macs,
            cycles=cycles,
            cycles_limit=planner.cycles_limit(self.case.layer),
            cycles_model=sum(models) if len(models) == len(results) else None,
            pieces=len(results),
            mismatches=mismatches,
            wall_s=round(sum(each.wall_s or 0.0 for each in results), 4),
            message="\n".join(messages),
            held=sum(each.held for each in results),
            compared=sum(each.compared for each in results),
            counters={
                name: sum(each.counters.get(name, 0) for each in results) for name in first.counters
            },
            first_wrong_ns=min(wrong_at, default=None),
            wrong_beat_ns=min(beat_at, default=None),
            values=values,
            traces={},
        )


def judge_all(
    layers: Sequence[CutLayer], results: Sequence[LayerResult], planner: Planner
) -> list[LayerResult]:
    """Each layer's result; `results` are those of all their pieces, in order."""
    came = iter(results)
    return [layer.judge([next(came) for _ in layer.pieces], planner) for layer in layers]
