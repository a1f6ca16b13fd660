"""The core that is tried: conv_core, or one of the user's, by --dut, --driver and --rtl.

    --dut my_core_dut --driver my_core/driver.py:MyCore --rtl "my_core/*.v"
    --dut my_core/core.toml

A description, core.toml, says the same and how the core is built; its paths begin in its folder:

    dut = "my_core_dut"
    driver = "driver.py:MyCore"
    rtl = ["my_core_dut.v", "my_core.v"]
    array = "4x4"
    act_stream_bytes = 1
"""

from __future__ import annotations

import argparse
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conv_core.models.core_config import CoreConfig
from conv_core.models.errors import RefusedError
from conv_core.tb.bench.drivers import OUR_DRIVER
from conv_core.tb.runs.builds import rtl_files

OURS = "conv_core"
VERILOG = (".v", ".sv")


class CoreError(RefusedError):
    """A core that can't be tried. The text says which option or field is wrong."""


@dataclass(frozen=True)
class Core:
    """What is simulated, and what drives it."""

    dut: str = OURS
    """the module, which has the ports and parameters of conv_core"""
    driver: str = OUR_DRIVER
    """see `conv_core.tb.bench.drivers.driver_named`"""
    rtl_sources: tuple[Path, ...] | None = None
    parameters: tuple[tuple[str, Any], ...] = ()
    """of the description: those of `CoreConfig`, and its array"""

    @property
    def is_ours(self) -> bool:
        return self.dut == OURS and self.rtl_sources is None

    def arguments(self) -> dict[str, Any]:
        """Of `run_layers` and `explore`."""
        return {"dut": self.dut, "driver": self.driver, "rtl_sources": self.rtl_sources}

    def words(self) -> list[str]:
        """Options that give the same core from any folder."""
        if self == Core():
            return []
        words = ["--dut", self.dut, "--driver", self.driver]
        if self.rtl_sources is not None:
            words += ["--rtl", shlex.join(map(str, self.rtl_sources))]
        return words


def core_of(options: argparse.Namespace) -> Core:
    """The core that the options name. Raises `CoreError`."""
    if options.dut is not None and options.dut.endswith(".toml"):
        core = described(Path(options.dut))
        given = {"--driver": options.driver, "--rtl": options.rtl}
        if twice := [name for name, value in given.items() if value is not None]:
            raise CoreError(f"{options.dut} says it already: leave out {' and '.join(twice)}")
        return core
    here = Path.cwd()
    if options.dut is not None and options.rtl is None:
        raise CoreError(f"--dut {options.dut}: RTL (--rtl) must say which files it is in")
    rtl = None if options.rtl is None else _sources(shlex.split(options.rtl), here, "--rtl")
    driver = OUR_DRIVER if options.driver is None else _driver(options.driver, here)
    return Core(options.dut or OURS, driver, rtl)


def config_of_core(core: Core, array: str, given: dict[str, int]) -> CoreConfig:
    """How the core is built; what is given wins over its description. Raises `ConfigError`."""
    described_as = dict(core.parameters)
    array = described_as.pop("array", array)
    return CoreConfig.from_array(array, **{**described_as, **given})


def described(path: Path) -> Core:
    """The core of a description. Raises `CoreError`."""
    try:
        fields = tomllib.loads(path.read_text())
    except OSError as error:
        raise CoreError(f"{path}: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise CoreError(f"{path}: {error}") from None
    needed = {"dut": str, "driver": str, "rtl": list}
    for name, kind in needed.items():
        if not isinstance(fields.get(name), kind):
            kinds = {str: "a text", list: "a list of files"}
            raise CoreError(f"{path}: {name} must be there, {kinds[kind]}")
    known = {"array", *CoreConfig.__dataclass_fields__} - {"lanes_in", "lanes_out"}
    for name in fields:
        if name not in needed and name not in known:
            raise CoreError(f"{path}: {name}: there is no such field")
    folder = path.resolve().parent
    return Core(
        fields["dut"],
        _driver(fields["driver"], folder),
        _sources(fields["rtl"], folder, f"{path}: rtl"),
        tuple((name, value) for name, value in fields.items() if name not in needed),
    )


def _driver(name: str, folder: Path) -> str:
    """The driver's name, a file in it by its whole path."""
    place, _, attribute = name.rpartition(":")
    return f"{(folder / place).resolve()}:{attribute}" if place.endswith(".py") else name


def _sources(words: list[str], folder: Path, where: str) -> tuple[Path, ...]:
    """The files that are meant: files, patterns, folders, and file lists (.f)."""
    found: list[Path] = []
    for word in words:
        path = (folder / word).resolve()
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix in VERILOG)
        elif path.suffix == ".f" and path.is_file():
            inside = list(rtl_files(path))
        elif path.is_file():
            inside = [path]
        else:
            inside = sorted(folder.glob(word)) if "*" in word else []
        if not inside:
            raise CoreError(f"{where}: there is no Verilog file {word}")
        found += inside
    return tuple(dict.fromkeys(found))
