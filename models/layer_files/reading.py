"""From a file to its fields, and from them to a layer."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from conv_core.models.layer import LayerCase, LayerError
from conv_core.models.layer_files.fields import FIELDS, Fields, LayerFileError, hint_for_unknown
from conv_core.models.layer_files.meaning import case_of_fields
from conv_core.models.quantisation import Quantisation

IN_FILE = {
    "batch": "x (N)",
    "height": "x (H)",
    "width": "x (W)",
    "in_channels": "x (Cin)",
    "out_channels": "w (Cout)",
    "kernel": "w (kernel)",
    "dilation": "dil",
}
"""Where the fields of `Layer` come from in a file, if not from the field of their own name."""


def read_layer(path: str | Path) -> LayerCase:
    """The layer of a file. Its name is the file's, without the suffix.

    Raises `LayerFileError`.
    """
    return read_quantised(path)[0]


def read_quantised(path: str | Path) -> tuple[LayerCase, Quantisation | None]:
    """The layer of a file, and its scales if the file holds floating point numbers.

    Raises `LayerFileError`.
    """
    path = Path(path)
    try:
        return case_of_fields(path.stem, _fields(path))
    except LayerError as error:
        field = IN_FILE.get(error.field, error.field)
        raise LayerFileError(f"{path}: {field}: {error.sentence}") from None


def find_layers(paths: Iterable[str | Path]) -> list[Path]:
    """The layer files that `paths` stand for: a folder is all its `.npz` files, by name.

    Raises `LayerFileError` for what is not there, a folder without layers, and two files of one
    name, whose results would overwrite each other.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        inside = sorted(path.glob("*.npz")) if path.is_dir() else [path]
        if not inside:
            raise LayerFileError(f"{path}: there is no .npz file in this folder")
        found += inside
    seen: dict[str, Path] = {}
    for path in found:
        if not path.exists():
            raise LayerFileError(f"{path}: there is no such file")
        if path.stem in seen:
            raise LayerFileError(f"{path}: {seen[path.stem]} has the same name, rename one of them")
        seen[path.stem] = path
    return found


def _fields(path: Path) -> Fields:
    """All arrays of an `.npz` file, each a known field."""
    try:
        archive = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise LayerFileError(f"{path}: there is no such file") from None
    except OSError as error:
        raise LayerFileError(f"{path}: it can't be read: {error.strerror or error}") from None
    except (ValueError, EOFError, zipfile.BadZipFile):
        raise LayerFileError(f"{path}: this is not an .npz file, or a damaged one") from None
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise LayerFileError(
            f"{path}: this is a single array, not an .npz file of named ones: "
            "np.savez(path, x=x, w=w) makes one"
        )
    fields: Fields = {}
    with archive:
        for field in archive.files:
            if field not in FIELDS:
                hint = hint_for_unknown(field)
                raise LayerFileError(f"{path}: {field}: there is no such field, {hint}")
            try:
                fields[field] = np.asarray(archive[field])
            except (
                ValueError,
                EOFError,
                OSError,
                RuntimeError,
                zipfile.BadZipFile,
                zlib.error,
            ) as error:
                if "Object arrays" not in str(error):
                    raise LayerError(field, "it is damaged, write the file again") from None
                raise LayerError(
                    field,
                    "it holds Python objects, not numbers: leave it out if it is None, and "
                    "rows of different lengths are no array",
                ) from None
    return fields
