"""Templates to self-contained pages: style, script and data stand in the one file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from conv_core.models.files import write_whole


def number(value: object) -> str:
    """A figure as people read it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return str(value)


def data(value: Any) -> Markup:
    """A value as JSON that may stand in a script element."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))


def environment() -> jinja2.Environment:
    """The templates of this folder; what they are given is escaped."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("conv_core.pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(number=number, data=data)
    return made


def write_page(template: str, path: Path, **given: Any) -> None:
    """Writes a page. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, environment().get_template(template).render(**given))
