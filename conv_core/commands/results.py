"""The folder that results go to: `<name>.npz` for each layer, and summary.json.

Nothing of the user's is lost: what is there already is replaced only if an earlier run wrote it.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from conv_core.models.errors import RefusedError
from conv_core.models.files import write_whole
from conv_core.models.layer_files import LayerFileError, write_result
from conv_core.tb.runs.job import LayerResult

SUMMARY = "summary.json"


class ResultError(RefusedError):
    """A file that results would replace and must not. The text names it."""


RESULT_FIELDS = ({"acc.npy"}, {"y.npy"})


def check(out: Path, inputs: Sequence[Path]) -> None:
    """Refuses a folder for the results of these layer files, before anything is simulated.

    Raises `LayerFileError` where it can't be written, or where a file that is to be written is one
    of the inputs, and `ResultError` where it is not the result of an earlier run.
    """
    nearest = next(p for p in (out, *out.resolve().parents) if p.exists())
    if not nearest.is_dir():
        raise LayerFileError(f"{nearest}: results go to a folder, and this is a file")
    if not os.access(nearest, os.W_OK):
        raise LayerFileError(f"{nearest}: this folder can't be written")
    taken = {path.resolve() for path in inputs}
    targets = _targets(out, inputs)
    for target in targets:
        if target.resolve() in taken:
            raise LayerFileError(
                f"{target}: this layer would be replaced by its own result; name another folder "
                "by OUT="
            )
    check_replaced(targets, _is_ours)


def check_replaced(targets: Iterable[Path], is_ours: Callable[[Path], bool]) -> None:
    """Refuses to replace what no earlier run wrote, which `is_ours` knows. Raises `ResultError`."""
    for target in targets:
        if target.exists() and not is_ours(target):
            raise ResultError(
                f"{target}: this file is not a result of an earlier run, and would be replaced by "
                "one; name another folder by OUT="
            )


def _targets(out: Path, inputs: Iterable[Path]) -> list[Path]:
    return [*(out / f"{path.stem}.npz" for path in inputs), out / SUMMARY]


def _is_ours(path: Path) -> bool:
    """Did a run write this file?"""
    try:
        if path.name == SUMMARY:
            entries = json.loads(path.read_text())
            return isinstance(entries, list) and all("status" in entry for entry in entries)
        with zipfile.ZipFile(path) as archive:
            return set(archive.namelist()) in RESULT_FIELDS
    except (OSError, ValueError, TypeError, zipfile.BadZipFile):
        return False


def write(out: Path, results: Sequence[LayerResult]) -> list[str]:
    """Writes the results, each file whole or not at all; what the user should know of them.

    A layer without a complete result leaves the result of an earlier run as it is.
    """
    out.mkdir(parents=True, exist_ok=True)
    said = []
    for result in results:
        if result.values is not None:
            write_result(out, result.name, result.values)
        elif (old := out / f"{result.name}.npz").exists():
            said.append(f"{old} is of an earlier run: this one has no result for it")
    entries = [result.summary() for result in results]
    write_whole(out / SUMMARY, json.dumps(entries, indent=1) + "\n")
    return said
