"""A layer at work: its numbers are the RTL's, and the page shows them in a real browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer, LayerCase, same_pads
from conv_core.models.requantisation import result
from conv_core.pages.explain import causes, check, write_explanation
from conv_core.pages.observe import ExplainError, Observed, observe
from conv_core.pages.work import windows, work
from conv_core.tb.stimuli.random_layers.values import tensors_for
from tests.pages.devtools import Page

SEED = 5
CONFIG = CoreConfig.from_array("4x4")
LAYERS = {
    "same": Layer(1, 5, 4, 6, 7, (3, 3), pads=(1, 1, 1, 1), requantise=True, in_zp=-3),
    "stride": Layer(2, 7, 6, 3, 5, (2, 3), stride=(2, 2)),
    "dilated": Layer(1, 6, 7, 5, 4, (3, 2), dilation=(2, 3), pads=(2, 3, 2, 0)),
    "outside": Layer(1, 2, 2, 4, 9, (2, 2), pads=(3, 3, 3, 3)),
}


def case_of(name: str) -> LayerCase:
    case = tensors_for(np.random.default_rng(SEED), LAYERS[name], "plain")
    return replace(case, name=name)


@pytest.fixture(scope="module")
def seen() -> Observed:
    return observe(case_of("same"), CONFIG, "icarus")


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("explain") / "explain.html"
    write_explanation(case_of("same"), CONFIG, path, "icarus", SEED)
    return path


# -------------------------------------------------------------------------------- the run
@pytest.mark.parametrize("name", LAYERS)
def test_every_accumulator_is_what_the_formula_gives(name: str) -> None:
    case = case_of(name)
    observed = observe(case, CONFIG, "icarus")
    done = work(case, CONFIG, observed)
    assert done.checked == len(observed.steps) * CONFIG.lanes_out > 0
    places = {(w.frame, w.row, w.column, w.block) for w in windows(case, CONFIG)}
    frames, rows, columns, filters = case.layer.out_shape
    assert len(places) == frames * rows * columns * -(-filters // CONFIG.lanes_out)


def test_each_cycle_has_one_cause_and_the_core_counts_the_same(seen: Observed) -> None:
    spent = causes(seen)
    counted = seen.result.counters
    assert sum(spent.values()) == seen.result.cycles == counted["cycles"]
    assert len(seen.steps) == counted["active"]
    counters = ("active", "stall_act", "stall_wgt", "stall_out", "idle")
    assert list(spent.values()) == [counted[name] for name in counters]


@pytest.mark.parametrize("step", [0, -1])
def test_an_accumulator_that_grows_otherwise_is_refused(seen: Observed, step: int) -> None:
    sums = seen.sums.copy()
    sums[step, 0] += 1
    with pytest.raises(ExplainError, match="do not grow as the formula says"):
        work(case_of("same"), CONFIG, replace(seen, sums=sums))


def test_a_step_that_reads_the_padding_is_refused(seen: Observed) -> None:
    steps = seen.steps.copy()
    steps[0, 4] = 0  # the weights of the kernel's first row, which is above the image
    with pytest.raises(ExplainError, match="outside the image"):
        work(case_of("same"), CONFIG, replace(seen, steps=steps))


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        (Layer(1, 4, 4, 8, 8, (3, 3), groups=8), "groups is 8"),
        (Layer(1, 4, 4, 4096, 64, (3, 3)), "runs in pieces"),
        (
            Layer(1, 56, 56, 64, 64, (3, 3), pads=same_pads((56, 56), (3, 3), (1, 1))),
            "a page holds",
        ),
    ],
    ids=["groups", "pieces", "steps"],
)
def test_what_a_page_can_not_show_is_refused(layer: Layer, sentence: str) -> None:
    case = tensors_for(np.random.default_rng(SEED), layer, "plain")
    with pytest.raises(ExplainError, match=sentence):
        check(case, CoreConfig())


# -------------------------------------------------------------------------------- the page
def number(text: str) -> int:
    return int(text.replace(",", "").replace("\N{MINUS SIGN}", "-"))


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("dark", [False, True])
def test_it_renders(chrome: Page, explained: Path, width: int, dark: bool) -> None:
    chrome.open(explained, width=width, dark=dark)
    assert chrome.complaints() == []
    assert chrome.requests() == []
    assert chrome.wider_than_window() == []
    drawn = """[...document.querySelectorAll('canvas')].map((each) => new Set(new Uint32Array(
        each.getContext('2d').getImageData(0, 0, each.width, each.height).data.buffer)).size)"""
    assert min(chrome.run(drawn)) > 2
    assert "are what the RTL's accumulators held" in chrome.run("document.body.innerText")


def test_the_keys_walk_through_the_steps(chrome: Page, explained: Path, seen: Observed) -> None:
    chrome.open(explained)
    now = "document.getElementById('now').textContent"
    starts = work(case_of("same"), CONFIG, seen).starts
    assert chrome.run(now) == (
        f"out[0, 0], filter 0: step 1 of {starts[1]}, cycle {seen.steps[0, 0]:,}"
    )
    chrome.press("ArrowRight")
    assert chrome.run(now).endswith(f"step 2 of {starts[1]}, cycle {seen.steps[1, 0]:,}")
    chrome.press("ArrowLeft")
    chrome.press("ArrowLeft")
    assert "step 1 of" in chrome.run(now)
    chrome.press("PageDown")
    assert chrome.run(now).startswith("out[0, 1], filter 0: step 1")
    chrome.click("#forward")
    chrome.press("ArrowRight")
    assert chrome.run(now).startswith("out[0, 1], filter 0: step 3")


def test_the_last_step_ends_in_the_result(chrome: Page, explained: Path) -> None:
    case = case_of("same")
    chrome.open(explained)
    chrome.run(
        "for (const [id, value] of [['row', 2], ['column', 3], ['filter', 6]]) {"
        "const field = document.getElementById(id); field.value = value;"
        "field.dispatchEvent(new Event('input')); }"
    )
    chrome.press("PageDown")
    chrome.press("ArrowLeft")
    words = chrome.run("document.getElementById('equation').textContent")
    assert number(words.rsplit(" ", 1)[1]) == result(case)[0, 2, 3, 6]
    assert "requantised" in words


def test_a_click_on_a_cycle_shows_its_step(chrome: Page, explained: Path) -> None:
    chrome.open(explained)
    chrome.click("#all")
    assert not chrome.run("document.getElementById('now').textContent").startswith("out[0, 0], f")


@pytest.mark.parametrize("calm", [False, True])
def test_it_plays_only_when_asked(chrome: Page, explained: Path, calm: bool) -> None:
    chrome.open(explained, calm=calm)
    now = "document.getElementById('now').textContent"
    wait = "new Promise((done) => setTimeout(done, 1000))"
    first = chrome.run(now)
    chrome.call("Runtime.evaluate", expression=wait, awaitPromise=True)
    assert chrome.run(now) == first
    chrome.press(" ")
    chrome.call("Runtime.evaluate", expression=wait, awaitPromise=True)
    assert (chrome.run(now) == first) == calm, "a step every 1.5 s for those who want it calm"
    assert chrome.run("document.getElementById('play').getAttribute('aria-pressed')") == "true"
