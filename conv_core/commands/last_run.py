"""The last run: where its files are, and the words that repeat it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from conv_core.models.files import write_whole
from conv_core.tb.paths import BUILD

FILE = Path(os.environ.get("CONV_LAST_RUN") or BUILD / "last_run.json")


@dataclass(frozen=True)
class LastRun:
    """A run that came to its end."""

    folder: str
    arguments: list[str]
    """of `python -m conv_core`, without --waves"""
    part: list[str]
    """further ones, which repeat only what `waves` shows of it"""


def last_run() -> LastRun | None:
    """What FILE says; None where there was no run, or its files are gone."""
    try:
        last = LastRun(**json.loads(FILE.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return last if Path(last.folder).is_dir() else None


def remember(folder: Path, arguments: Sequence[str], part: Sequence[str] = ()) -> None:
    """Makes this the last run, and removes the files of the one before."""
    before = last_run()
    write_whole(FILE, json.dumps(asdict(LastRun(str(folder), list(arguments), list(part)))))
    if before is None or before.folder == str(folder):
        return
    if Path(before.folder).is_relative_to(BUILD):
        shutil.rmtree(before.folder, ignore_errors=True)
