"""The pictures of docs/: `python docs/figures.py` writes docs/figures/*.svg.

Every shade and every number in them is computed here, from the layer that the pages speak of.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.floating[Any]]

SIZE, TAPS, CHANNELS = 11, 3, 64
INK, PALE, LINE, MARK = "#1f2937", "#6b7280", "#cbd5e1", "#d97706"
POSITIVE, NEGATIVE = (29, 78, 216), (190, 60, 20)
FOLDER = Path(__file__).parent / "figures"


def text(
    x: float,
    y: float,
    words: str,
    size: int = 13,
    colour: str = INK,
    mono: bool = False,
    anchor: str = "middle",
) -> str:
    family = "ui-monospace, Menlo, Consolas, monospace" if mono else "system-ui, sans-serif"
    return (
        f'<text x="{x:g}" y="{y:g}" font-family="{family}" font-size="{size}" fill="{colour}" '
        f'text-anchor="{anchor}">{words}</text>'
    )


def box(
    x: float,
    y: float,
    w: float,
    h: float,
    fill: str = "none",
    stroke: str = LINE,
    width: float = 1,
    dash: str = "",
) -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" fill="{fill}" '
        f'stroke="{stroke}" stroke-width="{width:g}"{dashes}/>'
    )


def arrow(x0: float, y0: float, x1: float, y1: float, colour: str = PALE) -> str:
    return (
        f'<line x1="{x0:g}" y1="{y0:g}" x2="{x1:g}" y2="{y1:g}" stroke="{colour}" '
        'stroke-width="1.5" marker-end="url(#tip)"/>'
    )


def shade(value: float) -> str:
    """The colour of a value from -1 (red) over 0 (white) to 1 (blue)."""
    end, part = (POSITIVE if value > 0 else NEGATIVE), min(abs(value), 1.0)
    return "#" + "".join(f"{round(255 + (c - 255) * part):02x}" for c in end)


def plane(x: float, y: float, values: Array, cell: float) -> str:
    """A (rows, columns) array as shaded cells, its largest magnitude at full colour."""
    rows, columns = values.shape
    scaled = values / max(np.abs(values).max(), 1e-9)
    rects = "".join(
        f'<rect x="{x + j * cell:g}" y="{y + i * cell:g}" width="{cell:g}" height="{cell:g}" '
        f'fill="{shade(float(scaled[i, j]))}"/>'
        for i in range(rows)
        for j in range(columns)
    )
    frame = box(x, y, columns * cell, rows * cell, stroke=INK)
    return f'<g stroke="{LINE}" stroke-width=".5">{rects}</g>{frame}'


def grid(x: float, y: float, cell: float, label: Callable[[int, int], tuple[str, str]]) -> str:
    """SIZE x SIZE cells; label(row, column) gives each one's (words, fill)."""
    out = []
    for i in range(SIZE):
        for j in range(SIZE):
            words, fill = label(i, j)
            out.append(box(x + j * cell, y + i * cell, cell, cell, fill))
            if words:
                out.append(text(x + (j + 0.5) * cell, y + (i + 0.7) * cell, words, 11))
    return "".join([*out, box(x, y, SIZE * cell, SIZE * cell, stroke=INK)])


def the_layer() -> tuple[Array, Array]:
    """An input (11, 11, 64) of discs and a kernel (3, 3, 64, 64) of edge filters."""
    row, column = np.mgrid[:SIZE, :SIZE] - SIZE // 2
    tap: Array = np.arange(TAPS) - 1.0
    turn: Array = np.arange(CHANNELS) * 2.37  # radians: neighbours look in different directions
    discs = [np.hypot(row - 3 * np.sin(a), column - 3 * np.cos(a)) < 2.6 for a in turn]
    angle = turn[:, None] + 0.67 * np.arange(CHANNELS)[None, :]  # (c, o)
    down, right = tap[:, None, None, None], tap[None, :, None, None]
    edges = down * np.sin(angle) + right * np.cos(angle)
    return np.stack(discs, axis=2).astype(float), edges


def planes_of_a_filter(image: Array, weights: Array) -> Array:
    """What each channel adds to one plane: (11, 11, C) and (3, 3, C) give (11, 11, C)."""
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (TAPS, TAPS), axis=(0, 1))
    planes: Array = np.einsum("yxcij,ijc->yxc", windows, weights)
    return planes


def taps_inside() -> NDArray[np.int64]:
    """How many of a window's nine taps lie inside the image, (11, 11)."""
    along = np.array([sum(0 <= y + k - 1 < SIZE for k in range(TAPS)) for y in range(SIZE)])
    return np.outer(along, along)


def stacking() -> str:
    """What one filter does: 64 planes, added into one."""
    image, kernel = the_layer()
    planes = planes_of_a_filter(image, kernel[..., 0])
    cell, side = 8, 8 * SIZE
    columns = {"input": 34, "filter": 164, "planes": 246, "sum": 440, "output": 632}
    out = []
    for column, title, shape in (
        ("input", "input", "(11, 11, 64)"),
        ("filter", "filter o", "(3, 3, 64)"),
        ("planes", "64 planes", "(11, 11, 64)"),
        ("sum", "added: plane o", "(11, 11)"),
        ("output", "64 filters: output", "(11, 11, 64)"),
    ):
        x = columns[column] + {"filter": 18, "output": side / 2 + 18}.get(column, side / 2)
        out += [text(x, 30, title), text(x, 47, shape, 12, PALE, mono=True)]

    middle = 62 + side + 20
    for row, channel in enumerate((0, 1, CHANNELS - 1)):
        y = 62 + row * (side + 14) + (20 if row == 2 else 0)
        centre = y + side / 2
        out += [
            text(16, centre + 4, f"c={channel}", 11, PALE),
            plane(columns["input"], y, image[..., channel], cell),
            text(143, centre + 5, "∗", 18),
            plane(columns["filter"], centre - 18, kernel[..., channel, 0], 12),
            text(224, centre + 5, "=", 18),
            plane(columns["planes"], y, planes[..., channel], cell),
            arrow(columns["planes"] + side + 10, centre, 430, middle + side / 2 + (row - 1) * 9),
        ]
    for x in (columns["input"] + side / 2, columns["filter"] + 18, columns["planes"] + side / 2):
        out.append(text(x, 62 + 2 * (side + 14) + 8, "⋮", 16, PALE))
    out += [
        text(396, middle - 22, "+", 20),
        text(396, middle + side + 36, "+", 20),
        plane(columns["sum"], middle, planes.sum(axis=2), cell),
        arrow(columns["sum"] + side + 14, middle + side / 2, 622, middle + side / 2),
        text(575, middle + side / 2 - 10, "every o", 12, PALE),
    ]
    for depth in (3, 2, 1, 0):
        result = planes_of_a_filter(image, kernel[..., 20 * depth]).sum(axis=2)
        out.append(plane(columns["output"] + 12 * depth, middle - 12 * depth, result, cell))
    return figure(790, 62 + 3 * (side + 14) + 26, out)


def products() -> str:
    """Trap (a): a window and a filter of the same shape, multiplied one by one and added."""
    image, kernel = the_layer()
    window, weights = image[3:6, 6:9], kernel[..., 0]
    out = []
    for x, values, name in (
        (40, window, "window"),
        (200, weights, "kernel[..., o]"),
        (360, window * weights, "products"),
    ):
        for depth, channel in ((3, CHANNELS - 1), (2, 2), (1, 1), (0, 0)):
            out.append(plane(x + 9 * depth, 50 - 9 * depth, values[..., channel], 22))
        out.append(text(x + 46, 138, name, 12, mono=True))
        out.append(text(x + 46, 156, "(3, 3, 64)", 12, PALE, mono=True))
    out += [
        text(162, 90, "∗", 20),
        text(322, 90, "=", 20),
        arrow(472, 84, 548, 84),
        text(510, 74, "sum", 13),
        box(562, 70, 28, 28, shade(0.6), INK),
        text(576, 138, "out[y, x, o]", 12, mono=True),
        text(576, 156, f"{weights.size} products, added", 12, PALE),
    ]
    return figure(680, 176, out)


def same() -> str:
    """Trap (b): which window belongs to which output, and how many taps it has."""
    cell, top = 20, 64
    side = SIZE * cell
    below = top + side + cell + 22
    out = []
    for at, x, title, caption in (
        (0, 50, "out[0, 0]", "sees in[:2, :2] and five zeros of padding"),
        (1, 330, "out[1, 1]", "sees in[:3, :3]"),
    ):

        def fill(i: int, j: int, at: int = at) -> tuple[str, str]:
            seen = max(abs(i - at), abs(j - at)) <= 1
            return "", "#fcd34d" if i == j == at else "#fef3c7" if seen else "#ffffff"

        corner = (at - 1) * cell
        out += [
            box(x - cell, top - cell, side + 2 * cell, side + 2 * cell, "#f8fafc", dash="4 3"),
            grid(x, top, cell, fill),
            box(x + corner, top + corner, 3 * cell, 3 * cell, stroke=MARK, width=3),
            text(x + side / 2, 28, title, 14, mono=True),
            text(x + side / 2, below, caption, 12, PALE),
        ]
    inside = taps_inside()
    fills = {4: "#bfdbfe", 6: "#dbeafe", 9: "#ffffff"}
    total = f"{inside.sum()} of {SIZE * SIZE * TAPS * TAPS:,}"
    out += [
        grid(610, top, cell, lambda i, j: (str(inside[i, j]), fills[int(inside[i, j])])),
        text(610 + side / 2, 28, "taps inside the image", 14),
        text(610 + side / 2, below, total, 12, PALE),
    ]
    return figure(862, below + 18, out)


def kernel() -> str:
    """Trap (c): the kernel is one 3x3 for each pair of an input and an output channel."""
    _, weights = the_layer()
    step, x0, y0 = 52, 96, 72
    shown = (0, 1, 2, None, CHANNELS - 1)
    out = []
    for i, c in enumerate(shown):
        for j, o in enumerate(shown):
            x, y = x0 + j * step, y0 + i * step
            if c is not None and o is not None:
                out.append(plane(x, y, weights[..., c, o], 11))
            else:
                dots = "⋮" if o is not None else "⋯" if c is not None else "⋱"
                out.append(text(x + 16, y + 22, dots, 16, PALE))
        if c is not None:
            out.append(text(x0 - 16, y0 + i * step + 21, f"c={c}", 12, PALE, anchor="end"))
            out.append(text(x0 + i * step + 16, y0 - 14, f"o={c}", 12, PALE))
    out.append(box(x0 + 4 * step - 8, y0 - 32, 49, 5 * step + 18, stroke=MARK, width=2))
    out.append(text(x0 + 2 * step + 16, 26, "kernel (3, 3, 64, 64)", 13, mono=True))
    for y, words, colour in (
        (36, "a column is one filter, (3, 3, 64):", MARK),
        (54, "it makes one plane of the output", MARK),
        (190, f"{CHANNELS} * {CHANNELS} = {CHANNELS**2:,} squares of 3x3,", INK),
        (208, "whatever the size of the image", INK),
    ):
        out.append(text(x0 + 5 * step + 8, y0 + y, words, colour=colour, anchor="start"))
    return figure(680, y0 + 5 * step + 12, out)


def figure(width: float, height: float, parts: list[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}">'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="{PALE}"/></marker></defs>'
        f'<rect width="100%" height="100%" rx="8" fill="#ffffff"/>{"".join(parts)}</svg>\n'
    )


FIGURES = {draw.__name__: draw for draw in (stacking, products, same, kernel)}

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, draw in FIGURES.items():
        (FOLDER / f"{name}.svg").write_text(draw())
