"""`python -m tests.bugs [PATTERN ...]`: each bug through the RTL, and what was said of it.

Exit status 0 if all are caught, nine in ten of those that a hypothesis describes are named rightly,
and none of the others is given a name.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from conv_core.tb.runs.tools import SIMULATORS
from tests.bugs.bugs import Score, load, score

SHARE_NAMED = 0.9


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bugs")
    parser.add_argument("patterns", nargs="*", help="bugs whose name contains one of these")
    parser.add_argument("--sim", choices=SIMULATORS, default="icarus")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--verbose", action="store_true", help="what was said of each layer")
    options = parser.parse_args()
    bugs = [b for b in load() if not options.patterns or any(p in b.name for p in options.patterns)]
    started = time.monotonic()
    scores = []
    with ProcessPoolExecutor(options.jobs) as pool:
        for result in pool.map(score, bugs, [options.sim] * len(bugs)):
            print(row(result), flush=True)
            if options.verbose:
                for text in result.messages:
                    print("    " + text.splitlines()[0])
                for diagnosis in result.diagnoses:
                    print("    " + str(diagnosis).replace("\n", "\n    "))
            scores.append(result)
    described = [s for s in scores if s.bug.hypothesis]
    others = [s for s in scores if not s.bug.hypothesis]
    caught = sum(s.caught for s in scores)
    rightly = sum(s.named_rightly for s in described)
    wrongly = sum(s.named_wrongly for s in others)
    print(
        f"{caught} of {len(scores)} caught; of {len(described)} that a hypothesis describes "
        f"{rightly} named rightly, {sum(s.named_wrongly for s in described)} wrongly; "
        f"of {len(others)} others {wrongly} named; {time.monotonic() - started:.0f} s"
    )
    good = caught == len(scores) and rightly >= SHARE_NAMED * len(described) and not wrongly
    return 0 if good else 1


def row(result: Score) -> str:
    """A bug's line of the table."""
    verdict = "MISSED"
    if result.caught:
        verdict = "caught"
        if result.named_wrongly:
            verdict = "WRONGLY NAMED"
        elif result.bug.hypothesis:
            verdict = "named rightly" if result.named_rightly else "not named"
    names = ", ".join(sorted(result.names)) or "-"
    return f"{result.bug.name:36}  {verdict:13}  {len(result.messages):2} red  {names}"


if __name__ == "__main__":
    sys.exit(main())
