"""Files are written whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


def write_whole(path: str | Path, content: str | bytes | Callable[[BinaryIO], object]) -> None:
    """Writes a file, or replaces it, so that a reader sees all of `content` or what was there.

    `content` is the text (UTF-8), the bytes, or a function that writes them to the binary file that
    it is given. They go to a hidden file in the same folder, which takes the name of `path` when it
    is complete and is removed whatever else happens, an interruption included. A link is followed:
    the file that it leads to is replaced.

    Raises `OSError` where the folder is missing or can't be written, and what `content` raises.
    """
    target = Path(os.path.realpath(path))
    partial = target.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        with partial.open("xb") as file:
            if callable(content):
                content(file)
            else:
                file.write(content.encode() if isinstance(content, str) else content)
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
