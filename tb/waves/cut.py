"""A cut through a run: the cycles around one beat, as text for a log and as a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from textwrap import wrap

WIDTH = 100
"""characters of a line of text"""
LEAST_CELL = 4
INDENT = "  "
LOW = "."
"""a bit that is 0: so that one sees those that are 1"""


@dataclass(frozen=True)
class Row:
    """A signal in the cycles of a cut."""

    label: str
    cells: tuple[str, ...]
    """what it shows in each cycle; empty where its value means nothing"""
    group: str = ""
    """what signals of this kind have in common: "results", "array" """
    bit: bool = False
    """drawn as a line that is high or low; its cells are "0", "1" or "x" """


@dataclass(frozen=True)
class Cut:
    """Some cycles of a run, one of which holds the beat in question."""

    title: str
    times: tuple[int, ...]
    """for each cycle the simulation time, in ns, of the clock edge that ends it"""
    wrong: int
    """index of the cycle of the beat"""
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    """sentences on how the value came about"""
    alone: bool = False
    """the layer ran on its own for it, not after those that it failed behind"""
    begun_ns: int | None = None
    """when the first step of the value's window was taken, where that is known"""

    def text(self, width: int = WIDTH) -> str:
        """As many tables, one below the other, as it takes to keep to the width."""
        labels = max(len(row.label) for row in self.rows)
        widest = max((len(cell) for row in self.rows for cell in row.cells), default=0)
        cell = max(LEAST_CELL, widest) + 1
        fitting = max(1, (width - len(INDENT) - labels) // cell)
        pieces = -(-len(self.times) // fitting)
        size = -(-len(self.times) // pieces)
        lines = [f"{self.title}:"]
        for start in range(0, len(self.times), size):
            lines += self._table(self.columns[start : start + size], labels, cell)
        quiet = [row.label for row in self.rows if _quiet(row)]
        for note in [*([f"0 throughout: {', '.join(quiet)}"] if quiet else []), *self.notes]:
            lines += wrap(note, width, initial_indent=INDENT, subsequent_indent=2 * INDENT)
        return "\n".join(lines)

    @property
    def columns(self) -> range:
        """The indices of the cycles."""
        return range(len(self.times))

    def _table(self, columns: Sequence[int], labels: int, cell: int) -> Iterator[str]:
        heads = [f">{0}<" if i == self.wrong else str(i - self.wrong) for i in columns]
        yield _line("cycle", heads, labels, cell)
        shown = [row for row in self.rows if not _quiet(row) and any(row.cells)]
        for group, rows in groupby(shown, key=lambda row: row.group):
            if group:
                yield f"{INDENT}{group}"
            for row in rows:
                cells = [row.cells[i] for i in columns]
                if row.bit:
                    cells = [LOW if text == "0" else text for text in cells]
                yield _line(row.label, cells, labels, cell)


def _quiet(row: Row) -> bool:
    """A bit that is 0 all the time."""
    return row.bit and set(row.cells) == {"0"}


def _line(label: str, cells: Sequence[str], labels: int, cell: int) -> str:
    return (f"{INDENT}{label:{labels}}" + "".join(f"{text:>{cell}}" for text in cells)).rstrip()


# -------------------------------------------------------------------------------- the picture
ROW_HEIGHT, ROW_GAP, MARGIN = 18, 6, 8
CHARACTER = 6.7
"""width of one, at the size of the picture's font"""
SLOPE = 3
"""how far the edges of a value lean"""

STYLE = """\
.cut { font: 11px ui-monospace, monospace; }
.cut text { fill: currentColor; }
.cut .group { font-weight: bold; }
.cut path { fill: none; stroke: currentColor; }
.cut .unknown { stroke: #c00; }
.cut .wrong { fill: #d33; fill-opacity: .18; stroke: none; }"""


def svg(cut: Cut) -> str:
    """The cut as an SVG element, in the colour of the text around it, the beat's cycle in red."""
    labels = MARGIN + CHARACTER * max(len(row.label) + 1 for row in cut.rows)
    widest = max((len(cell) for row in cut.rows for cell in row.cells if not row.bit), default=0)
    cell = max(24.0, CHARACTER * widest + 2 * SLOPE + 4)
    drawn: list[str] = []
    y: float = MARGIN
    for index in cut.columns:
        head = str(index - cut.wrong)
        drawn.append(_text(labels + cell * (index + 0.5), y + 12, head, "middle"))
    y += ROW_HEIGHT
    for group, rows in groupby(cut.rows, key=lambda row: row.group):
        if group:
            drawn.append(_text(MARGIN, y + 13, group, css="group"))
            y += ROW_HEIGHT
        for row in rows:
            if not any(row.cells):
                continue
            drawn.append(_text(MARGIN, y + 13, row.label))
            drawn += _bits(row, labels, y, cell) if row.bit else _values(row, labels, y, cell)
            y += ROW_HEIGHT + ROW_GAP
    for note in cut.notes:
        drawn.append(_text(MARGIN, y + 13, note))
        y += ROW_HEIGHT
    notes = max((CHARACTER * len(note) for note in cut.notes), default=0)
    width, height = max(labels + cell * len(cut.times), notes) + 2 * MARGIN, y + MARGIN
    mark = f'<rect class="wrong" x="{labels + cell * cut.wrong:.1f}" y="{MARGIN}"'
    mark += (
        f' width="{cell:.1f}" height="{height - 2 * MARGIN - ROW_HEIGHT * len(cut.notes):.1f}"/>'
    )
    return (
        f'<svg class="cut" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} '
        f'{height:.0f}" width="{width:.0f}" height="{height:.0f}" role="img">'
        f"<title>{escape(cut.title)}</title><style>{STYLE}</style>{mark}{''.join(drawn)}</svg>"
    )


def _text(x: float, y: float, text: str, anchor: str = "start", css: str = "") -> str:
    of_class = f' class="{css}"' if css else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{of_class}>{escape(text)}</text>'


def _bits(row: Row, x: float, y: float, cell: float) -> Iterator[str]:
    """A line: high for 1, low for 0, red in the middle for x, none where nothing is shown."""
    heights = {"1": y + 2, "0": y + ROW_HEIGHT}
    last = None
    for index, text in enumerate(row.cells):
        if not text:
            last = None
            continue
        left, level = x + cell * index, heights.get(text, y + ROW_HEIGHT / 2)
        step = f"M{left:.1f} {level if last is None else last:.1f}V{level:.1f}h{cell:.1f}"
        unknown = "" if text in heights else ' class="unknown"'
        yield f'<path d="{step}"{unknown}/>'
        last = level


def _values(row: Row, x: float, y: float, cell: float) -> Iterator[str]:
    """A box for each run of cycles that show the same; nothing where nothing is shown."""
    index = 0
    for text, run in groupby(row.cells):
        count = len(list(run))
        left, wide = x + cell * index, cell * count - 2 * SLOPE
        index += count
        if text:
            half = (ROW_HEIGHT - 2) / 2
            yield (
                f'<path d="M{left:.1f} {y + 2 + half:.1f}l{SLOPE} -{half}h{wide:.1f}l{SLOPE} {half}'
                f'l-{SLOPE} {half}h-{wide:.1f}z"/>'
            )
            yield _text(left + cell * count / 2, y + 15, text, "middle")
