"""When each step is taken: rows, windows, the window queue, steps and gate.

For the windows of a pass, with s steps each and numbered j, all of this holds together:

    item taken    = latest of: item before taken + cost, its last window issued + NEXT_ITEM,
                    its first step + ITEM_HELD
    issued[j]     = latest of: issued[j-1] + cost, item taken + FIRST_WINDOW + cost,
                    begun[j - WINDOW_QUEUE] + QUEUE_ROOM,
                    depthwise, once an item: issued[j-2] + TURN - WINDOW + cost
    begun[j]      = latest of: issued[j] + WINDOW_PIPELINE, begun[j-1] + s[j-1],
                    the step STEPS_AHEAD before the last one of window j-1
    first step[j] = later of: last step[j-1] + 1, begun[j] + FIRST_STEP (it is next in the gate)
    last step[j]  = latest of: first step[j] + s[j] - 1, what its data allow,
                    vector[j - RESULT_QUEUE] + CREDIT; the only step of an item is a cycle late
    vector[j]     = later of: last step[j] + the datapath's latency, vector[j-1] + slices[j-1],
                    slices in the buffer's room before, and after the first window of a filter
                    block with new constants: its last step + their fetching + its slices

Each is a maximum of what came before, plus constants. They are solved for all windows of a pass at
once, from below: each round begins with what the one before has found, until nothing changes. Two
or three rounds do where nobody waits.

A pass at rest, which waits for no word and no room, follows from the cycles before it alone. If all
of these are as far apart as before an earlier pass of its kind, all of its own are, too, and it is
that pass moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from conv_core.models.core_config import CoreConfig
from conv_core.models.cycles.activations import Activations
from conv_core.models.cycles.columns import Times
from conv_core.models.cycles.latencies import (
    AFTER_LAYER,
    CREDIT,
    FIRST_ITEM,
    FIRST_STEP,
    FIRST_WINDOW,
    ITEM_HELD,
    LAYER_CHANGE,
    LAYER_SETTLES,
    NEXT_ITEM,
    ONLY_STEP,
    QUEUE_ROOM,
    RELEASE,
    STEPS_AHEAD,
    TURN,
    WINDOW,
    WINDOW_PIPELINE,
    WINDOW_QUEUE,
    datapath,
)
from conv_core.models.cycles.loops import Loops, Pass
from conv_core.models.cycles.needs import LAST_STEPS, Needs
from conv_core.models.cycles.results import Results
from conv_core.models.cycles.rings import NEVER, Left
from conv_core.models.cycles.weights import Weights


@dataclass(frozen=True, eq=False)
class Timing:
    """The cycles of a pass: of its items, and of its windows."""

    taken: Times
    """items"""
    held: Times
    """items: when the next one may be taken at the earliest"""
    issued: Times
    begun: Times
    first: Times
    """steps of the windows"""
    last: Times
    """(LAST_STEPS, windows): the latest steps when a window has ended, the very last one first"""
    vectors: Times
    """taken by the finisher"""


class Walk:
    """From pass to pass, and from layer to layer."""

    def __init__(
        self, config: CoreConfig, activations: Activations, weights: Weights, results: Results
    ) -> None:
        self._activations, self._weights, self._results = activations, weights, results
        self._datapath = datapath(config.lanes_in)
        # What the passes before have left, the latest last.
        self._taken = NEVER  # item
        self._issued = NEVER
        self._held = NEVER
        self._begun = np.full(WINDOW_QUEUE, NEVER)
        self._steps = 0
        self._last = np.full(LAST_STEPS, NEVER)  # steps, the latest first
        self._vectors = np.full(config.result_queue, NEVER)
        self._done = NEVER  # the latest vector's last slice
        self._known: dict[object, tuple[Times, ...]] = {}  # passes of the layer that have been seen

    @property
    def last_step(self) -> int:
        """The cycle of the latest step."""
        return int(self._last[0])

    @property
    def last_slice(self) -> int:
        """The cycle in which the finisher took the latest vector's last slice."""
        return self._done

    def begin(self, first: Pass, offered: int) -> int:
        """A layer that begins with the pass `first` is offered; the cycle in which it is taken."""
        rows = max(offered, self._taken + AFTER_LAYER) + FIRST_ITEM + int(first.costs[0, 0])
        return max(rows, int(self._last[0]) + LAYER_CHANGE)

    def left(self) -> Left:
        """The cycles that the next layer may depend on, and how long the last window is."""
        self._known = {}
        own = np.array([self._taken, self._issued, self._done])
        return Left([own, self._begun, self._last, self._vectors], [np.array([self._steps])])

    def follow(self, some: Pass, loops: Loops, taken: int | None = None) -> None:
        """Goes through a pass, the first of a layer if it is said when that is taken: as many
        filter blocks at once as have weights whose arrival is known."""
        if taken is not None:
            self._known = {}
        rest: Pass | None = some
        while rest is not None:
            count = max(1, self._weights.blocks_known(rest.groups.start))
            now, rest = rest.split(count) if count < len(rest.groups) else (rest, None)
            if taken is not None or some.last_pass or not self._at_rest(now, loops):
                self._follow(now, loops, taken)
            else:
                self._repeat(now, loops)
            taken = None

    # ---------------------------------------------------------------- passes that repeat
    def _at_rest(self, some: Pass, loops: Loops) -> bool:
        """Is all there that a pass needs, so that it goes on as the state of the walk says?"""
        first = int(self._last[0]) + 1
        act, word = loops.last_needs(some)
        if self._weights.follow(word) <= word or int(self._weights.at(np.array(word))) > first:
            return False
        if self._activations.by(act) > first:
            return False
        if some.row_end and self._activations.release_by(loops.released_words(some)[-1]) > first:
            return False
        return self._results.at_rest(some, self._done + 1)

    def _repeat(self, some: Pass, loops: Loops) -> None:
        """Goes through a pass at rest: all that happens in it follows from what it is and from the
        state before, counted from the last step on. So a pass like an earlier one is only moved."""
        results, origin = self._results, int(self._last[0])
        state = (self._steps, (self._state(some) - origin).tobytes())
        key = (loops.kind(some), results.phase(some), state)
        known = self._known.get(key)
        if known is None:
            words = results.words
            releases = self._follow(some, loops, None)
            moved = (self._state(some), results.reads_from(words), releases)
            self._known[key] = tuple(each - origin for each in moved)
            return
        after, reads, releases = (each + origin for each in known)
        self._set_state(some, loops, after, reads)
        self._release_rows(some, loops, releases)

    def _state(self, some: Pass) -> Times:
        """All cycles that matter for what comes after a pass, or before it."""
        own = [self._taken, self._issued, self._held, self._done]
        parts: list[Any] = [self._results.state(some), own, self._begun, self._last, self._vectors]
        return np.concatenate(parts)

    def _set_state(self, some: Pass, loops: Loops, state: Times, reads: Times) -> None:
        results, rest = np.split(state, [len(self._results.state(some))])
        self._results.go_on(results.tolist(), reads)
        own, self._begun, self._last, self._vectors = np.split(
            rest, np.cumsum([4, WINDOW_QUEUE, LAST_STEPS])
        )
        self._taken, self._issued, self._held, self._done = own.tolist()
        self._steps = int(loops.steps(some)[-1])

    def _follow(self, some: Pass, loops: Loops, taken: int | None) -> Times:
        """The cycles in which the activations under each ended row are free."""
        if taken is not None:
            first_taken = taken + LAYER_SETTLES
        else:
            after = self._taken + int(some.costs[0, 0])
            first_taken = max(after, self._issued + NEXT_ITEM, self._held)
        steps = loops.steps(some)
        needs = Needs(some, loops, self._activations, self._weights)
        streaming = self._weights.follow(needs.last_word) <= needs.last_word
        if streaming:
            waits = self._stream(some, loops, needs, first_taken)
        else:
            waits = needs.waits(int(self._last[0]) + 1)
        row_ends = slice(len(steps), 0)
        if some.row_end:
            row_ends = slice(
                len(steps) - some.block_windows + len(some.columns) - 1, None, len(some.columns)
            )
            rooms = [self._activations.release_by(words) for words in loops.released_words(some)]
            waits[0, row_ends] = np.maximum(waits[0, row_ends], rooms)
        timing = self._solve(some, loops, steps, waits, first_taken)
        releases = timing.last[0, row_ends] + RELEASE
        self._release_rows(some, loops, releases)
        if some.last_pass:
            self._release_weights(some, loops, timing, None if streaming else needs)
        self._finish(some, loops, timing, steps)
        return releases

    def _release_rows(self, some: Pass, loops: Loops, cycles: Times) -> None:
        if some.row_end:
            for cycle, words in zip(cycles.tolist(), loops.released_words(some), strict=True):
                self._activations.release(cycle, words)

    def _release_weights(
        self, some: Pass, loops: Loops, timing: Timing, needs: Needs | None
    ) -> None:
        """The last use of the weights of a pass. Without `needs` its steps were gone through."""
        windows = slice(some.block_windows - 1, None, some.block_windows)  # the last of each block
        last = timing.last[0, windows][:, None] + RELEASE
        ends = (np.array(some.groups)[:, None] + 1) * loops.schedule.block_words
        if needs is None:
            self._weights.release(last.ravel(), ends.ravel())
            return
        # Each step frees the words before its own as soon as it is next, whether it can be taken or
        # not.
        acts, words = needs.of_last_windows()
        first, order = timing.first[windows][:, None], np.arange(words.shape[1])
        ready = np.maximum(needs.ready(acts, words), first) - order
        taken = np.maximum.accumulate(ready, axis=1) + order
        freed = np.concatenate([first, taken[:, :-1] + 1], axis=1) + RELEASE
        self._weights.release(
            np.concatenate([freed, last], axis=1).ravel(),
            np.concatenate([words, ends], axis=1).ravel(),
        )

    # ---------------------------------------------------------------- the recurrences
    def _solve(self, some: Pass, loops: Loops, s: Times, waits: Times, first_taken: int) -> Timing:
        """The recurrences of the module's docstring, for windows of so many steps."""
        count, width = len(s), len(some.columns)
        heads, tails = slice(0, count, width), slice(width - 1, count, width)  # of the items
        item_places = np.cumsum(some.costs) - some.costs[0, 0]
        own = loops.costs(some)
        apart = own.copy()
        apart[heads] += NEXT_ITEM + FIRST_WINDOW
        late = np.where((s == 1) & (width == 1), ONLY_STEP, 0)
        issue_places, step_places = np.cumsum(apart), np.cumsum(s + late)
        begin_places = np.cumsum(s) - s
        slices, room = self._results.slices(some), self._results.ready(some, self._done + 1)
        vector_places = np.cumsum(slices) - slices
        blocks = slice(0, count, some.block_windows)  # the first windows of the filter blocks
        short = int(s.min()) <= STEPS_AHEAD

        taken = held = first_taken + item_places
        begun = stop = vectors = issued = np.full(count, NEVER)
        while True:
            issued = self._issue(own, issue_places, loops.columns.turn, taken, issued, begun)
            free = np.maximum(issued[tails] + NEXT_ITEM, held)
            new_taken = _chain(_after(first_taken, free), item_places, first_taken)
            new_begun = _chain(
                np.maximum(issued + WINDOW_PIPELINE, stop),
                begin_places,
                int(self._begun[-1]) + self._steps,
            )
            credit = np.concatenate([self._vectors, vectors])[:count] + CREDIT
            enough = np.maximum(
                new_begun + (FIRST_STEP - 1) + s + late, np.maximum(waits[0], credit)
            )
            ends = _chain(enough, step_places, int(self._last[0]))
            first = np.maximum(_after(int(self._last[0]), ends) + 1, new_begun + FIRST_STEP)
            new_held = first[heads] + ITEM_HELD
            new_last = _latest_steps(s, first, ends, waits, self._last, short=short)
            if some.new_blocks:
                constants = self._results.constants(ends[blocks], vectors[blocks])
                room[blocks] = np.maximum(room[blocks], constants + slices[blocks])
            turn = _after(self._done, room)
            new_vectors = _chain(np.maximum(ends + self._datapath - 1, turn), vector_places, NEVER)
            new_stop = _after(int(self._last[STEPS_AHEAD]), new_last[STEPS_AHEAD])
            settled = (
                np.array_equal(taken, new_taken)
                and np.array_equal(held, new_held)
                and np.array_equal(begun, new_begun)
                and np.array_equal(vectors, new_vectors)
                and np.array_equal(stop, new_stop)
            )
            taken, held, begun = new_taken, new_held, new_begun
            vectors, stop = new_vectors, new_stop
            if settled:
                return Timing(taken, held, issued, begun, first, new_last, vectors)

    def _issue(
        self, own: Times, places: Times, turn: int, taken: Times, issued: Times, begun: Times
    ) -> Times:
        """When each window is issued, by what the round before has found; `own` are their costs."""
        count, width = len(own), len(own) // len(taken)
        least = np.concatenate([self._begun, begun])[:count] + QUEUE_ROOM
        first = taken + FIRST_WINDOW
        least[::width] = np.maximum(least[::width], first + own[::width])
        if 0 < turn < width:  # the first windows that know columns
            before = first if turn == 1 else issued[turn - 2 :: width]
            least[turn::width] = np.maximum(
                least[turn::width], before + TURN - WINDOW + own[turn::width]
            )
        return _chain(least, places, self._issued)

    def _finish(self, some: Pass, loops: Loops, timing: Timing, steps: Times) -> None:
        """Results of the pass, and what the next one has to know of it."""
        results = self._results
        results.follow_constants(some, timing.last[0], timing.vectors)
        done = results.done(some, timing.vectors, self._done + 1)
        if some.last_block:
            results.commit(some, done)
        if some.new_blocks and some.last_pass:
            self._weights.release_constants(results.fetched, np.array(some.groups) + 1)
        if some.layer_end:
            self._weights.release_constants(
                np.array([results.marks_done]), np.array([len(loops.blocks)])
            )
        self._taken, self._issued = int(timing.taken[-1]), int(timing.issued[-1])
        self._held = int(timing.held[-1])
        self._begun = np.concatenate([self._begun, timing.begun])[-WINDOW_QUEUE:]
        self._steps = int(steps[-1])
        self._last = timing.last[:, -1].copy()
        self._vectors = np.concatenate([self._vectors, timing.vectors])[-len(self._vectors) :]
        self._done = int(done[-1])

    # ---------------------------------------------------------------- more weights than fit
    def _stream(self, some: Pass, loops: Loops, needs: Needs, first_taken: int) -> Times:
        """What `Needs.waits` says, of a single window whose weights make room for each other."""
        steps = loops.steps(some)
        assert len(steps) == 1, "more weights than fit are those of a single window"
        nothing = np.full((LAST_STEPS, 1), NEVER)
        step = int(self._solve(some, loops, steps, nothing, first_taken).first[0])
        acts, words = (each[0] for each in needs.of_last_windows())
        self._activations.by(needs.last_act)
        taken = np.zeros(0, np.int64)
        while len(taken) < len(words):
            begin = len(taken)
            # The step that is next frees what is before it, also while it waits.
            self._weights.release([step + RELEASE], [int(words[begin])])
            end = int(np.searchsorted(words, self._weights.follow(int(words[-1]))))
            part = slice(begin, end)
            now = _in_turn(needs.ready(acts[part], words[part]), step)
            self._weights.release(now[:-1] + 1 + RELEASE, words[part][1:])
            taken, step = np.concatenate([taken, now]), int(now[-1]) + 1
        for back in range(min(LAST_STEPS, len(taken))):
            nothing[back] = taken[-1 - back]
        return nothing


def _chain(least: Times, places: Times, before: int) -> Times:
    """The earliest cycles that are at least as far apart as places are, none below `least`; place 0
    was at the cycle `before`."""
    chained: Times = np.maximum(np.maximum.accumulate(least - places), before) + places
    return chained


def _after(first: int, values: Times) -> Times:
    """The values, each in the place of the next one."""
    return np.concatenate([[first], values[:-1]])


def _in_turn(ready: Times, first: int) -> Times:
    """Steps, one a cycle from the cycle `first` on, none before it is ready."""
    order = np.arange(len(ready))
    return _chain(np.maximum(ready, first), order, NEVER)


def _latest_steps(
    s: Times, first: Times, ends: Times, waits: Times, before: Times, *, short: bool
) -> Times:
    """(LAST_STEPS, windows): the cycles of the latest steps when each window has ended. Those of a
    window that is `short` go on with the latest of the window before."""
    found: Times = np.maximum(first + s - 1 - np.arange(LAST_STEPS)[:, None], waits)
    found[0] = ends
    if short:
        for back in range(1, LAST_STEPS):
            for steps in range(1, back + 1):
                earlier = _after(int(before[back - steps]), found[back - steps])
                found[back] = np.where(s == steps, earlier, found[back])
    return found
