"""What the core computed in a run, piece by piece."""

from __future__ import annotations

from collections.abc import Sequence

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer, LayerCase
from conv_core.models.tiling import Piece
from conv_core.tb.bench.drivers import Planner
from conv_core.tb.core.format import Format
from conv_core.tb.runs.job import LayerResult
from conv_core.tb.runs.pieces import CutLayer


def layers_before(
    cases: Sequence[LayerCase], results: Sequence[LayerResult], index: int, config: CoreConfig
) -> list[Layer]:
    """What the core computed before a layer; it is reset after each that was wrong."""
    start = max((i + 1 for i in range(index) if not results[i].passed), default=0)
    before = zip(cases[start:index], results[start:index], strict=True)
    return [layer for case, its in before for layer in pieces_of(case, its, config)]


def pieces_of(case: LayerCase, result: LayerResult, config: CoreConfig) -> list[Layer]:
    """The layers that the core computed for it, in order."""
    return [piece.layer for piece in CutLayer.of(case, planner_of(result, config)).pieces]


def planner_of(result: LayerResult, config: CoreConfig) -> Planner:
    """What cut the layer: one that ran whole may be larger than `conv_core`'s buffers."""
    return Format(config) if (result.pieces or 1) > 1 else _Uncut()


class _Uncut:
    """Cuts nothing."""

    def pieces(self, layer: Layer) -> list[Piece]:
        return [Piece.whole(layer)]

    def cycles_limit(self, layer: Layer) -> int:
        return layer.macs
