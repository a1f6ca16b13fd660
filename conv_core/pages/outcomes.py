"""What the commands leave for the report: one JSON file each, below build/reports."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from conv_core.models.files import write_whole
from conv_core.tb.paths import BUILD

FOLDER = BUILD / "reports"
TESTS = FOLDER / "tests.xml"
"""pytest's own, in JUnit's form"""


@dataclass(frozen=True)
class Outcome:
    """What became of a command the last time that it ran."""

    command: str
    """the target of make"""
    status: str
    """PASS, FAIL, or INTERRUPTED"""
    seconds: float
    words: Sequence[str] = ()
    """what repeats it, after `conv-core`"""
    rows: Sequence[Mapping[str, Any]] = ()
    """what the command's section shows, a row each"""
    finished: str = field(default_factory=lambda: time.strftime("%Y-%m-%d %H:%M:%S"))


def keep(outcome: Outcome) -> None:
    """Writes an outcome in place of the command's last one. Raises `OSError`."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_whole(FOLDER / f"{outcome.command}.json", json.dumps(asdict(outcome), indent=1) + "\n")


def kept(command: str) -> Outcome | None:
    """The last outcome of a command; None where there is none that can be read."""
    try:
        return Outcome(**json.loads((FOLDER / f"{command}.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None
