"""`make report` in a real browser: whole, and when hardly anything was run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conv_core.models.files import write_whole
from conv_core.pages import outcomes, report
from conv_core.pages.failures import failure_of
from conv_core.pages.outcomes import Outcome, keep
from conv_core.tb.waves.cut import Cut, Row, svg
from tests.pages.browser import loaded
from tests.pages.devtools import Page

MESSAGE = """\
layer <b>: 3 of 8 values differ from the model; the first in row 0, beat 1, 35 ns: expected 1, got 2
this is what one fault would give: bias missing
wrong in channels 0 (. none, - few, + many, # all channels):
  .-#
  +..
around beat 1 of the results:
  cycle     -1  >0<
  tvalid     1    1
"""
CUT = svg(Cut("around beat 1", (15, 25), 1, (Row("tvalid", ("0", "1"), bit=True),)))
LAYER = {"name": "<b>", "array": "4x4", "simulator": "icarus", "cycles": 20, "cycles_limit": 10}
JUNIT = """<testsuites><testsuite>
<testcase classname="tests.a" name="test_right" time="0.5"/>
<testcase classname="tests.a" name="test_wrong" time="2"><failure>assert 1 == 2</failure></testcase>
<testcase classname="tests.b" name="test_left_out"><skipped message="why"/></testcase>
</testsuite></testsuites>"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where outcomes go; none is there."""
    monkeypatch.setattr(outcomes, "FOLDER", tmp_path / "reports")
    monkeypatch.setattr(report, "TESTS", tmp_path / "reports" / "tests.xml")
    return tmp_path


def keep_all(folder: Path) -> None:
    good = {**LAYER, "name": "good", "status": "PASS", "efficiency": 0.5, "message": ""}
    bad = {**LAYER, "status": "FAIL", "efficiency": 0.5, "message": MESSAGE, "cut": CUT}
    keep(Outcome("question", "PASS", 1.0, ["question"], [good]))
    keep(Outcome("run", "FAIL", 2.0, ["run", "a b.npz"], [good, bad]))
    write_whole(folder / "reports" / "tests.xml", JUNIT)


def page(folder: Path) -> Path:
    path = folder / "report.html"
    write_whole(path, report.page())
    return path


def visible(dom: str) -> str:
    """The text of the document, without style and script."""
    body = re.sub(r"<(style|script)\b.*?</\1>", "", dom, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_a_message_is_taken_apart() -> None:
    failure = failure_of("x", MESSAGE, "make waves")
    assert failure.sentences == MESSAGE.splitlines()[:2]
    assert failure.picture.count("<rect") == 6
    assert failure.picture.count('class="few"') == failure.picture.count('class="all"') == 1
    assert failure.cut.splitlines() == MESSAGE.splitlines()[5:]


@pytest.mark.parametrize("width", ["desktop", "phone"])
def test_all_that_was_run_is_shown(folder: Path, width: str) -> None:
    keep_all(folder)
    check = (
        "document.title = document.documentElement.scrollWidth <= window.innerWidth"
        " ? 'it fits' : 'too wide: ' + document.documentElement.scrollWidth;"
    )
    dom = loaded(page(folder), folder, width=width, script=check)
    assert "<title>it fits</title>" in dom
    text = visible(dom)
    assert "&lt;b&gt;" in text
    assert "bias missing" in text
    assert "conv-core run 'a b.npz' --waves" in text.replace("&#39;", "'")
    assert "make lint" in text
    assert dom.count("<rect") == 6 + CUT.count("<rect")
    assert dom.count('class="cut"') == 1
    targets = re.findall(r'href="#([^"]+)"', dom)
    assert len(targets) == 9
    for target in targets:
        assert f'<section id="{target}">' in dom


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_every_screen(folder: Path, chrome: Page, width: int, dark: bool) -> None:
    keep_all(folder)
    chrome.open(page(folder), width=width, dark=dark)
    assert chrome.complaints() == []
    assert chrome.requests() == []
    assert chrome.wider_than_window() == []
    paper = chrome.run("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", paper)[:3])) < 3 * 128) == dark


def test_tests_are_filtered_by_status_and_name(folder: Path) -> None:
    keep_all(folder)
    script = """
        const shown = () => [...document.querySelectorAll("#all-tests > tbody > tr")]
            .filter((row) => !row.hidden).length;
        const counts = [shown()];
        const set = (id, value) => {
            document.getElementById(id).value = value;
            document.getElementById(id).dispatchEvent(new Event("input"));
            counts.push(shown());
        };
        set("status", "FAIL"); set("status", ""); set("name", "left"); set("name", "none such");
        document.title = counts.join(" ") + ", " + document.getElementById("count").textContent;
    """
    assert "<title>3 1 3 1 0, 0 of 3 tests</title>" in loaded(page(folder), folder, script=script)


def test_what_was_not_run_is_said(folder: Path) -> None:
    dom = loaded(page(folder), folder)
    assert visible(dom).count("Not run yet") == len(report.TITLES) + 1


def test_a_page_that_fails_in_the_browser_fails_the_test(folder: Path) -> None:
    keep_all(folder)
    with pytest.raises(AssertionError):
        loaded(page(folder), folder, script="undefined.property")
