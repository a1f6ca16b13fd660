"""Processes that this program starts, simulators and compilers: ended together, by one Ctrl-C.

Each has a process group of its own, so that what it has started ends with it. `stop_all` ends all
of them, and lets no further one start: whoever runs one then learns of it by `StoppedError`.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path


class StoppedError(Exception):
    """The process was ended by `stop_all`, or was not even started."""


PR_SET_PDEATHSIG = 1  # linux/prctl.h
_running: set[subprocess.Popen[bytes]] = set()
_lock = threading.Lock()
_stopping = threading.Event()


def run(command: Sequence[str], log: Path, *, folder: Path, environment: Mapping[str, str]) -> int:
    """Runs a command in a folder to its end, all it says appended to a log; its exit status.

    Raises `StoppedError`.
    """
    with log.open("ab") as output:
        with _lock:
            if _stopping.is_set():
                raise StoppedError
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=dict(environment),
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )
            _running.add(process)
        try:
            status = process.wait()
        finally:
            _end(process)
            with _lock:
                _running.discard(process)
    if _stopping.is_set():
        raise StoppedError
    return status


def stop_all() -> None:
    """Ends all processes, and all that they have started."""
    with _lock:
        _stopping.set()
        for process in _running:
            _end(process)


def go_on() -> None:
    """Lets processes start again after `stop_all`."""
    _stopping.clear()


def _end_with_parent() -> None:
    """Has the kernel kill this process when whoever started it is gone, for whatever reason."""
    with contextlib.suppress(OSError, AttributeError):  # it is Linux that can
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kills what is left of the process's group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
