"""What `walk` is to do with a layer's items: every step, and the cycle in which it is taken.

Written from the definition: a window's taps are looked at one by one, a packed row byte by byte.
`Times` is the account of the cycles, by recurrences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import gcd

import numpy as np

QUEUE = 16
"""windows that wait"""
LARGE_BLOCK = 1 << 21
"""weight words; a block is smaller than twice that"""
RELEASE = 5
"""cycles from a step to what it releases"""


@dataclass(frozen=True)
class WalkLayer:
    """What a layer says about its rows; channels are those of the image, a run has `run_bytes`."""

    packed: bool
    depthwise: bool
    spread: int
    width: int
    channels: int
    taps: int
    stride: int
    dilation: int
    run_bytes: int
    dilation_span: int
    pixel_bytes: int
    zero_point: int
    lanes: int

    @property
    def run_words(self) -> int:
        return -(-self.run_bytes // self.lanes)

    @property
    def row_words(self) -> int:
        return self.run_words * (1 if self.packed or self.depthwise else self.taps)

    @property
    def phases(self) -> int:
        return self.dilation // gcd(self.stride, self.dilation) if self.depthwise else 1

    @property
    def seen(self) -> int:
        if not self.depthwise:
            return 0
        return max(self.taps - self.phases * self.stride // self.dilation, 0)

    def numbers(self) -> dict[str, int]:
        """The broadcast, by the names of layer_numbers.vh."""
        return {
            "MODE": self.packed << 2
            | self.depthwise << 3
            | self.spread << 4
            | (self.phases - 1) << 6,
            "IN_ZERO_POINT": self.zero_point,
            "WIDTH": self.width,
            "TAPS_X": self.taps,
            "STRIDE_X": self.stride,
            "DILATION_X": self.dilation,
            "ROW_BYTES": self.width * self.channels,
            "STRIDE_BYTES": self.stride * self.channels,
            "TAP_BYTES": self.dilation * self.channels,
            "RUN_BYTES": self.run_bytes,
            "RUN_WORDS": self.run_words,
            "PIXEL_BYTES": self.pixel_bytes,
            "SEEN": self.seen,
            "SEEN_COLS": self.seen * self.dilation,
            "SEEN_BYTES": self.seen * self.dilation * self.channels,
            "DILATION_SPAN": self.dilation_span,
            "KERNEL_ROW_WORDS": self.row_words,
        }


@dataclass(frozen=True)
class WalkItem:
    """One filter block on the columns of one output row."""

    taps: int  # kernel rows inside
    cols: int
    col: int
    act: int
    wgt: int
    out: int
    act_release: int
    wgt_release: int
    flags: dict[str, int]  # by the names of item_numbers.vh

    def numbers(self, layer: WalkLayer) -> dict[str, int]:
        """The item bus, by the names of item_numbers.vh; the flags last."""
        return {
            "ITEM_TAPS": self.taps,
            "ITEM_COLS": self.cols,
            "ITEM_COL": self.col,
            "ITEM_OFFSET": self.col * layer.channels,
            "ITEM_ACT": self.act,
            "ITEM_WGT": self.wgt,
            "ITEM_OUT": self.out,
            "ITEM_ACT_RELEASE": self.act_release,
            "ITEM_WGT_RELEASE": self.wgt_release,
        }


@dataclass(frozen=True)
class WalkStep:
    """A step; what does not matter is None: lanes and addresses where no lane is inside."""

    last: bool
    multiply: bool
    any: bool
    act: int | None = None
    lanes: tuple[int, int] | None = None
    wgt: int | None = None
    row: int | None = None
    clear: bool | None = None


@dataclass(frozen=True)
class WalkWindow:
    """A window: its steps, its place in the item, the cycles it takes in windows.v besides 1."""

    steps: list[WalkStep]
    item: int
    first: bool
    last: bool
    outside: int
    turn: bool  # depthwise: the first after those that know nothing
    out: int


def windows_of(layer: WalkLayer, item: WalkItem, index: int) -> Iterator[WalkWindow]:
    for n in range(item.cols):
        column = item.col + n * layer.stride
        steps, outside = _steps(layer, item, column, n)
        yield WalkWindow(
            steps=steps,
            item=index,
            first=n == 0,
            last=n == item.cols - 1,
            outside=outside,
            turn=layer.depthwise and n == layer.phases,
            out=item.out + n * layer.pixel_bytes,
        )


def _steps(layer: WalkLayer, item: WalkItem, column: int, n: int) -> tuple[list[WalkStep], int]:
    columns = [column + tap * layer.dilation for tap in range(layer.taps)]
    if layer.depthwise:
        return _depthwise_steps(layer, item, columns, n)
    reads: list[tuple[int, int, int, int]] = []  # bytes from the row's start, lanes, weight word
    size = layer.width * layer.channels
    outside = 0
    if layer.packed:
        start = column * layer.channels
        inside = [p for p in range(layer.run_bytes) if 0 <= start + p < size]
        for chunk in sorted({p // layer.lanes for p in inside}):
            lanes = [p % layer.lanes for p in inside if p // layer.lanes == chunk]
            reads.append((start + chunk * layer.lanes, lanes[0], lanes[-1], chunk))
    else:
        for tap, place in enumerate(columns):
            if not 0 <= place < layer.width:
                outside += 1
                continue
            for chunk in range(layer.run_words):
                begin = chunk * layer.lanes
                last = min(layer.lanes, layer.run_bytes - begin) - 1
                offset = place * layer.channels + begin
                reads.append((offset, 0, last, tap * layer.run_words + chunk))
    if not item.taps:
        return [WalkStep(last=True, multiply=True, any=False)], 0
    if not reads:
        return [WalkStep(last=True, multiply=True, any=False)], outside
    count = item.taps * len(reads)
    steps = []
    for row in range(item.taps):
        for offset, first_lane, last_lane, word in reads:
            steps.append(
                WalkStep(
                    last=len(steps) == count - 1,
                    multiply=True,
                    any=True,
                    act=item.act + row * layer.dilation_span + offset,
                    lanes=(first_lane, last_lane),
                    wgt=item.wgt + row * layer.row_words + word,
                )
            )
    return steps, outside


def _depthwise_steps(
    layer: WalkLayer, item: WalkItem, columns: list[int], n: int
) -> tuple[list[WalkStep], int]:
    """The columns that are new; the first windows begin inside the image, or with its last column
    outside if all are to its left."""
    fresh = n < layer.phases
    phase = n % layer.phases
    columns = columns if fresh else columns[layer.seen :]
    if not item.taps:
        return [WalkStep(last=True, multiply=True, any=False)], 0
    outside = sum(not 0 <= place < layer.width for place in columns)
    if fresh:
        columns = [place for place in columns if place >= 0] or columns[-1:]
    memory = (phase & 1) << 3 if item.taps > 4 else phase << 2
    steps: list[WalkStep] = []
    for row in range(item.taps):
        for index, place in enumerate(columns):
            inside = 0 <= place < layer.width
            last = index == len(columns) - 1
            lane = item.flags["ITEM_LAST_FILTER"] >> layer.spread
            steps.append(
                WalkStep(
                    last=last and row == item.taps - 1,
                    multiply=last,
                    any=inside,
                    act=item.act + row * layer.dilation_span + place * layer.channels
                    if inside
                    else None,
                    lanes=(0, lane) if inside else None,
                    wgt=item.wgt + row * layer.row_words,
                    row=memory | (item.taps - 1 - row),
                    clear=fresh and index == 0,
                )
            )
    return steps, outside


@dataclass(frozen=True)
class Taken:
    """A step, when it came to the gate and when it was taken; from when it had what it needs."""

    window: WalkWindow
    step: WalkStep
    came: int
    act: int
    wgt: int
    taken: int


class Times:
    """The cycle of each event. An item is taken when it is valid, the windows of the one before
    have gone and the gate has begun that one; everything else follows."""

    def __init__(self) -> None:
        self.issued: list[int] = []  # windows that went to the queue, or left it
        self.popped: list[int] = []
        self.moved = -10  # the last step from steps.v to gate.v, and the last one taken
        self.taken = -10
        self.begun = -10  # the first step of the item before came to the gate

    def layer(self, item_valid: int, layer_valid: int) -> int:
        """When the next layer is taken; its first item is valid two cycles later."""
        return max(item_valid, layer_valid, self.taken + 1)

    def item(self, valid: int) -> int:
        """When the next item is taken."""
        return max(valid, self.issued[-1] + 1 if self.issued else 0, self.begun + 2)

    def windows(
        self,
        taken: int,
        windows: Sequence[WalkWindow],
        act_ready: Callable[[WalkWindow, WalkStep], int],
        wgt_ready: Callable[[WalkWindow, WalkStep], int],
        credit: Callable[[int], int],
    ) -> Iterator[Taken]:
        """The steps of an item. `act_ready` and `wgt_ready`: the first cycle in which a step may be
        taken for what has arrived; `credit`: the same of the n-th window's last step."""
        advance = taken + 1
        for window in windows:
            advance = max(advance + 1 + window.turn, self.issued[-1] if self.issued else 0)
            n = len(self.issued)
            room = self.popped[n - QUEUE] + 2 if n >= QUEUE else 0
            self.issued.append(max(advance + 1 + window.outside, room))
            popped = max(self.issued[-1] + 2, self.moved)
            self.popped.append(popped)
            entered = popped + 1
            for index, step in enumerate(window.steps):
                self.moved = max(entered, self.taken)
                if window.first and index == 0:
                    self.begun = self.moved - 1
                came = self.moved + 1
                act = max(act_ready(window, step), came)
                if window.first and window.last and len(window.steps) == 1:
                    act = max(act, came + 1)
                wgt = max(wgt_ready(window, step), came)
                self.taken = max(act, wgt, credit(n) if step.last else 0)
                entered = self.moved + 1
                yield Taken(window, step, came, act, wgt, self.taken)


def random_layer(rng: np.random.Generator, lanes: int, act_bytes: int) -> WalkLayer:
    """A layer of any kind, a few of its rows together at most the buffer."""
    kind = rng.choice(["packed", "generic", "depthwise"])
    depthwise = kind == "depthwise"
    dilation = 1 if kind == "packed" else int(rng.integers(1, 5))
    most = min(lanes, 11) if depthwise else 31
    taps = int(rng.integers(1, most + 1)) if rng.random() < 0.6 else int(rng.integers(1, 4))
    channels = int(rng.integers(1, 3 * lanes if rng.random() < 0.6 else 4))
    width = int(rng.integers(1, max(2, min(40, act_bytes // 4 // channels))))
    span = (
        channels if kind == "packed" or rng.random() < 0.5 else int(rng.integers(1, channels + 1))
    )
    run_bytes = span * (taps if kind == "packed" else 1)
    if depthwise:
        run_bytes = min(channels, lanes)
    return WalkLayer(
        packed=kind == "packed",
        depthwise=depthwise,
        spread=int(rng.integers(0, 3)) if depthwise else 0,
        width=width,
        channels=channels,
        taps=taps,
        stride=int(rng.integers(1, 5)),
        dilation=dilation,
        run_bytes=run_bytes,
        dilation_span=width * channels,
        pixel_bytes=int(rng.integers(1, 50)),
        zero_point=int(rng.integers(-128, 128)),
        lanes=lanes,
    )


def random_items(
    rng: np.random.Generator, layer: WalkLayer, act: int, wgt: int, act_bytes: int
) -> list[WalkItem]:
    """Items of a layer whose frame begins at `act` and whose weights begin at `wgt`."""
    count = int(rng.integers(1, 7))
    most_rows = max(1, min(act_bytes // layer.dilation_span, {1: 16, 2: 8}.get(layer.phases, 4)))
    large = rng.random() < 0.1  # blocks of which nothing is read
    if large:
        count = min(count, 3)  # counts must tell which is ahead
    block_words = LARGE_BLOCK if large else most_rows * layer.row_words
    reach = layer.taps * layer.dilation
    items = []
    for index in range(count):
        taps = int(rng.integers(0, most_rows + 1)) if rng.random() < 0.6 else 1
        if rng.random() < 0.2:
            taps = min(5, most_rows)  # the least that takes half the tap memory
        col = int(rng.integers(-reach - 2, 3))
        if rng.random() < 0.1:
            col = int(rng.integers(-300, layer.width + 300))
        release = act + int(rng.integers(0, 6 * act_bytes if rng.random() < 0.2 else act_bytes))
        flag = {name: int(rng.random() < 0.5) for name in ("LAST_BLOCK", "NEW_BLOCK", "LAST_PASS")}
        filters = int(rng.integers(0, 32))
        if layer.depthwise:
            filters = int(rng.integers(0, min(32, layer.lanes << layer.spread)))
        flags = {
            **{f"ITEM_{name}": value for name, value in flag.items()},
            "ITEM_LAYER_END": int(index == count - 1),
            "ITEM_FINAL": int(rng.random() < 0.4),
            "ITEM_ROW_END": int(rng.random() < 0.5),
            "ITEM_FIRST": int(index == 0),
            "ITEM_LAST_FILTER": filters,
        }
        begin = wgt + index * block_words
        items.append(
            WalkItem(
                taps=0 if large else taps,
                cols=int(rng.integers(1, 40 if rng.random() < 0.3 else 8)),
                col=col,
                act=act,
                wgt=begin,
                out=int(rng.integers(0, 1000)),
                act_release=release,
                wgt_release=begin + block_words,
                flags=flags,
            )
        )
    return items
