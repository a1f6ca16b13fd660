"""How commands end: exit status, and one sentence for what they refuse.

0 says that everything that was asked was done and right; 1 that something is wrong, with a sentence
on stderr; 2 that the command line makes no sense; 130 that the user stopped it, by Ctrl-C or
otherwise: then no process stays behind.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from types import FrameType

from conv_core.models.errors import RefusedError
from conv_core.tb.runs import processes

INTERRUPTED = 130


def run(command: Callable[[], int]) -> int:
    """Runs a command to its end; the exit status."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        return command()
    except RefusedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, processes.StoppedError):
        processes.stop_all()
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    finally:
        processes.go_on()
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise KeyboardInterrupt
