"""Where things are: the project's files, and what is built from them.

In a clone all is below the clone; in an installed package the sources are below the package. What
is built goes to `CONV_BUILD`, which may be anywhere; without it, to build/ of the clone, or to
build/ of the current folder where the project is not a clone.
"""

from __future__ import annotations

import os
from pathlib import Path

import conv_core

PACKAGE = Path(conv_core.__file__).resolve().parent
ROOT = (PACKAGE / "tb").resolve().parent
"""the clone, or the installed package"""
IS_CLONE = ROOT != PACKAGE
PYTHON_PATH = PACKAGE.parent
"""from where `conv_core` is imported"""
RTL = ROOT / "rtl"
INCLUDES = RTL / "common"
FILE_LIST = RTL / "conv_core.f"
BENCH = ROOT / "tb" / "bench" / "verilog"
BUILD = Path(
    os.environ.get("CONV_BUILD") or (ROOT if IS_CLONE else Path.cwd()) / "build"
).absolute()
