"""Builds: none without need, none that is stale, and one for all who want it at the same time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conv_core.tb.paths import ROOT
from conv_core.tb.runs import builds
from conv_core.tb.runs.builds import Design, build, rtl_files
from conv_core.tb.runs.simulators import SimulationError
from conv_core.tb.runs.tools import find_simulator

FIFO = ROOT / "tests" / "environment" / "fifo.v"
STARTED_SECONDS = 2.0


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for builds where nothing has been built yet."""
    monkeypatch.setattr(builds, "BUILD", tmp_path / "build")
    return tmp_path / "build"


@pytest.mark.usefixtures("own_cache")
def test_what_stands_is_reused_at_once(simulator: str) -> None:
    first = build(Design("fifo", (FIFO,)), simulator)
    second = build(Design("fifo", (FIFO,)), simulator)
    assert not first.reused
    assert second.reused
    assert second.directory == first.directory
    others = [build(Design("fifo", (FIFO,)), simulator) for _ in range(2)]
    assert min(each.seconds for each in (second, *others)) < STARTED_SECONDS


@pytest.mark.usefixtures("own_cache")
def test_whatever_changes_makes_another_build(tmp_path: Path) -> None:
    copy = tmp_path / "fifo.v"
    copy.write_text(FIFO.read_text())
    folders = [build(Design("fifo", (copy,)), "icarus").directory]
    folders.append(build(Design("fifo", (copy,), {"DEPTH": 8}), "icarus").directory)
    folders.append(build(Design("fifo", (copy,), defines=("SOMETHING=1",)), "icarus").directory)
    copy.write_text(FIFO.read_text() + "// changed\n")
    folders.append(build(Design("fifo", (copy,)), "icarus").directory)
    assert len(set(folders)) == len(folders)
    copy.write_text(FIFO.read_text())
    assert build(Design("fifo", (copy,)), "icarus").directory == folders[0]


@pytest.mark.usefixtures("own_cache")
def test_many_at_once_build_once() -> None:
    with ThreadPoolExecutor(4) as pool:
        builds = list(pool.map(lambda _: build(Design("fifo", (FIFO,)), "icarus"), range(4)))
    assert [b.reused for b in builds].count(False) == 1
    assert len({b.directory for b in builds}) == 1


def test_what_cannot_be_built_is_said_and_not_kept(
    simulator: str, own_cache: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.v"
    broken.write_text("module broken; this is not Verilog; endmodule\n")
    started = time.perf_counter()
    for _ in range(2):
        with pytest.raises(SimulationError, match=f"the build of broken for {simulator} failed"):
            build(Design("broken", (broken,)), simulator)
    assert time.perf_counter() - started < 60
    assert not list(own_cache.glob("*/done"))


def test_the_simulators_are_there(simulator: str) -> None:
    tool = find_simulator(simulator)
    assert tool.path.exists()
    assert tool.version[0].isdigit()


def test_the_file_list_names_all_of_the_core() -> None:
    assert set(rtl_files()) == set((ROOT / "rtl").rglob("*.v"))
