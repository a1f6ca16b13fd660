"""What the set-up must derive from a descriptor, and how long it takes: plain arithmetic."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import astuple, dataclass

FIELD, ACT_BUFFER, WGT_BUFFER, CONST_BUFFER, OUT_BUFFER = 1, 2, 3, 4, 5
MODES = (0, 1, 0x101, 3)
"""int32 results, and int8 by `tflite`, `single` and `float`, which a core may lack"""
IN_SIZE, CHANNELS, OUT_SIZE, BATCH, KERNEL, PADS, QUANT, MODE = range(0x40, 0x60, 4)
PACKED, DEPTHWISE, SPREAD, PHASES = 4, 8, 4, 6

LEAST_CYCLES = 245
GROUPS_CYCLES = 94
"""more if there are channel groups"""
JOIN_CYCLES = 14
"""more for each halving from the lanes to the groups that are joined"""
HALVING_CYCLES = 12
"""more for each halving of the column block"""
BAND_CYCLES = 26
"""more for each doubling of the band that is tried"""


@dataclass(frozen=True)
class Core:
    """The parameters of `layer_setup`, in the order of their Verilog names below."""

    lanes_in: int = 8
    lanes_out: int = 8
    act_bytes: int = 65536
    wgt_words: int = 2048
    const_words: int = 1024
    out_bytes: int = 16384
    wgt_stream_bytes: int = 8
    float_rule: int = 1

    @property
    def band_windows(self) -> int:
        """Windows that take as long as a word for each filter takes on the stream, twice."""
        return 2 * self.lanes_out * (self.lanes_in // self.wgt_stream_bytes)

    @property
    def block_constants(self) -> int:
        """Words of constants of a filter block: ten bytes a lane."""
        return -(-10 * self.lanes_out // self.lanes_in)

    def parameters(self) -> dict[str, int]:
        """By their Verilog names."""
        names = ("LANES_IN", "LANES_OUT", "ACT_BYTES", "WGT_WORDS", "CONST_WORDS", "OUT_BYTES")
        return dict(zip((*names, "WGT_STREAM_BYTES", "FLOAT_RULE"), astuple(self), strict=True))


@dataclass(frozen=True)
class Fields:
    """A descriptor. Pairs are (vertical, horizontal), as in (H, W)."""

    size: tuple[int, int] = (11, 11)
    channels: tuple[int, int] = (64, 64)
    """(Cout, Cin)"""
    out: tuple[int, int] = (11, 11)
    batch: tuple[int, int] = (1, 1)
    """(channel groups, frames)"""
    kernel: tuple[int, int] = (3, 3)
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    pads: tuple[int, int] = (1, 1)
    """(top, left)"""
    zero_points: tuple[int, int] = (0, 0)
    """(output, input)"""
    clamp: tuple[int, int] = (127, -128)
    """(largest, smallest)"""
    mode: int = 1
    spare: int = 0
    """bits of KERNEL that mean nothing"""

    def words(self) -> list[int]:
        """Registers 0x40 to 0x5C."""

        def halves(pair: tuple[int, int]) -> int:
            return pair[0] << 16 | pair[1]

        kernel = self.spare | self.kernel[0] << 8 | self.kernel[1]
        for at, pair in ((16, self.stride), (24, self.dilation)):
            kernel |= pair[0] << at + 4 | pair[1] << at
        quant = 0
        for value in (*self.clamp, *self.zero_points):
            quant = quant << 8 | value & 255
        sizes = (self.size, self.channels, self.out, self.batch)
        return [*map(halves, sizes), kernel, halves(self.pads), quant, self.mode]


@dataclass(frozen=True)
class SetUp:
    """What comes of a descriptor: numbers by name and cycles, or an error."""

    numbers: dict[str, int]
    cycles: int
    error: tuple[int, int] | None = None
    """code and detail"""


def set_up(fields: Fields, core: Core) -> SetUp:
    """Numbers, cycles and the first error of a descriptor.

    Of several things that are wrong the first is told: the fields, each group in the order of the
    registers; then what the image, its windows, its filters and its results need.
    """
    error = next(_bad_fields(fields, core), None)
    if error:
        return SetUp({}, 0, error)
    layer = _Layer(fields, core)
    error = next(layer.shortages(), None)
    return SetUp({}, 0, error) if error else SetUp(layer.numbers(), layer.cycles())


def _bad_fields(f: Fields, core: Core) -> Iterator[tuple[int, int]]:
    for pair, at in (
        (f.size, IN_SIZE),
        (f.channels, CHANNELS),
        (f.out, OUT_SIZE),
        (f.batch, BATCH),
    ):
        if 0 in pair:
            yield FIELD, at
    sides = all(1 <= side <= 31 for side in f.kernel)
    steps = all(1 <= step <= 4 for step in (*f.stride, *f.dilation))
    if not sides or not steps or f.spare:
        yield FIELD, KERNEL
    if f.channels[1] % f.batch[0]:
        yield FIELD, BATCH
    if f.mode not in MODES[: 3 + core.float_rule]:
        yield FIELD, MODE
    if f.mode & 1 and f.clamp[0] < f.clamp[1]:
        yield FIELD, QUANT


class _Layer:
    def __init__(self, fields: Fields, core: Core) -> None:
        self.f, self.core = fields, core
        (self.h, self.w), (self.cout, self.cin) = fields.size, fields.channels
        (self.oh, self.ow), (self.groups, self.frames) = fields.out, fields.batch
        (self.kh, self.kw), (self.sy, self.sx) = fields.kernel, fields.stride
        (self.dy, self.dx), (self.top, self.left) = fields.dilation, fields.pads
        self.row = self.w * self.cin
        self.pixel = self.cout * (1 if fields.mode & 1 else 4)
        self.reach = (self.kh - 1) * self.dy
        self.window = min(self.reach + 1, self.h) * self.row
        self._blocks_of_filters()
        self._blocks_of_results()

    def _blocks_of_filters(self) -> None:
        core = self.core
        inputs, filters = self.cin // self.groups, self.cout // self.groups
        gcd = math.gcd(self.dx, self.sx)
        self.phases = self.dx // gcd
        self.depthwise = (
            inputs == 1 < self.groups
            and filters in (1, 2, 4)
            and self.kw <= min(core.lanes_in, 11)
            and self.kh <= {1: 16, 2: 8, 3: 4, 4: 4}[self.phases]
        )
        self.lanes = min(core.lanes_in, core.lanes_out) if self.depthwise else core.lanes_out
        self.joined = 1
        while 2 * self.joined * filters <= self.lanes and 2 * self.joined <= self.groups:
            self.joined *= 2
        self.span, self.span_filters = self.joined * inputs, self.joined * filters
        self.filters = filters
        spans = -(-self.groups // self.joined)
        self.blocks = spans * -(-self.span_filters // core.lanes_out)
        self.packed = not self.depthwise and self.dx == 1 and self.span == self.cin
        self.run = self.span * self.kw if self.packed else self.span
        self.run_words = -(-self.run // core.lanes_in)
        runs = 1 if self.packed or self.depthwise else self.kw
        self.kernel_row_words = self.run_words * runs
        self.block_words = self.kernel_row_words * self.kh
        self.seen = max(self.kw - self.sx // gcd, 0) if self.depthwise else 0

    def _blocks_of_results(self) -> None:
        core = self.core
        self.columns, self.halvings = self.ow, 0
        while self.columns > 1 and self.columns * self.pixel > core.out_bytes // 2:
            self.columns, self.halvings = -(-self.columns // 2), self.halvings + 1
        self.words = self.blocks * self.block_words
        self.constants = self.blocks * core.block_constants
        stays = self.words <= core.wgt_words and self.constants <= core.const_words
        self.band, self.tries = 1, 0
        while self.columns == self.ow and self.band < self.oh:
            self.tries += 1
            wider = min(2 * self.band, self.oh)
            if stays and self.band * self.ow >= core.band_windows:
                break
            if wider * self.ow * self.pixel > core.out_bytes // 2:
                break
            if self.window + 2 * wider * self.sy * self.row > core.act_bytes:
                break
            self.band = wider
        whole = self.columns == self.ow and self.band >= self.oh
        self.single_band = self.frames == 1 and whole

    def shortages(self) -> Iterator[tuple[int, int]]:
        """Everything that is refused of a layer whose fields make sense, the first first."""
        core = self.core
        if self.row * self.h >= 1 << 32:
            yield FIELD, IN_SIZE
        if self.window > core.act_bytes - core.lanes_in:
            yield ACT_BUFFER, 0
        for size, pad, reach, windows, stride in (
            (self.h, self.top, self.reach, self.oh, self.sy),
            (self.w, self.left, (self.kw - 1) * self.dx, self.ow, self.sx),
        ):
            if size + pad - reach - 1 - (windows - 1) * stride >= stride:
                yield FIELD, OUT_SIZE
        if self.cin * self.sx * self.ow >= 1 << 24:
            yield FIELD, OUT_SIZE
        if self.cin * self.left >= 1 << 24:
            yield FIELD, PADS
        if self.cout % self.groups:
            yield FIELD, BATCH
        if self.block_words >= 1 << 22:
            yield WGT_BUFFER, 0
        if self.pixel > core.out_bytes - 2 * core.lanes_out:
            yield OUT_BUFFER, 0
        if self.pixel * self.ow >= 1 << 26 or self.pixel * self.ow * self.oh >= 1 << 32:
            yield FIELD, OUT_SIZE
        if not self.single_band and self.words > core.wgt_words:
            yield WGT_BUFFER, 0
        if not self.single_band and self.constants > core.const_words:
            yield CONST_BUFFER, 0
        if (self.oh, self.ow) != (1, 1) and self.block_words > core.wgt_words:
            yield WGT_BUFFER, 0

    def cycles(self) -> int:
        """From the cycle in which the descriptor is offered to that in which the layer is."""
        groups = 0
        if self.groups > 1:
            groups = GROUPS_CYCLES + JOIN_CYCLES * int(math.log2(self.lanes // self.joined))
        halvings, tries = HALVING_CYCLES * self.halvings, BAND_CYCLES * self.tries
        return LEAST_CYCLES + groups + halvings + tries

    def numbers(self) -> dict[str, int]:
        """All that is broadcast, signed, by the names of layer_numbers.vh."""
        f = self.f
        mode = f.mode | PACKED * self.packed
        if self.depthwise:
            spread = self.filters.bit_length() - 1
            mode |= DEPTHWISE | spread << SPREAD | (self.phases - 1) << PHASES
        lanes, frame = self.core.lanes_in, self.row * self.h
        known = {
            "MODE": mode,
            "IN_ZERO_POINT": f.zero_points[1] & 255,
            "OUT_ZERO_POINT": f.zero_points[0] & 255,
            "SMALLEST": f.clamp[1] & 255,
            "LARGEST": f.clamp[0] & 255,
            "WIDTH": self.w,
            "TAPS_X": self.kw,
            "STRIDE_X": self.sx,
            "DILATION_X": self.dx,
            "ROW_BYTES": self.row,
            "FRAME_BYTES": frame,
            "STRIDE_BYTES": self.sx * self.cin,
            "TAP_BYTES": self.dx * self.cin,
            "RUN_BYTES": self.run,
            "RUN_WORDS": self.run_words,
            "BLOCKS": self.blocks,
            "PIXEL_BYTES": self.pixel,
            "OUT_FRAME_BYTES": self.pixel * self.ow * self.oh,
            "SEEN": self.seen,
            "SEEN_COLS": self.seen * self.dx,
            "SEEN_BYTES": self.seen * self.dx * self.cin,
            "FRAMES": self.frames,
            "OUT_HEIGHT": self.oh,
            "BAND_ROWS": self.band,
            "OUT_WIDTH": self.ow,
            "COLUMN_BLOCK": self.columns,
            "OUT_CHANNELS": self.cout,
            "SPAN_FILTERS": self.span_filters,
            "SPAN": self.span,
            "LAST_CHANNEL": self.cin - self.span,
            "TAPS_Y": self.kh,
            "HEIGHT": self.h,
            "STRIDE_Y": self.sy,
            "DILATION_Y": self.dy,
            "REACH_Y": self.reach,
            "COLUMN_BLOCK_BYTES": self.columns * self.pixel,
            "OUT_ROW_BYTES": self.ow * self.pixel,
            "FIRST_ROW": -self.top,
            "FIRST_COL": -self.left,
            "FIRST_OFFSET": -self.left * self.cin,
            "FIRST_ACT": -self.top * self.row,
            "FRAME_SPAN": -(-frame // lanes) * lanes,
            "STRIDE_SPAN": self.sy * self.row,
            "DILATION_SPAN": self.dy * self.row,
            "KERNEL_ROW_WORDS": self.kernel_row_words,
            "BLOCK_WORDS": self.block_words,
            "COLUMN_BLOCK_POS": self.columns * self.sx,
            "COLUMN_BLOCK_OFFSET": self.columns * self.sx * self.cin,
        }
        return {name: value % (1 << 32) for name, value in known.items()}
