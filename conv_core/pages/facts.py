"""The facts of the report page: what commands kept, and pytest's JUnit file, in sections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

from conv_core.pages.outcomes import (
    FOLDER,
    TESTS,
    CommandOutcome,
    Failure,
    Line,
    OutcomeError,
    kept,
)
from conv_core.tb.runs.builds import rtl_files
from conv_core.tb.runs.job import FAIL, PASS

SLOWEST = 10
SKIPPED = "SKIPPED"
ASPECTS = {
    "question": ("The layer of the question", "make"),
    "tests": ("Tests", "make test"),
    "regress": ("Random layers in random traffic", "make regress"),
    "run": ("Your own layers", 'make run LAYER="a.npz"'),
    "replay": ("The last replay", "make replay FAILURE=folder"),
    "networks": ("Networks", "make networks"),
    "synth": ("Synthesis", "make synth"),
    "lint": ("Lint", "make lint"),
    "coverage": ("Coverage", "make coverage"),
    "formal": ("Proofs", "make formal"),
    "mutate": ("Mutants", "make mutate"),
}
"""of the report, in its order: title, and the command that fills it"""
ALWAYS = ("question", "tests", "regress", "networks", "synth", "lint")
"""shown even where they have not been run"""
HIDDEN = ("layer", "cycles", "limit")
"""figures of a layer that have places of their own"""


@dataclass(frozen=True)
class Section:
    """What the report says of one command."""

    key: str
    title: str
    command: str
    """that makes it, or does it again"""
    outcome: CommandOutcome | None = None
    stale: bool = False
    """the RTL was changed since"""
    notes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    """of its lines, in the order in which they first appear"""

    @property
    def state(self) -> str:
        """PASS, FAIL, INTERRUPTED, or "not run"."""
        return "not run" if self.outcome is None else self.outcome.status

    @property
    def lines(self) -> tuple[Line, ...]:
        return () if self.outcome is None else self.outcome.lines


@dataclass(frozen=True)
class Bar:
    """A layer's cycles beside the fewest that any engine of its kind needs."""

    name: str
    command: str
    array: str
    cycles: int
    limit: int

    @property
    def share(self) -> float:
        """Of the limit, in the cycles taken: the efficiency."""
        return self.limit / self.cycles


@dataclass(frozen=True)
class Facts:
    """All that the report shows."""

    sections: tuple[Section, ...]
    bars: tuple[Bar, ...]
    made: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")

    @property
    def failures(self) -> int:
        return sum(len(s.outcome.failures) for s in self.sections if s.outcome is not None)


def facts(folder: Path = FOLDER, tests: Path = TESTS) -> Facts:
    """Reads what there is. Raises `OutcomeError` for a file that can't be read."""
    sections = tuple(_sections(folder, tests))
    return Facts(sections, tuple(bar for section in sections for bar in _bars(section)))


def _sections(folder: Path, tests: Path) -> Iterator[Section]:
    changed = max(path.stat().st_mtime for path in rtl_files())
    for key, (title, command) in ASPECTS.items():
        outcome = tested(tests) if key == "tests" else kept(key, folder)
        if outcome is None:
            if key in ALWAYS:
                yield Section(key, title, command)
            continue
        ended = datetime.strptime(outcome.when, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        columns = dict.fromkeys(name for line in outcome.lines for name in line.values)
        yield Section(
            key,
            title,
            outcome.repeat,
            outcome,
            stale=ended.timestamp() < changed,
            notes=tuple(_slowest(outcome)) if key == "tests" else (),
            columns=tuple(columns),
        )


def _bars(section: Section) -> Iterator[Bar]:
    for line in section.lines:
        cycles, limit = line.values.get("cycles"), line.values.get("limit")
        if isinstance(cycles, int) and isinstance(limit, int) and cycles and limit:
            array = str(line.values.get("array", ""))
            yield Bar(line.name, section.title, array, cycles, limit)


# -------------------------------------------------------------------------------- tests
def tested(path: Path) -> CommandOutcome | None:
    """The outcome of pytest, from the file in JUnit's form that it wrote; None if there is none.

    Raises `OutcomeError`.
    """
    if not path.exists():
        return None
    try:
        suites = list(ElementTree.parse(path).getroot().iter("testsuite"))
    except ElementTree.ParseError as error:
        cure = "remove the file, and run make test again"
        raise OutcomeError(f"{path}: this is not JUnit's XML: {error}; {cure}") from None
    cases = [case for suite in suites for case in suite.iter("testcase")]
    lines = tuple(_test(case) for case in cases)
    count = Counter(line.status for line in lines)
    seconds = sum(float(suite.get("time") or 0) for suite in suites)
    words = [f"{count[s]} {w}" for s, w in ((PASS, "right"), (FAIL, "wrong")) if count[s]]
    if count[SKIPPED]:
        words.append(f"{count[SKIPPED]} left out")
    return CommandOutcome(
        command="tests",
        repeat="make test",
        status=PASS if lines and not count[FAIL] else FAIL,
        seconds=round(seconds, 1),
        summary=f"{len(lines)} tests: {', '.join(words)}" if lines else "no test was run",
        lines=lines,
        failures=tuple(_failure(case) for case in cases if _wrong(case) is not None),
        when=f"{datetime.fromtimestamp(path.stat().st_mtime, UTC):%Y-%m-%dT%H:%M:%SZ}",
    )


def _wrong(case: ElementTree.Element) -> ElementTree.Element | None:
    found = case.find("failure")
    return case.find("error") if found is None else found


def _test(case: ElementTree.Element) -> Line:
    status = PASS if _wrong(case) is None else FAIL
    if case.find("skipped") is not None:
        status = SKIPPED
    seconds = round(float(case.get("time") or 0), 2)
    return Line(_name(case), status, {"file": _file(case), "seconds": seconds})


def _name(case: ElementTree.Element) -> str:
    return case.get("name", "").removeprefix("test_").replace("_", " ")


def _file(case: ElementTree.Element) -> str:
    return case.get("classname", "").replace(".", "/") + ".py"


def _failure(case: ElementTree.Element) -> Failure:
    wrong = _wrong(case)
    assert wrong is not None
    text = wrong.text or wrong.get("message") or ""
    replay = f".venv/bin/pytest '{_file(case)}::{case.get('name')}'"
    return Failure(name=_name(case), message=text.strip(), replay=replay)


def _slowest(outcome: CommandOutcome) -> Iterator[str]:
    """How long the longest tests took."""

    def seconds(line: Line) -> float:
        value = line.values["seconds"]
        return float(value) if isinstance(value, (int, float)) else 0.0

    longest = sorted(outcome.lines, key=seconds, reverse=True)[:SLOWEST]
    if longest:
        spent = sum(map(seconds, longest))
        yield f"The {len(longest)} slowest take {spent:.0f} s together: " + ", ".join(
            f"{line.name} ({seconds(line):.1f} s)" for line in longest
        )


# -------------------------------------------------------------------------------- pictures
SHADES = {".": "none", "-": "few", "+": "many", "#": "all"}
CELL = 14


def difference_map_rows(picture: str) -> tuple[str, list[str]]:
    """The sentence and the rows of a difference map in text."""
    head, *rows = picture.splitlines()
    return head.rstrip(":"), [row.strip() for row in rows]


def difference_map_svg(picture: str) -> str:
    """A difference map in text as an SVG picture; its colours are those of the page."""
    _, rows = difference_map_rows(picture)
    width, height = CELL * max(map(len, rows), default=0), CELL * len(rows)
    cells = "".join(
        f'<rect class="{SHADES[mark]}" x="{CELL * x + 1}" y="{CELL * y + 1}" '
        f'width="{CELL - 2}" height="{CELL - 2}"/>'
        for y, row in enumerate(rows)
        for x, mark in enumerate(row)
    )
    return (
        f'<svg class="map" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="where values are wrong">{cells}</svg>'
    )


def shown_columns(section: Section) -> Sequence[str]:
    """The columns that hold something in some line."""
    return [
        name
        for name in section.columns
        if any(line.values.get(name) not in (None, "") for line in section.lines)
    ]
