"""The message of a failure in its parts, so that each can be shown as what it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

MAP_TITLE = re.compile(r"(frame \d+, )?wrong in .*\(\. none, - few")
SHADES = {".": "none", "-": "few", "+": "many", "#": "all"}
CELL = 12


@dataclass(frozen=True)
class Failure:
    """What is said of something wrong."""

    name: str
    sentences: Sequence[str]
    """what is wrong, and what it looks like"""
    picture: str = ""
    """where the wrong values are, as SVG"""
    caption: str = ""
    cut: str = ""
    """the cycles around the first wrong beat, as text"""
    command: str = ""
    """what shows it again"""
    waves: str = ""
    """the cycles as SVG, see `conv_core.tb.waves.cut`"""


def failure_of(name: str, message: str, command: str, waves: str = "") -> Failure:
    """The parts of a message of the scoreboard's; `waves` is the picture of the cycles, if any."""
    sentences: list[str] = []
    lines = message.splitlines()
    picture, caption, cut = "", "", ""
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if MAP_TITLE.match(line):
            rows = []
            while number < len(lines) and re.fullmatch(r"  [.+#-]+", lines[number]):
                rows.append(lines[number].strip())
                number += 1
            picture, caption = map_picture(rows), line.rstrip(":")
        elif re.match(r"  cycle\s", lines[number] if number < len(lines) else ""):
            rest = [line]
            while number < len(lines) and lines[number].startswith("  "):
                rest.append(lines[number])
                number += 1
            cut = "\n".join(rest)
        else:
            sentences.append(line)
    return Failure(name, sentences, picture, caption, cut, command, Markup(waves))


def map_picture(rows: Sequence[str]) -> str:
    """A difference map, in characters, as SVG: a square for each place."""
    if not rows:
        return ""
    width, height = CELL * max(map(len, rows)), CELL * len(rows)
    squares = [
        f'<rect class="{SHADES[shade]}" x="{CELL * x}" y="{CELL * y}" '
        f'width="{CELL - 1}" height="{CELL - 1}"/>'
        for y, row in enumerate(rows)
        for x, shade in enumerate(row)
    ]
    return Markup(
        f'<svg class="map" role="img" aria-label="where the wrong values are" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f"{''.join(squares)}</svg>"
    )
