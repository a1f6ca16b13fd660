"""The save files of a run that was recorded: what to look at first follows from its results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import LayerCase
from conv_core.tb.runs.job import LayerResult
from conv_core.tb.waves.explain import first_wrong, origin_of
from conv_core.tb.waves.ran import layers_before, pieces_of
from conv_core.tb.waves.signals import Names, Watched, all_groups, shown
from conv_core.tb.waves.view import Marks, write_views
from conv_core.tb.waves.watch import HALF_CYCLE_NS, RECORDING, Recording, read_recording


def prepare(
    folder: Path,
    config: CoreConfig,
    cases: Sequence[LayerCase],
    results: Sequence[LayerResult],
    watched: Watched | None,
) -> Marks:
    """Writes the save files; where they look.

    `cases` are the layers that ran from reset on, one after the other, and `results` theirs.
    Without cases the first wrong beat is found, but not where its value came from.
    """
    groups = all_groups(config, watched)
    timed = [(r.look_at_ns, i) for i, r in enumerate(results) if r.look_at_ns is not None]
    wrong_ns, index = min(timed, default=(None, 0))
    path = folder / RECORDING
    recording = read_recording(path, groups, wrong_ns) if path.exists() else Recording()
    beat_ns = (recording.begun or 0) if wrong_ns is None else wrong_ns - HALF_CYCLE_NS
    marks = Marks(beat_ns, wrong=wrong_ns is not None)
    names: Names = {}
    if cases:
        before = layers_before(cases, results, index, config)
        layer = pieces_of(cases[index], results[index], config)[0]
        vector = 0
        wrong = None
        if wrong_ns is not None:
            wrong = first_wrong(cases[index], results[index], config)
        origins = None if watched is None else watched.origins
        if wrong is not None:
            before, layer = [*before, *wrong.before], wrong.piece.layer
            if origins is not None:
                vector, _ = origins.vector_of(layer, wrong.place)
                origin = origin_of(recording, wrong, before, origins)
                if origin is not None:
                    marks = Marks(beat_ns, origin.left_ns, origin.begun_ns, wrong=True)
        if origins is not None:
            names = origins.names(layer, before, vector)
        groups = tuple(shown(groups, layer))
    write_views(folder, groups, names, marks)
    return marks
