"""Ctrl-C: real signals to real process groups, and nothing that stays behind."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from conv_core.models.layer import Layer, LayerCase
from conv_core.models.layer_files import write_layer
from conv_core.tb.paths import BUILD, ROOT

SECONDS_TO_END = 5.0
SECONDS_OF_WORK = 3.0
"""of processor time, in which Icarus is done with a small layer"""
SECONDS_TO_START = 120.0
INTERRUPTED = 130


def layer_of(name: str, size: int, channels: int) -> LayerCase:
    """Random data for a 3x3 layer; 60x60x32 takes minutes on Icarus, 3x3x4 hardly any time."""
    rng = np.random.default_rng([200, size])
    layer = Layer(1, size, size, channels, channels, (3, 3))
    x = rng.integers(-128, 128, layer.in_shape, np.int8)
    w = rng.integers(-128, 128, layer.weight_shape, np.int8)
    return LayerCase(name, layer, x, w, np.zeros(channels, np.int32))


def processes_with(mark: str) -> dict[int, str]:
    """The command lines, by number, of all processes that have this word in their environment."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
    return found


def seconds_used(process: int) -> float:
    """Processor time of a process."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def listen() -> None:
    """Has a process listen to Ctrl-C though it is started by one that runs in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def interrupt(
    command: Sequence[str], mark: str, started: Callable[[], bool], *, whole_group: bool
) -> tuple[int, str, float]:
    """Starts a command, and interrupts it when it has started; status, what it said, seconds.

    Ctrl-C reaches the `whole_group` of a terminal; `kill` reaches the command alone.
    """
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "CONV_MARK": mark},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=listen,
    )
    deadline = time.monotonic() + SECONDS_TO_START
    while not started():
        if process.poll() is not None or time.monotonic() > deadline:
            process.terminate()
            raise AssertionError(f"it did not start, but said: {process.communicate()[0]}")
        time.sleep(0.1)
    begun = time.monotonic()
    if whole_group:
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    return process.returncode, said, time.monotonic() - begun


def simulating(mark: str, count: int) -> Callable[[], bool]:
    """Do so many simulators run with this mark, and have they had time to do something?"""

    def check() -> bool:
        lines = processes_with(mark)
        found = [p for p, line in lines.items() if line and Path(line.split()[0]).name == "vvp"]
        try:
            return len(found) >= count and min(map(seconds_used, found)) > SECONDS_OF_WORK
        except OSError:
            return False

    return check


def assert_nothing_is_left(mark: str) -> None:
    assert processes_with(mark) == {}
    for lock in BUILD.glob("*.lock"):
        with lock.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize("whole_group", [True, False], ids=["ctrl-c", "kill"])
def test_an_interrupted_run_ends_at_once_with_what_is_known(
    whole_group: bool, tmp_path: Path
) -> None:
    mark = f"mark-{os.getpid()}-run-{whole_group}"
    write_layer(tmp_path / "a.npz", layer_of("a", 3, 4))
    write_layer(tmp_path / "b.npz", layer_of("b", 60, 32))
    out = tmp_path / "out"
    files = [str(tmp_path / "a.npz"), str(tmp_path / "b.npz")]
    command = [sys.executable, "-m", "conv_core", "run", *files, "--out", str(out)]
    started = simulating(mark, 1)
    status, said, seconds = interrupt(
        [*command, "--array", "4x4"], mark, started, whole_group=whole_group
    )
    assert status == INTERRUPTED, said
    assert seconds < SECONDS_TO_END
    assert "Traceback" not in said
    assert "INTERRUPTED: 1 of 2 layers were done, 1 of them right" in said
    assert_nothing_is_left(mark)
    assert (out / "a.npz").exists()
    assert not (out / "b.npz").exists()


@pytest.mark.parametrize("whole_group", [True, False], ids=["ctrl-c", "kill"])
def test_an_interrupted_regression_of_two_jobs_ends_at_once(whole_group: bool) -> None:
    mark = f"mark-{os.getpid()}-regress-{whole_group}"
    words = ("--array", "4x4", "--seeds", "4", "--jobs", "2", "--layers", "100000", "--seed", "7")
    status, said, seconds = interrupt(
        [sys.executable, "-m", "conv_core", "regress", *words],
        mark,
        simulating(mark, 2),
        whole_group=whole_group,
    )
    assert status == INTERRUPTED, said
    assert seconds < SECONDS_TO_END
    assert "Traceback" not in said
    assert "INTERRUPTED: 0 layers of 0 of 4 seeds" in said
    assert_nothing_is_left(mark)


def test_a_simulator_ends_with_a_command_that_is_killed() -> None:
    mark = f"mark-{os.getpid()}-killed"
    words = ("--array", "4x4", "--layers", "100000", "--seed", "7")
    process = subprocess.Popen(
        [sys.executable, "-m", "conv_core", "regress", *words],
        cwd=ROOT,
        env={**os.environ, "CONV_MARK": mark},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    started, deadline = simulating(mark, 1), time.monotonic() + SECONDS_TO_START
    while not started():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.kill()
    process.wait()
    time.sleep(1.0)
    assert_nothing_is_left(mark)


def test_make_ends_at_once_too() -> None:
    mark = f"mark-{os.getpid()}-make"
    words = ["ARRAY=4x4", "SEEDS=4", "JOBS=2", "LAYERS=100000", "SEED=7"]
    status, said, seconds = interrupt(
        ["make", "regress", *words], mark, simulating(mark, 2), whole_group=True
    )
    assert status in (INTERRUPTED, -signal.SIGINT, 2), said
    assert seconds < SECONDS_TO_END
    assert "Traceback" not in said
    assert_nothing_is_left(mark)


def test_an_interrupted_build_leaves_nothing_and_is_made_anew(tmp_path: Path) -> None:
    mark = f"mark-{os.getpid()}-build"
    environment = {"CONV_BUILD": str(tmp_path / "build"), "CONV_LAST_RUN": ""}
    command = [sys.executable, "-m", "conv_core", "question", "--sim", "verilator"]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        status, said, seconds = interrupt(
            [*command, "--array", "4x4"],
            mark,
            lambda: any("verilator_bin" in line for line in processes_with(mark).values()),
            whole_group=True,
        )
    assert status == INTERRUPTED, said
    assert seconds < SECONDS_TO_END
    assert_nothing_is_left(mark)
    left = [path for path in (tmp_path / "build").rglob("*") if path.is_file()]
    assert [path for path in left if path.name != "conv_watch.v"] == []
