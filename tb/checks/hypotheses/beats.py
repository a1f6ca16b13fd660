"""Results that are right and leave in another order."""

from __future__ import annotations

import numpy as np

from conv_core.tb.checks.hypotheses.recomputation import Forms, Recomputation


def beats_swapped(layer: Recomputation) -> Forms:
    right = layer.beats(layer.right)
    count = right.shape[1]
    pairs = np.arange(count) ^ 1
    pairs[pairs >= count] = count - 1
    yield "in each pair", layer.from_beats(right[:, pairs])
    word = _beats_of_word(layer)
    if word > 2 and count % word == 0:
        words = np.arange(count).reshape(-1, word)[:, ::-1].reshape(-1)
        yield "in each word", layer.from_beats(right[:, words])
    frame, beat = _first_wrong_beat(layer)
    if beat + 1 < count:
        once = right.copy()
        once[frame, [beat, beat + 1]] = once[frame, [beat + 1, beat]]
        yield f"beats {beat} and {beat + 1}{_of_frame(layer, frame)}", layer.from_beats(once)


def beats_duplicated(layer: Recomputation) -> Forms:
    right = layer.beats(layer.right)
    count = right.shape[1]
    for size, name in {1: "", _beats_of_word(layer): "word "}.items():
        late = np.where(np.arange(count) < size, np.arange(count), np.arange(count) - size)
        yield (
            f"the first {name}of each frame, all others come late",
            layer.from_beats(right[:, late]),
        )
    frame, beat = _first_wrong_beat(layer)
    if beat > 0:
        name = f"beat {beat - 1}{_of_frame(layer, frame)}"
        once = right.copy()
        once[frame, beat] = once[frame, beat - 1]
        yield f"{name}, in place of the next", layer.from_beats(once)
        once = right.copy()
        once[frame, beat:] = right[frame, beat - 1 : -1]
        yield f"{name}, all others come late", layer.from_beats(once)


def _beats_of_word(layer: Recomputation) -> int:
    """A word is a result of each lane."""
    return layer.config.lanes_out // layer.config.out_stream_bytes


def _of_frame(layer: Recomputation, frame: int) -> str:
    return f" of frame {frame}" if layer.layer.batch > 1 else ""


def _first_wrong_beat(layer: Recomputation) -> tuple[int, int]:
    """(frame, beat of the frame)"""
    wrong = (layer.beats(layer.got) != layer.beats(layer.right)).any(axis=2)
    frame, beat = np.argwhere(wrong)[0]
    return int(frame), int(beat)
