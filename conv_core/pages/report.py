"""`report`: all that was run, on one page that needs nothing but itself."""

from __future__ import annotations

import argparse
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from conv_core.models.files import write_whole
from conv_core.pages.failures import Failure, failure_of
from conv_core.pages.outcomes import TESTS, Outcome, kept
from conv_core.tb.paths import BUILD, PACKAGE

TEMPLATES = PACKAGE / "pages" / "templates"
SLOWEST = 10

COLUMNS = {
    "question": ("name", "array", "simulator", "compared", "cycles", "cycles_limit", "efficiency"),
    "run": ("name", "array", "simulator", "pieces", "cycles", "cycles_limit", "efficiency"),
    "replay": ("name", "array", "simulator", "cycles", "cycles_limit", "efficiency"),
    "regress": ("seed", "array", "simulator", "layers", "scenarios", "values", "a_minute"),
    "networks": ("network", "array", "layers", "cycles", "cycles_limit", "efficiency"),
    "synth": ("array", "family", "cells", "multipliers", "memories", "clock"),
    "lint": ("check", "seconds"),
}
"""of the rows that each command keeps; each row has a status as well"""

TITLES = {
    "question": "The layer of the question",
    "run": "Layer files",
    "replay": "A scenario once more",
    "regress": "Random layers in random traffic",
    "networks": "Networks",
    "synth": "Synthesis",
    "lint": "Lint",
}
NUMBERS = {"compared", "cycles", "cycles_limit", "pieces", "layers", "scenarios", "values", "cells"}


@dataclass(frozen=True)
class Section:
    """What one command has to show."""

    key: str
    title: str
    outcome: Outcome | None
    headings: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]
    """(status, cells)"""
    failures: Sequence[Failure]

    @property
    def status(self) -> str:
        return "not run" if self.outcome is None else self.outcome.status


@dataclass(frozen=True)
class Test:
    """A test case of pytest's."""

    name: str
    file: str
    status: str
    seconds: float
    message: str


def report(options: argparse.Namespace) -> int:
    """Writes the page; the exit status."""
    path = Path(options.out) if options.out else BUILD / "report.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, page())
    print(f"the report is in {path}")
    return 0


def page() -> str:
    """The report, as HTML."""
    sections = [section(key) for key in TITLES]
    tests = list(tests_of(TESTS))
    return render(
        "report.html",
        sections=sections,
        tests=tests,
        slowest=sorted(tests, key=lambda test: -test.seconds)[:SLOWEST],
        bars=list(bars(sections)),
        made=time.strftime("%Y-%m-%d %H:%M"),
    )


def render(template: str, **values: Any) -> str:
    """A page with style and script inside."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["inside"] = lambda name: Markup((TEMPLATES / name).read_text())
    return environment.get_template(template).render(**values) + "\n"


def section(key: str) -> Section:
    """A command's section, whether it was run or not."""
    outcome = kept(key)
    columns = COLUMNS[key]
    rows = [] if outcome is None else outcome.rows
    again = "" if outcome is None else shlex.join(["conv-core", *outcome.words])
    failures = [
        failure_of(
            str(row.get("name", row.get(columns[0], ""))),
            row["message"],
            row_command,
            str(row.get("cut", "")),
        )
        for row in rows
        if row.get("message") and row["status"] != "PASS"
        for row_command in [str(row.get("command", f"{again} --waves"))]
    ]
    cells = [(str(row["status"]), [_cell(name, row.get(name)) for name in columns]) for row in rows]
    headings = [name.replace("_", " ") for name in columns]
    return Section(key, TITLES[key], outcome, headings, cells, failures)


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if name == "efficiency":
        return f"{100 * value:.1f} %"
    if name == "seconds":
        return f"{value:.1f} s"
    return f"{value:,}" if name in NUMBERS else str(value)


def tests_of(path: Path) -> Iterator[Test]:
    """The tests of a JUnit file; none if it is not there."""
    try:
        cases = ElementTree.parse(path).iter("testcase")
    except (OSError, ElementTree.ParseError):
        return
    for case in cases:
        status, message = "PASS", ""
        for child in case:
            if child.tag in ("failure", "error"):
                status, message = "FAIL", (child.text or "")[-4000:]
            elif child.tag == "skipped":
                status, message = "SKIPPED", child.get("message", "")
        file = case.get("classname", "").replace(".", "/")
        yield Test(case.get("name", ""), file, status, float(case.get("time", "0")), message)


def bars(sections: Sequence[Section]) -> Iterator[Mapping[str, Any]]:
    """Cycles against the limit, for each layer that was run."""
    for each in sections:
        for row in each.outcome.rows if each.outcome is not None else ():
            if row.get("cycles") and row.get("cycles_limit"):
                name = row.get("name") or f"{row.get('network')} {row.get('array')}"
                yield {"name": name, "share": row["cycles_limit"] / row["cycles"], "of": each.title}
