"""What commands leave behind for the report: one JSON file each, below build/reports/.

A command calls `keep` when it ends; the file of its run before is replaced, whole or not at all.
`kept` reads one back. The files hold texts and numbers only, so that other programs can read them:

    {"format": 1, "command": "question", "repeat": "make question SEED=5", "status": "PASS",
     "when": "2026-01-31T12:00:00Z", "seconds": 1.5, "summary": "2 of 2 layers right",
     "lines": [{"name": "int8", "status": "PASS", "values": {"cycles": 16007}}], "failures": []}
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from conv_core.models.errors import RefusedError
from conv_core.models.files import write_whole
from conv_core.tb.paths import BUILD
from conv_core.tb.runs.job import FAIL, PASS, LayerResult

FOLDER = BUILD / "reports"
TESTS = FOLDER / "tests.xml"
"""JUnit's form, which pytest writes: pytest --junit-xml build/reports/tests.xml"""
FORMAT = 1
INTERRUPTED = "INTERRUPTED"
STATUSES = (PASS, FAIL, INTERRUPTED, "REFUSED")

Value = int | float | str | None
KINDS: dict[str, tuple[type, ...]] = {
    "values": (dict,),
    "lines": (tuple,),
    "failures": (tuple,),
    "seconds": (int, float),
}
"""of the fields below that are not texts"""


class OutcomeError(RefusedError):
    """A file below build/reports/ that can't be read. The text says which, and the cure."""


@dataclass(frozen=True)
class Line:
    """One of the things that a command looked at: a layer, a seed, a network, a tool."""

    name: str
    status: str
    values: Mapping[str, Value] = field(default_factory=dict)
    """figures by name; the report writes them as columns, in this order"""


@dataclass(frozen=True)
class Failure:
    """Something wrong, and how to see it."""

    name: str
    message: str
    """what is wrong, without the parts below"""
    replay: str = ""
    """the command that shows it again"""
    diagnosis: str = ""
    """what kind of fault it looks like"""
    picture: str = ""
    """where the wrong values are, see `conv_core.tb.checks.scoreboard.difference_map`"""
    cut: str = ""
    """the cycles around the first wrong beat, as text"""
    cut_svg: str = ""
    """the same as a picture"""


@dataclass(frozen=True)
class CommandOutcome:
    """What became of a command."""

    command: str
    repeat: str
    """the words that do the same again"""
    status: str
    seconds: float
    summary: str
    lines: tuple[Line, ...] = ()
    failures: tuple[Failure, ...] = ()
    when: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    """it ended, in UTC"""

    @property
    def passed(self) -> bool:
        return self.status == PASS


Kind = TypeVar("Kind", CommandOutcome, Line, Failure)


# -------------------------------------------------------------------------------- files
def keep(outcome: CommandOutcome, folder: Path = FOLDER) -> Path:
    """Writes what the report needs of a command; the file. Raises `OSError`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{outcome.command}.json"
    write_whole(path, json.dumps({"format": FORMAT, **asdict(outcome)}, indent=1) + "\n")
    return path


def kept(command: str, folder: Path = FOLDER) -> CommandOutcome | None:
    """What `keep` wrote; None where the command has not been run. Raises `OutcomeError`."""
    path = folder / f"{command}.json"
    try:
        text = path.read_text()
    except FileNotFoundError:
        return None
    try:
        found = json.loads(text)
    except ValueError as error:
        raise _broken(path, f"it is not JSON: {error}") from None
    if not isinstance(found, dict) or found.pop("format", None) != FORMAT:
        raise _broken(path, f"it is not of format {FORMAT}")
    outcome = _made(
        CommandOutcome,
        {
            **found,
            "lines": tuple(_made(Line, each, path) for each in _list(found, "lines", path)),
            "failures": tuple(
                _made(Failure, each, path) for each in _list(found, "failures", path)
            ),
        },
        path,
    )
    for status in (outcome.status, *(line.status for line in outcome.lines)):
        if status not in STATUSES:
            raise _broken(path, f"status {status!r} is none of {', '.join(STATUSES)}")
    if outcome.command != command:
        raise _broken(path, f"it is that of {outcome.command!r}")
    return outcome


def _list(found: Mapping[str, Any], name: str, path: Path) -> list[Any]:
    value = found.get(name)
    if not isinstance(value, list):
        raise _broken(path, f"{name} must be a list")
    return value


def _made(kind: type[Kind], values: Any, path: Path) -> Kind:
    """A dataclass from its fields, each there, each of the right kind, and none that is unknown."""
    known = {each.name for each in fields(kind)}
    if not isinstance(values, dict) or set(values) != known:
        raise _broken(path, f"a {kind.__name__} has the fields {', '.join(sorted(known))}")
    for name, value in values.items():
        if not isinstance(value, KINDS.get(name, (str,))):
            raise _broken(path, f"{name} can't be {value!r}")
    return kind(**values)


def _broken(path: Path, why: str) -> OutcomeError:
    return OutcomeError(f"{path}: {why}; remove the file, and run its command again")


# -------------------------------------------------------------------------------- layers
def of_layers(
    command: str,
    results: Sequence[LayerResult],
    seconds: float,
    repeat: str,
    *,
    replay: str = "make waves",
    shapes: Sequence[str] = (),
    interrupted: bool = False,
) -> CommandOutcome:
    """The outcome of a command that ran layers.

    `repeat` does the same again, `replay` shows what is wrong. `shapes`: a text for each layer.
    """
    wrong = [result for result in results if not result.passed]
    texts = list(shapes) or [""] * len(results)
    status = INTERRUPTED if interrupted else FAIL if wrong else PASS
    return CommandOutcome(
        command=command,
        repeat=repeat,
        status=status,
        seconds=round(seconds, 2),
        summary=f"{len(results) - len(wrong)} of {len(results)} layers right",
        lines=tuple(layer_line(r, s) for r, s in zip(results, texts, strict=True)),
        failures=tuple(layer_failure(result, replay) for result in wrong),
    )


def layer_line(result: LayerResult, shapes: str = "") -> Line:
    """A layer's line: its figures, and what the core counted."""
    values: dict[str, Value] = {"layer": shapes} if shapes else {}
    values |= {
        "values compared": result.compared,
        "array": result.array,
        "simulator": result.simulator,
        "cycles": result.cycles,
        "limit": result.cycles_limit,
        "model": result.cycles_model,
        "efficiency": None if result.efficiency is None else round(result.efficiency, 4),
        "utilisation": None if result.utilisation is None else round(result.utilisation, 4),
        "pieces": result.pieces,
        "seed": result.seed,
        "wall seconds": result.wall_s,
    }
    return Line(result.name, result.status, {**values, **result.counters})


def layer_failure(result: LayerResult, replay: str) -> Failure:
    """What is wrong with a layer, in its parts."""
    message = result.message
    cut = getattr(result, "cut", None)
    cut_text, cut_svg = "", ""
    if cut is not None:
        drawing = importlib.import_module("conv_core.tb.waves.cut")
        cut_text, cut_svg = cut.text(), drawing.svg(cut)
    for part in filter(None, (result.diagnosis, result.picture, cut_text)):
        message = message.replace(f"\n{part}", "")
    return Failure(
        name=result.name,
        message=message,
        replay=replay,
        diagnosis=result.diagnosis,
        picture=result.picture,
        cut=cut_text,
        cut_svg=cut_svg,
    )
