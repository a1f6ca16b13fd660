"""A real browser, without a window: what a page looks like once its scripts have run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
WIDTHS = {"desktop": 1280, "phone": 500}
"""in pixels; a window can't be narrower than 500"""
SECONDS = 60


def chromium() -> str:
    """The browser. Fails where there is none: nothing is skipped."""
    found = [path for path in map(shutil.which, PROGRAMS) if path is not None]
    assert found, "these tests need Chromium: make setup, or apt-get install chromium"
    return found[0]


def loaded(page: Path, folder: Path, *, width: str = "desktop", script: str = "") -> str:
    """The document after its scripts, and then `script`, have run.

    Fails where the page writes an error to the console, or asks for anything from elsewhere.
    """
    text = page.read_text()
    assert text.count("</body>") == 1
    copy = folder / "page.html"
    copy.write_text(text.replace("</body>", f"<script>{script}</script></body>"))
    profile = folder / "profile"
    done = subprocess.run(
        [
            chromium(),
            *(
                "--headless",
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--disable-gpu",
                "--enable-logging=stderr",
                "--v=0",
            ),
            f"--user-data-dir={profile}",
            f"--window-size={WIDTHS[width]},900",
            "--virtual-time-budget=10000",
            "--dump-dom",
            copy.resolve().as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
        env=os.environ | {"HOME": str(folder)},
    )
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert said == []
    assert re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', done.stdout) == []
    return done.stdout
