"""`make report`: one page on what was run and what came of it, which works offline.

It reads what commands left below build/reports/ (see `conv_core.pages.outcomes`), and runs nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from conv_core.commands import endings
from conv_core.pages.facts import (
    Facts,
    difference_map_rows,
    difference_map_svg,
    facts,
    shown_columns,
)
from conv_core.pages.outcomes import FOLDER, TESTS
from conv_core.pages.render import write_page
from conv_core.tb.paths import BUILD

PAGE = BUILD / "report.html"


def write_report(found: Facts, path: Path) -> None:
    """Writes the page. Raises `OSError`."""
    write_page(
        "report.html",
        path,
        facts=found,
        columns=shown_columns,
        map_head=lambda picture: difference_map_rows(picture)[0],
        map_svg=lambda picture: Markup(difference_map_svg(picture)),
        svg=Markup,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the page and says where it is; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m conv_core.pages.report", description=__doc__)
    parser.add_argument("--out", type=Path, default=PAGE, metavar="FILE", help=f"default: {PAGE}")
    parser.add_argument("--reports", type=Path, default=FOLDER, help="what commands left")
    parser.add_argument("--tests", type=Path, default=TESTS, help="what pytest left, as JUnit's")
    options = parser.parse_args(arguments)

    def command() -> int:
        found = facts(options.reports, options.tests)
        write_report(found, options.out)
        run = sum(section.outcome is not None for section in found.sections)
        wrong = f"{found.failures} failures" if found.failures else "nothing wrong"
        print(f"{options.out}: {run} of {len(found.sections)} parts were run, {wrong}")
        return 0

    return endings.run(command)


if __name__ == "__main__":
    raise SystemExit(main())
