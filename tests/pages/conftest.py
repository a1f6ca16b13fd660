"""One browser for all tests of the pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pages.devtools import Page, browser


@pytest.fixture(scope="session")
def chrome() -> Iterator[Page]:
    """A page in Chromium, which is started once."""
    with browser() as page:
        yield page
