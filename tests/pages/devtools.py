"""Chromium without a window, spoken to by its DevTools protocol through two pipes."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.pages.browser import chromium

OPTIONS = (
    *(
        "--headless",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--no-first-run",
        "--mute-audio",
    ),
    *("--disable-dev-shm-usage", "--disable-extensions", "--force-color-profile=srgb"),
    *("--disable-background-networking", "--remote-debugging-pipe"),
)
SECONDS = 60.0
KEYS = {"ArrowLeft": 37, "ArrowRight": 39, "PageUp": 33, "PageDown": 34, " ": 32}


class Page:
    """A page in the browser."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._number, self._rest = 0, b""
        self._session: str | None = None
        self._events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Asks the browser for something; its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + SECONDS
        while (answer := self._next(deadline)).get("id") != self._number:
            self._events.append(answer)
        assert "error" not in answer, f"{method}: {answer['error']}"
        result: dict[str, Any] = answer["result"]
        return result

    def _next(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._answers], [], [], deadline - time.monotonic())
            assert ready, f"the browser did not answer within {SECONDS:.0f} s"
            more = os.read(self._answers, 1 << 20)
            assert more, "the browser ended"
            self._rest += more
        line, self._rest = self._rest.split(b"\0", 1)
        found: dict[str, Any] = json.loads(line)
        return found

    def open(
        self, path: Path, *, width: int = 1280, dark: bool = False, calm: bool = False
    ) -> None:
        """Loads a file, in a window of that width in pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        features = {
            "prefers-color-scheme": "dark" if dark else "light",
            "prefers-reduced-motion": "reduce" if calm else "no-preference",
        }
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": name, "value": value} for name, value in features.items()],
        )
        self._events.clear()
        self.call("Page.navigate", url=path.resolve().as_uri())
        deadline = time.monotonic() + SECONDS
        while not any(event.get("method") == "Page.loadEventFired" for event in self._events):
            self._events.append(self._next(deadline))

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Presses a key and lets go of it."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=KEYS[key])

    def click(self, selector: str) -> None:
        """Clicks in the middle of the first element that the selector names."""
        x, y = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            "e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect();"
            "return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def complaints(self) -> list[str]:
        """Errors and warnings of the console since the page was opened."""
        self.run("1")  # what came before it has arrived
        found = []
        for event in self._events:
            method, given = event.get("method"), event.get("params", {})
            if method == "Runtime.exceptionThrown":
                found.append(str(given["exceptionDetails"]))
            elif method == "Log.entryAdded" and given["entry"]["level"] in ("error", "warning"):
                found.append(given["entry"]["text"])
            elif method == "Runtime.consoleAPICalled" and given["type"] in ("error", "warning"):
                found.append(str(given["args"]))
        return found

    def requests(self) -> list[str]:
        """What the page loaded beside itself."""
        names = "performance.getEntriesByType('resource').map((each) => each.name)"
        return [name for name in self.run(names) if not name.startswith("data:")]

    def wider_than_window(self) -> list[str]:
        """Elements that reach beyond the window's right edge and can't be scrolled into it."""
        found: list[str] = self.run(
            "[...document.querySelectorAll('body *')].filter((e) => !e.closest('.wide, svg, pre')"
            " && e.getBoundingClientRect().right > innerWidth + 1)"
            ".map((e) => `${e.tagName} ${e.id} ${e.className}`)"
        )
        return found

    def screenshot(self, path: Path) -> None:
        """The whole page as a picture, PNG."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        taken = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(taken["data"]))


@contextlib.contextmanager
def browser() -> Iterator[Page]:
    """A browser with a blank page; it ends with the block."""
    program = chromium()
    to_browser, commands = os.pipe()
    answers, from_browser = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        pipes = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'
        words = ["bash", "-c", pipes, "browser", program, *OPTIONS, f"--user-data-dir={profile}"]
        process = subprocess.Popen(
            words, pass_fds=(to_browser, from_browser), stderr=subprocess.DEVNULL
        )
        try:
            os.close(to_browser)
            os.close(from_browser)
            yield Page(commands, answers)
        finally:
            os.close(commands)
            os.close(answers)
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
