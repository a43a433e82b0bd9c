"""The templates, and the one way in which data comes into them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import require
from muscle_metrics.words.escape import lines

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

__all__ = ["page_environment", "render"]


@cache
def page_environment() -> Environment:
    r"""Templates in which every value is made visible, and then harmless as markup.

    Raises
    ------
    MissingDependencyError
        If jinja2 is not installed.

    Examples
    --------
    >>> template = page_environment().from_string("<p>{{ text }}</p>")
    >>> print(template.render(text="<b>\x1b{{ 7 * 7 }}"))
    <p>&lt;b&gt;\u001b{{ 7 * 7 }}</p>
    """
    jinja2 = require("jinja2", "report")
    environment: Environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        finalize=_visible,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment


def render(template: str, **values: Any) -> Markup:
    """Fill in a template; what comes out is markup, for a page or for another template.

    Examples
    --------
    >>> str(render("rate_table.html", caption="<b>", rows=[])).splitlines()[1]
    '<caption>&lt;b&gt;</caption>'
    """
    markup: type[Markup] = require("markupsafe", "report").Markup
    return markup(page_environment().get_template(template).render(**values))


def _visible(value: Any) -> Any:
    """Make text visible; markup that a template made already is."""
    if hasattr(value, "__html__"):
        return value
    if isinstance(value, str):
        return lines(value)
    if isinstance(value, int):
        return f"{value:,}"
    raise TypeError(f"expected text or a count in a template, got {type(value).__name__}")
