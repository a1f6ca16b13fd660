"""What commands show: tables, numbers, a progress bar."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

PATIENCE_SECONDS = 2.0
"""what takes longer shows a progress bar"""
COLOURS = {"PASS": "bold green", "FAIL": "bold red", "REFUSED": "bold yellow"}

Advance = Callable[[str, float, float], None]
"""shows what goes on, how much of it is done, and how much there is"""


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a table; columns whose heading begins with > are aligned to the right."""
    shown = Table(title=escape(title), title_style="bold")
    for column in columns:
        right = column.startswith(">")
        shown.add_column(column.lstrip(">"), justify="right" if right else "left")
    for row in rows:
        shown.add_row(*(_coloured(cell) for cell in row))
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    console.print(shown)


def _coloured(cell: str) -> str:
    colour = COLOURS.get(cell)
    return f"[{colour}]{cell}[/]" if colour else escape(cell)


def number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


@contextlib.contextmanager
def progress_bar(first: str) -> Iterator[Advance]:
    """A bar on stderr that appears when something takes longer; yields what advances it."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    task = bar.add_task(first, total=None)
    timer = threading.Timer(PATIENCE_SECONDS, bar.start)

    def advance(what: str, done: float, total: float) -> None:
        bar.update(task, description=what, total=total or None, completed=done)

    timer.daemon = True
    timer.start()
    try:
        yield advance
    finally:
        timer.cancel()
        if bar.live.is_started:
            bar.stop()
