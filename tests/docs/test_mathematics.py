"""docs/mathematics.md says what its own code prints, and what the models compute."""

from __future__ import annotations

import doctest
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from conv_core.models.convolution import accumulate
from conv_core.models.layer import Layer, LayerCase

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "mathematics.md").read_text()
CODE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def page() -> doctest.DocTest:
    """The code of the page, executed."""
    test = doctest.DocTestParser().get_doctest(
        "\n".join(CODE.findall(PAGE)), {}, "docs/mathematics.md", None, None
    )
    runner = doctest.DocTestRunner(optionflags=doctest.IGNORE_EXCEPTION_DETAIL)
    runner.run(test, clear_globs=False, out=sys.stdout.write)
    assert (runner.failures, runner.tries) == (0, len(test.examples)), "see the output above"
    return test


def test_every_number_in_the_prose_is_printed_by_the_code(page: doctest.DocTest) -> None:
    printed = set(re.findall(r"\d+", " ".join(example.want for example in page.examples)))
    prose = {n.replace(",", "") for n in re.findall(r"\d[\d,]{2,}\b", CODE.sub("", PAGE))}
    assert len(prose) >= 8
    assert prose <= printed


def test_the_formula_of_the_page_is_the_model(page: doctest.DocTest) -> None:
    x, w, bias = (page.globs[name] for name in ("image", "kernel", "bias"))
    case = LayerCase(
        name="question",
        layer=Layer(1, 11, 11, 64, 64, kernel=(3, 3), pads=(1, 1, 1, 1)),
        x=x[None].astype(np.int8),
        w=w.transpose(3, 0, 1, 2).astype(np.int8),
        bias=bias.astype(np.int32),
    )
    np.testing.assert_array_equal(accumulate(case)[0], page.globs["out"])
