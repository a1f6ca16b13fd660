"""`new`: begins a core of the user's own: a folder with its description, driver and pins."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from string import Template

from conv_core.commands.cores import CoreError
from conv_core.models.files import write_whole
from conv_core.tb.paths import PACKAGE

TEMPLATES = PACKAGE / "templates"
FILES = {"core.toml": "core.toml", "driver.py": "driver.py", "core.v": "{name}.v"}


def new(options: argparse.Namespace) -> int:
    """Writes the files; the exit status. Raises `CoreError` where it would replace something."""
    folder = Path(options.folder)
    name = folder.name
    if not re.fullmatch(r"[a-z]\w*", name):
        raise CoreError(f"{name!r} can't be a module's name: lower case letters, digits and _")
    if folder.exists():
        raise CoreError(f"{folder}: this is there already")
    folder.mkdir(parents=True)
    for template, target in FILES.items():
        text = Template((TEMPLATES / template).read_text()).safe_substitute(name=name)
        write_whole(folder / target.format(name=name), text)
    print(
        f"{folder}/{name}.v is the core; {folder}/driver.py says what goes into its streams, and\n"
        f"what it can do. Try it on random layers: make regress DUT={folder}/core.toml LAYERS=50"
    )
    return 0
